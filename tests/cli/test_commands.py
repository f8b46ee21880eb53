"""The commands as a person uses them: what they print, where, and what they exit with."""

import json
import os
import signal
import subprocess
import sys
from datetime import date

import click
import numpy as np
import pandas as pd
import pytest

from driftmon.cli import cli
from driftmon.store.store import Store
from tests.golden import agree


def helps(command, path):
    settings = {**cli.context_settings, "max_content_width": 100, "terminal_width": 100}
    context = click.Context(command, info_name=path, **settings)
    yield f"$ {path} --help\n{command.get_help(context)}\n"
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from helps(inner, f"{path} {name}")


def test_the_help_of_every_command_is_what_was_agreed():
    agree("help.txt", "\n".join(helps(cli, "driftmon")))


def test_compare_says_what_moved_worst_first(project):
    run = project.run("compare", "data/live/2024-02-01.parquet", "data/live/2024-02-03.parquet", "--exclude", "time")

    lines = run.out.splitlines()
    assert run.status == 0
    assert lines[0] == "1 of 3 columns drifted: amount (critical)"
    assert next(line for line in lines if "critical" in line and "amount" in line and "→" in line)
    assert any(line.startswith("left out: order: ") for line in lines)


def test_compare_gives_one_json_object_and_nothing_else(project):
    run = project.run("compare", "data/reference.parquet", "data/live/2024-02-03.parquet", "--format", "json")

    assert run.json["status"] == "critical"
    assert run.json["monitor"] is None
    assert {column["column"] for column in run.json["columns"]} >= {"amount", "country", "score", "time.hour"}


def test_compare_takes_columns_kinds_and_thresholds(project):
    run = project.run(
        "compare", "data/reference.parquet", "data/live/2024-02-03.parquet", "--column", "amount", "--column", "country",
        "--kind", "country=categorical", "--warning", "5", "--critical", "9", "--format", "json",
    )  # fmt: skip

    assert [column["column"] for column in run.json["columns"]] == ["amount", "country"]
    assert run.json["columns"][0]["status"] == "info"


def test_compare_lists_the_worst_hundred_columns_and_counts_the_others(project):
    usual = {f"c{n:03}": values for n, values in enumerate(np.random.default_rng(3).normal(size=(130, 400)))}
    for name, value in (("reference", 1.0), ("live", np.nan)):
        pd.DataFrame(usual | {f"gone{n:03}": value * (np.arange(400) % 7) for n in range(110)}).to_parquet(
            f"{name}.parquet"
        )

    run = project.run("compare", "reference.parquet", "live.parquet")

    lines = [line.strip() for line in run.out.splitlines()]
    assert lines[0].startswith("110 of 240 columns drifted: gone000 (critical)")
    assert len([line for line in lines if line.startswith("gone")]) == 100
    assert "and 140 more columns: 10 critical, 130 ok; --format json has them all" in lines
    assert len([line for line in lines if line.startswith("quality: ")]) == 100
    assert "and 10 more findings; --format json has them all" in lines


@pytest.mark.parametrize(("level", "status"), [("critical", 1), ("warning", 1), ("info", 1)])
def test_fail_on_is_an_exit_status_of_1(project, level, status):
    run = project.run("compare", "data/reference.parquet", "data/live/2024-02-03.parquet", "--fail-on", level)

    assert run.status == status


def test_fail_on_is_0_without_drift(project):
    run = project.run(
        "compare", "data/reference.parquet", "data/live/2024-02-01.parquet", "--fail-on", "warning", "--exclude", "time"
    )

    assert run.status == 0


def test_drift_is_not_hidden_by_a_column_that_is_gone(project):
    pd.read_parquet("data/live/2024-02-03.parquet").drop(columns=["score"]).to_parquet("live.parquet")

    run = project.run("compare", "data/reference.parquet", "live.parquet", "--warning", "5", "--critical", "9",
        "--exclude", "time", "--fail-on", "info", "--format", "json")  # fmt: skip

    assert run.json["status"] == "schema_changed"
    assert run.status == 1


def test_bits_change_the_table_and_never_the_json(project):
    files = ("data/live/2024-02-01.parquet", "data/live/2024-02-03.parquet")
    bits = project.run("compare", *files, "--bits")
    plain, in_bits = (project.run("compare", *files, "--format", "json", *more).out for more in ((), ("--bits",)))

    assert "KL (bits)" in bits.out
    assert plain == in_bits


def test_the_first_baseline_is_in_force_and_a_later_one_waits(ready):
    again = ready.run("baseline", "build", "shop")
    pd.read_parquet("data/reference.parquet").iloc[:20_000].to_parquet("data/reference.parquet")
    other = ready.run("baseline", "build", "shop")
    listed = ready.run("baseline", "list", "shop", "--format", "json").json

    assert "in force: checks compare with it" in again.out
    assert "not in force yet; to use it: driftmon baseline promote shop" in other.out
    assert [record["in_force"] for record in listed] == [False, True]


def test_a_baseline_is_promoted_by_the_beginning_of_its_name(ready):
    pd.read_parquet("data/reference.parquet").iloc[:20_000].to_parquet("data/reference.parquet")
    ready.run("baseline", "build", "shop")
    newest = ready.run("baseline", "list", "shop", "--format", "json").json[0]["baseline"]

    run = ready.run("baseline", "promote", "shop", newest[:8])

    assert run.out == f"baseline {newest[:12]} of shop is in force: 20,000 rows\n"
    assert ready.run("baseline", "show", "shop", "--format", "json").json["baseline"] == newest


def test_a_baseline_is_shown_with_its_bins(ready):
    shown = ready.run("baseline", "show", "shop")
    content = ready.run("baseline", "show", "shop", "--format", "json").json

    assert "31,000 rows" in shown.out
    assert all(sum(item["reference"] for item in column["bins"]) == 31_000 for column in content["columns"])


def test_check_stores_and_prints_the_newest_complete_window(ready):
    run = ready.run("check", "shop")
    stored = ready.run("history", "shop", "--format", "json").json

    assert run.out.startswith("shop, 2024-02-05: no drift in ")
    assert [check["window"]["start"] for check in stored] == ["2024-02-05T00:00:00Z"]


def test_check_takes_a_window_by_date_or_by_both_ends(ready):
    by_date = ready.run("check", "shop", "--window", "2024-02-03", "--format", "json")
    by_ends = ready.run("check", "shop", "--start", "2024-02-03", "--end", "2024-02-04T00:00:00Z", "--format", "json")

    assert by_date.json["status"] == "critical"
    assert by_date.json == by_ends.json


def test_the_json_of_history_is_the_json_of_the_checks(ready):
    checked = [ready.run("check", "shop", "--window", f"2024-02-0{day}", "--format", "json").json for day in (1, 3)]

    history = ready.run("history", "shop", "--format", "json").json

    assert history == [*reversed(checked)]


def test_history_of_a_column_has_its_numbers(ready):
    ready.run("check", "shop", "--window", "2024-02-03")

    run = ready.run("history", "shop", "--column", "amount")

    assert "2024-02-03" in run.out
    assert "critical" in run.out


def test_a_bound_of_the_reverse_direction_is_marked_and_the_mark_explained(ready):
    path = ready.write_live(date(2024, 2, 1))
    pd.read_parquet(path).assign(country="DE").to_parquet(path)

    checked = ready.run("check", "shop", "--window", "2024-02-01")
    history = ready.run("history", "shop", "--column", "country")
    quiet = ready.run("history", "shop", "--column", "score")

    footnote = "* in the reverse direction: values that the reference had often are rare now"
    assert footnote in checked.out.splitlines()
    assert footnote in history.out.splitlines()
    assert footnote not in quiet.out


def test_an_open_end_of_a_baseline_is_no_date(project):
    path = project.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text().replace("timestamp: time}", "timestamp: time, end: 2024-01-25}"))
    project.run("baseline", "build", "shop")

    run = project.run("baseline", "list", "shop")

    assert "until 2024-01-25" in run.out
    assert "1700" not in run.out


def test_history_of_nothing_says_how_to_make_some(ready):
    run = ready.run("history", "shop")

    assert (run.status, run.out) == (0, "")
    assert run.err == "no results of shop yet; make one with: driftmon check shop\n"


def test_backfill_goes_on_where_it_stopped(ready):
    ready.run("check", "shop", "--window", "2024-02-02")

    first = ready.run("backfill", "shop", "--start", "2024-02-01", "--end", "2024-02-06")
    second = ready.run("backfill", "shop", "--start", "2024-02-01", "--end", "2024-02-06")
    again = ready.run("backfill", "shop", "--start", "2024-02-01", "--end", "2024-02-06", "--again")

    assert first.err == "4 windows checked, 1 had a result already, 0 failed\n"
    assert second.err == "0 windows checked, 5 had a result already, 0 failed\n"
    assert again.err == "5 windows checked, 0 had a result already, 0 failed\n"


def test_a_backfill_without_times_is_that_of_the_live_data(ready):
    assert ready.run("backfill", "shop").err == "5 windows checked, 0 had a result already, 0 failed\n"
    assert ready.run("backfill", "shop", "--again", "--end", "2024-02-03").err.startswith("2 windows checked")
    assert ready.run("backfill", "shop", "--again", "--start", "2024-02-05").err.startswith("1 windows checked")


def test_a_backfill_from_an_unknown_time_asks_for_it(ready):
    path = ready.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text().replace("  start: 2024-02-01\n", ""))

    run = ready.run("backfill", "shop")

    assert run.status == 2
    assert run.err == "driftmon: --start is missing: from when on? the monitor file of shop has no live.start\n"


def test_a_backfill_of_data_to_come_has_no_windows_yet(ready):
    path = ready.folder / "monitors" / "shop.yaml"
    path.write_text(
        path.read_text().replace("start: 2024-02-01", "start: 2924-02-01").replace("  end: 2024-02-06\n", "")
    )

    run = ready.run("backfill", "shop")

    assert run.status == 2
    assert "shop: no window since 2924-02-01T00:00:00+00:00 is complete and has rows" in run.err


def test_a_backfill_checks_the_other_windows_when_one_fails(ready):
    (ready.folder / "data" / "live" / "2024-02-02.parquet").write_bytes(b"PAR1 not really")
    (ready.folder / "data" / "live" / "2024-02-04.parquet").unlink()

    run = ready.run("backfill", "shop", "--start", "2024-02-01", "--end", "2024-02-06")

    assert run.status == 3
    assert run.err.splitlines()[-1] == "3 windows checked, 0 had a result already, 2 failed"
    assert "2024-02-02.parquet" in run.err


def test_validate_says_what_is_there(ready):
    run = ready.run("validate")

    lines = run.out.splitlines()
    assert lines[0] == "shop: ready"
    assert "31,000 rows" in lines[1]
    assert any("1,000 rows" in line for line in lines)
    assert any(line.strip().startswith("shows") for line in lines)


def test_validate_says_how_many_windows_tell_what_is_usual(ready):
    path = ready.folder / "monitors" / "shop.yaml"
    text = path.read_text()

    def validated(old="", new=""):
        path.write_text(text.replace(old, new))
        printed, content = ready.run("validate").out, ready.run("validate", "--format", "json").json[0]
        return next(line for line in printed.splitlines() if line.strip().startswith("usual")), content

    many, few, none = (
        validated(),
        validated("timestamp: time}", "timestamp: time, end: 2024-01-05}"),
        validated(", timestamp: time}", "}"),
    )
    assert many[0] == "  usual      31 whole windows of the reference tell how much the columns move by themselves"
    assert "4 whole windows of the reference: verdicts know chance only, since 7 are needed" in few[0]
    assert "the reference has no timestamp: 20 consecutive blocks of its rows stand for windows" in none[0]
    assert [content["reference_windows"] for _, content in (many, few, none)] == [31, 4, None]
    assert [len(content["remarks"]) for _, content in (many, few, none)] == [0, 1, 1]


def test_validate_reads_the_good_monitors_when_one_is_broken(project):
    (project.folder / "monitors" / "bad.yaml").write_text("nam: x")

    run = project.run("validate")

    assert run.status == 2
    assert "shop: ready" in run.out
    assert "bad.yaml: nam is not a known key; did you mean 'name'?" in run.err


def test_init_writes_a_monitor_that_can_be_used_at_once(project):
    run = project.run("init", "data/reference.parquet", "--timestamp", "time", "--name", "orders")

    assert (run.status, run.err) == (0, "")
    assert run.out == "wrote monitors/orders.yaml; look it over, then: driftmon validate orders\n"
    assert project.run("validate", "orders").status == 0
    assert project.run("baseline", "build", "orders").status == 0
    assert project.run("check", "orders", "--window", "2024-01-30").out.startswith("orders, 2024-01-30: ")


def test_init_names_data_from_where_relative_paths_start(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "data.parquet"
    elsewhere.write_bytes((project.folder / "data" / "reference.parquet").read_bytes())

    project.run("init", "data/reference.parquet", "--timestamp", "time", "--name", "inside")
    project.run("init", str(elsewhere), "--timestamp", "time", "--name", "outside")

    texts = [(project.folder / "monitors" / f"{name}.yaml").read_text() for name in ("inside", "outside")]
    assert texts[0].count("  path: data/reference.parquet\n") == 2
    assert texts[1].count(f"  path: {elsewhere}\n") == 2
    assert all(project.run("validate", name).status == 0 for name in ("inside", "outside"))


def test_init_suggests_the_timestamp_that_was_not_named(project):
    run = project.run("init", "data/reference.parquet", "--name", "orders")

    assert run.status == 0
    assert "driftmon init data/reference.parquet --timestamp time --name orders --force" in run.err


def test_init_refuses_a_name_that_no_monitor_can_have(project):
    run = project.run("init", "data/reference.parquet", "--name", "../My Model")

    assert run.status == 2
    assert run.err == "driftmon: --name is '../My Model', expected 1 to 63 of a-z, 0-9, _ and -\n"


def test_init_does_not_write_over_a_file(project):
    run = project.run("init", "data/reference.parquet", "--timestamp", "time", "--name", "shop")

    assert run.status == 2
    assert "monitors/shop.yaml exists; choose another --name, or write over it with --force" in run.err


def test_schema_is_json(project):
    assert project.run("schema").json["title"] == "driftmon monitor"


def test_db_says_which_schema_there_is(project):
    made = project.run("db", "upgrade")
    current = project.run("db", "current")

    assert (made.status, current.status) == (0, 0)
    assert made.out == current.out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["check", "shopp"], 2, "monitors: no monitor named 'shopp'; did you mean 'shop'?"),
        (["check", "shop", "--monitors", "none"], 2, "none: no such folder of monitor files"),
        (["check", "shop", "--start", "2024-02-01"], 2, "--end is missing: a window needs both, or --window TIME"),
        (
            ["check", "shop", "--start", "2024-02-02", "--end", "2024-02-01"],
            2,
            "is reversed: its end must be after its start",
        ),
        (
            ["check", "shop", "--start", "2024-02-02", "--end", "2024-02-02"],
            2,
            "is empty: its end must be after its start",
        ),
        (["check", "shop", "--window", "yesterday"], 2, "--window 'yesterday' is not a date such as 2013-05-01"),
        (
            ["check", "shop", "--window", "2124-02-01"],
            3,
            "window 2124-02-01T00:00:00Z/2124-02-02T00:00:00Z is complete at",
        ),
        (["check", "shop", "--window", "2023-02-01"], 3, "2023-02-01.parquet"),
        (["check", "shop", "--nonsense"], 2, "No such option"),
        (["chekc", "shop"], 2, "No such command 'chekc'"),
        (["compare", "data/none.parquet", "data/reference.parquet"], 3, "data/none.parquet"),
        (["compare", "data/reference.parquet", "data/reference.parquet", "--column", "amuont"], 3, "amuont"),
        (["compare", "data/reference.parquet", "data/reference.parquet", "--kind", "zip"], 2, "is not NAME=KIND"),
        (
            ["compare", "data/reference.parquet", "data/reference.parquet", "--kind", "amount=number"],
            2,
            "expected one of numeric",
        ),
        (["baseline", "show", "shop", "ffff"], 2, "ffff"),
        (["check", "shop", "--database", "sqlite:////proc/no/such.db"], 3, "/proc/no/such.db"),
        (["check", "shop", "--database", "postgresql://u:secret@127.0.0.1:1/d"], 3, "127.0.0.1"),
    ],
)
def test_bad_input_gets_one_clear_line_and_the_right_status(ready, arguments, status, message):
    run = ready.run(*arguments)

    assert run.status == status, run.err
    assert message in run.err
    assert run.out == ""
    assert "Traceback" not in run.err
    assert "secret" not in run.err


def test_a_check_without_a_baseline_says_how_to_make_one(project):
    run = project.run("check", "shop", "--window", "2024-02-01")

    assert run.status == 3
    assert "driftmon baseline build shop" in run.err


def test_waiting_for_data_is_something_that_can_be_tried_again(ready):
    run = ready.run("check", "shop", "--window", "2023-02-01")

    assert run.err.splitlines()[-1] == "driftmon: trying again later can help"


def test_a_live_column_that_is_gone_is_told_and_the_others_go_on(ready):
    path = ready.write_live(date(2024, 2, 1))
    pd.read_parquet(path).drop(columns=["score"]).to_parquet(path)

    run = ready.run("check", "shop", "--window", "2024-02-01", "--format", "json")

    statuses = {column["column"]: column["status"] for column in run.json["columns"]}
    assert statuses["score"] == "schema_changed"
    assert statuses["amount"] in {"ok", "info"}
    assert run.json["status"] == "schema_changed"


def test_few_rows_are_shown_and_never_alert(ready):
    ready.write_live(date(2024, 2, 1), rows=60, shift=9)

    run = ready.run("check", "shop", "--window", "2024-02-01", "--format", "json", "--fail-on", "info")

    assert run.status == 0
    assert run.json["status"] == "insufficient_data"
    assert all(column["kl"] is not None for column in run.json["columns"])


def test_an_empty_window_is_no_data(ready):
    path = ready.write_live(date(2024, 2, 1))
    pd.read_parquet(path).iloc[:0].to_parquet(path)

    run = ready.run("check", "shop", "--window", "2024-02-01")

    assert run.status == 0
    assert "no data: the window has no rows" in run.out


@pytest.fixture
def growing(ready):
    """The live rows in one file, which nobody has said the end of."""
    days = [pd.read_parquet(path) for path in sorted((ready.folder / "data" / "live").iterdir())]
    pd.concat(days).to_parquet(ready.folder / "data" / "live.parquet")
    path = ready.folder / "monitors" / "shop.yaml"
    text = path.read_text().replace("data/live/{start:%Y-%m-%d}.parquet", "data/live.parquet")
    path.write_text(text.replace("  end: 2024-02-06\n", ""))
    return ready


def test_validate_knows_what_a_window_shows_though_the_newest_has_no_rows_yet(growing):
    run = growing.run("validate", "shop")

    window, shows = (
        next(line for line in run.out.splitlines() if line.strip().startswith(word)) for word in ("window", "shows")
    )
    assert window.endswith(": no rows yet; the newest are of 2024-02-05: 1,000 rows")
    assert "in a window of 1,000 rows" in shows
    assert growing.run("validate", "shop", "--format", "json").json[0]["window"]["rows"] is None


def test_a_plain_check_of_a_window_without_rows_says_which_have_some(growing):
    plain = growing.run("check", "shop")
    named = growing.run("check", "shop", "--window", "2024-03-01")

    assert "no data: the window has no rows" in plain.out
    assert plain.err == (
        "the newest live rows are of 2024-02-05: name a window with --window 2024-02-05, or set live.end\n"
    )
    assert "no data: the window has no rows" in named.out
    assert named.err == ""


def test_a_backfill_ends_where_the_rows_do(growing):
    assert growing.run("backfill", "shop").err == "5 windows checked, 0 had a result already, 0 failed\n"


def test_where_rows_end_is_told_as_a_window_of_the_schedule(growing):
    path = growing.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text() + "schedule: '@hourly'\n")

    told = growing.run("check", "shop").err

    assert "name a window with --window 2024-02-05T23:00, or set live.end" in told
    assert growing.run("check", "shop", "--window", "2024-02-05T23:00", "--format", "json").json["rows"]["live"] > 0


def test_debug_shows_the_stack_trace(project):
    with pytest.raises(Exception, match="no monitor named"):
        project.run("check", "nobody", "--debug")


def test_an_interrupted_command_exits_with_130(ready):
    script = (
        "import os, signal\nfrom driftmon import pipeline\ndef stop(*a, **k): os.kill(os.getpid(), signal.SIGINT)\n"
    )
    script += (
        "pipeline.run_checks = stop\nfrom driftmon.cli import main\nmain(['check', 'shop', '--window', '2024-02-01'])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 130
    assert done.stderr.splitlines()[-1].startswith("driftmon: interrupted; what was stored stays")


def test_a_reader_that_goes_away_is_no_error(ready):
    command = (
        f"{sys.executable} -m driftmon compare data/reference.parquet data/reference.parquet --format json | head -1"
    )

    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)

    assert done.returncode in {0, -signal.SIGPIPE, 128 + signal.SIGPIPE}
    assert "Traceback" not in done.stderr


def test_output_for_programs_has_neither_colour_nor_bars(ready):
    done = subprocess.run(
        [sys.executable, "-m", "driftmon", "check", "shop", "--window", "2024-02-03"],
        capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert json.dumps(done.stdout)


def test_a_monitor_that_never_had_a_baseline_is_seen_by_readers(project):
    project.run("check", "shop", "--window", "2024-02-01")

    with Store.open(f"sqlite:///{project.folder}/.driftmon/driftmon.db", read_only=True) as store:
        snapshot = store.monitor_snapshot("shop")

    assert (snapshot.last_run_successful, snapshot.consecutive_failed_runs) == (False, 1)


def test_looking_at_the_past_makes_no_database(project):
    run = project.run("history", "shop")

    assert run.status == 3
    assert not (project.folder / ".driftmon").exists()

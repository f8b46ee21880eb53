"""One bad column or one bad monitor never stops the others: validate, check, backfill, the exporter."""

from datetime import date

import pandas as pd
import pytest

from tests.acceptance.observed import rows_in
from tests.acceptance.serving import serving
from tests.cli.conftest import rows_of

DAY = "2024-02-01"

PLACES = "reference: {path: data/reference.parquet}\nlive: {path: data/live, timestamp: time}\n"

BROKEN = {
    "no_yaml.yaml": "reference: {path",
    "deep.yaml": "[" * 600,
    "bomb.yaml": "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)),
    "typo.yaml": f"{PLACES}treshold: 3",
    "empty.yaml": "",
    "list.yaml": "- shop",
    "nul.yaml": "name: a\0b",
    "tag.yaml": "!!python/object/apply:os.system [exit]",
    "twice.yaml": f"{PLACES}name: shop",
    "unset.yaml": "reference: {path: '${NOT_SET_ANYWHERE}'}\nlive: {path: x, timestamp: time}",
}
"""Monitor files that cannot be used."""

BAD_DATA = {
    "missing": "reference: {path: data/none.parquet}\nlive: {path: data/live, timestamp: time}",
    "corrupt": "reference: {path: data/corrupt.parquet}\nlive: {path: data/live, timestamp: time}",
    "naive_kind": f"{PLACES}columns: {{kinds: {{nobody: numeric}}}}",
}
"""Monitors that can be read, of data that cannot."""


@pytest.fixture
def crowded(shop):
    """The shop among monitors that cannot work; its name lies in the middle of theirs."""
    folder = shop.folder / "monitors"
    for name, text in BROKEN.items():
        (folder / name).write_text(text)
    (folder / "latin.yaml").write_bytes(b"name: caf\xe9")
    (folder / "folder.yaml").mkdir()
    (folder / "nowhere.yaml").symlink_to("gone.yaml")
    (shop.folder / "data" / "corrupt.parquet").write_bytes(b"PAR1" * 9)
    for name, text in BAD_DATA.items():
        (folder / f"{name}.yaml").write_text(text)
    return shop


def test_validate_tells_every_problem_and_every_good_monitor(crowded):
    run = crowded.run("validate", "--format", "json")

    assert [report["monitor"] for report in run.json] == ["shop"]
    assert run.status == 3  # the worst: data that cannot be read
    lines = run.err.splitlines()
    assert all(line.startswith("driftmon: ") for line in lines)
    for name in [*BROKEN, "latin.yaml", "folder.yaml", "nowhere.yaml"]:
        assert any(line.startswith(f"driftmon: monitors/{name}: ") for line in lines), name
    for name in BAD_DATA:
        assert sum(line.startswith(f"driftmon: {name}: ") for line in lines) == 1, name
    assert "Traceback" not in run.err


@pytest.mark.parametrize("command", [["check", "--window", DAY], ["backfill", "--start", DAY, "--end", "2024-02-03"]])
def test_a_good_monitor_is_checked_among_bad_ones(crowded, command):
    run = crowded.run(command[0], "shop", *command[1:])

    assert run.status == 0, run.err
    assert rows_in(crowded.url)["driftmon_checks"] >= 1


def test_a_broken_monitor_is_refused_by_name_with_all_its_problems(crowded):
    (crowded.folder / "monitors" / "typo.yaml").write_text(f"{PLACES}treshold: 3\nmin_rows: none")

    run = crowded.run("check", "typo")

    assert run.status == 2
    assert run.err.splitlines() == [
        "driftmon: monitors/typo.yaml: min_rows is 'none', expected a whole number",
        "driftmon: monitors/typo.yaml: treshold is not a known key; did you mean 'thresholds'?",
    ]


def test_a_bad_window_does_not_stop_the_others_of_a_backfill(shop):
    (shop.folder / "data/live/2024-02-02.parquet").write_bytes(b"PAR1" * 9)
    rows_of(date(2024, 2, 3), seed=1).drop(columns=["time"]).to_parquet("data/live/2024-02-03.parquet")
    rows_of(date(2024, 2, 5), seed=1).to_parquet("data/live/2024-02-05.parquet")

    run = shop.run("backfill", "shop", "--start", DAY, "--end", "2024-02-06", "--format", "json")

    assert run.status == 3
    assert [result["window"]["start"][:10] for result in run.json] == ["2024-02-01", "2024-02-05"]
    *failures, summary = run.err.splitlines()
    assert [line.split("/")[0].removeprefix("driftmon: ")[:10] for line in failures] == [
        f"2024-02-0{day}" for day in (2, 3, 4)
    ]
    assert summary == "2 windows checked, 0 had a result already, 3 failed"


def test_every_column_but_the_bad_ones_gets_its_verdict(shop):
    rows = rows_of(date(2024, 2, 1), seed=1).drop(columns=["score"]).assign(country=[["DE"]] * 1_000, extra=b"\xff")
    rows.to_parquet("data/live/2024-02-01.parquet")

    result = shop.run("check", "shop", "--window", DAY, "--format", "json").json

    assert {column["column"]: column["status"] for column in result["columns"]} == {
        "amount": "ok", "country": "schema_changed", "score": "schema_changed",
    }  # fmt: skip


def test_the_exporter_serves_the_good_monitors_beside_the_bad_ones(crowded):
    (crowded.folder / "monitors" / "failing.yaml").write_text(PLACES.replace("data/live", "data/live2"))
    (crowded.folder / "data" / "live2").mkdir()
    rows_of(date(2024, 2, 1), seed=2).to_parquet("data/live2/rows.parquet")
    assert crowded.run("baseline", "build", "failing").status == 0
    assert crowded.run("check", "failing", "--window", DAY).status == 0
    (crowded.folder / "data" / "live2" / "rows.parquet").write_bytes(b"PAR1" * 9)
    assert crowded.run("check", "failing", "--window", "2024-02-02").status == 3
    assert crowded.run("check", "shop", "--window", DAY).status == 0
    # And one whose file is broken after its checks: what was seen stays on show.
    (crowded.folder / "monitors" / "failing.yaml").write_text("name: failing\nreference: {")

    with serving() as served:
        served.until("driftmon_monitor_info", lambda values: len(values) == 2)

        assert served.values("driftmon_monitor_last_run_successful", monitor="shop") == [1]
        assert served.values("driftmon_monitor_last_run_successful", monitor="failing") == [0]
        assert served.values("driftmon_monitor_consecutive_failed_runs", monitor="failing") == [1]
        assert len(served.values("driftmon_column_kl_divergence_nats", monitor="shop")) == 3
        assert len(served.values("driftmon_column_kl_divergence_nats", monitor="failing")) == 3

    assert "Traceback" not in served.log


def test_the_exporter_serves_the_others_when_what_is_stored_of_one_cannot_be_read(shop):
    (shop.folder / "monitors" / "other.yaml").write_text(
        (shop.folder / "monitors" / "shop.yaml").read_text().replace("name: shop", "name: other")
    )
    assert shop.run("baseline", "build", "other").status == 0
    for name in ("shop", "other"):
        assert shop.run("check", name, "--window", DAY).status == 0
    damage(shop.url, "other")

    with serving() as served:
        served.until("driftmon_column_kl_divergence_nats", lambda values: len(values) == 3, monitor="shop")

        assert served.values("driftmon_exporter_last_refresh_successful") == [0]

    assert "other" in served.log
    assert "Traceback" not in served.log


def damage(url, monitor):
    """Spoil what is stored of a monitor, as another program could."""
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE driftmon_column_results SET status = 'no such status' WHERE check_id IN (SELECT driftmon_checks.id "
                "FROM driftmon_checks JOIN driftmon_monitors ON driftmon_monitors.id = monitor_id WHERE name = :name)"
            ),
            {"name": monitor},
        )
    engine.dispose()


def test_a_segment_that_is_empty_or_gone_does_not_stop_the_others(shop):
    text = (shop.folder / "monitors" / "shop.yaml").read_text()
    (shop.folder / "monitors" / "parts.yaml").write_text(
        text.replace("name: shop", "name: parts") + "segments: [country]"
    )
    assert shop.run("baseline", "build", "parts").status == 0
    pd.read_parquet("data/live/2024-02-01.parquet").query("country != 'NL'").to_parquet("data/live/2024-02-01.parquet")

    result = shop.run("check", "parts", "--window", DAY, "--format", "json").json

    statuses = {(column["column"], column["segment"]): column["status"] for column in result["columns"]}
    assert statuses["amount", "country=NL"] == "no_data"
    assert statuses["amount", "country=DE"] in {"ok", "info"}
    assert statuses["country", None] == "critical"

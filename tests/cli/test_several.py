"""Several monitors at once: one command, a result each, and an error of one that stops no other."""

import pytest

from driftmon.sources.files import FilesSource

LIVE = "live: {path: 'data/live/{start:%Y-%m-%d}.parquet', timestamp: time, start: 2024-02-01, end: 2024-02-06}\n"
REFERENCE = "reference: {path: data/reference.parquet, timestamp: time}\n"
DAY = ("--window", "2024-02-02")


@pytest.fixture
def several(ready):
    """The shop, and two more monitors of its rows: of other columns, and of the last three days."""
    monitors = {
        "prices": f"{REFERENCE}{LIVE}columns: {{features: [amount]}}\n",
        "weekly": f"{REFERENCE}{LIVE}columns: {{features: [country]}}\nwindow: 3d\n",
    }
    for name, content in monitors.items():
        (ready.folder / "monitors" / f"{name}.yaml").write_text(content)
        assert ready.run("baseline", "build", name).status == 0
    return ready


def test_all_monitors_are_checked_by_one_command(several):
    run = several.run("check", "--all", "--window", "2024-02-03", "--format", "json")

    assert run.status == 0, run.err
    assert [(check["monitor"], check["window"]["start"][:10]) for check in run.json] == [
        ("prices", "2024-02-03"),
        ("shop", "2024-02-03"),
        ("weekly", "2024-02-01"),
    ]


def test_several_are_what_each_is_alone(several):
    together = several.run("check", "shop", "prices", *DAY, "--format", "json").json

    alone = [several.run("check", name, *DAY, "--format", "json").json for name in ("shop", "prices")]

    assert together == alone


def test_rows_that_monitors_share_are_read_once(several, monkeypatch):
    read = []
    count = FilesSource.count

    def watched(self, columns, window=None, *, segments=None):
        read.append(window)
        return count(self, columns, window, segments=segments)

    monkeypatch.setattr(FilesSource, "count", watched)

    assert several.run("backfill", "--all", "--again").status == 0

    assert len(set(read)) == 5
    # Each day once for all three, and the first two again, when the first window of three days is due.
    assert len(read) == 5 + 2


def test_what_is_wrong_with_one_is_said_and_the_others_are_checked(several):
    (several.folder / "monitors" / "broken.yaml").write_text("reference: 1\n")
    (several.folder / "monitors" / "new.yaml").write_text(REFERENCE + LIVE)

    run = several.run("check", "--all", *DAY, "--format", "json")

    assert run.status == 2
    assert [check["monitor"] for check in run.json] == ["prices", "shop"]
    lines = run.err.splitlines()
    assert any(line.startswith("driftmon: broken: ") for line in lines)
    assert any(line.startswith("driftmon: new: ") and "driftmon baseline build new" in line for line in lines)
    assert any(line.startswith("driftmon: weekly: ") and "2024-01-31" in line for line in lines), (
        "its first day is no file"
    )


def test_a_backfill_of_several_shows_each(several):
    run = several.run("backfill", "shop", "weekly")

    assert run.status == 0, run.err
    assert [line for line in run.out.splitlines() if line in {"shop", "weekly"}] == ["shop", "weekly"]
    assert "8 windows checked, 0 had a result already, 0 failed" in run.err
    again = several.run("backfill", "shop", "weekly")
    assert "0 windows checked, 8 had a result already, 0 failed" in again.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check",), "name one or more, or give --all"),
        (("check", "shop", "--all"), "--all names every monitor; leave out the names"),
        (("backfill", "shop", "shops"), "no monitor named 'shops'; did you mean 'shop'?"),
    ],
)
def test_what_names_no_monitors_is_refused(several, arguments, message):
    run = several.run(*arguments)

    assert run.status == 2
    assert message in run.err


def test_validate_and_plan_know_the_length_of_a_window(several):
    told = several.run("validate", "weekly").out

    assert "each check is of the last 3 steps of schedule @daily, 3d together" in told
    plan = several.run("plan", "weekly", "--format", "json").json
    assert plan["rows"] == 3_000

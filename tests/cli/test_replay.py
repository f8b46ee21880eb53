"""``driftmon replay`` as a person uses it."""

import pytest

DAYS = ("--start", "2024-02-01", "--end", "2024-02-06")


@pytest.fixture
def checked(ready):
    """Five checked days, of which the third drifts."""
    assert ready.run("backfill", "shop", *DAYS).status == 0
    return ready


def test_replay_says_first_how_many_windows_alert_now(checked):
    run = checked.run("replay", "shop", "--warning", "2", "--critical", "3")

    assert run.status == 0
    assert run.out.splitlines()[0].startswith("shop: with warning 2 and critical 3: 0 of 5 windows alert instead of 1")
    assert "2024-02-03" in run.out
    assert "no longer amount" in run.out


def test_replay_without_thresholds_asks_what_the_file_says_now(checked):
    path = checked.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text() + "thresholds: {warning: 2, critical: 3}\n")

    run = checked.run("replay", "shop", "--format", "json")

    assert run.json["answer"].startswith("with the thresholds of the monitor file: 0 of 5 windows alert instead of 1")
    assert [window["status"]["before"] for window in run.json["windows"]].count("critical") == 1
    assert run.json["columns"][0]["column"] == "amount"


def test_replay_of_nothing_new_says_what_to_give(checked):
    run = checked.run("replay", "shop")

    assert run.out.splitlines()[0] == (
        "shop: nothing was changed: these windows were checked with the same thresholds, and 1 of 5 windows alerts; "
        "give others with --warning KL or --critical KL"
    )
    assert run.status == 0


def test_a_column_with_its_own_thresholds_keeps_them_unless_asked(checked):
    path = checked.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text() + "column_thresholds: {amount: {warning: 0.01}}\n")
    asked = ("replay", "shop", "--warning", "2", "--critical", "3", "--format", "json")

    own, everywhere, alone = (
        checked.run(*asked, *more).json["columns"][0]["alerts"]["after"]
        for more in ((), ("--all",), ("--column", "amount"))
    )

    assert (own, everywhere, alone) == (1, 0, 0)


def test_replay_of_a_span_looks_at_its_windows_only(checked):
    run = checked.run("replay", "shop", "--start", "2024-02-04", "--end", "2024-02-06", "--format", "json")

    assert len(run.json["windows"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop", "--warning", "0.5"], "warning 0.5 is above critical 0.1; say --critical too"),
        (
            ["shop", "--warning", "0.2", "--critical", "0.1"],
            "warning 0.2 is above critical 0.1; give a --warning that is",
        ),
        (["shop", "--column", "amuont"], "no column 'amuont' is monitored; did you mean 'amount'?"),
        (["shop", "--start", "2025-01-01"], "no results of shop between these times"),
        (["shop", "--warning", "-1"], "Invalid value for '--warning'"),
    ],
)
def test_what_cannot_be_replayed_gets_an_error_that_helps(checked, arguments, message):
    run = checked.run("replay", *arguments)

    assert (run.status, run.out) == (2, "")
    assert message in run.err


def test_without_any_result_replay_says_how_to_make_some(ready):
    run = ready.run("replay", "shop")

    assert (run.status, run.out) == (2, "")
    assert "driftmon backfill shop --start" in run.err

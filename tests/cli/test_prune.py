"""``driftmon prune`` as a person uses it."""

import pytest

from driftmon.store import lookback


@pytest.fixture
def filled(ready, monkeypatch):
    """Five windows of February 2024, of which only the newest is looked back on."""
    ready.run("backfill", "shop")
    monkeypatch.setattr(lookback, "LOOKED_BACK", 1)
    return ready


def test_prune_says_what_it_would_do_then_does_it(filled):
    before = filled.run("history", "shop", "--format", "json").json

    would = filled.run("prune", "--bins-older-than", "1d", "--dry-run")
    unchanged = filled.run("history", "shop", "--format", "json").json
    did = filled.run("prune", "--bins-older-than", "1d")

    assert (would.status, did.status) == (0, 0)
    assert unchanged == before
    assert "would go: about" in would.out
    assert [line.split()[:3] for line in (*would.out.splitlines(), *did.out.splitlines()) if "shop" in line] == [
        ["shop", "4", "0"]
    ] * 2
    assert "the database takes" in did.out
    after = filled.run("history", "shop", "--format", "json").json
    assert [check["status"] for check in after] == [check["status"] for check in before]
    assert all(column["bins_pruned"] for check in after[1:] for column in check["columns"])


def test_prune_gives_one_json_object_and_nothing_else(filled):
    run = filled.run("prune", "shop", "--older-than", "1d", "--format", "json", "--compact")

    assert run.json["monitors"][0]["monitor"] == "shop"
    assert run.json["total"]["windows"] == 4
    assert run.json["until"]["bins"] is None
    assert run.json["database"]["free"] == 0
    again = filled.run("prune", "shop", "--older-than", "1d", "--format", "json").json
    assert (again["monitors"], again["total"]["windows"]) == ([], 0)


def test_prune_takes_its_ages_from_the_environment(filled, monkeypatch):
    monkeypatch.setenv("DRIFTMON_PRUNE_OLDER_THAN", "1w")

    assert filled.run("prune", "--dry-run", "--format", "json").json["total"]["windows"] == 4


def test_explain_and_report_say_that_bins_were_pruned(filled):
    filled.run("prune", "--bins-older-than", "1d")

    said = filled.run("explain", "shop", "amount", "--window", "2024-02-03")
    told = filled.run("explain", "shop", "amount", "--window", "2024-02-03", "--format", "json").json
    report = filled.run("report", "shop", "--window", "2024-02-03", "-o", "report.html")

    assert (said.status, report.status) == (0, 0)
    assert "drifted (critical)" in said.out
    assert "the bins of this window were pruned" in said.out
    assert told["bins_pruned"]
    assert told["kl"] > 0
    assert "the bins of this window were pruned" in (filled.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what is old: --older-than AGE"),
        (["--older-than", "soon"], "--older-than 'soon' is not a duration"),
        (["--older-than", "999999w"], "--older-than '999999w' is before the year 1"),
        (["--older-than", "10d", "--bins-older-than", "2w"], "--bins-older-than 2w is longer than --older-than 10d"),
        (["shopp", "--older-than", "10d"], "monitor 'shopp' is not in the results database"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(filled, arguments, message):
    run = filled.run("prune", *arguments)

    assert run.status == 2
    assert run.err.count("\n") == 1
    assert message in run.err


def test_prune_says_why_nothing_went(ready):
    ready.run("backfill", "shop")

    run = ready.run("prune", "--older-than", "1d")

    assert run.status == 0
    assert run.out.startswith("nothing to let go: no more is so old, but for what the newest windows stand on")

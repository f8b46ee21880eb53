"""``driftmon explain`` as a person uses it."""

from datetime import date

import pandas as pd
import pytest

DAYS = ("--start", "2024-02-01", "--end", "2024-02-06")


@pytest.fixture
def checked(ready):
    """Five checked days, of which the third drifts."""
    assert ready.run("backfill", "shop", *DAYS).status == 0
    return ready


def test_explain_says_first_what_happened_and_what_to_do(checked):
    run = checked.run("explain", "shop", "amount", "--window", "2024-02-03")

    lines = run.out.splitlines()
    assert run.status == 0
    assert lines[0].startswith("shop, 2024-02-03: amount drifted (critical): more than chance and usual days explain")
    assert lines[1].startswith("what to do: look now")
    assert "half of the values are below about" in run.out
    assert "values are higher" in run.out
    assert "█" in run.out


def test_explain_takes_the_newest_stored_window(checked):
    run = checked.run("explain", "shop", "score")

    assert run.out.startswith("shop, 2024-02-05: score did not drift (ok)")


def test_a_window_without_rows_does_not_hide_those_with_a_verdict(checked):
    path = checked.write_live(date(2024, 2, 9))
    pd.read_parquet(path).iloc[:0].to_parquet(path)
    assert checked.run("check", "shop", "--window", "2024-02-09").status == 0

    run = checked.run("explain", "shop", "score")
    asked = checked.run("explain", "shop", "score", "--window", "2024-02-09")

    remark = "the newest window, 2024-02-09, has no verdict (no_data): no rows in the window"
    assert run.out.startswith("shop, 2024-02-05: score did not drift (ok)")
    assert run.out.splitlines()[2] == remark
    assert remark in checked.run("explain", "shop", "score", "--format", "json").json["words"]
    assert asked.out.startswith("shop, 2024-02-09: score has no verdict (no_data): no rows in the window")
    assert remark not in asked.out


def test_where_no_window_has_a_verdict_the_newest_is_explained(ready):
    ready.write_live(date(2024, 2, 1), rows=20)
    ready.run("check", "shop", "--window", "2024-02-01")

    run = ready.run("explain", "shop", "score")

    assert run.out.startswith("shop, 2024-02-01: score has no verdict (insufficient_data)")


def test_the_json_of_explain_has_the_same_sentences(checked):
    asked = ("explain", "shop", "amount", "--window", "2024-02-03")
    printed, content = checked.run(*asked).out, checked.run(*asked, "--format", "json").json

    assert all(sentence in printed for sentence in content["words"])
    assert content["column"] == "amount"
    assert content["since"]["critical"] == {"start": "2024-02-03T00:00:00Z", "windows": 1}
    assert sum(item["part"] for item in content["bins"]) == pytest.approx(1)
    assert content["direction"] == "higher"


def test_bits_change_what_is_printed_and_never_the_json(checked):
    asked = ("explain", "shop", "amount", "--window", "2024-02-03")

    bits = checked.run(*asked, "--bits", "--verbose")
    plain, in_bits = (checked.run(*asked, "--format", "json", *more).out for more in ((), ("--bits",)))

    assert " bits" in bits.out
    assert " nats" not in bits.out
    assert plain == in_bits


def test_the_bars_are_plain_where_the_output_has_few_letters(checked, monkeypatch):
    class Ascii:
        encoding = "ascii"

        def __getattr__(self, name):
            return getattr(out, name)

    import sys

    out = sys.stdout
    monkeypatch.setattr(sys, "stdout", Ascii())

    run = checked.run("explain", "shop", "amount", "--window", "2024-02-03")

    assert "####" in run.out
    assert "█" not in run.out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["shop", "amuont"], 2, "shop: no column 'amuont' is monitored; did you mean 'amount'?"),
        (["shop", "order"], 2, "shop: column 'order' is not monitored: looks like an identifier"),
        (["shop", "amount", "--segment", "country=DE"], 2, "column 'amount' has no segment 'country=DE'"),
        (["shop", "amount", "--window", "2024-02-09"], 2, "driftmon check shop --window 2024-02-09"),
        (["shop", "amount", "--window", "soon"], 2, "--window 'soon' is not a date"),
        (["shopp", "amount"], 2, "did you mean 'shop'?"),
    ],
)
def test_what_cannot_be_explained_gets_one_line_that_helps(checked, arguments, status, message):
    run = checked.run("explain", *arguments)

    assert run.status == status
    assert message in run.err
    assert len(run.err.splitlines()) == 1
    assert run.out == ""


def test_without_any_result_explain_says_how_to_make_one(ready):
    run = ready.run("explain", "shop", "amount")

    assert (run.status, run.out) == (2, "")
    assert run.err == "driftmon: no results of shop yet; make one with: driftmon check shop\n"

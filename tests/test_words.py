"""The answer in words: the first line a tired person reads."""

from dataclasses import replace

import pytest

from driftmon.words import headline, moved, number, percent
from tests.checks import check_of, flights


@pytest.mark.parametrize(
    ("live", "line"),
    [
        (flights(), "no drift in 2 columns"),
        (flights(late=1), "1 of 2 columns drifted: dep_delay (critical)"),
        (flights(late=1, new=200), "2 of 2 columns drifted: dep_delay (critical), carrier (critical)"),
        (flights(50), "too few rows for a verdict: 50 rows, min_rows is 100"),
        (flights(0), "no data: the window has no rows"),
        (flights(20_000, late=0.1), "no drift in 2 columns (1 moved a little: dep_delay)"),
    ],
)
def test_the_headline_is_the_answer(live, line):
    assert headline(check_of(live)) == line


def test_the_headline_names_what_could_not_be_checked():
    result = check_of(flights(), problems={"carrier": "gone"})

    assert headline(result) == "no drift in 1 column; 1 not checked: carrier (schema_changed)"


def test_the_headline_never_calls_it_no_drift_when_nothing_was_checked():
    result = check_of(flights(), problems={"carrier": "gone", "dep_delay": "gone"})

    assert headline(result) == "no verdict on 2 columns: carrier (schema_changed), dep_delay (schema_changed)"
    assert headline(replace(result, columns=())) == "nothing to check: the baseline has no columns"


def test_the_headline_of_a_comparison_without_live_rows_names_no_window():
    assert headline(replace(check_of(flights(0)), window=None)) == "no data: there are no live rows"


def test_the_headline_stays_a_line_whatever_columns_are_called():
    result = check_of(flights(late=1))
    renamed = replace(result, columns=tuple(replace(column, column="x" * 9_999) for column in result.columns))

    assert len(headline(renamed)) < 200


def test_what_moved_names_the_bins_with_their_shares():
    result = check_of(flights(new=200))

    assert moved(result["carrier"]) == "other 0 % → 10 %"


def test_what_moved_says_why_there_is_no_number():
    result = check_of(flights(), problems={"carrier": "gone"})

    assert moved(result["carrier"]) == "gone"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.0995, "10 %"), (0.0994, "9.9 %"), (0.00001, "0.001 %"), (1e-9, "<0.001 %")],
)
def test_a_share_is_written_in_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.000"), (0.0004, "<0.001"), (0.02, "0.020"), (12.34, "12.3")])
def test_a_small_divergence_never_reads_as_none(value, text):
    assert number(value) == text

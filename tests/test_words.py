"""The answer in words: the first line a tired person reads."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.sustained import Sustained
from driftmon.core.window import Window
from driftmon.headline import headline
from driftmon.words import (
    BITS,
    bounds_text,
    moved,
    nearest,
    number,
    percent,
    quality_text,
    sustained_text,
    window_word,
)
from tests.checks import MAY_1, check_of, flights


@pytest.mark.parametrize(
    ("live", "line"),
    [
        (flights(), "no drift in 2 columns"),
        (flights(late=1), "1 of 2 columns drifted: dep_delay (critical)"),
        (
            flights(late=1, new=200),
            "2 of 2 columns drifted: dep_delay (critical), carrier (critical); quality: carrier",
        ),
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

    assert moved(result["carrier"]) == "other (new: ZZ) 0 % → 10 %"


def test_what_moved_names_two_new_categories_and_counts_the_others():
    result = replace(check_of(flights(new=200))["carrier"], new=tuple((name, 10) for name in "abcd"))

    assert moved(result) == "other (new: a, b and 2 more) 0 % → 10 %"
    assert moved(replace(result, new=())) == "other 0 % → 10 %"


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


SUSTAINED = Sustained(drifting=True, windows=12, ewma=1.2, p_value=1e-4, q_value=2e-4, lower_bound=0.034)


def with_column(check, name, **changes):
    return replace(check, columns=tuple(replace(c, **changes) if c.column == name else c for c in check.columns))


def test_the_headline_names_sustained_drift_and_calls_no_window_quiet_beside_it():
    quiet = with_column(check_of(flights()), "dep_delay", sustained=SUSTAINED)
    loud = with_column(check_of(flights(late=1)), "dep_delay", sustained=SUSTAINED)

    assert headline(quiet) == "no drift in 2 columns in this window alone; sustained drift: dep_delay"
    assert headline(loud) == "1 of 2 columns drifted: dep_delay (critical)"


def test_the_headline_names_only_columns_whose_drift_is_sustained():
    check = with_column(check_of(flights()), "dep_delay", sustained=replace(SUSTAINED, drifting=False))

    assert headline(check) == "no drift in 2 columns"


def test_the_headline_stays_a_line_when_everything_is_wrong_everywhere():
    check = check_of(flights(late=1, new=200))
    bad = Quality(QualityCheck.MISSING, None, 0.0, 0.1, 0.0, 0.0, problem=True, whichever=False)
    many = [
        replace(check["carrier"], column="x" * 900 + str(i), quality=(bad,), sustained=SUSTAINED) for i in range(300)
    ]

    told = headline(replace(check, columns=tuple(many)))

    assert len(told) < 900
    assert told.count(" more") == 2


@pytest.mark.parametrize(
    ("check", "value", "shares", "text"),
    [
        (QualityCheck.MISSING, None, (0.02, 0.09), "missing 2 % → 9 %"),
        (QualityCheck.OUT_OF_RANGE, None, (0.0001, 0.03), "3 % beyond all reference values (0.01 % expected)"),
        (QualityCheck.NOVEL, None, (0.001, 0.04), "4 % in new categories: XX, YY (0.1 % expected)"),
        (QualityCheck.TOP_VALUE, "-999", (0.0003, 0.034), "3.4 % of the values are -999 (0.03 % before)"),
    ],
)
def test_a_quality_problem_is_told_with_both_shares(check, value, shares, text):
    column = replace(check_of(flights())["carrier"], new=(("XX", 30), ("YY", 10)))

    assert quality_text(column, Quality(check, value, *shares, 0.0, 0.0, problem=True, whichever=False)) == text


def test_the_share_of_another_value_is_not_said_to_be_that_of_this_one():
    column = check_of(flights())["dep_delay"]
    quality = Quality(QualityCheck.TOP_VALUE, "-999", 0.0043, 0.034, 0.0, 0.0, problem=True, whichever=True)

    assert quality_text(column, quality) == "3.4 % of the values are -999; before, the most frequent value had 0.43 %"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {},
            "the last 12 windows, the newest weighing most, are beyond what is usual; the last 7 pooled moved by at least 0.034 nats, above the warning threshold 0.01",
        ),
        (
            {"drifting": False, "lower_bound": 0.003},
            "the last 12 windows, the newest weighing most, are beyond what is usual, but the last 7 pooled moved by at least 0.003 nats, not above the warning threshold 0.01",
        ),
        (
            {"drifting": False, "lower_bound": 0.0004},
            "the last 12 windows, the newest weighing most, are beyond what is usual, but that the last 7 pooled moved by more than 0.001 nats is not sure",
        ),
        (
            {"drifting": False, "q_value": 0.4},
            "no sustained drift: the last 12 windows, the newest weighing most, are taken together not beyond what is usual",
        ),
        (
            {"drifting": False, "windows": 2},
            "no sustained drift yet: the last 2 windows, the newest weighing most, are beyond what is usual; it takes 3 windows",
        ),
        (
            {"drifting": False, "q_value": 0.4, "windows": 1},
            "no sustained drift: this window is as usual",
        ),
    ],
)
def test_the_state_of_many_windows_is_told_in_a_line(changes, text):
    column = replace(check_of(flights())["carrier"], sustained=replace(SUSTAINED, **changes))

    assert sustained_text(column) == text


def test_bits_convert_thresholds_and_bounds():
    column = replace(check_of(flights())["carrier"], sustained=SUSTAINED)

    assert "at least 0.049 bits, above the warning threshold 0.0144" in sustained_text(column, BITS)


@pytest.mark.parametrize(
    ("hours", "word"), [(1, "hour"), (23, "day"), (24, "day"), (25, "day"), (168, "week"), (6, "window"), (2, "window")]
)
def test_a_window_is_called_what_people_call_it(hours, word):
    assert window_word(Window(MAY_1.start, MAY_1.start + timedelta(hours=hours))) == word


def test_the_nearest_of_many_names_is_short():
    assert nearest("delay", ["carrier", "dep_delay"]) == "did you mean 'dep_delay'?"
    assert nearest("zzz", []) == "it has none"
    assert len(nearest("zzz" * 5_000, ["y" * 5_000] * 2_000)) < 900


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("1700-01-01", "2026-10-11", "until 2026-10-11"),
        ("2026-01-01", "2250-01-01", "since 2026-01-01"),
        ("2026-01-01", "2026-10-11", "2026-01-01 to 2026-10-11"),
        ("1700-01-01", "2026-10-11T06:30", "until 2026-10-11 06:30 EDT"),
        ("1700-01-01", "2250-01-01", "all rows"),
    ],
)
def test_an_open_end_of_a_span_is_no_date(start, end, text):
    span = Window(*(datetime.fromisoformat(each).replace(tzinfo=NEW_YORK) for each in (start, end)))

    assert bounds_text(span, NEW_YORK) == text

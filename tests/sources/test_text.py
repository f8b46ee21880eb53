"""Values written as text, and what a column of them is taken for."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time

import pyarrow as pa
import pytest

from driftmon.sources.arrow.text import (
    Narrowing,
    ValueProblem,
    has_naive,
    read_booleans,
    read_clocks,
    read_instants,
    read_numbers,
    read_walls,
)
from driftmon.sources.arrow.zones import Zone

NEW_YORK = Zone("America/New_York")
MISSING = ["", "NA", "N/A", "n/a", "#N/A", "nan", "NaN", "null", "NULL", "None", "<NA>", "NaT", " ", None]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5.0),
        ("01234", 1234.0),
        (" 5 ", 5.0),
        ("+5", 5.0),
        ("-0.0", 0.0),
        ("1e5", 1e5),
        ("5.", 5.0),
        (".5", 0.5),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1e300", 1e300),
        ("5e-324", 5e-324),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
    ],
)
def test_numbers_are_read_the_way_they_are_written(text: str, number: float) -> None:
    assert read_numbers(pa.array([text, "x"]).slice(0, 1)).to_pylist() == [number]


@pytest.mark.parametrize("text", ["abc", "1,000", "0x1A", "1_000", "5 apples", "١"])
def test_what_is_no_number_is_named(text: str) -> None:
    with pytest.raises(ValueProblem, match=r"value .* is not a number") as caught:
        read_numbers(pa.array(["1", "2", "NA", text, "other", "3"]))

    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("word", MISSING, ids=repr)
def test_words_for_no_value_are_missing_where_a_number_a_truth_or_a_time_is_expected(word: str | None) -> None:
    numbers = read_numbers(pa.array([word, "1"])).to_pylist()

    assert numbers[0] is None or math.isnan(numbers[0])
    assert read_booleans(pa.array([word, "true"])).to_pylist() == [None, True]
    assert read_instants(pa.array([word, "2013-05-01"]), NEW_YORK)[0].as_py() is None


def test_booleans_come_in_any_case() -> None:
    assert read_booleans(pa.array(["true", "True", "TRUE", "false", "False", None])).to_pylist() == [
        True,
        True,
        True,
        False,
        False,
        None,
    ]
    with pytest.raises(ValueProblem, match="value 'yes' is not true or false"):
        read_booleans(pa.array(["true", "yes"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-05-01", datetime(2013, 5, 1, 4)),
        ("20130501", datetime(2013, 5, 1, 4)),
        ("2013-05-01 10:00", datetime(2013, 5, 1, 14)),
        ("2013-05-01T10:00:00.5", datetime(2013, 5, 1, 14, 0, 0, 500_000)),
        ("2013-05-01T10:00:00.123456789", datetime(2013, 5, 1, 14, 0, 0, 123_456)),
        ("2013-05-01T10:00:00Z", datetime(2013, 5, 1, 10)),
        ("2013-05-01T10:00:00z", datetime(2013, 5, 1, 10)),
        ("2013-05-01 10:00:00 UTC", datetime(2013, 5, 1, 10)),
        ("2013-05-01T10:00:00+02:00", datetime(2013, 5, 1, 8)),
        ("2013-05-01T10:00:00-0230", datetime(2013, 5, 1, 12, 30)),
        ("2013-05-01T10:00:00.25+02", datetime(2013, 5, 1, 8, 0, 0, 250_000)),
    ],
)
@pytest.mark.parametrize("beside", [[], ["2013-05-01T10:00:00Z", "2013-05-01"]])
def test_instants_are_read_from_any_iso_form_alone_or_mixed(text: str, expected: datetime, beside: list[str]) -> None:
    instants = read_instants(pa.array([text, *beside]), NEW_YORK)

    assert instants[0].as_py() == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["01/05/2013", "2013-13-01", "yesterday", "1367366400", "2013-05-01T25:00"])
def test_what_is_no_instant_is_named(text: str) -> None:
    with pytest.raises(ValueProblem, match="is not an ISO date or time") as caught:
        read_instants(pa.array(["2013-05-01", text]), NEW_YORK)

    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("beside", [[], ["2013-05-01T10:00:00Z"]])
def test_a_wall_clock_is_read_as_it_is_even_where_it_was_skipped(beside: list[str]) -> None:
    walls = read_walls(
        pa.array(["2013-03-10 02:30", "2013-03-10 06:30Z", "2013-03-10 07:30Z", None, *beside]), NEW_YORK
    )

    shown = [None if wall is None else wall.replace(tzinfo=None) for wall in walls.to_pylist()[:4]]
    assert shown == [datetime(2013, 3, 10, 2, 30), datetime(2013, 3, 10, 1, 30), datetime(2013, 3, 10, 3, 30), None]


def test_times_of_day_are_read_with_their_seconds() -> None:
    read = read_clocks(pa.array(["09:30:00", " 23:59:59.9999999", "00:00:00.5", "", None]))

    assert read.to_pylist() == [time(9, 30), time(23, 59, 59, 999_999), time(0, 0, 0, 500_000), None, None]
    assert read_clocks(pa.array([None, ""])).null_count == 2


@pytest.mark.parametrize("text", ["24:00:00", "9:30", "2013-05-01", "09:30:00Z", "noon"])
def test_what_is_no_time_of_day_is_named(text: str) -> None:
    with pytest.raises(ValueProblem, match="is not a time of day such as 09:30:00") as caught:
        read_clocks(pa.array(["09:30:00", text]))

    assert repr(text) in str(caught.value)


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(ValueProblem) as caught:
        read_numbers(pa.array(["x" * 1_000_000]))

    assert len(str(caught.value)) < 100


def test_text_without_offsets_is_told_from_text_with() -> None:
    assert has_naive(pa.array(["2013-05-01T10:00:00Z", "2013-05-01", None]))
    assert not has_naive(pa.array(["2013-05-01T10:00:00Z", "2013-05-01T10:00:00.5+02:00", "NaT", None]))


@pytest.mark.parametrize(
    ("batches", "meant"),
    [
        ([["1", "2", ""], [" 3", "NA"]], "int64"),
        ([["1"], ["2.5"]], "float64"),
        ([["1", "inf"]], "float64"),
        ([["123456789012345678901234567890"]], "int64"),
        ([["0x1A"]], "string"),
        ([["true"], ["FALSE", None]], "bool"),
        ([["2013-05-01"], ["2013-05-02"]], "date"),
        ([["2013-05-01"], ["2013-05-02T10:00Z"]], "timestamp"),
        ([["09:30:00"], ["23:59:59.5", None]], "time"),
        ([["09:30:00"], ["24:00:00"]], "string"),
        ([["09:30"]], "string"),
        ([["1"], ["true"]], "string"),
        ([["1"], ["abc"], ["2"]], "string"),
        ([["NA", "", None], []], "null"),
        ([["NA"], ["JFK"]], "string"),
    ],
)
def test_a_column_of_text_is_taken_for_the_narrowest_that_fits_all_its_values(
    batches: list[list[str | None]], meant: str
) -> None:
    narrowing = Narrowing(NEW_YORK)

    for batch in batches:
        narrowing.add(pa.array(batch, pa.string()))

    assert narrowing.meant.name == meant

"""Which kind of column each data type makes, and how its values are counted."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.errors import SourceError
from driftmon.sources.arrow.kinds import Family, column_type, family_of
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource

STRUCT = pa.struct([("a", pa.int8()), ("b", pa.string())])


@pytest.mark.parametrize(
    ("arrow", "name", "kind"),
    [
        *(
            (getattr(pa, f"{sign}int{bits}")(), f"{sign}int{bits}", Kind.NUMERIC)
            for sign in ("", "u")
            for bits in (8, 16, 32, 64)
        ),
        (pa.float16(), "float16", Kind.NUMERIC),
        (pa.float32(), "float32", Kind.NUMERIC),
        (pa.float64(), "float64", Kind.NUMERIC),
        (pa.decimal32(7, 2), "decimal", Kind.NUMERIC),
        (pa.decimal64(12, 2), "decimal", Kind.NUMERIC),
        (pa.decimal128(20, 2), "decimal", Kind.NUMERIC),
        (pa.decimal256(50, 2), "decimal", Kind.NUMERIC),
        (pa.duration("ms"), "duration", Kind.NUMERIC),
        (pa.bool_(), "bool", Kind.BOOLEAN),
        (pa.string(), "string", Kind.CATEGORICAL),
        (pa.large_string(), "string", Kind.CATEGORICAL),
        (pa.string_view(), "string", Kind.CATEGORICAL),
        (pa.dictionary(pa.int8(), pa.string_view()), "string", Kind.CATEGORICAL),
        (pa.dictionary(pa.uint16(), pa.int32()), "int32", Kind.NUMERIC),
        (pa.run_end_encoded(pa.int32(), pa.bool_()), "bool", Kind.BOOLEAN),
        (pa.timestamp("ns"), "timestamp", Kind.DATETIME),
        (pa.timestamp("s", "UTC"), "timestamp", Kind.DATETIME),
        (pa.date32(), "date", Kind.DATETIME),
        (pa.date64(), "date", Kind.DATETIME),
        (pa.time32("s"), "time", Kind.DATETIME),
        (pa.time64("ns"), "time", Kind.DATETIME),
        (pa.null(), "null", None),
        (pa.binary(), "binary", None),
        (pa.list_(pa.float32()), "list", None),
        (STRUCT, "struct", None),
        (pa.map_(pa.string(), pa.int8()), "map", None),
    ],
    ids=str,
)
def test_each_data_type_has_a_name_and_a_kind(arrow: Any, name: str, kind: Kind | None) -> None:
    found = column_type(arrow)

    assert (found.name, found.family.kind) == (name, kind)


def test_the_family_of_a_type_is_read_from_its_name_too() -> None:
    for arrow in (
        pa.int8(),
        pa.float16(),
        pa.decimal128(5, 2),
        pa.duration("s"),
        pa.bool_(),
        pa.string(),
        pa.timestamp("s"),
        pa.date32(),
        pa.time32("s"),
    ):
        found = column_type(arrow)
        kind = found.family.kind
        assert kind is not None
        assert family_of(found.name, kind) is found.family
    assert family_of("character varying(20)", Kind.CATEGORICAL) is Family.TEXT
    assert family_of("numeric(10,2)", Kind.NUMERIC) is Family.NUMBER
    assert family_of("point", Kind.NUMERIC) is Family.NUMBER


NUMBERS = [0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 100, None]


@pytest.mark.parametrize(
    "arrow",
    [
        *(getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)),
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.decimal32(7, 2),
        pa.decimal64(12, 2),
        pa.decimal128(20, 2),
        pa.decimal256(50, 2),
    ],
    ids=str,
)
def test_numbers_of_every_width_fall_in_the_same_bins(arrow: Any) -> None:
    column = {"x": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((0.0, 1.0, 13.0, 55.0)))}
    whole = pa.array([None if number is None else Decimal(number) for number in NUMBERS], pa.decimal128(20, 2))
    array = pa.array(NUMBERS, pa.int64()).cast(arrow) if not pa.types.is_decimal(arrow) else whole.cast(arrow)

    profile = MemorySource({"x": array, "coded": array}).count(column)

    assert profile.problems == {}
    assert profile.histograms["x"].counts == (1, 2, 5, 3, 2, 1)


def test_decimals_are_rounded_once_as_python_rounds_them() -> None:
    values = [Decimal(n) / 1000 for n in range(0, 50_000, 7)]

    learnt = MemorySource({"x": pa.array(values, pa.decimal128(20, 3))}).learn(Selection())

    layout = learnt.columns["x"].layout
    assert isinstance(layout, NumericLayout)
    exact = {float(value) for value in values} | {np.nextafter(float(value), -np.inf) for value in values}
    assert set(layout.edges) <= exact


def test_dictionaries_count_like_what_they_stand_for() -> None:
    values = pa.array([3, 1, 3, None, 2] * 30, pa.int16())
    words = pa.array(["b", None, "a", "b", "a"] * 30)

    plain = MemorySource({"n": values, "w": words})
    coded = MemorySource({"n": values.dictionary_encode(), "w": words.dictionary_encode()})

    learnt = plain.learn(Selection())
    assert coded.learn(Selection()) == learnt
    assert coded.count(learnt.columns) == plain.count(learnt.columns)


def test_a_null_inside_a_dictionary_is_missing() -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, None, 2], pa.int8()), pa.array(["a", None, "b"]))
    column = {"w": BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("a", "b")))}

    assert MemorySource({"w": words}).count(column).histograms["w"].counts == (1, 1, 0, 3)


def test_durations_are_seconds_in_any_unit() -> None:
    spans = [timedelta(milliseconds=n * 300) for n in range(60)]
    learnt = [
        MemorySource({"x": pa.array(spans, pa.duration(unit))}).learn(Selection()).columns["x"].layout
        for unit in ("ms", "us", "ns")
    ]

    assert learnt[0] == learnt[1] == learnt[2]
    assert isinstance(learnt[0], NumericLayout)
    assert max(learnt[0].edges) <= 59 * 0.3


def test_a_time_of_day_has_hours_and_no_weekdays() -> None:
    times = [time(n % 24, 30) for n in range(480)]

    for arrow in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")):
        learnt = MemorySource({"at": pa.array(times, arrow)}, timezone="Asia/Kolkata").learn(Selection())

        layout = learnt.columns["at.hour"].layout
        assert set(learnt.columns) == {"at.hour"}
        assert isinstance(layout, CategoricalLayout)
        assert layout.categories == tuple(f"{hour:02d}" for hour in range(24))


def test_a_date_has_weekdays_in_the_order_of_the_week_and_no_hours() -> None:
    days = [date(1969, 12, 1) + timedelta(days=n) for n in range(210)]

    for arrow in (pa.date32(), pa.date64()):
        learnt = MemorySource({"day": pa.array(days, arrow)}).learn(Selection())

        layout = learnt.columns["day.weekday"].layout
        assert set(learnt.columns) == {"day.weekday"}
        assert isinstance(layout, CategoricalLayout)
        assert layout.categories == ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def test_hours_are_those_of_the_wall_clock_of_the_monitor() -> None:
    naive = [datetime(2013, 7, 1, n % 24) for n in range(480)]
    zoned = pa.array(naive, pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    source = MemorySource({"naive": pa.array(naive, pa.timestamp("us")), "zoned": zoned}, timezone="America/New_York")
    columns = source.learn(Selection()).columns

    profile = source.count(columns, segments={"naive.hour": ["00"], "zoned.hour": ["20"]})

    assert profile.segments["naive.hour=00"].histograms["zoned.hour"].counts[20] == 20
    assert profile.segments["zoned.hour=20"].histograms["naive.hour"].counts[0] == 20


@pytest.mark.parametrize(
    ("values", "kind", "categories"),
    [
        (pa.array([5, 7, None] * 30, pa.int8()), Kind.CATEGORICAL, ("5", "7")),
        (pa.array([5.0, 7.0, float("nan")] * 30), Kind.CATEGORICAL, ("5", "7")),
        (pa.array([0.1, -0.0, None] * 30, pa.float32()), Kind.CATEGORICAL, ("0", "0.1")),
        (
            pa.array([2**63, 2**60 + 1] * 30, pa.uint64()),
            Kind.CATEGORICAL,
            ("1152921504606846977", "9223372036854775808"),
        ),
        (pa.array([True, False] * 30), Kind.CATEGORICAL, ("false", "true")),
        (pa.array([1, 0, None] * 30), Kind.BOOLEAN, ("false", "true")),
        (pa.array(["TRUE", "false", "NA"] * 30), Kind.BOOLEAN, ("false", "true")),
        (pa.array([1.0, 0.0, float("nan")] * 30, pa.float32()), Kind.BOOLEAN, ("false", "true")),
        (pa.array([Decimal(1), Decimal(0), None] * 30), Kind.BOOLEAN, ("false", "true")),
        (pa.array(np.array([0.5, 2.0] * 30, np.float16)), Kind.CATEGORICAL, ("0.5", "2")),
        (pa.array([date(2013, 5, 1), None] * 30), Kind.CATEGORICAL, ("2013-05-01",)),
        (pa.array([datetime(2013, 5, 1)] * 30, pa.timestamp("s")), Kind.CATEGORICAL, ("2013-05-01 00:00:00.000000",)),
        (pa.array([time(5, 30)] * 30, pa.time32("s")), Kind.CATEGORICAL, ("05:30:00",)),
        (pa.array([timedelta(minutes=1)] * 30), Kind.CATEGORICAL, ("60",)),
        (pa.array(["a", "b"] * 30, pa.string_view()), Kind.CATEGORICAL, ("a", "b")),
        (
            pa.DictionaryArray.from_arrays(pa.array([0, 1] * 30), pa.array(["a", "b"], pa.string_view())),
            Kind.CATEGORICAL,
            ("a", "b"),
        ),
        (pa.RunEndEncodedArray.from_arrays([30, 60], ["a", "b"]), Kind.CATEGORICAL, ("a", "b")),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_the_owners_kind_wins_over_the_data_type(values: pa.Array, kind: Kind, categories: tuple[str, ...]) -> None:
    source = MemorySource({"x": values})

    learnt = source.learn(Selection(kinds={"x": kind}))

    column = learnt.columns["x"]
    assert isinstance(column.layout, CategoricalLayout)
    assert (column.kind, column.layout.categories) == (kind, categories)
    histogram = source.count(learnt.columns).histograms["x"]
    assert histogram.counts[-2] == 0
    assert histogram.rows == len(values)


def test_truths_can_be_made_numbers_by_their_owner() -> None:
    source = MemorySource({"x": [True, False, None] * 30})

    learnt = source.learn(Selection(kinds={"x": Kind.NUMERIC}))

    assert source.count(learnt.columns).histograms["x"].counts == (0, 30, 30, 0, 30)


def test_a_number_that_is_no_truth_is_told_with_the_value() -> None:
    learnt = MemorySource({"x": [0, 1]}).learn(Selection(kinds={"x": Kind.BOOLEAN}))

    problems = MemorySource({"x": [0, 1, None, 7]}).count(learnt.columns).problems

    assert problems == {"x": "value '7' is not 0 or 1; 'x' is int64 in the reference"}


def test_text_can_be_made_numbers_and_times_by_its_owner() -> None:
    source = MemorySource(
        {
            "amount": [f"{n / 4} " for n in range(60)],
            "at": [f"2013-05-{n % 28 + 1:02d}T{n % 24:02d}:00:00" for n in range(60)],
            "day": [f"2013-05-{n % 28 + 1:02d}" for n in range(60)],
        }
    )

    kinds = {"amount": Kind.NUMERIC, "at": Kind.DATETIME, "day": Kind.DATETIME}
    learnt = source.learn(Selection(kinds=kinds))
    profile = source.count(learnt.columns)

    assert set(learnt.columns) == {"amount", "at.hour", "at.weekday", "day.weekday"}
    assert {column.dtype for column in learnt.columns.values()} == {"string"}
    assert profile.problems == {}
    assert {histogram.rows for histogram in profile.histograms.values()} == {60}


def test_text_that_is_not_what_its_owner_says_is_left_out_with_the_value() -> None:
    source = MemorySource({"amount": ["1.5", "two", "3"], "x": [1.0, 2.0, 2.0]})

    learnt = source.learn(Selection(kinds={"amount": Kind.NUMERIC}))

    assert set(learnt.columns) == {"x"}
    assert learnt.excluded[0].reason.startswith("value 'two' is not a number")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([datetime(2013, 5, 1)], Kind.NUMERIC),
        ([1, 2], Kind.DATETIME),
        (["abc"], Kind.DATETIME),
        ([1.5], Kind.DATETIME),
        ([time(5)], Kind.BOOLEAN),
    ],
)
def test_a_kind_that_the_type_cannot_be_cut_as_is_an_error(values: list[Any], kind: Kind) -> None:
    with pytest.raises(SourceError, match=f"column 'x' is .* which cannot be cut as {kind}"):
        MemorySource({"x": values}).learn(Selection(kinds={"x": kind}))


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.EMBEDDING])
def test_text_and_embeddings_are_left_out_with_a_reason(kind: Kind) -> None:
    learnt = MemorySource({"x": ["a b", "c"], "y": [1.5, 1.5]}).learn(Selection(kinds={"x": kind}))

    assert [(item.column, f"kind {kind}" in item.reason) for item in learnt.excluded] == [("x", True)]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1.0], None]),
        pa.array([{"a": 1}, None]),
        pa.array([b"x", b"y"]),
        pa.array([b"x", b"y"], pa.binary_view()),
        pa.array([[1], [2]], pa.list_view(pa.int8())),
    ],
    ids=lambda values: str(values.type),
)
def test_types_that_cannot_be_cut_are_left_out_and_are_a_problem_if_they_come_live(values: pa.Array) -> None:
    learnt = MemorySource({"x": values, "y": [1.5, 1.5]}).learn(Selection())
    at = [datetime(2013, 5, 1), datetime(2014, 5, 1)]
    number = {"x": BaselineColumn(Kind.NUMERIC, "int64", NumericLayout((1.0,)))}

    assert set(learnt.columns) == {"y"}
    assert "cannot be monitored; derive a number or a category from it" in learnt.excluded[0].reason
    assert "type changed from int64 to" in MemorySource({"x": values, "at": at}).count(number).problems["x"]


@pytest.mark.parametrize(
    ("reference", "live", "said"),
    [
        ([True, False], ["true", "false"], "type changed from bool to string"),
        ([1.5, 2.5], ["1.5", "2.5"], "type changed from float64 to string"),
        (["a", "a"], [1, 2], "type changed from string to int64"),
        ([1, 1], [True, False], "type changed from int64 to bool"),
        ([1, 1], [timedelta(1), None], "type changed from int64 to duration"),
        ([timedelta(1), None], [1, 1], "type changed from duration to int64"),
        ([datetime(2013, 5, 1)], ["2013-05-01"], "type changed from timestamp to string"),
        ([datetime(2013, 5, 1)], [date(2013, 5, 1)], "type changed from timestamp to date"),
        ([1, 1], [b"1", b"2"], "type changed from int64 to binary"),
    ],
)
def test_a_changed_type_is_told_in_one_line(reference: list[Any], live: list[Any], said: str) -> None:
    learnt = MemorySource({"x": reference}).learn(
        Selection(kinds={"x": Kind.CATEGORICAL} if reference == ["a", "a"] else {})
    )

    problems = MemorySource({"x": live}).count(learnt.columns).problems

    assert (
        next(iter(problems.values())) == f"{said}; make it what it was, or build a new baseline if it is meant to stay"
    )


def test_wider_and_narrower_numbers_stay_numbers() -> None:
    learnt = MemorySource({"x": pa.array([1, 2, 2, 3], pa.int64())}).learn(Selection())

    for arrow in (pa.int8(), pa.float32(), pa.uint64(), pa.decimal128(25, 2)):
        profile = MemorySource({"x": pa.array([1, 2, 2, 3]).cast(arrow)}).count(learnt.columns)

        assert (profile.problems, profile.histograms["x"].rows) == ({}, 4)


def test_a_live_column_of_nulls_without_a_type_is_all_missing_whatever_the_kind() -> None:
    reference = {
        "n": [1.5, 2],
        "b": [True, False],
        "s": ["a", "a"],
        "at": [datetime(2013, 5, 1)] * 2,
        "d": [date(2013, 5, 1)] * 2,
    }
    learnt = MemorySource(reference).learn(Selection(kinds={"s": Kind.CATEGORICAL}))

    profile = MemorySource({name: pa.nulls(3) for name in reference}).count(learnt.columns)

    assert profile.problems == {}
    assert len(profile.histograms) == 6
    assert {histogram.missing for histogram in profile.histograms.values()} == {3}

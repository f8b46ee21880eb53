"""Windows: consecutive ones neither share a row nor lose one, whatever the timestamps are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.window import Window
from driftmon.errors import SourceError
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource
from tests.sources import brute

ZONE = "America/New_York"
FIRST, LAST = datetime(2013, 11, 2), datetime(2013, 11, 5)

# Over the hour that comes twice in New York.
moments = st.datetimes(FIRST, LAST)
spring = st.datetimes(datetime(2013, 3, 9), datetime(2013, 3, 12))

TYPES = {
    "seconds": pa.timestamp("s"),
    "milliseconds": pa.timestamp("ms"),
    "microseconds": pa.timestamp("us"),
    "nanoseconds": pa.timestamp("ns"),
    "zoned": pa.timestamp("us", "Asia/Kolkata"),
    "dates": pa.date32(),
    "dates in milliseconds": pa.date64(),
}


def as_type(values: list[datetime | None], name: str) -> pa.Array:
    if name == "text":
        return pa.array([None if value is None else value.isoformat() for value in values], pa.string())
    if name == "text with offsets":
        return pa.array([None if value is None else f"{value.isoformat()}+05:30" for value in values], pa.string())
    if name == "codes":
        return as_type(values, "microseconds").dictionary_encode()
    if name.startswith("dates"):
        return pa.array([None if value is None else value.date() for value in values], TYPES[name])
    zone = TYPES[name].tz
    zoned = values if zone is None else [value and value.replace(tzinfo=UTC) for value in values]
    return pa.array(zoned, pa.timestamp("us", zone)).cast(TYPES[name], safe=False)


@pytest.mark.parametrize("name", [*TYPES, "text", "text with offsets", "codes"])
@given(data=st.data())
def test_every_row_falls_in_exactly_one_of_consecutive_windows(name: str, data: st.DataObject) -> None:
    season = data.draw(st.sampled_from([moments, spring]))
    rows = data.draw(st.lists(st.none() | season, max_size=30))
    inner = data.draw(st.lists(season, max_size=6, unique=True))
    bounds = [datetime(2013, 1, 1), *sorted(inner), datetime(2014, 1, 1)]
    source = MemorySource({"at": as_type(rows, name)}, timestamp="at", timezone=ZONE)

    counts = [
        source.count({}, Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))).rows
        for start, end in pairwise(bounds)
    ]

    assert sum(counts) == sum(row is not None for row in rows)


@given(st.lists(st.none() | moments | spring, max_size=30), moments | spring, moments | spring)
def test_a_window_of_wall_clocks_holds_the_rows_whose_instants_lie_in_it(
    rows: list[datetime | None], one: datetime, two: datetime
) -> None:
    if one == two:
        two += timedelta(hours=1)
    window = Window(min(one, two).replace(tzinfo=UTC), max(one, two).replace(tzinfo=UTC))
    source = MemorySource({"at": pa.array(rows, pa.timestamp("us"))}, timestamp="at", timezone=ZONE)

    counted = source.count({}, window).rows

    assert counted == len(brute.inside([{"at": row} for row in rows], "at", window, ZONE))


def test_a_day_of_23_hours_and_one_of_25_hours_hold_all_their_rows() -> None:
    hours = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24)]
    source = MemorySource({"at": hours}, timestamp="at", timezone=ZONE)

    spring_day = source.count({}, Window(datetime(2013, 3, 10, 5, tzinfo=UTC), datetime(2013, 3, 11, 4, tzinfo=UTC)))
    autumn_day = source.count({}, Window(datetime(2013, 11, 3, 4, tzinfo=UTC), datetime(2013, 11, 4, 5, tzinfo=UTC)))

    assert (spring_day.rows, autumn_day.rows) == (23, 25)


def test_a_window_in_the_far_future_has_no_rows_of_nanoseconds() -> None:
    at = pa.array([0, 2**63 - 1, -(2**63)], pa.timestamp("ns"))
    source = MemorySource({"at": at}, timestamp="at")

    profile = source.count({}, Window(datetime(2500, 1, 1, tzinfo=UTC), datetime(2501, 1, 1, tzinfo=UTC)))

    assert profile.rows == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2, 3], "'at' is int64; expected timestamps, dates or ISO 8601 text"),
        (["2013-05-01", "May 2nd"], "'at': value 'May 2nd' is not an ISO date or time"),
        ([b"2013-05-01"], "'at' is binary; expected timestamps"),
    ],
)
def test_a_timestamp_column_of_another_kind_is_an_error(values: list[Any], said: str) -> None:
    source = MemorySource({"at": values}, timestamp="at")

    with pytest.raises(SourceError, match=said):
        source.count({}, Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)))


def test_a_timestamp_column_without_any_value_has_no_rows_in_a_window() -> None:
    source = MemorySource({"at": pa.nulls(3), "x": [1, 2, 3]}, timestamp="at")

    assert source.count({}, Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))).rows == 0


def test_without_a_timestamp_every_row_belongs_to_every_window() -> None:
    source = MemorySource({"x": np.arange(5.0)})

    assert source.count({}, Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))).rows == 5


def test_the_timestamp_is_monitored_only_if_it_is_named() -> None:
    at = [datetime(2013, 5, 1) + timedelta(hours=n) for n in range(48)]
    source = MemorySource({"at": at, "x": np.arange(48) / 7}, timestamp="at")

    assert set(source.learn(Selection()).columns) == {"x"}
    assert set(source.learn(Selection(include=["at"])).columns) == {"at.hour", "at.weekday"}

"""Wall clocks: arrays of them agree with zoneinfo, and with what Arrow does for each value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.errors import SourceError
from driftmon.sources.arrow.zones import Zone

ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "UTC",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

names = st.sampled_from(ZONES)
moments = st.datetimes(datetime(1960, 1, 1), datetime(2036, 12, 31))
# Around the changes of 2013 in New York and Berlin.
near_changes = st.sampled_from(
    [datetime(2013, 3, 10, 7), datetime(2013, 11, 3, 6), datetime(2013, 3, 31, 1), datetime(2013, 10, 27, 1)]
).flatmap(lambda change: st.timedeltas(timedelta(hours=-3), timedelta(hours=3)).map(lambda by: change + by))


def microseconds(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@given(names, st.lists(moments | near_changes, min_size=1, max_size=30))
def test_walls_are_what_zoneinfo_shows(name: str, instants: list[datetime]) -> None:
    walls = Zone(name).walls(np.array([microseconds(each) for each in instants]), 1_000_000)

    expected = [each.replace(tzinfo=UTC).astimezone(ZoneInfo(name)).replace(tzinfo=None) for each in instants]
    assert walls.tolist() == [microseconds(each) for each in expected]


@given(names, st.lists(moments | near_changes, min_size=1, max_size=30))
def test_instants_are_what_arrow_makes_of_wall_clocks(name: str, walls: list[datetime]) -> None:
    instants = Zone(name).instants(np.array([microseconds(each) for each in walls]), 1_000_000)

    naive = pa.array(walls, pa.timestamp("us"))
    expected = pc.assume_timezone(naive, name, ambiguous="earliest", nonexistent="latest")
    assert instants.tolist() == expected.cast(pa.int64()).to_pylist()


@given(names, moments | near_changes, st.lists(moments | near_changes, min_size=1, max_size=30))
def test_comparing_with_the_first_wall_is_comparing_instants(name: str, bound: datetime, walls: list[datetime]) -> None:
    zone = Zone(name)
    values = np.array([microseconds(each) for each in [*walls, bound]])

    inside = values >= zone.first_wall(bound.replace(tzinfo=UTC))

    assert inside.tolist() == (zone.instants(values, 1_000_000) >= microseconds(bound)).tolist()


@given(names, st.lists(near_changes, min_size=2, max_size=30).map(sorted))
def test_later_readings_are_never_earlier_instants(name: str, walls: list[datetime]) -> None:
    instants = Zone(name).instants(np.array([microseconds(each) for each in walls]), 1_000_000)

    assert (np.diff(instants) >= 0).all()


def test_a_reading_that_comes_twice_means_the_first_time() -> None:
    instants = Zone("America/New_York").instants(np.array([microseconds(datetime(2013, 11, 3, 1, 30))]), 1_000_000)

    assert instants.tolist() == [microseconds(datetime(2013, 11, 3, 5, 30))]


def test_a_reading_that_is_skipped_means_the_end_of_the_gap() -> None:
    instants = Zone("America/New_York").instants(np.array([microseconds(datetime(2013, 3, 10, 2, 30))]), 1_000_000)

    assert instants.tolist() == [microseconds(datetime(2013, 3, 10, 7))]


def test_a_span_of_millennia_is_as_exact_as_a_day() -> None:
    years = [1, 2, 1883, 1960, 2013, 2500, 9998, 9999]
    instants = [datetime(year, 7, 1, 12) for year in years]

    walls = Zone("Europe/Berlin").walls(np.array([microseconds(each) for each in instants]), 1_000_000)

    berlin = ZoneInfo("Europe/Berlin")
    expected = [each.replace(tzinfo=UTC).astimezone(berlin).replace(tzinfo=None) for each in instants]
    assert walls.tolist() == [microseconds(each) for each in expected]


@pytest.mark.parametrize("value", [np.iinfo(np.int64).max, np.iinfo(np.int64).min + 10**15])
def test_instants_beyond_the_calendar_get_the_offset_of_its_end(value: int) -> None:
    walls = Zone("Asia/Kolkata").walls(np.array([value - 10**14, value // 2]), 1_000_000)

    assert len(walls) == 2


def test_an_unknown_zone_is_an_error() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd", "America"):
        with pytest.raises(SourceError, match=r"time zone .* is unknown; expected a name such as"):
            Zone(name)

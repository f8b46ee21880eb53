"""From when to when rows are: what `init` proposes the reference from."""

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftmon.core.window import Window
from driftmon.errors import SourceError
from driftmon.sources.files import FilesSource

FIRST, LAST = datetime(2024, 1, 1, 5, tzinfo=UTC), datetime(2024, 3, 1, 7, 30, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def span_of(path, values, timezone="UTC"):
    pq.write_table(pa.table({"t": values}), path)
    return FilesSource(path, timestamp="t", timezone=timezone).span()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_instants_are_what_they_are_in_every_unit_and_zone(tmp_path, unit, zone):
    span = span_of(tmp_path / "x.parquet", pa.array([LAST, None, FIRST], pa.timestamp(unit, zone)))

    assert span == Window(FIRST, LAST + MICROSECOND)


def test_readings_without_a_zone_are_wall_clocks_of_the_monitors_zone(tmp_path):
    naive = [moment.replace(tzinfo=None) for moment in (FIRST, LAST)]

    span = span_of(tmp_path / "x.parquet", pa.array(naive, pa.timestamp("us")), "America/New_York")

    assert span == Window(FIRST + timedelta(hours=5), LAST + timedelta(hours=5) + MICROSECOND)


def test_dates_begin_at_midnight(tmp_path):
    span = span_of(tmp_path / "x.parquet", pa.array([date(2024, 1, 1), date(2024, 1, 3)]))

    assert span == Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC) + MICROSECOND)


def test_text_is_read_as_times(tmp_path):
    pd.DataFrame({"t": ["2024-01-01T05:00:00Z", "2024-03-01T07:30:00Z"]}).to_csv(tmp_path / "x.csv", index=False)

    assert FilesSource(tmp_path / "x.csv", timestamp="t").span() == Window(FIRST, LAST + MICROSECOND)


def test_no_times_have_no_span(tmp_path):
    assert span_of(tmp_path / "x.parquet", pa.array([None, None], pa.timestamp("us"))) is None
    assert FilesSource(tmp_path / "x.parquet").span() is None


@pytest.mark.parametrize(
    ("values", "what"),
    [(pa.array([time(5)]), "expected timestamps, dates or ISO 8601 text"), (pa.array(["soon"]), "'soon'")],
    ids=["times of day", "words"],
)
def test_what_is_no_timestamp_is_one_clear_error(tmp_path, values, what):
    with pytest.raises(SourceError, match=what):
        span_of(tmp_path / "x.parquet", values)

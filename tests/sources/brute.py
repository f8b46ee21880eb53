"""An independent count of rows: row by row in Python, with nothing of the sources in it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from driftmon.core.clues import Clues, numeric_clues
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.layout import Kind, NumericLayout, category_key
from driftmon.core.learning import learn_categories, learn_numbers
from driftmon.core.tallying import CategoryTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.layout import Layout
    from driftmon.core.window import Window

Row = dict[str, Any]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ORDERS = {"hour": {f"{hour:02d}": hour for hour in range(24)}, "weekday": {day: n for n, day in enumerate(WEEKDAYS)}}


def instant(value: datetime | date, zone: str) -> datetime:
    """What a timestamp means: wall clocks that read twice mean the first time, skipped ones the end of the gap."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    local = ZoneInfo(zone)
    guess = value.replace(tzinfo=local).astimezone(UTC)
    if guess.astimezone(local).replace(tzinfo=None) == value:
        return guess
    # In a gap: halve the way from before it to after it.
    low, high = value.replace(tzinfo=local, fold=1).astimezone(UTC), guess
    before = low.astimezone(local).utcoffset()
    while (high - low).total_seconds() > 1e-6:
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(local).utcoffset() == before else (low, middle)
    return high


def inside(rows: Iterable[Row], timestamp: str, window: Window, zone: str) -> list[Row]:
    """The rows of a window."""
    return [
        row for row in rows if row[timestamp] is not None and window.start <= instant(row[timestamp], zone) < window.end
    ]


def value_of(row: Row, name: str, kind: Kind, zone: str) -> Any:
    """The number or the category of a monitored column, None if missing."""
    if kind is Kind.DATETIME:
        raw, _, part = name.rpartition(".")
        return None if row[raw] is None else part_of(row[raw], part, zone)
    value = row[name]
    if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
        return None
    if kind is Kind.NUMERIC:
        return float(value)
    return str(value).lower() if isinstance(value, bool) else category_key(str(value))


def part_of(value: datetime | date | time, part: str, zone: str) -> str:
    """Hour or weekday on the wall clock."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(ZoneInfo(zone))
    return f"{value.hour:02d}" if part == "hour" else WEEKDAYS[value.weekday()]


def learn(rows: Sequence[Row], kinds: Mapping[str, Kind], zone: str) -> dict[str, tuple[Kind, Layout, int | None]]:
    """Kind, layout and singletons of each column."""
    learnt: dict[str, tuple[Kind, Layout, int | None]] = {}
    for name, kind in kinds.items():
        values = [value for row in rows if (value := value_of(row, name, kind, zone)) is not None]
        if kind is Kind.NUMERIC:
            layout = learn_numbers(np.array(values))
            assert layout is not None
            learnt[name] = (kind, layout, None)
        else:
            tally = CategoryTally()
            counts = Counter(values)
            tally.add(counts.keys(), counts.values())
            order = ORDERS.get(name.rpartition(".")[2]) if kind is Kind.DATETIME else None
            learnt[name] = (kind, learn_categories(tally, order=order), tally.singletons)
    return learnt


def count(rows: Sequence[Row], columns: Mapping[str, BaselineColumn], zone: str, reference: Sequence[Row]) -> Profile:
    """Every histogram, by one comparison for each row and column."""
    return Profile(
        len(rows),
        {name: histogram(rows, name, column, zone, reference) for name, column in columns.items()},
        clues={name: clues(rows, name, column, zone, reference) for name, column in columns.items()} if rows else {},
    )


def clues(rows: Sequence[Row], name: str, column: BaselineColumn, zone: str, reference: Sequence[Row]) -> Clues:
    """Every so many-th row of a numeric column; the new categories of any other."""
    values = [value_of(row, name, column.kind, zone) for row in rows]
    if isinstance(column.layout, NumericLayout):
        step = 1
        while len(values[::step]) > 4_096:
            step *= 2
        return numeric_clues(column.layout, np.array([math.nan if v is None else v for v in values[::step]]))
    known = {value_of(row, name, column.kind, zone) for row in reference}
    new = Counter(value for value in values if value is not None and value not in known)
    named = sorted((item for item in new.items() if item[1] >= 5), key=lambda item: (-item[1], item[0]))
    return Clues(len(values) - values.count(None), new=tuple(named[:10]))


def histogram(rows: Sequence[Row], name: str, column: BaselineColumn, zone: str, reference: Sequence[Row]) -> Histogram:
    layout = column.layout
    counts = [0] * layout.size
    values = [value_of(row, name, column.kind, zone) for row in rows]
    counts[-1] = values.count(None)
    present = [value for value in values if value is not None]
    if isinstance(layout, NumericLayout):
        for value in present:
            counts[bisect_left(layout.edges, value)] += 1
        return Histogram(tuple(counts))
    known = {value_of(row, name, column.kind, zone) for row in reference}
    for value in present:
        counts[layout.index.get(value, layout.size - 2)] += 1
    return Histogram(tuple(counts), sum(1 for value in present if value not in known))

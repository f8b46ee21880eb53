"""What a database counted, as profiles and histories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from driftmon.core.clues import LEAST_NEW, Clues
from driftmon.core.histogram import Histogram, Profile, segment_name
from driftmon.core.history import History
from driftmon.core.layout import CategoricalLayout
from driftmon.core.window import Window, in_order
from driftmon.errors import SourceUnavailable
from driftmon.sources.arrow.selection import check_timestamp, needed_timestamp
from driftmon.sources.arrow.timefilter import TimeFilter
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.sql.columns import described
from driftmon.sources.sql.counting import Counting
from driftmon.sources.sql.dialects import dialect_of
from driftmon.sources.sql.engine import connected
from driftmon.sources.sql.plan import plan_of
from driftmon.sources.sql.terms import NotInSql
from driftmon.sources.sql.ways import of_windows
from driftmon.sources.sql.windows import time_condition, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Connection

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.history import Key
    from driftmon.sources.sql.columns import SqlColumn
    from driftmon.sources.sql.connections import Address
    from driftmon.sources.sql.relations import Relation
    from driftmon.sources.sql.tables import Tables

__all__ = ["Asked", "count", "history"]


@dataclass(frozen=True)
class Asked:
    """
    Where the rows are, and by what windows go.

    Parameters
    ----------
    address : Address
    relation : Relation
    place : str
        Both in words.
    timestamp : str or None
    timezone : str
    """

    address: Address
    relation: Relation
    place: str
    timestamp: str | None
    timezone: str


def count(
    asked: Asked,
    columns: Mapping[str, BaselineColumn],
    window: Window | None,
    segments: Mapping[str, Sequence[str]],
) -> Profile:
    """
    What `Source.count` promises.

    Raises
    ------
    NotInSql
        If only the kernel can count it.
    """
    with connected(asked.address, asked.place) as connection:
        live = described(connection, asked.relation)
        conditions = [] if window is None else _within(asked, connection, live, [window])
        counting = _counting(asked, connection, live, columns, segments, conditions, None)
        counting.run(connection)
        profile = _profile(counting.tables, columns, segments, asked.place)
        clues = dict(_clues(connection, counting, profile, columns)) if profile.rows else {}
    return replace(profile, clues=clues)


def history(
    asked: Asked,
    columns: Mapping[str, BaselineColumn],
    windows: Sequence[Window],
    window: Window | None,
    segments: Mapping[str, Sequence[str]],
) -> History:
    """What `Source.history` promises of windows; raises as `count`."""
    needed_timestamp(asked.timestamp, asked.place)
    if not in_order(windows):
        raise NotInSql("no windows")
    with connected(asked.address, asked.place) as connection:
        live = described(connection, asked.relation)
        around = [Window(windows[0].start, windows[-1].end), *([] if window is None else [window])]
        conditions = _within(asked, connection, live, around)
        counting = _counting(asked, connection, live, columns, segments, conditions, windows)
        counting.run(connection)
    return History(dict(_by_window(counting.tables, columns, segments)), tuple(windows))


def _within(
    asked: Asked, connection: Connection, live: Sequence[SqlColumn], windows: Sequence[Window]
) -> list[ColumnElement[bool]]:
    """The rows of all of some windows."""
    if asked.timestamp is None:
        return []
    check_timestamp(asked.timestamp, [column.name for column in live], asked.place)
    column = next(column for column in live if column.name == asked.timestamp)
    if not typed(column.type):
        raise NotInSql(f"timestamps of column {column.name!r} are text")
    filters = (TimeFilter(column.name, window, Zone(asked.timezone)) for window in windows)
    return [each for one in filters for each in time_condition(connection.dialect.name, column, one)]


def _counting(  # noqa: PLR0913, PLR0917 - what a count is made of
    asked: Asked,
    connection: Connection,
    live: Sequence[SqlColumn],
    columns: Mapping[str, BaselineColumn],
    segments: Mapping[str, Sequence[str]],
    conditions: Sequence[ColumnElement[bool]],
    windows: Sequence[Window] | None,
) -> Counting:
    dialect, zone = dialect_of(connection.dialect.name), Zone(asked.timezone)
    plan = plan_of(live, columns, segments, dialect, zone, asked.relation.name)
    way = None
    if windows is not None:
        way = of_windows(next(column for column in live if column.name == asked.timestamp), windows, zone)
    return Counting(asked.relation, conditions, plan, columns, segments, way, dialect, zone)


def _profile(
    tables: Tables, columns: Mapping[str, BaselineColumn], segments: Mapping[str, Sequence[str]], place: str
) -> Profile:
    rows = int(tables.rows[None][0])
    # A segment column of no rows is nobody's problem.
    lost = tables.lost_segments if rows else {}
    problems = {**tables.problems, **{name: why for name, why in lost.items() if name not in tables.problems}}
    counted = {name: column for name, column in columns.items() if name not in problems}
    whole = Profile(rows, _histograms(tables, counted, None, 0), problems)
    if any(histogram.rows != rows for histogram in whole.histograms.values()):
        # Where one statement does not see what the one before saw.
        raise SourceUnavailable(f"{place}: rows came or went while they were counted; try again")
    parts = {
        segment_name(segment, value): Profile(
            int(tables.rows[segment][number]), _histograms(tables, counted, segment, number)
        )
        for segment, values in segments.items()
        if segment not in problems
        for number, value in enumerate(values)
    }
    return replace(whole, segments=parts)


def _histograms(
    tables: Tables, columns: Mapping[str, BaselineColumn], segment: str | None, group: int
) -> dict[str, Histogram]:
    return {
        name: Histogram(
            tuple(tables.bins(name, segment)[group].tolist()),
            None if column.layout.novel_start is None else int(tables.novel(name, segment)[group]),
        )
        for name, column in columns.items()
    }


def _by_window(
    tables: Tables, columns: Mapping[str, BaselineColumn], segments: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Key, NDArray[np.int64]]]:
    for name in (name for name in columns if name not in tables.problems):
        yield (name, None), tables.bins(name, None)
        for segment, values in segments.items():
            if segment not in tables.lost_segments and segment not in tables.problems:
                bins = tables.bins(name, segment)
                counts = bins.reshape(len(values), tables.windows, bins.shape[1])
                yield from (((name, segment_name(segment, value)), counts[n]) for n, value in enumerate(values))


def _clues(
    connection: Connection, counting: Counting, profile: Profile, columns: Mapping[str, BaselineColumn]
) -> Iterator[tuple[str, Clues]]:
    """The new categories of each column, by name; rows have no order here, so that numbers have no sample."""
    new = counting.tables.new
    for name, histogram in profile.histograms.items():
        if isinstance(columns[name].layout, CategoricalLayout):
            if histogram.novel is not None and histogram.novel >= LEAST_NEW and name not in new:
                counting.name_new(connection, name)
            yield name, Clues(profile.rows - histogram.missing, new=new[name].named() if name in new else ())

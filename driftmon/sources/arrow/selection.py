"""Which columns are monitored: what the owner asked for, held against what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.layout import Kind
from driftmon.core.learning import Excluded
from driftmon.core.names import nearest
from driftmon.errors import SourceError, UsageError
from driftmon.sources.arrow.casting import Monitored
from driftmon.sources.arrow.kinds import PARTS, ColumnType, Family

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from driftmon.sources.base import Selection

__all__ = ["check_distinct", "check_names", "check_timestamp", "monitor", "needed_timestamp", "wanted"]

_ALL_PARTS = sorted({part for parts in PARTS.values() for part in parts})

_FITTING: dict[Kind, Collection[Family]] = {
    Kind.NUMERIC: (Family.NUMBER, Family.DURATION, Family.BOOLEAN, Family.TEXT),
    Kind.BOOLEAN: (Family.BOOLEAN, Family.NUMBER, Family.TEXT),
    Kind.CATEGORICAL: tuple(family for family in Family if family.kind is not None),
    Kind.DATETIME: (Family.TIMESTAMP, Family.DATE, Family.TIME),
}
"""What can be cut as each kind, if the owner wants it so."""


def check_names(selection: Selection, names: Sequence[str], place: str) -> None:
    """
    Refuse a selection that names columns which are not there, or one twice.

    Parameters
    ----------
    selection : Selection
    names : sequence of str
        The columns of the data. A part of one (``booked.hour``) counts as there.
    place : str
        Where the data are, for messages.

    Raises
    ------
    SourceError
        With the nearest names.
    """
    known = {*names, *(f"{name}.{part}" for name in names for part in _ALL_PARTS)}
    asked = {"include": selection.include or (), "exclude": selection.exclude, "kinds": tuple(selection.kinds)}
    for word, columns in asked.items():
        twice = _duplicates(columns)
        if twice:
            raise SourceError(f"{word} names {twice[0]!r} more than once; name each column once")
        for column in columns:
            if column not in known:
                raise SourceError(f"column {column!r} of {word} is not in {place}: {nearest(column, names)}")


def check_timestamp(timestamp: str | None, names: Sequence[str], place: str) -> None:
    """Refuse a timestamp column that is not there."""
    if timestamp is not None and timestamp not in names:
        raise SourceError(f"timestamp column {timestamp!r} is not in {place}: {nearest(timestamp, names)}")


def needed_timestamp(timestamp: str | None, place: str) -> str:
    """
    The timestamp column.

    Raises
    ------
    UsageError
        If there is none: rows are then in no window.
    """
    if timestamp is None:
        raise UsageError(
            f"{place}: rows without a timestamp column are in no window; name one, or ask for blocks of rows"
        )
    return timestamp


def check_distinct(names: Iterable[str], place: str = "") -> None:
    """
    Refuse a table in which two columns share a name.

    Parameters
    ----------
    names : iterable of str
        The columns of the data.
    place : str
        Where the data are, for messages; empty for rows in memory.

    Raises
    ------
    SourceError
    """
    twice = _duplicates(names)
    if twice:
        where = f"{place}: " if place else ""
        raise SourceError(f"{where}column name {twice[0]!r} comes more than once; give each column a name of its own")


def _duplicates(names: Iterable[str]) -> list[str]:
    """The names that come more than once, in order."""
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # add gives None
    return list(dict.fromkeys(twice))


def wanted(selection: Selection, name: str, timestamp: str | None) -> bool:
    """True if a column of the data, or one of its parts, may be monitored."""
    parts = [f"{name}.{part}" for part in _ALL_PARTS]
    if selection.include is None:
        return name != timestamp and name not in selection.exclude
    return name not in selection.exclude and any(each in selection.include for each in (name, *parts))


def monitor(name: str, found: ColumnType, selection: Selection, names: Collection[str]) -> list[Monitored] | Excluded:
    """
    What is monitored of a column: itself, its parts, or nothing, for a reason.

    Parameters
    ----------
    name : str
    found : ColumnType
    selection : Selection
    names : collection of str
        All columns of the data.

    Raises
    ------
    SourceError
        If the owner asks for a kind that the type cannot be cut as.
    """
    kind = selection.kinds.get(name, found.family.kind)
    if kind in {Kind.TEXT, Kind.EMBEDDING}:
        return Excluded(name, f"kind {kind} is not monitored column by column; categorical would count whole values")
    if found.family is Family.NOTHING:
        return Excluded(name, "no values in the reference")
    if kind is None:
        return Excluded(name, f"type {found.name} cannot be monitored; derive a number or a category from it")
    if found.family not in _FITTING[kind]:
        iso = " (text would have to be ISO 8601 dates or times)" if kind is Kind.DATETIME else ""
        raise SourceError(f"column {name!r} is {found.name}, which cannot be cut as {kind}{iso}; change its kind")
    if kind is not Kind.DATETIME:
        return [Monitored(name, name, kind, found.name, integer=found.integer)]
    parts = [Monitored(f"{name}.{part}", name, kind, found.name, part) for part in PARTS[found.family]]
    taken = [part.name for part in parts if part.name in names]
    if taken:
        return Excluded(name, f"its part would be named {taken[0]!r}, which is a column of its own; rename one of them")
    return [part for part in parts if _part_wanted(selection, part)]


def _part_wanted(selection: Selection, part: Monitored) -> bool:
    included = selection.include is None or part.raw in selection.include or part.name in selection.include
    return included and part.name not in selection.exclude

"""One reading of rows for many: what several monitors count in the same rows is counted in one pass."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from driftmon.core.histogram import Profile
from driftmon.errors import DataNotReady, DriftmonError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.window import Window
    from driftmon.sources.base import Source

__all__ = ["Wanted", "count_together"]

logger = logging.getLogger(__name__)

Told = TypeVar("Told")


@dataclass(frozen=True)
class Wanted:
    """
    What one monitor counts.

    Parameters
    ----------
    columns : mapping of str to BaselineColumn
    segments : mapping of str to sequence of str
        As of `Source.count`.
    """

    columns: Mapping[str, BaselineColumn]
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)


def count_together(source: Source, wanted: Sequence[Wanted], window: Window | None) -> list[Profile | DriftmonError]:
    """
    Count the same rows for several monitors, and read them once where that can be.

    Columns that several count in the same bins are counted once. Monitors whose segments differ share no pass: the columns of one
    would be counted in the segments of the other. Where the pass fails, each counts for itself, so that only those fail that cannot
    be counted alone.

    Returns
    -------
    list of Profile or DriftmonError
        For each in turn, what `Source.count` gives or raises.
    """
    found: dict[int, Profile | DriftmonError] = {}
    for together in _groups(wanted):
        found.update(zip(together, _counted(source, [wanted[place] for place in together], window), strict=True))
    return [found[place] for place in range(len(wanted))]


def _groups(wanted: Sequence[Wanted]) -> list[list[int]]:
    """Places of those that can share a pass: their segments are the same, of columns of the same types."""
    groups: dict[object, list[int]] = {}
    for place, each in enumerate(wanted):
        segments = tuple(
            (name, tuple(values), _counted_as(each.columns.get(name))) for name, values in each.segments.items()
        )
        groups.setdefault(segments, []).append(place)
    return list(groups.values())


def _counted_as(column: BaselineColumn | None) -> object:
    """What two columns must have in common to be counted as one."""
    return None if column is None else (column.kind, column.dtype, column.layout)


def _counted(source: Source, wanted: Sequence[Wanted], window: Window | None) -> list[Profile | DriftmonError]:
    if len(wanted) > 1:
        try:
            return list(_shared(source, wanted, window))
        except DataNotReady as exc:
            return [exc] * len(wanted)
        except DriftmonError as exc:
            logger.info("one pass for %d monitors failed, each reads for itself: %s", len(wanted), exc)
    return [_alone(source, each, window) for each in wanted]


def _alone(source: Source, wanted: Wanted, window: Window | None) -> Profile | DriftmonError:
    try:
        return source.count(wanted.columns, window, segments=wanted.segments)
    except DriftmonError as exc:
        return exc


def _shared(source: Source, wanted: Sequence[Wanted], window: Window | None) -> list[Profile]:
    union: dict[str, BaselineColumn] = {}
    known: dict[object, str] = {}
    keys = [{name: _key(name, column, union, known) for name, column in each.columns.items()} for each in wanted]
    counted = source.count(union, window, segments=wanted[0].segments)
    return [_own(counted, own) for own in keys]


def _key(name: str, column: BaselineColumn, union: dict[str, BaselineColumn], known: dict[object, str]) -> str:
    """Under which name a column is counted: each once for every way to count it."""
    way = (name, _counted_as(column))
    if way not in known:
        key, number = name, 1
        while key in union:
            number += 1
            key = f"{name}\x1f{number}"  # no monitored column has such a name
        union[key] = column if key == name else replace(column, of=name)
        known[way] = key
    return known[way]


def _own(counted: Profile, keys: Mapping[str, str]) -> Profile:
    """What one monitor sees of a shared pass."""
    return Profile(
        counted.rows,
        _renamed(counted.histograms, keys),
        _renamed(counted.problems, keys),
        {name: Profile(part.rows, _renamed(part.histograms, keys)) for name, part in counted.segments.items()},
        _renamed(counted.clues, keys),
    )


def _renamed(found: Mapping[str, Told], keys: Mapping[str, str]) -> dict[str, Told]:
    return {name: found[key] for name, key in keys.items() if key in found}

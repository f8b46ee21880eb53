"""One reading of rows for many: what several monitors count in the same rows is counted in one pass."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from driftmon.core.histogram import Profile
from driftmon.errors import DataNotReady, DriftmonError, SourceError
from driftmon.sources.readable import ReadableSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.window import Window
    from driftmon.sources.base import Source

__all__ = ["Wanted", "count_together"]

logger = logging.getLogger(__name__)


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
    union = _Union(aliases=isinstance(source, ReadableSource))
    keys = [{name: union.key(name, column) for name, column in each.columns.items()} for each in wanted]
    counted = [source.count(columns, window, segments=wanted[0].segments) for columns in union.passes]
    if len({profile.rows for profile in counted}) > 1:
        raise SourceError("rows came or went between one pass and the next")
    return [_own(counted, own) for own in keys]


class _Union:
    """The columns of several monitors: each once for every way to count it, under a name of its own."""

    def __init__(self, *, aliases: bool) -> None:
        self._aliases = aliases
        self._known: dict[tuple[str, object], tuple[int, str]] = {}
        self.passes: list[dict[str, BaselineColumn]] = [{}]

    def key(self, name: str, column: BaselineColumn) -> tuple[int, str]:
        """In which pass a column is counted, and under which name."""
        way = (name, _counted_as(column))
        if way not in self._known:
            self._known[way] = self._add(name, column)
        return self._known[way]

    def _add(self, name: str, column: BaselineColumn) -> tuple[int, str]:
        if self._aliases:
            key, number = name, 1
            while key in self.passes[0]:
                number += 1
                key = f"{name}\x1f{number}"  # no monitored column has such a name
            self.passes[0][key] = column if key == name else replace(column, of=name)
            return 0, key
        for number, columns in enumerate(self.passes):
            if name not in columns:
                columns[name] = column
                return number, name
        self.passes.append({name: column})
        return len(self.passes) - 1, name


def _own(counted: Sequence[Profile], keys: Mapping[str, tuple[int, str]]) -> Profile:
    """What one monitor sees of the shared passes."""
    whole = counted[0]
    return Profile(
        whole.rows,
        {name: counted[n].histograms[key] for name, (n, key) in keys.items() if key in counted[n].histograms},
        {name: counted[n].problems[key] for name, (n, key) in keys.items() if key in counted[n].problems},
        {
            segment: Profile(
                part.rows,
                {
                    name: counted[n].segments[segment].histograms[key]
                    for name, (n, key) in keys.items()
                    if key in counted[n].segments[segment].histograms
                },
            )
            for segment, part in whole.segments.items()
        },
        {name: counted[n].clues[key] for name, (n, key) in keys.items() if key in counted[n].clues},
    )

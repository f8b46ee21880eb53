"""
Sustained drift, kept up to date as windows are stored.

The state of a window is a function of the stored windows of the schedule up to it: checking windows again, or in another order,
leaves the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select, tuple_

from driftmon.core.sustained import POOLED, sustained
from driftmon.store.lookback import CONSIDERED, Stored, outdated
from driftmon.store.schema import EVALUATED, baseline_histograms, baseline_profiles, checks, column_results
from driftmon.store.states import write
from driftmon.store.types import from_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from driftmon.core.sustained import Sustained

__all__ = ["Written", "bring_up_to_date"]


@dataclass(frozen=True)
class Written:
    """A window that is being written: its place in time, and its rows of results by the row id of their reference."""

    window: Stored
    rows: Mapping[int, Mapping[str, Any]]


def bring_up_to_date(
    connection: Connection, written: Written, *, was_of: int | None, is_of: int | None
) -> dict[int, Sustained]:
    """
    Compute the states of a window that is being written, and write those of the windows after it that look back on it.

    Parameters
    ----------
    written : Written
        The window; its monitor is locked, and what the database has of its results is about to be replaced.
    was_of, is_of : int or None
        The baseline among whose scheduled windows it was until now, and is now; None for none.

    Returns
    -------
    dict of int to Sustained
        The states of the window's own columns, by the row id of their reference.
    """
    own: dict[int, Sustained] = {}
    same = was_of == is_of and _says_the_same(connection, written)
    for baseline in sorted({row_id for row_id in (was_of, is_of) if row_id is not None}):
        before, after = _around(connection, baseline, written.window)
        taken = outdated(before, written.window, [] if same else after, was=baseline == was_of, now=baseline == is_of)
        if taken:
            columns, results = _columns(connection, baseline), _Results(connection, written)
            states = _states(columns, results, taken)
            own |= states.pop(written.window.id, {})
            write(connection, states)
    return own


def _says_the_same(connection: Connection, written: Written) -> bool:
    """True if later windows would find what they found before, as when a window is checked again for nothing."""
    names = ("status", "p_history", "p_iid", "counts")
    query = select(*(column_results.c[name] for name in ("reference_id", *names)))
    before = connection.execute(query.where(column_results.c.check_id == written.window.id))
    return {row[0]: tuple(row[1:]) for row in before} == {
        reference: tuple(row[name] for name in names) for reference, row in written.rows.items()
    }


def _around(connection: Connection, baseline: int, window: Stored) -> tuple[list[Stored], list[Stored]]:
    """The next windows of a baseline's schedule, before and after one, both by end and start."""
    place = tuple_(checks.c.window_end, checks.c.window_start)
    query = select(checks.c.id, checks.c.window_start, checks.c.window_end, checks.c.bins_pruned).where(
        checks.c.baseline_id == baseline, checks.c.scheduled
    )
    back = query.where(place < (window.end, window.start)).order_by(
        checks.c.window_end.desc(), checks.c.window_start.desc()
    )
    on = query.where(place > (window.end, window.start)).order_by(checks.c.window_end, checks.c.window_start)
    before, after = ([Stored(*row) for row in connection.execute(side.limit(CONSIDERED))] for side in (back, on))
    return before[::-1], after


@dataclass(frozen=True)
class _Columns:
    """
    The columns and segments of a baseline, along the last axis of what follows.

    `ids` are the row ids of their references, `places` the place of each; `bins` counts those of each column's layout.
    """

    ids: list[int]
    counts: NDArray[np.float64]
    bins: NDArray[np.int64]

    @cached_property
    def places(self) -> dict[int, int]:
        """Where a reference is, by its row id."""
        return {row_id: place for place, row_id in enumerate(self.ids)}


def _columns(connection: Connection, baseline: int) -> _Columns:
    query = (
        select(baseline_histograms.c.id, baseline_histograms.c.counts)
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(baseline_profiles.c.baseline_id == baseline)
        .order_by(baseline_histograms.c.id)
    )
    rows = connection.execute(query).all()
    counts = [from_json(row.counts) for row in rows]
    bins = np.array([len(own) for own in counts], dtype=np.int64)
    return _Columns([row.id for row in rows], _matrix(enumerate(counts), (len(rows), max(bins, default=0))), bins)


def _matrix(rows: Iterable[tuple[int, Sequence[int]]], shape: tuple[int, int]) -> NDArray[np.float64]:
    matrix = np.zeros(shape)
    for place, counts in rows:
        matrix[place, : len(counts)] = counts
    return matrix


@dataclass(frozen=True)
class _Results:
    """The rows of results: of one window those that are about to be written, of others those in the database."""

    connection: Connection
    written: Written

    def evaluated(self, windows: Collection[int], *names: str) -> Iterator[tuple[Any, ...]]:
        """Window, reference and some columns of each row that has a verdict."""
        others = set(windows) - {self.written.window.id}
        if others:  # of none, SQLite would look at every row there is
            query = select(*(column_results.c[name] for name in ("check_id", "reference_id", *names))).where(
                column_results.c.check_id.in_(others), column_results.c.status.in_(EVALUATED)
            )
            yield from self.connection.execute(query).all()
        if self.written.window.id in windows:
            for reference, row in self.written.rows.items():
                if row["status"] in EVALUATED:
                    yield (self.written.window.id, reference, *(row[name] for name in names))


def _states(
    columns: _Columns, results: _Results, looked_back_on: Mapping[int, Sequence[int]]
) -> dict[int, dict[int, Sustained]]:
    """The states of some windows by row id, each by the row id of a reference."""
    p = _p_values(columns, results, {row_id for taken in looked_back_on.values() for row_id in taken})
    pasts = [
        _Past(
            window, taken[::-1], np.flatnonzero(~np.isnan(p[window])), np.stack([p[row_id] for row_id in taken[::-1]])
        )
        for window, taken in looked_back_on.items()
    ]
    counts = _counts(columns, results, {row_id for past in pasts for row_id in past.pooled})
    told = _told(columns, results, looked_back_on)
    return {past.window: past.states(columns, counts, told[past.window]) for past in pasts}


@dataclass(frozen=True)
class _Past:
    """
    What a window looks back on.

    `windows` are row ids, the oldest first, `may_alert` the places of the columns that have a verdict in the window; `p` has a
    row a window and NaN where there was no verdict.
    """

    window: int
    windows: Sequence[int]
    may_alert: NDArray[np.intp]
    p: NDArray[np.float64]

    @cached_property
    def pooled(self) -> dict[int, NDArray[np.bool_]]:
        """By window, whose counts are pooled: the newest of each column that have a verdict."""
        seen = ~np.isnan(self.p[:, self.may_alert])
        newest = seen & (np.cumsum(seen[::-1], axis=0)[::-1] <= POOLED)
        return {window: columns for window, columns in zip(self.windows, newest, strict=True) if columns.any()}

    def states(self, columns: _Columns, counts: Mapping[int, NDArray[np.float64]], told: _Told) -> dict[int, Sustained]:
        """The state of each column that has a verdict, by the row id of its reference."""
        if not len(self.may_alert):
            return {}
        pooled = np.zeros((len(self.may_alert), columns.counts.shape[1]))
        for window, some in self.pooled.items():
            pooled[some] += counts[window][self.may_alert[some]]
        states = sustained(
            self.p[:, self.may_alert],
            told.history_windows[self.may_alert],
            columns.counts[self.may_alert],
            pooled,
            columns.bins[self.may_alert],
            told.warning[self.may_alert],
        )
        return {columns.ids[place]: state for place, state in zip(self.may_alert.tolist(), states, strict=True)}


def _p_values(columns: _Columns, results: _Results, windows: Collection[int]) -> dict[int, NDArray[np.float64]]:
    """How unusual each column was in each window; NaN without a verdict."""
    found = {window: np.full(len(columns.ids), np.nan) for window in windows}
    for window, reference, p_history, p_iid in results.evaluated(windows, "p_history", "p_iid"):
        found[window][columns.places[reference]] = p_iid if p_history is None else p_history
    return found


def _counts(columns: _Columns, results: _Results, windows: Collection[int]) -> dict[int, NDArray[np.float64]]:
    """Live rows of each bin of each column with a verdict; none where the bins were pruned."""
    found: dict[int, list[tuple[int, list[int]]]] = {window: [] for window in windows}
    rows = [row for row in results.evaluated(windows, "counts") if row[2] is not None]
    # One text of all lists: thousands of short ones take longer to begin with than to read.
    decoded: list[list[int]] = from_json(f"[{','.join(row[2] for row in rows)}]")
    for (window, reference, _), counts in zip(rows, decoded, strict=True):
        found[window].append((columns.places[reference], counts))
    return {window: _matrix(rows, columns.counts.shape) for window, rows in found.items()}


@dataclass(frozen=True)
class _Told:
    """What a window itself says of each column: the reference windows that its p-value stands on, and the threshold in force."""

    history_windows: NDArray[np.int64]
    warning: NDArray[np.float64]


def _told(columns: _Columns, results: _Results, windows: Collection[int]) -> dict[int, _Told]:
    size = len(columns.ids)
    found = {window: _Told(np.zeros(size, dtype=np.int64), np.zeros(size)) for window in windows}
    names = ("p_history", "history_windows", "warning_threshold")
    for window, reference, p_history, history_windows, warning in results.evaluated(windows, *names):
        place, told = columns.places[reference], found[window]
        told.history_windows[place] = 0 if p_history is None else history_windows
        told.warning[place] = warning
    return found

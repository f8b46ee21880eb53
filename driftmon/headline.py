"""A check in one line: the answer, before any table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.result import ranked
from driftmon.core.verdict import Status
from driftmon.words import clipped, listed, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from driftmon.core.result import CheckResult, Judged

__all__ = ["headline", "headline_of"]

NAMED_BESIDE = 3
"""Columns that are named of what stands beside the verdicts: the headline must stay a line."""


def headline(result: CheckResult) -> str:
    """
    The answer in one line: how many columns drifted, and which; else why not. Then sustained drift and quality problems.

    Counts columns of all rows. A segment is named where it is worse than its column, which speaks for the others.
    """
    if result.live_rows == 0 and result.window is None:
        return "no data: there are no live rows"
    return headline_of(result.columns, live_rows=result.live_rows)


def headline_of(columns: Iterable[Judged], *, live_rows: int) -> str:
    """The same for a window of which only the verdicts are at hand."""
    order = ranked(columns)
    drifting = _told(order, lambda column: column.status.urgency if column.status.breach else 0)
    # Of a column that is named as drifting, everybody takes for granted that it has drifted for a while.
    named_already = {(column.column, column.segment) for column in drifting}
    lasting = [c for c in _told(order, lambda c: int(c.lasting)) if (c.column, c.segment) not in named_already]
    troubled = _told(order, lambda column: int(bool(column.problems)))
    beside = f"; sustained drift: {listed(map(named, lasting), NAMED_BESIDE)}" if lasting else ""
    if troubled:
        beside += f"; quality: {listed(map(named, troubled), NAMED_BESIDE)}"
    if live_rows == 0:
        return "no data: the window has no rows" + beside
    return (_drifted(order, drifting) if drifting else _quiet(order)) + beside


def _told(order: Sequence[Judged], badness: Callable[[Judged], int]) -> list[Judged]:
    """The columns that something is wrong with, and those segments that are worse than their whole column: it speaks for the others."""
    whole = {column.column: badness(column) for column in order if column.segment is None}
    return [
        column for column in order if badness(column) > (0 if column.segment is None else whole.get(column.column, 0))
    ]


def _drifted(order: Sequence[Judged], drifting: Sequence[Judged]) -> str:
    whole = [column for column in order if column.segment is None]
    count = sum(1 for column in whole if column.status.breach)
    how_many = (
        f"{count} of {_columns(len(whole))} drifted" if count else "no column drifted as a whole, but in a segment"
    )
    return f"{how_many}: {listed(map(_name, drifting))}{_unchecked(whole)}"


def _quiet(order: Sequence[Judged]) -> str:
    whole = [column for column in order if column.segment is None]
    if not whole:
        return "nothing to check: the baseline has no columns"
    if all(column.status is Status.INSUFFICIENT_DATA for column in whole):
        return f"too few rows for a verdict: {whole[0].reason}"
    if not any(column.status.evaluated for column in whole):
        return f"no verdict on {_columns(len(whole))}: {listed(map(_name, whole))}"
    real = [column for column in whole if column.status is Status.INFO]
    small = f" ({len(real)} moved a little: {listed(clipped(c.column) for c in real)})" if real else ""
    alone = " in this window alone" if any(column.lasting for column in order) else ""
    return f"no drift in {_columns(sum(c.status.evaluated for c in whole))}{alone}{small}{_unchecked(whole)}"


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _name(column: Judged) -> str:
    return f"{named(column)} ({column.status})"


def _unchecked(whole: Sequence[Judged]) -> str:
    without = [column for column in whole if not column.status.evaluated]
    if not without:
        return ""
    return f"; {len(without)} not checked: {listed(map(_name, without))}"

"""A check in words: the line that is the answer, and what moved in a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.window import Window

__all__ = ["clipped", "headline", "moved", "number", "percent", "printable", "span_text"]

NAMED = 5
"""Columns that the headline names before it says "and more"."""

LONGEST_NAME = 60
"""Characters of a column's name that people are shown; names can be of any length."""


def headline(result: CheckResult) -> str:
    """
    The answer in one line: how many columns drifted, and which; else why not.

    Counts columns of all rows; a drifting segment is named with its column.
    """
    ranked = result.ranked()
    whole = [column for column in ranked if column.segment is None]
    drifting = [column for column in ranked if column.status.breach]
    if result.live_rows == 0:
        return f"no data: {'there are no live rows' if result.window is None else 'the window has no rows'}"
    if drifting:
        drifted = sum(1 for column in drifting if column.segment is None)
        return f"{drifted} of {_columns(len(whole))} drifted: {_listed(map(_name, drifting))}{_unchecked(whole)}"
    if not whole:
        return "nothing to check: the baseline has no columns"
    if all(column.status is Status.INSUFFICIENT_DATA for column in whole):
        return f"too few rows for a verdict: {whole[0].reason}"
    if not any(column.status.evaluated for column in whole):
        return f"no verdict on {_columns(len(whole))}: {_listed(map(_name, whole))}"
    real = [column for column in whole if column.status is Status.INFO]
    small = f" ({len(real)} moved a little: {_listed(clipped(c.column) for c in real)})" if real else ""
    return f"no drift in {_columns(sum(c.status.evaluated for c in whole))}{small}{_unchecked(whole)}"


def clipped(name: str) -> str:
    """
    A name as people are shown it: one of any length would bury everything else.

    Examples
    --------
    >>> clipped("dep_delay"), len(clipped("x" * 1_000_000))
    ('dep_delay', 60)
    """
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def printable(text: str) -> str:
    r"""
    A text on one line of a terminal: what it would obey (a line break, an escape in a column's name) is a dot.

    Examples
    --------
    >>> printable("a\x1b[31mb\n")
    'a·[31mb·'
    """
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _name(column: ColumnResult) -> str:
    where = "" if column.segment is None else f" where {clipped(column.segment)}"
    return f"{clipped(column.column)}{where} ({column.status})"


def _unchecked(whole: list[ColumnResult]) -> str:
    without = [column for column in whole if not column.status.evaluated]
    if not without:
        return ""
    return f"; {len(without)} not checked: {_listed(map(_name, without))}"


def moved(column: ColumnResult, *, most: int = 2) -> str:
    """
    The bins that make most of a column's divergence, with their shares before and now: ``(41, 120] 10 % → 18 %``.

    Empty if there is no number. A column without a verdict says why instead.
    """
    if column.scores is None or column.live is None:
        return column.reason or ""
    parts = column.scores.contributions
    told: list[str] = []
    for j in sorted(range(len(parts)), key=lambda j: -parts[j])[:most]:
        if parts[j] <= 0 or (told and parts[j] < column.scores.kl / 10):
            break
        before = column.reference.counts[j] / column.reference.rows
        now = column.live.counts[j] / column.live.rows
        told.append(f"{column.bins[j].label} {percent(before)} → {percent(now)}")
    return ", ".join(told)


def span_text(window: Window, zone: ZoneInfo) -> str:
    """
    A window on the wall clock of a time zone: a day as its date, anything else with both ends.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from zoneinfo import ZoneInfo
    >>> from driftmon.core.window import Window
    >>> day = Window(datetime(2013, 5, 8, 4, tzinfo=UTC), datetime(2013, 5, 9, 4, tzinfo=UTC))
    >>> span_text(day, ZoneInfo("America/New_York")), span_text(day, ZoneInfo("UTC"))
    ('2013-05-08', '2013-05-08 04:00 to 2013-05-09 04:00 UTC')
    """
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    midnights = not any((start.hour, start.minute, start.second, end.hour, end.minute, end.second))
    if midnights and (end.date() - start.date()).days == 1:
        return str(start.date())
    if midnights:
        return f"{start.date()} to {end.date()}"
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} to {until} {end:%Z}"


def percent(share: float) -> str:
    """
    A share as people read it.

    Examples
    --------
    >>> percent(0.0), percent(0.0004), percent(0.0312), percent(0.25)
    ('0 %', '0.04 %', '3.1 %', '25 %')
    """
    value = 100 * share
    if value == 0:
        return "0 %"
    if value < 0.001:
        return "<0.001 %"
    return f"{value:.2g} %" if value < 9.95 else f"{value:.0f} %"


def number(value: float | None) -> str:
    """
    A divergence as people read it: three decimals below 10, and never a bare 0 for something small.

    Examples
    --------
    >>> number(None), number(0.04312), number(0.00002), number(12.3456)
    ('', '0.043', '<0.001', '12.3')
    """
    if value is None:
        return ""
    if 0 < value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"

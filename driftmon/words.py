"""Parts of a check in words: what moved in a column, what its quality checks found, names, windows and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from driftmon.core.names import clipped, listed, nearest
from driftmon.core.quality import QualityCheck
from driftmon.core.sustained import LEAST_WINDOWS, POOLED

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from driftmon.core.quality import Quality
    from driftmon.core.result import ColumnResult
    from driftmon.core.window import Window

__all__ = [
    "BITS",
    "LEAST_BOUND",
    "NATS",
    "PRUNED",
    "Named",
    "Unit",
    "bounds_text",
    "clipped",
    "listed",
    "moved",
    "named",
    "nearest",
    "number",
    "percent",
    "printable",
    "quality_text",
    "span_text",
    "sustained_text",
    "window_word",
]

LEAST_BOUND = 0.001
"""The smallest lower bound that people are told, in the unit that they read."""

CENTURIES = 1701, 2248
"""The years from and up to which a bound is one that somebody wrote: those of an open end are farther out."""

PRUNED = "the bins of this window were pruned"
"""What stands where bins would be told, once `driftmon prune` has let them go."""

NAMED_NEW = 5
"""New categories that a line names; the JSON has more."""

NAMED_MOVED = 2
"""New categories named beside the shares of their bin, in a cell of a table."""


@dataclass(frozen=True)
class Unit:
    """
    What divergences are printed in. They are computed and stored in nats.

    Examples
    --------
    >>> BITS.text(1.0), NATS.text(None)
    ('1.443', '')
    """

    name: str
    per_nat: float

    def text(self, nats: float | None) -> str:
        """A divergence or entropy in this unit, as people read it."""
        return number(None if nats is None else nats * self.per_nat)

    def at_least(self, nats: float) -> str:
        """A lower bound: below a thousandth nothing is sure, which ``<0.001`` would not say."""
        return self.text(nats) if self.is_sure(nats) else f"{0:.3f}"

    def is_sure(self, nats: float) -> bool:
        """True if a lower bound is large enough to be printed."""
        return nats * self.per_nat >= LEAST_BOUND

    def short(self, nats: float) -> str:
        """A threshold in this unit, with as few digits as it was written with."""
        return f"{nats * self.per_nat:.3g}"


NATS = Unit("nats", 1.0)
BITS = Unit("bits", 1.4426950408889634)


def printable(text: str) -> str:
    r"""
    A text on one line of a terminal: what it would obey (a line break, an escape in a column's name) is a dot.

    Examples
    --------
    >>> printable("a\x1b[31mb\n")
    'a·[31mb·'
    """
    return "".join(letter if letter.isprintable() else "·" for letter in text)


class Named(Protocol):
    """A column, and which of its segments."""

    @property
    def column(self) -> str:
        """Its name."""
        ...

    @property
    def segment(self) -> str | None:
        """None for all rows."""
        ...


def named(column: Named) -> str:
    """A column as sentences name it, with its segment: ``delay where origin=JFK``."""
    return clipped(column.column) + ("" if column.segment is None else f" where {clipped(column.segment)}")


def moved(column: ColumnResult, *, most: int = 2, between: str = ", ") -> str:
    """
    The bins that make most of a column's divergence, with their shares before and now: ``(41, 120] 10 % → 18 %``.

    Empty if there is no number. A column without a verdict says why instead, and one whose bins were pruned says that.
    """
    if column.remains is not None:
        return PRUNED if column.status.evaluated else column.reason or ""
    if column.scores is None or column.live is None:
        return column.reason or ""
    parts = column.scores.contributions
    told: list[str] = []
    for j in sorted(range(len(parts)), key=lambda j: -parts[j])[:most]:
        if parts[j] <= 0 or (told and parts[j] < column.scores.kl / 10):
            break
        before = column.reference.counts[j] / column.reference.rows
        now = column.live.counts[j] / column.live.rows
        told.append(f"{_bin_name(column, j, grown=now > before)} {percent(before)} → {percent(now)}")
    return between.join(told)


def _bin_name(column: ColumnResult, place: int, *, grown: bool) -> str:
    """The label of a bin; the rest of the categories with the new ones that it holds, if it grew."""
    item = column.bins[place]
    rest = not item.numeric and item.category is None and place == len(column.bins) - 2
    if not (rest and grown and column.new):
        return item.label
    return f"{item.label} (new: {listed((clipped(name) for name, _ in column.new), NAMED_MOVED)})"


def quality_text(column: ColumnResult, quality: Quality, *, most: int = NAMED_NEW) -> str:
    """What one quality check found, with the share to compare it with: ``missing 2 % → 9 %``; names so many new categories."""
    before, now = percent(quality.reference), percent(quality.live)
    match quality.check:
        case QualityCheck.MISSING:
            return f"missing {before} → {now}"
        case QualityCheck.OUT_OF_RANGE:
            return f"{now} beyond all reference values ({before} expected)"
        case QualityCheck.NOVEL:
            names = listed((clipped(category) for category, _ in column.new), most)
            return f"{now} in new categories{f': {names}' if names else ''} ({before} expected)"
        case QualityCheck.TOP_VALUE:
            told = f"{now} of the values are {clipped(quality.value or '')}"
            other = f"; before, the most frequent value had {before}"
            return told + (other if quality.whichever else f" ({before} before)")


def sustained_text(column: ColumnResult, unit: Unit = NATS) -> str:
    """How a column did over its last windows, in a line; empty where that is not known."""
    state = column.sustained
    if state is None:
        return ""
    last, pooled = "this window is", "it"
    if state.windows > 1:
        last = f"the last {state.windows} windows, the newest weighing most, are"
        pooled = f"the last {min(state.windows, POOLED)} pooled"
    warning = unit.short(column.threshold.warning)
    bound = f"{pooled} moved by at least {unit.text(state.lower_bound)} {unit.name}"
    if state.drifting:
        return f"{last} beyond what is usual; {bound}, above the warning threshold {warning}"
    if state.unusual and state.windows < LEAST_WINDOWS:
        return f"no sustained drift yet: {last} beyond what is usual; it takes {LEAST_WINDOWS} windows"
    if state.unusual:
        if not unit.is_sure(state.lower_bound):
            return f"{last} beyond what is usual, but that {pooled} moved by more than {LEAST_BOUND} {unit.name} is not sure"
        return f"{last} beyond what is usual, but {bound}, not above the warning threshold {warning}"
    together = "as usual" if state.windows == 1 else "taken together not beyond what is usual"
    return f"no sustained drift: {last} {together}"


def window_word(window: Window | None) -> str:
    """
    What people call a window of that length: an hour, a day, a week; else a window.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from driftmon.core.window import Window
    >>> window_word(Window(datetime(2013, 3, 10, 5, tzinfo=UTC), datetime(2013, 3, 11, 4, tzinfo=UTC)))
    'day'
    """
    if window is None:
        return "window"
    length = window.end - window.start
    for word, usual in (("hour", timedelta(hours=1)), ("day", timedelta(days=1)), ("week", timedelta(weeks=1))):
        # Clocks that change make a day of 23 or 25 hours.
        if length == usual or (usual > timedelta(hours=1) and abs(length - usual) <= timedelta(hours=1)):
            return word
    return "window"


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


def bounds_text(span: Window, zone: ZoneInfo) -> str:
    """
    The span that somebody asked for, of which either end may be open.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from zoneinfo import ZoneInfo
    >>> from driftmon.core.window import Window
    >>> far, cut = datetime(1700, 1, 1, tzinfo=UTC), datetime(2026, 10, 11, tzinfo=UTC)
    >>> bounds_text(Window(far, cut), ZoneInfo("UTC"))
    'until 2026-10-11'
    """
    first, last = CENTURIES
    since = None if span.start.year < first else _instant_text(span.start, zone)
    until = None if span.end.year > last else _instant_text(span.end, zone)
    if since is None and until is None:
        return "all rows"
    if since is None:
        return f"until {until}"
    return f"since {since}" if until is None else span_text(span, zone)


def _instant_text(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    midnight = not any((local.hour, local.minute, local.second, local.microsecond))
    return str(local.date()) if midnight else f"{local:%Y-%m-%d %H:%M %Z}"


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

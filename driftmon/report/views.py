"""What a page shows of one monitor in one window: put together from stored results, ready for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from driftmon.core.result import ranked
from driftmon.core.verdict import worst
from driftmon.errors import UsageError
from driftmon.explanation import explain, find_column
from driftmon.findings import find, is_blind, summary, worth_telling
from driftmon.report.charts import bar, cells, plot, spark
from driftmon.sentences import EXPLAINED_BY_HINT, tell
from driftmon.store.timeline import ColumnPoint
from driftmon.words import NATS, moved, quality_text, span_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.verdict import Status
    from driftmon.core.window import Window
    from driftmon.explanation import BinShare, Explanation
    from driftmon.findings import Finding
    from driftmon.report.charts import Bar, Cell, Spark, TimePlot
    from driftmon.sentences import Section
    from driftmon.store.records import MonitorFacts
    from driftmon.store.timeline import Timeline
    from driftmon.streaks import Streak

__all__ = ["PAST", "SHOWN", "ColumnView", "Detail", "MonitorView", "Reader", "Row", "column_view", "monitor_view"]

SHOWN = 60
"""Windows that pictures show: two months of days."""

PAST = 400
"""Windows looked back at for "since when": a year of days."""

DETAILS = 12
"""Columns that a report tells in full; the others are in its table."""

CALM = 3
"""Columns told in full where nothing is wrong: the nearest to it."""

ColumnKey = tuple[str, str | None]


class Reader(Protocol):
    """The results database, as far as pages go."""

    def load_checks(
        self,
        monitor: str,
        *,
        window: Window | None = None,
        end: datetime | None = None,
        limit: int | None = None,
        column: str | Collection[str] | None = None,
    ) -> list[CheckResult]:
        """Past results, the newest window first."""
        ...

    def timeline(self, monitor: str, *, end: datetime | None = None, limit: int) -> Timeline:
        """The last windows in a few numbers a column."""
        ...

    def breached_since(
        self, monitor: str, keys: Collection[ColumnKey], *, end: datetime | None = None
    ) -> dict[ColumnKey, dict[Status, Streak]]:
        """Since when columns breach, by severity."""
        ...


@dataclass(frozen=True)
class Row:
    """A column in the table of all: its result, its sparkline, what moved, and what else was found."""

    column: ColumnResult
    spark: Spark | None
    moved: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class BinRow:
    """A bin beside its past, with the lengths of its bars."""

    share: BinShare
    bar: Bar

    @property
    def change(self) -> str:
        """What happened to the bin beyond chance: more, fewer, or nothing."""
        if not self.share.beyond_chance:
            return ""
        return "more" if self.share.residual > 0 else "fewer"


@dataclass(frozen=True)
class Detail:
    """One column in full."""

    column: ColumnResult
    sections: tuple[Section, ...]
    bins: tuple[BinRow, ...]
    plot: TimePlot | None


@dataclass(frozen=True)
class SegmentView:
    """A segment: its rows, its worst status, its columns that need a word, and how many do not."""

    name: str
    live_rows: int | None
    status: Status
    told: tuple[ColumnResult, ...]
    quiet: int


@dataclass(frozen=True)
class MonitorView:
    """
    A monitor in one window.

    Parameters
    ----------
    facts : MonitorFacts
    zone : ZoneInfo
    check : CheckResult
    headline : str
        The answer in a line.
    strip : tuple of Cell
        The windows up to this one.
    findings : tuple of Finding
        What somebody should know of, the worst first.
    rows : tuple of Row
        Every column of all rows, the worst first.
    details : tuple of Detail
        The worst columns in full, if they were asked for.
    calm : bool
        True if nothing is wrong with any of `details`.
    segments : tuple of SegmentView
    """

    facts: MonitorFacts
    zone: ZoneInfo
    check: CheckResult
    headline: str
    strip: tuple[Cell, ...]
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    details: tuple[Detail, ...]
    calm: bool
    segments: tuple[SegmentView, ...]

    @property
    def when(self) -> str:
        """The window as people say it."""
        return _when(self.check, self.zone)


@dataclass(frozen=True)
class ColumnView:
    """One column of a monitor in one window, its past and its segments."""

    facts: MonitorFacts
    zone: ZoneInfo
    check: CheckResult
    detail: Detail
    past: tuple[tuple[CheckResult, ColumnResult | None], ...]
    siblings: tuple[ColumnResult, ...]

    @property
    def when(self) -> str:
        """The window as people say it."""
        return _when(self.check, self.zone)


def monitor_view(store: Reader, facts: MonitorFacts, window: Window | None = None, *, details: bool) -> MonitorView:
    """
    A monitor in a window, or in its newest.

    Parameters
    ----------
    store : Reader
    facts : MonitorFacts
    window : Window, optional
    details : bool
        Also tell the worst columns in full.

    Raises
    ------
    UsageError
        If there is no result of it.
    """
    zone = ZoneInfo(facts.timezone)
    check = _stored(store, facts.name, window)
    end = None if check.window is None else check.window.end
    timeline = store.timeline(facts.name, end=end, limit=SHOWN)
    order = ranked(check.columns)
    telling = [column for column in order if worth_telling(column)]
    chosen = [column for column in telling if column.status.evaluated][:DETAILS] or order[:CALM]
    return MonitorView(
        facts=facts,
        zone=zone,
        check=check,
        headline=_headline(check, zone),
        strip=cells(timeline.windows),
        findings=_findings(store, check, telling, zone),
        rows=tuple(_row(column, timeline) for column in order if column.segment is None),
        details=_details(store, check, chosen, zone) if details else (),
        calm=not telling,
        segments=_segments(check),
    )


def column_view(store: Reader, facts: MonitorFacts, key: ColumnKey, window: Window | None = None) -> ColumnView:
    """
    A column of a monitor in a window, or in its newest.

    Raises
    ------
    UsageError
        If there is no result, or no such column in it.
    """
    zone = ZoneInfo(facts.timezone)
    check = _stored(store, facts.name, window)
    column = find_column(check, *key)
    past = _past(store, check, [column])
    return ColumnView(
        facts=facts,
        zone=zone,
        check=check,
        detail=_detail(check, column, past, zone),
        past=tuple((other, _same(other, column)) for other in past[:SHOWN]),
        siblings=tuple(other for other in check.columns if other.column == column.column),
    )


def _stored(store: Reader, monitor: str, window: Window | None) -> CheckResult:
    stored = store.load_checks(monitor, window=window, limit=1)
    if not stored:
        of = f"for window {window}" if window else "yet"
        raise UsageError(f"no result of {monitor} {of}; make one with: driftmon check {monitor}")
    return stored[0]


def _when(check: CheckResult, zone: ZoneInfo) -> str:
    return "" if check.window is None else span_text(check.window, zone)


def _headline(check: CheckResult, zone: ZoneInfo) -> str:
    if check.window is None:
        raise UsageError(f"a result of {check.monitor} without a window has no page")
    return summary(check.columns, live_rows=check.live_rows, window=check.window, zone=zone)


def _findings(
    store: Reader, check: CheckResult, telling: Sequence[ColumnResult], zone: ZoneInfo
) -> tuple[Finding, ...]:
    if check.window is None or check.monitor is None:
        return ()
    breaching = [(column.column, column.segment) for column in telling if column.status.breach]
    since: Mapping[ColumnKey, Mapping[Status, Streak]] = {}
    if breaching:
        since = store.breached_since(check.monitor, breaching, end=check.window.end)
    return find(telling, since, check.window, zone, blind=is_blind(check.columns))


def _row(column: ColumnResult, timeline: Timeline) -> Row:
    notes = ["sustained drift"] if column.lasting else []
    if column.hint:
        notes.append(column.hint)
    told = [item for item in column.problems if not (column.hint and item.check in EXPLAINED_BY_HINT)]
    notes += [f"quality: {quality_text(column, item, most=2)}" for item in told]
    points = timeline.of(column.column)
    drawn = spark(points) if any(point is not None for point in points) else None
    return Row(column, drawn, moved(column), tuple(notes))


def _segments(check: CheckResult) -> tuple[SegmentView, ...]:
    """The worst first, then the largest."""
    names = list(dict.fromkeys(column.segment for column in check.columns if column.segment is not None))
    views = []
    for name in names:
        columns = [column for column in check.columns if column.segment == name]
        told = tuple(column for column in ranked(columns) if column.status.breach or column.lasting)
        rows = max((column.live_rows for column in columns if column.live_rows is not None), default=None)
        status = worst(column.status for column in columns)
        views.append(SegmentView(name, rows, status, told, len(columns) - len(told)))
    return tuple(sorted(views, key=lambda view: (-view.status.urgency, -len(view.told), -(view.live_rows or 0))))


def _past(store: Reader, check: CheckResult, columns: Iterable[ColumnResult]) -> list[CheckResult]:
    """The windows up to that of the check, the newest first, with these columns only."""
    if check.window is None or check.monitor is None:
        return []
    names = {column.column for column in columns}
    return store.load_checks(check.monitor, end=check.window.end, limit=PAST, column=names)


def _details(store: Reader, check: CheckResult, columns: Sequence[ColumnResult], zone: ZoneInfo) -> tuple[Detail, ...]:
    if not columns:
        return ()
    past = _past(store, check, columns)
    return tuple(_detail(check, column, past, zone) for column in columns)


def _detail(check: CheckResult, column: ColumnResult, past: Sequence[CheckResult], zone: ZoneInfo) -> Detail:
    explanation = explain(check, column, past)
    return Detail(column, tell(explanation, zone=zone), _bins(explanation), _plot(check, column, past, zone))


def _bins(explanation: Explanation) -> tuple[BinRow, ...]:
    longest = max((max(item.reference, item.live) for item in explanation.bins), default=0.0)
    return tuple(BinRow(item, bar(item.reference, item.live, longest)) for item in explanation.bins)


def _plot(check: CheckResult, column: ColumnResult, past: Sequence[CheckResult], zone: ZoneInfo) -> TimePlot | None:
    shown = list(reversed(past[:SHOWN]))
    points = [_point(_same(other, column)) for other in shown]
    if not any(point is not None and point.kl is not None for point in points):
        return None
    ticks = [(column.threshold.critical, f"critical {NATS.short(column.threshold.critical)}")]
    ticks.append((column.threshold.warning, f"warning {NATS.short(column.threshold.warning)}"))
    highest = max(point.kl for point in points if point is not None and point.kl is not None)
    ticks += [(highest, NATS.text(highest)), (0.0, "0")]
    chosen = next((place for place, other in enumerate(shown) if other.window == check.window), None)
    return plot(points, ticks, first=_when(shown[0], zone), last=_when(shown[-1], zone), chosen=chosen)


def _same(check: CheckResult, column: ColumnResult) -> ColumnResult | None:
    key = (column.column, column.segment)
    return next((other for other in check.columns if (other.column, other.segment) == key), None)


def _point(column: ColumnResult | None) -> ColumnPoint | None:
    if column is None:
        return None
    scores = column.scores
    return ColumnPoint(
        status=column.status,
        kl=column.kl,
        bound=None if scores is None else scores.bound,
        noise_floor=None if scores is None else scores.noise_floor,
        usual_limit=None if scores is None else scores.usual_limit,
        live_rows=column.live_rows,
        threshold=column.threshold,
        sustained=column.lasting,
        problems=len(column.problems),
    )

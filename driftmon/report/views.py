"""What a page shows of one monitor in one window: put together from stored results, ready for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from driftmon.core.result import ranked
from driftmon.core.verdict import Status, worst
from driftmon.errors import UsageError
from driftmon.explanation import find_column
from driftmon.findings import find, is_blind, summary, worth_telling
from driftmon.report.charts import cells, spark
from driftmon.report.details import SHOWN, Detail, detail_of, same, window_text
from driftmon.report.leading import is_widespread, leading, spoken_for
from driftmon.sentences import EXPLAINED_BY_HINT
from driftmon.words import moved, quality_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.window import Window
    from driftmon.findings import Finding
    from driftmon.report.charts import Cell, Spark
    from driftmon.store.records import MonitorFacts
    from driftmon.store.timeline import Timeline
    from driftmon.streaks import Streak

__all__ = ["PAST", "ColumnView", "MonitorView", "Reader", "Row", "column_view", "monitor_view"]

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
    told : tuple of (Finding, tuple of str)
        Of these, those that come first: columns, each with the segments that it speaks for, and segments that are worse.
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
    told: tuple[tuple[Finding, tuple[str, ...]], ...]
    rows: tuple[Row, ...]
    details: tuple[Detail, ...]
    calm: bool
    segments: tuple[SegmentView, ...]

    @property
    def when(self) -> str:
        """The window as people say it."""
        return window_text(self.check, self.zone)

    @property
    def widespread(self) -> bool:
        """True if so many columns drift at once that the feed is to be looked at first."""
        return is_widespread(self.check.columns)


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
        return window_text(self.check, self.zone)


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
    chosen = leading([column for column in telling if column.status.evaluated])[:DETAILS] or order[:CALM]
    findings = _findings(store, check, telling, zone)
    return MonitorView(
        facts=facts,
        zone=zone,
        check=check,
        headline=_headline(check, zone),
        strip=cells(timeline.windows),
        findings=findings,
        told=tuple(
            (finding, tuple(other.segment or "" for other in spoken_for(finding, findings)))
            for finding in leading(findings)
        ),
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
        detail=detail_of(check, column, past, zone),
        past=tuple((other, same(other, column)) for other in past[:SHOWN]),
        siblings=tuple(other for other in check.columns if other.column == column.column),
    )


def _stored(store: Reader, monitor: str, window: Window | None) -> CheckResult:
    stored = store.load_checks(monitor, window=window, limit=1)
    if not stored:
        of = f"for window {window}" if window else "yet"
        raise UsageError(f"no result of {monitor} {of}; make one with: driftmon check {monitor}")
    return stored[0]


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
    return tuple(detail_of(check, column, past, zone) for column in columns)

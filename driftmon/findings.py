"""
What somebody should know of a column in the newest window, in one text that every reader shows.

The same text is a label on `/metrics`, the body of an alert, a direct notification, and a line of the report and the status page,
so that nobody has to compare two of them. What alerts is decided here too, by the rules that
`dashboards/prometheus/driftmon.rules.yml` has for Prometheus.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftmon.core.quality import QualityCheck
from driftmon.core.result import ranked
from driftmon.core.sustained import POOLED
from driftmon.core.verdict import Status
from driftmon.headline import headline_of
from driftmon.streaks import breached_since
from driftmon.words import NATS, moved, named, quality_text, span_text, window_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from driftmon.core.quality import Quality
    from driftmon.core.result import CheckResult, ColumnResult, Judged
    from driftmon.core.window import Window
    from driftmon.streaks import Streak

__all__ = [
    "LONGEST_TEXT",
    "Alert",
    "Finding",
    "Severity",
    "alerts_of",
    "find",
    "findings_of",
    "fitted",
    "is_blind",
    "is_widespread",
    "summary",
    "worth_telling",
]

Severity = Status
"""Of an alert: `Status.WARNING` or `Status.CRITICAL`."""

LONGEST_TEXT = 480
"""Bytes. A label's value may have 512, and a longer one would end in a hash that nobody can read."""

PATIENCE = {Status.CRITICAL: 1, Status.WARNING: 2}
"""Windows in a row that are at least so severe, before somebody is told."""

WIDESPREAD, LEAST_WIDESPREAD = 0.3, 3
"""Share of the judged columns, and number of them, from which on drift is widespread."""


@dataclass(frozen=True, order=True)
class Alert:
    """What Prometheus fires: the name of the rule, and its severity."""

    name: str
    severity: Severity


@dataclass(frozen=True)
class Finding:
    """
    One column, or one segment of it, that somebody should know of.

    Parameters
    ----------
    column, role : str
    segment : str or None
        None for all rows.
    status : Status
    alerts : tuple of Alert
        What it alerts by itself; empty for a first warning, which the next window has to confirm.
    text : str
        What is wrong, how far past what, since when, what moved; without the column's name, at most `LONGEST_TEXT` bytes.
    """

    column: str
    role: str
    segment: str | None
    status: Status
    alerts: tuple[Alert, ...]
    text: str

    @property
    def name(self) -> str:
        """The column as sentences name it: ``delay where origin=JFK``."""
        return named(self)


def find(
    columns: Iterable[ColumnResult],
    since: Mapping[tuple[str, str | None], Mapping[Status, Streak]],
    window: Window,
    zone: ZoneInfo,
    *,
    blind: bool,
) -> tuple[Finding, ...]:
    """
    The findings among some columns of a window, the worst first.

    Parameters
    ----------
    columns : iterable of ColumnResult
    since : mapping
        For each drifting column and segment: for each severity that it reaches, the windows in a row (`streaks.breached_since`).
    window : Window
        The newest.
    zone : ZoneInfo
        The monitor's, for dates.
    blind : bool
        True if no column of the window has a verdict (`is_blind`).
    """
    return tuple(
        Finding(
            column.column,
            column.role,
            column.segment,
            column.status,
            alerts_of(column, _windows(streaks), blind=blind),
            fitted(_text(column, streaks, window, zone)),
        )
        for column in ranked(columns)
        if worth_telling(column)
        for streaks in (since.get((column.column, column.segment), {}),)
    )


def findings_of(check: CheckResult, past: Iterable[CheckResult], zone: ZoneInfo) -> tuple[Finding, ...]:
    """
    The findings of a whole check, the worst first; none without a window.

    Parameters
    ----------
    check : CheckResult
    past : iterable of CheckResult
        Results of the same monitor, in any order: they say since when. This one and later windows are passed over.
    zone : ZoneInfo
        The monitor's, for dates.
    """
    if check.window is None:
        return ()
    known = list(past)
    since = {
        (column.column, column.segment): breached_since(check, column, known)
        for column in check.columns
        if column.status.breach
    }
    return find(check.columns, since, check.window, zone, blind=is_blind(check.columns))


def is_blind(columns: Iterable[Judged]) -> bool:
    """True if no column of all rows has a verdict."""
    return not any(column.status.evaluated for column in columns if column.segment is None)


def is_widespread(columns: Iterable[Judged]) -> bool:
    """True if so many columns of all rows drift at once that it is rarely the world: more than three in ten, and at least three."""
    judged = [column for column in columns if column.segment is None and column.status.evaluated]
    drifted = sum(1 for column in judged if column.status.breach)
    return drifted >= LEAST_WIDESPREAD and drifted > WIDESPREAD * len(judged)


def worth_telling(column: Judged) -> bool:
    """True for drift, sustained drift, a quality problem, and a column without a verdict."""
    # A segment without rows is what segments are like.
    unknown = not column.status.evaluated and column.segment is None
    return column.status.breach or column.lasting or bool(column.problems) or unknown


def _windows(streaks: Mapping[Status, Streak]) -> dict[Status, int]:
    return {severity: streak.windows for severity, streak in streaks.items()}


def alerts_of(column: Judged, windows: Mapping[Status, int], *, blind: bool) -> tuple[Alert, ...]:
    """
    What a column alerts by itself.

    Parameters
    ----------
    column : Judged
    windows : mapping of Status to int
        For each severity that it reaches, windows in a row.
    blind : bool
        True if no column of the window has a verdict: then too few rows are a reason to look, otherwise a column's own way.
    """
    alerts = [
        Alert("DriftmonColumnDrift", severity)
        for severity, least in PATIENCE.items()
        if column.status.breach and windows.get(severity, 0) >= least
    ]
    if column.lasting:
        alerts.append(Alert("DriftmonSustainedDrift", Status.WARNING))
    if column.problems:
        alerts.append(Alert("DriftmonQualityProblem", Status.WARNING))
    unknown = not column.status.evaluated and column.segment is None
    if unknown and (blind or column.status is not Status.INSUFFICIENT_DATA):
        alerts.append(Alert("DriftmonColumnsNotEvaluated", Status.WARNING))
    return tuple(alerts)


def summary(columns: Iterable[Judged], *, live_rows: int, window: Window, zone: ZoneInfo) -> str:
    """The line that tells of a monitor: how many columns drifted, which, and in how many rows of which window."""
    about = f" ({live_rows:,} rows of {span_text(window, zone)})"
    return fitted(headline_of(columns, live_rows=live_rows), LONGEST_TEXT - len(about)) + about


def fitted(text: str, most: int = LONGEST_TEXT) -> str:
    """
    A text in at most so many bytes, on one line.

    Examples
    --------
    >>> fitted("drift of dep_delay", 12)
    'drift of …'
    """
    line = " ".join(text.split())
    raw = line.encode(errors="replace")
    return line if len(raw) <= most else raw[: most - 3].decode(errors="ignore") + "…"


def _text(column: ColumnResult, streaks: Mapping[Status, Streak], window: Window, zone: ZoneInfo) -> str:
    if not column.status.evaluated:
        return f"no verdict ({column.status}): {column.reason}"
    drift = [_size(column), _since(streaks.get(column.status), window, zone), moved(column)]
    if not column.status.breach:
        # What the newest window alone shows may be the opposite of what has lasted.
        lasting = _lasting(column, window)
        drift = [lasting, f"in this {window_word(window)} alone: {moved(column)}"] if lasting else [moved(column)]
    told = _joined([*drift, column.hint or ""])
    # What moved, or the hint, often says it already.
    problems = [quality_text(column, quality, most=2) for quality in column.problems if not _hinted(column, quality)]
    return _joined([told, *(problem for problem in problems if problem not in told)])


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)


def _hinted(column: ColumnResult, quality: Quality) -> bool:
    """True if the hint tells of the most frequent value that a quality check is about."""
    return bool(
        quality.check is QualityCheck.TOP_VALUE and column.hint and quality.value and quality.value in column.hint
    )


def _lasting(column: ColumnResult, window: Window) -> str:
    if column.sustained is None or not column.lasting:
        return ""
    pooled = f"{min(column.sustained.windows, POOLED)} {window_word(window)}s"
    bound, limit = NATS.text(column.sustained.lower_bound), NATS.short(column.threshold.warning)
    return f"sustained drift: the last {pooled} together moved by at least {bound} nats, above the warning threshold {limit}"


def _size(column: ColumnResult) -> str:
    """How large the shift is, and how far past the threshold that it is beyond."""
    scores, severity = column.scores, column.status
    if scores is None:
        return ""
    limit = column.threshold.critical if severity is Status.CRITICAL else column.threshold.warning
    size = f"KL {NATS.text(scores.kl)} nats"
    if scores.lower_bound_reverse > scores.lower_bound:
        size += f", reverse KL {NATS.text(scores.kl_reverse)} nats"
    if limit == 0:
        return f"{size}: at least {NATS.text(scores.bound)}, above the {severity} threshold 0"
    # Rounded down: it says "at least".
    times = math.floor(10 * scores.bound / limit) / 10
    return f"{size}: at least {times:.1f} × the {severity} threshold {NATS.short(limit)}"


def _since(streak: Streak | None, window: Window, zone: ZoneInfo) -> str:
    if streak is None:
        return ""
    first = span_text(streak.first, zone).split(" to ")[0]
    word = window_word(window)
    # Rolling windows a day apart are not so many weeks.
    if streak.windows > 1 and window.end - streak.first.start < (streak.windows - 0.4) * (window.end - window.start):
        word = "overlapping window"
    earlier = "" if streak.after_other else " or earlier"
    return f"since {first}{earlier} ({f'first {word}' if streak.windows == 1 else f'{streak.windows} {word}s'})"

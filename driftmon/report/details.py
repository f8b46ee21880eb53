"""One column in full: what changed in words, its bins, its windows, and which segments it is about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftmon.core.result import ranked
from driftmon.core.verdict import Status
from driftmon.explanation import explain
from driftmon.report.charts import bar, plot
from driftmon.sentences import tell
from driftmon.store.timeline import ColumnPoint
from driftmon.words import NATS, listed, span_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.explanation import BinShare, Explanation
    from driftmon.report.charts import Bar, TimePlot
    from driftmon.sentences import Section

__all__ = ["SHOWN", "BinRow", "Detail", "Where", "detail_of", "same", "window_text"]

SHOWN = 60
"""Windows that pictures show: two months of days."""

NAMED_SEGMENTS = 3
"""Segments that a line about a column names."""


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
class Where:
    """The segments in which a column drifts most, each with how much, and how the others are."""

    segments: tuple[tuple[str, str], ...]
    others: str


@dataclass(frozen=True)
class Detail:
    """One column in full."""

    column: ColumnResult
    sections: tuple[Section, ...]
    bins: tuple[BinRow, ...]
    plot: TimePlot | None
    where: Where | None
    """Which segments it is about; None where they do not differ."""

    @property
    def alerts(self) -> tuple[str, ...]:
        """What it may fire, the worst first: the names of the runbooks about it."""
        column = self.column
        named = {
            "DriftmonColumnDrift": column.status.breach,
            "DriftmonColumnsNotEvaluated": not column.status.evaluated,
            "DriftmonSustainedDrift": column.lasting,
            "DriftmonQualityProblem": bool(column.problems),
        }
        return tuple(name for name, is_so in named.items() if is_so)


def window_text(check: CheckResult, zone: ZoneInfo) -> str:
    """The window of a check as people say it."""
    return "" if check.window is None else span_text(check.window, zone)


def detail_of(check: CheckResult, column: ColumnResult, past: Sequence[CheckResult], zone: ZoneInfo) -> Detail:
    """
    Put together one column of a check.

    Parameters
    ----------
    check : CheckResult
    column : ColumnResult
        One of its columns.
    past : sequence of CheckResult
        With this column at least, the newest first.
    zone : ZoneInfo
        In which windows are named.
    """
    explanation = explain(check, column, past)
    drawn = _plot(check, column, past, zone)
    return Detail(column, tell(explanation, zone=zone), _bins(explanation), drawn, _where(check, column))


def _where(check: CheckResult, column: ColumnResult) -> Where | None:
    """In which segments a column drifts most, where these are not all."""
    parts = ranked(other for other in check.columns if other.column == column.column and other.segment is not None)
    if column.segment is not None or not parts or not parts[0].status.breach:
        return None
    most = [other for other in parts if other.status is parts[0].status]
    others = [other for other in reversed(parts) if other.status is not parts[0].status]
    judged = list(dict.fromkeys(str(other.status) for other in others if other.status.evaluated))
    if not judged:
        return None
    unknown = "" if all(other.status.evaluated for other in others) else ", or without a verdict"
    rest = f"{'the other is' if len(others) == 1 else 'the others are'} {listed(judged)}{unknown}"
    told = tuple((other.segment or "", _beyond(other)) for other in most[:NAMED_SEGMENTS])
    more = f"and {len(most) - NAMED_SEGMENTS} more; " if len(most) > NAMED_SEGMENTS else ""
    return Where(told, f"{more}{rest}")


def _beyond(column: ColumnResult) -> str:
    """How severe a drift is, and how far past its threshold, rounded down."""
    limit = column.threshold.critical if column.status is Status.CRITICAL else column.threshold.warning
    if column.scores is None or limit == 0:
        return str(column.status)
    return f"{column.status}, at least {math.floor(10 * column.scores.bound / limit) / 10:.1f} × the threshold"


def _bins(explanation: Explanation) -> tuple[BinRow, ...]:
    longest = max((max(item.reference, item.live) for item in explanation.bins), default=0.0)
    return tuple(BinRow(item, bar(item.reference, item.live, longest)) for item in explanation.bins)


def _plot(check: CheckResult, column: ColumnResult, past: Sequence[CheckResult], zone: ZoneInfo) -> TimePlot | None:
    shown = list(reversed(past[:SHOWN]))
    points = [_point(same(other, column)) for other in shown]
    if not any(point is not None and point.kl is not None for point in points):
        return None
    ticks = [(column.threshold.critical, f"critical {NATS.short(column.threshold.critical)}")]
    ticks.append((column.threshold.warning, f"warning {NATS.short(column.threshold.warning)}"))
    highest = max(point.kl for point in points if point is not None and point.kl is not None)
    ticks += [(highest, NATS.text(highest)), (0.0, "0")]
    chosen = next((place for place, other in enumerate(shown) if other.window == check.window), None)
    return plot(points, ticks, first=window_text(shown[0], zone), last=window_text(shown[-1], zone), chosen=chosen)


def same(check: CheckResult, column: ColumnResult) -> ColumnResult | None:
    """A column in another check; None if it is not in it."""
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

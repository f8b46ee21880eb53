"""What ``driftmon validate`` says of a monitor: is its data there, of what kinds, and what shift could a window show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from driftmon.core.evidence import detectable_kl
from driftmon.core.history import BLOCKS, LEAST_WINDOWS
from driftmon.core.window import isoformat
from driftmon.errors import DataNotReady, DriftmonError
from driftmon.metrics import series_of
from driftmon.pipeline import live_rows, live_source
from driftmon.reference import check_names, reference_source, reference_windows
from driftmon.sources.base import no_progress
from driftmon.words import span_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from driftmon.config import Monitor
    from driftmon.core.window import Window
    from driftmon.sources.base import Inspection, Progress, Source

__all__ = ["Report", "report_on"]

TYPICAL_BINS = 16
"""Bins of a continuous column (docs/statistics.md, "Bins"): what the smallest detectable shift is said for."""

NOTHING_YET = "no rows yet"


@dataclass(frozen=True)
class Report:
    """
    What was found.

    `rows` are those of `window`, None if it has no data yet (`remark` says so). `detectable` is the smallest KL in nats that a
    window of `typical_rows` tells from chance 9 times in 10, None without rows; what usual windows hide, only a baseline knows.
    `typical_rows` are `rows`, or those of the newest window that has some.
    `reference_windows` are those that tell what is usual, None if the reference has no timestamp; `shorter` is the length of those
    that stand in for longer ones. `rolling` says of what a window is the sum.
    """

    monitor: str
    reference: str
    reference_rows: int
    kinds: dict[str, int]
    window: Window
    rows: int | None
    remark: str | None
    naive: tuple[str, ...]
    timezone: str
    typical_rows: int | None
    detectable: float | None
    reference_windows: int | None
    series: int
    rolling: str | None = None
    shorter: str | None = None

    def lines(self) -> list[str]:
        """The report for people; its first line is the answer."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        lines = [
            f"{self.monitor}: ready",
            f"  reference  {self.reference_rows:,} rows in {self.reference}",
            f"  columns    {kinds}",
            f"  window     {isoformat(self.window.start)} to {isoformat(self.window.end)}: {self._rows()}",
        ]
        lines += [f"  rolling    {self.rolling}"] if self.rolling else []
        lines += [f"  time       {note}" for note in self.naive]
        if self.detectable is not None:
            lines.append(
                f"  shows      shifts of {self.detectable:.3f} nats or more are told from chance in a window of {self.typical_rows:,} rows, if a "
                f"column has {TYPICAL_BINS} bins; what usual windows hide comes on top: driftmon plan {self.monitor} tells, once there "
                "is a baseline"
            )
        return [*lines, f"  usual      {self._usual()}", f"  metrics    about {self.series} series"]

    @property
    def calibrated(self) -> bool:
        """True if the reference has windows enough to tell what is usual."""
        return self.reference_windows is not None and self.reference_windows >= LEAST_WINDOWS and not self.shorter

    def _usual(self) -> str:
        windows = self.reference_windows
        if windows is None:
            return (
                f"the reference has no timestamp: {BLOCKS} consecutive blocks of its rows stand for windows; name "
                "reference.timestamp, if it has one, to calibrate verdicts on real windows"
            )
        count = f"{windows} whole {'window' if windows == 1 else 'windows'} of the reference"
        if self.shorter is not None:
            return f"{count}, {self.shorter}"
        if not self.calibrated:
            return (
                f"{count}: verdicts know chance only, since {LEAST_WINDOWS} are needed to tell what is usual; widen the "
                "reference, or choose a schedule of shorter windows"
            )
        return f"{count} tell how much the columns move by themselves"

    def _rows(self) -> str:
        return self.remark or f"{self.rows:,} rows"

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content."""
        return {
            "monitor": self.monitor,
            "reference": {"place": self.reference, "rows": self.reference_rows},
            "kinds": self.kinds,
            "window": {"start": isoformat(self.window.start), "end": isoformat(self.window.end), "rows": self.rows},
            "remarks": [
                *([self.remark] if self.remark else []),
                *self.naive,
                *([] if self.calibrated else [self._usual()]),
            ],
            "rolling": self.rolling,
            "reference_windows": self.reference_windows,
            "detectable_kl": self.detectable,
            "series": self.series,
        }


def report_on(monitor: Monitor, *, now: datetime, progress: Progress = no_progress) -> Report:
    """
    Reach a monitor's data and say what is there, without learning or storing anything.

    Raises
    ------
    SourceError
        If the reference or live data cannot be read, or lack a column that the monitor names.
    """
    reference = reference_source(monitor, progress)
    seen = reference.inspect()
    monitored = _monitored(monitor, seen)
    reference_rows = reference.count({}, monitor.reference_span).rows
    window = monitor.newest_window(now)
    rows, remark, naive_live = None, None, False
    live = live_source(monitor, progress)
    try:
        rows = live_rows(monitor, window, progress) or None
        naive_live = live.inspect().naive_timestamp
        remark = None if rows else NOTHING_YET
    except DataNotReady as exc:
        remark = f"no data yet: {exc}"
    typical_rows, newest = rows, None if remark != NOTHING_YET else _newest_with_rows(monitor, live)
    if newest is not None:
        typical_rows = live_rows(monitor, newest, progress) or None
        remark = f"{NOTHING_YET}; the newest are of {span_text(newest, monitor.zone)}: {typical_rows or 0:,} rows"
    both = {"reference": seen.naive_timestamp, "live": naive_live}
    naive = tuple(
        f"{side} timestamps carry no time zone: read as {monitor.timezone}"
        for side, is_naive in both.items()
        if is_naive
    )
    split = reference_windows(monitor, reference)
    detectable = None
    if typical_rows and reference_rows:
        detectable = detectable_kl(TYPICAL_BINS, rows=typical_rows, reference_rows=reference_rows)
    return Report(
        monitor=monitor.name,
        reference=monitor.reference.where,
        reference_rows=reference_rows,
        kinds=dict(Counter(monitored.values()).most_common()),
        window=window,
        rows=rows,
        remark=remark,
        naive=naive,
        timezone=monitor.timezone,
        typical_rows=typical_rows,
        detectable=detectable,
        reference_windows=None if isinstance(split, int) else len(split),
        series=series_of(len(monitored)),
        rolling=_rolling(monitor),
        shorter=None if isinstance(split, int) else _shorter(monitor, split),
    )


def _newest_with_rows(monitor: Monitor, live: Source) -> Window | None:
    """The window of the newest live row; None if that cannot be told."""
    try:
        span = live.span()
    except DriftmonError:
        return None  # a remark is missing then, nothing else
    return None if span is None else monitor.windows.containing(span.end - timedelta(microseconds=1))


def _rolling(monitor: Monitor) -> str | None:
    """Of what a window is the sum."""
    if monitor.rolling is None:
        return None
    steps = monitor.rolling.steps
    return f"each check is of the last {steps} steps of schedule {monitor.schedule}, {monitor.window} together, and reads the newest"


def _shorter(monitor: Monitor, windows: Sequence[Window]) -> str | None:
    """That the reference is too short for windows as long as the rolling ones; None if it is not, or too short for any."""
    if monitor.rolling is None or len(windows) < LEAST_WINDOWS:
        return None
    least = LEAST_WINDOWS * monitor.rolling.steps
    steps = sum(1 for _ in monitor.steps.between(windows[0].start, windows[0].end))
    if steps == monitor.rolling.steps:
        return None
    return (
        f"of {steps} {'step' if steps == 1 else 'steps'} of the schedule each, stand in for windows of {monitor.window}: verdicts are "
        f"not calibrated, and too cautious; widen the reference to {least} steps or more"
    )


def _monitored(monitor: Monitor, seen: Inspection) -> dict[str, str]:
    """The kind of each column that will be monitored, identifiers (which only counting tells) included."""
    check_names(monitor, [info.name for info in seen.columns])
    columns = monitor.columns
    left_out = {*columns.exclude, monitor.reference.timestamp, monitor.live.timestamp}
    wanted = columns.included
    kinds = {info.name: columns.kinds.get(info.name) or info.kind for info in seen.columns}
    parts = {name: kinds.get(name) or kinds.get(name.rpartition(".")[0]) for name in wanted or ()}
    chosen = kinds if wanted is None else parts
    return {
        name: str(kind)
        for name, kind in chosen.items()
        if kind is not None and (wanted is not None or name not in left_out)
    }

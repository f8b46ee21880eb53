"""The values that cross the border of the results database, besides the core's own `Baseline` and `CheckResult`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from driftmon.core.quality import Quality, QualityCheck
    from driftmon.core.verdict import Status, Threshold
    from driftmon.core.window import Window
    from driftmon.findings import Finding

__all__ = ["BaselineRecord", "ColumnSample", "MonitorFacts", "MonitorSnapshot", "RunRecord", "SnapshotKey"]


@dataclass(frozen=True)
class MonitorFacts:
    """
    What readers need to know of a monitor; written by every check from its file.

    Parameters
    ----------
    max_window_age : float
        Seconds after which the newest window's end is too old: the longest gap of the schedule, the data delay and a grace.
    last_end : datetime or None
        End of the last window that there will be; None if there is always a next one.
    """

    name: str
    model: str
    owner: str
    description: str
    schedule: str
    timezone: str
    max_window_age: float
    last_end: datetime | None = None


@dataclass(frozen=True)
class BaselineRecord:
    """One line of ``baseline list``."""

    id: str
    created_at: datetime
    rows: int
    columns: int
    span: Window | None
    promoted_at: datetime | None
    active: bool


@dataclass(frozen=True)
class RunRecord:
    """
    One attempt to check a window, whatever came of it.

    `error` is None for a success, else the message that people saw.
    """

    monitor: str
    window: Window
    started_at: datetime
    finished_at: datetime
    error: str | None = None


@dataclass(frozen=True)
class SnapshotKey:
    """
    What changes whenever a monitor's samples may have changed: equal keys, equal samples.

    Any write that concerns the monitor (a check, of whatever window; a failed run; new facts) changes it.
    """

    monitor: str
    revision: str


@dataclass(frozen=True)
class ColumnSample:
    """
    One column of the newest window as the exporter shows it.

    Ratios in [0, 1], divergences in nats; None where there is no number. `breached_windows` counts, by severity, the newest
    consecutive evaluated windows whose status was at least that severe; 0 if the newest was not. `sustained` is None without a
    state, `quality` has the checks that were made.
    """

    column: str
    role: str
    segment: str | None
    status: Status
    kl: float | None
    lower_bound: float | None
    noise_floor: float | None
    threshold: Threshold
    missing_ratio: float | None
    reference_missing_ratio: float | None
    novel_ratio: float | None
    breached_windows: Mapping[str, int]
    usual_limit: float | None = None
    expected_novel_ratio: float | None = None
    sustained: bool | None = None
    quality: tuple[Quality, ...] = ()
    excess: float | None = None
    reason: str | None = None

    @property
    def lasting(self) -> bool:
        """True if drift is sustained."""
        return bool(self.sustained)

    @property
    def problems(self) -> list[Quality]:
        """The quality checks that found something."""
        return [quality for quality in self.quality if quality.problem]

    def quality_of(self, check: QualityCheck) -> Quality | None:
        """What came of one quality check; None if it was not made."""
        return next((quality for quality in self.quality if quality.check is check), None)


@dataclass(frozen=True)
class MonitorSnapshot:
    """
    All that the exporter shows of one monitor.

    `window`, `baseline` and `headline` are None and `columns` empty before the first stored check; `last_run_successful` is None
    before the first run. `headline` is the newest window in a line, `findings` what somebody should know of, the worst first.
    """

    facts: MonitorFacts
    window: Window | None
    baseline: str | None
    reference_rows: int | None
    live_rows: int | None
    columns: tuple[ColumnSample, ...]
    last_success_at: datetime | None
    last_run_successful: bool | None
    consecutive_failed_runs: int
    headline: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def complete(self) -> bool:
        """True if the newest window is the last that there will be: then it is old, and nothing is wrong with that."""
        return self.window is not None and self.facts.last_end is not None and self.window.end >= self.facts.last_end

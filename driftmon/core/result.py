"""What a check gives: the verdict on every column of one window, with the numbers and counts that it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftmon.core.verdict import Status, Threshold, worst

if TYPE_CHECKING:
    from driftmon.core.histogram import Histogram
    from driftmon.core.layout import Bin, Kind
    from driftmon.core.learning import Excluded
    from driftmon.core.window import Window

__all__ = ["CheckResult", "ColumnResult", "Scores"]


@dataclass(frozen=True)
class Scores:
    """
    The numbers of one column in one window; nats unless said. See `driftmon.core.evidence.Evidence` for their meaning.

    `p_history` and `calibrated` belong to the day-to-day calibration of statistics A5: None and False until a baseline carries
    its history. `p_value` is the larger of `p_iid` and `p_history`. `q_value` is None for a column that can not alert.
    """

    kl: float
    kl_reverse: float
    psi: float
    js: float
    noise_floor: float
    excess: float
    lower_bound: float
    upper_bound: float
    lower_bound_reverse: float
    p_value: float
    p_iid: float
    p_history: float | None
    q_value: float | None
    calibrated: bool
    contributions: tuple[float, ...]


@dataclass(frozen=True)
class ColumnResult:
    """
    The verdict on one column (of one segment) in one window.

    Parameters
    ----------
    column, role, kind, segment
        Which column; `segment` is None for all rows, else a name such as ``origin=JFK``.
    status : Status
    reason : str or None
        Why there is no verdict, or None.
    threshold : Threshold
        The one in force.
    bins : tuple of Bin
        Those of the column's layout.
    reference, live : Histogram
        Counts in the order of `bins`; `live` is None if the column could not be counted.
    scores : Scores or None
        None if there is nothing to compare.
    expected_novel : float or None
        What `novel` would be if nothing had changed, in [0, 1]: Good-Turing's N1/m for categories, 2/(m+1) for numbers, of m
        reference rows. None if it cannot be told.
    """

    column: str
    role: str
    kind: Kind
    segment: str | None
    status: Status
    reason: str | None
    threshold: Threshold
    bins: tuple[Bin, ...]
    reference: Histogram
    live: Histogram | None
    scores: Scores | None
    expected_novel: float | None = None

    @property
    def kl(self) -> float | None:
        """KL(live ‖ reference) in nats; None if there is nothing to compare."""
        return None if self.scores is None else self.scores.kl

    @property
    def novel(self) -> float | None:
        """Share of live rows in no bin or category of the baseline, in [0, 1]; None if it cannot be told."""
        if self.live is None or self.live.rows == 0:
            return None
        if self.bins[0].numeric:  # the outer bins hold what lies beyond all reference rows
            return (self.live.counts[0] + self.live.counts[-2]) / self.live.rows
        return None if self.live.novel is None else self.live.novel / self.live.rows


@dataclass(frozen=True)
class CheckResult:
    """
    One comparison of one window, all columns.

    Parameters
    ----------
    monitor, model : str or None
        None for an ad-hoc comparison.
    window : Window or None
        None for an ad-hoc comparison.
    baseline : str
        Identity of the baseline compared with.
    reference_rows, live_rows : int
    columns : tuple of ColumnResult
        All rows first, then the segments, each in the order of the data.
    excluded : tuple of Excluded
        Columns left out, each with its reason.
    """

    monitor: str | None
    model: str | None
    window: Window | None
    baseline: str
    reference_rows: int
    live_rows: int
    columns: tuple[ColumnResult, ...]
    excluded: tuple[Excluded, ...] = ()

    @property
    def status(self) -> Status:
        """The worst over all rows; a segment adds to it only by drifting, since small segments are often empty."""
        whole = [result.status for result in self.columns if result.segment is None]
        drifting = [result.status for result in self.columns if result.segment is not None and result.status.breach]
        return worst([*whole, *drifting])

    def ranked(self) -> list[ColumnResult]:
        """The columns, most urgent first, then by how much they exceed noise."""
        return sorted(
            self.columns, key=lambda r: (-r.status.urgency, -(r.scores.excess if r.scores else 0.0), r.column)
        )

    def __getitem__(self, column: str) -> ColumnResult:
        for result in self.columns:
            if result.column == column and result.segment is None:
                return result
        raise KeyError(column)

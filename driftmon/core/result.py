"""What a check gives: the verdict on every column of one window, with the numbers and counts that it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from driftmon.core.verdict import Status, Threshold, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftmon.core.histogram import Histogram
    from driftmon.core.layout import Bin, Kind
    from driftmon.core.learning import Excluded
    from driftmon.core.quality import Quality
    from driftmon.core.sustained import Sustained
    from driftmon.core.window import Window

__all__ = ["CheckResult", "ColumnResult", "Judged", "Part", "Remains", "Scores", "ranked"]


class Part(Protocol):
    """A column, or a segment of one, with a verdict."""

    @property
    def column(self) -> str:
        """Its name."""
        ...

    @property
    def segment(self) -> str | None:
        """None for all rows."""
        ...

    @property
    def status(self) -> Status:
        """The verdict."""
        ...


class Judged(Part, Protocol):
    """What a line about a column needs to know of it: its verdict, and what stands beside that."""

    @property
    def reason(self) -> str | None:
        """Why there is no verdict, or None."""
        ...

    @property
    def excess(self) -> float | None:
        """KL above its noise floor, in nats; None if there is nothing to compare."""
        ...

    @property
    def lasting(self) -> bool:
        """True if drift is sustained."""
        ...

    @property
    def problems(self) -> Sequence[Quality]:
        """The quality checks that found something."""
        ...


J = TypeVar("J", bound=Judged)


def ranked(columns: Iterable[J]) -> list[J]:
    """
    The most urgent first; of those that did not drift, what alerts all the same: sustained drift, quality; of these, whole columns
    before their segments; then by how much they exceed noise.
    """

    def urgency(column: Judged) -> tuple[int, bool, bool, float, str]:
        quiet = not (column.status.breach or column.lasting or column.problems)
        return -column.status.urgency, quiet, column.segment is not None, -(column.excess or 0.0), column.column

    return sorted(columns, key=urgency)


@dataclass(frozen=True)
class Scores:
    """
    The numbers of one column in one window; nats unless said. See `driftmon.core.evidence.Evidence` for their meaning.

    Parameters
    ----------
    hellinger : float or None
        Hellinger distance of the smoothed shares, in [0, 1]; None once the bins were pruned.
    total_variation : float or None
        Share of the rows that moved to another bin, in [0, 1]; None once the bins were pruned.
    higher : float or None
        Probability that a live value is larger than a reference value, ties half, in [0, 1]; None unless numeric, and once the
        bins were pruned.
    p_value : float
        The larger of `p_iid` and `p_history`.
    p_iid : float
        Probability of so large a difference between two samples of one distribution.
    p_history : float or None
        Probability that a usual window is so far from the reference (docs/statistics.md, "Is it more than usual?"); None without
        a history.
    q_value : float or None
        `p_value` adjusted for all columns of the check; None for a column that can not alert.
    day_effect : float or None
        How far a usual window is from the others beyond the noise of sampling.
    usual_limit : float or None
        The KL that one usual window in a hundred exceeds.
    history_windows : int
        Reference windows, or blocks, that `p_history` stands on; 0 without.
    calibrated : bool
        True if they are windows of the same kind as the live one.
    contributions : tuple of float
        Each bin's non-negative part of `kl`; empty once the bins were pruned.
    """

    kl: float
    kl_reverse: float
    psi: float
    js: float
    hellinger: float | None
    total_variation: float | None
    higher: float | None
    noise_floor: float
    excess: float
    lower_bound: float
    upper_bound: float
    lower_bound_reverse: float
    p_value: float
    p_iid: float
    p_history: float | None
    q_value: float | None
    day_effect: float | None
    usual_limit: float | None
    history_windows: int
    calibrated: bool
    contributions: tuple[float, ...]

    @property
    def bound(self) -> float:
        """The larger lower bound of both directions: what thresholds are held against."""
        return max(self.lower_bound, self.lower_bound_reverse)


@dataclass(frozen=True)
class Remains:
    """
    What is known of a column's live rows once its bins were pruned.

    Parameters
    ----------
    rows : int
    missing, novel : float or None
        Shares in [0, 1]; None where they cannot be told.
    """

    rows: int
    missing: float | None
    novel: float | None


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
        Counts in the order of `bins`; `live` is None if the column could not be counted, or if its bins were pruned.
    scores : Scores or None
        None if there is nothing to compare.
    expected_novel : float or None
        What `novel` would be if nothing had changed, in [0, 1]: Good-Turing's N1/m for categories, 2/(m+1) for numbers, of m
        reference rows. None if it cannot be told.
    calibration : str
        What the verdict knows of the usual variation from window to window, in words.
    quality : tuple of Quality
        The quality checks beside KL; of all rows only, not of segments.
    hint : str or None
        A likely cause, in words: a unit, a sentinel value, a constant, a clock.
    new : tuple of (str, int)
        Categories that no reference row had, with their rows, the most frequent first.
    sustained : Sustained or None
        How the column did over the last windows; None outside the windows of a schedule.
    remains : Remains or None
        What pruning left of `live`; None if it was not pruned.
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
    calibration: str = ""
    quality: tuple[Quality, ...] = ()
    hint: str | None = None
    new: tuple[tuple[str, int], ...] = ()
    sustained: Sustained | None = None
    remains: Remains | None = None

    @property
    def live_rows(self) -> int | None:
        """Live rows; None if the column could not be counted."""
        if self.remains is not None:
            return self.remains.rows
        return None if self.live is None else self.live.rows

    @property
    def missing(self) -> float | None:
        """Share of live rows without a value, in [0, 1]; None if there are none."""
        if self.remains is not None:
            return self.remains.missing
        return self.live.missing / self.live.rows if self.live is not None and self.live.rows else None

    @property
    def problems(self) -> list[Quality]:
        """The quality checks that found something."""
        return [quality for quality in self.quality if quality.problem]

    @property
    def usual(self) -> bool:
        """True if the shift is surely beyond the warning threshold, and no more than what the column does by itself."""
        large = self.scores is not None and self.scores.bound > self.threshold.warning
        return large and self.status is Status.OK

    @property
    def kl(self) -> float | None:
        """KL(live ‖ reference) in nats; None if there is nothing to compare."""
        return None if self.scores is None else self.scores.kl

    @property
    def excess(self) -> float | None:
        """KL above its noise floor, in nats; None if there is nothing to compare."""
        return None if self.scores is None else self.scores.excess

    @property
    def lasting(self) -> bool:
        """True if drift is sustained."""
        return self.sustained is not None and self.sustained.drifting

    @property
    def novel(self) -> float | None:
        """Share of live rows in no bin or category of the baseline, in [0, 1]; None if it cannot be told."""
        if self.remains is not None:
            return self.remains.novel
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
        """The columns, most urgent first (`ranked`)."""
        return ranked(self.columns)

    def __getitem__(self, column: str) -> ColumnResult:
        for result in self.columns:
            if result.column == column and result.segment is None:
                return result
        raise KeyError(column)

"""What a monitor can see: the smallest shift that its windows show, and the window that a given shift would need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from driftmon.core.evidence import Z_95, detectable_kl, noise_floor
from driftmon.core.histogram import as_matrix
from driftmon.core.history import ALIKE, calibrate
from driftmon.core.layout import NumericLayout
from driftmon.core.verdict import BEYOND_CHANCE
from driftmon.words import clipped, number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from numpy.typing import ArrayLike, NDArray

    from driftmon.core.baseline import Baseline
    from driftmon.core.check import Policy
    from driftmon.core.history import Calibration
    from driftmon.core.result import CheckResult
    from driftmon.core.verdict import Threshold
    from driftmon.core.window import Window

__all__ = ["ColumnPlan", "Plan", "in_deviations", "plan", "usual_rows", "warning_likely"]

POWER = 0.9
"""How often a shift must show to count as seen."""

ALPHA = 0.01
"""How often a quiet column counts as moved, where chance alone is asked about."""

MOST_ROWS = 2**50
"""Rows of a window that nobody has: what they do not show, no window shows."""


@dataclass(frozen=True)
class ColumnPlan:
    """
    What a window shows of one column; nats.

    A shift *shows* if it is told from chance and from usual windows. It *makes a warning likely* if it is also large enough to be
    surely above the warning threshold, which takes more than a shift as large as the threshold.

    Parameters
    ----------
    column : str
    numeric : bool
    bins : int
        Bins in use, which noise comes from.
    threshold : Threshold
    beyond_chance : float
        The smallest shift that is told from chance 9 times in 10.
    usual : float or None
        The KL that one usual window in a hundred exceeds; None without a history.
    day_effect : float or None
        How far a usual window is from the others, beyond noise.
    warning_from : float
        The smallest shift that makes a warning 9 times in 10.
    wanted : float
        The shift that was asked for; by default the warning threshold.
    rows : int or None
        The fewest rows of a window that shows it; None where no window does.
    hidden : bool
        True if it hides in the usual variation, however many rows there are.
    """

    column: str
    numeric: bool
    bins: int
    threshold: Threshold
    beyond_chance: float
    usual: float | None
    day_effect: float | None
    warning_from: float
    wanted: float
    rows: int | None
    hidden: bool

    @property
    def shows(self) -> float:
        """The smallest shift that shows."""
        return max(self.beyond_chance, self.usual or 0.0)

    @property
    def in_reach(self) -> bool:
        """True if the shift that was asked for shows."""
        return self.shows <= self.wanted

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content; shifts of numeric columns also in standard deviations of the mean."""
        sizes = {"shows": self.shows, "warning_from": self.warning_from}
        return {
            "column": self.column,
            "bins": self.bins,
            "threshold": {"warning": self.threshold.warning, "critical": self.threshold.critical},
            "beyond_chance": self.beyond_chance,
            "usual_limit": self.usual,
            "day_effect": self.day_effect,
            **sizes,
            **{f"{name}_sd": in_deviations(kl) if self.numeric else None for name, kl in sizes.items()},
            "in_reach": self.in_reach,
            "rows_needed": self.rows,
            "hidden": self.hidden,
        }


@dataclass(frozen=True)
class Plan:
    """
    What the windows of a monitor show.

    Parameters
    ----------
    monitor : str
    rows : int
        Of a window.
    shift : float or None
        The shift that was asked for, nats; None for each column's warning threshold.
    columns : tuple of ColumnPlan
        In the order of the data.
    word : str
        What a window is called: ``day``.
    """

    monitor: str
    rows: int
    shift: float | None
    columns: tuple[ColumnPlan, ...]
    word: str

    @property
    def headline(self) -> str:
        """The answer in one line."""
        line = f"{self.monitor}: in a window of {self.rows:,} rows, {self._shows()}; {self._warns()}"
        hiding = max(self.columns, key=lambda column: column.usual or 0.0)
        if hiding.usual is not None and not hiding.in_reach and hiding.usual > hiding.beyond_chance:
            line += (
                f"; {clipped(hiding.column)} varies by {number(hiding.day_effect)} from {self.word} to {self.word}, "
                f"which hides shifts below {number(hiding.usual)}"
            )
        return line

    @property
    def _total(self) -> str:
        return f"{len(self.columns)} {'column' if len(self.columns) == 1 else 'columns'}"

    def _shows(self) -> str:
        thresholds = {column.threshold.warning for column in self.columns}
        if self.shift is not None:
            size = f"a shift of {self.shift:.3g} nats ({in_deviations(self.shift):.2g} sd of the mean)"
        elif len(thresholds) == 1:
            size = f"a shift as large as the warning threshold, {thresholds.pop():g} nats,"
        else:
            size = "a shift as large as the column's own warning threshold"
        return f"{size} shows in {sum(column.in_reach for column in self.columns)} of {self._total}"

    def _warns(self) -> str:
        if self.shift is not None:
            likely = sum(column.warning_from <= self.shift for column in self.columns)
            return f"it makes a warning likely in {likely} of {self._total}"
        least, most = (number(f(column.warning_from for column in self.columns)) for f in (min, max))
        return f"a warning is likely from {least}{'' if least == most else f' to {most}'} nats on"

    def windows(self, column: ColumnPlan) -> int | None:
        """So many windows of this monitor have the rows that the shift needs; None where no window shows it."""
        return None if column.rows is None else math.ceil(column.rows / self.rows)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content; nats."""
        return {
            "monitor": self.monitor,
            "answer": self.headline,
            "rows": self.rows,
            "shift": self.shift,
            "columns": [column.to_json() | {"windows_needed": self.windows(column)} for column in self.columns],
        }


def in_deviations(kl: float) -> float:
    """
    The shift of a normal column's mean that has this KL, in standard deviations: ``KL = d² / 2``.

    Examples
    --------
    >>> in_deviations(0.02), in_deviations(0.125)
    (0.2, 0.5)
    """
    return math.sqrt(2 * kl)


def usual_rows(checks: Iterable[CheckResult], baseline: Baseline, *, length: timedelta | None = None) -> int | None:
    """
    The rows that a window usually has: the median of past checks, else of the reference's windows; None if neither is known.

    Parameters
    ----------
    checks : iterable of CheckResult
        Those without rows, and of another length, do not count.
    baseline : Baseline
    length : timedelta, optional
        Of the windows in question; by default that of the reference's. Of shorter ones in the reference, so many rows more.
    """
    history = baseline.history
    timed = history is not None and history.timed
    usual = history.length if history is not None else None
    wanted = length or usual
    found: list[float] = [
        check.live_rows for check in checks if check.live_rows and (not timed or _about(check.window, wanted))
    ]
    if not found and history is not None and usual is not None:
        rows = [counts.sum(axis=-1) for (_, segment), counts in history.counts.items() if segment is None]
        times = 1.0 if wanted is None or _alike(wanted, usual) else wanted / usual
        found = [int(of) * times for of in rows[0] if of] if rows else []
    return round(median(found)) if found else None


def _about(window: Window | None, length: timedelta | None) -> bool:
    return window is None or length is None or _alike(window.end - window.start, length)


def _alike(one: timedelta, other: timedelta) -> bool:
    """True for two days, or two months, of which one is a little longer."""
    return other / ALIKE <= one <= other * ALIKE


def plan(
    monitor: tuple[str, str], baseline: Baseline, policy: Policy, *, rows: int, shift: float | None = None
) -> Plan:
    """
    Say what windows of so many rows show.

    Parameters
    ----------
    monitor : (str, str)
        Its name, and what a window is called.
    baseline : Baseline
        Of which all rows are looked at, not segments.
    policy : Policy
    rows : int
        Of a live window.
    shift : float, optional
        Nats; by default each column's warning threshold.
    """
    name, word = monitor
    sight = _Sight.of(baseline, policy)
    thresholds = [policy.threshold_of(column) for column in baseline.columns]
    wanted = np.array([threshold.warning if shift is None else shift for threshold in thresholds])
    sure = sight.beyond_chance(rows, alpha=BEYOND_CHANCE)
    chance, usual, needed = sight.beyond_chance(rows), sight.usual(rows), sight.rows_for(wanted)
    hidden = (needed > MOST_ROWS) & (sight.beyond_chance(MOST_ROWS) <= wanted)
    columns = []
    for place, (column, learnt) in enumerate(baseline.columns.items()):
        used, reference_rows = int(sight.used[place]), int(sight.reference_rows[place])
        likely = warning_likely(thresholds[place].warning, used, rows=rows, reference_rows=reference_rows)
        told = bool(sight.calibration.enough[place])
        columns.append(
            ColumnPlan(
                column=column,
                numeric=isinstance(learnt.layout, NumericLayout),
                bins=used,
                threshold=thresholds[place],
                beyond_chance=float(chance[place]),
                usual=float(usual[place]) if told else None,
                day_effect=float(sight.calibration.day_effect[place]) if told else None,
                warning_from=float(max(likely, sure[place], usual[place])),
                wanted=float(wanted[place]),
                rows=int(needed[place]) if needed[place] <= MOST_ROWS else None,
                hidden=bool(hidden[place]),
            )
        )
    return Plan(name, rows, shift, tuple(columns), word)


@dataclass(frozen=True)
class _Sight:
    """What windows of any size show of all columns at once; arrays with an element a column."""

    used: NDArray[np.int64]
    reference_rows: NDArray[np.int64]
    calibration: Calibration

    @classmethod
    def of(cls, baseline: Baseline, policy: Policy) -> _Sight:
        counts = {} if baseline.history is None else baseline.history.counts
        sizes = [column.layout.size for column in baseline.columns.values()]
        names = list(baseline.columns)
        none = [np.zeros((0, size), dtype=np.int64) for size in sizes]
        history = [counts.get((name, None), empty) for name, empty in zip(names, none, strict=True)]
        reference = as_matrix(baseline.reference.histograms[name] for name in names)
        used = np.maximum((reference > 0).sum(axis=-1), 2)  # a constant column can become two values
        return cls(
            used=used,
            reference_rows=reference.sum(axis=-1).astype(np.int64),
            calibration=calibrate(reference, history, np.array(sizes), least_rows=policy.min_rows),
        )

    def beyond_chance(self, rows: ArrayLike, *, alpha: float = ALPHA) -> NDArray[np.float64]:
        """The smallest shift that windows of so many rows tell from chance: `detectable_kl` of each column."""
        one_row = {
            bins: detectable_kl(bins, rows=1, reference_rows=1, alpha=alpha) / 2 for bins in set(self.used.tolist())
        }
        smallest = np.array([one_row[bins] for bins in self.used.tolist()])
        found: NDArray[np.float64] = smallest * (1 / np.asarray(rows) + 1 / self.reference_rows)
        return found

    def usual(self, rows: ArrayLike) -> NDArray[np.float64]:
        """The KL that one usual window in a hundred exceeds; 0 where that is not known."""
        floor = noise_floor(self.used, rows, self.reference_rows)
        return np.where(self.calibration.enough, self.calibration.judge(np.zeros(len(floor)), floor).limit, 0.0)

    def rows_for(self, wanted: NDArray[np.float64]) -> NDArray[np.int64]:
        """The fewest rows that show each shift, by bisection: both limits fall as rows grow. Above `MOST_ROWS` if none do."""
        low, high = np.zeros((2, len(wanted)), dtype=np.int64)
        high += MOST_ROWS + 1
        while (high - low > 1).any():
            middle = np.maximum((low + high) // 2, 1)
            shows = np.maximum(self.beyond_chance(middle), self.usual(middle)) <= wanted
            low, high = np.where(shows, low, middle), np.where(shows, middle, high)
        return high


def warning_likely(warning: float, bins: int, *, rows: int, reference_rows: int) -> float:
    """
    The smallest shift whose lower bound is above the warning threshold 9 times in 10; nats.

    In closed form from the formulas of docs/statistics.md, "Noise floor and bounds": the excess is about normal around the true
    KL ``D`` with variance ``V = 2 D s + (K⁺-1)/2 s²``, ``s = 1/n + 1/m``, since for small shifts both first-order variances are
    ``2 D``. The bound is above the threshold as often as wanted if ``D - warning = (z_power + z_bound) √V``: a quadratic equation
    in D.

    Parameters
    ----------
    warning : float
        Nats.
    bins : int
        Bins in use.
    rows, reference_rows : int

    References
    ----------
    docs/statistics.md, "The smallest shift that a window can show"; "The study" for the shifts that were found.
    """
    s = 1 / rows + 1 / reference_rows
    c2 = (float(ndtri(POWER)) + Z_95) ** 2
    half = warning + c2 * s
    return half + math.sqrt(half**2 - warning**2 + c2 * (bins - 1) / 2 * s**2)

"""
Sustained drift: many windows that are each a little off (docs/statistics.md, "Sustained drift").

An exponentially weighted mean of how unusual the windows were, and a lower bound of the KL of the last week pooled. Both are
functions of the stored windows in the order of time: checking them again, or in another order, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from driftmon.core.evidence import adjusted_p_values, weigh

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_WINDOWS", "LOOKED_BACK", "POOLED", "SIGNIFICANCE", "Sustained", "ewma", "surprise", "sustained"]

WEIGHT = 0.2
"""Of the newest window in the mean: Roberts' choice for shifts of about one standard deviation."""

LARGEST_SURPRISE = 3.0
"""One window counts as this many standard deviations at most, either way: one bad day is not called sustained."""

LOOKED_BACK = 60
"""Windows that the mean is of: what came before has a weight below 2e-6."""

POOLED = 7
"""Windows whose counts are pooled: a week of days."""

LEAST_WINDOWS = 3
"""Windows with a verdict, before which nothing has lasted."""

SIGNIFICANCE = 0.01
"""Largest adjusted p-value of sustained drift."""


@dataclass(frozen=True)
class Sustained:
    """
    How a column did over the last windows, the newest included.

    Parameters
    ----------
    drifting : bool
        Beyond chance for long enough, and the pooled windows beyond the warning threshold.
    windows : int
        Windows with a verdict that it stands on, at most `LOOKED_BACK`.
    ewma : float
        Weighted mean of the surprise of the windows, in standard deviations; 0 is usual.
    p_value : float
        Probability of so large a mean if nothing had changed.
    q_value : float or None
        The same adjusted for all columns of the check; None if the column may not alert.
    lower_bound : float
        Nats: 95 % lower bound of the excess of the last `POOLED` windows together.
    """

    drifting: bool
    windows: int
    ewma: float
    p_value: float
    q_value: float | None
    lower_bound: float

    @property
    def unusual(self) -> bool:
        """True if the windows are beyond what is usual, whatever the size of the shift."""
        return self.q_value is not None and self.q_value <= SIGNIFICANCE

    def under(self, warning: float) -> Sustained:
        """The same under another warning threshold, in nats."""
        lasting = self.unusual and self.windows >= LEAST_WINDOWS
        return replace(self, drifting=lasting and self.lower_bound > warning)


def surprise(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """A p-value in standard deviations: 0 for 0.5, 2.3 for 0.01; within ``±LARGEST_SURPRISE``."""
    return np.clip(-ndtri(p), -LARGEST_SURPRISE, LARGEST_SURPRISE)


def ewma(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    The exponentially weighted mean of each column, and the number of windows in it.

    Parameters
    ----------
    z : ndarray of float, shape (windows, columns)
        Surprises, oldest first; NaN where a column had no verdict, which passes the window over.

    References
    ----------
    Roberts (1959), Technometrics 1, 239.
    """
    mean = np.zeros(z.shape[1])
    for window in z[-LOOKED_BACK:]:
        seen = ~np.isnan(window)
        mean[seen] += WEIGHT * (window[seen] - mean[seen])
    return mean, np.count_nonzero(~np.isnan(z[-LOOKED_BACK:]), axis=0)


def sustained(
    p: NDArray[np.float64],
    history_windows: NDArray[np.int64],
    reference: NDArray[np.float64],
    pooled: NDArray[np.float64],
    bins: NDArray[np.int64],
    warning: NDArray[np.float64],
) -> list[Sustained]:
    """
    The state of each column that may alert in the newest window.

    Parameters
    ----------
    p : ndarray of float, shape (windows, columns)
        p-values against what is usual, oldest first; NaN where a column had no verdict.
    history_windows : ndarray of int, shape (columns,)
        Reference windows that `p` stands on; 0 if it knows the noise of sampling only.
    reference, pooled : ndarray of float, shape (columns, bins)
        Counts of the reference, and of the last `POOLED` windows together.
    bins : ndarray of int, shape (columns,)
    warning : ndarray of float, shape (columns,)
        Thresholds, nats.

    References
    ----------
    docs/statistics.md, "Sustained drift"; "The study" for the false alarms and the delay of this rule beside others.
    """
    mean, windows = ewma(surprise(p))
    variance = WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT) ** (2.0 * windows))
    # The windows share one history, whose mean is known only so well.
    variance = variance + np.divide(1.0, history_windows, out=np.zeros(len(mean)), where=history_windows > 0)
    p_values = ndtr(-mean / np.sqrt(variance))
    q_values = adjusted_p_values(p_values)
    evidence = weigh(reference, pooled, bins)
    bounds = np.maximum(evidence.lower_bound, evidence.lower_bound_reverse)
    states = zip(windows.tolist(), mean.tolist(), p_values.tolist(), q_values.tolist(), bounds.tolist(), strict=True)
    return [
        Sustained(False, *state).under(threshold) for state, threshold in zip(states, warning.tolist(), strict=True)
    ]

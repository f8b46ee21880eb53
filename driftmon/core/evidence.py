"""
What counts say about a shift: its size, what chance alone would show, and how sure we are.

The formulas are those of docs/statistics.md, from "KL divergence" to "The smallest shift that a window can show".

`weigh` computes everything for all columns at once, in O(columns × bins), without resampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, chdtri, chndtrinc, ndtri

from driftmon.core.divergence import (
    hellinger_distance,
    js_divergence,
    kl_contributions,
    relative_divergence,
    smoothed,
    total_variation,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Z_95",
    "Evidence",
    "adjusted_p_values",
    "detectable_kl",
    "g_test",
    "moved_by_chance",
    "noise_floor",
    "share_errors",
    "weigh",
]

Z_95 = float(ndtri(0.95))
"""One-sided 95 %."""


@dataclass(frozen=True)
class Evidence:
    """
    The numbers of a check, one element a column; nats unless said.

    Attributes
    ----------
    kl, kl_reverse, psi, js : ndarray of float, shape (columns,)
        KL(live ‖ reference), KL(reference ‖ live), their sum, and the Jensen-Shannon divergence.
    hellinger, total_variation : ndarray of float, shape (columns,)
        Hellinger distance of the smoothed shares; half the sum of the differences of the shares as they are. In [0, 1].
    higher : ndarray of float, shape (columns,)
        Probability that a live value lies in a later bin than a reference value, ties half, in [0, 1]: the direction, where bins
        are in order. Rows in the last bin, ``missing``, do not count; NaN if there are no others on one side.
    noise_floor : ndarray of float, shape (columns,)
        The KL to be expected if nothing had changed.
    excess : ndarray of float, shape (columns,)
        ``kl - noise_floor``; negative when live data are closer than chance.
    standard_error : ndarray of float, shape (columns,)
        Of `excess`.
    lower_bound, upper_bound, lower_bound_reverse : ndarray of float, shape (columns,)
        One-sided 95 % bounds of the excess, never below 0; the last for the reverse direction, which sees vanished mass.
    p_iid : ndarray of float, shape (columns,)
        Probability of so large a difference between two samples of one distribution (G test).
    contributions : ndarray of float, shape (columns, bins)
        Each bin's non-negative part of `kl`.
    """

    kl: NDArray[np.float64]
    kl_reverse: NDArray[np.float64]
    psi: NDArray[np.float64]
    js: NDArray[np.float64]
    hellinger: NDArray[np.float64]
    total_variation: NDArray[np.float64]
    higher: NDArray[np.float64]
    noise_floor: NDArray[np.float64]
    excess: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    lower_bound: NDArray[np.float64]
    upper_bound: NDArray[np.float64]
    lower_bound_reverse: NDArray[np.float64]
    p_iid: NDArray[np.float64]
    contributions: NDArray[np.float64]


def weigh(reference: NDArray[np.float64], live: NDArray[np.float64], bins: NDArray[np.int64]) -> Evidence:
    """
    Compare live with reference counts, column by column.

    Parameters
    ----------
    reference, live : ndarray of float, shape (columns, bins)
        Counts, at least one row in each column on each side; zeros beyond a column's own bins.
    bins : ndarray of int, shape (columns,)
        Bins of each column's layout.

    Returns
    -------
    Evidence

    References
    ----------
    docs/statistics.md, "Noise floor and bounds". The reverse direction is the same with both sides swapped, its smoothing weight
    included.
    """
    used = ((reference + live) > 0).sum(axis=-1)
    contributions, excess, error, floor = _directed(reference, live, bins, used)
    kl = contributions.sum(axis=-1)
    contributions_reverse, excess_reverse, error_reverse, _ = _directed(live, reference, bins, used)
    kl_reverse = contributions_reverse.sum(axis=-1)
    shares = smoothed(live, reference, bins)
    return Evidence(
        kl=kl,
        kl_reverse=kl_reverse,
        psi=kl + kl_reverse,
        js=js_divergence(*shares),
        hellinger=hellinger_distance(*shares),
        total_variation=total_variation(reference, live),
        higher=_higher(reference, live, bins),
        noise_floor=floor,
        excess=excess,
        standard_error=error,
        lower_bound=np.maximum(excess - Z_95 * error, 0.0),
        upper_bound=np.maximum(excess + Z_95 * error, 0.0),
        lower_bound_reverse=np.maximum(excess_reverse - Z_95 * error_reverse, 0.0),
        p_iid=g_test(reference, live)[1],
        contributions=contributions,
    )


def _directed(
    reference: NDArray[np.float64], live: NDArray[np.float64], bins: NDArray[np.int64], used: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Contributions, excess, its standard error and the noise floor of KL(live ‖ reference)."""
    p, q = smoothed(live, reference, bins)
    contributions = kl_contributions(p, q)
    kl = contributions.sum(axis=-1)
    n, m = live.sum(axis=-1), reference.sum(axis=-1)
    sampling = 1 / n + 1 / m
    floor = noise_floor(used, n, m)
    ratio = np.divide(p, q, out=np.ones_like(p), where=q > 0)  # padding: 0 / 0
    of_live = np.maximum((p * np.log(ratio) ** 2).sum(axis=-1) - kl**2, 0.0)
    of_reference = ((p - q) * (ratio - 1)).sum(axis=-1)  # = sum of p²/q, less 1, without its cancellation
    # The last term is the variance under no change, which the first-order terms miss where it matters most.
    variance = of_live / n + of_reference / m + (used - 1) / 2 * sampling**2
    return contributions, kl - floor, np.sqrt(variance), floor


def noise_floor(used: NDArray[np.int64], rows: ArrayLike, reference_rows: ArrayLike) -> NDArray[np.float64]:
    """
    The KL to be expected if nothing had changed, nats (docs/statistics.md, "Noise floor and bounds").

    Parameters
    ----------
    used : ndarray of int, shape (...)
        Bins that hold a row on either side.
    rows, reference_rows : array of float, shapes that fit
    """
    floor: NDArray[np.float64] = (used - 1) / 2 * (1 / np.asarray(rows) + 1 / np.asarray(reference_rows))
    return floor


def share_errors(reference: NDArray[np.float64], live: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Standard error of the difference of each bin's shares, if nothing had changed.

    Parameters
    ----------
    reference, live : ndarray of float, shape (bins,)
        Counts, at least one row on each side.
    """
    n, m = live.sum(), reference.sum()
    pooled = (live + reference) / (n + m)
    errors: NDArray[np.float64] = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return errors


def moved_by_chance(errors: NDArray[np.float64]) -> float:
    """The mean total variation of two samples of one distribution, of their `share_errors`: each difference is nearly normal."""
    return float(min(errors.sum() / np.sqrt(2 * np.pi), 1.0))


def _higher(reference: NDArray[np.float64], live: NDArray[np.float64], bins: NDArray[np.int64]) -> NDArray[np.float64]:
    valued = np.arange(live.shape[-1]) < bins[:, np.newaxis] - 1
    before, now = np.where(valued, reference, 0.0), np.where(valued, live, 0.0)
    below = before.cumsum(axis=-1) - before / 2  # of one bin, half is below
    pairs = before.sum(axis=-1) * now.sum(axis=-1)
    none = np.full(len(bins), np.nan)
    higher: NDArray[np.float64] = np.divide((now * below).sum(axis=-1), pairs, out=none, where=pairs > 0)
    return higher


def g_test(
    reference: NDArray[np.float64], live: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Likelihood-ratio test that both sides are samples of one distribution.

    The noise of both samples counts: ``2n·KL`` against the same χ² would call half of all quiet windows drift when n = m.

    Parameters
    ----------
    reference, live : ndarray of float, shape (..., bins)
        Counts, at least one row on each side.

    Returns
    -------
    g, p : ndarray of float, shape (...)
        The statistic, and its tail probability under χ² with one degree of freedom less than bins in use; 1 if only one is.

    References
    ----------
    Wilks (1938), Annals of Mathematical Statistics 9, 60. docs/statistics.md, "Is it chance?".
    """
    n, m = live.sum(axis=-1, keepdims=True), reference.sum(axis=-1, keepdims=True)
    both = reference + live
    g = np.zeros(both.shape[:-1])
    for counts, rows, other in ((live, n, m), (reference, m, n)):
        expected = both * (rows / (n + m))
        safe = np.where(expected > 0, expected, 1.0)
        # counts - expected, as one product that large counts do not round away
        deviation = (counts * other - (both - counts) * rows) / (n + m)
        g += 2 * (expected * relative_divergence(deviation / safe)).sum(axis=-1)
    freedom = (both > 0).sum(axis=-1) - 1
    p = np.where(freedom > 0, chdtrc(np.maximum(freedom, 1), g), 1.0)
    return g, p


def adjusted_p_values(p: ArrayLike) -> NDArray[np.float64]:
    """
    Benjamini-Hochberg-adjusted p-values: reject those at most q, and at most a share q of the rejected are false.

    Parameters
    ----------
    p : array of float, shape (tests,)
        In [0, 1].

    Returns
    -------
    ndarray of float, shape (tests,)
        In [0, 1], in the order of `p`, never below it.

    Examples
    --------
    >>> adjusted_p_values([0.01, 0.02, 0.03, 0.04, 0.05]).tolist()
    [0.05, 0.05, 0.05, 0.05, 0.05]

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289. It stays valid under the dependence of real
    columns (docs/statistics.md, "Status").
    """
    # scipy.stats has the same, but takes a second to load.
    raw = np.asarray(p, dtype=np.float64)
    tests = len(raw)
    order = np.argsort(raw, kind="stable")[::-1]
    scaled = raw[order] * tests / np.arange(tests, 0, -1)
    adjusted: NDArray[np.float64] = np.empty(tests)
    adjusted[order] = np.minimum.accumulate(scaled)  # starts with the largest p-value itself: never above 1
    np.maximum(adjusted, raw, out=adjusted)  # p * tests / tests may round below p
    return adjusted


def detectable_kl(bins: int, *, rows: int, reference_rows: int, alpha: float = 0.01, power: float = 0.9) -> float:
    """
    The smallest shift that a window of this size shows reliably.

    Parameters
    ----------
    bins : int
        Bins in use, at least 2.
    rows, reference_rows : int
        Live rows of a window and reference rows.
    alpha, power : float
        False-alarm rate of the G test, and the wanted probability to find the shift.

    Returns
    -------
    float
        Nats: half the noncentrality that reaches the power, over the effective rows.

    References
    ----------
    docs/statistics.md, "The smallest shift that a window can show". MacCallum, Browne & Sugawara (1996), Psychological Methods 1, 130.

    Examples
    --------
    >>> detectable_kl(16, rows=1000, reference_rows=10**9)
    0.0153...
    """
    noncentrality = float(chndtrinc(chdtri(bins - 1, alpha), bins - 1, 1 - power))
    return noncentrality / 2 * (1 / rows + 1 / reference_rows)

"""
Divergences of live counts from reference counts, in nats.

Every function takes whole tables at once: arrays of shape ``(..., bins)``, one column of data a row, padded on the right with
bins that both sides leave empty. Both sides are smoothed through one channel (`smoothed`): the same weight of the same uniform
distribution is mixed into both, which keeps every divergence finite, exactly 0 for equal shares and independent of the number
of live rows (docs/statistics.md, "KL divergence").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import rel_entr, xlogy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "cross_entropy",
    "hellinger_distance",
    "js_divergence",
    "kl_contributions",
    "kl_divergence",
    "relative_divergence",
    "smoothed",
    "total_variation",
]

SERIES_BELOW = 0.01
"""Relative difference below which ``(1+d) log(1+d) - d`` is summed as a series, since its terms cancel."""

SERIES_TERMS = 10

TINY = 1e-300
"""Stands for 0 under a logarithm."""


def smoothed(
    live: NDArray[np.float64], reference: NDArray[np.float64], bins: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Shares of both sides after the common channel: with probability λ, a row is replaced by a draw from the uniform distribution.

    ``λ = K / (2m + K)`` makes the reference shares those of Jeffreys' prior, ``(r + 1/2) / (m + K/2)``.

    Parameters
    ----------
    live, reference : ndarray of float, shape (..., bins)
        Counts, at least one row on each side.
    bins : ndarray of int, shape (...)
        K, the bins of each layout; further ones are padding.

    Returns
    -------
    p, q : ndarray of float, shape (..., bins)
        Live and reference shares; each row sums to 1, padding is 0.

    References
    ----------
    docs/statistics.md, "KL divergence". Krichevsky & Trofimov (1981), IEEE Trans. Inf. Theory 27, 199.
    """
    weight = (bins / (2 * reference.sum(axis=-1) + bins))[..., np.newaxis]
    uniform = weight / bins[..., np.newaxis]
    if bins.size and bins.min() < live.shape[-1]:
        uniform = np.where(np.arange(live.shape[-1]) < bins[..., np.newaxis], uniform, 0.0)
    p = (1 - weight) * (live / live.sum(axis=-1, keepdims=True)) + uniform
    q = (1 - weight) * (reference / reference.sum(axis=-1, keepdims=True)) + uniform
    return p, q


def kl_divergence(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """
    Kullback-Leibler divergence of ``p`` from ``q``, D(p‖q), of shares as they are.

    The extra nats a row needs when draws from ``p`` are coded with the code made for ``q``: the cross-entropy of ``p`` and ``q``
    less the entropy of ``p``. Infinite where ``q`` is 0 but ``p`` is not: smooth first (`smoothed`).

    This is the definition, which tests hold everything against. A check sums `kl_contributions` of smoothed shares: the same
    number with more digits where the shares are nearly equal.

    Parameters
    ----------
    p, q : array of float, shape (..., bins)
        Shares; each row sums to 1.

    Returns
    -------
    ndarray of float, shape (...)
        Nats, in [0, inf].

    Examples
    --------
    >>> float(kl_divergence([0.5, 0.5], [0.9, 0.1]))
    0.51082...

    References
    ----------
    Kullback & Leibler (1951), Annals of Mathematical Statistics 22, 79.
    """
    terms: NDArray[np.float64] = rel_entr(np.asarray(p), np.asarray(q))
    divergence: NDArray[np.float64] = np.maximum(terms.sum(axis=-1), 0.0)  # rounding can leave -1e-17
    return divergence


def kl_contributions(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Each bin's part of D(p‖q): ``p log(p/q) - p + q``, which is never negative, and sums to the divergence.

    The plain terms ``p log(p/q)`` sum to the same but are negative where rows left, which no bar chart can show honestly.
    Written with the relative difference, so that parts far below 1e-16 of the shares are not lost to cancellation.

    Parameters
    ----------
    p, q : ndarray of float, shape (..., bins)
        Shares; ``q`` positive wherever ``p`` is.

    Returns
    -------
    ndarray of float, shape (..., bins)
        Nats, non-negative.
    """
    safe = np.where(q > 0, q, 1.0)
    return q * relative_divergence((p - q) / safe)


def relative_divergence(d: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    ``(1+d) log(1+d) - d`` for d >= -1, without cancellation near 0.

    A `d` of an empty bin that rounding left at -1.0000000000000002 counts as -1.
    """
    whole = np.maximum(d + 1.0, TINY)  # where 0 log 0 is 0, as good as exactly
    found: NDArray[np.float64] = whole * np.log(whole) - d
    small = np.abs(d) < SERIES_BELOW
    x = d[small]
    series = np.zeros_like(x)
    for k in range(SERIES_TERMS, 1, -1):  # Horner, from the last term: sum of (-x)^k / (k (k-1))
        series = -x * series + 1 / (k * (k - 1))
    found[small] = x * x * series
    return found


def js_divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Jensen-Shannon divergence: the mean of both divergences from the mixture.

    Parameters
    ----------
    p, q : ndarray of float, shape (..., bins)
        Shares; each row sums to 1.

    Returns
    -------
    ndarray of float, shape (...)
        Nats, in [0, log 2].

    References
    ----------
    Lin (1991), IEEE Trans. Inf. Theory 37, 145.
    """
    mixture = (p + q) / 2
    divergence: NDArray[np.float64] = (kl_contributions(p, mixture) + kl_contributions(q, mixture)).sum(axis=-1) / 2
    return divergence


def hellinger_distance(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Hellinger distance: the Euclidean distance of the roots of the shares, over the root of 2.

    Parameters
    ----------
    p, q : ndarray of float, shape (..., bins)
        Shares; each row sums to 1.

    Returns
    -------
    ndarray of float, shape (...)
        In [0, 1], 1 for distributions that share no bin. For small shifts about ``sqrt(KL / 4)``.

    References
    ----------
    Hellinger (1909), Journal für die reine und angewandte Mathematik 136, 210.
    """
    distance: NDArray[np.float64] = np.sqrt(np.minimum(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1) / 2, 1.0))
    return distance


def total_variation(reference: NDArray[np.float64], live: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Total variation distance of the shares as they are: the least share of the rows that went to another bin.

    Parameters
    ----------
    reference, live : ndarray of float, shape (..., bins)
        Counts, at least one row on each side.

    Returns
    -------
    ndarray of float, shape (...)
        In [0, 1]. At most ``sqrt(KL / 2)`` (Pinsker), which is why a small KL moves few rows.
    """
    difference = live / live.sum(axis=-1, keepdims=True) - reference / reference.sum(axis=-1, keepdims=True)
    distance: NDArray[np.float64] = np.minimum(np.abs(difference).sum(axis=-1) / 2, 1.0)
    return distance


def cross_entropy(p: ArrayLike, q: ArrayLike) -> NDArray[np.float64]:
    """
    Nats a row needs when draws from `p` are coded with the code made for `q`; with itself, the entropy of `p`.

    ``kl_divergence(p, q) == cross_entropy(p, q) - cross_entropy(p, p)``, which is what KL means.

    Parameters
    ----------
    p, q : array of float, shape (..., bins)
        Shares; each row sums to 1, `q` positive wherever `p` is.

    Returns
    -------
    ndarray of float, shape (...)
        Nats, non-negative.

    Examples
    --------
    >>> float(cross_entropy([0.5, 0.5], [0.5, 0.5]))  # a fair coin: log 2
    0.693147...
    """
    shares, code = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    length: NDArray[np.float64] = -xlogy(shares, np.where(shares > 0, code, 1.0)).sum(axis=-1)
    return length

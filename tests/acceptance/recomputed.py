"""
The statistics of a check written down a second time, with nothing but `math`: from the bins of the JSON to every number of it.

From the formulas of docs/statistics.md, without a look at driftmon's own arithmetic, so that both would have to be wrong in the
same way to agree.
"""

from __future__ import annotations

import math
from math import exp, fsum, log, sqrt

__all__ = ["adjusted", "scores", "survival"]

ONE_SIDED_95 = 1.6448536269514722


def scores(column):
    """Every number of a column that its bins decide, by the names of the JSON."""
    reference = [item["reference"] for item in column["bins"]]
    live = [item["live"] for item in column["bins"]]
    n, m = sum(live), sum(reference)
    forward, backward = _one_way(live, reference), _one_way(reference, live)
    p, q = _smoothed(live, reference)
    mixture = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    p_value = _g_test(live, reference)
    return {
        "kl": forward["kl"],
        "kl_reverse": backward["kl"],
        "psi": forward["kl"] + backward["kl"],
        "js": (_plain_kl(p, mixture) + _plain_kl(q, mixture)) / 2,
        "noise_floor": forward["floor"],
        "excess": forward["kl"] - forward["floor"],
        "lower_bound": max(0.0, forward["kl"] - forward["floor"] - ONE_SIDED_95 * forward["error"]),
        "upper_bound": max(0.0, forward["kl"] - forward["floor"] + ONE_SIDED_95 * forward["error"]),
        "lower_bound_reverse": max(0.0, backward["kl"] - backward["floor"] - ONE_SIDED_95 * backward["error"]),
        "hellinger": sqrt(fsum((sqrt(a) - sqrt(b)) ** 2 for a, b in zip(p, q, strict=True)) / 2),
        "total_variation": fsum(abs(c / n - r / m) for c, r in zip(live, reference, strict=True)) / 2,
        "higher": _higher(live[:-1], reference[:-1]) if column["kind"] == "numeric" else None,
        "p_iid": p_value,
        # What is usual does not follow from the bins of one window.
        "p_value": max(p_value, column["p_history"] or 0.0),
        "contributions": forward["terms"],
        "missing": {"reference": reference[-1] / m, "live": live[-1] / n},
        "rows": {"reference": m, "live": n},
    }


def _smoothed(of, against):
    """Shares of both sides with λ = K / (2m + K) of the uniform mixed into both, where m are the rows of `against`."""
    bins, rows = len(of), sum(against)
    weight = bins / (2 * rows + bins)
    return (
        [(1 - weight) * count / sum(of) + weight / bins for count in of],
        [(1 - weight) * count / rows + weight / bins for count in against],
    )


def _plain_kl(p, q):
    return fsum(a * log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def _one_way(of, against):
    p, q = _smoothed(of, against)
    n, m = sum(of), sum(against)
    used = sum(1 for a, b in zip(of, against, strict=True) if a + b > 0)
    both = 1 / n + 1 / m
    kl = _plain_kl(p, q)
    variance = (
        max(0.0, fsum(a * log(a / b) ** 2 for a, b in zip(p, q, strict=True)) - kl**2) / n
        + max(0.0, fsum(a * a / b for a, b in zip(p, q, strict=True)) - 1) / m
        + (used - 1) / 2 * both**2
    )
    return {
        "kl": kl,
        "floor": (used - 1) / 2 * both,
        "error": sqrt(variance),
        "terms": [a * log(a / b) - a + b for a, b in zip(p, q, strict=True)],
    }


def _higher(live, reference):
    """How often a live value is in a higher bin than a reference value, ties half, over all pairs."""
    pairs = sum(live) * sum(reference)
    if pairs == 0:
        return None
    won = fsum(c * (sum(reference[:place]) + reference[place] / 2) for place, c in enumerate(live))
    return won / pairs


def _g_test(live, reference):
    n, m = sum(live), sum(reference)
    g, used = 0.0, 0
    for c, r in zip(live, reference, strict=True):
        share = (c + r) / (n + m)
        used += c + r > 0
        g += 2 * (c * log(c / (n * share)) if c else 0.0) + 2 * (r * log(r / (m * share)) if r else 0.0)
    return survival(max(g, 0.0), used - 1)


def survival(x, freedom):
    """P(χ² > x), by its finite sums: over (x/2)^k / k! for an even number of degrees, with erfc for an odd one."""
    if freedom == 0:
        return 1.0
    half = x / 2
    if freedom % 2 == 0:
        return min(1.0, exp(-half) * fsum(half**k / math.factorial(k) for k in range(freedom // 2)))
    terms = (half ** (k - 0.5) / math.gamma(k + 0.5) for k in range(1, (freedom + 1) // 2))
    return math.erfc(sqrt(half)) + exp(-half) * fsum(terms)


def adjusted(p_values):
    """Benjamini and Hochberg, read off their definition: the least m p(k) / k over all p(k) that are at least as large."""
    ranked = sorted(p_values)
    return [min(len(ranked) * p / (k + 1) for k, p in enumerate(ranked) if p >= mine) for mine in p_values]

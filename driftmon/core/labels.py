"""How numeric bins are written: the way their values read, not the way their edges are stored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["span_labels"]

LEAST_DIGITS = 4
LONG = 7
"""Characters of a fraction that nobody has typed: below, neighbouring floats are values of their own (subnormals)."""


def span_labels(edges: Sequence[float]) -> list[str]:
    """
    A label for each of the ``len(edges) + 1`` spans that edges cut the number line into.

    Numbers carry as few digits as keep the edges apart. An edge just below a round value (its ``nextafter``) stands for a bin
    that starts at, or ends before, that value, and is written so.

    Examples
    --------
    >>> span_labels([-21.0, 0.123456789, 0.2])
    ['<= -21', '(-21, 0.1235]', '(0.1235, 0.2]', '> 0.2']
    >>> span_labels([math.nextafter(0, -1), 0.0, math.nextafter(8, -1)])
    ['< 0', '= 0', '(0, 8)', '>= 8']
    """
    meant = [_meant(edge, above) for edge, above in zip(edges, [*edges[1:], math.inf], strict=True)]
    texts = _texts([value for value, _ in meant])
    below = [before for _, before in meant]
    labels = [f"{'<' if below[0] else '<='} {texts[0]}"]
    for j in range(1, len(edges)):
        if math.nextafter(edges[j - 1], math.inf) == edges[j]:
            labels.append(f"= {texts[j]}")
        else:
            labels.append(f"{'[' if below[j - 1] else '('}{texts[j - 1]}, {texts[j]}{')' if below[j] else ']'}")
    labels.append(f"{'>=' if below[-1] else '>'} {texts[-1]}")
    return labels


def _meant(edge: float, following: float) -> tuple[float, bool]:
    """The value that an edge stands for, and whether the edge lies just below it."""
    above = math.nextafter(edge, math.inf)
    rounder = math.isfinite(above) and len(repr(above)) + 4 < len(repr(edge))
    # The two edges around one value, of which either may be the rounder: the value is the upper one.
    around = above == following and len(repr(edge)) >= LONG and not edge.is_integer()
    if above == 0 or rounder or around:
        return above + 0.0, True  # + 0.0 writes -0.0 as 0
    return edge + 0.0, False


def _texts(values: list[float]) -> list[str]:
    """Each value with as few digits as keep it nearer to itself than to its neighbours."""
    distinct = sorted(set(values))
    bounds = [-math.inf, *distinct, math.inf]
    texts = {}
    for value, before, after in zip(distinct, bounds, bounds[2:], strict=False):
        digits = LEAST_DIGITS
        # Ends at 17 digits at the latest, which tell any two floats apart.
        while 2 * abs(float(text := _text(value, digits)) - value) >= min(value - before, after - value):
            digits += 1
        texts[value] = text
    return [texts[value] for value in values]


def _text(value: float, digits: int) -> str:
    if abs(value) > 2**53:
        return f"{value:.{digits}g}"
    if value.is_integer():
        return str(int(value))
    # At least all digits before the point: 12346 reads better than 1.235e+04.
    return f"{value:.{max(digits, len(str(int(abs(value)))))}g}"

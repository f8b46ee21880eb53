"""How numeric bins are written: the way their values read, not the way their edges are stored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["span_labels"]

LEAST_DIGITS = 4


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
    values = [_meant(edge) for edge in edges]
    texts = _texts([value for value, _ in values])
    below = [before for _, before in values]
    labels = [f"{'<' if below[0] else '<='} {texts[0]}"]
    for j in range(1, len(edges)):
        if math.nextafter(edges[j - 1], math.inf) == edges[j]:
            labels.append(f"= {texts[j]}")
        else:
            labels.append(f"{'[' if below[j - 1] else '('}{texts[j - 1]}, {texts[j]}{')' if below[j] else ']'}")
    labels.append(f"{'>=' if below[-1] else '>'} {texts[-1]}")
    return labels


def _meant(edge: float) -> tuple[float, bool]:
    """The round value that an edge stands for, and whether the edge lies just below it."""
    above = math.nextafter(edge, math.inf)
    if above == 0 or (math.isfinite(above) and len(repr(above)) + 4 < len(repr(edge))):
        return above + 0.0, True  # + 0.0 writes -0.0 as 0
    return edge + 0.0, False


def _texts(values: list[float]) -> list[str]:
    digits = LEAST_DIGITS
    # Ends at 17 digits at the latest, which tell any two floats apart.
    while len(set(texts := [_text(value, digits) for value in values])) < len(set(values)):
        digits += 1
    return texts


def _text(value: float, digits: int) -> str:
    if abs(value) >= 1e15:
        return f"{value:.{digits}g}"
    if value.is_integer():
        return str(int(value))
    # At least all digits before the point: 12346 reads better than 1.235e+04.
    return f"{value:.{max(digits, len(str(int(abs(value)))))}g}"

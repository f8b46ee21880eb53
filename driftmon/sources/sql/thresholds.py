"""
Edges put in terms of a column's own type, so that a database compares what it stores and never rounds it.

A value is above an edge if the float64 next to it is. Of exact numbers those are the ones above the middle between the edge and the
next float; of whole numbers there is a least one.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np

__all__ = ["exact_threshold"]

NEXT_OF_LARGEST = Fraction(2) ** 1024
EXACT = Context(prec=2_000)


def exact_threshold(edge: float, scale: int | None) -> tuple[Decimal, bool]:
    """
    What an exact number must exceed for its float64 to be above an edge.

    Parameters
    ----------
    edge : float
    scale : int or None
        Digits behind the point that the column has at most; None if there is no bound.

    Returns
    -------
    threshold : Decimal
        With no more digits behind the point than the column has.
    reached : bool
        True if the threshold itself is above the edge, too.

    Examples
    --------
    >>> exact_threshold(0.1, 2)
    (Decimal('0.10'), False)
    """
    above = math.nextafter(edge, math.inf)
    upper = NEXT_OF_LARGEST if math.isinf(above) else Fraction(above)
    middle = (Fraction(edge) + upper) / 2
    # A number in the middle becomes the float whose last bit is 0.
    reached = int(np.float64(above).view(np.uint64)) % 2 == 0
    if scale is None:
        return EXACT.divide(Decimal(middle.numerator), Decimal(middle.denominator)), reached
    units = middle * 10**scale
    whole = math.floor(units)
    return Decimal(whole).scaleb(-scale, EXACT), reached and whole == units

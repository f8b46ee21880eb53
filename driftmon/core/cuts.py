"""
Where the values of a number type are cut: edges put in terms of the type itself.

A value is above an edge if, as a float64, it is larger. For each type there is a least such value, so that float32 and integers
are compared as they are, without a copy as float64, and fall in the very same bins: integers beyond 2**53, which no float64
holds, in those of the float64 next to them.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor, inf, nextafter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cuts", "native"]

WIDEST = 2.0**65

CACHED = 8_192
"""Layouts and types whose cuts are remembered: those of some thousand columns."""


def native(values: NDArray[Any]) -> NDArray[Any]:
    """
    Numbers in one of the types that are compared as they are: float64, float32 and integers, in the machine's byte order.

    Copies only what is of another type, or has gaps in memory. No value changes that counts: half floats and booleans are exact
    in the type they get.
    """
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "f":
        wanted: Any = np.float64 if size >= 8 else np.float32
    else:
        wanted = np.uint8 if kind == "b" else values.dtype.newbyteorder("=")
    return np.ascontiguousarray(values, dtype=wanted)


@lru_cache(maxsize=CACHED)
def cuts(edges: tuple[float, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """
    The least value of a type above each edge.

    Parameters
    ----------
    edges : tuple of float
        Finite and strictly increasing.
    dtype : numpy dtype
        As `native` gives them.

    Returns
    -------
    ndarray of that type, ascending
        For floats first ``-inf``, which only NaN does not reach. Shorter if no value of the type is above the last edges.

    Examples
    --------
    >>> cuts((0.5, 7.0, 127.0), np.dtype(np.int8)).tolist()
    [1, 8]
    """
    if dtype.kind == "f":
        result = _float_cuts(edges, dtype)
    else:
        bounds = np.iinfo(dtype)
        least = [max(cut, int(bounds.min)) for edge in edges if (cut := _next_integer(edge)) <= bounds.max]
        result = np.array(least, dtype)
    result.flags.writeable = False  # shared by all who ask
    return result


def _float_cuts(edges: tuple[float, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    exact = np.array(edges)
    low, high = np.array((-inf, inf), dtype)
    with np.errstate(over="ignore", under="ignore"):  # edges outside of the type are cut at its end
        rounded = exact.astype(dtype)
        below = np.where(rounded > exact, np.nextafter(rounded, low), rounded)
        return np.concatenate(([low], np.nextafter(below, high)))


def _next_integer(edge: float) -> int:
    """The least integer that, as a float64, is larger than the edge."""
    if abs(edge) > WIDEST:
        return int(edge)  # outside of every type
    low, high = floor(edge), ceil(nextafter(edge, inf))
    while high - low > 1:  # only beyond 2**53, where integers round
        middle = (low + high) // 2
        low, high = (low, middle) if float(middle) > edge else (middle, high)
    return high

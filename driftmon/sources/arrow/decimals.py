"""Decimals as floats, each the float64 nearest to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array

__all__ = ["read_decimals"]

EXACT = 2**53
"""Integers up to here are float64 values, and so are the powers of ten up to `MOST_PLACES`: their quotient is rounded once."""

MOST_PLACES = 22


def read_decimals(array: Array) -> Array:
    """An Arrow array of decimals as float64, nulls kept."""
    units = _units(array) if 0 <= array.type.scale <= MOST_PLACES else None
    if units is None:
        # By way of text, since the direct cast is off by a rounding in one of eight values.
        return array.cast(pa.string()).cast(pa.float64())
    missing = np.asarray(array.is_null()) if array.null_count else None
    return pa.array(units / np.float64(10**array.type.scale), mask=missing)


def _units(array: Array) -> NDArray[np.int64] | None:
    """The integers that are stored, if all are exact as floats; what stands for a null is 0."""
    width, rows = array.type.bit_width, len(array)
    if width not in {32, 64, 128} or rows == 0:
        return None
    words: NDArray[Any] = np.frombuffer(array.buffers()[1], np.int32 if width == 32 else np.int64)
    parts = max(1, width // 64)
    table = words[array.offset * parts : (array.offset + rows) * parts].reshape(rows, parts)
    low: NDArray[np.int64] = table[:, 0]
    fits = (low > -EXACT) & (low < EXACT)
    if parts == 2:
        fits &= table[:, 1] == low >> 63  # the upper half says nothing but the sign
    if array.null_count:
        valid = np.asarray(array.is_valid())
        low, fits = np.where(valid, low, 0), fits | ~valid
    return low if fits.all() else None

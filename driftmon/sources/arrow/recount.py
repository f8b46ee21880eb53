"""The exact rows of the categories that a first reading found to be frequent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftmon.core.layout import KEY_LENGTH, category_key
from driftmon.sources.arrow.tally import texts

if TYPE_CHECKING:
    from collections.abc import Collection

    from driftmon.sources.arrow.batches import Array

__all__ = ["Recount"]


class Recount:
    """
    The exact rows of some categories.

    Parameters
    ----------
    categories : collection of str
        Keys (`category_key`).
    """

    def __init__(self, categories: Collection[str]) -> None:
        self.rows = dict.fromkeys(categories, 0)
        try:
            self._plain: Array = pa.array(list(categories), pa.large_string()).view(pa.large_binary())
        except UnicodeEncodeError:
            self._plain = None  # what is no proper text has to be looked at as strings

    def add(self, array: Array) -> None:
        """Count the rows of one more dictionary array."""
        codes = array.indices.drop_null() if array.indices.null_count else array.indices
        counts = np.bincount(np.asarray(codes).astype(np.intp, copy=False), minlength=len(array.dictionary))
        present = np.flatnonzero(counts)
        values, counts = array.dictionary.take(pa.array(present)).cast(pa.large_string()), counts[present]
        if self._plain is not None:
            bytes_ = values.view(pa.large_binary())
            # Long values are known by other keys.
            mask = pc.or_kleene(pc.is_in(bytes_, self._plain), pc.greater(pc.binary_length(bytes_), KEY_LENGTH))
            counts, values = counts[np.asarray(mask.fill_null(False))], values.filter(mask)
        for value, rows in zip(texts(values), counts.tolist(), strict=True):
            key = None if value is None else category_key(value)
            if key in self.rows:
                self.rows[key] += rows

    def merge(self, other: Recount) -> None:
        """Add the rows of another part."""
        for key, rows in other.rows.items():
            self.rows[key] += rows

"""Categories of one column, counted batch by batch; text with many of them is looked up by Arrow, not by Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.categories import category_bins
from driftmon.core.clues import NewCategories
from driftmon.core.histogram import Histogram
from driftmon.core.layout import KEY_LENGTH, category_key
from driftmon.sources.arrow.tally import CodeTally, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.layout import CategoricalLayout
    from driftmon.sources.arrow.batches import Array

__all__ = ["CategoryCounts", "KnownTexts"]

MOST_REMEMBERED = 8 * 2**20
"""Bytes of rare categories that are remembered, so that each needs a fingerprint once and not in every batch."""


class CategoryCounts:
    """
    Rows of each bin of a layout, and the novel categories among them.

    Parameters
    ----------
    layout : CategoricalLayout
    """

    def __init__(self, layout: CategoricalLayout) -> None:
        self.new = NewCategories()
        self._layout = layout
        self._tally = CodeTally()
        # The bins, then novel categories.
        self._bins = np.zeros(layout.size + 1, dtype=np.int64)
        self._rare: Array = pa.array([], pa.large_binary())

    def add(self, array: Array) -> None:
        """Count the rows of a dictionary array."""
        self._tally.add(array)
        if self._tally.full:
            self._settle()

    def histogram(self) -> Histogram:
        """The counts so far."""
        self._settle()
        other, missing, novel = self._bins[-3:].tolist()
        counts = (*self._bins[:-3].tolist(), other + novel, missing)
        return Histogram(counts, None if self._layout.novel_start is None else novel)

    def _settle(self) -> None:
        """Bin the categories that wait."""
        values, rows = self._tally.drain_arrays()
        self._bins[-2] += self._tally.nulls
        self._tally.nulls = 0
        if len(self._rare):
            rare = np.asarray(pc.is_in(values.view(pa.large_binary()), self._rare))
            self._bins[-3] += rows[rare].sum()
            values, rows = values.filter(pa.array(~rare)), rows[~rare]
        if len(values):
            self._bin(values, rows)

    def _bin(self, values: Array, rows: NDArray[np.int64]) -> None:
        names = texts(values)
        bins = category_bins(self._layout, names, novel=True)
        np.add.at(self._bins, bins, rows)
        if self._layout.novel_start is None:
            return
        novel = np.flatnonzero(bins == self._layout.size).tolist()
        self.new.add([category_key(names[place] or "") for place in novel], rows[novel].tolist())
        rare = values.filter(pa.array(bins == self._layout.size - 2)).view(pa.large_binary())
        if self._rare.nbytes + rare.nbytes <= MOST_REMEMBERED:
            self._rare = pa.concat_arrays([self._rare, rare])


class KnownTexts:
    """
    Text as codes of the categories of a layout, all others being one: for layouts that cannot tell which of the others are novel.

    Looking a value up among a few takes a fraction of what a dictionary of all values takes, if there are many.

    Parameters
    ----------
    layout : CategoricalLayout
    """

    def __init__(self, layout: CategoricalLayout) -> None:
        other = "other"
        while other in layout.index:
            other += "\0"
        self._keys: Array = pa.array([*layout.categories, other], pa.large_string())
        self._known: Array = self._keys[:-1].view(pa.large_binary())

    @classmethod
    def of(cls, layout: CategoricalLayout) -> KnownTexts | None:
        """Those of a layout; None if it can tell novel categories, or has categories that are no proper text."""
        if layout.novel_start is not None:
            return None
        try:
            return cls(layout)
        except UnicodeEncodeError:
            return None

    def coded(self, array: Array) -> Array:
        """A dictionary array; None for arrays that have a dictionary, and for long values, which have other keys."""
        if pat.is_string(array.type):
            values, known = array.view(pa.binary()), self._known.cast(pa.binary())
        elif pat.is_large_string(array.type):
            values, known = array.view(pa.large_binary()), self._known
        else:
            return None
        longest = pc.max(pc.binary_length(values)).as_py()
        if longest is not None and longest > KEY_LENGTH:
            return None
        codes = pc.fill_null(pc.index_in(values, known), len(known))
        if array.null_count:
            codes = pc.if_else(array.is_valid(), codes, pa.scalar(None, pa.int32()))
        return pa.DictionaryArray.from_arrays(codes, self._keys, safe=False)

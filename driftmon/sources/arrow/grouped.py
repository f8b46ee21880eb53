"""Counts of many groups of rows at once: of windows, of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from driftmon.core.binning import add_to_table, number_bins
from driftmon.core.categories import category_bins
from driftmon.core.layout import NumericLayout
from driftmon.sources.arrow.tally import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from driftmon.core.layout import Layout
    from driftmon.sources.arrow.batches import Array

__all__ = ["NO_GROUP", "GroupCounts", "Groups"]

NO_GROUP = -1

Groups: TypeAlias = "NDArray[np.int64]"
"""The number of the group of each row, `NO_GROUP` for those that are in none."""

NARROW = 255
"""Bins up to which they are kept as bytes."""


class GroupCounts:
    """
    A table of groups and bins for each column and each way to group rows.

    What a row costs does not depend on the number of groups.

    Parameters
    ----------
    layouts : mapping of str to Layout
    groups : mapping of (str or None) to int
        How many groups there are, for each way to group rows.
    novel : bool
        Count the rows of novel categories once more, behind the bins of columns whose layout can tell them.
    """

    def __init__(self, layouts: Mapping[str, Layout], groups: Mapping[str | None, int], *, novel: bool = False) -> None:
        self._columns = {name: _Bins(layout, novel=novel) for name, layout in layouts.items()}
        # The first row is for rows in no group: counting them costs less than picking the others.
        self._tables = {
            (name, way): np.zeros((1 + number, bins.size), np.int64)
            for name, bins in self._columns.items()
            for way, number in groups.items()
        }
        self._groups = groups

    def add(self, arrays: Mapping[str, Array], groups: Mapping[str | None, Groups]) -> None:
        """
        Count some rows.

        Parameters
        ----------
        arrays : mapping of str to Arrow array
            By column, as `countable` gives them.
        groups : mapping of (str or None) to Groups
            The groups of these rows, by way to group them.

        Raises
        ------
        IndexError
            If there is no such group.
        """
        rows = {way: self._rows(way, numbers) for way, numbers in groups.items()}
        if not rows:
            return
        for name, array in arrays.items():
            bins = self._columns[name].numbers(array)
            for way, places in rows.items():
                add_to_table(self._tables[name, way], places, bins)

    def table(self, name: str, way: str | None) -> NDArray[np.int64]:
        """The counts of a column, shape (groups, bins)."""
        return self._tables[name, way][1:]

    def total(self, name: str, way: str | None) -> NDArray[np.int64]:
        """The counts of all rows of a column, in a group or not, shape (bins,)."""
        total: NDArray[np.int64] = self._tables[name, way].sum(axis=0)
        return total

    def _rows(self, way: str | None, numbers: Groups) -> Groups:
        """Rows of the tables, seen to be within them."""
        if len(numbers) and not NO_GROUP <= int(numbers.min()) <= int(numbers.max()) < self._groups[way]:
            raise IndexError(f"groups from {numbers.min()} to {numbers.max()}; there are {self._groups[way]}")
        places: Groups = np.add(numbers, 1, dtype=np.int64)
        return places


class _Bins:
    """The bins of one column's rows; those of a dictionary that comes again are known already."""

    def __init__(self, layout: Layout, *, novel: bool) -> None:
        self._layout = layout
        self._novel = novel and layout.novel_start is not None
        self._dictionary: Array = None
        self._of_code: NDArray[Any] = np.zeros(0, np.intp)
        self.size = layout.size + self._novel

    def numbers(self, array: Array) -> NDArray[Any]:
        """The number of the bin of each row; novel categories have one behind the bins, where they are asked for."""
        if isinstance(self._layout, NumericLayout):
            return _number_bins(self._layout, array)
        dictionary = array.dictionary
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            bins = category_bins(self._layout, [*texts(dictionary), None], novel=self._novel)
            self._of_code = bins.astype(np.uint8) if self.size <= NARROW else bins
            self._dictionary = dictionary
        codes = array.indices
        if codes.null_count:
            # Null codes become the last position.
            codes = codes.cast(pa.int64()).fill_null(len(dictionary))
        numbers: NDArray[Any] = self._of_code[codes.to_numpy()]
        return numbers


def _number_bins(layout: NumericLayout, array: Array) -> NDArray[Any]:
    if not array.null_count:
        return number_bins(layout, array.to_numpy())
    # What stands in the place of a missing value is anything, but of the type.
    kind = np.dtype(array.type.to_pandas_dtype())
    values = np.frombuffer(array.buffers()[1], kind, len(array), array.offset * kind.itemsize)
    bins = number_bins(layout, values)
    bins[np.asarray(array.is_null())] = layout.size - 1
    return bins

"""Counts of many groups of rows at once: of windows, of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from driftmon.core.binning import category_bins, number_bins
from driftmon.core.layout import NumericLayout
from driftmon.sources.arrow.tally import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from driftmon.core.layout import CategoricalLayout, Layout
    from driftmon.sources.arrow.batches import Array

__all__ = ["ALL_ROWS", "GroupCounts", "Groups"]

ALL_ROWS = slice(None)

Groups: TypeAlias = "tuple[slice | NDArray[np.intp], NDArray[np.intp]]"
"""Positions of rows, and the number of the group of each."""


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
        self._tables = {
            (name, way): np.zeros((number, bins.size), np.int64)
            for name, bins in self._columns.items()
            for way, number in groups.items()
        }

    def add(self, arrays: Mapping[str, Array], groups: Mapping[str | None, Groups]) -> None:
        """
        Count some rows.

        Parameters
        ----------
        arrays : mapping of str to Arrow array
            By column, as `countable` gives them.
        groups : mapping of (str or None) to Groups
            The groups of these rows, by way to group them; those that are not among the positions are in none.
        """
        if not groups:
            return
        for name, array in arrays.items():
            bins = self._columns[name]
            numbers = bins.numbers(array)
            for way, (rows, places) in groups.items():
                # Cell by cell: counting into a table of its own first would cost as much as there are groups.
                np.add.at(self._tables[name, way].reshape(-1), places * bins.size + numbers[rows], 1)

    def table(self, name: str, way: str | None) -> NDArray[np.int64]:
        """The counts of a column, shape (groups, bins)."""
        return self._tables[name, way]


class _Bins:
    """The bins of one column's rows; those of a dictionary that comes again are known already."""

    def __init__(self, layout: Layout, *, novel: bool) -> None:
        self._layout = layout
        self._novel = novel and layout.novel_start is not None
        self._dictionary: Array = None
        self._of_code: NDArray[np.intp] = np.zeros(0, np.intp)
        self.size = layout.size + self._novel

    def numbers(self, array: Array) -> NDArray[np.intp]:
        """The number of the bin of each row; novel categories have one behind the bins, where they are asked for."""
        if isinstance(self._layout, NumericLayout):
            return number_bins(self._layout, array.to_numpy(zero_copy_only=False))
        dictionary = array.dictionary
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            self._of_code = self._binned(self._layout, dictionary)
            self._dictionary = dictionary
        # Null codes become the last position.
        numbers: NDArray[np.intp] = self._of_code[np.asarray(array.indices.cast(pa.int64()).fill_null(len(dictionary)))]
        return numbers

    def _binned(self, layout: CategoricalLayout, dictionary: Array) -> NDArray[np.intp]:
        return category_bins(layout, [*texts(dictionary), None], novel=self._novel)

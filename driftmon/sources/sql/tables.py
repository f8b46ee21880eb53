"""What the answers of a database add up to: a table of groups and bins for each column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftmon.core.binning import number_bins
from driftmon.core.categories import category_bins
from driftmon.core.clues import NewCategories
from driftmon.core.layout import CategoricalLayout, NumericLayout, category_key
from driftmon.sources.arrow.casting import ColumnProblem, countable
from driftmon.sources.arrow.tally import texts
from driftmon.sources.sql.terms import CategoryTerm, TruthTerm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.layout import Layout
    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.casting import Monitored
    from driftmon.sources.arrow.zones import Zone
    from driftmon.sources.sql.plan import Plan
    from driftmon.sources.sql.terms import Term

__all__ = ["Places", "Tables"]

TRUTH = ("false", "true")

Places = dict[str | None, Any]
"""By segment column, None being all rows: the group of each row of an answer, -1 for none."""


class Tables:
    """
    Counts by column, by way to group rows, by group and bin.

    Parameters
    ----------
    plan : Plan
    columns : mapping of str to BaselineColumn
    segments : mapping of str to sequence of str
    windows : int
        How many there are.
    zone : Zone

    Attributes
    ----------
    problems, lost_segments : dict of str to str
        Columns that cannot be counted, and segment columns that cannot be told apart.
    segments : dict of str to sequence of str
        The others.
    rows : dict of (str or None) to ndarray of int, shape (groups,)
        By segment column, None being all rows; the groups of a segment are its values times the windows.
    new : dict of str to NewCategories
        The novel categories of columns that were asked for them.
    """

    def __init__(
        self,
        plan: Plan,
        columns: Mapping[str, BaselineColumn],
        segments: Mapping[str, Sequence[str]],
        windows: int,
        zone: Zone,
    ) -> None:
        self.problems = plan.problems
        self.lost_segments = plan.lost_segments
        self.segments = {name: values for name, values in segments.items() if name not in plan.lost_segments}
        self.new: dict[str, NewCategories] = {}
        self.windows = windows
        self._plan = plan
        self._layouts: dict[str, Layout] = {name: column.layout for name, column in columns.items()}
        self._zone = zone
        groups: dict[str | None, int] = {None: windows}
        groups.update({name: len(values) * windows for name, values in self.segments.items()})
        self.rows = {way: np.zeros(number, np.int64) for way, number in groups.items()}
        self._tables = {
            (name, way): np.zeros((number, layout.size + 1), np.int64)
            for name, layout in self._layouts.items()
            for way, number in groups.items()
        }

    def bins(self, name: str, way: str | None) -> NDArray[np.int64]:
        """The counts of a column, shape (groups, bins)."""
        return self._tables[name, way][:, :-1]

    def novel(self, name: str, way: str | None) -> NDArray[np.int64]:
        """The rows of novel categories, which are in the bin ``other``, too."""
        return self._tables[name, way][:, -1]

    def add_rows(self, rows: NDArray[np.int64], places: Places) -> None:
        """Add rows to their groups."""
        for way, groups in places.items():
            inside = groups >= 0
            np.add.at(self.rows[way], groups[inside], rows[inside])

    def add_term(self, term: Term, counts: NDArray[np.int64], rows: NDArray[np.int64], places: Places) -> None:
        """Add what the aggregates of a column counted in some groups."""
        found = term.bins(counts, rows)
        bins = self._spread(term, found)
        if isinstance(term, TruthTerm) and None in places:
            self._tell_truth(term, found[places[None] >= 0].sum(axis=0))
        for way, groups in places.items():
            inside = groups >= 0
            np.add.at(self._tables[term.name, way], groups[inside], bins[inside])

    def _tell_truth(self, term: TruthTerm, rows: NDArray[np.int64]) -> None:
        layout = self._layouts[term.name]
        if isinstance(layout, CategoricalLayout):
            novel = np.flatnonzero(category_bins(layout, TRUTH, novel=True) == layout.size)
            self.add_new(term.name, [TRUTH[place] for place in novel], [int(rows[place]) for place in novel])

    def _spread(self, term: Term, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        layout = self._layouts[term.name]
        if isinstance(term, TruthTerm) and isinstance(layout, CategoricalLayout):
            return _of_truth(layout, bins)
        novel = np.zeros(len(bins), np.int64)
        if isinstance(term, CategoryTerm) and term.layout.rare is not None:
            novel = bins[:, -2]  # no category of the reference is without a bin
        return np.column_stack((bins, novel))

    def add_values(self, raw: str, array: Array, rows: NDArray[np.int64], places: Places) -> None:
        """Add rows that were grouped by the values of a column of the data."""
        batch = self._plan.batch(raw, array)
        for one in self._plan.grouped[raw]:
            if one.name in self.problems:
                continue
            try:
                bins = self._bins(one, batch)
            except ColumnProblem as exc:
                self.problems[one.name] = str(exc)
                continue
            self._add(one, bins, rows, places)
            novel = bins == self._layouts[one.name].size
            if None in places and novel.any():
                novel &= places[None] >= 0
                keys = countable(batch, one, self._zone).filter(pa.array(novel)).cast(pa.large_string())
                self.add_new(one.name, texts(keys), rows[novel].tolist())

    def _add(self, one: Monitored, bins: NDArray[np.intp], rows: NDArray[np.int64], places: Places) -> None:
        layout = self._layouts[one.name]
        novel = bins == layout.size
        cells = np.where(novel, layout.size - 2, bins)
        for way, groups in places.items():
            inside = groups >= 0
            table = self._tables[one.name, way]
            np.add.at(table, (groups[inside], cells[inside]), rows[inside])
            inside = inside & novel
            np.add.at(table, (groups[inside], bins[inside]), rows[inside])

    def add_new(self, name: str, values: Iterable[str | None], rows: Iterable[int]) -> None:
        """Tell of novel categories and their rows."""
        keys = (category_key(value) for value in values if value is not None)
        self.new.setdefault(name, NewCategories()).add(keys, rows)

    def _bins(self, one: Monitored, batch: Batch) -> NDArray[np.intp]:
        """The bin of each value; ``layout.size`` for novel ones."""
        array, layout = countable(batch, one, self._zone), self._layouts[one.name]
        if isinstance(layout, NumericLayout):
            return number_bins(layout, array.to_numpy(zero_copy_only=False)).astype(np.intp)
        keys = [*texts(array.dictionary), None]
        codes = np.asarray(array.indices.cast(pa.int64()).fill_null(len(keys) - 1))
        bins: NDArray[np.intp] = category_bins(layout, keys, novel=True)[codes]
        return bins


def _of_truth(layout: CategoricalLayout, bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of false, true and missing in the bins of a layout, and those that are novel once more."""
    found = np.zeros((len(bins), layout.size + 1), np.int64)
    for place, where in enumerate(category_bins(layout, TRUTH, novel=True)):
        found[:, where] += bins[:, place]
        if where == layout.size:
            found[:, layout.size - 2] += bins[:, place]
    found[:, layout.size - 1] = bins[:, -1]
    return found

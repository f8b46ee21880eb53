"""The columns of one count, batch by batch: their values, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftmon.core.layout import CategoricalLayout, Kind, category_key
from driftmon.sources.arrow.casting import ColumnProblem, Monitored, countable, monitored
from driftmon.sources.arrow.categories import KnownTexts
from driftmon.sources.arrow.grouped import NO_GROUP
from driftmon.sources.arrow.kinds import Family, column_type
from driftmon.sources.arrow.tally import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftmon.core.baseline import BaselineColumn
    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["Columns", "raw_names"]


def raw_names(columns: Mapping[str, BaselineColumn], segments: Iterable[str] = ()) -> set[str]:
    """The columns of the data that counting needs to read."""
    return {monitored(name, column).raw for name, column in columns.items()} | {*segments}


class Columns:
    """
    The monitored columns and the segment columns of one count.

    A column with a problem is left out from the batch on that shows it, and all its counts with it. Files without a row of the
    window have no say in what can be counted, unless there are no rows at all.

    Parameters
    ----------
    columns : mapping of str to BaselineColumn
    segments : mapping of str to sequence of str
        Segment columns, each with the values to tell apart.
    zone : Zone
        Whose wall clock tells hours and weekdays.
    """

    def __init__(
        self, columns: Mapping[str, BaselineColumn], segments: Mapping[str, Sequence[str]], zone: Zone
    ) -> None:
        self._problems: dict[str, str] = {}
        self._any = False
        self._unread: dict[str, str] = {}
        self._readable: set[str] = set()
        self._columns = {name: monitored(name, column) for name, column in columns.items()}
        self._known = {
            name: known
            for name, column in columns.items()
            if isinstance(column.layout, CategoricalLayout)
            and self._columns[name].family is Family.TEXT
            and column.kind is Kind.CATEGORICAL
            and (known := KnownTexts.of(column.layout)) is not None
        }
        self._segments = {
            segment: {value: number for number, value in enumerate(values)} for segment, values in segments.items()
        }
        self._zone = zone

    @property
    def problems(self) -> dict[str, str]:
        """The reason for each column that is left out, so far."""
        if self._any:
            return self._problems
        return {name: text for name, text in self._unread.items() if name not in self._readable}

    def values(self, batch: Batch) -> dict[str, Array]:
        """What is to be counted of each column; see `countable`."""
        self._any = self._any or batch.rows > 0
        arrays: dict[str, Array] = {}
        problems = self._problems if batch.rows else self._unread
        for name, column in self._columns.items():
            if name not in self._problems:
                try:
                    codes = self._known_codes(batch, column)
                    arrays[name] = countable(batch, column, self._zone) if codes is None else codes
                except ColumnProblem as exc:
                    problems[name] = str(exc)
        if not batch.rows:
            self._readable.update(arrays)
        return arrays

    def _known_codes(self, batch: Batch, column: Monitored) -> Array:
        """The values of text, where only the layout's own categories need to be told apart; None where that is not so."""
        known = self._known.get(column.name)
        return None if known is None or column.raw not in batch.columns else known.coded(batch.columns[column.raw])

    def segments(self, batch: Batch) -> dict[str, NDArray[np.intp]]:
        """By segment column, the position of each row's value among those to tell apart; `NO_GROUP` if it is none of them."""
        self._any = self._any or batch.rows > 0
        found: dict[str, NDArray[np.intp]] = {}
        for segment, wanted in self._segments.items():
            if batch.rows:
                found[segment] = self._places(segment, wanted, batch)
        return found

    def _places(self, segment: str, wanted: Mapping[str, int], batch: Batch) -> NDArray[np.intp]:
        nowhere = np.full(batch.rows, NO_GROUP, dtype=np.intp)
        if segment in self._problems:
            return nowhere
        try:
            array = countable(batch, self._as_categories(segment, batch), self._zone)
        except ColumnProblem as exc:
            self._problems[segment] = str(exc)
            return nowhere
        keys = texts(array.dictionary)
        # Null codes become the last position, whose segment is none.
        places = [NO_GROUP if key is None else wanted.get(category_key(key), NO_GROUP) for key in keys]
        codes = np.asarray(array.indices.cast(pa.int64()).fill_null(len(keys)))
        found: NDArray[np.intp] = np.array([*places, NO_GROUP], dtype=np.intp)[codes]
        return found

    def _as_categories(self, segment: str, batch: Batch) -> Monitored:
        """The segment column as categories, whatever it is monitored as."""
        column = self._columns.get(segment)
        if column is None:
            array = batch.columns.get(segment)
            return Monitored(
                segment, segment, Kind.CATEGORICAL, "string" if array is None else column_type(array.type).name
            )
        if column.kind is Kind.NUMERIC:
            return Monitored(segment, column.raw, Kind.CATEGORICAL, column.dtype)
        return column

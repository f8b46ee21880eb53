"""Counts as rows of a table, (cell, rows, text): what a cluster can add up without knowing what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from driftmon.core.clues import MOST_NEW, Clues
from driftmon.core.histogram import Histogram, Profile, segment_name
from driftmon.core.layout import CategoricalLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.history import Key
    from driftmon.sources.arrow.batches import RecordBatch

__all__ = ["FAILED", "SCHEMA", "HistoryCells", "ProfileCells", "Sums", "cell_rows"]

Table: TypeAlias = Any  # of Arrow, which publishes no types

SCHEMA = "cell long, rows long, text string"
"""Of the rows, as Spark reads it."""

ARROW = pa.schema([("cell", pa.int64()), ("rows", pa.int64()), ("text", pa.string())])

FAILED = -(2**62)
"""The cell of an error that ends the count; its text says which."""

PROBLEM, NEW = -1, -(2**40)
"""From here downwards are the cells of what is wrong with each column, and of the new categories of each."""


def cell_rows(
    cells: NDArray[np.int64] | Sequence[int],
    rows: NDArray[np.int64] | Sequence[int],
    texts: Sequence[str] | None = None,
) -> RecordBatch:
    """Rows of the table; without texts they are counts."""
    said = pa.nulls(len(cells), pa.string()) if texts is None else pa.array(map(_utf8, texts), pa.string())
    return pa.RecordBatch.from_arrays([pa.array(cells, pa.int64()), pa.array(rows, pa.int64()), said], schema=ARROW)


class Sums:
    """
    The sum of each cell, as it came back from the cluster.

    Parameters
    ----------
    table : Arrow table
        Cell, rows, text; each cell of counts once.
    size : int
        How many cells of counts there are.
    """

    def __init__(self, table: Table, size: int) -> None:
        counts = table.filter(table.column("text").is_null())
        self.counts: NDArray[np.int64] = np.zeros(size, np.int64)
        self.counts[counts.column("cell").to_numpy()] = counts.column("rows").to_numpy()
        self._texts: dict[int, dict[str, int]] = {}
        for row in table.filter(table.column("text").is_valid()).to_pylist():
            self._texts.setdefault(row["cell"], {})[row["text"]] = row["rows"]

    @property
    def failure(self) -> str | None:
        """The error that ended the count, if one did: the same, whichever partition was the first to meet one."""
        return min(self._texts[FAILED]) if FAILED in self._texts else None

    def texts(self, cell: int) -> set[str]:
        """What partitions said of a cell."""
        return set(self._texts.get(cell, ()))

    def problems(self, names: Sequence[str]) -> dict[str, str]:
        """What is wrong with each column: the same, whichever partition was the first to find something."""
        said = {name: self._texts.get(PROBLEM - number) for number, name in enumerate(names)}
        return {name: min(texts) for name, texts in said.items() if texts}

    def new(self, names: Sequence[str]) -> dict[str, tuple[tuple[str, int], ...]]:
        """The new categories of each column, the most frequent first."""
        found = {name: self._texts.get(NEW - number, {}) for number, name in enumerate(names)}
        return {
            name: tuple(sorted(texts.items(), key=lambda item: (-item[1], item[0]))[:MOST_NEW])
            for name, texts in found.items()
        }


class ProfileCells:
    """
    The cells of a profile: one for each bin of each column, of all rows and of each segment.

    Parameters
    ----------
    columns : mapping of str to BaselineColumn
    segments : mapping of str to sequence of str
    """

    def __init__(self, columns: Mapping[str, BaselineColumn], segments: Mapping[str, Sequence[str]]) -> None:
        self._columns = columns
        self._segments = segments
        self._names = [*columns, *(name for name in segments if name not in columns)]
        self._width = 1 + sum(_cells(column) for column in columns.values())
        self._parts = [None, *(segment_name(name, value) for name, values in segments.items() for value in values)]

    @property
    def size(self) -> int:
        """How many cells of counts there are."""
        return self._width * len(self._parts)

    def rows(self, profile: Profile) -> Iterator[RecordBatch]:
        """The counts of one partition, its problems and its new categories; cells without rows are left out."""
        counts = np.concatenate([self._flat(profile, part) for part in self._parts])
        filled = np.flatnonzero(counts)
        yield cell_rows(filled, counts[filled])
        problems = [(PROBLEM - self._names.index(name), text) for name, text in profile.problems.items()]
        yield cell_rows([cell for cell, _ in problems], [1] * len(problems), [text for _, text in problems])
        new = [
            (NEW - number, rows, category)
            for number, name in enumerate(self._columns)
            if name in profile.clues
            for category, rows in profile.clues[name].new
        ]
        yield cell_rows([cell for cell, _, _ in new], [rows for _, rows, _ in new], [text for _, _, text in new])

    def profile(self, sums: Sums) -> Profile:
        """The profile of all partitions."""
        problems = sums.problems(self._names)
        new = sums.new(list(self._columns))
        tables = dict(zip(self._parts, sums.counts.reshape(len(self._parts), self._width), strict=True))
        whole = self._part(tables[None], problems)
        segments = {
            name: self._part(tables[name], problems)
            for segment, values in self._segments.items()
            if segment not in problems
            for name in (segment_name(segment, value) for value in values)
        }
        clues = {
            name: Clues(whole.rows - histogram.missing, new=new[name])
            for name, histogram in whole.histograms.items()
            # What the values of a number say takes a sample in the order of the rows, of which partitions have none.
            if whole.rows and _categorical(self._columns[name])
        }
        return Profile(whole.rows, whole.histograms, problems, segments, clues)

    def _flat(self, profile: Profile, part: str | None) -> NDArray[np.int64]:
        found = profile if part is None else profile.segments.get(part)
        flat = np.zeros(self._width, np.int64)
        if found is None:
            return flat
        flat[0] = found.rows
        start = 1
        for name, column in self._columns.items():
            end = start + _cells(column)
            histogram = found.histograms.get(name)
            if histogram is not None:
                flat[start:end] = (*histogram.counts, histogram.novel or 0)
            start = end
        return flat

    def _part(self, flat: NDArray[np.int64], problems: Mapping[str, str]) -> Profile:
        histograms: dict[str, Histogram] = {}
        start = 1
        for name, column in self._columns.items():
            end = start + _cells(column)
            if name not in problems:
                *counts, novel = flat[start:end].tolist()
                histograms[name] = Histogram(tuple(counts), None if column.layout.novel_start is None else novel)
            start = end
        return Profile(int(flat[0]), histograms)


class HistoryCells:
    """
    The cells of a history: one for each window and bin of each column, of all rows and of each segment.

    Parameters
    ----------
    columns : mapping of str to BaselineColumn
    segments : mapping of str to sequence of str
    windows : int
    """

    def __init__(
        self, columns: Mapping[str, BaselineColumn], segments: Mapping[str, Sequence[str]], windows: int
    ) -> None:
        self._names = [*columns, *(name for name in segments if name not in columns)]
        self._shapes: dict[Key, tuple[int, int]] = {}
        self._segment_of: dict[Key, str | None] = {}
        for name, column in columns.items():
            for segment, values in [(None, [""]), *segments.items()]:
                for value in values:
                    key = name, None if segment is None else segment_name(segment, value)
                    self._shapes[key] = windows, column.layout.size
                    self._segment_of[key] = segment
        self._starts = np.cumsum([0, *(windows * bins for windows, bins in self._shapes.values())])

    @property
    def size(self) -> int:
        """How many cells of counts there are."""
        return int(self._starts[-1])

    def rows(self, counts: Mapping[Key, NDArray[np.int64]], problems: Mapping[str, str]) -> Iterator[RecordBatch]:
        """The counts of one partition, and its problems; cells without rows are left out."""
        for start, key in zip(self._starts[:-1], self._shapes, strict=True):
            if key in counts:
                flat = counts[key].reshape(-1)
                filled = np.flatnonzero(flat)
                yield cell_rows(start + filled, flat[filled])
        said = [(PROBLEM - self._names.index(name), text) for name, text in problems.items()]
        yield cell_rows([cell for cell, _ in said], [1] * len(said), [text for _, text in said])

    def counts(self, sums: Sums) -> dict[Key, NDArray[np.int64]]:
        """The counts of all partitions; columns and segments with a problem are left out."""
        problems = sums.problems(self._names)
        return {
            key: sums.counts[start : start + shape[0] * shape[1]].reshape(shape)
            for start, (key, shape) in zip(self._starts[:-1].tolist(), self._shapes.items(), strict=True)
            if key[0] not in problems and self._segment_of[key] not in problems
        }


def _cells(column: BaselineColumn) -> int:
    """The bins of a column, and one for the rows of novel categories."""
    return column.layout.size + 1


def _categorical(column: BaselineColumn) -> bool:
    return isinstance(column.layout, CategoricalLayout)


def _utf8(text: str) -> str:
    """Text that Arrow takes: of lone surrogates their code."""
    return text.encode("utf-8", "backslashreplace").decode()

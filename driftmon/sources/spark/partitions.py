"""
What an executor does with the rows of one partition: counts them, with the kernel of all sources.

Runs on the cluster, where numpy and pyarrow are all there is besides this package: nothing else is imported from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pat

from driftmon.core.histogram import segment_name
from driftmon.errors import DriftmonError
from driftmon.sources.arrow.batches import record_batch
from driftmon.sources.arrow.counting import count_batches, count_history
from driftmon.sources.arrow.extent import extent
from driftmon.sources.arrow.reading import Reader, numbered
from driftmon.sources.arrow.text import Narrowing
from driftmon.sources.arrow.times import microseconds_of
from driftmon.sources.spark.cells import FAILED, HistoryCells, ProfileCells, cell_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.window import Window
    from driftmon.sources.arrow.batches import Array, Batch, Field, RecordBatch
    from driftmon.sources.arrow.timefilter import TimeFilter

__all__ = [
    "SPAN_SCHEMA",
    "Blocks",
    "Count",
    "Meanings",
    "Reading",
    "Rows",
    "Span",
    "Windows",
    "partition_number",
]

SPAN_SCHEMA = "start long, stop long, text string"
UNCOUNTED = "cannot be counted"
_SPAN = pa.schema([("start", pa.int64()), ("stop", pa.int64()), ("text", pa.string())])


@dataclass(frozen=True)
class Reading:
    """
    How the rows of a partition are to be read.

    Parameters
    ----------
    names : tuple of str
        The columns of its batches; they travel under names of their own, since Spark takes dots and backticks for syntax.
    every : tuple of str
        All columns of the place, for messages.
    place : str
    timestamp : str or None
    timezone : str
    window : Window or None
        Rows outside of it may come, and do not count.
    """

    names: tuple[str, ...]
    every: tuple[str, ...]
    place: str
    timestamp: str | None
    timezone: str
    window: Window | None

    def reader(self, batches: Iterator[RecordBatch]) -> Reader:
        """The rows as every source reads them; once."""
        return Reader(_PartitionRows(self, batches), self.timestamp, self.timezone, self.window)

    def named(self, batch: RecordBatch) -> RecordBatch:
        """A batch under the names of its columns, and its instants in the time zone of no session."""
        return pa.RecordBatch.from_arrays([_in_utc(column) for column in batch.columns], names=list(self.names))


@dataclass(frozen=True)
class Count:
    """Counts the rows of a partition into learnt layouts."""

    reading: Reading
    columns: Mapping[str, BaselineColumn]
    segments: Mapping[str, Sequence[str]]

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """The cells of a `Profile`."""
        reader = self.reading.reader(batches)
        try:
            rows = reader.read(self.reading.names)
            profile = count_batches(rows, self.columns, zone=reader.zone, segments=self.segments)
        except DriftmonError as exc:
            yield _failed(exc)
            return
        yield from ProfileCells(self.columns, self.segments).rows(profile)


@dataclass(frozen=True)
class Windows:
    """Counts the rows of each window in a partition."""

    reading: Reading
    columns: Mapping[str, BaselineColumn]
    segments: Mapping[str, Sequence[str]]
    windows: tuple[Window, ...]

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """The cells of a history."""
        reader = self.reading.reader(batches)
        parts = reader.in_windows(self.reading.names, self.windows)
        yield from _history(parts, len(self.windows), self, reader)


@dataclass(frozen=True)
class Blocks:
    """
    Counts the rows of each block of rows in a partition.

    Parameters
    ----------
    firsts : mapping of int to int
        By partition, the number of its first row.
    rows : int
        Of all partitions.
    """

    reading: Reading
    columns: Mapping[str, BaselineColumn]
    segments: Mapping[str, Sequence[str]]
    blocks: int
    firsts: Mapping[int, int]
    rows: int

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """The cells of a history."""
        reader = self.reading.reader(batches)
        rows, first = reader.read(self.reading.names), self.firsts.get(partition_number(), 0)
        yield from _history(numbered(rows, self.blocks, self.rows, first=first), self.blocks, self, reader)


@dataclass(frozen=True)
class Rows:
    """Counts the rows of a partition, in a cell that has its number."""

    reading: Reading

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """One cell."""
        try:
            rows = sum(batch.rows for batch in self.reading.reader(batches).read(self.reading.names))
        except DriftmonError as exc:
            yield _failed(exc)
            return
        yield cell_rows([partition_number()], [rows])


@dataclass(frozen=True)
class Span:
    """From when to when the rows of a partition are."""

    reading: Reading

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """Microseconds since 1970 UTC of the first timestamp and behind the last; nothing if there are none."""
        reader = self.reading.reader(batches)
        try:
            ends = extent(reader)
        except DriftmonError as exc:
            yield _span(0, 0, str(exc))
            return
        if ends is not None:
            yield _span(microseconds_of(ends.start), microseconds_of(ends.end), None)


@dataclass(frozen=True)
class Meanings:
    """What the text of some columns of a partition can be read as."""

    reading: Reading
    names: tuple[str, ...]

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """A cell for each column, with the family as its text."""
        reader = self.reading.reader(batches)
        narrowing = {name: Narrowing(reader.zone) for name in self.names}
        try:
            for batch in reader.read(self.reading.names):
                for name, each in narrowing.items():
                    each.add(batch.columns[name])
        except DriftmonError as exc:
            yield _failed(exc)
            return
        families = [str(each.meant.family) for each in narrowing.values()]
        yield cell_rows(range(len(families)), [1] * len(families), families)


class _PartitionRows:
    """The rows of a partition, which come once, in the order in which they are stored."""

    def __init__(self, reading: Reading, batches: Iterator[RecordBatch]) -> None:
        self.place = reading.place
        self._reading = reading
        self._batches = batches

    def fields(self) -> Sequence[Field]:
        """Nothing that a partition is asked: whoever sends the work knows the columns."""
        return ()

    def total(self, filter_: TimeFilter | None) -> int | None:
        """Nobody knows before they were read."""
        del filter_
        return None

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows, under the names of their columns."""
        del names, filter_
        for batch in self._batches:
            yield record_batch(self._reading.named(batch), self._reading.every, self._reading.place)


def _in_utc(array: Array) -> Array:
    """As text, instants in the time zone of a session would differ from one to the next."""
    if pat.is_timestamp(array.type) and array.type.tz not in {None, "UTC"}:
        return array.cast(pa.timestamp(array.type.unit, "UTC"))
    return array


def _history(
    parts: Iterator[tuple[Batch, NDArray[np.intp]]], windows: int, work: Windows | Blocks, reader: Reader
) -> Iterator[RecordBatch]:
    columns, segments = work.columns, work.segments
    try:
        counts, _ = count_history(parts, windows, columns, zone=reader.zone, segments=segments)
    except DriftmonError as exc:
        yield _failed(exc)
        return
    counted = {name for name, _ in counts}
    problems = {name: UNCOUNTED for name in columns if name not in counted}
    for segment, values in segments.items():
        keys = {(name, segment_name(segment, value)) for name in counted for value in values}
        if not keys <= counts.keys():
            problems[segment] = UNCOUNTED
    yield from HistoryCells(columns, segments, windows).rows(counts, problems)


def _failed(exc: DriftmonError) -> RecordBatch:
    return cell_rows([FAILED], [1], [str(exc)])


def _span(start: int, stop: int, text: str | None) -> RecordBatch:
    return pa.RecordBatch.from_pydict({"start": [start], "stop": [stop], "text": [text]}, schema=_SPAN)


def partition_number() -> int:
    """Which partition this task works on."""
    from pyspark import TaskContext  # noqa: PLC0415 - an extra; executors have it

    context = TaskContext.get()
    return 0 if context is None else context.partitionId()

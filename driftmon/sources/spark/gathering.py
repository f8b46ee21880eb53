"""
What executors do to learn: gather what each partition tells of each column, then add up what several partitions told.

Runs on the cluster, as `driftmon.sources.spark.partitions` does.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from driftmon.errors import DriftmonError
from driftmon.sources.arrow.passes import Partial, gather, total
from driftmon.sources.spark.partitions import partition_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from driftmon.sources.arrow.batches import RecordBatch
    from driftmon.sources.arrow.passes import PassSpec
    from driftmon.sources.spark.cells import Table
    from driftmon.sources.spark.partitions import Reading

__all__ = ["FAN", "PARTIAL_SCHEMA", "Gather", "merged", "unpacked"]

FAN = 16
"""Partitions whose partials one task adds up; a tree of so many branches adds up all."""

PARTIAL_SCHEMA = "name string, place long, partial binary, text string"
_PARTIAL = pa.schema([("name", pa.string()), ("place", pa.int64()), ("partial", pa.binary()), ("text", pa.string())])


@dataclass(frozen=True)
class Gather:
    """One pass of learning over the rows of a partition."""

    reading: Reading
    spec: PassSpec

    def __call__(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """A row for each column, since all of them together can be larger than what Spark moves at once; and one of the rows."""
        reader = self.reading.reader(batches)
        place = partition_number() // FAN
        try:
            whole = gather(self.spec, reader.read(self.reading.names))
        except DriftmonError as exc:
            yield _row("", place, None, str(exc))
            return
        yield _row("", place, Partial(whole.rows, {}), None)
        for name, state in whole.states.items():
            yield _row(f"={name}", place, Partial(0, {name: state}), None)


def merged(table: Table) -> Table:
    """The sum of some partials of one column, as a place among the next ones."""
    name, place = (table.column(field)[0].as_py() for field in ("name", "place"))
    texts = [text for text in table.column("text").to_pylist() if text is not None]
    partial = None if texts else total(unpacked(table))
    return pa.Table.from_batches([_row(name, place // FAN, partial, min(texts, default=None))])


def unpacked(table: Table) -> Iterable[Partial]:
    """The partials of a table, one by one."""
    for value in table.column("partial"):
        partial: Partial = pickle.loads(value.as_py())  # noqa: S301 - our own executors wrote it, as all that Spark moves
        yield partial


def _row(name: str, place: int, partial: Partial | None, text: str | None) -> RecordBatch:
    packed = None if partial is None else pickle.dumps(partial, protocol=5)
    columns = {"name": [name], "place": [place], "partial": [packed], "text": [text]}
    return pa.RecordBatch.from_pydict(columns, schema=_PARTIAL)

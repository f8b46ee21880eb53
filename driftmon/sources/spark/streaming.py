"""Rows brought to the driver, one batch after the other: for learning that no partition can do alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from driftmon.sources.arrow.batches import no_rows, record_batch
from driftmon.sources.spark.partitions import PACKED_SCHEMA, Pack
from driftmon.sources.spark.session import quiet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftmon.sources.arrow.batches import Batch, Field
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.spark.frame import Frame

__all__ = ["StreamedRows"]


class StreamedRows:
    """
    The rows of a frame, as often as they are asked for.

    Parameters
    ----------
    frame : Frame
    most : int, optional
        Only so many rows, any ones.
    """

    def __init__(self, frame: Frame, most: int | None = None) -> None:
        self.place = frame.place
        self._frame = frame
        self._most = most

    def fields(self) -> Sequence[Field]:
        """Every column."""
        return self._frame.fields()

    def total(self, filter_: TimeFilter | None) -> int | None:
        """The rows that there are, counted by the cluster; None for a sample."""
        if self._most is not None:
            return None
        reading = self._frame.reading((), None if filter_ is None else filter_.window)
        return sum(self._frame.rows_by_partition(reading).values())

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows, partition by partition; what cannot lie in the filter stays on the cluster."""
        window = None if filter_ is None else filter_.window
        reading = self._frame.reading(names, window)
        every = [field.name for field in self._frame.fields()]
        yield no_rows((field for field in self._frame.fields() if field.name in reading.names), every, self.place)
        part = self._frame.part(reading, window)
        if self._most is not None:
            part = part.limit(self._most)
        with quiet():
            packed = part.mapInArrow(Pack(reading), PACKED_SCHEMA).toLocalIterator()
        for row in packed:
            for batch in pa.ipc.open_stream(pa.py_buffer(bytes(row[0]))):
                yield record_batch(batch, every, self.place)

"""A few rows of a table, brought to the driver: all of them, where there are not more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.sources.arrow.batches import no_rows, record_batch
from driftmon.sources.spark.session import quiet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftmon.sources.arrow.batches import Batch, Field
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.spark.frame import Frame

__all__ = ["SampledRows"]


class SampledRows:
    """
    The first rows that the cluster comes by.

    Parameters
    ----------
    frame : Frame
    most : int
        How many, at most.

    Attributes
    ----------
    every : bool
        True if the last batches were all rows that there are.
    """

    def __init__(self, frame: Frame, most: int) -> None:
        self.place = frame.place
        self.every = False
        self._frame = frame
        self._most = most

    def fields(self) -> Sequence[Field]:
        """Every column."""
        return self._frame.fields()

    def total(self, filter_: TimeFilter | None) -> int | None:
        """Nobody knows without counting."""
        del filter_
        return None

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows; what cannot lie in the filter is not among them."""
        window = None if filter_ is None else filter_.window
        reading = self._frame.reading(names, window)
        with quiet():
            table = self._frame.part(reading, window).limit(self._most).toArrow()
        self.every = table.num_rows < self._most
        every = [field.name for field in self.fields()]
        yield no_rows((field for field in self.fields() if field.name in reading.names), every, self.place)
        for batch in table.to_batches():
            yield record_batch(reading.named(batch), every, self.place)

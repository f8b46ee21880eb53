"""A table as Spark sees it: its columns, the part of it that is needed, and work on every partition of that part."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.types as pat

from driftmon.errors import SourceError
from driftmon.sources.arrow.batches import Field, no_rows
from driftmon.sources.arrow.kinds import Family, column_type
from driftmon.sources.arrow.selection import check_distinct
from driftmon.sources.arrow.times import EPOCH, cut
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.spark.cells import SCHEMA, Sums
from driftmon.sources.spark.partitions import SPAN_SCHEMA, Reading, Rows
from driftmon.sources.spark.session import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from pyspark.sql.types import StructField

    from driftmon.core.window import Window
    from driftmon.sources.arrow.batches import ArrowType, Batch, RecordBatch
    from driftmon.sources.arrow.timefilter import TimeFilter

__all__ = ["DataFrame", "Frame"]

DataFrame: TypeAlias = Any
"""Of Spark, classic or Connect."""

MOST_TEXTS = 10
"""Texts of one cell that leave the cluster: new categories that are named, wordings of one problem."""


class Frame:
    """
    A table of a session.

    To the kernel it is a table without rows: what the types alone tell of a count, it tells before any work is sent.

    Parameters
    ----------
    frame : DataFrame
    place : str
        What it is, for messages.
    timestamp : str or None
    timezone : str

    Raises
    ------
    SourceError
        If two columns share a name.
    """

    def __init__(self, frame: DataFrame, place: str, timestamp: str | None, timezone: str) -> None:
        self._place = place
        self._fields = [_field(column) for column in frame.schema.fields]
        self._names = [field.name for field in self._fields]
        self._timestamp = timestamp
        self._timezone = timezone
        check_distinct(self._names, place)
        # By position: Spark takes dots and backticks of a name for syntax, and two that differ by case for one.
        self._codes = {name: f"c{number}" for number, name in enumerate(self._names)}
        self._frame = frame.toDF(*self._codes.values())

    @property
    def place(self) -> str:
        """What it is, for messages."""
        return self._place

    def fields(self) -> Sequence[Field]:
        """Every column, in order."""
        return self._fields

    def total(self, filter_: TimeFilter | None) -> int | None:
        """Nobody knows without counting."""
        del filter_
        return None

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """No rows, which tell names and types: the rows themselves stay on the cluster."""
        del names, filter_
        yield no_rows(self._fields, self._names, self._place)

    def reading(self, names: Collection[str], window: Window | None) -> Reading:
        """How partitions read some columns, those that are there, and the rows of a window (None: all)."""
        asked = {*names, *([] if self._timestamp is None else [self._timestamp])} if window is not None else {*names}
        readable = [field.name for field in self._fields if field.problem is None]
        found = tuple(name for name in readable if name in asked)
        # One column at least: Arrow tells the rows of a batch from its columns.
        chosen = found or tuple(sorted(readable, key=self._width)[:1])
        return Reading(chosen, tuple(self._names), self._place, self._timestamp, self._timezone, window)

    def part(self, reading: Reading, *windows: Window | None) -> DataFrame:
        """The columns of a reading, and the rows that may lie in all of some windows."""
        frame = self._frame
        for window in windows:
            condition = None if window is None else self._condition(window)
            if condition is not None:
                frame = frame.where(condition)
        return frame.select(*(self._codes[name] for name in reading.names))

    def sums(self, part: DataFrame, work: Callable[[Iterator[RecordBatch]], Iterator[RecordBatch]], size: int) -> Sums:
        """
        What work on every partition counts, added up by the cluster.

        Raises
        ------
        SourceError
            If a partition met rows that end the count.
        """
        with quiet():
            # Sent to where its cell is added up once, for both of what is done there.
            sent = part.mapInArrow(work, SCHEMA).repartition("cell")
            cells = sent.groupBy("cell", "text").agg({"rows": "sum"}).toDF("cell", "text", "rows")
            place = "row_number() over (partition by cell order by rows desc, text) as place"
            sums = Sums(cells.selectExpr("*", place).where(f"place <= {MOST_TEXTS}").toArrow(), size)
        if sums.failure is not None:
            raise SourceError(sums.failure)
        return sums

    def rows_by_partition(self, reading: Reading) -> dict[int, int]:
        """The rows that each partition counts; none is left out but those that are empty."""
        part = self.part(reading, reading.window)
        with quiet():
            found = part.mapInArrow(Rows(reading), SCHEMA).toArrow()
        failed = [text for text in found.column("text").to_pylist() if text is not None]
        if failed:
            raise SourceError(min(failed))
        return dict(zip(found.column("cell").to_pylist(), found.column("rows").to_pylist(), strict=True))

    def partitions(self, reading: Reading) -> int:
        """How many partitions there are, up to the last one with rows."""
        part = self.part(reading, reading.window).selectExpr("spark_partition_id() as number")
        last = part.agg({"number": "max"}).toArrow().column(0)[0].as_py()
        return 0 if last is None else int(last) + 1

    def ends(
        self, part: DataFrame, work: Callable[[Iterator[RecordBatch]], Iterator[RecordBatch]]
    ) -> tuple[int, int] | None:
        """The least start and the greatest stop that work on every partition found; None if it found none."""
        with quiet():
            found = part.mapInArrow(work, SPAN_SCHEMA).groupBy("text").agg({"start": "min", "stop": "max"}).toArrow()
        failures = sorted(text for text in found.column("text").to_pylist() if text is not None)
        if failures:
            raise SourceError(failures[0])
        if found.num_rows == 0:
            return None
        return found.column("min(start)")[0].as_py(), found.column("max(stop)")[0].as_py()

    def _width(self, name: str) -> int:
        """Which column costs the least to read."""
        arrow = next(field.type for field in self._fields if field.name == name)
        return arrow.bit_width if arrow is not None and pat.is_primitive(arrow) else 2**20

    def _condition(self, window: Window) -> str | None:
        """A window as a condition that files and partitions can be skipped by; None for types that it does not suit."""
        field = next((field for field in self._fields if field.name == self._timestamp), None)
        if field is None or column_type(field.type).family not in {Family.TIMESTAMP, Family.DATE}:
            return None
        zone = Zone(self._timezone)
        bounds = ((">=", window.start), ("<", window.end))
        ends = [(word, _literal(cut(end, field.type, zone), field.type)) for word, end in bounds]
        conditions = [f"{self._codes[field.name]} {word} {literal}" for word, literal in ends if literal is not None]
        return " and ".join(conditions) or None


def _field(column: StructField) -> Field:
    from pyspark.sql.pandas.types import to_arrow_type  # noqa: PLC0415 - an extra, and it loads slowly

    try:
        return Field(column.name, to_arrow_type(column.dataType, timezone="UTC"))
    except Exception:  # noqa: BLE001 - whatever it raises, this type does not leave Java
        said = f"type {column.dataType.simpleString()} cannot be monitored; derive a number or a category from it"
        return Field(column.name, pa.binary(), said)


def _literal(value: int, arrow: ArrowType) -> str | None:
    """A bound of a window, so that no setting of the session changes what it means; None for one that nothing exceeds."""
    if pat.is_date32(arrow):
        return f"date_from_unix_date({value})" if abs(value) < 2**31 else None
    if arrow.tz is not None:
        return f"timestamp_micros({value}L)" if abs(value) < 2**63 else None
    try:
        wall = (EPOCH + timedelta(microseconds=value)).replace(tzinfo=None)
    except OverflowError:
        return None
    return f"cast('{wall.isoformat(' ')}' as timestamp_ntz)"

"""Parquet, Feather (Arrow IPC) and ORC: files that know their columns, types and rows."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pyarrow.types as pat
from pyarrow import orc

from driftmon.sources.arrow.batches import BATCH_ROWS, Field
from driftmon.sources.arrow.kinds import Family, column_type
from driftmon.sources.prefetch import ahead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array, RecordBatch
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.places import DataFile, Place

__all__ = ["FeatherFile", "OrcFile", "ParquetFile"]

Schema: TypeAlias = Any
Metadata: TypeAlias = Any

BATCH_BYTES = 64 * 2**20
"""Bytes of values read at once, at most: what keeps a batch of long strings within memory."""

WHOLE_BYTES, VALUE_BYTES = 48 * 2**20, 8
"""Bytes of a row group whose columns are decoded as a whole, by so many a value at least: faster than page by page."""

LEAST_ROWS = 64

CODED_BYTES = 8
"""Bytes a value up to which text is read as dictionary codes: mostly it is stored so, and its dictionary stays small."""

READ_BYTES = 256 * 2**10
"""Bytes of a column read from the disk at once."""


class ParquetFile:
    """
    A Parquet file, read page by page unless its row groups are small, so that memory does not depend on their size.

    Parameters
    ----------
    place : Place
    file : DataFile
    """

    def __init__(self, place: Place, file: DataFile) -> None:
        # Over a network each request costs time: the file is opened once, and whole row groups are fetched at once.
        self._stream = place.open(file)
        self._remote = place.remote
        self._access = {"pre_buffer": True} if place.remote else {"pre_buffer": False, "buffer_size": READ_BYTES}
        self._parquet = pq.ParquetFile(self._stream, **self._access)
        self.schema: Schema = self._parquet.schema_arrow

    def fields(self) -> list[Field]:
        """The columns with their types."""
        return [Field(field.name, field.type) for field in self.schema]

    def rows(self, filter_: TimeFilter | None) -> int | None:
        """Rows of the row groups that may have some in the window."""
        metadata = self._parquet.metadata
        return sum(int(metadata.row_group(group).num_rows) for group in self._groups(filter_))

    def batches(self, names: Sequence[str], filter_: TimeFilter | None) -> Iterator[RecordBatch]:
        """The named columns; text as dictionary codes where that is how it is stored."""
        groups = self._groups(filter_)
        if not groups:
            return
        metadata = self._parquet.metadata
        sizes = _sizes(metadata, groups)
        rows = sum(metadata.row_group(group).num_rows for group in groups)
        texts = [name for name in names if column_type(self.schema.field(name).type).family is Family.TEXT]
        coded = [name for name in texts if sizes.get(name, 0) <= CODED_BYTES * rows]
        stored = sum(sizes.get(name, 0) for name in names)
        longest = max(LEAST_ROWS, min(BATCH_ROWS, BATCH_BYTES * rows // max(1, stored)))
        # How long plain text is once it is decoded, nobody knows before.
        most = 0 if len(coded) < len(texts) else WHOLE_BYTES // max(1, VALUE_BYTES * len(names), stored // max(1, rows))
        parquet = pq.ParquetFile(self._stream, metadata=metadata, read_dictionary=coded, **self._access)
        for whole, some in self._portions(groups, most):
            if whole:
                tables = ahead((parquet.read_row_group(group, columns=list(names)) for group in some), waiting=1)
                batches = (batch for table in tables for batch in table.to_batches(max_chunksize=longest))
            else:
                batches = parquet.iter_batches(batch_size=longest, row_groups=some, columns=list(names))
            for batch in batches:
                for name in coded:
                    _check_codes(batch.column(name))
                yield batch

    def _portions(self, groups: Sequence[int], most: int) -> Iterator[tuple[bool, list[int]]]:
        """Row groups that are read in one way, and whether their columns are decoded as a whole: those of at most so many rows are."""
        metadata = self._parquet.metadata
        for whole, some in groupby(groups, lambda group: BATCH_ROWS <= metadata.row_group(group).num_rows <= most):
            if whole or not self._remote:
                yield whole, list(some)
            else:
                yield from ((False, [group]) for group in some)

    def _groups(self, filter_: TimeFilter | None) -> list[int]:
        """The row groups whose statistics do not rule the window out."""
        every = list(range(self._parquet.num_row_groups))
        if filter_ is None or filter_.column not in self.schema.names:
            return every
        condition = filter_.expression(self.schema.field(filter_.column).type)
        if condition is None or len(every) == 0:
            return every
        fragment: Any = ds.ParquetFileFormat().make_fragment(self._stream)
        return [group.id for group in fragment.subset(condition).row_groups]


def _sizes(metadata: Metadata, groups: Sequence[int]) -> dict[str, int]:
    """Bytes of each column before compression, those of nested columns together."""
    sizes: dict[str, int] = {}
    for group in groups:
        content = metadata.row_group(group)
        for place in range(content.num_columns):
            column = content.column(place)
            for name in {column.path_in_schema, column.path_in_schema.split(".")[0]}:
                sizes[name] = sizes.get(name, 0) + column.total_uncompressed_size
    return sizes


class FeatherFile:
    """
    A Feather or Arrow IPC file, read in the batches that it was written in.

    Parameters
    ----------
    place : Place
    file : DataFile
    """

    def __init__(self, place: Place, file: DataFile) -> None:
        self._place = place
        self._file = file
        self.schema: Schema = pa.ipc.open_file(place.open(file)).schema

    def fields(self) -> list[Field]:
        """The columns with their types."""
        return [Field(field.name, field.type) for field in self.schema]

    def rows(self, filter_: TimeFilter | None) -> int | None:
        """All rows: the format keeps no statistics."""
        del filter_
        fragment = ds.IpcFileFormat().make_fragment(self._file.path, self._place.system)
        rows: int = fragment.count_rows()
        return rows

    def batches(self, names: Sequence[str], filter_: TimeFilter | None) -> Iterator[RecordBatch]:
        """The named columns."""
        del filter_
        chosen = [self.schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=chosen)
        reader = pa.ipc.open_file(self._place.open(self._file), options=options)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            for array in batch.columns:
                _check(array)
            yield from _cut(batch)


class OrcFile:
    """
    An ORC file, read stripe by stripe.

    Parameters
    ----------
    place : Place
    file : DataFile
    """

    def __init__(self, place: Place, file: DataFile) -> None:
        self._orc = orc.ORCFile(place.open(file))
        self.schema: Schema = self._orc.schema

    def fields(self) -> list[Field]:
        """The columns with their types."""
        return [Field(field.name, field.type) for field in self.schema]

    def rows(self, filter_: TimeFilter | None) -> int | None:
        """All rows."""
        del filter_
        rows: int = self._orc.nrows
        return rows

    def batches(self, names: Sequence[str], filter_: TimeFilter | None) -> Iterator[RecordBatch]:
        """The named columns."""
        del filter_
        for stripe in range(self._orc.nstripes):
            yield from _cut(self._orc.read_stripe(stripe, columns=list(names)))


def _check(array: Array) -> None:
    """Refuse offsets and codes of a damaged file, which would be followed out of memory; what text holds is another matter."""
    if pat.is_dictionary(array.type):
        _check_codes(array)
        array = array.dictionary
    if pat.is_string(array.type) or pat.is_large_string(array.type):
        array = array.view(pa.binary() if pat.is_string(array.type) else pa.large_binary())
    array.validate(full=True)


def _check_codes(array: Array) -> None:
    """Refuse codes outside of their dictionary: Arrow does not look at them when it reads."""
    codes, size = array.indices, len(array.dictionary)
    if not codes.null_count and len(codes) and _unsigned(codes).max() < size:
        return
    ends = pc.min_max(codes)
    least, most = ends["min"].as_py(), ends["max"].as_py()
    if most is not None and (least < 0 or most >= size):
        raise pa.ArrowInvalid(f"codes from {least} to {most} for a dictionary of {size} values")


def _unsigned(codes: Array) -> NDArray[Any]:
    """Integers as if they had no sign: those below zero are large then, and one look finds both kinds of wrong ones."""
    values: NDArray[Any] = codes.to_numpy()
    return values.view(f"u{values.dtype.itemsize}")


def _cut(batch: RecordBatch) -> Iterator[RecordBatch]:
    """Slices of the usual size, so that what is made of them stays small."""
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)

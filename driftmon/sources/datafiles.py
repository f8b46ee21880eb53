"""All data files of a place as one set of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import pyarrow as pa

from driftmon.errors import SourceError
from driftmon.sources.arrow.batches import BATCH_ROWS, Batch, Field, no_rows, record_batch
from driftmon.sources.arrow.kinds import Family, column_type
from driftmon.sources.arrow.selection import check_distinct
from driftmon.sources.faults import reading
from driftmon.sources.formats.columnar import FeatherFile, OrcFile, ParquetFile
from driftmon.sources.formats.delimited import COMPRESSIONS, DelimitedFile
from driftmon.sources.prefetch import ahead

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftmon.sources.arrow.batches import Array, RecordBatch
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.places import DataFile, Place

__all__ = ["FileRows", "Found", "data_files"]


class OpenFile(Protocol):
    """A data file of any format."""

    def fields(self) -> Sequence[Field]:
        """The columns that it holds, as it names them."""
        ...

    def rows(self, filter_: TimeFilter | None) -> int | None:
        """The rows that `batches` reads; None if nobody can tell without reading them."""
        ...

    def batches(self, names: Sequence[str], filter_: TimeFilter | None) -> Iterator[RecordBatch]:
        """The named columns, which are all there."""
        ...


Opener: TypeAlias = Callable[["Place", "DataFile"], OpenFile]
Found: TypeAlias = "Sequence[tuple[DataFile, Opener]]"

OPENERS: dict[str, Opener] = {
    ".parquet": ParquetFile,
    ".parq": ParquetFile,
    ".pq": ParquetFile,
    ".feather": FeatherFile,
    ".arrow": FeatherFile,
    ".ipc": FeatherFile,
    ".orc": OrcFile,
    ".csv": DelimitedFile,
    ".tsv": DelimitedFile,
}
MAGIC: dict[bytes, Opener] = {b"PAR1": ParquetFile, b"ARROW1": FeatherFile, b"ORC": OrcFile}
NAMES = f"{', '.join(OPENERS)} (text also with {', '.join(COMPRESSIONS)})"


def data_files(place: Place) -> Found:
    """
    The files of a place that hold rows, each with what opens it.

    In a folder, files of other kinds are passed over. Files without an ending are looked into, as is any single file.

    Raises
    ------
    SourceError
        If a single file is of no known format.
    """
    files = place.files()
    single = len(files) == 1 and files[0].path == place.path
    found: list[tuple[DataFile, Opener]] = []
    for file in files:
        opener = _by_name(file.path)
        if opener is None and (single or "." not in file.path.rpartition("/")[2]):
            opener = _by_content(place, file)
        if opener is not None:
            found.append((file, opener))
    if single and not found:
        raise SourceError(f"{files[0].shown}: of no known format; expected a name that ends with {NAMES}")
    return found


def _by_name(path: str) -> Opener | None:
    name = path.rpartition("/")[2].lower()
    for compression in COMPRESSIONS:
        if name.endswith(compression):
            inner = OPENERS.get(f".{name.removesuffix(compression).rpartition('.')[2]}")
            return inner if inner is DelimitedFile else None
    return OPENERS.get(f".{name.rpartition('.')[2]}")


def _by_content(place: Place, file: DataFile) -> Opener | None:
    with reading(file.shown, remote=place.remote), place.open(file) as stream:
        head = stream.read(8)
    for magic, opener in MAGIC.items():
        if head.startswith(magic):
            return opener
    return DelimitedFile if file.path.lower().endswith(".txt") else None


class FileRows:
    """
    The rows of data files, one file after the other, so that an error can name the file.

    A value in the name of a hive partition is a column of every row of its files; a column that a file has itself comes first.

    Parameters
    ----------
    place : Place
    files : sequence of (DataFile, Opener)
    """

    def __init__(self, place: Place, files: Found) -> None:
        self.place = place.name
        self._place = place
        self._files = files
        self._last: tuple[DataFile, OpenFile] | None = None

    def fields(self) -> Sequence[Field]:
        """The columns of all files; one that a file lacks, or has of another type, says so."""
        found: dict[str, Field] = {}
        for number, (file, opener) in enumerate(self._files):
            with reading(file.shown, remote=self._place.remote):
                fields = {field.name: field for field in _all_fields(file, self._opened(file, opener))}
            for name in list(dict.fromkeys([*found, *fields])):
                found[name] = self._merged(name, found.get(name), fields.get(name), number)
        return list(found.values())

    def total(self, filter_: TimeFilter | None) -> int | None:
        """The rows of files that know theirs."""
        total = 0
        for file, opener in self._files:
            if _outside(file, filter_):
                continue
            with reading(file.shown, remote=self._place.remote):
                rows = self._opened(file, opener).rows(filter_)
            if rows is None:
                return None
            total += rows
        return total

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows of every file that may have some in the window; the next batch is read while one is counted."""
        return ahead(self._batches(names, filter_))

    def _batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        for file, opener in self._files:
            if not _outside(file, filter_):
                with reading(file.shown, remote=self._place.remote):
                    yield from _file_batches(file, self._opened(file, opener), names, filter_)

    def _opened(self, file: DataFile, opener: Opener) -> OpenFile:
        """A file, opened. The last one stays open: of a single file, schema, rows and batches are asked for in turn."""
        last = self._last
        if last is None or last[0] is not file:
            last = self._last = file, opener(self._place, file)
        return last[1]

    def _merged(self, name: str, one: Field | None, two: Field | None, number: int) -> Field:
        """What two files say about a column; `number` is that of the second file."""
        shown = self._files[number][0].shown
        if one is None or two is None:
            field = one or two or Field(name, None)
            if one is None and number == 0:
                return field
            lacking = shown if two is None else self._files[0][0].shown
            return Field(name, field.type, field.problem or f"not in every file: {lacking} lacks it")
        families = [_family(one), _family(two)]
        if one.problem or families[0] is families[1] or families[1] is Family.NOTHING:
            return one
        if families[0] is Family.NOTHING:
            return two
        told = f"type changes between files: {_type_name(one)}, then {_type_name(two)} in {shown}"
        return Field(name, one.type, told)


def _family(field: Field) -> Family:
    return Family.TEXT if field.type is None else column_type(field.type).family


def _type_name(field: Field) -> str:
    return "text" if field.type is None else column_type(field.type).name


def _all_fields(file: DataFile, opened: OpenFile) -> list[Field]:
    fields = list(opened.fields())
    check_distinct((field.name for field in fields), file.shown)
    there = {field.name for field in fields}
    return fields + [Field(name, None) for name in file.partitions if name not in there]


def _file_batches(
    file: DataFile, opened: OpenFile, names: Collection[str], filter_: TimeFilter | None
) -> Iterator[Batch]:
    fields = _all_fields(file, opened)
    all_names = [field.name for field in fields]
    asked = [field for field in fields if field.name in names]
    untyped = [field.name for field in asked if field.type is None]
    there = {field.name for field in opened.fields()}
    stored = [field.name for field in asked if field.name in there]
    constant = [field.name for field in asked if field.name not in there]
    empty = True
    for columns, rows in _stored(opened, stored, filter_):
        empty = False
        constants = {name: _repeated(file.partitions[name], rows) for name in constant}
        yield Batch(rows, {**columns, **constants}, all_names, file.shown, untyped)
    if empty:
        yield no_rows(asked, all_names, file.shown)


def _stored(
    opened: OpenFile, names: Sequence[str], filter_: TimeFilter | None
) -> Iterator[tuple[dict[str, Array], int]]:
    """The columns that are in a file; without any, only how many rows, from what the file knows of itself."""
    rows = None if names else opened.rows(filter_)
    if rows is not None:
        for start in range(0, rows, BATCH_ROWS):
            yield {}, min(BATCH_ROWS, rows - start)
        return
    for batch in opened.batches(names, filter_):
        columns = record_batch(batch).columns
        yield {name: columns[name] for name in names}, batch.num_rows


def _repeated(value: str | None, rows: int) -> Array:
    codes = pa.repeat(pa.scalar(None if value is None else 0, pa.int8()), rows)
    return pa.DictionaryArray.from_arrays(codes, pa.array([value or ""], pa.string()))


def _outside(file: DataFile, filter_: TimeFilter | None) -> bool:
    """True if the name of a partition rules the window out, so that its files need not be opened."""
    if filter_ is None or filter_.column not in file.partitions:
        return False
    value = pa.array([file.partitions[filter_.column]], pa.string())
    return filter_.around().keep(Batch(1, {filter_.column: value}, list(file.partitions), file.shown)).rows == 0

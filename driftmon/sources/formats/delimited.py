"""
CSV and TSV: text in rows, plain or compressed.

Every field is read as text and given its meaning column by column (`driftmon.sources.arrow.text`), so that a single bad value is
one column's problem and codes such as ``01234`` stay what they are. An empty field without quotes has no value; a quoted empty
one is an empty string.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.csv as pcsv

from driftmon.errors import SourceError
from driftmon.sources.arrow.batches import BATCH_ROWS, Field
from driftmon.sources.formats.ending import last_row, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from driftmon.sources.arrow.batches import RecordBatch
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.places import DataFile, Place

__all__ = ["COMPRESSIONS", "DelimitedFile"]

Stream: TypeAlias = Any
InvalidRow: TypeAlias = Any
Refusal: TypeAlias = "Callable[[InvalidRow], Literal['skip', 'error']]"

COMPRESSIONS: dict[str, Any] = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}

DELIMITERS = (",", ";", "\t", "|")

BLOCK_BYTES = 8 * 2**20
"""Bytes parsed at once; no row may be longer."""

BOM = b"\xef\xbb\xbf"


class DelimitedFile:
    """
    A CSV or TSV file. The delimiter is the one that is most frequent in the header.

    Parameters
    ----------
    place : Place
    file : DataFile

    Raises
    ------
    SourceError
        If there is no header, or it is not UTF-8.
    """

    def __init__(self, place: Place, file: DataFile) -> None:
        self._place = place
        self._file = file
        suffixes = file.path.lower().split("/")[-1].split(".")
        self._compression = COMPRESSIONS.get(f".{suffixes[-1]}")
        header = self._header()
        self._delimiter = "\t" if "tsv" in suffixes[1:] else _delimiter(header)
        self.names = self._names(header)

    def fields(self) -> list[Field]:
        """The columns, none of which has a type."""
        return [Field(name, None, None if name else "its header is empty; give it a name") for name in self.names]

    def rows(self, filter_: TimeFilter | None) -> int | None:
        """None: nobody can tell without reading all of it."""
        del filter_
        return None

    def batches(self, names: Sequence[str], filter_: TimeFilter | None) -> Iterator[RecordBatch]:
        """The named columns as text."""
        del filter_
        wrong: list[InvalidRow] = []
        last = last_row(self._delimiter, len(self.names))

        def refuse(row: InvalidRow) -> Literal["skip", "error"]:
            if row.text == last:
                return "skip"
            wrong.append(row)
            return "error"

        try:
            with marked(self._stream(), last) as stream:
                for batch in self._without_last(self._open(stream, names or self.names[:1], refuse)):
                    for start in range(0, batch.num_rows, BATCH_ROWS):
                        yield batch.slice(start, BATCH_ROWS)
        except pa.ArrowInvalid as exc:
            raise SourceError(self._explain(exc, wrong, last)) from exc

    def _without_last(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """In a file of one column the row put after the end is a row like any other."""
        if len(self.names) > 1:
            yield from batches
            return
        held = None
        for batch in batches:
            if batch.num_rows and held is not None:
                yield held
            held = batch if batch.num_rows else held
        if held is not None:
            yield held.slice(0, held.num_rows - 1)

    def _open(self, stream: Stream, names: Sequence[str], refuse: Refusal) -> Iterator[RecordBatch]:
        batches: Iterator[RecordBatch] = pcsv.open_csv(
            stream,
            # One thread, since only then rows have numbers that a message can name.
            read_options=pcsv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pcsv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                # In a single column an empty line is a row without a value.
                ignore_empty_lines=len(self.names) > 1,
                invalid_row_handler=refuse,
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(self.names, pa.string()),
                include_columns=list(names),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return batches

    def _stream(self) -> Stream:
        stream = self._place.open(self._file)
        return stream if self._compression is None else pa.CompressedInputStream(stream, self._compression)

    def _header(self) -> str:
        """The first row, which may go over several lines inside quotes."""
        stream, head, line = self._stream(), b"", None
        while line is None and len(head) <= BLOCK_BYTES:
            more = stream.read(len(head) or 65_536)
            if not more:
                break
            head = (head + more).removeprefix(BOM).lstrip(b"\r\n")
            line = _first_row(head)
        line = head if line is None else line
        if not line:
            raise SourceError(f"{self._file.shown}: is empty; expected a header with the names of the columns")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise SourceError(
                f"{self._file.shown}: the header is not UTF-8 ({exc.reason}); save the file as UTF-8"
            ) from exc

    def _names(self, header: str) -> list[str]:
        try:
            return next(csv.reader(io.StringIO(header, newline=""), delimiter=self._delimiter))
        except (csv.Error, StopIteration) as exc:
            raise SourceError(f"{self._file.shown}: the header cannot be read: {exc}; check its quotes") from exc

    def _explain(self, exc: pa.ArrowInvalid, wrong: Sequence[InvalidRow], last: str) -> str:
        shown = self._file.shown
        if wrong:
            row = wrong[0]
            if row.text.endswith(last):
                return (
                    f"{shown}: a quote in row {row.number} is never closed: {row.text[:80]!r}; "
                    "close it, or get the whole file if this one was cut off"
                )
            fields = "1 field" if row.actual_columns == 1 else f"{row.actual_columns} fields"
            many = row.actual_columns > row.expected_columns
            remedy = (
                f"quote fields that contain {self._delimiter!r}" if many else "write its other fields, empty or not"
            )
            return (
                f"{shown}: row {row.number} has {fields}, expected {row.expected_columns}: "
                f"{row.text[:80]!r}; {remedy} (row 1 is the header)"
            )
        text = str(exc)
        if "UTF8" in text:
            return f"{shown}: not UTF-8 ({' '.join(text.split())[:120]}); save the file as UTF-8"
        if "straddl" in text:
            return f"{shown}: a row is longer than {BLOCK_BYTES >> 20} MiB; check its quotes, or use Parquet"
        return f"{shown}: cannot be read: {' '.join(text.split())[:200]}"


def _first_row(head: bytes) -> bytes | None:
    """Up to the first end of line outside quotes; None if there is none yet."""
    quoted = False
    for position, byte in enumerate(head):
        if byte == ord('"'):
            quoted = not quoted
        elif byte in b"\r\n" and not quoted:
            return head[:position]
    return None


def _delimiter(header: str) -> str:
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)

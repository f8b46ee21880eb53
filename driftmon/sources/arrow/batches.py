"""What passes between those who read rows and those who count them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.types as pat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from driftmon.sources.arrow.timefilter import TimeFilter

__all__ = [
    "BATCH_ROWS",
    "Array",
    "ArrowType",
    "Batch",
    "Field",
    "RecordBatch",
    "Rows",
    "no_rows",
    "record_batch",
]

Array: TypeAlias = Any
ArrowType: TypeAlias = Any
RecordBatch: TypeAlias = Any
"""Arrays, data types and record batches of Arrow: the library publishes no types of its own."""

BATCH_ROWS = 65_536
"""Rows read at once: enough to make the work on a batch cheap for each row, few enough to bound memory."""


@dataclass(frozen=True)
class Field:
    """
    A column before a row of it is read.

    Parameters
    ----------
    name : str
    type : Arrow type or None
        None for text that carries no type (CSV fields, values of partition folders).
    problem : str or None
        Why its rows cannot be taken together, such as another type in one of the files.
    """

    name: str
    type: ArrowType | None
    problem: str | None = None


@dataclass(frozen=True)
class Batch:
    """
    Some rows.

    Parameters
    ----------
    rows : int
    columns : mapping of str to Arrow array
        Those asked for that are there.
    names : sequence of str
        Every column there is where the rows come from, for messages.
    origin : str
        The file, for messages; empty for rows in memory.
    untyped : collection of str
        Columns of text that carries no type.
    memo : dict
        What was worked out of these rows already and is needed again, by column and what it is taken for.
    """

    rows: int
    columns: Mapping[str, Array]
    names: Sequence[str]
    origin: str = ""
    untyped: Collection[str] = ()
    memo: dict[tuple[str, bool], Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where the rows come from, in words that end a message."""
        return f" in {self.origin}" if self.origin else ""

    def slice(self, start: int, rows: int) -> Batch:
        """Consecutive rows, without copying."""
        columns = {name: array.slice(start, rows) for name, array in self.columns.items()}
        return Batch(rows, columns, self.names, self.origin, self.untyped)

    def filter(self, mask: Array, rows: int) -> Batch:
        """The `rows` rows at which an Arrow mask is true."""
        columns = {name: _filter(array, mask, rows) for name, array in self.columns.items()}
        return Batch(rows, columns, self.names, self.origin, self.untyped)


class Rows(Protocol):
    """Rows that can be read again and again, some columns at a time, in batches of bounded size."""

    @property
    def place(self) -> str:
        """Where the rows are, for messages."""
        ...

    def fields(self) -> Sequence[Field]:
        """Every column, in the order of the data; names are distinct."""
        ...

    def total(self, filter_: TimeFilter | None) -> int | None:
        """The rows that `batches` reads, at most; None if nobody can tell without reading them."""
        ...

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """
        The rows, with those of the named columns that are there.

        What lies outside the filter may be left out, where that saves reading it. Each place that holds rows gives a batch even
        if it has none, so that its columns can be checked.
        """
        ...


def record_batch(batch: RecordBatch, names: Sequence[str] | None = None, origin: str = "") -> Batch:
    """An Arrow record batch as a `Batch`; `names` if not all columns were read."""
    found = batch.schema.names
    columns = dict(zip(found, map(_selectable, batch.columns), strict=True))
    return Batch(batch.num_rows, columns, found if names is None else names, origin)


def no_rows(fields: Iterable[Field], names: Sequence[str], origin: str = "") -> Batch:
    """A batch that tells types and nothing else."""
    columns = {field.name: pa.nulls(0, pa.string() if field.type is None else field.type) for field in fields}
    return Batch(0, columns, names, origin, [field.name for field in fields if field.type is None])


def _filter(array: Array, mask: Array, rows: int) -> Array:
    try:
        return array.filter(mask)
    except pa.ArrowNotImplementedError:
        # A type that nothing counts: of its values only the type matters, to say that it is the wrong one.
        return array.slice(0, rows)


def _selectable(array: Array) -> Array:
    """String views, of which Arrow cannot pick rows yet, as plain strings."""
    if pat.is_string_view(array.type):
        return array.cast(pa.large_string())
    if pat.is_dictionary(array.type) and pat.is_string_view(array.type.value_type):
        return pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.large_string()))
    return array

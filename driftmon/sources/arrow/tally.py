"""Rows of each category, counted without turning every batch into Python strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.categories import add_codes, code_counts, known_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array

__all__ = ["CodeTally", "coded", "texts"]

MOST_PENDING = 262_144
MOST_BYTES = 32 * 2**20
"""Categories, and bytes of them, that wait as Arrow arrays before somebody has to look at them as strings."""


def coded(array: Array) -> Array:
    """Text as codes into a dictionary; as it is if it came so."""
    return array if pat.is_dictionary(array.type) else pc.dictionary_encode(array)


class CodeTally:
    """
    Counts of dictionary codes, batch by batch.

    Batches mostly repeat the dictionary of the one before, so that a batch costs a count of small integers. Strings are made when
    somebody asks (`drain`), once for each category instead of once for each batch.
    """

    def __init__(self) -> None:
        self.nulls = 0
        self._dictionary: Array = None
        self._counts: NDArray[np.int64] = np.zeros((1, 1), dtype=np.int64)
        self._pending: list[tuple[Array, NDArray[np.int64]]] = []
        self._waiting = 0
        self._bytes = 0

    def add(self, array: Array) -> None:
        """Count the rows of one more dictionary array."""
        indices, dictionary, nulls = array.indices, array.dictionary, array.indices.null_count
        self.nulls += nulls
        if len(indices) == nulls:
            return
        if nulls:
            # A code that no dictionary has: filling takes a third of the time of dropping.
            codes = indices if pat.is_signed_integer(indices.type) else indices.cast(pa.int64())
            indices = pc.fill_null(codes, -1)
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            self._retire()
            self._dictionary, self._counts = dictionary, code_counts(len(dictionary))
        add_codes(self._counts, indices.to_numpy(), nulls=nulls)

    @property
    def full(self) -> bool:
        """True if it is time to `drain`: what waits takes memory."""
        return self._waiting > MOST_PENDING or self._bytes > MOST_BYTES

    def drain(self) -> tuple[list[str], list[int]]:
        """The categories since the last time, each once, with their rows."""
        values, counts = self.drain_arrays()
        # Nulls are taken out when batches retire.
        return cast("list[str]", texts(values)), counts.tolist()

    def drain_arrays(self) -> tuple[Array, NDArray[np.int64]]:
        """As `drain`, but the categories as an Arrow array of large strings."""
        self._retire()
        pending, self._pending, self._waiting, self._bytes = self._pending, [], 0, 0
        if not pending:
            return pa.array([], pa.large_string()), np.zeros(0, np.int64)
        return pending[0] if len(pending) == 1 else _merged(pending)

    def _retire(self) -> None:
        if self._dictionary is None:
            return
        dictionary, counts = self._dictionary, known_codes(self._counts)
        self._dictionary = None
        if dictionary.null_count:
            missing = np.asarray(dictionary.is_null())
            self.nulls += int(counts[missing].sum())
            counts = np.where(missing, 0, counts)
        present = np.flatnonzero(counts)
        # Only what occurs: dictionaries of a whole file can be far larger than a batch.
        values = dictionary.take(pa.array(present)).cast(pa.large_string())
        self._pending.append((values, counts[present]))
        self._waiting += len(values)
        self._bytes += values.nbytes


def _merged(pending: list[tuple[Array, NDArray[np.int64]]]) -> tuple[Array, NDArray[np.int64]]:
    values = pa.chunked_array([values for values, _ in pending])
    rows = pa.array(np.concatenate([counts for _, counts in pending]))
    table = pa.Table.from_arrays([values, rows], names=["value", "rows"])
    merged = table.group_by("value", use_threads=False).aggregate([("rows", "sum")])
    return merged.column("value").combine_chunks(), merged.column("rows_sum").to_numpy()


def texts(values: Array) -> list[str | None]:
    """
    An Arrow array of text as strings, whatever bytes it holds.

    Lone surrogates, which Python and JavaScript allow and UTF-8 does not, come back as themselves.
    """
    try:
        strings: list[str | None] = values.to_pylist()
    except UnicodeDecodeError:
        return [None if value is None else _text(value) for value in values.cast(pa.large_binary()).to_pylist()]
    return strings


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        # Bytes that are no text at all still have to keep apart.
        return value.decode("utf-8", "surrogateescape")

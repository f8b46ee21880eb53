"""
The end of a text file, made visible.

A parser takes a quote that is never closed for a value that goes on to the end of the file: what is left of a cut-off file would
pass as one long last value, and its rows would be missing without a word. A last row that no file has tells the two apart: an
open quote of the file swallows its quote and then sees too many fields.
"""

from __future__ import annotations

import io
from typing import Any, TypeAlias

__all__ = ["last_row", "marked"]

Stream: TypeAlias = Any


def last_row(delimiter: str, columns: int) -> str:
    """
    The row that is put after the last one: in a file of one column a row like any other, else one with too few fields.

    Examples
    --------
    >>> last_row(";", 3), last_row(",", 1)
    ('";;;', '","')
    """
    return '"' + delimiter * columns + ('"' if columns == 1 else "")


def marked(stream: Stream, row: str) -> io.RawIOBase:
    """A stream with one more row after its end, on a line of its own."""
    return _Marked(stream, row.encode())


class _Marked(io.RawIOBase):
    """Bytes of one stream, then of a mark."""

    def __init__(self, stream: Stream, mark: bytes) -> None:
        super().__init__()
        self._stream = stream
        self._mark = mark
        self._ended = False
        self._at_line_start = True

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """As many bytes as asked for, fewer only at the end: a parser takes what comes first for whole rows."""
        data = self._mark if self._ended else self._stream.read(size)
        while len(data) < size and not self._ended:
            more = self._stream.read(size - len(data))
            if not more:
                self._ended = True
                at_line_start = data.endswith((b"\n", b"\r")) if data else self._at_line_start
                more = self._mark if at_line_start else b"\n" + self._mark
            data += more
        if self._ended:
            data, self._mark = data[:size], data[size:]
        self._at_line_start = data.endswith((b"\n", b"\r"))
        return data

"""
A large text compressed once, and a small one compressed whenever it is asked for, as one gzip stream.

Two gzip streams could simply follow each other (RFC 1952, 2.2), but some clients stop after the first: curl reports an error, others
lose the rest without a word. So the large text is kept as deflate blocks that end at a byte and are not the last ones (RFC 1951,
3.2.3), and the blocks of the small text complete them.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

__all__ = ["Deflated", "deflate", "gzip_stream"]

LEVEL = 1
"""On an exposition, level 9 takes ten times as long to save an eighth."""

# Deflate, no flags, no time, fastest, unknown system (RFC 1952, 2.3).
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"

_RAW = -zlib.MAX_WBITS


@dataclass(frozen=True)
class Deflated:
    """
    A compressed text that waits for its end.

    `blocks` are raw deflate blocks, none of them the last; `crc` and `length` are of the text.
    """

    blocks: bytes
    crc: int
    length: int


def deflate(text: bytes) -> Deflated:
    """Compress a text, to be completed later."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    return Deflated(compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH), zlib.crc32(text), len(text))


def gzip_stream(first: Deflated, second: bytes) -> tuple[bytes, ...]:
    """
    Both texts as one gzip stream, in parts that follow each other; `first` is not copied.

    Examples
    --------
    >>> import gzip
    >>> gzip.decompress(b"".join(gzip_stream(deflate(b"large"), b" and small")))
    b'large and small'
    """
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    blocks = compressor.compress(second) + compressor.flush(zlib.Z_FINISH)
    ending = struct.pack("<II", zlib.crc32(second, first.crc), (first.length + len(second)) & 0xFFFFFFFF)
    return (_HEADER, first.blocks, blocks + ending)

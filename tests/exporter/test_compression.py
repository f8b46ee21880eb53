"""Two texts in one gzip stream, as the strictest of clients reads it."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.exporter.compression import deflate, gzip_stream


def strictly(stream):
    """Decompress one stream, and refuse whatever follows it."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = reader.decompress(stream)
    assert reader.eof
    assert reader.unused_data == b""
    return text


@given(first=st.binary(max_size=2000), second=st.binary(max_size=2000))
def test_two_texts_are_one_stream(first, second):
    assert strictly(b"".join(gzip_stream(deflate(first), second))) == first + second


def test_the_large_text_is_not_copied():
    first = deflate(b"x" * 1_000_000)

    assert any(part is first.blocks for part in gzip_stream(first, b"y"))


def test_a_stream_with_a_damaged_end_is_noticed():
    *parts, end = gzip_stream(deflate(b"large"), b"small")
    damaged = b"".join(parts) + end[:-8] + bytes([end[-8] ^ 1]) + end[-7:]

    with pytest.raises(zlib.error):
        strictly(damaged)

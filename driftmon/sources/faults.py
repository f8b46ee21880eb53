"""Errors of file systems and file formats, in the words of this project."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftmon.errors import DriftmonError, SourceError, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["one_line", "reading"]

LONGEST = 300

DAMAGE = ("magic", "thrift", "corrupt", "deserializ", "end of stream", "parquet", "decompress", "crc", "truncated")
"""What messages of readers say when the bytes are wrong, and messages of networks do not."""

OUR_OWN = (TypeError, AttributeError, LookupError, NameError, AssertionError, MemoryError)
"""What no data should cause: a mistake of this program, better shown than renamed."""


@contextmanager
def reading(place: str, *, remote: bool) -> Iterator[None]:
    """
    Turn whatever goes wrong while reading a place into a `SourceError` that names it.

    Parameters
    ----------
    place : str
        File or URL, without credentials.
    remote : bool
        True if the bytes come over a network: then what is not known to be wrong with the data may be better later.

    Raises
    ------
    SourceUnavailable
        If trying again can help.
    SourceError
        If it cannot: no such file, no permission, damaged or unknown content.
    """
    try:
        yield
    except DriftmonError:
        raise
    except Exception as exc:
        said = _said(place, exc, remote=remote)
        if said is None:
            raise
        raise said from exc


def _said(place: str, exc: Exception, *, remote: bool) -> SourceError | None:
    from pyarrow import ArrowException  # noqa: PLC0415 - Arrow loads slowly, and is loaded once something can go wrong

    if isinstance(exc, FileNotFoundError):
        return SourceError(f"{place}: no such file or folder; check the path")
    if isinstance(exc, PermissionError):
        return SourceError(f"{place}: no permission to read it; check its mode, or the credentials")
    if isinstance(exc, ImportError):
        return SourceError(f"{place}: needs another package: {one_line(exc)}")
    damaged = isinstance(exc, ArrowException | ValueError) or any(word in str(exc).lower() for word in DAMAGE)
    if not damaged and isinstance(exc, OUR_OWN):
        return None
    if remote and not damaged:
        return SourceUnavailable(f"{place}: cannot be reached: {one_line(exc)}; try again later")
    return SourceError(f"{place}: cannot be read: {one_line(exc)}; it may be damaged, incomplete or of another format")


def one_line(exc: BaseException) -> str:
    """What an error says, on one line of bounded length."""
    text = " ".join(str(exc).split()) or type(exc).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

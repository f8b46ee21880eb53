"""Errors of file systems and file formats, in the words of this project."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftmon.errors import DriftmonError, SourceError, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["one_line", "reading"]

LONGEST = 300

KNOWN: dict[type[Exception], str] = {
    FileNotFoundError: "no such file or folder; check the path",
    PermissionError: "no permission to read it; check its mode, or the credentials",
    ImportError: "needs another package: {}",
}

NETWORK = re.compile(r"network|connect|timed? ?out|resolve|unreachable|unavailable|throttl|slow.?down", re.IGNORECASE)
REFUSED = re.compile(
    r"access.?denied|forbidden|unauthori[sz]ed|credential|signature|no.?such.?bucket|token", re.IGNORECASE
)
DAMAGED = re.compile(
    r"magic bytes|thrift|corrupt|deserializ|end of stream|decompress|\bcrc|truncated|page header|file size",
    re.IGNORECASE,
)
"""What messages say, looked for in this order: readers and stores raise one and the same `OSError` for all of it."""

COLOURS = re.compile(r"\x1b\[[0-9;]*m↳?")
"""What object stores decorate their errors with."""

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

    for known, says in KNOWN.items():
        if isinstance(exc, known):
            return SourceError(f"{place}: {says.format(one_line(exc))}")
    if isinstance(exc, ArrowException | ValueError):
        return _unreadable(place, exc)
    if isinstance(exc, OUR_OWN):
        return None
    return _unreachable(place, exc) if remote else _unreadable(place, exc)


def _unreachable(place: str, exc: Exception) -> SourceError:
    text = str(exc)
    if not NETWORK.search(text):
        if REFUSED.search(text):
            return SourceError(f"{place}: access is refused: {one_line(exc)}; check the bucket and the credentials")
        if DAMAGED.search(text):
            return _unreadable(place, exc)
    return SourceUnavailable(f"{place}: cannot be reached: {one_line(exc)}; try again later")


def _unreadable(place: str, exc: Exception) -> SourceError:
    return SourceError(
        f"{place}: cannot be read: {one_line(exc)}; it may be damaged, incomplete or of another format: write it again"
    )


def one_line(exc: BaseException) -> str:
    """What an error says, on one line of bounded length."""
    text = " ".join(COLOURS.sub("", str(exc)).split()).rstrip(".") or type(exc).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

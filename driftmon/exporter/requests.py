"""What a client asks for, read with distrust: limits on every length, and no guess at what cannot be decoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BadRequest", "Request", "accepts_gzip", "asked_edge", "read_request"]

LONGEST_TARGET = 8_192
"""Bytes of a path with its query: two names of 512 bytes, each byte written as three, leave room."""

MOST_FIELDS = 16
"""Fields of a query."""


class BadRequest(Exception):
    """A request that cannot be read, with the line that says why and the status."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """
    What a page is asked for.

    Parameters
    ----------
    path : str
        What follows the page's own path, decoded.
    query : mapping of str to str
        Decoded; of a name that comes twice, the first.
    """

    path: str
    query: Mapping[str, str]


def read_request(target: str, prefix: str) -> Request:
    """
    The path below a prefix, and the query.

    Raises
    ------
    BadRequest
        If it is too long, or its percent signs do not stand for UTF-8.

    Examples
    --------
    >>> read_request("/monitors/a%20b?name=x+%2B&name=y", "/monitors/")
    Request(path='a b', query={'name': 'x +'})
    """
    if len(target) > LONGEST_TARGET:
        raise BadRequest("the address is too long", HTTPStatus.REQUEST_URI_TOO_LONG)
    path, _, query = target.partition("?")
    fields = [field for field in query.split("&") if field]
    if len(fields) > MOST_FIELDS:
        raise BadRequest(f"the query has more than {MOST_FIELDS} fields")
    found: dict[str, str] = {}
    for field in fields:
        name, _, value = field.replace("+", " ").partition("=")
        found.setdefault(_decoded(name), _decoded(value))
    return Request(_decoded(path[len(prefix) :]), found)


def _decoded(text: str) -> str:
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise BadRequest("the address has a % without two hexadecimal digits after it; write % as %25")
    try:
        # Names of columns may have lone surrogates, which no strict UTF-8 has: they came from data, and are looked up as they are.
        return unquote_to_bytes(text).decode("utf-8", errors="surrogatepass")
    except UnicodeError:
        raise BadRequest("the address is not UTF-8, percent-encoded") from None


def accepts_gzip(header: str) -> bool:
    """
    True if an ``Accept-Encoding`` header allows gzip.

    Examples
    --------
    >>> accepts_gzip("br, gzip;q=0.5"), accepts_gzip("gzip;q=0, identity"), accepts_gzip("")
    (True, False, False)
    """
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, weight = parameter.partition("=")
        try:
            weights[coding.strip()] = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def asked_edge(request: Request) -> tuple[Literal["start", "end"], datetime] | None:
    """
    By which of its edges a page of a window is asked for: ``window``, its start, or ``ending``, its end as metrics have it.

    Raises
    ------
    BadRequest
        If it is no instant.
    """
    if text := request.query.get("window", ""):
        return "start", _instant(text)
    if text := request.query.get("ending", ""):
        return "end", _seconds(text)
    return None


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 1800 < instant.year < 9000:
        raise BadRequest("window must be the start of a window with its offset, such as 2026-10-31T00:00:00Z")
    return instant.astimezone(UTC)


def _seconds(text: str) -> datetime:
    if not re.fullmatch(r"\d{1,11}", text, re.ASCII):
        raise BadRequest("ending must be the end of a window in seconds since 1970, such as 1793404800")
    return datetime.fromtimestamp(int(text), UTC)

"""How values lie in the database, the same on SQLite and PostgreSQL: instants, texts of any content, lists of counts."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, String, Text, TypeDecorator

from driftmon.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

__all__ = ["Instant", "Verbatim", "clip", "finite", "from_json", "plain", "to_json"]

ESCAPE = "\N{SYMBOL FOR ESCAPE}"
"""Begins the four hexadecimal digits of a character that PostgreSQL cannot hold."""

_UNSTORABLE = re.compile(f"[{ESCAPE}\x00\ud800-\udfff]")
_ESCAPED = re.compile(f"{ESCAPE}([0-9a-f]{{4}})")

LONGEST_TEXT = 4_000
"""Characters kept of a reason or an error message: enough to act on, and no row grows with somebody's bad data."""


class Instant(TypeDecorator[datetime]):
    """
    A point in time, always with a zone: ``timestamptz`` on PostgreSQL, ``2013-05-01T00:00:00.000000Z`` on SQLite.

    The text has one width, so that it sorts as time does, and SQLite's own date functions read it.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """``timestamptz`` where the database has it."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - the driver's own type
        """To UTC; naive instants are refused, since nobody can tell what they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"instant {value.isoformat()!r} has no time zone: give one, such as datetime.UTC")
        utc = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return utc
        return utc.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - fixed signature
        """Aware, in UTC, whatever zone the connection speaks."""
        if value is None:
            return None
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant.astimezone(UTC)


class Verbatim(TypeDecorator[str]):
    """
    Text that comes back exactly as it went in, whatever is in it.

    PostgreSQL holds no NUL, and no database lone surrogates; both occur in names of columns. Those characters, and the escape
    itself, are written as ``␛`` and four hexadecimal digits. Any other text lies there as it is.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - fixed signature
        """With the few characters escaped that cannot be stored."""
        return None if value is None else _UNSTORABLE.sub(_escaped, value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002 - fixed signature
        """As it was."""
        return None if value is None else _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)


def _escaped(match: re.Match[str]) -> str:
    return f"{ESCAPE}{ord(match[0]):04x}"


def plain(text: str) -> str:
    """Text to be shown by a database's own JSON functions, which stop at characters that they cannot hold."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def clip(text: str) -> str:
    """
    At most `LONGEST_TEXT` characters; a longer text says how long it was.

    Examples
    --------
    >>> clip("no rows in the window")
    'no rows in the window'
    >>> clip("x" * 1_000_000)[-30:]
    'xx… (1000000 characters in all)'
    """
    if len(text) <= LONGEST_TEXT:
        return text
    note = f"… ({len(text)} characters in all)"
    return text[: LONGEST_TEXT - len(note)] + note


def finite(number: float, place: str) -> float:
    """
    The number, if it is one.

    Raises
    ------
    StoreError
        For NaN and infinity, which no average, graph or alert rule survives.
    """
    if not math.isfinite(number):
        raise StoreError(f"{place} is {number!r}, which is never stored: nothing was written; please report this")
    return float(number)


def to_json(content: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    """
    Compact, in ASCII (so that every string can be stored), and without NaN or infinity.

    Everything comes back as it was, but for a pair of surrogates: it comes back as the character that it means.
    """
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def from_json(text: str) -> Any:  # noqa: ANN401 - whatever JSON can say
    """What `to_json` wrote."""
    return json.loads(text)

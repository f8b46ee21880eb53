"""What a database says when it refuses, in one line that tells where, what, and what to do."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftmon.errors import SourceError, SourceUnavailable
from driftmon.sources.faults import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["asking"]

_Kind = tuple[type[SourceError], str, str]
"""The error to raise, what is the matter, and what to do about it."""

_GONE: _Kind = (SourceError, "has no such table or column", "correct the table, or the query, of the monitor")
_TYPES: _Kind = (SourceError, "cannot compute it", "look at the values and types of the columns that the message names")
_BUSY: _Kind = (SourceUnavailable, "is busy", "try again")
_AWAY: _Kind = (SourceUnavailable, "cannot be reached", "check that the server runs, then try again")
_LOST: _Kind = (SourceUnavailable, "closed the connection", "try again")
_LOGIN: _Kind = (SourceError, "refuses the login", "check user and password of the connection")
_RIGHTS: _Kind = (SourceError, "refuses access", "GRANT this user the right to SELECT what the message names")
_SYNTAX: _Kind = (SourceError, "does not understand the query", "correct the query of the monitor")
_SLOW: _Kind = (SourceUnavailable, "cancelled the statement", "give it more time (statement timeout), or an index")
_ABSENT: _Kind = (SourceError, "does not exist", "correct the connection's database")
_UNKNOWN: _Kind = (SourceError, "reports an error", "correct the monitor, or ask the database's administrator")

_STATES: dict[str, _Kind] = {
    # By SQLSTATE, which most databases share, or the class of it: the longest that fits.
    "08": _AWAY,
    "22": _TYPES,
    "28": _LOGIN,
    "3D": _ABSENT,
    "3F": _GONE,
    "40": _BUSY,
    "42": _SYNTAX,
    "42501": _RIGHTS,
    "42P01": _GONE,
    "42703": _GONE,
    "42S02": _GONE,
    "42S22": _GONE,
    "42804": _TYPES,
    "42883": _TYPES,
    "53": _BUSY,
    "55": _BUSY,
    "57": _LOST,
    "57014": _SLOW,
    "58": _LOST,
    "HYT00": _SLOW,
}

_WORDS: tuple[tuple[str, _Kind], ...] = (
    # Where there is no code: while connecting, and in databases of a single file. Looked for in this order.
    ("authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist|login failed", _LOGIN),
    ("access denied|permission denied|not authorized|insufficient privilege", _RIGHTS),
    ("database .* does not exist|unknown database", _ABSENT),
    ("statement timeout|canceling statement|max_execution_time|interrupted", _SLOW),
    ("no such table|no such column|does not exist|invalid object name|not found in from clause", _GONE),
    (
        "unable to open database|no such file|cannot open",
        (SourceError, "cannot be opened", "check its path and rights"),
    ),
    ("not a database|malformed|corrupt|not a valid duckdb", (SourceError, "is damaged", "restore it from a backup")),
    ("locked|could not set lock|busy", _BUSY),
    ("server closed|terminating connection|connection .*lost|gone away|broken pipe|reset by peer|is closed", _LOST),
    ("connection|timed? ?out|could not translate host|name or service|unreachable|network", _AWAY),
    ("syntax error|parser error", _SYNTAX),
    ("conversion|out of range|cast|overflow", _TYPES),
)


@contextmanager
def asking(place: str) -> Iterator[None]:
    """
    Turn whatever a database or its driver raises into a `SourceError` that names the place.

    Parameters
    ----------
    place : str
        Table and database as messages call them, without any secret.

    Raises
    ------
    SourceUnavailable
        If trying again can help.
    SourceError
        If it cannot.
    """
    from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError  # noqa: PLC0415 - loads slowly

    try:
        yield
    except DBAPIError as exc:
        raise _said(place, exc.orig or exc) from exc
    except NoSuchModuleError as exc:
        raise SourceError(f"{place}: {_driver_words(str(exc))}") from exc
    except SQLAlchemyError as exc:
        raise SourceError(f"{place}: {one_line(exc)}; correct the connection, the table or the query") from exc
    except Exception as exc:
        # Rows that are fetched past SQLAlchemy raise what the driver raises.
        if not _is_driver_error(exc):
            raise
        raise _said(place, exc) from exc


def _is_driver_error(exc: BaseException) -> bool:
    names = {base.__name__ for base in type(exc).__mro__}
    return "Error" in names and bool(names & {"DatabaseError", "InterfaceError"})


def _said(place: str, cause: BaseException) -> SourceError:
    error, what, remedy = _kind(cause)
    return error(f"{place}: the database {what} ({_told(cause)}); {remedy}")


def _kind(cause: BaseException) -> _Kind:
    state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
    for length in (5, 2):
        if state[:length] in _STATES:
            return _STATES[state[:length]]
    words = str(cause).lower()
    return next((kind for pattern, kind in _WORDS if re.search(pattern, words)), _UNKNOWN)


def _told(cause: BaseException) -> str:
    """The words of the database without the statement, which can be of any length, and the part that it points at."""
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    if primary:
        return " ".join(str(primary).split())
    text = str(cause)
    for end in ("\nLINE ", "\n[SQL:", "\nDETAIL"):
        text = text.split(end, maxsplit=1)[0]
    return one_line(Exception(text))


def _driver_words(text: str) -> str:
    dialect = text.rpartition(":")[2] or text
    return f"no driver for {dialect!r} databases is installed; install the SQLAlchemy dialect of the database"

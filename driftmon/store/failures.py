"""What a database says when it refuses, in one line that tells which database, what, and what to do."""

from __future__ import annotations

import re
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from driftmon.errors import StoreError, StoreUnavailable, StoreVersionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["translated"]

_Kind = tuple[type[StoreError], str, str]
"""The error to raise, what is the matter, and what to do about it."""

_OWN_FILES = "the file and its folder (SQLite keeps files of its own next to the database, even to read)"

_SQLITE: dict[int, _Kind] = {
    sqlite3.SQLITE_BUSY: (StoreUnavailable, "is locked by another process", "try again"),
    sqlite3.SQLITE_LOCKED: (StoreUnavailable, "is locked by another process", "try again"),
    sqlite3.SQLITE_READONLY: (StoreError, "is read-only", f"allow this user to write {_OWN_FILES}"),
    sqlite3.SQLITE_FULL: (StoreError, "is full", "make room on its disk"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "cannot be opened", f"allow this user to read and write {_OWN_FILES}"),
    sqlite3.SQLITE_PERM: (StoreError, "refuses access", f"allow this user to read and write {_OWN_FILES}"),
    sqlite3.SQLITE_NOTADB: (StoreError, "is not a SQLite database", "name another file, or restore it from a backup"),
    sqlite3.SQLITE_CORRUPT: (StoreError, "is damaged", "restore it from a backup"),
}

_OUTDATED: _Kind = (StoreVersionError, "lacks a table or column", "run: driftmon db upgrade")
_UNKNOWN: _Kind = (StoreError, "reports an error", "driftmon db current shows whether it can be used at all")

_POSTGRESQL: dict[str, _Kind] = {
    # By SQLSTATE, or the class of it: the longest that fits.
    "08": (StoreUnavailable, "cannot be reached", "check that the server runs, then try again"),
    "28": (StoreError, "refuses the login", "check user and password of the database URL"),
    "3D000": (StoreError, "does not exist", "create it, or correct the database URL"),
    "25006": (StoreError, "is read-only", "point the database URL at the primary server, or allow this user to write"),
    "42501": (StoreError, "refuses access", "GRANT this user the rights that the message names"),
    "42P01": _OUTDATED,
    "42703": _OUTDATED,
    "53": (StoreUnavailable, "is out of resources", "try again"),
    "53100": (StoreError, "is full", "make room on the server's disk"),
    "55P03": (StoreUnavailable, "is locked by another process", "try again"),
    "57": (StoreUnavailable, "was interrupted", "try again"),
    "40": (StoreUnavailable, "was in conflict with another process", "try again"),
    "XX": (StoreError, "is damaged", "ask its administrator"),
}

# While connecting, the driver passes on the server's words but not its code. Where they are not in English, they count as "not
# there now", which costs a few tries in vain.
_WORDS = (
    ("authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist", "28"),
    ("database .* does not exist", "3D000"),
    ("permission denied for database", "42501"),
)


@contextmanager
def translated(database: str) -> Iterator[None]:
    """
    Turn errors of the database driver into the store's own.

    Parameters
    ----------
    database : str
        As people know it, without the password.

    Raises
    ------
    StoreError
        The narrowest class of it; its message is one line.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as exc:
        raise _translated(exc, database) from exc
    except StatementError as exc:
        # Not the database's: a value that one of our own types refused.
        raise (exc.orig if isinstance(exc.orig, Exception) else exc) from None
    except SQLAlchemyError as exc:
        raise StoreError(f"results database {database}: {_one_line(exc)}") from exc


def _translated(exc: DBAPIError | sqlite3.Error, database: str) -> StoreError:
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    error, what, remedy = _sqlite_kind(cause) if isinstance(cause, sqlite3.Error) else _postgresql_kind(cause)
    return error(f"results database {database} {what} ({_one_line(cause)}); {remedy}")


def _sqlite_kind(exc: sqlite3.Error) -> _Kind:
    if "no such table" in str(exc) or "no such column" in str(exc):  # SQLite has no code of its own for these
        return _OUTDATED
    # The low byte is the code, the others say more about it; errors of the module itself have none.
    return _SQLITE.get(getattr(exc, "sqlite_errorcode", 0) & 0xFF, _UNKNOWN)


def _postgresql_kind(exc: BaseException | None) -> _Kind:
    state = getattr(exc, "sqlstate", None) or _state_from_words(exc)
    return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]) or _UNKNOWN


def _state_from_words(exc: BaseException | None) -> str:
    for words, state in _WORDS:
        if re.search(words, str(exc)):
            return state
    # What is left of this class without a code: refused, timed out, cut off, starting up. The server is not there now.
    return "08" if type(exc).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"} else ""


def _one_line(exc: BaseException | None) -> str:
    return " ".join(str(exc).split())

"""
The error tree: what went wrong, and what the person or program that meets it can do.

* DriftmonError
  * UsageError                 say it differently: an unknown monitor, a reversed window
  * ConfigError                edit the monitor file that the message names
  * SourceError                fix the data that the message names
    * SourceUnavailable        try again: the place where the data are could not be reached
    * DataNotReady             try again: rows of the window may still arrive
  * StoreError                 fix the results database that the message names
    * StoreUnavailable         try again: the database is down, locked or restarting
    * StoreVersionError        migrate the database, or upgrade driftmon
    * BaselineMissing          build or promote a baseline first

A class says two things that code asks for: `retryable` (can the same call succeed later, with nothing changed?) and `exit_code`
(what the command line ends with).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "BaselineMissing",
    "ConfigError",
    "DataNotReady",
    "DriftmonError",
    "SourceError",
    "SourceUnavailable",
    "StoreError",
    "StoreUnavailable",
    "StoreVersionError",
    "UsageError",
]


class DriftmonError(Exception):
    """Anything that driftmon says in one line instead of a stack trace."""

    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 3


class UsageError(DriftmonError):
    """The request makes no sense as put: an unknown monitor or column, a reversed window."""

    exit_code = 2


class ConfigError(DriftmonError):
    """
    A monitor file that cannot be used.

    Parameters
    ----------
    problems : sequence of str
        One line each: file, key, value, what was expected. All problems of a file, not the first.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(DriftmonError):
    """Data that cannot be counted: missing, unreadable, of another shape than promised."""


class SourceUnavailable(SourceError):
    """The place where the data are could not be reached; nothing is known to be wrong with the data."""

    retryable = True


class DataNotReady(SourceError):
    """
    The window's rows may still be arriving.

    Parameters
    ----------
    message : str
        Which window, and until when to wait.
    ready_at : datetime or None
        UTC; trying before then is useless. None if nobody can tell.
    """

    retryable = True

    def __init__(self, message: str, *, ready_at: datetime | None = None) -> None:
        super().__init__(message)
        self.ready_at = ready_at


class StoreError(DriftmonError):
    """The results database refuses: read-only, full, permission denied, damaged."""


class StoreUnavailable(StoreError):
    """The results database is down, restarting or locked by another process."""

    retryable = True


class StoreVersionError(StoreError):
    """The results database has another schema version than this driftmon."""


class BaselineMissing(StoreError):
    """A check was asked for a monitor that has no promoted baseline."""

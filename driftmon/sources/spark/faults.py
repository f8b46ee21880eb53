"""Errors of Spark, in one line and the words of this project."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftmon.errors import DataNotReady, DriftmonError, SourceError, SourceUnavailable
from driftmon.sources.faults import OUR_OWN, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["asking"]

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\] ?(.*)")
"""How Spark names what went wrong, before the sentence that says it."""

_FILE = re.compile(r"reading (?:the )?file:? (\S+?)\.? ")
_NO_PACKAGE = re.compile(
    r"(?:ModuleNotFoundError|ImportError|PACKAGE_NOT_INSTALLED)\W.*?(?:'(\w+)[\w.]*'|(PyArrow|Pandas))"
)
_NO_PYTHON = re.compile(r'Cannot run program "([^"]+)"')
_DENIED = re.compile(
    r"permission denied|access.?denied|accesscontrolexception|forbidden|insufficient.?p|unauthori[sz]ed|INSUFFICIENT_PERMISSIONS",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"master removed our application|executor ?lost|fetchfailed|spark ?context (?:was|has been) (?:shut down|stopped)"
    r"|stopped sparkcontext|sparkcontext was shut|connection (?:refused|reset)|failed to connect|unavailable|timed? ?out"
    r"|py4jnetworkerror|answer from java side is empty|session_closed|socket closed|unresponsive",
    re.IGNORECASE,
)
_MISSING = {
    "TABLE_OR_VIEW_NOT_FOUND": "no such table or view; check its name, catalogue and schema",
    "SCHEMA_NOT_FOUND": "no such schema; check the table's name",
    "REQUIRES_SINGLE_PART_NAMESPACE": "no such catalogue; check the table's name",
    "PATH_NOT_FOUND": "no such file or folder for the cluster; check the path",
    "UNABLE_TO_INFER_SCHEMA": "no file with rows there; check the path and the format",
    "COLUMN_ALREADY_EXISTS": "two columns differ by case only; set spark.sql.caseSensitive to true for the session",
    "UNSUPPORTED_TIME_TYPE": "it has times of day; set spark.sql.timeType.enabled to true for the session",
    "FAILED_READ_FILE": "a file cannot be read",
}


@contextmanager
def asking(place: str, *, dated: bool = False) -> Iterator[None]:
    """
    Turn whatever goes wrong on a cluster into a `SourceError` that names the place.

    Parameters
    ----------
    place : str
        What is read.
    dated : bool
        True if the window is part of the path, so that missing files may still come.

    Raises
    ------
    SourceUnavailable
        If trying again can help: the cluster cannot be reached, or lost what the job needs.
    DataNotReady
        If no file of the window has come yet.
    SourceError
        If it cannot: no such table, no permission, a damaged file, a worker without what it needs.
    """
    # Spark logs whole stack traces of errors that it raises as well.
    loggers = [logging.getLogger(name) for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    except DriftmonError:
        raise
    except Exception as exc:
        said = _said(place, exc, dated=dated)
        if said is None:
            raise
        raise said from exc
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _said(place: str, exc: Exception, *, dated: bool) -> SourceError | None:
    if isinstance(exc, OUR_OWN) and not type(exc).__module__.startswith(("pyspark", "py4j")):
        return None
    # Without stacks, in which any word can occur.
    text = "\n".join(line for line in str(exc).splitlines() if not line.lstrip().startswith(("at ", "...")))
    conditions = dict(reversed(_CONDITION.findall(text)))
    if dated and any(name.startswith("PATH_NOT_FOUND") for name in conditions):
        return DataNotReady(f"{place}: no file for the window yet")
    for known, says in _MISSING.items():
        found = next((name for name in conditions if name.startswith(known)), None)
        if found is not None and not _DENIED.search(text):
            return SourceError(f"{place}: {_file(text) or says}")
    return _of_workers(place, text) or _of_cluster(place, exc, text, conditions)


def _file(text: str) -> str | None:
    """Which file is damaged."""
    found = _FILE.search(text)
    if found is None:
        return None
    return (
        f"file {found[1].removeprefix('file://').removeprefix('file:')} cannot be read: it may be damaged, incomplete or "
        "of another type than the others; write it again"
    )


def _of_workers(place: str, text: str) -> SourceError | None:
    """What a worker lacks."""
    python = _NO_PYTHON.search(text)
    if python is not None:
        return SourceError(
            f"{place}: workers have no Python at {python[1]!r}; set PYSPARK_PYTHON to one that has numpy and pyarrow"
        )
    if "PYTHON_VERSION_MISMATCH" in text:
        return SourceError(
            f"{place}: workers run another version of Python than the driver; set PYSPARK_PYTHON to the same version"
        )
    package = _NO_PACKAGE.search(text)
    if package is not None:
        name = (package[1] or package[2]).lower()
        return SourceError(f"{place}: workers have no package {name!r}; install numpy and pyarrow for their Python")
    return None


def _of_cluster(place: str, exc: Exception, text: str, conditions: dict[str, str]) -> SourceError:
    if _DENIED.search(text):
        return SourceError(f"{place}: no permission to read it; check the rights of who runs Spark's executors")
    if _GONE.search(text):
        return SourceUnavailable(f"{place}: the cluster was lost: {_first(text)}; try again later")
    condition = next(iter(conditions), None)
    if condition is None:
        return SourceError(f"{place}: Spark cannot read it: {_first(text) or one_line(exc)}")
    said = conditions[condition].partition(" SQLSTATE")[0].rstrip(" .")
    return SourceError(f"{place}: Spark cannot read it: {said or condition}")


def _first(text: str) -> str:
    """The first thing that is said, without the call that it was said to and the stack that said it."""
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("An error occurred", "\t"))
    ]
    line = lines[0] if lines else ""
    line = re.sub(r"^(?:Caused by: )?:? ?(?:[\w$]+\.)+[\w$]+: ", "", line)
    return line[:300].rstrip(" .:")

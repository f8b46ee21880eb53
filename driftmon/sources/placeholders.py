"""The window in a path: ``flights/{start:%Y-%m-%d}.parquet``."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from driftmon.errors import SourceError

if TYPE_CHECKING:
    from driftmon.core.window import Window

__all__ = ["has_window", "resolved"]

_DIRECTIVE = re.compile(r"%[-_]?[a-zA-Z]")


def has_window(path: str) -> bool:
    """
    True if a path depends on the window. Braces around anything else are part of a file name.

    Examples
    --------
    >>> has_window("data/{start:%Y}/x.csv"), has_window("data/{a}.csv")
    (True, False)
    """
    return "{start" in path or "{end" in path


def resolved(path: str, window: Window | None, timezone: str, *, any_window: bool = False) -> str:
    """
    The path to read: as it is, unless it depends on the window.

    Parameters
    ----------
    path : str
    window : Window or None
    timezone : str
        The bounds are written as its wall clock shows them, so that a day of New York has the date of New York.
    any_window : bool
        Instead of the path of one window, the glob that the paths of all windows match.

    Raises
    ------
    SourceError
        If the path depends on the window and there is none, or a placeholder is not of the form ``{start:FORMAT}`` or
        ``{end:FORMAT}``.
    """
    if not has_window(path):
        return path
    if any_window:
        return _for_any(path)
    if window is None:
        raise SourceError(f"path {path!r} depends on the window: say which one to read")
    return _for_window(path, window, timezone)


def _for_window(path: str, window: Window, timezone: str) -> str:
    zone = ZoneInfo(timezone)
    bounds = {"start": window.start.astimezone(zone), "end": window.end.astimezone(zone)}
    return "".join(literal + (f"{bounds[name]:{form}}" if name else "") for literal, name, form in _pieces(path))


def _for_any(path: str) -> str:
    """
    The glob that the paths of all windows match.

    Examples
    --------
    >>> _for_any("flights/{start:%Y/%m-%d}.parquet")
    'flights/*/*-*.parquet'
    """
    return "".join(literal + _DIRECTIVE.sub("*", form) for literal, _, form in _pieces(path))


def _pieces(path: str) -> list[tuple[str, str, str]]:
    """Literal text, the name of the placeholder that follows it or nothing, and its format."""
    expected = "expected {start:FORMAT} or {end:FORMAT}, such as {start:%Y-%m-%d}"
    try:
        pieces = [(literal, name or "", form or "") for literal, name, form, _ in Formatter().parse(path)]
    except ValueError as exc:
        raise SourceError(f"path {path!r}: {exc}; {expected}") from exc
    for _, name, form in pieces:
        if name and (name not in {"start", "end"} or not _DIRECTIVE.search(form)):
            raise SourceError(f"path {path!r}: placeholder {f'{name}:{form}'.rstrip(':')!r} says no bound; {expected}")
    return pieces

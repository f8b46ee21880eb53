"""Monitor files on disk: read, filled in from the environment, validated; a broken one stands beside the good ones."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from driftmon.config.explain import explain
from driftmon.config.monitor import Monitor, Thresholds
from driftmon.config.yamltext import parse, substitute
from driftmon.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["BrokenMonitor", "find_monitor", "load_folder", "load_monitor", "select_monitors"]

_NAME_LINE = re.compile(r"""^name:[ \t]*["']?([a-z0-9_-]{1,63})["']?[ \t]*(?:#.*)?$""", re.MULTILINE)

_KINDS: dict[type, str] = {list: "a list", str: "a text", int: "a number", float: "a number"}


@dataclass(frozen=True)
class BrokenMonitor:
    """A monitor file that cannot be used, and why; it stands where its monitor would, and the others go on."""

    name: str
    path: Path
    problems: tuple[str, ...]


def load_folder(folder: Path, environment: Mapping[str, str] = os.environ) -> list[Monitor | BrokenMonitor]:
    """
    Every monitor of a folder, by file name; the broken ones too.

    Raises
    ------
    ConfigError
        If there is no such folder, or it cannot be read.
    """
    loaded: list[Monitor | BrokenMonitor] = []
    taken: dict[str, Path] = {}
    for path in _files(folder):
        try:
            monitor = load_monitor(path, environment)
        except ConfigError as exc:
            loaded.append(_broken(path, *exc.problems, name=_written_name(path)))
            continue
        if monitor.name in taken:
            other = taken[monitor.name]
            loaded.append(_broken(path, f"{path}: name {monitor.name!r} is taken by {other}; names must be unique"))
        else:
            taken[monitor.name] = path
            loaded.append(monitor)
    return loaded


def _files(folder: Path) -> list[Path]:
    try:
        if folder.is_dir():
            return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as exc:
        raise ConfigError(f"{folder}: cannot be read: {exc.strerror}; name a folder that this user can list") from exc
    raise ConfigError(
        f"{folder}: no such folder of monitor files; make one with 'driftmon init DATA', or say --monitors FOLDER"
    )


def _broken(path: Path, *problems: str, name: str | None = None) -> BrokenMonitor:
    return BrokenMonitor(name or re.sub(r"[^a-z0-9_-]", "-", path.stem.lower())[:63], path, problems)


def _written_name(path: Path) -> str | None:
    """The name that a broken file gives itself: under it stand its results, which must not vanish for a typing error."""
    try:
        found = _NAME_LINE.search(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return None
    return None if found is None else found[1]


def select_monitors(folder: Path, names: Sequence[str]) -> list[Monitor | BrokenMonitor]:
    """
    The monitors of those names, or all; the broken ones too. A broken file never hides a good one of the same name.

    Raises
    ------
    ConfigError
        If there is no such folder.
    UsageError
        If there is no monitor of a name, with the nearest name.
    """
    found = load_folder(folder)
    by_name = {monitor.name: monitor for monitor in found}
    by_name.update({monitor.name: monitor for monitor in found if isinstance(monitor, Monitor)})
    for name in names:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(by_name) or 'none'}"
            raise UsageError(f"{folder}: no monitor named {name!r}; {hint}")
    return [by_name[name] for name in names] if names else found


def find_monitor(folder: Path, name: str) -> Monitor:
    """
    The monitor of that name.

    Raises
    ------
    ConfigError
        If its file is broken, with all problems.
    UsageError
        If there is none, with the nearest name.
    """
    [found] = select_monitors(folder, [name])
    if isinstance(found, BrokenMonitor):
        raise ConfigError(*found.problems)
    return found


def load_monitor(path: Path, environment: Mapping[str, str] = os.environ) -> Monitor:
    """
    Read one monitor file.

    Raises
    ------
    ConfigError
        With a line for every problem of the file: file, key, value, what was expected.
    """
    try:
        content = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"{path}: cannot be read: {getattr(exc, 'strerror', None) or 'it is not UTF-8 text'}"
        ) from exc
    except ValueError as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    if not isinstance(content, dict):
        holds = "is empty" if content is None else f"holds {_KINDS.get(type(content), 'a single value')}"
        raise ConfigError(f"{path}: {holds}; expected keys such as reference: and live:")
    problems: list[str] = []
    filled = substitute(content, environment, problems)
    try:
        monitor = Monitor.model_validate(_with_defaults(filled, path))
    except ValidationError as exc:
        problems += explain(exc, filled)
    else:
        if not problems:
            return monitor
    raise ConfigError(*(f"{path}: {problem}" for problem in problems))


def _with_defaults(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The content with what depends on the file: the name, and where relative paths start."""
    filled = {"name": path.stem, **content}
    filled.setdefault("model", filled["name"])
    base = path.resolve().parent.parent
    for key in ("reference", "live"):
        place = filled.get(key)
        if isinstance(place, dict):
            filled[key] = dict(_from(base, place))
            if isinstance(place.get("delta"), dict):
                filled[key]["delta"] = _from(base, place["delta"])
    _inherit_thresholds(filled)
    return filled


def _from(base: Path, place: dict[str, Any]) -> dict[str, Any]:
    """A place whose relative path starts at a folder."""
    path = place.get("path")
    return {**place, "path": str(base / path)} if isinstance(path, str) and "://" not in path else place


def _inherit_thresholds(filled: dict[str, Any]) -> None:
    """A column threshold that gives one severity takes the other from the monitor's thresholds."""
    general, own = filled.get("thresholds") or {}, filled.get("column_thresholds")
    if isinstance(own, dict) and isinstance(general, dict):
        known = {key: value for key, value in general.items() if key in Thresholds.model_fields}
        filled["column_thresholds"] = {
            column: {**known, **given} if isinstance(given, dict) else given for column, given in own.items()
        }

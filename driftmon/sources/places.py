"""From a path to the data files that it means: a file, a folder, a glob, hive partitions, on any file system."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from driftmon.errors import SourceError
from driftmon.sources.faults import reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DataFile", "Place", "locate", "partitions"]

FileSystem: TypeAlias = Any
FileInfo: TypeAlias = Any  # of Arrow, which publishes no types

ARROW_SCHEMES = frozenset({"abfs", "abfss", "gcs", "gs", "hdfs", "s3", "viewfs"})
"""What Arrow reads itself; every other scheme is fsspec's."""

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://([^/]*)/?(.*)", re.DOTALL)
_QUERY = re.compile(r"\?\w+=[^/]*$")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class DataFile:
    """
    One file with rows.

    Parameters
    ----------
    path : str
        In its file system.
    shown : str
        As messages name it.
    partitions : mapping of str to str or None
        What the names of its folders say: columns with one value for the whole file.
    """

    path: str
    shown: str
    partitions: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """
    Where to look for files.

    Parameters
    ----------
    system : file system of Arrow
    path : str
        In that file system, with its wildcards.
    shown : str
        What messages put before a path, such as ``s3://``.
    remote : bool
    """

    system: FileSystem
    path: str
    shown: str = ""
    remote: bool = False

    @property
    def name(self) -> str:
        """As messages name it."""
        return self._named(self.path)

    def files(self) -> tuple[DataFile, ...]:
        """
        The files, in the order of their paths; none if there are none.

        Folders are searched at any depth. What starts with a dot or an underscore is not data, unless the path says so itself.
        """
        with reading(self.name, remote=self.remote):
            return tuple(DataFile(path, self._named(path), partitions(path)) for path in sorted(self._paths()))

    def absence(self) -> str:
        """Why there are no data files, in words."""
        with reading(self.name, remote=self.remote):
            if _is_folder(self.system.get_file_info(self.path)):
                return "the folder has no data files; expected Parquet, CSV, Feather or ORC files in it"
        return (
            "no file matches; check the path" if _WILD.search(self.path) else "no such file or folder; check the path"
        )

    def open(self, file: DataFile) -> Any:  # noqa: ANN401 - an Arrow file; Arrow publishes no types
        """The bytes of a file, at any position."""
        return self.system.open_input_file(file.path)

    def _named(self, path: str) -> str:
        # Some file systems of fsspec keep the scheme in their paths.
        return self.shown + path.removeprefix(self.shown).lstrip("/") if self.shown else path

    def _paths(self) -> list[str]:
        from pyarrow.fs import FileSelector  # noqa: PLC0415 - Arrow loads slowly; paths are told apart without it

        info = self.system.get_file_info(self.path)
        if info.is_file:
            return [self.path]
        # A folder may have brackets in its name.
        if _is_folder(info):
            base, pattern = self.path, list[str]()
        elif _WILD.search(self.path):
            base, pattern = _split(self.path)
        else:
            return []
        found = self.system.get_file_info(FileSelector(base or ".", recursive=True, allow_not_found=True))
        inside = [(each.path, _below(each.path, base)) for each in found if each.is_file]
        return [path for path, parts in inside if _matches(parts, pattern) and not _hidden(parts, pattern)]


def _is_folder(info: FileInfo) -> bool:
    from pyarrow.fs import FileType  # noqa: PLC0415 - as above

    return bool(info.type == FileType.Directory)


def locate(path: str) -> Place:
    """
    Where a path or URL leads.

    Raises
    ------
    SourceError
        If the path is empty, or nothing can read such URLs.
    """
    if not path:
        raise SourceError("the path is empty; expected a file, a folder, a glob or a URL")
    url = _URL.fullmatch(path)
    if url is None or url[1] == "file":
        from pyarrow.fs import LocalFileSystem  # noqa: PLC0415 - as above

        local = Path(path).expanduser() if url is None else Path(f"/{unquote(url[3])}")
        return Place(LocalFileSystem(), local.as_posix())
    scheme, host, rest = url.groups()
    with reading(f"{scheme}://{host.rpartition('@')[2]}", remote=True):
        if scheme not in ARROW_SCHEMES:
            return _fsspec_place(path, scheme)
        query = _QUERY.search(f"{host}/{rest}" if rest else host)
        asked = query[0] if query else ""
        from pyarrow.fs import FileSystem as Arrow  # noqa: PLC0415 - as above

        # The host alone is parsed as a URL: wildcards and spaces of a path are not allowed in one.
        system, root = Arrow.from_uri(f"{scheme}://{host.removesuffix(asked)}{'' if host else '/'}{asked}")
    inner = f"{root.rstrip('/')}/{rest.removesuffix(asked)}".rstrip("/")
    return Place(system, inner, f"{scheme}://", remote=True)


def _fsspec_place(path: str, scheme: str) -> Place:
    from fsspec.core import url_to_fs  # noqa: PLC0415 - needed for such URLs only
    from pyarrow import fs  # noqa: PLC0415 - as above

    handler: Any = fs.FSSpecHandler
    system, inner = url_to_fs(path)
    return Place(fs.PyFileSystem(handler(system)), inner, f"{scheme}://", remote=True)


def partitions(path: str) -> dict[str, str | None]:
    """
    The columns that the folders of a path name, hive's way.

    Examples
    --------
    >>> partitions("data/day=2013-05-01/city=New%20York/part-0.parquet")
    {'day': '2013-05-01', 'city': 'New York'}
    """
    pairs = [part.split("=", maxsplit=1) for part in path.split("/")[:-1] if "=" in part]
    return {unquote(name): None if value == NO_VALUE else unquote(value) for name, value in pairs if name}


def _split(path: str) -> tuple[str, list[str]]:
    """The folder above all wildcards, and the pattern of what is below it."""
    parts = path.split("/")
    first = next(place for place, part in enumerate(parts) if _WILD.search(part))
    base = "/".join(parts[:first])
    return base or ("/" if path.startswith("/") else ""), parts[first:]


def _below(path: str, base: str) -> list[str]:
    # Arrow lists below "." with the dot, or without.
    inside = path.removeprefix("./") if base in {"", "."} else path.removeprefix(base)
    return inside.strip("/").split("/")


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """True if the pattern matches a path or a folder above it."""
    if not pattern:
        return True
    if not parts:
        return False
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or _matches(parts[1:], pattern)
    return fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _hidden(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    asked = {part[0] for part in pattern if part}
    return any(part[0] in {".", "_"} and part[0] not in asked for part in parts if part)

"""Rows in files: Parquet, CSV, Feather, ORC, here or on an object store."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from driftmon.errors import DataNotReady, SourceError
from driftmon.sources.base import no_progress
from driftmon.sources.readable import ReadableSource

if TYPE_CHECKING:
    from driftmon.core.window import Window
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Inspection, Progress
    from driftmon.sources.datafiles import Found
    from driftmon.sources.places import Place

__all__ = ["FilesSource"]

MOST_OPENED = 1_000
"""Files that `FilesSource.inspect` opens to sum their rows."""


class FilesSource(ReadableSource):
    """
    Rows in one file, or in many.

    Nothing is read before a method is called, and then batch by batch: only the columns that are asked for, and of Parquet files
    and hive partitions only what may lie in the window.

    Parameters
    ----------
    path : str or path
        A file, a folder, a glob (``*``, ``?``, ``[]``, ``**`` for folders at any depth) or a URL of Arrow's file systems
        (``s3://``, ``gs://``, ``abfs://``) or fsspec's. ``{start:%Y-%m-%d}`` and ``{end:...}`` stand for the bounds of the
        window on the wall clock of `timezone`: the daily window of New York has the date of New York. Folders named
        ``column=value`` (hive partitions) are columns.
    timestamp : str, optional
        The column that windows go by; None: every row that the path leads to belongs to the window.
    timezone : str
        Of timestamps that carry none, of dates in paths, and of the hours and weekdays of datetime columns.
    progress : Progress, optional
        Called with the rows read so far after each batch.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timestamp: str | None = None,
        timezone: str = "UTC",
        progress: Progress = no_progress,
    ) -> None:
        self._path = os.fspath(path)
        self._timestamp = timestamp
        self._timezone = timezone
        self._progress = progress

    def inspect(self) -> Inspection:
        """
        Columns and types of the newest file (the last by name), and the rows of all, where files tell them.

        Placeholders in the path stand for any window here.
        """
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - Arrow loads slowly; constructors must not

        place, files = self._found(None, any_window=True)
        newest = kernel.inspect(self._of(place, files[-1:], None, no_progress))
        known = len(files) <= MOST_OPENED
        return replace(newest, rows=self._of(place, files, None, no_progress).total() if known else None)

    def _reader(self, window: Window | None) -> Reader:
        """
        The rows of a window.

        Raises
        ------
        DataNotReady
            If the window is part of the path and no file has come yet.
        """
        return self._of(*self._found(window), window, self._progress)

    def _whole(self) -> Reader:
        return self._of(*self._found(None, any_window=True), None, no_progress)

    def _found(self, window: Window | None, *, any_window: bool = False) -> tuple[Place, Found]:
        """The place that the path means, and its files, of which there are some."""
        from driftmon.sources import placeholders  # noqa: PLC0415 - as above
        from driftmon.sources.datafiles import data_files  # noqa: PLC0415 - as above
        from driftmon.sources.places import locate  # noqa: PLC0415 - as above

        dated = placeholders.has_window(self._path)
        place = locate(placeholders.resolved(self._path, window, self._timezone, any_window=any_window))
        files = data_files(place)
        if files:
            return place, files
        if dated:
            which = "of any window" if window is None else f"for the window {window}"
            raise DataNotReady(f"{place.name}: no file {which} yet")
        raise SourceError(f"{place.name}: {place.absence()}")

    def _of(self, place: Place, files: Found, window: Window | None, progress: Progress) -> Reader:
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - as above
        from driftmon.sources.datafiles import FileRows  # noqa: PLC0415 - as above

        return Reader(FileRows(place, files), self._timestamp, self._timezone, window, progress)

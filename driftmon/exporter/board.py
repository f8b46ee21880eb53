"""What the overview shows, kept in memory between two reads of the database: an answer costs no read and survives an outage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from driftmon.report.overview import STRIP, know

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from driftmon.exporter.snapshot import SnapshotReader
    from driftmon.report.overview import Known
    from driftmon.store.records import MonitorSnapshot, SnapshotKey
    from driftmon.store.timeline import WindowPoint

__all__ = ["Board"]

logger = logging.getLogger(__name__)


class Board:
    """
    All monitors as they were last read.

    Monitors are read once for the metrics and for the pages: whoever renders metrics reads through `tap`, and what passed there
    is put on the board by `take_in`. Threads may look at `monitors` at any time; it is swapped whole.
    """

    def __init__(self) -> None:
        self.monitors: Mapping[str, Known] = {}
        self._read: dict[str, MonitorSnapshot] = {}

    def tap(self, reader: SnapshotReader) -> SnapshotReader:
        """The same reader, of which the board sees what it reads."""
        return _Tapped(reader, self._read)

    def take_in(self, reader: SnapshotReader, names: Collection[str]) -> None:
        """
        Put up what was read, and take down what is gone.

        Parameters
        ----------
        reader : SnapshotReader
        names : collection of str
            All monitors that are shown now.

        Raises
        ------
        StoreError
            If the database does not answer; what was read is put up the next time.
        """
        changed = self._read.keys() & set(names)
        strips = reader.strips(changed, limit=STRIP) if changed else {}
        known = {name: self.monitors[name] for name in names if name in self.monitors}
        for name in changed:
            try:
                known[name] = know(self._read[name], strips.get(name, ()))
            except Exception:  # The page of one monitor must stop neither the others nor the metrics.
                logger.exception("cannot show monitor %s", name)
        self._read.clear()
        self.monitors = known


class _Tapped:
    """A reader that leaves a copy of what it reads."""

    def __init__(self, reader: SnapshotReader, read: dict[str, MonitorSnapshot]) -> None:
        self._reader = reader
        self._read = read

    def snapshot_keys(self) -> Sequence[SnapshotKey]:
        return self._reader.snapshot_keys()

    def monitor_snapshot(self, name: str) -> MonitorSnapshot:
        self._read[name] = self._reader.monitor_snapshot(name)
        return self._read[name]

    def strips(self, names: Collection[str] | None = None, *, limit: int) -> Mapping[str, tuple[WindowPoint, ...]]:
        return self._reader.strips(names, limit=limit)

    def close(self) -> None:
        self._reader.close()

"""
The exposition as of one read of the results database: immutable, rendered and compressed before anyone asks for it.

A scrape of a million series must not take seconds, so scrapes render nothing and touch no database: they are handed the newest
snapshot. Between two snapshots only monitors that changed are read and rendered again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from driftmon.errors import DriftmonError, StoreUnavailable
from driftmon.exporter.compression import deflate
from driftmon.exporter.exposition import SNAPSHOT_FAMILIES, exposition, render_monitor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from driftmon.exporter.compression import Deflated
    from driftmon.exporter.exposition import Chunk
    from driftmon.store.records import MonitorSnapshot, SnapshotKey
    from driftmon.store.timeline import WindowPoint

__all__ = ["EMPTY", "Exported", "Refreshed", "Snapshot", "SnapshotBuilder", "SnapshotReader", "listed", "select"]

logger = logging.getLogger(__name__)


class SnapshotReader(Protocol):
    """The reading side of the results database, as far as the exporter goes; reading raises `StoreError`."""

    def snapshot_keys(self) -> Sequence[SnapshotKey]:
        """One key for every monitor that has ever been checked; cheap, for it is asked at every refresh."""
        ...

    def monitor_snapshot(self, name: str) -> MonitorSnapshot:
        """All that is exported of one monitor."""
        ...

    def strips(self, names: Collection[str] | None = None, *, limit: int) -> Mapping[str, tuple[WindowPoint, ...]]:
        """The last windows of some monitors, for small pictures."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


@dataclass(frozen=True)
class Snapshot:
    """
    What is served until the next one.

    Parameters
    ----------
    text : bytes
    compressed : Deflated
        The same, to be followed by what is fresh at each scrape.
    series, dropped : int
        In it, and left out of it.
    """

    text: bytes
    compressed: Deflated
    series: int
    dropped: int


EMPTY = Snapshot(b"", deflate(b""), 0, 0)


@dataclass(frozen=True)
class Refreshed:
    """A new snapshot, and what went wrong with single monitors: those keep the samples they had."""

    snapshot: Snapshot
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exported:
    """
    What is exported where not everything may be.

    Parameters
    ----------
    monitors : tuple of str
        Exported, in the order of their names.
    families : frozenset of int
        Exported, by place in `SNAPSHOT_FAMILIES`.
    left_out : tuple of str
        Names of families and monitors that are not exported.
    """

    monitors: tuple[str, ...]
    families: frozenset[int]
    left_out: tuple[str, ...] = ()


def select(chunks: Mapping[str, Sequence[Chunk]], *, max_series: int) -> Exported:
    """
    Fit into `max_series`: first without optional families, the last of the table first, then without whole monitors.

    Monitors are taken in the order of their names; one that does not fit is left out whole, and smaller ones after it may still
    fit. Which are exported does not depend on what was exported before.
    """
    totals = [sum(own[place].series for own in chunks.values()) for place in range(len(SNAPSHOT_FAMILIES))]
    excess = sum(totals) - max_series
    kept = set(range(len(totals)))
    left_out: list[str] = []
    for place in reversed(range(len(totals))):
        family = SNAPSHOT_FAMILIES[place]
        if excess > 0 and family.optional and totals[place]:
            kept.discard(place)
            left_out.append(family.name)
            excess -= totals[place]
    monitors: list[str] = []
    room = max_series
    for name in sorted(chunks):
        series = sum(chunks[name][place].series for place in kept)
        if series <= room:
            monitors.append(name)
            room -= series
        else:
            left_out.append(name)
    return Exported(tuple(monitors), frozenset(kept), tuple(left_out))


@dataclass(frozen=True)
class _Rendered:
    revision: str
    chunks: tuple[Chunk, ...]


class SnapshotBuilder:
    """
    Makes snapshots, and remembers what it rendered for the last one.

    Parameters
    ----------
    max_series : int
        More are never exported. The rest is left out as `select` says, counted and logged.
    """

    def __init__(self, *, max_series: int) -> None:
        self._max_series = max_series
        self._rendered: dict[str, _Rendered] = {}
        self._snapshot: Snapshot | None = None
        self._left_out: tuple[str, ...] = ()

    @property
    def monitors(self) -> Collection[str]:
        """The names of those that the newest snapshot was made of, exported or left out."""
        return self._rendered.keys()

    def build(self, reader: SnapshotReader, *, wanted: Collection[str] | None = None) -> Refreshed:
        """
        The exposition as of now.

        Parameters
        ----------
        reader : SnapshotReader
        wanted : collection of str, optional
            Monitors to export; all that the reader has if None.

        Raises
        ------
        StoreError
            If the reader cannot say which monitors there are, or becomes unavailable on the way. Nothing has changed then.
        """
        rendered: dict[str, _Rendered] = {}
        problems: list[str] = []
        for key in sorted(reader.snapshot_keys(), key=lambda key: key.monitor):
            if wanted is not None and key.monitor not in wanted:
                continue
            known = self._rendered.get(key.monitor)
            try:
                rendered[key.monitor] = self._render(reader, key, known)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one unreadable monitor must not stop the others, whatever it holds
                told = str(error) if isinstance(error, DriftmonError) else f"{type(error).__name__}: {error}"
                problems.append(f"{key.monitor}: {told}")
                if known is not None:
                    rendered[key.monitor] = known
        if self._snapshot is None or rendered != self._rendered:
            self._snapshot = self._assemble({name: monitor.chunks for name, monitor in rendered.items()})
            self._rendered = rendered
        return Refreshed(self._snapshot, tuple(problems))

    @staticmethod
    def _render(reader: SnapshotReader, key: SnapshotKey, known: _Rendered | None) -> _Rendered:
        if known is not None and known.revision == key.revision:
            return known
        return _Rendered(key.revision, render_monitor(reader.monitor_snapshot(key.monitor)))

    def _assemble(self, chunks: Mapping[str, Sequence[Chunk]]) -> Snapshot:
        chosen = select(chunks, max_series=self._max_series)
        families = sorted(chosen.families)
        by_family = [[chunks[name][place] for name in chosen.monitors] for place in families]
        text = exposition([SNAPSHOT_FAMILIES[place] for place in families], by_family)
        series = sum(chunk.series for family in by_family for chunk in family)
        dropped = sum(chunk.series for monitor in chunks.values() for chunk in monitor) - series
        self._report(chosen, dropped)
        return Snapshot(text, deflate(text), series, dropped)

    def _report(self, chosen: Exported, dropped: int) -> None:
        if chosen.left_out and chosen.left_out != self._left_out:
            logger.warning(
                "more than max_series=%d series: left out %d of them, in %s; raise max_series or check fewer columns",
                self._max_series,
                dropped,
                listed(chosen.left_out),
            )
        self._left_out = chosen.left_out


def listed(texts: Sequence[str], *, separator: str = ", ", most: int = 10) -> str:
    """
    Texts in a row, for one line of a log.

    Examples
    --------
    >>> listed(["a", "b", "c", "d"], most=2)
    'a, b and 2 more'
    """
    shown = separator.join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"

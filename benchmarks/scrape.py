"""
What a scrape costs: ``make bench``.

Exports generated monitors through the real server and times a scrape, compressed and not, against a client that merely receives
as many bytes from a socket; and a refresh in which nothing, one monitor, and every monitor changed.
"""

from __future__ import annotations

import http.client
import socket
import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.exporter.service import Exporter
from driftmon.store.records import ColumnSample, MonitorFacts, MonitorSnapshot, SnapshotKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from driftmon.store.timeline import WindowPoint

ROUNDS = 15
DAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC))


@dataclass
class Generated:
    """Monitors as the results database would give them."""

    monitors: int
    columns: int
    revisions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.revisions = {f"monitor-{number:03}": 0 for number in range(self.monitors)}

    def snapshot_keys(self) -> list[SnapshotKey]:
        """One key a monitor."""
        return [SnapshotKey(name, str(revision)) for name, revision in self.revisions.items()]

    def monitor_snapshot(self, name: str) -> MonitorSnapshot:
        """Columns that are all a little different."""
        seed = self.revisions[name]
        facts = MonitorFacts(name, "model", "team", "", "@daily", "UTC", 108_000.0)
        columns = tuple(_column(number, seed) for number in range(self.columns))
        return MonitorSnapshot(facts, DAY, "b3f9", 80_789, 964, columns, DAY.end, True, 0, "no drift")

    def strips(self, names: Collection[str] | None = None, *, limit: int) -> dict[str, tuple[WindowPoint, ...]]:
        """No pictures."""
        del names, limit
        return {}

    def close(self) -> None:
        """Nothing to let go of."""


def _column(number: int, seed: int) -> ColumnSample:
    kl = 0.0131 + (number * 37 + seed) % 1000 / 1e5
    quality = tuple(Quality(check, None, 0.01, 0.01, 0.5, 0.5, problem=False) for check in list(QualityCheck)[:3])
    return ColumnSample(
        f"column_{number}", "feature", None, Status.OK, kl, 0.0, 0.0079, Threshold(), 0.0311, 0.0245, 0.0,
        {"warning": 0, "critical": 0}, 0.0274, 2.5e-05, sustained=False, quality=quality,
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    for monitors, columns in ((100, 59), (500, 118)):
        reader = Generated(monitors, columns)
        exporter = Exporter(lambda reader=reader: reader, listen="127.0.0.1:0", max_series=10**7, refresh_seconds=3600)  # type: ignore[misc]
        full = _seconds(exporter.refresh)
        exporter.start()
        try:
            _measure(exporter, reader, full)
        finally:
            exporter.stop()


def _measure(exporter: Exporter, reader: Generated, full: float) -> None:
    nothing = _seconds(exporter.refresh)
    reader.revisions["monitor-007"] += 1
    one = _seconds(exporter.refresh)
    print(f"{exporter.state.series:,} series of {reader.monitors} monitors, medians of {ROUNDS}")
    for name, headers in (("compressed", {"Accept-Encoding": "gzip"}), ("plain", {})):
        size = len(_scrape(exporter, headers))
        scrape = _median(lambda headers=headers: _scrape(exporter, headers))  # type: ignore[misc]
        bare = _median(lambda size=size: _received(size))  # type: ignore[misc]
        print(
            f"  scrape, {name:<10} {scrape * 1e3:7.1f} ms for {size / 1e6:6.1f} MB, {scrape / bare:4.1f} x a bare socket"
        )
    print(f"  refresh: {full:.2f} s the first, {one:.2f} s with one monitor changed, {nothing * 1e3:.1f} ms with none")


def _scrape(exporter: Exporter, headers: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection(exporter.address.host, exporter.address.port, timeout=30)
    try:
        connection.request("GET", "/metrics", headers=headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def _received(size: int) -> None:
    """As many bytes through a connection of this machine, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_send, args=(server, bytes(size)))
        thread.start()
        with socket.create_connection(server.getsockname()) as client:
            while client.recv(1 << 18):
                pass
        thread.join()


def _send(server: socket.socket, content: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(content)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_seconds(work) for _ in range(ROUNDS))


if __name__ == "__main__":
    main()

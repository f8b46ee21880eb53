"""The long-lived exporter: refreshes its snapshot in the background and serves the newest one, database or not."""

from __future__ import annotations

import logging
import platform
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import prometheus_client

import driftmon
from driftmon.errors import DriftmonError
from driftmon.exporter.board import Board
from driftmon.exporter.compression import gzip_stream
from driftmon.exporter.exposition import render_exporter
from driftmon.exporter.pages import Pages
from driftmon.exporter.server import HttpServer, Response, parse_address
from driftmon.exporter.snapshot import EMPTY, SnapshotBuilder, listed
from driftmon.metrics import ExporterState
from driftmon.settings import Links

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from driftmon.exporter.server import Address
    from driftmon.exporter.snapshot import Snapshot, SnapshotReader

__all__ = ["DEFAULT_LISTEN", "MAX_SERIES", "REFRESH_SECONDS", "Exporter", "own_url"]

logger = logging.getLogger(__name__)

DEFAULT_LISTEN = "127.0.0.1:9877"
REFRESH_SECONDS = 15.0
MAX_SERIES = 1_000_000

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus 3 refuses a scrape whose type it cannot tell."""


def own_url(address: Address) -> str:
    """How people reach an address; one that is every interface is named after this machine."""
    host = socket.gethostname() if address.host in {"", "0.0.0.0", "::"} else address.host  # noqa: S104 - compared, not bound
    return f"http://{replace(address, host=host)}"


class Exporter:
    """
    Metrics of the results database, and pages for people, over HTTP.

    A database that is down changes nothing but a gauge: the last good snapshot stays, for its values hold until the next window,
    and an empty page would resolve every alert.

    Parameters
    ----------
    open_reader : callable
        Opens the reading side of the results database. Called at the first refresh and at each one after a failure, so that the
        exporter can start before the database does, and a database that comes back is looked at afresh. The exporter closes it.
        Pages of monitors and columns open one of their own, and need all of `driftmon.exporter.pages.PageReader`.
    listen : str
        ``host:port``, ``[ipv6]:port`` or ``:port`` for every interface.
    refresh_seconds : float
        Between two reads.
    configured : callable, optional
        Names of the monitors to export, asked at each refresh: a monitor whose file is gone disappears. All in the database if
        it is, or gives, None.
    max_series : int
        Of monitors and columns; what is beyond is left out, counted and logged.
    links : Links, optional
        Where people look further; by default only the pages at this address.

    Raises
    ------
    UsageError
        If the address is none or cannot be listened on.
    """

    def __init__(
        self,
        open_reader: Callable[[], SnapshotReader],
        *,
        listen: str = DEFAULT_LISTEN,
        refresh_seconds: float = REFRESH_SECONDS,
        configured: Callable[[], Collection[str] | None] | None = None,
        max_series: int = MAX_SERIES,
        links: Links | None = None,
    ) -> None:
        self._open_reader = open_reader
        self._reader: SnapshotReader | None = None
        self._refresh_seconds = refresh_seconds
        self._configured = configured
        self._builder = SnapshotBuilder(max_series=max_series)
        self._board = Board()
        self._pages = Pages(self._board, open_reader, lambda: self.state, refresh_seconds=refresh_seconds)
        self._refreshing = threading.Lock()
        self._failure: str | None = None
        self._process = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._process)
        prometheus_client.PlatformCollector(registry=self._process)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._refresh_until_stopped, name="driftmon-refresh", daemon=True)
        self._server = HttpServer(
            parse_address(listen),
            {
                "/": self._pages.overview,
                "/metrics": self._metrics,
                "/healthz": self._healthz,
                "/readyz": self._readyz,
            },
            {"/monitors/": self._pages.monitor, "/runbooks/": self._pages.runbook},
        )
        state = ExporterState(
            driftmon.__version__, platform.python_version(), links or Links("", own_url(self._server.address))
        )
        # One name for both, so that a scrape never sees the snapshot of one refresh with the state of another.
        self._current: tuple[Snapshot, ExporterState] = (EMPTY, state)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._server.address

    @property
    def state(self) -> ExporterState:
        """What it says of itself, as of the newest refresh."""
        return self._current[1]

    def start(self) -> None:
        """Begin to answer, and to refresh in the background; the first refresh begins at once."""
        self._server.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop both and free the address; a refresh that hangs in the database is left behind, not waited for."""
        self._stopping.set()
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        if not self._thread.is_alive():
            self._let_go()
        self._pages.close()

    def refresh(self) -> bool:
        """Read what changed and swap the snapshot; False, logged and counted if that failed."""
        with self._refreshing:
            started = time.monotonic()
            snapshot, failure = self._read()
            self._report(failure)
            now = datetime.now(UTC)
            state = replace(
                self.state,
                successful=failure is None,
                successes=self.state.successes + (failure is None),
                failures=self.state.failures + (failure is not None),
                succeeded_at=now if failure is None else self.state.succeeded_at,
                seconds=time.monotonic() - started,
                series=snapshot.series,
                dropped=snapshot.dropped,
            )
            self._current = (snapshot, state)
            return failure is None

    def _read(self) -> tuple[Snapshot, str | None]:
        try:
            if self._reader is None:
                self._reader = self._open_reader()
            wanted = None if self._configured is None else self._configured()
            refreshed = self._builder.build(self._board.tap(self._reader), wanted=wanted)
            self._board.take_in(self._reader, self._builder.monitors)
        except DriftmonError as error:
            self._let_go()
            return self._current[0], str(error).replace("\n", "; ")
        except Exception as error:
            # The top of a thread: dying here would serve old values for ever as if they were new.
            self._let_go()
            if self._failure is None:
                logger.exception("refresh failed unexpectedly")
            return self._current[0], f"{type(error).__name__}: {error}"
        return refreshed.snapshot, listed(refreshed.problems, separator="; ", most=3) or None

    def _let_go(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _report(self, failure: str | None) -> None:
        # A database that is down for an hour is one line, not 240.
        if failure is not None and failure != self._failure:
            kept = "there are none yet" if self._current[0] is EMPTY else "the last good ones stay"
            logger.warning("cannot refresh metrics, %s: %s", kept, failure)
        elif failure is None and self._failure is not None:
            logger.info("metrics are fresh again")
        self._failure = failure

    def _refresh_until_stopped(self) -> None:
        self.refresh()
        while not self._stopping.wait(self._refresh_seconds):
            self.refresh()

    def _metrics(self) -> Response:
        snapshot, state = self._current
        own = render_exporter(state) + prometheus_client.generate_latest(self._process)
        return Response((snapshot.text, own), METRICS_TYPE, gzipped=gzip_stream(snapshot.compressed, own))

    def _readyz(self) -> Response:
        snapshot, state = self._current
        if snapshot is not EMPTY:
            return Response((b"ready\n",))
        # The reason itself may name hosts and users; it is for the log.
        tried = "failed so far, the log says why" if state.failures else "has not ended yet"
        reason = f"not ready: the first read of the results database {tried}\n"
        return Response((reason.encode(),), status=HTTPStatus.SERVICE_UNAVAILABLE)

    @staticmethod
    def _healthz() -> Response:
        return Response((b"ok\n",))

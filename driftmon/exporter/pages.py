"""The pages for people: all monitors from memory, one monitor and one column from the database, and what to do about alerts."""

from __future__ import annotations

import gzip
import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import driftmon
from driftmon.core.window import isoformat
from driftmon.errors import StoreError, UsageError
from driftmon.exporter.addresses import PageAddresses, label_of
from driftmon.exporter.requests import asked_edge
from driftmon.exporter.server import Response
from driftmon.exporter.snapshot import SnapshotReader
from driftmon.report.freshness import standing
from driftmon.report.overview import STRIP, overview
from driftmon.report.pages import POLICY, render
from driftmon.report.runbooks import About, runbook, runbooks
from driftmon.report.views import Reader, column_view, monitor_view
from driftmon.words import nearest, span_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from driftmon.core.window import Window
    from driftmon.exporter.board import Board
    from driftmon.exporter.requests import Request
    from driftmon.metrics import ExporterState
    from driftmon.report.freshness import Standing
    from driftmon.report.overview import Known
    from driftmon.store.records import RunRecord

__all__ = ["PageReader", "Pages"]

logger = logging.getLogger(__name__)

HTML = "text/html; charset=utf-8"
PAGE_POLICY = f"{POLICY}; frame-ancestors 'none'"

AT_ONCE, PATIENCE = 3, 5.0
"""Pages that may read the database at once, and seconds that another one waits for its turn."""

FRESH = 60.0
"""Seconds without a good read of the database, and three of its rounds, before the overview says so."""

NEAR = timedelta(days=400)
"""How far from a window its neighbours are looked for."""


@runtime_checkable
class PageReader(SnapshotReader, Reader, Protocol):
    """The reading side of the results database, with what pages ask for."""

    def checked_windows(self, monitor: str, start: datetime, end: datetime) -> Mapping[Window, str]:
        """The windows within a span that have a result."""
        ...

    def last_failure(self, monitor: str) -> RunRecord | None:
        """The newest run of a monitor if it failed."""
        ...


class Pages:
    """
    Answers for people.

    Parameters
    ----------
    board : Board
        All monitors as they were last read.
    open_reader : callable
        Opens the reading side of the results database; called when a page first needs it, and again after a failure. One that
        is no `PageReader` has no pages of monitors.
    state : callable
        What the exporter says of itself.
    refresh_seconds : float
        Between two reads for the board.
    """

    def __init__(
        self,
        board: Board,
        open_reader: Callable[[], SnapshotReader],
        state: Callable[[], ExporterState],
        *,
        refresh_seconds: float,
    ) -> None:
        self._board = board
        self._open_reader = open_reader
        self._state = state
        self._patience = max(FRESH, 3 * refresh_seconds)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._opening = threading.Lock()
        self._reader: SnapshotReader | None = None

    def close(self) -> None:
        """Let go of the database."""
        self._drop(self._reader)

    def overview(self) -> Response:
        """All monitors, from memory."""
        now, state = datetime.now(UTC), self._state()
        if state.succeeded_at is None:
            return self._nothing_yet(state)
        seconds = max((now - state.succeeded_at).total_seconds(), 0.0)
        trouble = ""
        if not state.successful or seconds > self._patience:
            trouble = "The results database cannot be read."
        return self._page(
            "overview.html",
            overview=overview(self._board.monitors.values(), now),
            trouble=trouble,
            seconds=round(seconds),
            strip=STRIP,
            grafana=state.links.grafana_url,
        )

    def monitor(self, request: Request) -> Response:
        """``/monitors/NAME`` and ``/monitors/NAME/column``."""
        name, _, rest = request.path.rstrip("/").partition("/")
        known = self._board.monitors.get(name)
        if known is None and self._state().succeeded_at is None:
            return self._nothing_yet(self._state())
        if known is None:
            names = sorted(self._board.monitors)
            text = f"{nearest(name, names)}" if name else "choose one"
            links = [(each, self._links(None).monitor(each)) for each in names[:50]]
            return self._message(f"there is no monitor {name!r}", text, links, HTTPStatus.NOT_FOUND)
        if rest not in {"", "column"}:
            return self._message("nothing here", "", [(name, self._links(known).monitor(name))], HTTPStatus.NOT_FOUND)
        try:
            with self._turn() as reader:
                if rest:
                    return self._column(reader, known, request)
                return self._monitor(reader, known, request)
        except StoreError as error:
            logger.warning("cannot read a page of %s: %s", name, error)
            text = "The results database does not answer. The overview keeps what was read last; the log says more."
            return self._message("cannot read the results", text, status=HTTPStatus.SERVICE_UNAVAILABLE)

    def runbook(self, request: Request) -> Response:
        """``/runbooks/`` and ``/runbooks/ALERT``."""
        name, names = request.path.rstrip("/"), runbooks()
        about = self._about(request)
        body = runbook(name, about) if name else runbook()
        if name and body is None:
            links = [(each, f"/runbooks/{each}") for each in names]
            return self._message(f"there is no runbook {name!r}", nearest(name, names), links, HTTPStatus.NOT_FOUND)
        shown = [each for each in names if not name and (body is None or f"/runbooks/{each}" not in body)]
        return self._page("runbook.html", title=name or "Runbooks", body=body, names=shown, about=about)

    def _about(self, request: Request) -> About | None:
        """The monitor and column that a runbook is read for; None if the monitor is not known."""
        known = self._board.monitors.get(request.query.get("monitor", ""))
        if known is None:
            return None
        return About(known.facts.name, request.query.get("column", ""), request.query.get("segment", ""))

    def _monitor(self, reader: PageReader, known: Known, request: Request) -> Response:
        window = self._window(reader, known, request)
        if isinstance(window, Response):
            return window
        links = self._links(known)
        try:
            view = monitor_view(reader, known.facts, window, details=False)
        except UsageError:
            now = self._standing(reader, known, None)
            others = [("what to do", links.runbook(now.watch.freshness.alert, known.facts.name))] if now.failure else []
            text = now.told or "No window has been checked yet."
            return self._message(f"{known.facts.name}: {now.lead}", text, others, status=HTTPStatus.OK)
        walk = self._walk(reader, known, view.check.window, lambda at: links.monitor(known.facts.name, at))
        grafana = links.grafana(known.facts.name, window=view.check.window)
        walk += [("Grafana", grafana)] if grafana else []
        standing = self._standing(reader, known, view.check.window)
        return self._page("monitor.html", view=view, links=links, standing=standing, walk=walk)

    def _column(self, reader: PageReader, known: Known, request: Request) -> Response:
        window = self._window(reader, known, request)
        if isinstance(window, Response):
            return window
        monitor, links = known.facts.name, self._links(known)
        key = _asked(reader, monitor, window, request)
        try:
            view = column_view(reader, known.facts, key, window)
        except UsageError as error:
            others = [(monitor, links.monitor(monitor, window))]
            return self._message("no such column", str(error), others, HTTPStatus.NOT_FOUND)
        walk = [(monitor, links.monitor(monitor, window))]
        walk += self._walk(reader, known, view.check.window, lambda at: links.column(monitor, *key, at))
        grafana = links.grafana(monitor, *key, view.check.window)
        walk += [("Grafana", grafana)] if grafana else []
        standing = self._standing(reader, known, view.check.window)
        return self._page("column.html", view=view, links=links, standing=standing, walk=walk)

    def _window(self, reader: PageReader, known: Known, request: Request) -> Window | Response | None:
        """The window that was asked for; None for the newest; an answer if there is no such window."""
        asked = asked_edge(request)
        if asked is None:
            return None
        (edge, at), name, zone = asked, known.facts.name, ZoneInfo(known.facts.timezone)
        near = reader.checked_windows(name, at - NEAR, at + NEAR)
        found = [window for window in near if getattr(window, edge) == at]
        if found:
            return max(found, key=_by_end)
        order = sorted(near, key=lambda window: abs(getattr(window, edge) - at))[:10]
        links = [(span_text(window, zone), self._links(known).monitor(name, window)) for window in sorted(order)]
        title = f"{name}: no result of a window that {edge}s at {isoformat(at)}"
        return self._message(title, "the nearest are" if links else "", links, HTTPStatus.NOT_FOUND)

    @staticmethod
    def _walk(
        reader: PageReader, known: Known, window: Window | None, address: Callable[[Window], str]
    ) -> list[tuple[str, str]]:
        """The windows before and after."""
        if window is None:
            return []
        zone = ZoneInfo(known.facts.timezone)
        near = sorted(reader.checked_windows(known.facts.name, window.start - NEAR, window.end + NEAR), key=_by_end)
        place = near.index(window) if window in near else 0
        walk = []
        if place > 0:
            walk.append((f"← {span_text(near[place - 1], zone)}", address(near[place - 1])))
        if place + 1 < len(near):
            walk.append((f"{span_text(near[place + 1], zone)} →", address(near[place + 1])))
        return walk

    @staticmethod
    def _standing(reader: PageReader, known: Known, window: Window | None) -> Standing:
        """What keeps the newest window from being the whole truth: it is too old, or the newest run failed."""
        failures = (max(known.failed_runs, 1), reader.last_failure(known.facts.name))
        return standing(known.facts, known.window_end, window, failures)

    def _links(self, known: Known | None) -> PageAddresses:
        grafana = self._state().links.grafana_url
        return PageAddresses(grafana) if known is None else PageAddresses(grafana, known.facts, known.window_end)

    def _nothing_yet(self, state: ExporterState) -> Response:
        why = "failed; the log says why" if state.failures else "has not ended yet; reload in a moment"
        text = f"The first read of the results database {why}."
        return self._message("nothing to show yet", text, status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _message(
        self,
        title: str,
        text: str,
        others: Iterable[tuple[str, str]] = (),
        status: HTTPStatus = HTTPStatus.NOT_FOUND,
    ) -> Response:
        return self._page("message.html", status, title=title, text=text, others=list(others))

    def _page(self, template: str, status: HTTPStatus = HTTPStatus.OK, **values: object) -> Response:
        values = {"links": self._links(None), "version": driftmon.__version__} | values
        body = render(template, **values).encode(errors="replace")
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        return Response((body,), HTML, status, gzipped=(packed,), policy=PAGE_POLICY)

    @contextmanager
    def _turn(self) -> Iterator[PageReader]:
        """The database, for one of a few at a time: pages that wait for it must not pile up."""
        if not self._turns.acquire(timeout=PATIENCE):
            raise StoreError("other pages have been waiting for the results database for too long")
        reader = None
        try:
            with self._opening:
                reader = self._reader = self._reader or self._open_reader()
            yield _of_pages(reader)
        except StoreError:
            self._drop(reader)
            raise
        finally:
            self._turns.release()

    def _drop(self, reader: SnapshotReader | None) -> None:
        """Forget a reader that failed, so that the next page looks at the database afresh."""
        with self._opening:
            if reader is not None and self._reader is reader:
                self._reader = None
                reader.close()


def _of_pages(reader: SnapshotReader) -> PageReader:
    if not isinstance(reader, PageReader):
        raise StoreError("the reader of the results database knows nothing of pages")
    return reader


def _by_end(window: Window) -> tuple[datetime, datetime]:
    return (window.end, window.start)


def _asked(reader: PageReader, monitor: str, window: Window | None, request: Request) -> tuple[str, str | None]:
    """
    The column and segment that are meant: by name, or by the label of a metric.

    Alerts know columns by their labels, in which control characters are written out and long names end in a hash.
    """
    name, segment = request.query.get("name", ""), request.query.get("segment") or None
    stored = reader.load_checks(monitor, window=window, limit=1)
    columns = stored[0].columns if stored else ()
    keys = [(column.column, column.segment) for column in columns]
    if (name, segment) in keys:
        return name, segment
    wanted = (label_of(name), None if segment is None else label_of(segment))
    for column, part in keys:
        if (label_of(column), None if part is None else label_of(part)) == wanted:
            return column, part
    return name, segment

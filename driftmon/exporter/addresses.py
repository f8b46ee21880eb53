"""Where the names on a page lead: to other pages of ours, and to Grafana."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from driftmon.core.window import isoformat
from driftmon.exporter.exposition import label_value

if TYPE_CHECKING:
    from datetime import datetime

    from driftmon.core.window import Window
    from driftmon.store.records import MonitorFacts

__all__ = ["PageAddresses", "label_of"]

LONGEST_NAME = 512
"""Bytes of a name in an address; a longer one goes by its label."""

SHOWN = 30
"""Windows that a dashboard shows, the window of the page last."""

INSTANT = timedelta(milliseconds=1)
"""The smallest step of a dashboard's time: a window that begins where another ends is not shown with it."""


def label_of(name: str) -> str:
    r"""
    A name as readers of a metric see its label.

    Examples
    --------
    >>> label_of("a\x00b"), len(label_of("x" * 1000))
    ('a<U+0000>b', 510)
    """
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], label_value(name))


class PageAddresses:
    """
    Addresses of the pages that we serve.

    Parameters
    ----------
    grafana_url : str
        Empty if there is none.
    facts : MonitorFacts, optional
        Of the monitor that pages are about.
    newest : datetime, optional
        End of its newest window.
    base : str
        What paths are put behind; empty for links within the pages.
    """

    def __init__(
        self, grafana_url: str, facts: MonitorFacts | None = None, newest: datetime | None = None, *, base: str = ""
    ) -> None:
        self._grafana_url = grafana_url
        self._facts = facts
        self._newest = newest
        self._base = base

    def monitor(self, monitor: str, window: Window | None = None) -> str:
        """``/monitors/NAME``, of a window or of the newest."""
        return f"{self._base}/monitors/{_quoted(monitor)}{_query({} if window is None else {'window': isoformat(window.start)})}"

    def column(self, monitor: str, column: str, segment: str | None = None, window: Window | None = None) -> str:
        """``/monitors/NAME/column``, of a window or of the newest."""
        fields = {"name": _short(column)}
        if segment is not None:
            fields["segment"] = _short(segment)
        if window is not None:
            fields["window"] = isoformat(window.start)
        return f"{self._base}/monitors/{_quoted(monitor)}/column{_query(fields)}"

    def runbook(self, alert: str, monitor: str, column: str = "", segment: str | None = None) -> str:
        """``/runbooks/ALERT``, whose commands are about a monitor and a column."""
        fields = {"monitor": monitor, "column": _short(column), "segment": _short(segment or "")}
        return f"{self._base}/runbooks/{alert}{_query({name: value for name, value in fields.items() if value})}"

    def grafana(
        self, monitor: str, column: str | None = None, segment: str | None = None, window: Window | None = None
    ) -> str:
        """The dashboard of a monitor or a column: up to a window, or to the newest; empty without Grafana."""
        if not self._grafana_url:
            return ""
        fields = {"var-monitor": monitor}
        if column is not None:
            fields |= {"var-column": column, "var-segment": segment or ""}
        start, end = self._span(window)
        if start is not None and end is not None:
            fields |= {"from": f"{1000 * start.timestamp():.0f}", "to": f"{1000 * end.timestamp():.0f}"}
        return f"{self._grafana_url}/d/driftmon-{'monitor' if column is None else 'column'}{_query(fields)}"

    def _span(self, window: Window | None) -> tuple[datetime | None, datetime | None]:
        """What a dashboard shows: the window and those before it."""
        end = self._newest if window is None else window.end
        if end is None or self._facts is None:
            return None, None
        age = timedelta(seconds=self._facts.max_window_age)
        # What Prometheus says of the newest window it says from its check on; of an older one, the next must not be shown.
        last = end + age if self._newest is None or end >= self._newest else end - INSTANT
        step = age if window is None else min(age, window.end - window.start)
        return end - SHOWN * step, last


def _short(name: str) -> str:
    return name if len(name.encode(errors="surrogatepass")) <= LONGEST_NAME else label_of(name)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _query(fields: dict[str, str]) -> str:
    return f"?{urlencode(fields, errors='surrogatepass', quote_via=quote)}" if fields else ""

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

__all__ = ["PageAddresses", "label_of"]

LONGEST_NAME = 512
"""Bytes of a name in an address; a longer one goes by its label."""

SHOWN = timedelta(days=30)
"""Span of a dashboard."""


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
    newest : datetime, optional
        End of the newest window: where a dashboard's span ends.
    """

    def __init__(self, grafana_url: str, newest: datetime | None) -> None:
        self._grafana_url = grafana_url
        self._newest = newest

    def monitor(self, monitor: str, window: Window | None = None) -> str:
        """``/monitors/NAME``, of a window or of the newest."""
        return f"/monitors/{_quoted(monitor)}{_query({} if window is None else {'window': isoformat(window.start)})}"

    def column(self, monitor: str, column: str, segment: str | None = None, window: Window | None = None) -> str:
        """``/monitors/NAME/column``, of a window or of the newest."""
        fields = {"name": _short(column)}
        if segment is not None:
            fields["segment"] = _short(segment)
        if window is not None:
            fields["window"] = isoformat(window.start)
        return f"/monitors/{_quoted(monitor)}/column{_query(fields)}"

    def grafana(self, monitor: str, column: str | None = None, segment: str | None = None) -> str:
        """The dashboard of a monitor or a column, about the newest windows; empty without Grafana."""
        if not self._grafana_url:
            return ""
        fields = {"var-monitor": monitor}
        if column is not None:
            fields |= {"var-column": column, "var-segment": segment or ""}
        if self._newest is not None:
            start, end = ((self._newest - ago).timestamp() for ago in (SHOWN, timedelta(0)))
            fields |= {"from": f"{1000 * start:.0f}", "to": f"{1000 * end:.0f}"}
        return f"{self._grafana_url}/d/driftmon-{'monitor' if column is None else 'column'}{_query(fields)}"


def _short(name: str) -> str:
    return name if len(name.encode(errors="surrogatepass")) <= LONGEST_NAME else label_of(name)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _query(fields: dict[str, str]) -> str:
    return f"?{urlencode(fields, errors='surrogatepass', quote_via=quote)}" if fields else ""

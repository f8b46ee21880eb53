"""What the queries of the results database have in common."""

# ruff: noqa: S608 - Grafana fills the variables in, see views.py
from __future__ import annotations

__all__ = ["NEWEST", "NEWEST_OF_COLUMN", "OF_ANY_SEGMENT", "OF_COLUMN", "OF_MONITOR", "SHOWN", "newest_of"]

OF_MONITOR = "monitor = grafana_text('${monitor:percentencode}')"
"""Percent encoding is the only form in which any name is safe, see docs/database.md."""

OF_ANY_SEGMENT = f"{OF_MONITOR} AND grafana_is(column_name, '${{column:percentencode}}')"
"""By its name, or by the label that stands for a very long one in Prometheus: links come from there."""

OF_COLUMN = f"""{OF_ANY_SEGMENT} AND CASE WHEN grafana_text('${{segment:percentencode}}') IN ('', 'all rows') THEN segment = ''
    ELSE grafana_is(segment, '${{segment:percentencode}}') END"""
"""A segment is always COLUMN=VALUE, so none is called "all rows"."""

SHOWN = "$__timeFilter(window_start)"
"""Windows stand at their start, which is the date that people call them by."""


def newest_of(condition: str) -> str:
    """The condition that a row is of the newest window that meets another; windows may share their start, or their end."""
    return f"""(window_end, window_start) = (
        SELECT window_end, window_start FROM grafana_windows WHERE {condition}
        ORDER BY window_end DESC, window_start DESC LIMIT 1
    )"""


NEWEST = newest_of(f"{OF_MONITOR} AND {SHOWN}")
"""Of the newest window in the time that is shown: whoever wants an earlier one ends the time there."""

NEWEST_OF_COLUMN = f"{OF_COLUMN} AND {NEWEST}"

"""Where to look on: the addresses at the end of a message, the same as in those of Alertmanager."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from driftmon.core.window import isoformat
from driftmon.findings import is_widespread
from driftmon.notifications.changes import DRIFT

if TYPE_CHECKING:
    from datetime import datetime

    from driftmon.notifications.changes import Change
    from driftmon.settings import Links
    from driftmon.store.records import MonitorSnapshot

__all__ = ["links_of"]

WINDOWS_SHOWN = 30
"""Windows that the dashboard shows, the newest last."""


def links_of(snapshot: MonitorSnapshot, change: Change, links: Links) -> list[tuple[str, str]]:
    """Where to look: at the column if it is the only one, else at the monitor."""
    columns = sorted({(item.column, item.segment) for item in change.firing})
    alone = columns[0] if len(columns) == 1 and columns[0][0] else None
    found = []
    if links.grafana_url:
        found.append(("Dashboard", f"{links.grafana_url}/d/{_dashboard(snapshot, alone)}"))
    if links.driftmon_url:
        found.append(("Status page", f"{links.driftmon_url}/monitors/{_page(snapshot, alone)}"))
        if alert := _worst_alert(snapshot, change):
            found.append(("What to do", f"{links.driftmon_url}/runbooks/{alert}?{_names(snapshot, alone)}"))
    return found


def _dashboard(snapshot: MonitorSnapshot, alone: tuple[str, str] | None) -> str:
    fields: dict[str, object] = {"var-monitor": snapshot.facts.name}
    if alone:
        fields |= {"var-column": alone[0], "var-segment": alone[1]}
    if snapshot.window is not None:
        # What is unusual shows beside what was usual before. Of what began in the time shown, dashboards take the newest
        # window: the next one begins where this one ends.
        age = timedelta(seconds=snapshot.facts.max_window_age)
        end = snapshot.window.end
        fields |= {"from": _milliseconds(end - WINDOWS_SHOWN * age), "to": _milliseconds(end) - 1}
    return f"driftmon-{'column' if alone else 'monitor'}?{urlencode(fields)}"


def _page(snapshot: MonitorSnapshot, alone: tuple[str, str] | None) -> str:
    fields = {"name": alone[0], "segment": alone[1]} if alone else {}
    if snapshot.window is not None:
        fields["window"] = isoformat(snapshot.window.start)
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"{snapshot.facts.name}{'/column' if alone else ''}{f'?{query}' if query else ''}"


def _names(snapshot: MonitorSnapshot, alone: tuple[str, str] | None) -> str:
    """What the commands of a runbook are filled in with: of several columns none, since they would be about that one only."""
    column, segment = alone or ("", "")
    fields = {"monitor": snapshot.facts.name, "column": column, "segment": segment}
    return urlencode({name: value for name, value in fields.items() if value})


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _worst_alert(snapshot: MonitorSnapshot, change: Change) -> str | None:
    """The alert of the worst column that is told of, or of the many at once; else one of the monitor itself."""
    if is_widespread(snapshot.columns) and any(item.alert in DRIFT for item in change.firing):
        return "DriftmonWidespreadDrift"
    firing = {(item.column, item.segment, item.alert) for item in change.firing}
    for finding in snapshot.findings:
        for alert in finding.alerts:
            if (finding.column, finding.segment or "", alert.name) in firing:
                return alert.name
    return min((item.alert for item in change.firing), default=None)

"""What a monitor's file says, in the terms of sources, the core and the store."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from driftmon.core.check import Policy
from driftmon.sources.base import no_progress
from driftmon.sources.opening import open_source
from driftmon.store.records import MonitorFacts

if TYPE_CHECKING:
    from datetime import datetime

    from driftmon.config import Monitor
    from driftmon.sources.base import Progress, Source

__all__ = ["facts_of", "live_place", "live_source", "policy_of"]


def live_source(monitor: Monitor, progress: Progress = no_progress) -> Source:
    """Where the monitor's live rows are."""
    return open_source(monitor.live, timezone=monitor.timezone, progress=progress)


def live_place(monitor: Monitor) -> str:
    """32 hexadecimal digits that stand for where live rows are and how their time is read: what equal ones count is the same."""
    place = monitor.live.model_dump(mode="json", exclude={"start", "end"})
    text = json.dumps([place, monitor.timezone], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def policy_of(monitor: Monitor) -> Policy:
    """The owner's decisions in the core's terms."""
    return Policy(
        threshold=monitor.threshold(monitor.thresholds),
        column_thresholds={name: monitor.threshold(own) for name, own in monitor.column_thresholds.items()},
        roles=monitor.columns.roles,
        min_rows=monitor.min_rows,
    )


def facts_of(monitor: Monitor, now: datetime) -> MonitorFacts:
    """What readers of the results database need to know of a monitor."""
    return MonitorFacts(
        name=monitor.name,
        model=monitor.model,
        owner=monitor.owner,
        description=monitor.description,
        schedule=monitor.schedule,
        timezone=monitor.timezone,
        max_window_age=monitor.max_window_age(now).total_seconds(),
        last_end=monitor.last_end,
    )

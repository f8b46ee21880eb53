"""A monitor's baseline: built from its reference, stored, and promoted where it is the first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftmon.core.history import LEAST_WINDOWS
from driftmon.pipeline.values import facts_of
from driftmon.reference import baseline_of
from driftmon.sources.base import no_progress

if TYPE_CHECKING:
    from driftmon.config import Monitor
    from driftmon.core.baseline import Baseline
    from driftmon.sources.base import Progress
    from driftmon.store.store import Store

__all__ = ["build_baseline"]


def build_baseline(
    monitor: Monitor,
    store: Store,
    *,
    promote: bool = False,
    progress: Progress = no_progress,
    now: datetime | None = None,
) -> tuple[Baseline, bool]:
    """
    Build a baseline and store it; the first of a monitor is promoted at once.

    Parameters
    ----------
    promote : bool
        Promote it even if another one is in force.

    Returns
    -------
    baseline : Baseline
    promoted : bool
        True if checks use it from now on.
    """
    now = now or datetime.now(UTC)
    baseline = _without_alerts(baseline_of(monitor, progress), monitor, store)
    # Readers know the monitor from here on, so that one that never succeeds is seen.
    store.register_monitor(facts_of(monitor, now), now=now)
    store.save_baseline(monitor.name, baseline, now=now)
    active = [record.id for record in store.list_baselines(monitor.name) if record.active]
    if active == [baseline.id]:
        return baseline, True
    if promote or not active:
        store.promote(monitor.name, baseline.id, now=now)
        return baseline, True
    return baseline, False


def _without_alerts(baseline: Baseline, monitor: Monitor, store: Store) -> Baseline:
    """
    What alerted is not usual: such windows of earlier checks teach a later baseline's history nothing.

    Unless most of a column's windows alerted: then somebody builds a baseline of what an older one called drift, since it is the
    new normal.
    """
    history = baseline.history
    if history is None or not history.windows:
        return baseline
    alerted = store.alerted(monitor.name, history.windows[0].start, history.windows[-1].end)
    known = set(history.windows)
    times = Counter(key for window, keys in alerted.items() if window in known for key in keys)
    rare = {key for key, count in times.items() if 2 * count < len(known) and len(known) - count >= LEAST_WINDOWS}
    left_out = {window: [key for key in keys if key in rare] for window, keys in alerted.items()}
    return replace(baseline, history=history.without(left_out))

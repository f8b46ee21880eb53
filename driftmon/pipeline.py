"""
The only place where I/O meets maths: build a baseline, check a window, check many.

Each function reads rows through a source, hands counts to the core and stores what comes out, a check in one transaction, so that
it can be killed at any moment and run again.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftmon.core.check import Policy, check
from driftmon.core.history import LEAST_WINDOWS
from driftmon.errors import BaselineMissing, DataNotReady, DriftmonError, StoreError
from driftmon.reference import baseline_of
from driftmon.sources.base import no_progress
from driftmon.sources.opening import open_source
from driftmon.store.records import MonitorFacts, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftmon.config import Monitor
    from driftmon.core.baseline import Baseline
    from driftmon.core.check import CheckResult
    from driftmon.core.window import Window
    from driftmon.sources.base import Progress, Source
    from driftmon.store.store import Store

__all__ = [
    "BackfillStep",
    "backfill",
    "build_baseline",
    "facts_of",
    "live_source",
    "policy_of",
    "run_check",
]

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


def live_source(monitor: Monitor, progress: Progress = no_progress) -> Source:
    """Where the monitor's live rows are."""
    return open_source(monitor.live, timezone=monitor.timezone, progress=progress)


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
    now = now or _now()
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


def run_check(
    monitor: Monitor, store: Store, window: Window, *, progress: Progress = no_progress, now: datetime | None = None
) -> CheckResult:
    """
    Check one window and store the result, replacing an earlier one of the same window.

    Rows that arrive late change the answer; run it again and the newest answer stands.

    Raises
    ------
    DataNotReady
        If rows of the window may still arrive, or its files have not been written yet.
    SourceError
        If the rows cannot be read. The attempt is recorded, nothing else is stored.
    BaselineMissing, StoreError
    """
    started = now or _now()
    ready = window.end + monitor.delay
    if started < ready:
        raise DataNotReady(
            f"{monitor.name}: window {window} is complete at {ready.isoformat()} (data_delay {monitor.data_delay}); try again then",
            ready_at=ready,
        )
    try:
        result = _checked(monitor, store, window, progress)
    except DataNotReady:
        raise  # waiting, not failing
    except DriftmonError as exc:
        if isinstance(exc, BaselineMissing) or not isinstance(exc, StoreError):  # else there is nowhere to record it
            store.register_monitor(facts_of(monitor, started), now=started)
            store.record_run(RunRecord(monitor.name, window, started, now or _now(), str(exc)))
        raise
    scheduled = monitor.windows.has(window)
    result = store.save_check(
        result, facts_of(monitor, started), scheduled=scheduled, started_at=started, now=now or _now()
    )
    _log(result)
    return result


def _checked(monitor: Monitor, store: Store, window: Window, progress: Progress) -> CheckResult:
    baseline = store.load_baseline(monitor.name)
    profile = live_source(monitor, progress).count(baseline.columns, window, segments=baseline.segments)
    return check(baseline, profile, policy=policy_of(monitor), monitor=(monitor.name, monitor.model), window=window)


def _log(result: CheckResult) -> None:
    worst = result.ranked()[0] if result.columns else None
    logger.info(
        "monitor=%s window=%s rows=%d status=%s worst=%s kl=%s",
        result.monitor,
        result.window,
        result.live_rows,
        result.status,
        None if worst is None else worst.column,
        None if worst is None or worst.kl is None else f"{worst.kl:.4f}",
    )


@dataclass(frozen=True)
class BackfillStep:
    """What became of one window of a backfill: a result, an error, or neither where a result was there already."""

    window: Window
    result: CheckResult | None = None
    error: DriftmonError | None = None


def backfill(
    monitor: Monitor, store: Store, windows: Sequence[Window], *, again: bool = False, progress: Progress = no_progress
) -> Iterator[BackfillStep]:
    """
    Check many windows, one step each, in the order given; an error in one does not stop the others.

    Windows that were checked against the baseline in force are passed over, so that an interrupted backfill goes on where it
    stopped.

    Parameters
    ----------
    again : bool
        Check them all the same.

    Raises
    ------
    StoreError
        The results database is needed for every window.
    """
    if not windows:
        return
    baseline = store.load_baseline(monitor.name).id
    first, last = min(window.start for window in windows), max(window.end for window in windows)
    done = {} if again else store.checked_windows(monitor.name, first, last)
    for window in windows:
        if done.get(window) == baseline:
            yield BackfillStep(window)
            continue
        try:
            yield BackfillStep(window, result=run_check(monitor, store, window, progress=progress))
        except StoreError:
            raise
        except DriftmonError as exc:
            yield BackfillStep(window, error=exc)

"""
The only place where I/O meets maths: build a baseline, check a window, check many.

Each function reads rows through a source, hands counts to the core and stores what comes out, a check in one transaction, so that
it can be killed at any moment and run again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftmon.core.baseline import Baseline, Learnt
from driftmon.core.check import Policy, check
from driftmon.core.pairs import LEAST_REFERENCE_ROWS
from driftmon.core.histogram import Profile
from driftmon.core.layout import CategoricalLayout, Kind
from driftmon.errors import BaselineMissing, DataNotReady, DriftmonError, SourceError, StoreError, UsageError
from driftmon.sources.base import Selection, no_progress
from driftmon.sources.files import FilesSource
from driftmon.store.records import MonitorFacts, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from driftmon.config import Monitor
    from driftmon.core.check import CheckResult
    from driftmon.core.window import Window
    from driftmon.sources.base import Progress, Source
    from driftmon.store.store import Store

__all__ = [
    "BackfillStep",
    "backfill",
    "baseline_of",
    "build_baseline",
    "check_names",
    "facts_of",
    "live_source",
    "policy_of",
    "reference_source",
    "run_check",
]

logger = logging.getLogger(__name__)

SAID = 3
"""Columns whose reason a message gives before it stops."""


def _now() -> datetime:
    return datetime.now(UTC)


def reference_source(monitor: Monitor, progress: Progress = no_progress) -> Source:
    """Where the monitor's reference rows are."""
    return FilesSource(
        monitor.reference.path, timestamp=monitor.reference.timestamp, timezone=monitor.timezone, progress=progress
    )


def live_source(monitor: Monitor, progress: Progress = no_progress) -> Source:
    """Where the monitor's live rows are."""
    return FilesSource(
        monitor.live.path, timestamp=monitor.live.timestamp, timezone=monitor.timezone, progress=progress
    )


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
    )


def baseline_of(monitor: Monitor, progress: Progress = no_progress) -> Baseline:
    """
    Learn layouts from the reference, then count it: everything a check needs, without storing anything.

    Raises
    ------
    SourceError
        If the reference cannot be read, is empty, has no column to monitor, or lacks one that the monitor names.
    """
    source = reference_source(monitor, progress)
    span = monitor.reference_span
    columns = monitor.columns
    present = [column.name for column in source.inspect().columns]
    check_names(monitor, present)
    # The live timestamp says when a row happened, not what it is like; the reference may carry it too.
    named = {part for name in columns.included or () for part in (name, name.rpartition(".")[0])}
    time = {name for name in present if name == monitor.live.timestamp} - named
    selection = Selection(
        include=columns.included,
        exclude=sorted({*columns.exclude, *time}),
        kinds={name: Kind(kind) for name, kind in columns.kinds.items()},
    )
    learnt = source.learn(selection, span)
    if not learnt.columns:
        reasons = "; ".join(f"{item.column}: {item.reason}" for item in learnt.excluded[:SAID])
        raise SourceError(
            f"{monitor.reference.path}: no column can be monitored: {reasons or 'all are excluded'}; name some under columns"
        )
    values = _segment_values(monitor, learnt)
    profile = source.count(learnt.columns, span, segments=values)
    if profile.problems:
        name, problem = next(iter(profile.problems.items()))
        raise SourceError(f"reference of {monitor.name!r}: column {name!r}: {problem}")
    enough = {name: part for name, part in profile.segments.items() if part.rows >= LEAST_REFERENCE_ROWS}
    return Baseline(learnt, Profile(profile.rows, profile.histograms, segments=enough), span)


def check_names(monitor: Monitor, present: Sequence[str]) -> None:
    """
    Refuse a monitor that names columns which its reference does not have: what it says of them would count for nothing.

    Raises
    ------
    SourceError
        With the key that names the column, and the nearest names.
    """
    columns = monitor.columns
    asked: dict[str, Iterable[str]] = {
        "columns.features": columns.features or (),
        "columns.predictions": columns.predictions,
        "columns.targets": columns.targets,
        "columns.exclude": columns.exclude,
        "columns.kinds": columns.kinds,
        "segments": monitor.segments,
        "column_thresholds": monitor.column_thresholds,
    }
    for key, names in asked.items():
        for name in names:
            # A part of a timestamp, such as booked.hour, is there if the timestamp is.
            if name not in present and name.rpartition(".")[0] not in present:
                from driftmon.sources.arrow.batches import nearest  # noqa: PLC0415 - Arrow, for a message

                raise SourceError(
                    f"{monitor.reference.path}: no column {name!r}, which {key} names; {nearest(name, present)}"
                )


def _segment_values(monitor: Monitor, learnt: Learnt) -> dict[str, Sequence[str]]:
    values: dict[str, Sequence[str]] = {}
    for name in monitor.segments:
        column = learnt.columns.get(name)
        if column is None or not isinstance(column.layout, CategoricalLayout):
            known = [other for other, c in learnt.columns.items() if isinstance(c.layout, CategoricalLayout)]
            raise UsageError(
                f"{monitor.name}: segments names {name!r}, which is not a monitored categorical column; those are {known}"
            )
        values[name] = column.layout.categories
    return values


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
    baseline = baseline_of(monitor, progress)
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
    store.save_check(result, facts_of(monitor, started), started_at=started, now=now or _now())
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

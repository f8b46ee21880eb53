"""Check windows: one of one monitor, one of each of several monitors in one pass over shared rows, or many one after the other."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftmon.core.check import check
from driftmon.errors import BaselineMissing, DataNotReady, DriftmonError, StoreError, StoreUnavailable
from driftmon.pipeline.counting import Counting, count_all
from driftmon.pipeline.values import facts_of, policy_of
from driftmon.sources.base import no_progress
from driftmon.store.records import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from driftmon.config import Monitor
    from driftmon.core.check import CheckResult
    from driftmon.core.window import Window
    from driftmon.sources.base import Progress
    from driftmon.store.store import Store

__all__ = ["CheckStep", "backfill", "backfill_together", "run_check", "run_checks"]

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class CheckStep:
    """What became of one window of a monitor: a result, an error, or neither where a backfill found a result there already."""

    monitor: Monitor
    window: Window
    result: CheckResult | None = None
    error: DriftmonError | None = None


def run_check(
    monitor: Monitor, store: Store, window: Window, *, progress: Progress = no_progress, now: datetime | None = None
) -> CheckResult:
    """
    Check one window and store the result, replacing an earlier one of the same window.

    Rows that arrive late change the answer; run it again and the newest answer stands. Of a rolling window, the newest step is
    read, and the others if they never were: for rows that came late in those, check the window that ends with them again first.

    Raises
    ------
    DataNotReady
        If rows of the window may still arrive, or its files have not been written yet.
    SourceError
        If the rows cannot be read. The attempt is recorded; of the result nothing is stored.
    BaselineMissing, StoreError
    """
    [step] = run_checks([(monitor, window)], store, progress=progress, now=now)
    if step.error is not None:
        raise step.error
    assert step.result is not None  # noqa: S101 - one of both is always there
    return step.result


def run_checks(
    due: Sequence[tuple[Monitor, Window]],
    store: Store,
    *,
    progress: Progress = no_progress,
    now: datetime | None = None,
) -> list[CheckStep]:
    """
    Check one window of each of several monitors, as `run_check` does, reading the rows that they share once.

    Monitors share a pass whose live rows are in the same place, with the same timestamp column and time zone, and whose windows
    (or steps of rolling windows) are the same. An error of one does not stop the others.

    Returns
    -------
    list of CheckStep
        In the order given, each with a result or an error.

    Raises
    ------
    StoreUnavailable
        The results database is needed for every check.
    """
    started = now or _now()
    prepared = [_prepared(monitor, store, window, started) for monitor, window in due]
    count_all([each for each in prepared if isinstance(each, Counting)], store, progress, now=now)
    return [
        CheckStep(monitor, window, error=each)
        if isinstance(each, DriftmonError)
        else _finished(each, store, started, now)
        for (monitor, window), each in zip(due, prepared, strict=True)
    ]


def _prepared(monitor: Monitor, store: Store, window: Window, started: datetime) -> Counting | DriftmonError:
    """What there is to count for a check, or why it cannot be made."""
    ready = window.end + monitor.delay
    if started < ready:
        return DataNotReady(
            f"{monitor.name}: window {window} is complete at {ready.isoformat()} (data_delay {monitor.data_delay}); try again then",
            ready_at=ready,
        )
    try:
        return Counting.of(monitor, store.load_baseline(monitor.name), window, store)
    except BaselineMissing as exc:
        _record(monitor, store, window, exc, started, None)
        return exc
    except StoreUnavailable:
        raise
    except StoreError as exc:  # what is stored of this monitor is damaged: there is nowhere to record it
        return exc


def _finished(counting: Counting, store: Store, started: datetime, now: datetime | None) -> CheckStep:
    monitor, window = counting.monitor, counting.window
    try:
        profile = counting.profile()
    except DataNotReady as exc:
        return CheckStep(monitor, window, error=exc)  # waiting, not failing
    except DriftmonError as exc:
        _record(monitor, store, window, exc, started, now)
        return CheckStep(monitor, window, error=exc)
    policy, name = policy_of(monitor), (monitor.name, monitor.model)
    result = check(counting.baseline, profile, policy=policy, monitor=name, window=window)
    facts, scheduled = facts_of(monitor, started), monitor.windows.has(window)
    try:
        result = store.save_check(result, facts, scheduled=scheduled, started_at=started, now=now or _now())
    except StoreUnavailable:
        raise
    except StoreError as exc:
        return CheckStep(monitor, window, error=exc)
    _log(result)
    return CheckStep(monitor, window, result=result)


def _record(
    monitor: Monitor, store: Store, window: Window, error: DriftmonError, started: datetime, now: datetime | None
) -> None:
    store.register_monitor(facts_of(monitor, started), now=started)
    store.record_run(RunRecord(monitor.name, window, started, now or _now(), str(error)))


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


def backfill(
    monitor: Monitor, store: Store, windows: Sequence[Window], *, again: bool = False, progress: Progress = no_progress
) -> Iterator[CheckStep]:
    """
    Check many windows, one step each, in the order given; an error in one does not stop the others.

    Windows that were checked against the baseline in force are passed over, so that an interrupted backfill goes on where it
    stopped. Rolling windows in the order of time read each of their steps once.

    Parameters
    ----------
    again : bool
        Check them all the same.

    Raises
    ------
    StoreError
        The results database, and a baseline in it, are needed for every window.
    """
    for step in backfill_together([(monitor, window) for window in windows], store, again=again, progress=progress):
        if isinstance(step.error, StoreError):
            raise step.error
        yield step


def backfill_together(
    due: Sequence[tuple[Monitor, Window]], store: Store, *, again: bool = False, progress: Progress = no_progress
) -> Iterator[CheckStep]:
    """
    As `backfill`, of several monitors: windows that end at the same time are checked together, see `run_checks`.

    A monitor without a baseline, or whose baseline is damaged, has that error in each of its steps; the others go on.

    Parameters
    ----------
    due : sequence of (Monitor, Window)
        In the order in which they are to be checked; of those that are checked together, the first counts.

    Raises
    ------
    StoreUnavailable
        The results database is needed for every window.
    """
    monitors = {monitor.name: monitor for monitor, _ in due}
    before = {name: _before(monitor, due, store, again=again) for name, monitor in monitors.items()}
    together: dict[datetime, list[tuple[Monitor, Window]]] = {}
    for monitor, window in due:
        together.setdefault(window.end, []).append((monitor, window))
    for some in together.values():
        left = []
        for monitor, window in some:
            known = before[monitor.name]
            if isinstance(known, StoreError):
                yield CheckStep(monitor, window, error=known)
            elif window in known:
                yield CheckStep(monitor, window)
            else:
                left.append((monitor, window))
        yield from run_checks(left, store, progress=progress)


def _before(
    monitor: Monitor, due: Sequence[tuple[Monitor, Window]], store: Store, *, again: bool
) -> set[Window] | StoreError:
    """The windows that were checked against the baseline in force, or why none can be."""
    own = [window for of, window in due if of.name == monitor.name]
    try:
        baseline = store.load_baseline(monitor.name).id
    except StoreUnavailable:
        raise
    except StoreError as exc:
        return exc
    if again:
        return set()
    first, last = min(window.start for window in own), max(window.end for window in own)
    return {window for window, by in store.checked_windows(monitor.name, first, last).items() if by == baseline}

"""
After a check: find out what is news to whom, and say it once.

What each receiver was told is in the results database, so that any number of processes, in any order, runs that are killed and
windows that are run again lead to one message a change. A receiver that could not be reached believes what it did before, and the
next check tries again. Whatever goes wrong here is a line in the log and never the end of a check.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from driftmon.errors import BaselineMissing, DriftmonError, StoreError
from driftmon.notifications.changes import DRIFT, change_of, firing_now
from driftmon.notifications.message import compose
from driftmon.notifications.receivers import Receivers, load
from driftmon.notifications.sending import send
from driftmon.settings import links, notify_config, notify_urls
from driftmon.store.notifications import Claim, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from driftmon.config import Monitor
    from driftmon.core.window import Window
    from driftmon.notifications.changes import Change
    from driftmon.notifications.message import Message
    from driftmon.notifications.receivers import Receiver
    from driftmon.store.notifications import Firing
    from driftmon.store.records import MonitorSnapshot
    from driftmon.store.store import Store

__all__ = ["News", "Outcome", "is_behind", "newly_drifting", "receivers_of", "tell", "telling"]

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""How long a process that was killed while it told somebody keeps others from doing so; far longer than telling takes."""

ROUNDS = 3
"""How often is looked for what other processes stored meanwhile: they leave it to whoever is telling."""

EVENTS = "events"
"""The receiver that programs are: Airflow's asset events."""


@dataclass(frozen=True)
class News:
    """What has begun to drift, in which window."""

    window: Window | None
    firing: tuple[Firing, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one message: `failure` is None if it was taken."""

    receiver: str
    failure: str | None


@contextmanager
def telling(monitor: Monitor, store: Store, *, catching_up: bool = False) -> Iterator[None]:
    """
    Tell people what became of the checks in the block, once, at its end; also if it fails.

    Parameters
    ----------
    monitor : Monitor
    store : Store
    catching_up : bool
        True if checks of newer windows are sure to come by themselves: then old windows are no news (`is_behind`).
    """
    try:
        yield
    except StoreError as exc:
        # Without a database nobody knows what was told; a missing baseline is a failed run like any other.
        if isinstance(exc, BaselineMissing):
            tell(monitor, store)
        raise
    except Exception:
        # Nobody knows when the next check will be: what is known now is told, however old it is.
        tell(monitor, store)
        raise
    tell(monitor, store, catching_up=catching_up)


def tell(monitor: Monitor, store: Store, *, catching_up: bool = False) -> list[Outcome]:
    """Tell every receiver of a monitor what is news to it; what fails is logged, and tried again at the next check."""
    try:
        receivers = receivers_of(monitor)
        outcomes = _tell(monitor, store, receivers, catching_up=catching_up) if receivers.every else []
    except DriftmonError as exc:
        logger.warning("monitor=%s: nobody could be told what changed: %s", monitor.name, exc)
        return []
    except Exception as exc:  # noqa: BLE001 - a check is worth more than a message about it
        # Not its words, which can hold an address.
        place = traceback.extract_tb(exc.__traceback__)[-1]
        found = f"{type(exc).__name__} at {place.filename}:{place.lineno}"
        logger.warning("monitor=%s: nobody could be told what changed: %s; please report this", monitor.name, found)
        return []
    for outcome in outcomes:
        if outcome.failure is None:
            logger.info("monitor=%s: told %s", monitor.name, outcome.receiver)
        else:
            logger.warning(
                "monitor=%s: %s was not told: %s; the next check tries again",
                monitor.name,
                outcome.receiver,
                outcome.failure,
            )
    return outcomes


def receivers_of(monitor: Monitor) -> Receivers:
    """The receivers of a monitor; what is wrong with the settings is logged."""
    if monitor.notify == "off":
        return Receivers()
    found = load(notify_urls(), notify_config())
    for problem in found.problems:
        logger.warning("%s", problem)
    return Receivers(found.of(monitor.owner), found.problems)


def _tell(monitor: Monitor, store: Store, receivers: Receivers, *, catching_up: bool) -> list[Outcome]:
    least = monitor.notify
    every = {receiver.key: receiver for receiver in receivers.every}
    outcomes: list[Outcome] = []

    def due(snapshot: MonitorSnapshot, told: Mapping[str, Told]) -> dict[str, Change]:
        if catching_up and is_behind(monitor, snapshot, datetime.now(UTC)):
            return {}
        known = {key: told.get(key, Told()).firing for key in every}
        changes = {
            key: change_of(firing, firing_now(snapshot, firing, least=least), least=least)
            for key, firing in known.items()
        }
        return {key: change for key, change in changes.items() if change is not None}

    def act(snapshot: MonitorSnapshot, changes: Mapping[str, Change]) -> dict[str, Told]:
        failure = store.last_failure(monitor.name) if snapshot.consecutive_failed_runs else None
        error = None if failure is None else failure.error
        messages = {
            every[key]: _message(snapshot, change, every[key], error)
            for key, change in changes.items()
            if change.firing or every[key].hears_ends
        }
        results = send(messages)
        outcomes.extend(Outcome(receiver.name, failure) for receiver, failure in results.items())
        failed = {receiver.key for receiver, failure in results.items() if failure is not None}
        return {key: Told(change.firing) for key, change in changes.items() if key not in failed}

    _settle(store, monitor.name, due, act)
    return outcomes


def _message(snapshot: MonitorSnapshot, change: Change, receiver: Receiver, error: str | None) -> Message:
    return compose(snapshot, change, links(), receiver.takes, error=error)


def newly_drifting(monitor: Monitor, store: Store, *, by: str, catching_up: bool = False) -> News | None:
    """
    What of a monitor has begun to drift since this was last asked, or got worse; None if nothing has.

    Quality problems and failed runs are not among it: nobody trains a model on broken data.

    Parameters
    ----------
    by : str
        Who asks. If the same asks again, it gets the same answer: it may have been killed before it could act on the first.
    catching_up : bool
        As in `telling`.
    """
    known = store.told(monitor.name).get(EVENTS, Told())
    if known.by == by:
        return News(store.monitor_snapshot(monitor.name).window, tuple(sorted(known.firing)))
    news: list[News] = []

    def due(snapshot: MonitorSnapshot, told: Mapping[str, Told]) -> dict[str, Change]:
        if catching_up and is_behind(monitor, snapshot, datetime.now(UTC)):
            return {}
        firing = told.get(EVENTS, Told()).firing
        change = change_of(firing, firing_now(snapshot, firing, only=DRIFT))
        return {} if change is None else {EVENTS: change}

    def act(snapshot: MonitorSnapshot, changes: Mapping[str, Change]) -> dict[str, Told]:
        news.extend(News(snapshot.window, tuple(sorted(change.fresh))) for change in changes.values() if change.fresh)
        return {key: Told(change.firing, by if news else "") for key, change in changes.items()}

    _settle(store, monitor.name, due, act)
    return news[-1] if news else None


def is_behind(monitor: Monitor, snapshot: MonitorSnapshot, now: datetime) -> bool:
    """
    True while a scheduler catches up: the newest window with a result is stale, and newer ones are complete.

    What was found in it will be told when those are checked, as far as it still holds.
    """
    window = snapshot.window
    if window is None:
        return False
    return window.end < monitor.newest_window(now).end and now - window.end > monitor.max_window_age(now)


def _settle(
    store: Store,
    monitor: str,
    due: Callable[[MonitorSnapshot, Mapping[str, Told]], dict[str, Change]],
    act: Callable[[MonitorSnapshot, Mapping[str, Change]], dict[str, Told]],
) -> None:
    """
    Tell whoever has to be told, until nothing is due.

    Parameters
    ----------
    due : callable
        What has to be told, by receiver, to receivers that were told so much. One that was never told anything may be missing.
    act : callable
        Does it; gives what receivers believe from now on. Those that failed are not in it.
    """
    for _ in range(ROUNDS):
        wanted = due(store.monitor_snapshot(monitor), store.told(monitor))
        if not wanted:
            return
        mine = Claim(uuid4().hex, datetime.now(UTC), LEASE)
        told = store.claim_telling(monitor, wanted, mine)
        news: dict[str, Told] = {}
        try:
            # Read again: another process may have told something newer before this one could claim it.
            snapshot = store.monitor_snapshot(monitor)
            changes = {key: change for key, change in due(snapshot, told).items() if key in told}
            news = act(snapshot, changes) if changes else {}
        finally:
            store.finish_telling(monitor, mine, news)
        if wanted.keys() - news.keys():
            # Somebody else is telling them, and will see what we stored; or they failed, and once is enough for a check.
            return

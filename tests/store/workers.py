"""What other processes do in the tests of concurrency; a module of its own, so that they load little else."""

from __future__ import annotations

import multiprocessing
from itertools import count
from typing import TYPE_CHECKING

import alembic.command  # noqa: F401 - loaded before the processes fork, so that they really start at once

from driftmon.store.migrate import upgrade
from driftmon.store.store import Store
from tests.store.factories import NOW, facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import BaseContext
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier, Event

    from driftmon.core.check import CheckResult

__all__ = ["context", "open_at_once", "save_again_and_again", "save_for_ever", "upgrade_at_once"]


def context() -> BaseContext:
    """Processes that start from a clean one, which has loaded everything already."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.store.workers"])
    return made


def save_again_and_again(url: str, result: CheckResult, times: int, start: Barrier) -> None:
    """Save one result many times, from when everybody is ready."""
    with Store.open(url) as store:
        start.wait()
        for _ in range(times):
            store.save_check(result, facts(), started_at=NOW, now=NOW)


def save_for_ever(url: str, results: Sequence[CheckResult], ready: Event) -> None:
    """Save results in turn until somebody kills this process; `ready` is set while the second is being saved."""
    with Store.open(url) as store:
        for turn in count():
            if turn == 1:
                ready.set()
            store.save_check(results[turn % len(results)], facts(), started_at=NOW, now=NOW)


def upgrade_at_once(url: str, start: Barrier, answers: Queue[str]) -> None:
    """Upgrade a database together with others."""
    start.wait()
    try:
        answers.put(str(upgrade(url).found))
    except Exception as error:  # noqa: BLE001 - told to the test, which waits for it
        answers.put(repr(error))


def open_at_once(url: str, start: Barrier, answers: Queue[str]) -> None:
    """Open a database together with others."""
    start.wait()
    try:
        with Store.open(url) as store:
            answers.put(f"{len(store.snapshot_keys())} monitors")
    except Exception as error:  # noqa: BLE001 - told to the test, which waits for it
        answers.put(repr(error))

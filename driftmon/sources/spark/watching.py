"""A job of ours that waits for machines which do not come back is ended: Spark itself would wait for ever."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from driftmon.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftmon.sources.spark.session import Session

__all__ = ["PATIENCE", "watched"]

PATIENCE = 600.0
"""Seconds without any executor after which nobody waits any longer: new machines start in less, and queues are mostly shorter."""

PULSE = 1.0
"""Seconds between two looks."""


@contextmanager
def watched(session: Session, place: str, patience: float = PATIENCE) -> Iterator[None]:
    """
    End the jobs of a session of our own once it has been without executors for too long.

    Parameters
    ----------
    session : Session
        Classic; its driver is this process.
    place : str
    patience : float
        Seconds.

    Raises
    ------
    SourceUnavailable
        If the jobs were ended.
    """
    if session.sparkContext.master.startswith("local"):
        yield
        return
    watch = _Watch(session, patience)
    try:
        yield
    except Exception as exc:
        if watch.given_up:
            raise SourceUnavailable(
                f"{place}: {session.sparkContext.master} has had no worker for this job for {patience:g} seconds; "
                "are its workers running, and do they have cores and memory left?"
            ) from exc
        raise
    finally:
        watch.end()


class _Watch:
    """A thread that looks now and then whether there are executors."""

    def __init__(self, session: Session, patience: float) -> None:
        self.given_up = False
        self._context = session.sparkContext
        self._patience = patience
        self._over = Event()
        self._thread = Thread(target=self._look, name="driftmon-spark-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        since = time.monotonic()
        # A context that is gone has nothing to be ended.
        with suppress(Exception):
            while not self._over.wait(min(PULSE, self._patience)):
                if self._executors():
                    since = time.monotonic()
                elif time.monotonic() - since > self._patience:
                    self.given_up = True
                    self._context.cancelAllJobs()
                    return

    def _executors(self) -> bool:
        # The driver is one of those that hold blocks.
        return int(self._context._jsc.sc().getExecutorMemoryStatus().size()) > 1  # noqa: SLF001 - PySpark has no word for it

"""
What Apprise and its HTTP library log while they are at work for us goes nowhere: it can hold the addresses of receivers.

Only what is logged in the thread that asks for quiet; other users of these libraries log as before.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quiet"]


class _Hush(logging.Filter):
    """Takes what some threads log, so that it goes nowhere else: it can hold addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[int, list[logging.LogRecord]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass what other threads log."""
        taken = self.taken.get(record.thread or 0)
        if taken is None:
            return True
        taken.append(record)
        return False


HUSH = _Hush()
"""On the loggers of `TALKERS` once somebody was told: taking a filter off is no safe thing where threads log."""

TALKERS = ("apprise", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


@contextmanager
def quiet() -> Iterator[list[logging.LogRecord]]:
    """What Apprise logs in this thread meanwhile, and nobody else gets."""
    for name in TALKERS:
        logging.getLogger(name).addFilter(HUSH)
    thread = threading.get_ident()
    HUSH.taken[thread] = []
    try:
        yield HUSH.taken[thread]
    finally:
        del HUSH.taken[thread]

"""How long work takes, by the clock and by processors: other programs of the machine lengthen the second least."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Seconds", "least", "timed"]

Seconds: TypeAlias = tuple[float, float]
"""On the clock, and those that this process computed."""


def timed(work: Callable[[], object]) -> Seconds:
    """What some work takes, once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def least(taken: Sequence[Seconds]) -> Seconds:
    """The least of each kind, that others on the machine disturbed least."""
    return min(wall for wall, _ in taken), min(cpu for _, cpu in taken)

"""Reading ahead: the next batches are read while the last one is counted."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ahead"]

Item = TypeVar("Item")

WAITING = 2
"""Items that wait at most: one is too few where some take longer to read and others longer to count."""


def ahead(items: Iterator[Item], *, waiting: int = WAITING) -> Iterator[Item]:
    """
    The same items, each asked for in a thread while those before are in use.

    So many items wait at most that memory stays bounded. Whatever the iterator raises comes out here, in its place.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="driftmon-read")
    try:
        end = object()
        asked = deque(pool.submit(next, items, end) for _ in range(waiting))
        while (item := asked.popleft().result()) is not end:
            asked.append(pool.submit(next, items, end))
            yield item  # type: ignore[misc]  # only `end` is not an Item
    finally:
        # Whoever wants no more items does not wait for them to be read.
        pool.shutdown(cancel_futures=True)

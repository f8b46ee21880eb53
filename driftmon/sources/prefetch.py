"""Reading ahead: the next batch is read while the last one is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ahead"]

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """
    The same items, each asked for in a thread while the one before is in use.

    One item is in waiting at most, so that memory stays bounded. Whatever the iterator raises comes out here, in its place.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="driftmon-read") as pool:
        end = object()
        waiting = pool.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(next, items, end)
            yield item  # type: ignore[misc]  # only `end` is not an Item

"""What comes first where there is much: a column speaks for its segments, unless one of them is worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftmon.core.result import Part

__all__ = ["is_widespread", "leading", "spoken_for"]

WIDESPREAD, LEAST = 0.3, 3
"""More than this share of the judged columns, and at least so many, is what DriftmonWidespreadDrift asks for."""


P = TypeVar("P", bound="Part")


def leading(parts: Sequence[P]) -> list[P]:
    """Without the segments that their column speaks for; the order stays."""
    whole = {part.column: part.status.urgency for part in parts if part.segment is None}
    return [part for part in parts if part.segment is None or part.status.urgency > whole.get(part.column, -1)]


def spoken_for(part: Part, parts: Iterable[P]) -> list[P]:
    """The segments that a column speaks for; none for a segment."""
    if part.segment is not None:
        return []
    return [
        other
        for other in parts
        if other.column == part.column and other.segment is not None and other.status.urgency <= part.status.urgency
    ]


def is_widespread(parts: Iterable[Part]) -> bool:
    """True if so many columns of all rows drift that the feed is more likely the cause than the world."""
    judged = [part for part in parts if part.segment is None and part.status.evaluated]
    drifted = sum(1 for part in judged if part.status.breach)
    return drifted >= LEAST and drifted > WIDESPREAD * len(judged)

"""
Which windows a window looks back on: a function of the stored windows, in whatever order they came to be stored.

The state of sustained drift of a window stands on windows before it. When one is stored, replaced or moved to another baseline,
those after it that look back on it are no longer up to date; both sides of that are told here.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from driftmon.core.sustained import LOOKED_BACK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["CONSIDERED", "Stored", "looked_back_on", "needed_by_the_next", "outdated"]

CONSIDERED = 4 * LOOKED_BACK
"""Stored windows among which a window looks for those before it: more than it takes, for some overlap."""


@dataclass(frozen=True)
class Stored:
    """A stored window, by its row id; `pruned` if its bins are gone."""

    id: int
    start: datetime
    end: datetime
    pruned: bool = False


def looked_back_on(windows: Sequence[Stored], place: int) -> list[int]:
    """
    The windows that one looks back on.

    From the newest back, itself first; one that overlaps another that was taken is passed over, so that no row counts twice
    after a change of the schedule.

    Parameters
    ----------
    windows : sequence of Stored
        Of one baseline, by end and start; at least the `CONSIDERED` up to the one in question, if there are so many.
    place : int
        Which one.

    Returns
    -------
    list of int
        Row ids, the newest first, at most `LOOKED_BACK`.
    """
    last = max(place - CONSIDERED + 1, 0)
    taken = [windows[place].id]
    while len(taken) < LOOKED_BACK:
        # Windows are taken back in time, so that one which ends before the last one begins overlaps none of them.
        place = bisect_right(windows, windows[place].start, hi=place, key=attrgetter("end")) - 1
        if place < last:
            break
        taken.append(windows[place].id)
    return taken


def needed_by_the_next(windows: Sequence[Stored]) -> list[int]:
    """
    The windows that one after them may look back on, by row id.

    Where windows overlap, each looks back on others than the one before it, none of which is older than the oldest of this one;
    unless there are too few.
    """
    if not windows:
        return []
    considered = windows[-CONSIDERED:]
    taken = looked_back_on(considered, len(considered) - 1)
    oldest = taken[-1] if len(taken) == LOOKED_BACK else considered[0].id
    ids = [window.id for window in considered]
    return ids[ids.index(oldest) :]


def outdated(
    before: Sequence[Stored], window: Stored, after: Sequence[Stored], *, was: bool, now: bool
) -> dict[int, list[int]]:
    """
    The windows whose look back is another one, or on other content, since something happened to one window.

    Parameters
    ----------
    before, after : sequence of Stored
        The windows of a baseline around it, by end and start: at least the `CONSIDERED` next ones, if there are so many.
    window : Stored
        The one that was stored.
    was, now : bool
        Whether it was one of the baseline's windows before, and whether it is now.

    Returns
    -------
    dict of int to list of int
        Row ids of windows, in order, each with those of the windows that it looks back on now, the newest first. Those that
        were pruned are left out: what is known of them stays as it is.
    """
    old, new = ([*before, *([window] if among else []), *after] for among in (was, now))
    found: dict[int, list[int]] = {}
    if now:
        found[window.id] = looked_back_on(new, len(before))
    # Farther on, the window is not among those considered.
    for place, later in enumerate(after[: CONSIDERED - 1], start=len(before)):
        if later.pruned:
            continue
        taken = looked_back_on(new, place + now)
        if window.id in taken or (was != now and taken != looked_back_on(old, place + was)):
            found[later.id] = taken
    return found

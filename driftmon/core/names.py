"""Names as people are shown them: short, few of many, and the one that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["clipped", "listed", "nearest"]

NAMED = 5
"""Of many, those that a line names before it says "and more"."""

LONGEST_NAME = 60
"""Characters of a column's name that people are shown; names can be of any length."""


def clipped(name: str) -> str:
    """
    A name as people are shown it: one of any length would bury everything else.

    Examples
    --------
    >>> clipped("dep_delay"), len(clipped("x" * 1_000_000))
    ('dep_delay', 60)
    """
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def listed(texts: Iterable[str], most: int = NAMED) -> str:
    """
    The first few of many, and how many more there are.

    Examples
    --------
    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    every = list(texts)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def nearest(name: str, names: Collection[str]) -> str:
    """
    The end of a message about a name that is not there: what was meant, perhaps.

    Examples
    --------
    >>> nearest("tenur", ["age", "tenure"])
    "did you mean 'tenure'?"
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only messages need it, and it loads slowly

    # The time to compare two names grows with the product of their lengths, and names can be of any length.
    shown = [clipped(each) for each in names]
    close = get_close_matches(clipped(name), shown, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"it has {listed(map(repr, shown), 10)}" if shown else "it has none"

"""Decisions by few comparisons: a value is found between many bounds by halving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement

__all__ = ["halved"]


def halved(conditions: Sequence[Any], leaf: Callable[[int], ColumnElement[Any]], first: int = 0) -> ColumnElement[Any]:
    """
    An expression that depends on how many of some conditions hold, of which each implies those before it.

    Parameters
    ----------
    conditions : sequence of conditions
    leaf : callable of int
        The expression for so many.
    first : int
        How many hold already.
    """
    if not conditions:
        return leaf(first)
    middle = len(conditions) // 2
    return case(
        (conditions[middle], halved(conditions[middle + 1 :], leaf, first + middle + 1)),
        else_=halved(conditions[:middle], leaf, first),
    )

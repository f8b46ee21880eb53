"""
Where a column's values are cut: the bins, learnt once from the reference and never moved by live data.

`NumericLayout` cuts the number line, `CategoricalLayout` names categories. Both have a bin for every possible row, so that the
counts of a column always sum to the rows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.labels import span_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "KEY_LENGTH",
    "Bin",
    "CategoricalLayout",
    "Kind",
    "Layout",
    "NumericLayout",
    "category_key",
    "fingerprint",
    "layout_from_json",
]

KEY_LENGTH = 120
"""Longest category kept verbatim, in characters: a label must fit a table, a metric and a page."""


class Kind(StrEnum):
    """How a column is cut. ``datetime`` columns are monitored through parts such as ``COLUMN.hour``, never as raw instants."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    DATETIME = "datetime"
    TEXT = "text"
    EMBEDDING = "embedding"


@dataclass(frozen=True)
class Bin:
    """
    One bin as people read it.

    A numeric bin holds ``lower < x <= upper``, None being open. A category bin holds the rows equal to ``category``. The bins
    ``missing`` and ``other`` have neither.
    """

    label: str
    lower: float | None = None
    upper: float | None = None
    category: str | None = None

    @property
    def numeric(self) -> bool:
        """True if the bin is a span of the number line."""
        return self.lower is not None or self.upper is not None


@dataclass(frozen=True)
class NumericLayout:
    """
    Right-closed bins ``(edges[j-1], edges[j]]`` with open ends, then ``missing``.

    The first bin is the underflow and the last but one the overflow, so that an outlier moves one row between bins and nothing
    else. NaN and null are missing; -inf and +inf fall in the open ends.

    Parameters
    ----------
    edges : tuple of float
        Finite and strictly increasing, at least one.
    """

    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.edges or not all(map(math.isfinite, self.edges)):
            raise ValueError(f"a numeric layout needs finite edges, got {self.edges!r}")
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges must increase strictly, got {self.edges!r}")

    @property
    def size(self) -> int:
        """Number of bins, ``missing`` included: the K of the formulas."""
        return len(self.edges) + 2

    @property
    def novel_start(self) -> None:
        """Novelty is not counted apart: the under- and overflow bins say it."""
        return

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """The bins in the order of the counts: underflow, …, overflow, missing."""
        bounds = (None, *self.edges, None)
        spans = map(Bin, span_labels(self.edges), bounds, bounds[1:])
        return (*spans, Bin("missing"))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content; `layout_from_json` reads it back."""
        return {"edges": list(self.edges)}


@dataclass(frozen=True)
class CategoricalLayout:
    """
    One bin for each frequent reference category, then ``other``, then ``missing``.

    Never-seen values share the bin ``other`` with the rare reference categories: a bin of their own would hold no reference row
    and alarm on every long-tailed column (docs/statistics.md, "Bins"). Novelty is told apart by `rare` instead.

    Parameters
    ----------
    categories : tuple of str
        Keys (`category_key`) with a bin of their own, distinct.
    rare : bytes or None
        The reference categories without a bin of their own, as sorted 8-byte fingerprints: enough to tell a new value from a
        rare one without keeping the values. None if there were too many to keep; novelty is unknown then.
    """

    categories: tuple[str, ...]
    rare: bytes | None = b""

    def __post_init__(self) -> None:
        if len(set(self.categories)) != len(self.categories):
            raise ValueError(f"categories must be distinct, got {self.categories!r}")

    @property
    def size(self) -> int:
        """Number of bins, ``other`` and ``missing`` included: the K of the formulas."""
        return len(self.categories) + 2

    @property
    def novel_start(self) -> int | None:
        """Novel rows of an empty histogram: 0, or None where novelty cannot be told."""
        return None if self.rare is None else 0

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """The bins in the order of the counts: the categories, other, missing."""
        own = (Bin(_category_label(category), category=category) for category in self.categories)
        return (*own, Bin("other"), Bin("missing"))

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each category's bin."""
        return {category: position for position, category in enumerate(self.categories)}

    @cached_property
    def rare_fingerprints(self) -> NDArray[np.uint64] | None:
        """The fingerprints of `rare`, ascending; None if they were too many to keep."""
        return None if self.rare is None else np.frombuffer(self.rare, dtype=">u8").astype(np.uint64)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content; `layout_from_json` reads it back."""
        rare = None if self.rare is None else base64.b64encode(self.rare).decode("ascii")
        return {"categories": list(self.categories), "rare": rare}


Layout = NumericLayout | CategoricalLayout


def layout_from_json(content: Mapping[str, Any]) -> Layout:
    """Read back what ``to_json`` of either layout wrote."""
    if "edges" in content:
        return NumericLayout(tuple(content["edges"]))
    rare = content["rare"]
    return CategoricalLayout(tuple(content["categories"]), None if rare is None else base64.b64decode(rare))


def category_key(value: str) -> str:
    """
    The category that a string belongs to: itself, or for a very long one its beginning and a digest of the whole.

    Examples
    --------
    >>> category_key("JFK")
    'JFK'
    >>> len(category_key("x" * 1_000_000))
    120
    """
    if len(value) <= KEY_LENGTH:
        return value
    digest = f"{fingerprint(value):016x}"
    return f"{value[: KEY_LENGTH - len(digest) - 1]}…{digest}"


def fingerprint(key: str) -> int:
    """64 bits that stand for a category: the same on every machine and in every run, unlike `hash`."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _category_label(category: str) -> str:
    """
    A category as it is, or quoted where it would read as something else: the bin ``other``, nothing at all, a line break.

    Examples
    --------
    >>> print(*map(_category_label, ("JFK", "other", "", " JFK")))
    JFK "other" "" " JFK"
    """
    printable = category.isprintable()
    plain = printable and category == category.strip() and category[:1] not in {"", '"'}
    if plain and category not in {"other", "missing"}:
        return category
    return json.dumps(category, ensure_ascii=not printable)

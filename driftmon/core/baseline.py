"""What is frozen from the reference: layouts and counts, immutable and named by a hash of the content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftmon.core.histogram import segment_name
from driftmon.core.layout import CategoricalLayout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftmon.core.histogram import Profile
    from driftmon.core.history import History
    from driftmon.core.layout import Kind, Layout
    from driftmon.core.learning import Excluded
    from driftmon.core.window import Window

__all__ = ["Baseline", "BaselineColumn", "Learnt"]


@dataclass(frozen=True)
class BaselineColumn:
    """
    What is known of one column before any live row is read.

    Parameters
    ----------
    kind : Kind
    dtype : str
        The type of the reference column as people say it (``int64``, ``string``), for messages when live data change it.
    layout : Layout
    singletons : int or None
        Reference categories that exactly one row had (Good's N1): the expected share of never-seen live values is
        ``singletons / rows``. None for numeric columns, and where there were too many categories to tell.
    of : str or None
        The monitored name, where a count of several monitors at once knows the column under another one; never stored.
    """

    kind: Kind
    dtype: str
    layout: Layout
    singletons: int | None = None
    of: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content."""
        return {
            "kind": str(self.kind),
            "dtype": self.dtype,
            "layout": self.layout.to_json(),
            "singletons": self.singletons,
        }


@dataclass(frozen=True)
class Learnt:
    """What a source learns from the reference before it counts: the columns with their layouts, and those left out."""

    columns: Mapping[str, BaselineColumn]
    excluded: tuple[Excluded, ...] = ()

    @property
    def layouts(self) -> dict[str, Layout]:
        """The layout of each column."""
        return {name: column.layout for name, column in self.columns.items()}


@dataclass(frozen=True)
class Baseline:
    """
    The reference as checks see it.

    Parameters
    ----------
    learnt : Learnt
        Columns with their layouts; columns left out with the reason.
    reference : Profile
        Counts of the whole reference, and of each segment.
    span : Window or None
        First to last reference instant that was asked for; None if the reference has no timestamp or no bounds.
    history : History or None
        Counts of each reference window: what tells drift from the column's usual variation (docs/statistics.md, "Is it more than
        usual?"). None where that was not asked for.
    """

    learnt: Learnt
    reference: Profile
    span: Window | None = None
    history: History | None = None

    @property
    def columns(self) -> Mapping[str, BaselineColumn]:
        """The monitored columns, in the order of the data."""
        return self.learnt.columns

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """The columns left out, each with its reason."""
        return self.learnt.excluded

    @property
    def layouts(self) -> dict[str, Layout]:
        """The layout of each monitored column."""
        return self.learnt.layouts

    @property
    def segments(self) -> dict[str, list[str]]:
        """The segment columns, each with the values that are checked apart."""
        values: dict[str, list[str]] = {}
        for name, column in self.columns.items():
            if isinstance(column.layout, CategoricalLayout):
                known = self.reference.segments
                found = [value for value in column.layout.categories if segment_name(name, value) in known]
                if found:
                    values[name] = found
        return values

    @cached_property
    def id(self) -> str:
        """32 hexadecimal digits of a SHA-256 over the content: equal content has an equal name, on any machine."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _content(self) -> dict[str, Any]:
        return {
            "columns": {name: column.to_json() for name, column in self.columns.items()},
            "excluded": {item.column: item.reason for item in self.excluded},
            "reference": _profile_content(self.reference),
            "span": None if self.span is None else str(self.span),
            "history": [] if self.history is None else _history_content(self.history),
        }


def _history_content(history: History) -> dict[str, Any]:
    digest = hashlib.sha256()
    for (column, segment), counts in sorted(history.counts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        digest.update(json.dumps([column, segment, counts.shape]).encode())
        digest.update(counts.astype("<i8").tobytes())  # as text, a year of days would take a second
    return {"windows": [str(window) for window in history.windows], "counts": digest.hexdigest()}


def _profile_content(profile: Profile) -> dict[str, Any]:
    return {
        "rows": profile.rows,
        "histograms": {name: histogram.to_json() for name, histogram in profile.histograms.items()},
        "segments": {name: _profile_content(segment) for name, segment in profile.segments.items()},
    }

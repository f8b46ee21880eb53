"""The reference side of stored results: which column of which segment a row of results belongs to, and what it was compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from driftmon.core.histogram import Histogram
from driftmon.core.layout import Kind, layout_from_json
from driftmon.store.schema import baseline_columns, baseline_histograms, baseline_profiles
from driftmon.store.types import from_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select

    from driftmon.core.layout import Layout

__all__ = ["ColumnKey", "Reference", "reference_ids", "references"]

ColumnKey = tuple[str, str | None]
"""A column and its segment; None for all rows."""


@dataclass(frozen=True)
class Reference:
    """
    One column of one segment of a baseline.

    `place` orders references as a check orders its results: all rows first, then the segments, each in the order of the data.
    """

    place: tuple[int, int]
    column: str
    segment: str | None
    kind: Kind
    layout: Layout
    histogram: Histogram


def reference_ids(connection: Connection, baseline_id: int) -> dict[ColumnKey, int]:
    """The row id of each column and segment of a baseline."""
    query = _of_columns(
        select(baseline_columns.c.column_name, baseline_profiles.c.segment, baseline_histograms.c.id)
    ).where(baseline_profiles.c.baseline_id == baseline_id)
    return {(column, segment or None): row_id for column, segment, row_id in connection.execute(query)}


def references(
    connection: Connection,
    baseline_ids: Collection[int],
    *,
    column: str | Collection[str] | None = None,
    only: Collection[int] | None = None,
) -> dict[int, Reference]:
    """The references of some baselines by row id; all columns, or some, or only those with these row ids."""
    columns = select(baseline_columns).where(baseline_columns.c.baseline_id.in_(baseline_ids))
    histograms = _of_columns(
        select(
            *(baseline_profiles.c.position, baseline_profiles.c.segment),
            *(baseline_histograms.c.id, baseline_histograms.c.column_id),
            *(baseline_histograms.c.counts, baseline_histograms.c.novel),
        )
    ).where(baseline_profiles.c.baseline_id.in_(baseline_ids))
    if column is not None:
        names = [column] if isinstance(column, str) else column
        columns = columns.where(baseline_columns.c.column_name.in_(names))
        histograms = histograms.where(baseline_columns.c.column_name.in_(names))
    if only is not None:
        histograms = histograms.where(baseline_histograms.c.id.in_(only))
        columns = columns.where(
            baseline_columns.c.id.in_(select(baseline_histograms.c.column_id).where(baseline_histograms.c.id.in_(only)))
        )
    learnt = {row.id: row for row in connection.execute(columns)}
    layouts = {row_id: layout_from_json(from_json(row.layout)) for row_id, row in learnt.items()}
    return {
        row.id: Reference(
            place=(row.position, learnt[row.column_id].position),
            column=learnt[row.column_id].column_name,
            segment=row.segment or None,
            kind=Kind(learnt[row.column_id].kind),
            layout=layouts[row.column_id],
            histogram=Histogram(tuple(from_json(row.counts)), row.novel),
        )
        for row in connection.execute(histograms)
    }


def _of_columns(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(baseline_histograms)
        .join(baseline_columns, baseline_columns.c.id == baseline_histograms.c.column_id)
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
    )

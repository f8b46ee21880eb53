"""What a source does, for any rows that come as Arrow columns."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pat

from driftmon.core.history import History
from driftmon.core.window import in_order
from driftmon.sources.arrow.columns import raw_names
from driftmon.sources.arrow.counting import count_batches, count_history
from driftmon.sources.arrow.kinds import ColumnType, Family, column_type, value_type
from driftmon.sources.arrow.learning import Learning
from driftmon.sources.arrow.selection import check_timestamp
from driftmon.sources.arrow.text import Narrowing, has_naive
from driftmon.sources.base import ColumnInfo, Inspection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn, Learnt
    from driftmon.core.histogram import Profile
    from driftmon.core.window import Window
    from driftmon.sources.arrow.batches import Field
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Selection

__all__ = ["count", "history", "inspect", "learn"]

SAMPLED_BATCHES = 4
"""Batches that show what untyped text means, when it is only to be shown."""


def inspect(reader: Reader) -> Inspection:
    """What `Source.inspect` promises. The meaning of untyped text is guessed from its first rows."""
    timestamp = reader.timestamp
    fields = reader.fields()
    check_timestamp(timestamp, [field.name for field in fields], reader.place)
    untyped = [field.name for field in fields if field.type is None]
    sampled = _Sample(reader, untyped)
    columns = tuple(_info(field, sampled.types) for field in fields)
    text_time = any(field.name == timestamp and _is_text(field) for field in fields)
    naive = any(field.name == timestamp and _is_naive(field) for field in fields)
    if text_time and timestamp is not None:
        naive = any(
            has_naive(batch.columns[timestamp].cast(pa.string()))
            for batch in islice(reader.read([timestamp]), SAMPLED_BATCHES)
            if timestamp in batch.columns
        )
    return Inspection(columns, rows=reader.total(), naive_timestamp=naive)


def learn(reader: Reader, selection: Selection) -> Learnt:
    """What `Source.learn` promises."""
    return Learning(reader, selection).learn()


def count(
    reader: Reader, columns: Mapping[str, BaselineColumn], segments: Mapping[str, Sequence[str]] | None = None
) -> Profile:
    """What `Source.count` promises."""
    reader.expect(1)
    names = raw_names(columns, segments or ())
    return count_batches(reader.read(names), columns, zone=reader.zone, segments=segments)


def history(
    reader: Reader,
    columns: Mapping[str, BaselineColumn],
    split: Sequence[Window] | int,
    segments: Mapping[str, Sequence[str]] | None = None,
) -> History:
    """What `Source.history` promises."""
    names = raw_names(columns, segments or ())
    if isinstance(split, int):
        if split < 1:
            raise ValueError(f"{split!r} blocks of rows; expected at least 1")
        blocks = reader.in_blocks(names, split)
        counts, tops = count_history(blocks, split, columns, zone=reader.zone, segments=segments)
        return History(counts, (), tops)
    windows = in_order(split)
    parts = reader.in_windows(names, windows)
    counts, tops = count_history(parts, len(windows), columns, zone=reader.zone, segments=segments)
    return History(counts, windows, tops)


class _Sample:
    """What untyped text seems to mean."""

    def __init__(self, reader: Reader, names: Sequence[str]) -> None:
        narrowing = {name: Narrowing(reader.zone) for name in names}
        for batch in islice(reader.read(names), SAMPLED_BATCHES) if names else ():
            for name in set(names) & set(batch.columns):
                narrowing[name].add(batch.columns[name])
        self.types: dict[str, ColumnType] = {name: each.meant for name, each in narrowing.items()}


def _info(field: Field, meant: Mapping[str, ColumnType]) -> ColumnInfo:
    found = meant[field.name] if field.type is None else column_type(field.type)
    return ColumnInfo(field.name, found.name, found.family.kind)


def _is_text(field: Field) -> bool:
    return field.type is None or column_type(field.type).family is Family.TEXT


def _is_naive(field: Field) -> bool:
    """True if the times of a typed column are wall clocks."""
    if field.type is None:
        return False
    plain = value_type(field.type)
    return bool(pat.is_date(plain) or (pat.is_timestamp(plain) and plain.tz is None))

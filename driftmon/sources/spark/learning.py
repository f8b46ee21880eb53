"""Learning on a cluster: each pass runs on all partitions at once, and what they tell is added up in a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.layout import Kind
from driftmon.errors import SourceError
from driftmon.sources.arrow.choosing import candidates, choose
from driftmon.sources.arrow.kinds import ColumnType, Family, column_type
from driftmon.sources.arrow.passes import Partial, Plan, gather, total
from driftmon.sources.arrow.reading import Reader
from driftmon.sources.spark.gathering import FAN, PARTIAL_SCHEMA, Gather, merged, unpacked
from driftmon.sources.spark.partitions import Meanings
from driftmon.sources.spark.sampled import SampledRows
from driftmon.sources.spark.session import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import Learnt
    from driftmon.sources.arrow.batches import Field, Rows
    from driftmon.sources.arrow.passes import PassSpec
    from driftmon.sources.base import Progress, Selection
    from driftmon.sources.spark.frame import Frame

__all__ = ["learn"]

SAMPLED_ROWS = 10_000
"""Rows that show roughly where the values of a column are."""


def learn(
    frame: Frame, selection: Selection, rows: Reader, progress: Progress, *, sampled_rows: int = SAMPLED_ROWS
) -> Learnt:
    """
    What `Source.learn` promises, with nothing but counts leaving the cluster, and a few thousand rows to begin with.

    Parameters
    ----------
    frame : Frame
    selection : Selection
    rows : Reader
        Of no rows: it says which window and time zone.
    progress : Progress
        Called with the rows after each pass.
    sampled_rows : int
        Rows to begin with; where there are fewer, they are all that is read.
    """
    fields = frame.fields()
    wanted = candidates(fields, selection, rows.timestamp, frame.place)
    meant = _dated(frame, wanted, selection, rows)
    choice = choose(fields, selection, timestamp=rows.timestamp, place=frame.place, meant=meant)
    plan = Plan.of(choice.columns, forced=choice.forced, zone=rows.zone.name)
    sample = SampledRows(frame, sampled_rows)
    few = _like(rows, sample)
    while not plan.done or plan.rows is None:
        first = plan.fresh or plan.rows is None
        partial = gather(plan.spec, few.read(plan.spec.names)) if first else None
        if partial is None or not sample.every:
            plan = plan.fitted(partial) if plan.fresh else plan
            partial = _pass(frame, plan.spec, rows)
        plan = plan.advance(partial)
        progress(partial.rows, partial.rows)
    return choice.learnt(plan, "" if rows.window is None else f" between {rows.window}")


def _like(rows: Reader, others: Rows) -> Reader:
    """Other rows, read in the same way."""
    return Reader(others, rows.timestamp, rows.zone.name, rows.window)


def _pass(frame: Frame, spec: PassSpec, rows: Reader) -> Partial:
    """One pass over all partitions."""
    reading = frame.reading(spec.names, rows.window)
    parts = frame.partitions(reading)
    with quiet():
        told = frame.part(reading, rows.window).mapInArrow(Gather(reading, spec), PARTIAL_SCHEMA)
        while parts > 1:
            told = told.groupBy("name", "place").applyInArrow(merged, PARTIAL_SCHEMA)
            parts = -(-parts // FAN)
        table = told.toArrow()
    failed = [text for text in table.column("text").to_pylist() if text is not None]
    if failed:
        raise SourceError(min(failed))
    # Partitions without rows tell nothing.
    none = gather(spec, frame.batches(spec.names, None))
    by_column = {name: Partial(0, {name: state}) for name, state in none.states.items()}
    count = none.rows
    for partial in unpacked(table):
        count += partial.rows
        for name in partial.states:
            by_column[name] = total([by_column[name], partial])
    return Partial(count, {name: partial.states[name] for name, partial in by_column.items()})


def _dated(frame: Frame, fields: Sequence[Field], selection: Selection, rows: Reader) -> Mapping[str, ColumnType]:
    """The types of text whose owner says that it is dates: all its values tell."""
    names = [
        field.name
        for field in fields
        if field.problem is None
        and selection.kinds.get(field.name) is Kind.DATETIME
        and column_type(field.type).family is Family.TEXT
    ]
    if not names:
        return {}
    reading = frame.reading(names, rows.window)
    sums = frame.sums(frame.part(reading, rows.window), Meanings(reading, tuple(names)), 0)
    # Typed text keeps its type: live text of that type is what will be read as dates.
    return {name: ColumnType("string", _common(sums.texts(number))) for number, name in enumerate(names)}


def _common(families: set[str]) -> Family:
    """What the text of all partitions can be read as, from what that of each can."""
    found = {Family(family) for family in families} - {Family.NOTHING}
    if not found:
        return Family.NOTHING
    if len(found) == 1:
        return found.pop()
    return Family.TIMESTAMP if found == {Family.DATE, Family.TIMESTAMP} else Family.TEXT

"""
Learning in passes over the rows, wherever these are: in files, in a stream, or on the machines of a cluster.

A pass is asked for by a `PassSpec`, small and picklable. Whoever has rows gathers them (`gather`) into a `Partial`, which is
picklable too and adds up. From the sum, the `Plan` says what the next pass is to look at, until it is done: mostly after two, and
after one if the values can be held. The result is the same to the last bit whatever the partitions, their order, and how often
the rows had to be read.

A cluster, or any set of partitions, learns like this::

    choice = choose(fields, selection, timestamp="booked", place="table flights")
    plan = Plan.of(choice.columns, forced=choice.forced, zone="UTC")
    while not plan.done:
        if plan.fresh:  # a few thousand rows show roughly where the values are
            plan = plan.fitted(gather(plan.spec, some_batches))
        spec = plan.spec
        plan = plan.advance(total(gather(spec, partition) for partition in partitions))  # each where its rows are
    learnt = choice.learnt(plan)

Without `fitted`, all numbers are held in the partials: right for rows that fit in memory. With none of the rows
(``plan.fitted()``), it works as well, with a pass more. Only the columns that ``spec.names`` lists need be read.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from driftmon.core.baseline import BaselineColumn
from driftmon.core.grids import CELLS, WHOLE_LINE, Grid
from driftmon.core.layout import Kind
from driftmon.core.learning import Excluded
from driftmon.core.selecting import Survey
from driftmon.core.tallying import MOST_DISTINCT
from driftmon.errors import SourceError
from driftmon.sources.arrow.learners import CategoryTask, NumberTask, Problem
from driftmon.sources.arrow.zones import Zone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from driftmon.sources.arrow.batches import Batch
    from driftmon.sources.arrow.casting import Monitored
    from driftmon.sources.arrow.learners import State, Task

__all__ = ["BUDGET", "Gathering", "Partial", "PassSpec", "Plan", "gather", "total"]

CATEGORY_BYTES, CELL_BYTES = 200, 16
"""What a distinct category, and a cell of a grid, take."""

STATE_BYTES = 512 * 2**20
"""Bytes of tallies and of counts of cells in one pass; columns beyond wait for a pass of their own."""

BUDGET = 128 * 2**20
"""Bytes of values of all columns together that are held, or gathered in a later pass."""


@dataclass(frozen=True)
class PassSpec:
    """
    What to look at in one pass over the rows.

    Parameters
    ----------
    tasks : tuple of Task
        One for each column that is not settled yet.
    zone : str
        Whose wall clock tells hours and weekdays.
    """

    tasks: tuple[Task, ...]
    zone: str

    @property
    def names(self) -> set[str]:
        """The columns of the data that the pass reads."""
        return {task.column.raw for task in self.tasks}


@dataclass
class Partial:
    """
    What one part of the rows has told, to be added to the others.

    Parameters
    ----------
    rows : int
    states : mapping of str to State
        By monitored column.
    """

    rows: int
    states: Mapping[str, State]

    def merge(self, other: Partial) -> None:
        """Take in another part."""
        merged: dict[str, State] = {}
        for name, state in self.states.items():
            theirs = other.states[name]
            if isinstance(theirs, Problem) and not isinstance(state, Problem):
                merged[name] = theirs
                continue
            if not isinstance(state, Problem):
                state.merge(theirs)  # type: ignore[arg-type]  # states of one task are of one type
            merged[name] = state
        self.rows += other.rows
        self.states = merged


class Gathering:
    """
    One pass over some rows.

    Parameters
    ----------
    spec : PassSpec
    """

    def __init__(self, spec: PassSpec) -> None:
        self._zone = Zone(spec.zone)
        self._learners = {task.column.name: task.learner() for task in spec.tasks}
        self.rows = 0

    def add(self, batch: Batch) -> None:
        """Look at some more rows."""
        self.rows += batch.rows
        for learner in self._learners.values():
            learner.add(batch, self._zone)

    @property
    def held(self) -> int:
        """Bytes of values held so far."""
        return sum(learner.held for learner in self._learners.values())

    def spill(self, spec: PassSpec) -> None:
        """Go on with a spec that was fitted to what is held."""
        for task in spec.tasks:
            self._learners[task.column.name].spill(task)

    @property
    def partial(self) -> Partial:
        """What the rows have told so far."""
        return Partial(self.rows, {name: learner.state for name, learner in self._learners.items()})


def gather(spec: PassSpec, batches: Iterable[Batch]) -> Partial:
    """One pass over some batches."""
    gathering = Gathering(spec)
    for batch in batches:
        gathering.add(batch)
    return gathering.partial


def total(partials: Iterable[Partial]) -> Partial:
    """
    The sum of some partials, at least one; the first of them is changed.

    Raises
    ------
    ValueError
        If there are none.
    """
    whole = None
    for partial in partials:
        if whole is None:
            whole = partial
        else:
            whole.merge(partial)
    if whole is None:
        raise ValueError("no partials to add; gather a partition without batches instead")
    return whole


@dataclass(frozen=True)
class Plan:
    """
    What is known of the columns so far, and what is to be found out.

    Parameters
    ----------
    zone : str
    tasks : tuple of Task
        Of the columns that are not settled.
    learnt : mapping of str to BaselineColumn or Excluded
        Of those that are.
    rows : int or None
        Rows of the first pass; None before.
    most_rows : int or None
        At most so many rows are to come, if anybody knows.
    """

    zone: str
    tasks: tuple[Task, ...]
    learnt: Mapping[str, BaselineColumn | Excluded] = field(default_factory=dict)
    rows: int | None = None
    most_rows: int | None = None

    @classmethod
    def of(
        cls,
        columns: Sequence[Monitored],
        *,
        forced: Collection[str] = (),
        zone: str = "UTC",
        budget: int = BUDGET,
        most_rows: int | None = None,
    ) -> Plan:
        """
        The plan before the first pass.

        Parameters
        ----------
        columns : sequence of Monitored
        forced : collection of str
            Columns of the data whose kind their owner has said.
        zone : str
        budget : int
            Bytes of values gathered for all columns together. Less memory costs more passes, and changes nothing else.
        most_rows : int, optional
        """
        numeric = sum(1 for column in columns if column.kind is Kind.NUMERIC)
        room = budget // (8 * max(numeric, 1))
        tasks = [
            NumberTask(column, column.raw in forced, room)
            if column.kind is Kind.NUMERIC
            else CategoryTask(column, column.raw in forced)
            for column in columns
        ]
        return cls(zone, tuple(tasks), most_rows=most_rows)

    @property
    def done(self) -> bool:
        """True if every column is learnt, or left out with a reason."""
        return not self.tasks

    @property
    def spec(self) -> PassSpec:
        """What the next pass looks at: as many columns as there is memory for their states."""
        tasks: list[Task] = []
        taken = 0
        most = sys.maxsize if self.most_rows is None else self.most_rows
        for task in self.tasks:
            number = isinstance(task, NumberTask)
            taken += min(most, CELLS) * CELL_BYTES if number else min(most, 2 * MOST_DISTINCT) * CATEGORY_BYTES
            if tasks and taken > STATE_BYTES:
                break
            tasks.append(task.asked)
        return PassSpec(tuple(tasks), self.zone)

    @property
    def fresh(self) -> bool:
        """True if the next pass would hold all values of a column."""
        return any(isinstance(task, NumberTask) and task.stage is None for task in self.spec.tasks)

    def fitted(self, sample: Partial | None = None) -> Plan:
        """
        The plan for more values than can be held, before the first pass.

        Parameters
        ----------
        sample : Partial, optional
            What some of the rows have told of this plan's spec. It only shows where values are, and is not part of any sum.
        """
        tasks: list[Task] = []
        for task in self.tasks:
            name = task.column.name
            if isinstance(task, NumberTask) and task.stage is None and (sample is None or name in sample.states):
                state = None if sample is None else sample.states[name]
                tasks.append(task.fitted(Grid.fitted(state.values) if isinstance(state, Survey) else WHOLE_LINE))
            else:
                tasks.append(task)
        return replace(self, tasks=tuple(tasks))

    def advance(self, partial: Partial) -> Plan:
        """
        The plan after a pass.

        Parameters
        ----------
        partial : Partial
            The sum over all rows.

        Raises
        ------
        SourceError
            If there were other rows in this pass than in the one before.
        """
        if self.rows is not None and partial.rows != self.rows:
            raise SourceError(_changed(f"{self.rows:,} rows, then {partial.rows:,}"))
        learnt = dict(self.learnt)
        tasks: list[Task] = []
        for task in self.tasks:
            if task.column.name not in partial.states:
                tasks.append(task)  # its turn comes
                continue
            try:
                after = task.advance(partial.states[task.column.name])
            except ValueError as exc:
                raise SourceError(_changed(f"column {task.column.name!r} has {exc}")) from exc
            if isinstance(after, BaselineColumn | Excluded):
                learnt[task.column.name] = after
            else:
                tasks.append(after)
        return replace(self, tasks=tuple(tasks), learnt=learnt, rows=partial.rows)


def _changed(what: str) -> str:
    return f"the reference changed while it was read ({what}); read it again when nobody writes to it"

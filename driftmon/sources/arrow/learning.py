"""Learning: what a source knows of its reference columns before it counts (docs/statistics.md, "Bins")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.layout import Kind
from driftmon.sources.arrow.choosing import candidates, choose
from driftmon.sources.arrow.kinds import ColumnType, Family, column_type
from driftmon.sources.arrow.passes import BUDGET, Gathering, Plan
from driftmon.sources.arrow.text import Narrowing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from driftmon.core.baseline import Learnt
    from driftmon.sources.arrow.batches import Field
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Selection

__all__ = ["Learning"]


class Learning:
    """
    One learning of a reference.

    Exact, in bounded memory: numbers that fit in the budget are held, and read once. Of more, the cells of a grid are counted,
    and those cells that matter are looked at again (`driftmon.sources.arrow.passes`).

    Parameters
    ----------
    reader : Reader
        The reference rows.
    selection : Selection
        The timestamp column is not monitored, unless it is included by name.
    budget : int
        Bytes of values held. Whatever it is, the layouts are the same.
    """

    def __init__(self, reader: Reader, selection: Selection, *, budget: int = BUDGET) -> None:
        self._reader = reader
        self._selection = selection
        self._budget = budget
        self._rows: int | None = None  # exactly, once they were read

    def learn(self) -> Learnt:
        """
        Learn the layout of every selected column.

        Raises
        ------
        SourceError
            If a name of the selection is not in the data, there are no rows, or others when they are read again.
        """
        reader, selection = self._reader, self._selection
        fields = reader.fields()
        choice = choose(
            fields,
            selection,
            timestamp=reader.timestamp,
            place=reader.place,
            meant=self._meant(candidates(fields, selection, reader.timestamp, reader.place)),
        )
        most = reader.total() if self._rows is None else self._rows
        plan = Plan.of(choice.columns, forced=choice.forced, zone=reader.zone.name, budget=self._budget, most_rows=most)
        if plan.done:
            plan = self._pass(plan)  # to know that there are rows
        while not plan.done:
            plan = self._pass(plan)
        return choice.learnt(plan, "" if reader.window is None else f" between {reader.window}")

    def _meant(self, fields: Sequence[Field]) -> Mapping[str, ColumnType]:
        """The types of text: without a type they are read from all values, and so is what is said to be dates."""
        kinds = self._selection.kinds
        kept = {Kind.CATEGORICAL, Kind.TEXT, Kind.EMBEDDING}
        fields = [field for field in fields if field.problem is None]
        types = {field.name: column_type(field.type) for field in fields if field.type is not None}
        types.update(
            {
                field.name: ColumnType("string", Family.TEXT)
                for field in fields
                if field.type is None and kinds.get(field.name) in kept
            }
        )
        dated = [
            name for name, type_ in types.items() if type_.family is Family.TEXT and kinds.get(name) is Kind.DATETIME
        ]
        unknown = [field.name for field in fields if field.name not in types]
        meant = self._narrow([*unknown, *dated])
        # Typed text keeps its type: live text of that type is what will be read as dates.
        meant.update({name: ColumnType(types[name].name, meant[name].family) for name in dated})
        return {**types, **meant}

    def _narrow(self, names: Collection[str]) -> dict[str, ColumnType]:
        if not names:
            return {}
        narrowing = {name: Narrowing(self._reader.zone) for name in names}
        rows = 0
        for batch in self._reader.read(names):
            rows += batch.rows
            for name in names:
                if name in batch.columns:
                    narrowing[name].add(batch.columns[name])
        self._rows = rows
        return {name: each.meant for name, each in narrowing.items()}

    def _pass(self, plan: Plan) -> Plan:
        """One reading of the rows, for as many columns as there is memory for."""
        self._reader.expect(1)
        gathering = Gathering(plan.spec)
        for batch in self._reader.read(plan.spec.names):
            gathering.add(batch)
            if gathering.held > self._budget:
                plan = plan.fitted(gathering.partial)
                gathering.spill(plan.spec)
        return plan.advance(gathering.partial)

"""Learning: what a source knows of its reference columns before it counts (statistics, A1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.baseline import Learnt
from driftmon.core.layout import Kind
from driftmon.core.learning import MOST_DISTINCT, Excluded
from driftmon.errors import SourceError
from driftmon.sources.arrow.kinds import ColumnType, Family, column_type
from driftmon.sources.arrow.learners import CategoryLearner, NumberLearner
from driftmon.sources.arrow.selection import check_names, check_timestamp, monitor, wanted
from driftmon.sources.arrow.text import Narrowing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.sources.arrow.batches import Field
    from driftmon.sources.arrow.casting import Monitored
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Selection

__all__ = ["Learning"]


class Learning:
    """
    One learning of a reference.

    Exact, in bounded memory: the numbers of only so many columns are held at once as fit in the budget, and the rows are read
    again for the next ones. A single column that does not fit is held alone.

    Parameters
    ----------
    reader : Reader
        The reference rows.
    selection : Selection
        The timestamp column is not monitored, unless it is included by name.
    budget : int
        Bytes of collected values.
    """

    BUDGET = 512 * 2**20

    NUMBER_BYTES, CATEGORY_BYTES = 8, 200
    """What a row of numbers, and a distinct category, take."""

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
            If a name of the selection is not in the data, or there are no rows.
        """
        fields = self._reader.fields()
        names = [field.name for field in fields]
        check_names(self._selection, names, self._reader.place)
        check_timestamp(self._reader.timestamp, names, self._reader.place)
        candidates = [field for field in fields if wanted(self._selection, field.name, self._reader.timestamp)]
        found: dict[str, list[Monitored] | Excluded] = {
            field.name: Excluded(field.name, field.problem) for field in candidates if field.problem is not None
        }
        for name, type_ in self._types([field for field in candidates if field.problem is None]).items():
            found[name] = monitor(name, type_, self._selection, names)
        plan = [column for each in found.values() if isinstance(each, list) for column in each]
        self._check_parts(names, plan)
        learnt = self._learn(plan)
        return self._sorted(names, found, learnt)

    def _types(self, candidates: Sequence[Field]) -> dict[str, ColumnType]:
        """The type of each column; that of text without a type is read from all its values."""
        types = {field.name: column_type(field.type) for field in candidates if field.type is not None}
        kinds = self._selection.kinds
        for field in candidates:
            if field.type is None and kinds.get(field.name) in {Kind.CATEGORICAL, Kind.TEXT, Kind.EMBEDDING}:
                types[field.name] = ColumnType("string", Family.TEXT)
        dated = [
            name for name, type_ in types.items() if type_.family is Family.TEXT and kinds.get(name) is Kind.DATETIME
        ]
        unknown = [field.name for field in candidates if field.name not in types]
        meant = self._narrow([*unknown, *dated])
        # Typed text keeps its type: live text of that type is what will be read as dates.
        meant.update({name: ColumnType(types[name].name, meant[name].family) for name in dated})
        return {field.name: meant.get(field.name) or types[field.name] for field in candidates}

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

    def _check_parts(self, names: Collection[str], plan: Sequence[Monitored]) -> None:
        """Parts were asked for before it was known which columns have any."""
        known = {*names, *(column.name for column in plan)}
        for word, asked in (("include", self._selection.include or ()), ("exclude", self._selection.exclude)):
            for name in asked:
                whole = name.rpartition(".")[0]
                if name not in known and not any(column.raw == whole and column.part for column in plan):
                    raise SourceError(
                        f"column {name!r} of {word} is not in {self._reader.place}: {whole!r} has no such part"
                    )

    def _learn(self, plan: Sequence[Monitored]) -> dict[str, BaselineColumn | Excluded]:
        most = self._reader.total() if self._rows is None else self._rows
        if most is None or not plan:
            most = self._rows = self._count() if self._rows is None else self._rows
        learnt: dict[str, BaselineColumn | Excluded] = {}
        groups = list(self._groups(plan, most))
        self._reader.expect(len(groups))
        for group in groups:
            learners = self._gather(group)
            # Popped one by one, so that the values of a column are gone before the next one is sorted.
            while learners:
                learner = learners.pop(0)
                learnt[learner.name] = learner.finish()
        if self._rows == 0:
            window = "" if self._reader.window is None else f" between {self._reader.window}"
            raise SourceError(f"{self._reader.place}: the reference has no rows{window}; a baseline needs some")
        return learnt

    def _gather(self, group: Sequence[Monitored]) -> list[NumberLearner | CategoryLearner]:
        learners: list[NumberLearner | CategoryLearner] = [
            (NumberLearner if column.kind is Kind.NUMERIC else CategoryLearner)(
                column, forced=column.raw in self._selection.kinds
            )
            for column in group
        ]
        rows = 0
        for batch in self._reader.read({column.raw for column in group}):
            rows += batch.rows
            for learner in learners:
                learner.add(batch, self._reader.zone)
        self._rows = rows
        return learners

    def _count(self) -> int:
        return sum(batch.rows for batch in self._reader.read(()))

    def _groups(self, plan: Sequence[Monitored], rows: int) -> Iterator[list[Monitored]]:
        group: list[Monitored] = []
        held = 0
        for column in plan:
            distinct = min(rows, 2 * MOST_DISTINCT)
            size = rows * self.NUMBER_BYTES if column.kind is Kind.NUMERIC else distinct * self.CATEGORY_BYTES
            if group and held + size > self._budget:
                yield group
                group, held = [], 0
            group.append(column)
            held += size
        if group:
            yield group

    @staticmethod
    def _sorted(
        names: Sequence[str],
        found: Mapping[str, list[Monitored] | Excluded],
        learnt: Mapping[str, BaselineColumn | Excluded],
    ) -> Learnt:
        columns: dict[str, BaselineColumn] = {}
        excluded: dict[str, Excluded] = {}
        for name in names:
            each = found.get(name, [])
            if isinstance(each, Excluded):
                excluded[name] = each
                continue
            for column in each:
                result = learnt[column.name]
                if isinstance(result, Excluded):
                    # Both parts of a datetime column go for one reason.
                    excluded[name] = Excluded(name, result.reason)
                else:
                    columns[column.name] = result
        return Learnt(columns, tuple(excluded.values()))

"""Which columns of a reference are learnt, and how, from their types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftmon.core.baseline import Learnt
from driftmon.core.learning import Excluded
from driftmon.errors import SourceError
from driftmon.sources.arrow.kinds import column_type
from driftmon.sources.arrow.selection import check_names, check_timestamp, monitor, wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.sources.arrow.batches import Field
    from driftmon.sources.arrow.casting import Monitored
    from driftmon.sources.arrow.kinds import ColumnType
    from driftmon.sources.arrow.passes import Plan
    from driftmon.sources.base import Selection

__all__ = ["Choice", "candidates", "choose"]


@dataclass(frozen=True)
class Choice:
    """
    What is to be learnt of a reference.

    Parameters
    ----------
    place : str
        Where the data are, for messages.
    names : sequence of str
        All columns of the data.
    found : mapping of str to list of Monitored, or Excluded
        What is monitored of each column that was selected.
    forced : collection of str
        Columns whose kind their owner has said.
    """

    place: str
    names: Sequence[str]
    found: Mapping[str, list[Monitored] | Excluded]
    forced: Collection[str]

    @property
    def columns(self) -> list[Monitored]:
        """The columns to learn, parts each for itself."""
        return [column for each in self.found.values() if isinstance(each, list) for column in each]

    def learnt(self, plan: Plan, within: str = "") -> Learnt:
        """
        What a plan that is done has found, in the order of the data.

        Parameters
        ----------
        plan : Plan
            Of `columns`.
        within : str
            The window of the rows, in words that end a message.

        Raises
        ------
        SourceError
            If there were no rows.
        """
        if plan.rows == 0:
            raise SourceError(f"{self.place}: the reference has no rows{within}; a baseline needs some")
        columns: dict[str, BaselineColumn] = {}
        excluded: dict[str, Excluded] = {}
        for name in self.names:
            each = self.found.get(name, [])
            if isinstance(each, Excluded):
                excluded[name] = each
                continue
            for column in each:
                result = plan.learnt[column.name]
                if isinstance(result, Excluded):
                    # Both parts of a datetime column go for one reason.
                    excluded[name] = Excluded(name, result.reason)
                else:
                    columns[column.name] = result
        return Learnt(columns, tuple(excluded.values()))


def candidates(fields: Sequence[Field], selection: Selection, timestamp: str | None, place: str) -> list[Field]:
    """
    The columns of the data that may be monitored.

    Raises
    ------
    SourceError
        If a name of the selection, or the timestamp, is not in the data.
    """
    names = [field.name for field in fields]
    check_names(selection, names, place)
    check_timestamp(timestamp, names, place)
    return [field for field in fields if wanted(selection, field.name, timestamp)]


def choose(
    fields: Sequence[Field],
    selection: Selection,
    *,
    timestamp: str | None,
    place: str,
    meant: Mapping[str, ColumnType] | None = None,
) -> Choice:
    """
    What is to be learnt.

    Parameters
    ----------
    fields : sequence of Field
        All columns of the data.
    selection : Selection
    timestamp : str or None
        Not monitored, unless it is included by name.
    place : str
        Where the data are, for messages.
    meant : mapping of str to ColumnType, optional
        The types of columns whose values tell them, as of text without a type.

    Raises
    ------
    SourceError
        If the selection does not fit the data.
    """
    names = [field.name for field in fields]
    found: dict[str, list[Monitored] | Excluded] = {}
    for field in candidates(fields, selection, timestamp, place):
        if field.problem is not None:
            found[field.name] = Excluded(field.name, field.problem)
        else:
            type_ = (meant or {}).get(field.name) or column_type(field.type)
            found[field.name] = monitor(field.name, type_, selection, names)
    choice = Choice(place, names, found, tuple(selection.kinds))
    _check_parts(choice, selection)
    return choice


def _check_parts(choice: Choice, selection: Selection) -> None:
    """Parts were asked for before it was known which columns have any."""
    columns = choice.columns
    known = {*choice.names, *(column.name for column in columns)}
    for word, asked in (("include", selection.include or ()), ("exclude", selection.exclude)):
        for name in asked:
            whole = name.rpartition(".")[0]
            if name not in known and not any(column.raw == whole and column.part for column in columns):
                raise SourceError(f"column {name!r} of {word} is not in {choice.place}: {whole!r} has no such part")

"""
Many rows at once.

SQLite takes row after row as fast as it can write. On PostgreSQL that costs a message a row, so that there one statement takes all
of them as one text of JSON: the driver would take longer to write arrays or a COPY, value by value, than the server to read it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Text, bindparam, cast, column, func, insert, select, update

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Dialect, Insert, Table, Update

__all__ = ["insert_all", "update_all"]

AT_ONCE = 2_000
"""Rows of a statement: a history of years has 20 kB a row, and a message of gigabytes is refused."""


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Insert rows, in their order.

    Parameters
    ----------
    rows : sequence of mapping of str to object
        All with the same columns.
    """
    for some in _parts(rows):
        if connection.dialect.name == "postgresql":
            connection.execute(_insert_at_once(table, tuple(some[0])), _as_json(connection.dialect, table, some))
        else:
            connection.execute(insert(table), [dict(row) for row in some])


def update_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Update rows.

    Parameters
    ----------
    rows : sequence of mapping of str to object
        All with the same columns: those of the primary key, which say which row, and the new values.
    """
    for some in _parts(rows):
        names = tuple(some[0])
        if connection.dialect.name == "postgresql":
            connection.execute(_update_at_once(table, names), _as_json(connection.dialect, table, some))
        else:
            statement = _updating(table, {name: bindparam(_new(name), type_=table.c[name].type) for name in names})
            connection.execute(statement, [{_new(name): value for name, value in row.items()} for row in some])


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE))


def _new(name: str) -> str:
    return f"new_{name}"  # the names of columns are taken


def _as_json(dialect: Dialect, table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The rows as a list of objects, their values as the columns' types write them; no NaN, which is never stored."""
    found = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in rows[0]}
    written = {name: write for name, write in found.items() if write is not None}
    content = [{**row, **{name: write(row[name]) for name, write in written.items()}} for row in rows]
    return {"rows": json.dumps(content, separators=(",", ":"), allow_nan=False, default=str)}


def _unfolded(table: Table, names: Sequence[str]) -> dict[str, ColumnElement[Any]]:
    rows = cast(bindparam("rows", type_=Text), JSON)
    typed = (column(name, table.c[name].type) for name in names)
    new = func.json_to_recordset(rows).table_valued(*typed).render_derived("new", with_types=True)
    return {name: new.c[name] for name in names}


def _updating(table: Table, new: Mapping[str, ColumnElement[Any]]) -> Update:
    key = {column.name for column in table.primary_key}
    return (
        update(table)
        .where(*(table.c[name] == new[name] for name in sorted(key)))
        .values({name: value for name, value in new.items() if name not in key})
    )


@lru_cache
def _insert_at_once(table: Table, names: tuple[str, ...]) -> Insert:
    return insert(table).from_select(names, select(*_unfolded(table, names).values()))


@lru_cache
def _update_at_once(table: Table, names: tuple[str, ...]) -> Update:
    return _updating(table, _unfolded(table, names))

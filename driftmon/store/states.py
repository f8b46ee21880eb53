"""How the states of sustained drift lie in the rows of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, bindparam, func, select, update

from driftmon.core.sustained import Sustained
from driftmon.store.schema import SUSTAINED, column_results
from driftmon.store.types import finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row, Update

__all__ = ["from_row", "to_row", "write"]

NAMES = ("sustained", "ewma_windows", *SUSTAINED)
"""The columns of a state."""

KEY = ("check_id", "reference_id")


def from_row(row: Row[Any]) -> Sustained | None:
    """The state in a row of results."""
    if row.sustained is None:
        return None
    return Sustained(
        drifting=row.sustained,
        windows=row.ewma_windows,
        ewma=row.ewma,
        p_value=row.sustained_p_value,
        q_value=row.sustained_q_value,
        lower_bound=row.pooled_lower_bound,
    )


def to_row(state: Sustained | None) -> dict[str, Any]:
    """What a row of results holds of a state."""
    if state is None:
        return dict.fromkeys(NAMES)
    numbers = (state.ewma, state.p_value, state.q_value, state.lower_bound)
    return {
        "sustained": state.drifting,
        "ewma_windows": state.windows,
        **{
            name: None if number is None else finite(number, f"sustained drift: {name}")
            for name, number in zip(SUSTAINED, numbers, strict=True)
        },
    }


def write(connection: Connection, states: Mapping[int, Mapping[int, Sustained]]) -> None:
    """Write states into the rows that are there already, by window and reference; those that hold them already stay."""
    columns = [column_results.c[name] for name in (*KEY, *NAMES)]
    query = select(*columns).where(column_results.c.check_id.in_(states))
    known = {tuple(row) for row in connection.execute(query)}
    rows = [
        (window, reference, *to_row(state).values())
        for window, own in states.items()
        for reference, state in own.items()
    ]
    changed = [row for row in rows if row not in known]
    if not changed:
        return
    names = [f"new_{column.name}" for column in columns]
    if connection.dialect.name == "postgresql":
        values = map(list, zip(*changed, strict=True))
        connection.execute(_UPDATE_AT_ONCE, dict(zip(names, values, strict=True)))
    else:
        connection.execute(_UPDATE, [dict(zip(names, row, strict=True)) for row in changed])


def _updates(new: Mapping[str, Any]) -> Update:
    same = (column_results.c[name] == new[name] for name in KEY)
    return update(column_results).where(*same).values({name: new[name] for name in NAMES})


def _update_at_once() -> Update:
    """On PostgreSQL, where one statement a row takes twenty times as long."""
    columns = [column_results.c[name] for name in (*KEY, *NAMES)]
    arrays = (bindparam(f"new_{column.name}", type_=ARRAY(column.type)) for column in columns)
    new = func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived("new")
    return _updates({column.name: new.c[column.name] for column in columns})


_UPDATE = _updates({name: bindparam(f"new_{name}") for name in (*KEY, *NAMES)})
_UPDATE_AT_ONCE = _update_at_once()

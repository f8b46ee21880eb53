"""How the states of sustained drift lie in the rows of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from driftmon.core.sustained import Sustained
from driftmon.store.bulk import update_all
from driftmon.store.schema import SUSTAINED, column_results
from driftmon.store.types import finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

__all__ = ["from_row", "to_row", "write"]

NAMES = ("sustained", "ewma_windows", *SUSTAINED)
"""The columns of a state."""


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
    if not states:
        return
    names = ("check_id", "reference_id", *NAMES)
    query = select(*(column_results.c[name] for name in names)).where(column_results.c.check_id.in_(states))
    known = {tuple(row) for row in connection.execute(query)}
    rows = [
        (window, reference, *to_row(state).values())
        for window, own in states.items()
        for reference, state in own.items()
    ]
    changed = [dict(zip(names, row, strict=True)) for row in rows if row not in known]
    update_all(connection, column_results, changed)

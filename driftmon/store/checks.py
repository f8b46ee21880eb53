"""How the result of a check is written: one row for its window, one for each column and segment. `history` reads it back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from driftmon.errors import StoreError
from driftmon.store.baselines import row_id
from driftmon.store.bulk import insert_all
from driftmon.store.lookback import Stored
from driftmon.store.references import reference_ids
from driftmon.store.schema import SCORES, checks, column_results
from driftmon.store.states import to_row
from driftmon.store.sustained import Written, bring_up_to_date
from driftmon.store.types import clip, finite, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from driftmon.core.check import CheckResult, ColumnResult
    from driftmon.core.window import Window
    from driftmon.store.references import ColumnKey

__all__ = ["save"]


def save(
    connection: Connection, monitor: int, result: CheckResult, window: Window, *, scheduled: bool, now: datetime
) -> CheckResult:
    """
    Write a result in the place of an earlier one of the same window, and bring what is known of sustained drift up to date.

    Parameters
    ----------
    monitor : int
        Row id, locked: nobody else writes about this monitor now.
    scheduled : bool
        False for a window that no schedule has.

    Returns
    -------
    CheckResult
        The same, with what is known of sustained drift.

    Raises
    ------
    BaselineMissing
        If the baseline of the result is not in the database.
    StoreError
        If a number of the result is NaN or infinite.
    """
    baseline_id = row_id(connection, result.monitor, result.baseline)
    values = {
        "baseline_id": baseline_id,
        "model": result.model,
        "status": str(result.status),
        "live_rows": result.live_rows,
        "checked_at": now,
        "scheduled": scheduled,
        "bins_pruned": False,
    }
    check_id, was_of = _place(connection, monitor, window, values)
    ids = reference_ids(connection, baseline_id)
    rows = {_id(ids, column): _row(column) for column in result.columns}
    written = Written(Stored(check_id, window.start, window.end), rows)
    states = bring_up_to_date(connection, written, was_of=was_of, is_of=baseline_id if scheduled else None)
    connection.execute(delete(column_results).where(column_results.c.check_id == check_id))
    key = {"check_id": check_id}
    new = [key | {"reference_id": own} | row | to_row(states.get(own)) for own, row in rows.items()]
    insert_all(connection, column_results, new)
    columns = (replace(column, sustained=states.get(_id(ids, column))) for column in result.columns)
    return replace(result, columns=tuple(columns))


def _place(connection: Connection, monitor: int, window: Window, values: Mapping[str, Any]) -> tuple[int, int | None]:
    """The row of a window, with new values; gives its id, and of which baseline's schedule it was before."""
    key = {"monitor_id": monitor, "window_end": window.end, "window_start": window.start}
    same = select(checks.c.id, checks.c.baseline_id, checks.c.scheduled).filter_by(**key)
    found = connection.execute(same).first()
    if found is None:
        connection.execute(insert(checks).values(**key, **values))
        return connection.execute(same).one().id, None
    connection.execute(update(checks).where(checks.c.id == found.id).values(**values))
    return found.id, found.baseline_id if found.scheduled else None


def _id(ids: Mapping[ColumnKey, int], result: ColumnResult) -> int:
    try:
        return ids[result.column, result.segment]
    except KeyError:
        place = result.column if result.segment is None else f"{result.column} of {result.segment}"
        raise StoreError(f"column {place!r} is not in the baseline that it was checked against") from None


def _row(result: ColumnResult) -> dict[str, Any]:
    live, scores = result.live, result.scores
    numbers = {
        "warning_threshold": result.threshold.warning,
        "critical_threshold": result.threshold.critical,
        "missing_ratio": live.missing / live.rows if live is not None and live.rows else None,
        "novel_ratio": result.novel,
        "expected_novel": result.expected_novel,
        **{name: None if scores is None else getattr(scores, name) for name in SCORES},
    }
    return {
        "role": result.role,
        "status": str(result.status),
        "reason": None if result.reason is None else clip(result.reason),
        "counts": None if live is None else to_json(list(live.counts)),
        "live_rows": None if live is None else live.rows,
        "novel": None if live is None else live.novel,
        "calibrated": None if scores is None else scores.calibrated,
        "history_windows": None if scores is None else scores.history_windows,
        "calibration": result.calibration or None,
        "hint": None if result.hint is None else clip(result.hint),
        "quality": _quality(result),
        "new_categories": to_json(result.new) if result.new else None,
        **{
            name: None if number is None else finite(number, f"column {result.column!r}: {name}")
            for name, number in numbers.items()
        },
    }


def _quality(result: ColumnResult) -> str | None:
    for quality in result.quality:
        for name in ("reference", "live", "p_value", "q_value"):
            finite(getattr(quality, name), f"column {result.column!r}: {quality.check}: {name}")
    # Not `asdict`, which copies every value it meets: the checks of a wide table would take longer than the database.
    return to_json([vars(quality) for quality in result.quality]) if result.quality else None

"""What would be: past windows under other thresholds, and what windows of some size would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.cli.tables import show, status_text, table, text
from driftmon.planning import in_deviations
from driftmon.words import clipped, listed, number, span_text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import RenderableType

    from driftmon.planning import ColumnPlan, Plan
    from driftmon.replay import Replay, ReplayedWindow

__all__ = ["show_plan", "show_replay"]


def show_replay(monitor: str, replayed: Replay, zone: ZoneInfo) -> None:
    """Print past windows under other thresholds: the answer, the windows that alert then or now, the columns."""
    windows = table("window", "stored", "now", "columns")
    for window in replayed.windows:
        if window.interesting:
            status = (status_text(window.before), status_text(window.after))
            windows.add_row(span_text(window.window, zone), *status, text(_replayed(window)))
    columns = table("column", ">alerts stored", ">now", ">sustained stored", ">now")
    for alerts in replayed.columns:
        counts = (alerts.before, alerts.after, alerts.sustained_before, alerts.sustained_after)
        columns.add_row(text(alerts.column), *map(str, counts))
    items: list[RenderableType] = [text(f"{monitor}: {replayed.headline}", "bold")]
    show(*items, *([windows, columns] if replayed.columns else []))


def _replayed(window: ReplayedWindow) -> str:
    parts = [listed(window.alerts_after)] if window.alerts_after else []
    gone = [name for name in window.alerts_before if name not in window.alerts_after]
    lasting = [name for name in window.sustained_before if name not in window.sustained_after]
    parts += [f"no longer {listed(gone)}"] if gone else []
    parts += [f"sustained: {listed(window.sustained_after)}"] if window.sustained_after else []
    parts += [f"no longer sustained: {listed(lasting)}"] if lasting else []
    return "; ".join(parts)


def show_plan(made: Plan) -> None:
    """Print what the windows of a monitor show: the answer, then a line a column, then what the numbers are."""
    lines = table("column", ">chance", ">usual", ">shows", ">sd", ">warns", ">rows", "needs")
    for column in made.columns:
        lines.add_row(
            text(clipped(column.column)),
            *(number(kl) for kl in (column.beyond_chance, column.usual, column.shows)),
            f"{in_deviations(column.shows):.2f}" if column.numeric else "",
            number(column.warning_from),
            "" if column.rows is None else f"{column.rows:,}",
            _needed(made, column),
        )
    wanted = "a shift as large as the warning threshold" if made.shift is None else f"a shift of {made.shift:.3g} nats"
    notes = {
        "chance": "the smallest shift that is told from chance, 9 times in 10; nats",
        "usual": f"the KL that one usual {made.word} in a hundred exceeds",
        "shows": f"the larger of both: a shift of this size is told from chance and from usual {made.word}s",
        "sd": "the same as a shift of the mean, in standard deviations",
        "warns": "the size from which a warning is likely, 9 times in 10: it must surely be above the threshold",
        "rows": f"of the smallest window that shows {wanted}; needs: the same in windows of this monitor",
    }
    show(text(made.headline, "bold"), lines, *(text(f"{name:<7} {note}", "dim") for name, note in notes.items()))


def _needed(made: Plan, column: ColumnPlan) -> str:
    windows = made.windows(column)
    if windows is None:
        return f"usual {made.word}s hide it" if column.hidden else "the reference is too small"
    return f"{windows:,} {made.word}{'' if windows == 1 else 's'}"

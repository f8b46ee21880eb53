"""``driftmon plan``: what a monitor can see, and the window that a given shift would need."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import (
    DriftmonCommand,
    database_option,
    find_monitor,
    format_option,
    monitors_option,
    open_store,
    print_json,
)
from driftmon.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from driftmon.core.baseline import Baseline
    from driftmon.store.store import Store

__all__ = ["plan"]

PAST = 100
"""Windows looked back at for the rows that one usually has."""

POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command(cls=DriftmonCommand, short_help="Say what shifts a window can show, and what window a shift needs.")
@click.argument("monitor")
@click.option("--shift", type=POSITIVE, metavar="KL", help="A shift in nats.  [default: the warning threshold]")
@click.option("--sd", type=POSITIVE, metavar="SD", help="The same as a shift of the mean, in standard deviations.")
@click.option("--rows", type=click.IntRange(min=1), help="Rows of a window.  [default: what past windows had]")
@monitors_option
@database_option
@format_option
def plan(  # noqa: PLR0913 - one parameter an option
    *,
    monitor: str,
    shift: float | None,
    sd: float | None,
    rows: int | None,
    folder: Path,
    url: str | None,
    output: str,
) -> None:
    """
    Say how small a shift a window of MONITOR shows, column by column, and how long a window must be to show a given one.

    Stands on the baseline in force, its history, and the rows that windows usually have. A shift shows if it is found 9 times in
    10: beyond chance, and beyond what one usual window in a hundred exceeds.
    """
    from driftmon.cli.whatif import show_plan  # noqa: PLC0415 - keeps --help light
    from driftmon.pipeline import policy_of  # noqa: PLC0415
    from driftmon.planning import plan as plan_of  # noqa: PLC0415
    from driftmon.words import window_word  # noqa: PLC0415

    if shift is not None and sd is not None:
        raise click.UsageError("--shift and --sd say the same thing; give one of them")
    found = find_monitor(folder, monitor)
    with open_store(url, read_only=True) as store:
        baseline = store.load_baseline(monitor)
        window = found.newest_window(datetime.now(UTC))
        rows = rows or _usual_rows(store, monitor, baseline, window.end - window.start)
    word = window_word(window)
    wanted = sd**2 / 2 if sd is not None else shift
    made = plan_of((monitor, word), baseline, policy_of(found), rows=rows, shift=wanted)
    if output == "json":
        print_json(made.to_json())
    else:
        show_plan(made)


def _usual_rows(store: Store, monitor: str, baseline: Baseline, length: timedelta) -> int:
    from driftmon.planning import usual_rows  # noqa: PLC0415 - keeps --help light

    first = next(iter(baseline.columns), None)  # one column is enough to know the rows of a window
    rows = usual_rows(store.load_checks(monitor, limit=PAST, column=first), baseline, length=length)
    if rows is None:
        raise UsageError(
            f"{monitor}: how many rows a window has is not known: no window was checked, and the reference has no timestamp; "
            f"check one with: driftmon check {monitor}, or say --rows N"
        )
    return rows

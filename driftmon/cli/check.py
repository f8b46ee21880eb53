"""``driftmon check``, ``backfill`` and ``history``: windows, one, many and past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import (
    DriftmonCommand,
    bars,
    database_option,
    exit_for,
    fail_on_option,
    find_monitor,
    format_option,
    instant,
    monitors_option,
    open_store,
    print_json,
    reading,
)
from driftmon.core.window import Window
from driftmon.errors import DriftmonError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from driftmon.config import Monitor
    from driftmon.pipeline import BackfillStep

__all__ = ["backfill", "check", "history"]

WHEN = "A date or time of ISO 8601; without an offset in the monitor's time zone."


@click.command(cls=DriftmonCommand, short_help="Check one window and store the result.")
@click.argument("monitor")
@click.option("--start", metavar="TIME", help=f"Start of the window. {WHEN}")
@click.option("--end", metavar="TIME", help="End of the window, not in it.")
@click.option("--window", "at", metavar="TIME", help="The schedule's window that this date or time falls in.")
@click.option("--bits", is_flag=True, help="Print bits instead of nats (not in JSON).")
@monitors_option
@database_option
@format_option
@fail_on_option
def check(  # noqa: PLR0913 - one parameter an option
    *,
    monitor: str,
    start: str | None,
    end: str | None,
    at: str | None,
    bits: bool,
    folder: Path,
    url: str | None,
    output: str,
    fail_on: str | None,
) -> None:
    """Check one window of MONITOR and store the result; by default the newest complete window."""
    from driftmon.cli.tables import show_check  # noqa: PLC0415 - keeps --help light
    from driftmon.notifications.telling import telling  # noqa: PLC0415
    from driftmon.pipeline import run_check  # noqa: PLC0415
    from driftmon.results import check_json  # noqa: PLC0415
    from driftmon.words import BITS, NATS  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    window = _window(found, start, end, at)
    with open_store(url) as store, telling(found, store):
        with reading(f"{monitor} {window}") as progress:
            result = run_check(found, store, window, progress=progress)
        # Shown before people are told, who may take a while to answer.
        if output == "json":
            print_json(check_json(result))
        else:
            show_check(result, zone=found.zone, unit=BITS if bits else NATS)
    if not (result.live_rows or start or at):
        _tell_newest_rows(found)
    exit_for([result], fail_on)


def _tell_newest_rows(monitor: Monitor) -> None:
    """After a window without rows that nobody named: where the rows end, if that can be told."""
    newest = _newest_with_rows(monitor)
    if newest is None:
        return
    day = (
        newest.start.astimezone(monitor.zone).replace(tzinfo=None).isoformat(timespec="minutes").removesuffix("T00:00")
    )
    end = "" if monitor.live.end else ", or set live.end"
    click.echo(f"the newest live rows are of {day}: name a window with --window {day}{end}", err=True)


def _newest_with_rows(monitor: Monitor) -> Window | None:
    """The window of the schedule that holds the newest live row; None if that cannot be told."""
    from driftmon.pipeline import live_source  # noqa: PLC0415 - keeps --help light

    try:
        span = live_source(monitor).span()
    except DriftmonError:
        return None  # nobody asked for it: whoever reads the rows will tell
    return None if span is None else monitor.windows.containing(span.end - timedelta(microseconds=1))


def _window(monitor: Monitor, start: str | None, end: str | None, at: str | None) -> Window:
    if at is not None:
        if start or end:
            raise click.UsageError("--window names a whole window; leave out --start and --end")
        return monitor.windows.containing(instant(monitor, "--window", at))
    if start and end:
        return Window(instant(monitor, "--start", start), instant(monitor, "--end", end))
    if start or end:
        raise click.UsageError(f"--{'end' if start else 'start'} is missing: a window needs both, or --window TIME")
    return monitor.newest_window(datetime.now(UTC))


@click.command(cls=DriftmonCommand, short_help="Check every window between two times.")
@click.argument("monitor")
@click.option("--start", metavar="TIME", help=f"Windows from here on. {WHEN}  [default: the monitor's live.start]")
@click.option(
    "--end", metavar="TIME", help="Windows that end by here.  [default: live.end, else that of the live rows]"
)
@click.option("--again", is_flag=True, help="Also windows that have a result against the baseline in force.")
@monitors_option
@database_option
@format_option
@fail_on_option
def backfill(  # noqa: PLR0913 - one parameter an option
    *,
    monitor: str,
    start: str | None,
    end: str | None,
    again: bool,
    folder: Path,
    url: str | None,
    output: str,
    fail_on: str | None,
) -> None:
    """Check every window of MONITOR between two times. Interrupted, it goes on where it stopped."""
    from driftmon.cli.tables import show_history  # noqa: PLC0415 - keeps --help light
    from driftmon.notifications.telling import telling  # noqa: PLC0415
    from driftmon.pipeline import backfill as steps  # noqa: PLC0415
    from driftmon.results import check_json  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    windows = _windows(found, start, end)
    with open_store(url) as store, telling(found, store), bars() as progress:
        task = progress.add_task(monitor, total=len(windows))
        done: list[BackfillStep] = []
        for step in steps(found, store, windows, again=again):
            progress.advance(task)
            done.append(step)
            if step.error is not None:
                progress.console.print(f"driftmon: {step.window}: {step.error}", markup=False, soft_wrap=True)
    results = [step.result for step in done if step.result is not None]
    errors = [step.error for step in done if step.error is not None]
    if output == "json":
        print_json([check_json(result) for result in results])
    elif results:
        show_history(results, found.zone)
    skipped = len(done) - len(results) - len(errors)
    click.echo(f"{len(results)} windows checked, {skipped} had a result already, {len(errors)} failed", err=True)
    if errors:
        raise click.exceptions.Exit(errors[0].exit_code)
    exit_for(results, fail_on)


def _end_of_live(monitor: Monitor) -> datetime:
    """The end of the newest complete window, before ``live.end``; without one, of the newest with rows: others are empty for sure."""
    complete = monitor.newest_window(datetime.now(UTC)).end
    newest = None if monitor.live.end else _newest_with_rows(monitor)
    return complete if newest is None else min(complete, newest.end)


def _windows(monitor: Monitor, start: str | None, end: str | None) -> list[Window]:
    if start is None and monitor.live.start is None:
        raise UsageError(f"--start is missing: from when on? the monitor file of {monitor.name} has no live.start")
    first = instant(monitor, "--start" if start else "live.start", start or monitor.live.start or "")
    last = _end_of_live(monitor) if end is None else instant(monitor, "--end", end)
    if end is None and last <= first:
        raise UsageError(
            f"{monitor.name}: no window since {first.isoformat()} is complete and has rows; name others with --start"
        )
    span = Window(first, last)
    windows = list(monitor.windows.between(span.start, span.end))
    if not windows:
        raise UsageError(f"{monitor.name}: no window of schedule {monitor.schedule!r} lies within {span}; widen it")
    return windows


@click.command(cls=DriftmonCommand, short_help="Show past results, the newest first.")
@click.argument("monitor")
@click.option("--column", metavar="NAME", help="One column, with its numbers.")
@click.option("--start", metavar="TIME", help=f"Windows from here on. {WHEN}")
@click.option("--end", metavar="TIME", help="Windows that end by here.")
@click.option("--limit", type=click.IntRange(min=1), default=30, show_default=True, help="The newest so many windows.")
@monitors_option
@database_option
@format_option
def history(  # noqa: PLR0913 - one parameter an option
    *,
    monitor: str,
    column: str | None,
    start: str | None,
    end: str | None,
    limit: int,
    folder: Path,
    url: str | None,
    output: str,
) -> None:
    """Show past results of MONITOR, the newest first."""
    from driftmon.cli.tables import show_column_history, show_history  # noqa: PLC0415 - keeps --help light
    from driftmon.results import check_json  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    since = None if start is None else instant(found, "--start", start)
    until = None if end is None else instant(found, "--end", end)
    with open_store(url, read_only=True) as store:
        results = store.load_checks(monitor, start=since, end=until, limit=limit, column=column)
    if output == "json":
        print_json([check_json(result) for result in results])
    elif not results:
        click.echo(f"no results of {monitor} yet; make one with: driftmon check {monitor}", err=True)
    elif column is not None:
        show_column_history(results, column, found.zone)
    else:
        show_history(results, found.zone)

"""``driftmon check``, ``backfill`` and ``history``: windows, one, many and past."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from driftmon.cli.choosing import choose, newest_with_rows, one_window, windows_between
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from driftmon.cli.choosing import Chosen
    from driftmon.config import Monitor
    from driftmon.core.window import Window
    from driftmon.errors import DriftmonError
    from driftmon.pipeline import CheckStep
    from driftmon.store.store import Store

__all__ = ["backfill", "check", "history"]

WHEN = "A date or time of ISO 8601; without an offset in the monitor's time zone."


all_option = click.option("--all", "everything", is_flag=True, help="Every monitor of the folder.")


@click.command(cls=DriftmonCommand, short_help="Check one window and store the result.")
@click.argument("names", metavar="MONITOR...", nargs=-1)
@all_option
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
    names: tuple[str, ...],
    everything: bool,
    start: str | None,
    end: str | None,
    at: str | None,
    bits: bool,
    folder: Path,
    url: str | None,
    output: str,
    fail_on: str | None,
) -> None:
    """
    Check one window of MONITOR and store the result; by default the newest complete window.

    Of several monitors, rows that they share are read once, and what fails in one does not stop the others.
    """
    from driftmon.cli.tables import show_check  # noqa: PLC0415 - keeps --help light
    from driftmon.pipeline import run_checks  # noqa: PLC0415
    from driftmon.results import check_json  # noqa: PLC0415
    from driftmon.words import BITS, NATS  # noqa: PLC0415

    due, chosen = choose(folder, names, everything=everything).each(lambda each: [one_window(each, start, end, at)])
    with open_store(url) as store, _telling(chosen, store):
        about = f"{due[0][0].name} {due[0][1]}" if chosen.single else f"{len(due)} monitors"
        with reading(about) as progress:
            steps = run_checks(due, store, progress=progress)
        if chosen.single and steps[0].error is not None:
            raise steps[0].error
        # Shown before people are told, who may take a while to answer.
        results = [step.result for step in steps if step.result is not None]
        if output == "json":
            print_json([check_json(result) for result in results] if not chosen.single else check_json(results[0]))
        else:
            for step in steps:
                if step.result is not None:
                    show_check(step.result, zone=step.monitor.zone, unit=BITS if bits else NATS)
    for step in steps:
        if step.result is not None and not (step.result.live_rows or start or at):
            _tell_newest_rows(step.monitor, named=not chosen.single)
    failed = [(step.monitor.name, step.error) for step in steps if step.error is not None]
    _exit_for_errors([*chosen.problems, *failed])
    exit_for(results, fail_on)


@contextmanager
def _telling(chosen: Chosen, store: Store) -> Iterator[None]:
    """Tell the people of each monitor what became of it, at the end of the block."""
    from driftmon.notifications.telling import telling  # noqa: PLC0415 - keeps --help light

    with ExitStack() as stack:
        for monitor in chosen.monitors:
            stack.enter_context(telling(monitor, store))
        yield


def _exit_for_errors(errors: Sequence[tuple[str, DriftmonError]]) -> None:
    """Say what went wrong with which monitor, and exit with the code of the first."""
    for name, error in errors:
        for line in str(error).splitlines():
            click.echo(f"driftmon: {line if line.startswith(name) else f'{name}: {line}'}", err=True)
    if errors:
        raise click.exceptions.Exit(errors[0][1].exit_code)


def _tell_newest_rows(monitor: Monitor, *, named: bool) -> None:
    """After a window without rows that nobody named: where the rows end, if that can be told."""
    newest = newest_with_rows(monitor)
    if newest is None:
        return
    last = monitor.last_step(newest).start.astimezone(monitor.zone)
    day = last.replace(tzinfo=None).isoformat(timespec="minutes").removesuffix("T00:00")
    end = "" if monitor.live.end else ", or set live.end"
    whose = f"{monitor.name}: " if named else ""
    click.echo(f"{whose}the newest live rows are of {day}: name a window with --window {day}{end}", err=True)


@click.command(cls=DriftmonCommand, short_help="Check every window between two times.")
@click.argument("names", metavar="MONITOR...", nargs=-1)
@all_option
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
    names: tuple[str, ...],
    everything: bool,
    start: str | None,
    end: str | None,
    again: bool,
    folder: Path,
    url: str | None,
    output: str,
    fail_on: str | None,
) -> None:
    """
    Check every window of MONITOR between two times. Interrupted, it goes on where it stopped.

    Of several monitors, windows that end at the same time are checked together, and rows that they share are read once.
    """
    from driftmon.results import check_json  # noqa: PLC0415 - keeps --help light

    due, chosen = choose(folder, names, everything=everything).each(lambda each: windows_between(each, start, end))
    due.sort(key=lambda item: item[1].end)
    with open_store(url) as store, _telling(chosen, store):
        done = _backfilled(chosen, due, store, again=again)
    results = [step.result for step in done if step.result is not None]
    if output == "json":
        print_json([check_json(result) for result in results])
    else:
        _show_histories(chosen, done)
    errors = [step.error for step in done if step.error is not None]
    skipped = len(done) - len(results) - len(errors)
    click.echo(f"{len(results)} windows checked, {skipped} had a result already, {len(errors)} failed", err=True)
    _exit_for_errors(chosen.problems)
    if errors:
        raise click.exceptions.Exit(errors[0].exit_code)
    exit_for(results, fail_on)


def _backfilled(chosen: Chosen, due: Sequence[tuple[Monitor, Window]], store: Store, *, again: bool) -> list[CheckStep]:
    """Check windows, and say how far it is and what fails."""
    from driftmon.pipeline import backfill as steps_of  # noqa: PLC0415 - keeps --help light
    from driftmon.pipeline import backfill_together  # noqa: PLC0415 - as above

    with bars() as progress:
        about = chosen.monitors[0].name if chosen.single else f"{len(chosen.monitors)} monitors"
        task = progress.add_task(about, total=len(due))
        done: list[CheckStep] = []
        steps = (
            steps_of(due[0][0], store, [window for _, window in due], again=again)
            if chosen.single
            else backfill_together(due, store, again=again)
        )
        for step in steps:
            progress.advance(task)
            done.append(step)
            if step.error is not None:
                whose = "" if chosen.single else f"{step.monitor.name} "
                progress.console.print(f"driftmon: {whose}{step.window}: {step.error}", markup=False, soft_wrap=True)
    return done


def _show_histories(chosen: Chosen, done: Sequence[CheckStep]) -> None:
    """Print what was checked, a table a monitor."""
    from driftmon.cli.tables import show_history  # noqa: PLC0415 - keeps --help light

    for monitor in chosen.monitors:
        results = [step.result for step in done if step.result is not None and step.monitor == monitor]
        if results and not chosen.single:
            click.echo(monitor.name)
        if results:
            show_history(results, monitor.zone)


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

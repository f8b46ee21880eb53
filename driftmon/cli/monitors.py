"""``driftmon init``, ``validate`` and ``schema``: monitor files."""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import (
    DriftmonCommand,
    format_option,
    monitors_option,
    print_json,
    reading,
)
from driftmon.errors import DriftmonError, UsageError

if TYPE_CHECKING:
    from driftmon.validation import Report

__all__ = ["init", "schema", "validate"]


@click.command(cls=DriftmonCommand, short_help="Print the JSON Schema of monitor files.")
def schema() -> None:
    """Print the JSON Schema of monitor files, for editors."""
    from driftmon.config import json_schema  # noqa: PLC0415 - keeps --help light

    print_json(json_schema())


@click.command(cls=DriftmonCommand, short_help="Read monitor files and reach their data.")
@click.argument("names", nargs=-1, metavar="[MONITOR]...")
@monitors_option
@format_option
def validate(*, names: tuple[str, ...], folder: Path, output: str) -> None:
    """Read monitor files and reach their data: rows, kinds, windows, the smallest shift that a window shows."""
    from driftmon.config import BrokenMonitor, select_monitors  # noqa: PLC0415 - keeps --help light
    from driftmon.validation import report_on  # noqa: PLC0415

    reports: list[Report] = []
    worst = 0
    for monitor in select_monitors(folder, names):
        if isinstance(monitor, BrokenMonitor):
            worst = max(worst, 2)
            for problem in monitor.problems:
                click.echo(f"driftmon: {problem}", err=True)
            continue
        try:
            with reading(monitor.name) as progress:
                reports.append(report_on(monitor, now=datetime.now(UTC), progress=progress))
        except DriftmonError as exc:
            worst = max(worst, exc.exit_code)
            click.echo(f"driftmon: {monitor.name}: {exc}", err=True)
    if output == "json":
        print_json([report.to_json() for report in reports])
    else:
        for report in reports:
            click.echo("\n".join(report.lines()))
    if worst:
        raise click.exceptions.Exit(worst)


@click.command(cls=DriftmonCommand, short_help="Write a monitor file for some data.")
@click.argument("data")
@click.option("--timestamp", metavar="COLUMN", help="Column with the time of a row.")
@click.option("--name", help="Name of the monitor.  [default: from the data's name]")
@click.option("--timezone", default="UTC", show_default=True, help="Of the schedule and of naive timestamps.")
@click.option("--force", is_flag=True, help="Write over an existing file.")
@monitors_option
def init(*, data: str, timestamp: str | None, name: str | None, timezone: str, force: bool, folder: Path) -> None:
    """Write a commented monitor file for DATA (a file, folder, glob or URL)."""
    from driftmon.config.monitor import NAME  # noqa: PLC0415 - keeps --help light
    from driftmon.scaffold import monitor_file, timestamps  # noqa: PLC0415

    name = name or _name(data)
    if not re.fullmatch(NAME, name):
        raise UsageError(f"--name is {name!r}, expected 1 to 63 of a-z, 0-9, _ and -")
    path = folder / f"{name}.yaml"
    if path.exists() and not force:
        raise UsageError(f"{path} exists; choose another --name, or write over it with --force")
    with reading(data) as progress:
        place = data if "://" in data else os.path.abspath(data)  # noqa: PTH100 - a glob's ".." is to go, links are to stay
        written = _below(place, folder)
        text = monitor_file(name, place, written=written, timestamp=timestamp, timezone=timezone, progress=progress)
        times = timestamps(place) if timestamp is None else []
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"wrote {path}; look it over, then: driftmon validate {name}")
    if times:
        _suggest(f"driftmon init {shlex.quote(data)}", times, f"--name {name} --force")


def _suggest(command: str, times: list[str], options: str) -> None:
    """Say how to cut windows by a column that could be the time of a row."""
    from driftmon.words import clipped, listed, printable  # noqa: PLC0415 - keeps --help light

    columns = f"column{'' if len(times) == 1 else 's'} {listed(map(clipped, times), 3)}"
    again = f"{command} --timestamp {shlex.quote(clipped(times[0]))} {options}"
    click.echo(printable(f"the data have the timestamp {columns}; to tell windows apart by it: {again}"), err=True)


def _below(place: str, folder: Path) -> str:
    """The place as a monitor file in that folder names it: relative paths start above the folder."""
    base = folder.resolve().parent
    return Path(place).relative_to(base).as_posix() if Path(place).is_relative_to(base) else place


def _name(data: str) -> str:
    stem = re.split(r"[?*\[{]", data)[0].rstrip("/").rpartition("/")[2].partition(".")[0]
    return re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:63] or "monitor"

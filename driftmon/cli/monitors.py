"""``driftmon init``, ``validate`` and ``schema``: monitor files."""

from __future__ import annotations

import re
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
    from driftmon.scaffold import monitor_file  # noqa: PLC0415

    name = name or _name(data)
    if not re.fullmatch(NAME, name):
        raise UsageError(f"--name is {name!r}, expected 1 to 63 of a-z, 0-9, _ and -")
    path = folder / f"{name}.yaml"
    if path.exists() and not force:
        raise UsageError(f"{path} exists; choose another --name, or write over it with --force")
    with reading(data) as progress:
        place = data if "://" in data else str(Path(data).absolute())
        text = monitor_file(name, place, timestamp=timestamp, timezone=timezone, progress=progress)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"wrote {path}; look it over, then: driftmon baseline build {name}")


def _name(data: str) -> str:
    stem = re.split(r"[?*\[{]", data)[0].rstrip("/").rpartition("/")[2].partition(".")[0]
    return re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:63] or "monitor"

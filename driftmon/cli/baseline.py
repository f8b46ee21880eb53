"""``driftmon baseline``: what checks compare with."""

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
    reading,
)
from driftmon.core.window import isoformat

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["baseline"]


@click.group(short_help="Build, look at and choose baselines.")
def baseline() -> None:
    """Build, look at and choose baselines: layouts and counts frozen from the reference."""


@baseline.command(cls=DriftmonCommand)
@click.argument("monitor")
@click.option("--promote", "promote_it", is_flag=True, help="Compare with it from now on, even if another is in force.")
@monitors_option
@database_option
def build(*, monitor: str, promote_it: bool, folder: Path, url: str | None) -> None:
    """Build a baseline from MONITOR's reference. The first one is in force at once, a later one when promoted."""
    from driftmon.pipeline import build_baseline  # noqa: PLC0415 - keeps --help light
    from driftmon.words import clipped, printable  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    with open_store(url) as store, reading(f"{monitor}: reference") as progress:
        made, promoted = build_baseline(found, store, promote=promote_it, progress=progress)
    columns = len(made.columns)
    click.echo(f"baseline {made.id[:12]} of {monitor}: {made.reference.rows:,} rows, {columns} columns")
    for item in made.excluded:
        click.echo(printable(f"left out: {clipped(item.column)}: {item.reason}"), err=True)
    if promoted:
        click.echo("in force: checks compare with it")
    else:
        click.echo(f"not in force yet; to use it: driftmon baseline promote {monitor} {made.id[:12]}")


@baseline.command("list", cls=DriftmonCommand)
@click.argument("monitor")
@monitors_option
@database_option
@format_option
def list_(*, monitor: str, folder: Path, url: str | None, output: str) -> None:
    """List MONITOR's baselines, the newest first."""
    from driftmon.cli.tables import show_baselines  # noqa: PLC0415 - keeps --help light

    zone = find_monitor(folder, monitor).zone
    with open_store(url, read_only=True) as store:
        records = store.list_baselines(monitor)
    if output == "json":
        print_json(
            [
                {
                    "baseline": record.id,
                    "in_force": record.active,
                    "created_at": isoformat(record.created_at),
                    "promoted_at": None if record.promoted_at is None else isoformat(record.promoted_at),
                    "rows": record.rows,
                    "columns": record.columns,
                }
                for record in records
            ]
        )
    elif not records:
        click.echo(f"no baseline of {monitor} yet; make one with: driftmon baseline build {monitor}", err=True)
    else:
        show_baselines(records, zone)


@baseline.command(cls=DriftmonCommand)
@click.argument("monitor")
@click.argument("identity", metavar="[BASELINE]", required=False)
@monitors_option
@database_option
@format_option
def show(*, monitor: str, identity: str | None, folder: Path, url: str | None, output: str) -> None:
    """Show the columns and bins of a baseline of MONITOR: the one in force, or the one whose name begins with BASELINE."""
    from driftmon.cli.tables import show_baseline  # noqa: PLC0415 - keeps --help light
    from driftmon.results import baseline_json  # noqa: PLC0415

    find_monitor(folder, monitor)
    with open_store(url, read_only=True) as store:
        found = store.load_baseline(monitor, identity)
    if output == "json":
        print_json(baseline_json(monitor, found))
    else:
        show_baseline(monitor, found)


@baseline.command(cls=DriftmonCommand)
@click.argument("monitor")
@click.argument("identity", metavar="BASELINE")
@monitors_option
@database_option
def promote(*, monitor: str, identity: str, folder: Path, url: str | None) -> None:
    """Compare MONITOR with BASELINE (or the beginning of its name) from now on."""
    find_monitor(folder, monitor)
    with open_store(url) as store:
        store.promote(monitor, identity, now=datetime.now(UTC))
        found = store.load_baseline(monitor)
    click.echo(f"baseline {found.id[:12]} of {monitor} is in force: {found.reference.rows:,} rows")

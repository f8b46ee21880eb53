"""``driftmon report``: one monitor in one window, as a file that a browser opens."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import (
    DriftmonCommand,
    database_option,
    find_monitor,
    instant,
    monitors_option,
    open_store,
)
from driftmon.errors import UsageError
from driftmon.settings import links

if TYPE_CHECKING:
    from driftmon.config import Monitor
    from driftmon.core.window import Window
    from driftmon.report.pages import Elsewhere
    from driftmon.store.records import MonitorSnapshot
    from driftmon.store.store import Store

__all__ = ["report"]


@click.command(cls=DriftmonCommand, short_help="Write one HTML file: what drifted, since when, what moved.")
@click.argument("monitor")
@click.option("--window", "at", metavar="TIME", help="The window of this date or time.  [default: the newest]")
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE.html",
    help="Where to write it; - for standard output.",
)
@monitors_option
@database_option
def report(*, monitor: str, at: str | None, target: Path, folder: Path, url: str | None) -> None:
    """
    Write what is known of MONITOR in one window as one HTML file.

    The file needs nothing from elsewhere, so that it can be mailed and archived. Reads stored results only.
    """
    from driftmon import __version__  # noqa: PLC0415 - keeps --help light
    from driftmon.report.freshness import standing  # noqa: PLC0415
    from driftmon.report.pages import render_report  # noqa: PLC0415
    from driftmon.report.views import monitor_view  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    with open_store(url, read_only=True) as store:
        window = _window(found, store, at)
        snapshot, failure = store.monitor_snapshot(monitor), store.last_failure(monitor)
        view = monitor_view(store, snapshot.facts, window, details=True)
    now = datetime.now(UTC)
    newest = None if snapshot.window is None else snapshot.window.end
    told = standing(snapshot.facts, newest, view.check.window, (snapshot.consecutive_failed_runs, failure), now)
    page = render_report(
        view,
        __version__,
        standing=told,
        written=f"{now.astimezone(view.zone):%Y-%m-%d %H:%M %Z}",
        elsewhere=_elsewhere(snapshot, view.check.window),
    ).encode(errors="replace")
    if str(target) == "-":
        sys.stdout.buffer.write(page)
        sys.stdout.flush()
        return
    _write(target, page)
    click.echo(f"{monitor}, {view.when}: {view.headline}", err=True)
    if told.told:
        click.echo(told.told, err=True)
    click.echo(f"written to {target} ({len(page):,} bytes)", err=True)


def _window(monitor: Monitor, store: Store, at: str | None) -> Window | None:
    """The window that was asked for, or None for the newest; either has a result."""
    window = None if at is None else monitor.windows.containing(instant(monitor, "--window", at))
    if store.load_checks(monitor.name, window=window, limit=1, column=()):
        return window
    if window is None:
        raise UsageError(f"no results of {monitor.name} yet; make one with: driftmon check {monitor.name}")
    raise UsageError(
        f"no result of {monitor.name} for window {window}; make it with: driftmon check {monitor.name} --window {at}, "
        f"or see which there are: driftmon history {monitor.name}"
    )


def _elsewhere(snapshot: MonitorSnapshot, window: Window | None) -> Elsewhere:
    """Where the pages about the same window are, if somebody said."""
    from driftmon.exporter.addresses import PageAddresses  # noqa: PLC0415 - keeps --help light
    from driftmon.report.pages import Elsewhere  # noqa: PLC0415

    known, monitor = links(), snapshot.facts.name
    newest = None if snapshot.window is None else snapshot.window.end
    addresses = PageAddresses(known.grafana_url, snapshot.facts, newest, base=known.driftmon_url)
    pages = [("status page", addresses.monitor(monitor, window))] if known.driftmon_url else []
    pages += [("Grafana", addresses.grafana(monitor, window=window))] if known.grafana_url else []
    return Elsewhere(tuple(pages), addresses if known.driftmon_url else None)


def _write(target: Path, page: bytes) -> None:
    """Put the file there whole: a reader sees the old one or the new one."""
    part = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:40]}-", delete=False) as file:
            part = Path(file.name)
            file.write(page)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    except OSError as error:
        if part is not None:
            with suppress(OSError):
                part.unlink()
        raise UsageError(
            f"cannot write {str(target)!r}: {error.strerror or error}; name another place with -o"
        ) from error


def _umask() -> int:
    """That of this process; temporary files are made for their owner only."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""``driftmon serve``: the exporter, until somebody stops it."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import DriftmonCommand, database_option, monitors_option
from driftmon.settings import database_url, links

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["serve"]


@click.command(cls=DriftmonCommand, short_help="Serve metrics for Prometheus, and pages for people.")
@click.option("--listen", default="127.0.0.1:9877", show_default=True, metavar="HOST:PORT", help="Where to answer.")
@click.option(
    "--refresh",
    type=click.FloatRange(min=0.1),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two reads of the results database.",
)
@click.option(
    "--max-series", type=click.IntRange(min=1), default=1_000_000, show_default=True, help="Leave out what is beyond."
)
@monitors_option
@database_option
def serve(*, listen: str, refresh: float, max_series: int, folder: Path, url: str | None) -> None:
    """
    Serve /metrics for Prometheus and a status page at /, from the results database, until stopped.

    A monitor whose file is gone from the folder of monitor files disappears; without such a folder all monitors are shown.
    """
    from driftmon.exporter.server import parse_address  # noqa: PLC0415 - keeps --help light
    from driftmon.exporter.service import Exporter, own_url  # noqa: PLC0415
    from driftmon.store.store import Store  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    exporter = Exporter(
        lambda: Store.open(database_url(url), read_only=True),
        listen=listen,
        refresh_seconds=refresh,
        configured=_configured(folder),
        max_series=max_series,
        links=links(own_url(parse_address(listen))),
    )
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    exporter.start()
    click.echo(f"status page at http://{exporter.address}/, metrics at http://{exporter.address}/metrics", err=True)
    stopped.wait()
    exporter.stop()


def _configured(folder: Path) -> Callable[[], set[str] | None]:
    """The names of the monitor files; a broken one keeps its place, and no files at all mean no opinion."""

    def names() -> set[str] | None:
        from driftmon.config import load_folder  # noqa: PLC0415 - keeps --help light

        if not folder.is_dir():
            return None
        return {monitor.name for monitor in load_folder(folder)} or None

    return names

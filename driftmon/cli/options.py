"""Options that many commands share, and what they give: the monitor files, the results database, the output."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftmon.core.verdict import Status
from driftmon.errors import UsageError
from driftmon.settings import database_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.progress import Progress as Bars

    from driftmon.config import Monitor
    from driftmon.core.result import CheckResult
    from driftmon.sources.base import Progress
    from driftmon.store.store import Store

__all__ = [
    "DriftmonCommand",
    "bars",
    "database_option",
    "exit_for",
    "fail_on_option",
    "find_monitor",
    "format_option",
    "instant",
    "monitors_option",
    "open_store",
    "print_json",
    "reading",
]


class DriftmonCommand(click.Command):
    """A command that also takes ``--debug``; `driftmon.cli.main` acts on it, since it is about errors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - click's own signature
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--debug"], is_flag=True, expose_value=False, help="Show the stack trace of an error.")
        )


monitors_option = click.option(
    "--monitors",
    "folder",
    type=click.Path(path_type=Path),
    envvar="DRIFTMON_MONITORS",
    default="monitors",
    show_default=True,
    help="Folder of monitor files.",
)
database_option = click.option(
    "--database",
    "url",
    envvar="DRIFTMON_DATABASE_URL",
    show_envvar=True,
    help="URL of the results database, SQLite or PostgreSQL.  [default: driftmon.db in DRIFTMON_HOME]",
)
format_option = click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What standard output gets.",
)
fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["info", "warning", "critical"]),
    help="Exit with 1 if a column is at least this.",
)


@contextmanager
def open_store(url: str | None, *, read_only: bool = False) -> Iterator[Store]:
    """The results database, closed at the end."""
    from driftmon.store.store import Store  # noqa: PLC0415 - only commands that need the database load sqlalchemy

    with Store.open(database_url(url), read_only=read_only) as store:
        yield store


def find_monitor(folder: Path, name: str) -> Monitor:
    """The monitor of that name; see `driftmon.config.find_monitor`."""
    from driftmon import config  # noqa: PLC0415 - pydantic, only for commands that read monitors

    return config.find_monitor(folder, name)


def instant(monitor: Monitor, option: str, given: str) -> datetime:
    """
    The time that an option names; without an offset in the monitor's time zone.

    Raises
    ------
    UsageError
        If it is neither a date nor a time, with the option's name.
    """
    from driftmon.config import parse_instant  # noqa: PLC0415 - pydantic, only for commands that read monitors

    try:
        return parse_instant(given, monitor.zone)
    except ValueError as exc:
        raise UsageError(f"{option} {exc}") from exc


def print_json(content: object) -> None:
    """Write content to standard output as JSON; a NaN would be an error of ours, and is one here."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (
        UnicodeEncodeError
    ):  # a terminal of few letters, or text that is none (lone surrogates): escapes say the same
        text = json.dumps(content, indent=1, allow_nan=False)
    click.echo(text)


def exit_for(results: Iterable[CheckResult], fail_on: str | None) -> None:
    """
    Exit with 1 if a column drifted at least as much as was asked for.

    Looks at every column: the worst status of a check may be that another column is gone, which is no drift and hides none.
    """
    if fail_on is None:
        return
    drift = [Status.INFO, Status.WARNING, Status.CRITICAL]
    enough = drift[drift.index(Status(fail_on)) :]
    columns = [column for result in results for column in result.columns]
    if any(column.status in enough and (column.segment is None or column.status.breach) for column in columns):
        raise click.exceptions.Exit(1)


@contextmanager
def bars() -> Iterator[Bars]:
    """Progress bars on standard error; silent where that is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - only commands that take long
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield progress


@contextmanager
def reading(what: str) -> Iterator[Progress]:
    """A bar that counts the rows read."""
    with bars() as progress:
        task = progress.add_task(what, total=None)

        def report(rows: int, total: int | None) -> None:
            progress.update(task, completed=rows, total=total)

        yield report

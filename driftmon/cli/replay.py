"""``driftmon replay``: which past windows would have alerted under other thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftmon.cli.options import (
    DriftmonCommand,
    database_option,
    find_monitor,
    format_option,
    instant,
    monitors_option,
    open_store,
    print_json,
)
from driftmon.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from driftmon.core.result import CheckResult
    from driftmon.store.store import Store

__all__ = ["replay"]

NATS = click.FloatRange(min=0)


@click.command(cls=DriftmonCommand, short_help="Say which past windows would have alerted under other thresholds.")
@click.argument("monitor")
@click.option("--warning", type=NATS, metavar="KL", help="Threshold in nats.  [default: the monitor file's]")
@click.option("--critical", type=NATS, metavar="KL", help="Threshold in nats.  [default: the monitor file's]")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Only this column; may be given again.")
@click.option("--all", "everywhere", is_flag=True, help="Also columns that have thresholds of their own.")
@click.option("--start", metavar="TIME", help="Windows from here on.")
@click.option("--end", metavar="TIME", help="Windows that end by here.")
@monitors_option
@database_option
@format_option
def replay(  # noqa: PLR0913 - one parameter an option
    *,
    monitor: str,
    warning: float | None,
    critical: float | None,
    columns: tuple[str, ...],
    everywhere: bool,
    start: str | None,
    end: str | None,
    folder: Path,
    url: str | None,
    output: str,
) -> None:
    """
    Say which past windows of MONITOR would have alerted under other thresholds, from stored numbers.

    The thresholds are those of the monitor file as it is now, with --warning and --critical in place of the general ones. Columns
    that have thresholds of their own there keep them, as they would if the file was edited; --all changes them too. With --column
    only that column is looked at, and the new thresholds are its own. Nothing is stored.
    """
    from driftmon.cli.whatif import show_replay  # noqa: PLC0415 - keeps --help light
    from driftmon.pipeline import policy_of  # noqa: PLC0415
    from driftmon.replay import changed_policy  # noqa: PLC0415
    from driftmon.replay import replay as judge_again  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    policy = changed_policy(
        policy_of(found), warning=warning, critical=critical, columns=columns, everywhere=everywhere
    )
    since = None if start is None else instant(found, "--start", start)
    until = None if end is None else instant(found, "--end", end)
    with open_store(url, read_only=True) as store:
        checks = _stored(store, monitor, since, until, columns)
    replayed = judge_again(checks, policy, _thresholds(warning, critical, columns, everywhere), columns=columns)
    if output == "json":
        print_json({"monitor": monitor, **replayed.to_json()})
    else:
        show_replay(monitor, replayed, found.zone)


def _stored(
    store: Store, monitor: str, start: datetime | None, end: datetime | None, columns: tuple[str, ...]
) -> list[CheckResult]:
    from driftmon.explanation import find_column  # noqa: PLC0415 - keeps --help light

    newest = store.load_checks(monitor, limit=1)
    if not newest:
        raise UsageError(f"no results of {monitor} yet; make some with: driftmon backfill {monitor} --start T --end T")
    for column in columns:
        find_column(newest[0], column)
    only = columns[0] if len(columns) == 1 else None
    checks = store.load_checks(monitor, start=start, end=end, column=only)
    if not any(check.live_rows for check in checks):
        with_rows = " with rows" if checks else ""
        between = " between these times" if start or end else ""
        raise UsageError(
            f"no results of {monitor}{with_rows}{between}; see which there are: driftmon history {monitor}"
        )
    return checks


def _thresholds(warning: float | None, critical: float | None, columns: tuple[str, ...], everywhere: bool) -> str:
    given = {"warning": warning, "critical": critical}
    text = " and ".join(f"{name} {value:g}" for name, value in given.items() if value is not None)
    text = text or "the thresholds of the monitor file"
    if columns:
        from driftmon.words import clipped, listed  # noqa: PLC0415 - keeps --help light

        return f"{text} on {listed(map(clipped, columns))}"
    return f"{text} on every column" if everywhere and (warning, critical) != (None, None) else text

"""``driftmon explain``: one column of one window, for a reader who knows no statistics."""

from __future__ import annotations

from dataclasses import replace
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
    from pathlib import Path

    from driftmon.config import Monitor
    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.sentences import Section
    from driftmon.store.store import Store

__all__ = ["explain"]

PAST = 400
"""Windows looked back at: a year of days."""


@click.command(cls=DriftmonCommand, short_help="Say what changed in a column, and whether to worry.")
@click.argument("monitor")
@click.argument("column")
@click.option(
    "--window",
    "at",
    metavar="TIME",
    help="The window of this date or time.  [default: the newest with a verdict]",
)
@click.option("--segment", metavar="NAME", help="Only the rows of a segment, such as origin=JFK.")
@click.option("--bits", is_flag=True, help="Print bits instead of nats (not in JSON).")
@click.option("--verbose", is_flag=True, help="Also entropies, the other divergences and the p-values.")
@monitors_option
@database_option
@format_option
def explain(  # noqa: PLR0913 - one parameter an option
    *,
    monitor: str,
    column: str,
    at: str | None,
    segment: str | None,
    bits: bool,
    verbose: bool,
    folder: Path,
    url: str | None,
    output: str,
) -> None:
    """
    Say what changed in COLUMN of MONITOR, how sure that is, since when, and whether to worry.

    Reads stored results only: no data are read, nothing is stored.
    """
    from driftmon.cli.bars import show_explanation  # noqa: PLC0415 - keeps --help light
    from driftmon.explanation import explain as explain_column  # noqa: PLC0415
    from driftmon.sentences import tell  # noqa: PLC0415
    from driftmon.words import BITS, NATS  # noqa: PLC0415

    found = find_monitor(folder, monitor)
    with open_store(url, read_only=True) as store:
        check, asked, newer = _stored(found, store, at, (column, segment))
        end = None if check.window is None else check.window.end
        past = store.load_checks(monitor, end=end, limit=PAST, column=column)
    explanation = explain_column(check, asked, past)
    if output == "json":
        sections = _noted(tell(explanation, zone=found.zone, verbose=verbose), newer)
        print_json(explanation.to_json() | {"words": [line for section in sections for line in section.lines]})
    else:
        unit = BITS if bits else NATS
        sections = _noted(tell(explanation, zone=found.zone, unit=unit, verbose=verbose), newer)
        show_explanation(explanation, sections, found.zone)


def _stored(
    monitor: Monitor, store: Store, at: str | None, name: tuple[str, str | None]
) -> tuple[CheckResult, ColumnResult, str]:
    """
    The window to explain, the column in it, and a remark on a newer window.

    By default the newest in which the column has a verdict: an empty one that somebody checked must not hide the others.
    """
    from driftmon.explanation import find_column  # noqa: PLC0415 - keeps --help light

    window = None if at is None else monitor.windows.containing(instant(monitor, "--window", at))
    stored = store.load_checks(monitor.name, window=window, limit=1)
    if not stored and window is None:
        raise UsageError(f"no results of {monitor.name} yet; make one with: driftmon check {monitor.name}")
    if not stored:
        raise UsageError(
            f"no result of {monitor.name} for window {window}; make it with: driftmon check {monitor.name} --window {at}, "
            f"or see which there are: driftmon history {monitor.name}"
        )
    [newest], column = stored, find_column(stored[0], *name)
    judged = None if window or column.status.evaluated else _newest_judged(monitor, store, name)
    if judged is None:
        return newest, column, ""
    return judged, find_column(judged, *name), _remark(newest, column, monitor)


def _newest_judged(monitor: Monitor, store: Store, name: tuple[str, str | None]) -> CheckResult | None:
    for check in store.load_checks(monitor.name, limit=PAST, column=name[0]):
        if any((item.column, item.segment) == name and item.status.evaluated for item in check.columns):
            return store.load_checks(monitor.name, window=check.window, limit=1)[0]
    return None


def _remark(newest: CheckResult, column: ColumnResult, monitor: Monitor) -> str:
    from driftmon.words import span_text  # noqa: PLC0415 - keeps --help light

    when = "" if newest.window is None else f", {span_text(newest.window, monitor.zone)},"
    return f"the newest window{when} has no verdict ({column.status}): {column.reason or 'there is nothing to compare'}"


def _noted(sections: tuple[Section, ...], remark: str) -> tuple[Section, ...]:
    """The sentences with a remark at the end of the answer."""
    first, *others = sections
    return (replace(first, lines=(*first.lines, remark)), *others) if remark else sections

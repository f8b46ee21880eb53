"""Tables for terminals: the answer first, then the columns, worst first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from driftmon.core.window import isoformat
from driftmon.words import clipped, headline, moved, number, percent, printable, span_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from driftmon.core.baseline import Baseline
    from driftmon.core.learning import Excluded
    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.verdict import Status
    from driftmon.store.records import BaselineRecord

__all__ = ["show", "show_baseline", "show_baselines", "show_check", "show_column_history", "show_history"]

STYLES = {
    "critical": "bold red",
    "warning": "yellow",
    "error": "magenta",
    "schema_changed": "magenta",
    "no_data": "magenta",
    "insufficient_data": "cyan",
    "info": "blue",
    "ok": "green",
}
UTC = ZoneInfo("UTC")
BITS_PER_NAT = 1.4426950408889634
WIDE = 200
"""Columns of output that is no terminal: a pipe gets whole lines."""


def show(*items: RenderableType) -> None:
    """Print to standard output: coloured and fitted to a terminal; plain, wide and without trailing blanks elsewhere."""
    from rich.console import Console  # noqa: PLC0415 - only commands that print tables

    if sys.stdout.isatty():
        Console(highlight=False).print(*items, sep="\n")
        return
    out = Console(highlight=False, width=WIDE, color_system=None)
    with out.capture() as captured:
        out.print(*items, sep="\n")
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def table(*headers: str) -> Table:
    """An empty table without frames; numbers are right-aligned by whoever adds columns."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        right = header.startswith(">")
        made.add_column(header.lstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=right)
    return made


def text(content: str, style: str = "") -> Text:
    """Text as it is, without markup; what a terminal would obey (escapes in a column's name) is shown as a dot."""
    from rich.text import Text  # noqa: PLC0415

    return Text(printable(content), style=style)


def show_check(result: CheckResult, *, zone: ZoneInfo | None = None, bits: bool = False) -> None:
    """Print a check: headline, where it stands, columns with the worst first, columns left out."""
    unit = "bits" if bits else "nats"
    made = table("column", "status", f">KL ({unit})", ">noise", ">at least", ">threshold", ">missing", "what moved")
    for column in result.ranked():
        made.add_row(*_cells(column, BITS_PER_NAT if bits else 1.0))
    where = "" if result.window is None else f"{result.monitor}, {span_text(result.window, zone or UTC)}: "
    show(
        text(where + headline(result), STYLES.get(str(result.status), "")),
        text(f"{result.live_rows:,} live rows against {result.reference_rows:,} reference rows", "dim"),
        *([made] if result.columns else []),
        *_left_out(result.excluded),
    )


def _left_out(excluded: Iterable[Excluded]) -> list[Text]:
    return [text(f"left out: {clipped(item.column)}: {item.reason}", "dim") for item in excluded]


def _cells(column: ColumnResult, factor: float) -> list[RenderableType]:
    name = clipped(column.column) + ("" if column.segment is None else f" [{clipped(column.segment)}]")
    scores = column.scores
    bound = None if scores is None else max(scores.lower_bound, scores.lower_bound_reverse)
    numbers = [None, None, None] if scores is None else [scores.kl, scores.noise_floor, bound]
    missing = "" if column.live is None or column.live.rows == 0 else percent(column.live.missing / column.live.rows)
    threshold = f"{column.threshold.warning * factor:.3g} / {column.threshold.critical * factor:.3g}"
    cells: list[RenderableType] = [text(name), _status(column.status)]
    cells += [number(None if value is None else value * factor) for value in numbers]
    return [*cells, threshold, missing, text(moved(column))]


def _status(status: Status) -> Text:
    return text(str(status), STYLES[str(status)])


def show_history(results: Iterable[CheckResult], zone: ZoneInfo) -> None:
    """Print past checks, a line a window."""
    made = table("window", "status", ">rows", "what")
    for result in results:
        window = "" if result.window is None else span_text(result.window, zone)
        made.add_row(window, _status(result.status), f"{result.live_rows:,}", text(headline(result)))
    show(made)


def show_column_history(results: Iterable[CheckResult], name: str, zone: ZoneInfo) -> None:
    """Print one column's past, a line a window (and segment)."""
    made = table(
        "window", "column", "status", ">KL (nats)", ">noise", ">at least", ">threshold", ">missing", "what moved"
    )
    for result in results:
        window = "" if result.window is None else span_text(result.window, zone)
        for column in result.columns:
            if column.column == name:
                made.add_row(window, *_cells(column, 1.0))
    show(made)


def show_baselines(records: Iterable[BaselineRecord], zone: ZoneInfo) -> None:
    """Print baselines, newest first."""
    made = table("baseline", "in force", "built", ">rows", ">columns", "span")
    for record in records:
        made.add_row(
            record.id[:12],
            "yes" if record.active else "",
            isoformat(record.created_at.replace(microsecond=0)),
            f"{record.rows:,}",
            str(record.columns),
            "all rows" if record.span is None else span_text(record.span, zone),
        )
    show(made)


def show_baseline(monitor: str, baseline: Baseline) -> None:
    """Print a baseline: a line a column, with its largest bins."""
    rows = baseline.reference.rows
    made = table("column", "kind", "type", ">bins", ">missing", "largest bins")
    for name, column in baseline.columns.items():
        histogram = baseline.reference.histograms[name]
        shares = sorted(zip(histogram.counts[:-1], column.layout.bins, strict=False), key=lambda pair: -pair[0])[:3]
        largest = ", ".join(f"{item.label} {percent(count / rows)}" for count, item in shares if count)
        missing = percent(histogram.missing / rows)
        made.add_row(
            text(clipped(name)), str(column.kind), text(column.dtype), str(column.layout.size), missing, text(largest)
        )
    title = text(f"baseline {baseline.id[:12]} of {monitor}: {rows:,} rows, {len(baseline.columns)} columns")
    show(title, made, *_left_out(baseline.excluded))

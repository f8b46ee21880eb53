"""Tables for terminals: the answer first, then the columns, worst first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from driftmon.core.window import isoformat
from driftmon.words import headline, moved, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType
    from rich.table import Table

    from driftmon.core.baseline import Baseline
    from driftmon.core.check import CheckResult, ColumnResult
    from driftmon.store.records import BaselineRecord

__all__ = ["console", "show_baseline", "show_baselines", "show_check", "show_column_history", "show_history", "table"]

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
BITS_PER_NAT = 1.4426950408889634
NARROW = 200
"""Columns of output that is no terminal: wide, so that a pipe gets whole lines."""


def console() -> Console:
    """Standard output, coloured only if it is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only commands that print tables

    return Console(highlight=False, width=None if sys.stdout.isatty() else NARROW)


def table(*headers: str) -> Table:
    """An empty table without frames; numbers are right-aligned by whoever adds columns."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        right = header.startswith(">")
        made.add_column(header.lstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=right)
    return made


def show_check(result: CheckResult, *, bits: bool = False) -> None:
    """Print a check: headline, where it stands, columns with the worst first, columns left out."""
    from rich.text import Text  # noqa: PLC0415

    out = console()
    out.print(Text(_title(result) + headline(result), style=STYLES.get(str(result.status), "")))
    out.print(Text(f"{result.live_rows:,} live rows against {result.reference_rows:,} reference rows", style="dim"))
    unit = "bits" if bits else "nats"
    made = table("column", "status", f">KL ({unit})", ">noise", ">at least", ">threshold", ">missing", "what moved")
    factor = BITS_PER_NAT if bits else 1.0
    for column in result.ranked():
        made.add_row(*_cells(column, factor))
    if result.columns:
        out.print(made)
    for item in result.excluded:
        out.print(Text(f"left out: {item.column}: {item.reason}", style="dim"))


def _title(result: CheckResult) -> str:
    if result.monitor is None or result.window is None:
        return ""
    return f"{result.monitor}, {_span(result)}: "


def _span(result: CheckResult) -> str:
    window = result.window
    return "" if window is None else f"{isoformat(window.start)} to {isoformat(window.end)}"


def _cells(column: ColumnResult, factor: float) -> list[RenderableType]:
    from rich.text import Text  # noqa: PLC0415

    name = column.column if column.segment is None else f"{column.column} [{column.segment}]"
    scores = column.scores
    bound = None if scores is None else max(scores.lower_bound, scores.lower_bound_reverse)
    numbers = [None, None, None] if scores is None else [scores.kl, scores.noise_floor, bound]
    missing = "" if column.live is None or column.live.rows == 0 else percent(column.live.missing / column.live.rows)
    threshold = f"{column.threshold.warning * factor:.3g} / {column.threshold.critical * factor:.3g}"
    cells: list[RenderableType] = [Text(name), Text(str(column.status), style=STYLES[str(column.status)])]
    cells += [number(None if value is None else value * factor) for value in numbers]
    return [*cells, threshold, missing, Text(_one_line(moved(column)))]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def show_history(results: Iterable[CheckResult]) -> None:
    """Print past checks, a line a window."""
    from rich.text import Text  # noqa: PLC0415

    made = table("window", "status", ">rows", "what")
    for result in results:
        status = str(result.status)
        made.add_row(_span(result), Text(status, style=STYLES[status]), f"{result.live_rows:,}", Text(headline(result)))
    console().print(made)


def show_column_history(results: Iterable[CheckResult], name: str) -> None:
    """Print one column's past, a line a window (and segment)."""
    made = table(
        "window", "column", "status", ">KL (nats)", ">noise", ">at least", ">threshold", ">missing", "what moved"
    )
    for result in results:
        for column in result.columns:
            if column.column == name:
                made.add_row(_span(result), *_cells(column, 1.0))
    console().print(made)


def show_baselines(records: Iterable[BaselineRecord]) -> None:
    """Print baselines, newest first."""
    made = table("baseline", "in force", "built", ">rows", ">columns", "span")
    for record in records:
        made.add_row(
            record.id[:12],
            "yes" if record.active else "",
            isoformat(record.created_at.replace(microsecond=0)),
            f"{record.rows:,}",
            str(record.columns),
            "all rows" if record.span is None else str(record.span).replace("/", " to "),
        )
    console().print(made)


def show_baseline(monitor: str, baseline: Baseline) -> None:
    """Print a baseline: a line a column, with its widest bins."""
    from rich.text import Text  # noqa: PLC0415

    out = console()
    rows = baseline.reference.rows
    out.print(Text(f"baseline {baseline.id[:12]} of {monitor}: {rows:,} rows, {len(baseline.columns)} columns"))
    made = table("column", "kind", "type", ">bins", ">missing", "largest bins")
    for name, column in baseline.columns.items():
        histogram = baseline.reference.histograms[name]
        shares = sorted(zip(histogram.counts[:-1], column.layout.bins, strict=False), key=lambda pair: -pair[0])[:3]
        largest = ", ".join(f"{item.label} {percent(count / rows)}" for count, item in shares if count)
        missing = percent(histogram.missing / rows)
        made.add_row(
            Text(name), str(column.kind), column.dtype, str(column.layout.size), missing, Text(_one_line(largest))
        )
    out.print(made)
    for item in baseline.excluded:
        out.print(Text(f"left out: {item.column}: {item.reason}", style="dim"))

"""Tables for terminals: the answer first, then the columns, worst first."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from driftmon.core.window import isoformat
from driftmon.headline import headline
from driftmon.words import (
    NATS,
    bounds_text,
    clipped,
    moved,
    named,
    percent,
    printable,
    quality_text,
    span_text,
    sustained_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from driftmon.core.baseline import Baseline
    from driftmon.core.learning import Excluded
    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.verdict import Status
    from driftmon.store.records import BaselineRecord
    from driftmon.words import Unit

__all__ = [
    "indented",
    "show",
    "show_baseline",
    "show_baselines",
    "show_check",
    "show_column_history",
    "show_history",
    "table",
    "text",
]

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
SUSTAINED_STYLE = "bold yellow"
UTC = ZoneInfo("UTC")
REVERSE = "*"
"""Marks a bound that comes from the reverse direction, and can therefore be above the KL beside it."""
ROOM, SPACE = 100, 140
"""Characters from which on a terminal has room for every number, and to say all that moved in one line."""
LEAST_TEXT = 8
"""Characters of a cell of text, before which a terminal is too small for the table."""
MOST_LINES = 100
"""Columns, and findings beside their verdicts, that are listed; of more, nobody reads the rest, and drawing them takes seconds."""
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
        out.print(*items, sep="\n", soft_wrap=True)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def table(*headers: str) -> Table:
    """An empty table without frames; numbers are right-aligned by whoever adds columns."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for header in headers:
        right = header.startswith(">")
        made.add_column(
            header.lstrip(">"),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=right,
            min_width=None if right else LEAST_TEXT,
        )
    return made


def text(content: str, style: str = "") -> Text:
    """Text as it is, without markup; what a terminal would obey (escapes in a column's name) is shown as a dot."""
    from rich.text import Text  # noqa: PLC0415

    return Text(printable(content), style=style)


def indented(content: str) -> RenderableType:
    """A sentence below a title: further lines of it start where the first one does."""
    from rich.padding import Padding  # noqa: PLC0415

    return Padding(text(content), (0, 0, 0, 2)) if sys.stdout.isatty() else text(f"  {content}")


def show_check(result: CheckResult, *, zone: ZoneInfo | None = None, unit: Unit = NATS) -> None:
    """Print a check: headline, where it stands, columns with the worst first, what else was found, columns left out."""
    ranked = result.ranked()
    numbers = _Numbers.for_terminal(ranked, unit)
    made = table("column", "status", *numbers.headers, "what moved")
    for column in ranked[:MOST_LINES]:
        made.add_row(text(column_name(column)), _column_status(column), *numbers.cells(column), _what(column))
    where = "" if result.window is None else f"{result.monitor}, {span_text(result.window, zone or UTC)}: "
    notes = [text(line) for column in ranked for line in _notes(column, unit)]
    if len(notes) > MOST_LINES:
        notes[MOST_LINES:] = [text(f"and {len(notes) - MOST_LINES:,} more findings; --format json has them all", "dim")]
    notes = [*_unlisted(ranked[MOST_LINES:]), *notes, *_footnote(ranked[:MOST_LINES])]
    show(
        text(where + headline(result), STYLES.get(str(result.status), "")),
        text(f"{result.live_rows:,} live rows against {result.reference_rows:,} reference rows", "dim"),
        *([made] if result.columns else []),
        *notes,
        *([text("")] if notes and result.excluded else []),
        *_left_out(result.excluded),
    )


@dataclass(frozen=True)
class _Numbers:
    """
    The numbers of a table of columns: those that have room, and something to say.

    The ones that explain the verdict give way to what moved on a small terminal; what is usual is not known of two files.
    """

    unit: Unit
    noise: bool
    usual: bool

    @classmethod
    def for_terminal(cls, columns: Iterable[ColumnResult], unit: Unit) -> _Numbers:
        room = _width() >= ROOM
        known = any(column.scores is not None and column.scores.usual_limit is not None for column in columns)
        return cls(unit, noise=room, usual=room and known)

    @property
    def headers(self) -> list[str]:
        explaining = [*([">noise"] if self.noise else []), *([">usual"] if self.usual else [])]
        return [f">KL ({self.unit.name})", *explaining, ">at least", ">threshold"]

    def cells(self, column: ColumnResult) -> list[str]:
        unit, scores = self.unit, column.scores
        threshold = f"{unit.short(column.threshold.warning)} / {unit.short(column.threshold.critical)}"
        if scores is None:
            return [*([""] * (len(self.headers) - 1)), threshold]
        cells = [unit.text(scores.kl)]
        if self.noise:
            cells.append(unit.text(scores.noise_floor))
        if self.usual:
            cells.append(unit.text(scores.usual_limit))
        bound = unit.at_least(scores.bound)
        return [*cells, bound + (REVERSE if _reverse(column) else " "), threshold]


def _unlisted(columns: Sequence[ColumnResult]) -> list[Text]:
    """How many columns are not in the table, and how they are."""
    if not columns:
        return []
    counted = Counter(str(column.status) for column in columns)
    statuses = ", ".join(f"{number:,} {status}" for status, number in counted.items())
    return [text(f"and {len(columns):,} more columns: {statuses}; --format json has them all", "dim")]


def _left_out(excluded: Iterable[Excluded]) -> list[Text]:
    return [text(f"left out: {clipped(item.column)}: {item.reason}", "dim") for item in excluded]


def column_name(column: ColumnResult) -> str:
    """A column as a cell names it, with its segment."""
    return clipped(column.column) + ("" if column.segment is None else f" [{clipped(column.segment)}]")


def _reverse(column: ColumnResult) -> bool:
    """True if a bound stands for the reverse direction and is above the KL beside it."""
    return column.scores is not None and column.scores.lower_bound_reverse > column.scores.kl


def _footnote(columns: Iterable[ColumnResult]) -> list[Text]:
    """What the mark means, if there is one."""
    marked = any(_reverse(column) for column in columns)
    told = f"{REVERSE} in the reverse direction: values that the reference had often are rare now"
    return [text(told, "dim")] if marked else []


def _width() -> int:
    """Characters of a line of the terminal; a pipe is as wide as need be."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE


def _what(column: ColumnResult) -> Text:
    from rich.text import Text  # noqa: PLC0415

    lines = [f"hint: {column.hint}"] if column.hint else []
    bins = moved(column, between="\n" if _width() < SPACE else ", ").splitlines()
    return Text("\n").join(text(line) for line in [*lines, *bins] if line)


def _notes(column: ColumnResult, unit: Unit) -> list[str]:
    """What was found beside the verdict of the table."""
    name = named(column)
    lines = [f"quality: {name}: {quality_text(column, item)}" for item in column.problems]
    if column.lasting:
        lines.append(f"sustained drift: {name}: {sustained_text(column, unit)}")
    return lines


def _column_status(column: ColumnResult) -> Text:
    """The verdict on a column in its colour; sustained drift on a line of its own, and what is large but usual."""
    made = status_text(column.status)
    if column.usual:
        made.append(", usual", style="dim")
    if column.lasting:
        made.append("\nsustained", style=SUSTAINED_STYLE)
    return made


def status_text(status: Status) -> Text:
    return text(str(status), STYLES[str(status)])


def show_history(results: Iterable[CheckResult], zone: ZoneInfo) -> None:
    """Print past checks, a line a window."""
    made = table("window", "status", ">rows", "what")
    for result in results:
        window = "" if result.window is None else span_text(result.window, zone)
        made.add_row(window, status_text(result.status), f"{result.live_rows:,}", text(headline(result)))
    show(made)


def show_column_history(results: Iterable[CheckResult], name: str, zone: ZoneInfo) -> None:
    """Print one column's past, a line a window (and segment)."""
    found = [(result.window, column) for result in results for column in result.columns if column.column == name]
    numbers = _Numbers.for_terminal([column for _, column in found], NATS)
    segments = any(column.segment is not None for _, column in found)
    made = table("window", *(["segment"] if segments else []), "status", *numbers.headers, "what moved")
    for window, column in found:
        when = "" if window is None else span_text(window, zone)
        what = _what(column)
        for item in column.problems:
            what.append(("\n" if what else "") + printable(f"quality: {quality_text(column, item)}"))
        segment = [text(clipped(column.segment or "all rows"))] if segments else []
        made.add_row(when, *segment, _column_status(column), *numbers.cells(column), what)
    show(made, *_footnote(column for _, column in found))


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
            "all rows" if record.span is None else bounds_text(record.span, zone),
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

"""An explanation on a terminal: sentences, and the shares of each bin before and now side by side."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from rich.table import Table

from driftmon.cli.tables import STYLES, indented, show, table, text
from driftmon.words import percent, span_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from rich.console import RenderableType

    from driftmon.explanation import BinShare, Explanation
    from driftmon.sentences import Section

__all__ = ["bar", "show_explanation"]

PIPE = 120
"""Characters of a line where output is no terminal: a file or a mail, not a row of a table to be cut."""

LONGEST_LABEL = 32
"""Characters of a bin's label: a category can be of any length."""

FEWEST, MOST = 6, 24
"""Characters of the longest bar."""

BESIDE_BARS = 48
"""Characters of a line that the label and the bars do not have."""

EIGHTHS = " ▏▎▍▌▋▊▉█"


def show_explanation(explanation: Explanation, sections: Sequence[Section], zone: ZoneInfo) -> None:
    """Print an explanation: the answer, what changed with the bars, then the numbers."""
    check, status = explanation.check, str(explanation.column.status)
    where = "" if check.window is None else f"{check.monitor}, {span_text(check.window, zone)}: "
    items: list[RenderableType] = []
    for section in sections:
        lines = list(section.lines)
        if section.title:
            blank = [] if items and isinstance(items[-1], Table) else [text("")]
            items += [*blank, text(section.title, "bold"), *(indented(line) for line in lines)]
        else:
            items += [text(where + lines[0], STYLES[status]), *(text(line) for line in lines[1:])]
        if section.title == "what changed" and explanation.bins:
            items.append(_bars(explanation.bins))  # with an empty line above and below
    show(*items)


def bar(share: float, longest: float, width: int, *, plain: bool = False) -> str:
    """
    A bar for a share, of at most `width` characters; a share above 0 never has none.

    Examples
    --------
    >>> bar(0.25, 0.5, 8), bar(0.5, 0.5, 4, plain=True), bar(0.0001, 0.5, 8, plain=True), bar(0.0, 0.5, 8)
    ('████', '####', '#', '')
    """
    eighths = round(8 * width * share / longest) if longest else 0
    if share > 0:
        eighths = max(eighths, 1)
    if plain:
        return "#" * -(-eighths // 8)
    return (EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def _bars(bins: Sequence[BinShare]) -> Table:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE
    labels = [_clipped(item.label) for item in bins]
    room = (width - BESIDE_BARS - max(map(len, labels))) // 2
    size, plain = min(max(room, FEWEST), MOST), not _can_print(EIGHTHS)
    longest = max(max(item.reference, item.live) for item in bins)
    made = table("bin", ">reference", "", ">now", "", ">of the KL", "beyond chance")
    for item, label in zip(bins, labels, strict=True):
        moved = "" if not item.beyond_chance else "more" if item.residual > 0 else "fewer"
        style = {"more": "bold yellow", "fewer": "bold blue", "": "dim"}[moved]
        made.add_row(
            text(label),
            percent(item.reference),
            text(bar(item.reference, longest, size, plain=plain), "dim"),
            percent(item.live),
            text(bar(item.live, longest, size, plain=plain), style),
            _part(item.part),
            text(moved, style),
        )
    return made


def _part(part: float) -> str:
    return "<1 %" if 0 < part < 0.005 else f"{100 * part:.0f} %"


def _clipped(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _can_print(letters: str) -> bool:
    try:
        letters.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

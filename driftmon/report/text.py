"""How texts and numbers stand on a page: one line each, nothing that a browser would obey, directions of writing kept apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from driftmon.words import NATS, clipped, moved, named, percent, printable, span_text

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from driftmon.core.verdict import Status

__all__ = ["FILTERS", "age", "label", "said"]

LONGEST = 80
"""Characters of a name that are shown: its start and its end, since names of columns often differ at the end."""

ENDING = 16

# The letters of scripts that are written from right to left, with what stands between them.
_LETTERS = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+"
_RIGHT_TO_LEFT = re.compile(rf"{_LETTERS}(?:[\s\-·]+{_LETTERS})*")

_PERCENT = re.compile(r"(?<=\d) %")

GLYPHS = {
    "critical": "◆",
    "warning": "▲",
    "error": "✕",
    "schema_changed": "✕",
    "no_data": "○",
    "insufficient_data": "○",
    "info": "•",
    "ok": "✓",
}
"""A shape for each status: nobody has to tell colours apart."""

WORDS = {
    "schema_changed": "schema changed",
    "no_data": "no data",
    "insufficient_data": "too few rows",
}


def label(text: str) -> str:
    """
    A name as pages show it, where there is no markup: on one line, and not longer than a line.

    Examples
    --------
    >>> label("dep_delay"), len(label("x" * 1_000_000))
    ('dep_delay', 80)
    """
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - ENDING - 1]}…{text[-ENDING:]}"
    return printable(text)


def name(text: str) -> Markup:
    """A name in its own direction: one that is written from right to left turns nothing around it."""
    return Markup("<bdi>{}</bdi>").format(label(text))


def said(text: str) -> Markup:
    """
    A sentence in which names may stand, each in its own direction; a number and its percent sign stay on one line.

    Examples
    --------
    >>> said("a < b")
    Markup('a &lt; b')
    """
    shown, parts, last = _PERCENT.sub("\u00a0%", printable(text)), [], 0
    for found in _RIGHT_TO_LEFT.finditer(shown):
        parts += [escape(shown[last : found.start()]), Markup("<bdi>{}</bdi>").format(found[0])]
        last = found.end()
    return Markup("").join([*parts, escape(shown[last:])])


def glyph(status: Status) -> str:
    """The shape of a status."""
    return GLYPHS[str(status)]


def word(status: Status) -> str:
    """A status as people say it."""
    return WORDS.get(str(status), str(status))


def tone(status: Status) -> str:
    """What a status is coloured as: critical, warning, none (no verdict), info or ok."""
    return str(status) if status.evaluated else "none"


def answer_tone(status: Status, *, calm: bool) -> str:
    """What an answer is coloured as: where something alerts though nothing drifted in this window, green is wrong."""
    return "warning" if status.evaluated and not status.breach and not calm else tone(status)


def nats(value: float | None) -> str:
    """A divergence; a dash where there is no number."""
    return "–" if value is None else NATS.text(value)


def least(value: float) -> str:
    """A lower bound: 0 where nothing is sure."""
    return NATS.at_least(value)


def short(value: float) -> str:
    """A threshold, with as few digits as it was written with."""
    return NATS.short(value)


def rows(count: int | None) -> str:
    """
    A number of rows.

    Examples
    --------
    >>> rows(80789), rows(1), rows(None)
    ('80,789 rows', '1 row', '–')
    """
    if count is None:
        return "–"
    return "1 row" if count == 1 else f"{count:,} rows"


def part(share: float) -> str:
    """A bin's part of a divergence."""
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def age(seconds: float) -> str:
    """
    How long ago, as people say it.

    Examples
    --------
    >>> age(30), age(600), age(7_200), age(300_000)
    ('30 s', '10 min', '2.0 h', '3.5 days')
    """
    for unit, length, least in (("days", 86_400, 2), ("h", 3_600, 1), ("min", 60, 1)):
        count = seconds / length
        if count >= least:
            return f"{count:,.0f} {unit}" if count >= 100 or unit == "min" else f"{count:.1f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def at(instant: datetime, zone: ZoneInfo) -> str:
    """An instant on the wall clock of a time zone."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


FILTERS = {
    "age": age,
    "at": at,
    "clip": clipped,
    "glyph": glyph,
    "label": label,
    "least": least,
    "moved": moved,
    "name": name,
    "named": named,
    "nats": nats,
    "part": part,
    "percent": percent,
    "rows": rows,
    "said": said,
    "short": short,
    "span": span_text,
    "tone": tone,
    "answer_tone": answer_tone,
    "word": word,
}
"""What templates may call."""

"""
Samples as Prometheus reads them: the text format, version 0.0.4, without timestamps.

All samples of a family must follow each other, so what belongs to one monitor is kept as one chunk a family, and chunks of the
same family are joined.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from driftmon.metrics import (
    COLUMN_FAMILIES,
    COLUMN_LABELS,
    EXPORTER_FAMILIES,
    FINDING_FAMILIES,
    MONITOR_FAMILIES,
    MONITOR_LABELS,
    SEGMENT_LABEL,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftmon.findings import Finding
    from driftmon.metrics import AnyFamily, ExporterState, Family
    from driftmon.store.records import ColumnSample, MonitorSnapshot

__all__ = ["SNAPSHOT_FAMILIES", "Chunk", "exposition", "label_value", "render_exporter", "render_monitor"]

LONGEST_LABEL = 512
"""Bytes. A scrape configuration may limit label values (`label_value_length_limit`), and one longer value fails the whole scrape."""

SNAPSHOT_FAMILIES: tuple[AnyFamily, ...] = (*MONITOR_FAMILIES, *FINDING_FAMILIES, *COLUMN_FAMILIES)
"""What comes from the results database, in the order of the exposition."""

# The control characters of C0 (but newline, which the format escapes), DEL, C1, and lone surrogates, which UTF-8 cannot write.
_HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

T = TypeVar("T")


@dataclass(frozen=True)
class Chunk:
    """The samples of one family and one monitor: lines that end in a newline, and how many."""

    text: bytes
    series: int


NOTHING = Chunk(b"", 0)


def label_value(text: str) -> str:
    r"""
    A label's value as it stands between the quotes.

    Backslash, quote and newline are escaped, as the format demands. Other control characters are written by their number, for
    they end lines and fields in some readers and move the cursor of terminals. A value of more than 512 bytes keeps its start
    and ends in a hash of the whole, so that long names stay apart.

    Examples
    --------
    >>> print(label_value('say "hi"\n'))
    say \"hi\"\n
    >>> print(label_value("a\x00b"))
    a<U+0000>b
    """
    text = _HARMFUL.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
    # A character has at most 4 bytes: most values need no encoding to be known as short.
    if len(text) * 4 > LONGEST_LABEL and len(text.encode()) > LONGEST_LABEL:
        text = _shortened(text)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _shortened(text: str) -> str:
    ending = f"…{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return text.encode()[: LONGEST_LABEL - len(ending.encode())].decode(errors="ignore") + ending


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    return ",".join(f'{name}="{label_value(value)}"' for name, value in zip(names, values, strict=True))


# A family's own labels take few values (severities, statuses), and each is wanted once a column.
@lru_cache(maxsize=1024)
def _own_labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return _labels(names, values)


def _chunk(family: Family[T], items: Iterable[tuple[str, T]], *, identifying: int) -> Chunk:
    """The samples of what is described, each with the labels that identify it and that are the first ones of the family."""
    own, lines = family.labels[identifying:], []
    for identity, item in items:
        for values, number in family.samples(item):
            # The store holds no NaN and no infinity. Should one come, it is left out: NaN satisfies no alert, infinity all.
            if number is None or not math.isfinite(number):
                continue
            labels = (
                f"{identity},{_own_labels(own, values)}" if own and identity else identity or _own_labels(own, values)
            )
            lines.append(
                f"{family.name}{{{labels}}} {float(number)!r}\n" if labels else f"{family.name} {float(number)!r}\n"
            )
    return Chunk("".join(lines).encode(), len(lines)) if lines else NOTHING


def render_monitor(monitor: MonitorSnapshot) -> tuple[Chunk, ...]:
    """All samples of one monitor: a chunk for each of `SNAPSHOT_FAMILIES`, in their order."""
    identity = _labels(MONITOR_LABELS, (monitor.facts.model, monitor.facts.name))
    columns = [(_column_labels(identity, column), column) for column in monitor.columns]
    findings = [(_column_labels(identity, item[1]), item) for item in enumerate(monitor.findings, 1)]
    return (
        *(_chunk(family, [(identity, monitor)], identifying=len(MONITOR_LABELS)) for family in MONITOR_FAMILIES),
        *(_chunk(family, findings, identifying=len(COLUMN_LABELS)) for family in FINDING_FAMILIES),
        *(_chunk(family, columns, identifying=len(COLUMN_LABELS)) for family in COLUMN_FAMILIES),
    )


def _column_labels(monitor_labels: str, column: ColumnSample | Finding) -> str:
    labels = f"{monitor_labels},{_labels(COLUMN_LABELS[len(MONITOR_LABELS) :], (column.column, column.role))}"
    return labels if column.segment is None else f"{labels},{_labels((SEGMENT_LABEL,), (column.segment,))}"


def exposition(families: Sequence[AnyFamily], chunks: Iterable[Sequence[Chunk]]) -> bytes:
    """
    Families with their samples.

    Parameters
    ----------
    families : sequence of Family
    chunks : iterable of sequence of Chunk
        For each family in turn, those of all monitors.

    Returns
    -------
    bytes
        Families without a sample are left out.
    """
    parts: list[bytes] = []
    for family, own in zip(families, chunks, strict=True):
        if any(chunk.series for chunk in own):
            parts.append(f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.type}\n".encode())
            parts.extend(chunk.text for chunk in own)
    return b"".join(parts)


def render_exporter(state: ExporterState) -> bytes:
    """What the exporter says of itself."""
    return exposition(
        EXPORTER_FAMILIES, [[_chunk(family, [("", state)], identifying=0)] for family in EXPORTER_FAMILIES]
    )

"""What ``driftmon init`` writes: a monitor file made from the data it is for, with its choices in comments."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import yaml

from driftmon.config.yamltext import parse
from driftmon.core.layout import Kind
from driftmon.core.verdict import Threshold
from driftmon.sources.base import Selection, no_progress
from driftmon.sources.files import FilesSource

if TYPE_CHECKING:
    from driftmon.core.baseline import Learnt
    from driftmon.core.window import Window
    from driftmon.sources.base import Progress

__all__ = ["monitor_file", "timestamps"]

REFERENCE_SHARE = 0.75
"""The part of the data that the file proposes as reference; the rest is there to be checked."""


def timestamps(path: str) -> list[str]:
    """
    The columns of some data that could be the time of a row.

    Raises
    ------
    SourceError
        If the data cannot be read.
    """
    return [info.name for info in FilesSource(path).inspect().columns if info.kind is Kind.DATETIME]


def monitor_file(
    name: str,
    path: str,
    *,
    written: str | None = None,
    timestamp: str | None = None,
    timezone: str = "UTC",
    progress: Progress = no_progress,
) -> str:
    """
    The text of a monitor file for some data, ready to use after a look.

    Parameters
    ----------
    name : str
    path : str
        Where the data are.
    written : str, optional
        What the file says of that: relative to where relative paths of monitor files start, for example. By default the path.
    timestamp : str, optional
        The column with the time of a row.
    timezone : str
    progress : callable

    Raises
    ------
    SourceError
        If the data cannot be read, or have no such timestamp column.
    """
    source = FilesSource(path, timestamp=timestamp, timezone=timezone, progress=progress)
    learnt = source.learn(Selection())
    span = None if timestamp is None else source.span()
    return "\n".join(
        [
            f"# Made by: driftmon init. What each key means: driftmon schema. Then: driftmon validate {name}",
            f"name: {_text(name)}",
            "description: ''",
            "owner: ''                  # who is told of drift",
            "schedule: '@daily'         # a cron expression, @hourly, @weekly, or a duration such as 6h",
            "# window: 7d               # check the last 7 days every day; by default the window is one step of the schedule",
            f"timezone: {_text(timezone)}              # of the schedule, and of timestamps without a zone",
            "data_delay: 0m             # how long after a window's end its rows may still arrive",
            "",
            *_places(path if written is None else written, timestamp, span, timezone),
            "",
            *_columns(learnt),
            "",
            "thresholds:                # nats of KL divergence beyond noise; see docs/concepts.md",
            f"  warning: {Threshold.warning}",
            f"  critical: {Threshold.critical}",
            "min_rows: 100              # windows with fewer rows get numbers but no verdict",
            "",
        ]
    )


def _places(path: str, timestamp: str | None, span: Window | None, timezone: str) -> list[str]:
    reference = ["reference:                 # the rows that drift is measured from", f"  path: {_text(path)}"]
    if timestamp is None:
        return [
            *reference,
            "",
            "live:                      # the rows that are checked, a window at a time; name the window in the path,",
            "  # or give a timestamp column",
            f"  path: {_text(path + '/{start:%Y-%m-%d}.parquet')}",
        ]
    reference.append(f"  timestamp: {_text(timestamp)}")
    cut = None if span is None else _cut(span, timezone)
    if cut is not None:
        reference.append(
            f"  end: {cut}          # the first {REFERENCE_SHARE:.0%} of the days; what comes after is live"
        )
    live = [
        "",
        "live:                      # the rows that are checked, a window at a time",
        f"  path: {_text(path)}",
        f"  timestamp: {_text(timestamp)}",
    ]
    if span is not None and cut is not None:
        after = (span.end + timedelta(days=1)).astimezone(ZoneInfo(timezone)).date()
        live.append(f"  start: {cut}        # the first window that is checked")
        live.append(f"  # end: {after}        # after the newest rows of this data; while it grows, leave it out")
    return [*reference, *live]


def _cut(span: Window, timezone: str) -> str | None:
    """The local date that ends the proposed reference; None if the data hold too few days to cut."""
    days = (span.end - span.start) / timedelta(days=1)
    if days < 4:
        return None
    return str((span.start + timedelta(days=round(days * REFERENCE_SHARE))).astimezone(ZoneInfo(timezone)).date())


def _columns(learnt: Learnt) -> list[str]:
    plain = {name: column for name, column in learnt.columns.items() if column.kind is not Kind.DATETIME}
    derived = sorted(
        {name.rpartition(".")[0] for name, column in learnt.columns.items() if column.kind is Kind.DATETIME}
    )
    lines = ["columns:", "  features:                # move a model's score to predictions:, the truth to targets:"]
    for name, column in plain.items():
        lines.append(f"    - {_text(name)}  # {column.kind} ({column.dtype}), {column.layout.size} bins")
    lines += [f"    - {_text(name)}  # through its hour and weekday" for name in derived]
    lines += ["  predictions: []", "  targets: []"]
    lines += [f"  # left out: {_text(item.column)}: {' '.join(item.reason.split())}" for item in learnt.excluded]
    return lines


def _text(value: str) -> str:
    """A text as monitor files read it back: plain if it then comes back as it is, else in quotes."""
    try:
        plain = value.isprintable() and parse(value) == value
    except ValueError:
        plain = False
    return value if plain else yaml.safe_dump(value, default_style='"', allow_unicode=True, width=sys.maxsize).strip()

"""Baselines and check results as real checks make them: from rows, learnt, counted and weighed by the core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.categories import count_categories
from driftmon.core.check import CheckResult, Policy, check
from driftmon.core.clues import MOST_NEW, SAMPLE, Clues, numeric_clues, top_rows
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.history import History
from driftmon.core.layout import Kind, NumericLayout, category_key
from driftmon.core.learning import Excluded, learn_categories, learn_numbers
from driftmon.core.tallying import CategoryTally
from driftmon.core.window import Window
from driftmon.store.records import MonitorFacts
from driftmon.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftmon.core.layout import Layout

__all__ = ["DAY", "NOW", "as_stored", "baseline_of", "day", "facts", "live_profile", "result_of", "rows"]

NOW = datetime(2013, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
DAY = timedelta(days=1)

Rows = dict[str, Sequence[float] | Sequence[str | None]]
"""Columns of one length: floats (NaN is missing) or strings (None is missing)."""


def day(number: int) -> Window:
    """The window of a day, counted from the first of May 2013."""
    start = datetime(2013, 5, 1, tzinfo=UTC) + (number - 1) * DAY
    return Window(start, start + DAY)


def facts(name: str = "flights", **changes: object) -> MonitorFacts:
    """What the file of a monitor says."""
    said = {
        "name": name,
        "model": "arrival-delay",
        "owner": "ml-platform",
        "description": "Daily drift",
        "schedule": "@daily",
        "timezone": "America/New_York",
        "max_window_age": 108_000.0,
    }
    return MonitorFacts(**{**said, **changes})


def rows(seed: int, number: int = 600, *, shift: float = 0.0, late: float = 0.2) -> Rows:
    """Rows of three columns: a delay that `shift` moves, a carrier, and whether the flight was late."""
    rng = np.random.default_rng(seed)
    delay = rng.normal(shift, 1.0, number)
    delay[rng.random(number) < 0.03] = np.nan
    carrier = rng.choice(["AA", "UA", "DL", "B6", None], number, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    return {
        "delay": delay.tolist(),
        "carrier": [None if name is None else str(name) for name in carrier],
        "late": ["yes" if chance < late else "no" for chance in rng.random(number)],
    }


def baseline_of(
    reference: Rows,
    *,
    kinds: Mapping[str, Kind] | None = None,
    segments: Mapping[str, Rows] | None = None,
    days: int = 0,
    blocks: int = 0,
) -> Baseline:
    """
    A baseline learnt from rows.

    Parameters
    ----------
    kinds : mapping of str to Kind, optional
        Where the values alone do not say it.
    segments : mapping of str to rows, optional
        Counted apart, under names such as ``carrier=AA``.
    days, blocks : int
        Days, or blocks without a time, of history, which the rows are dealt out to; no history without.
    """
    columns = {name: _learn(values, (kinds or {}).get(name)) for name, values in reference.items()}
    layouts = {name: column.layout for name, column in columns.items()}
    parts = {name: _profile(layouts, part) for name, part in (segments or {}).items()}
    whole = _profile(layouts, reference)
    history = _history(layouts, {None: reference, **(segments or {})}, days or blocks, timed=bool(days))
    learnt = Learnt(columns, (Excluded("tailnum", "an identifier: 'N1' and 3,999 others"),))
    span = Window(day(1).start - 90 * DAY, day(1).start) if days else None
    clues = _clues(layouts, reference)
    return Baseline(learnt, Profile(whole.rows, whole.histograms, segments=parts, clues=clues), span, history)


def _history(
    layouts: Mapping[str, Layout], parts: Mapping[str | None, Rows], number: int, *, timed: bool
) -> History | None:
    if not number:
        return None
    counts = {
        (name, segment): np.array([_count(layouts[name], values[first::number]).counts for first in range(number)])
        for segment, part in parts.items()
        for name, values in part.items()
    }
    tops = {
        name: top_rows(np.array(values, dtype=np.float64), np.arange(len(values)) % number, number)
        for name, values in parts[None].items()
        if isinstance(layouts[name], NumericLayout)
    }
    return History(counts, tuple(day(first - number + 1) for first in range(number)) if timed else (), tops)


def _clues(layouts: Mapping[str, Layout], part: Rows) -> dict[str, Clues]:
    return {name: _clue(layouts[name], values) for name, values in part.items()}


def _clue(layout: Layout, values: Sequence[float] | Sequence[str | None]) -> Clues:
    if isinstance(layout, NumericLayout):
        return numeric_clues(layout, np.array(values[:SAMPLE], dtype=np.float64))
    counted = Counter(category_key(value) for value in values if isinstance(value, str))
    new = {value: rows for value, rows in counted.items() if count_categories(layout, [value], [1]).novel}
    named = sorted(new.items(), key=lambda item: (-item[1], item[0]))[:MOST_NEW]
    return Clues(len(values), new=tuple(named))


def _learn(values: Sequence[float] | Sequence[str | None], kind: Kind | None) -> BaselineColumn:
    if kind is Kind.NUMERIC or (kind is None and all(isinstance(value, float) for value in values)):
        layout = learn_numbers(np.array(values, dtype=np.float64)) or NumericLayout((0.0,))
        return BaselineColumn(Kind.NUMERIC, "double", layout)
    tally = CategoryTally()
    counted = Counter(value for value in values if isinstance(value, str))
    tally.add(counted, counted.values())
    return BaselineColumn(Kind.CATEGORICAL, "string", learn_categories(tally), tally.singletons)


def live_profile(baseline: Baseline, live: Rows, *, problems: Mapping[str, str] | None = None) -> Profile:
    """Rows counted into the bins of a baseline, with its segments: those of ``carrier=AA`` are the rows that say so."""
    segments = {}
    for name in baseline.reference.segments:
        column, _, value = name.partition("=")
        mask = [found == value for found in live.get(column, [None] * _number(live))]
        part = {key: [v for v, keep in zip(values, mask, strict=True) if keep] for key, values in live.items()}
        segments[name] = _profile(baseline.layouts, part)
    whole = _profile(baseline.layouts, live)
    return Profile(whole.rows, whole.histograms, dict(problems or {}), segments, _clues(baseline.layouts, live))


def _profile(layouts: Mapping[str, Layout], part: Rows) -> Profile:
    histograms = {name: _count(layouts[name], values) for name, values in part.items()}
    return Profile(_number(part), histograms)


def _number(part: Rows) -> int:
    return len(next(iter(part.values()), ()))


def _count(layout: Layout, values: Sequence[float] | Sequence[str | None]) -> Histogram:
    if isinstance(layout, NumericLayout):
        return count_numbers(layout, np.array(values, dtype=np.float64))
    counted = Counter(value for value in values if isinstance(value, str))
    return count_categories(layout, counted, counted.values(), nulls=sum(value is None for value in values))


def result_of(
    baseline: Baseline,
    live: Rows,
    window: Window,
    *,
    monitor: str = "flights",
    policy: Policy | None = None,
    problems: Mapping[str, str] | None = None,
) -> CheckResult:
    """The result of checking rows against a baseline."""
    known = {name: values for name, values in live.items() if name not in (problems or {})}
    profile = live_profile(baseline, known, problems=problems)
    policy = policy or Policy(roles={"late": "prediction"}, min_rows=50)
    return check(baseline, profile, policy=policy, monitor=(monitor, "arrival-delay"), window=window)


def as_stored(baseline: Baseline, result: CheckResult) -> CheckResult:
    """A result as any database gives it back where it is the only one of its monitor."""
    with TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/results.db") as store:
        store.save_baseline(result.monitor, baseline, now=NOW)
        return store.save_check(result, facts(result.monitor), started_at=NOW, now=NOW)

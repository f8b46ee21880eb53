"""
Likely causes of a drift, in words: another unit, a value that stands for missing, one value filled in, a clock that was moved.

A hint is only ever given for a column that drifted or has a quality problem, and only where the numbers agree closely with it; it
names what to look at first, and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.clues import LEAST_SAMPLE
from driftmon.core.evidence import moved_by_chance, share_errors
from driftmon.core.layout import CategoricalLayout, NumericLayout
from driftmon.core.quality import QualityCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftmon.core.clues import Clues
    from driftmon.core.histogram import Histogram
    from driftmon.core.layout import Layout
    from driftmon.core.quality import Quality

__all__ = ["hint"]

FACTORS = {
    1e6: "multiplied by 1,000,000",
    3600.0: "multiplied by 3,600",
    1000.0: "multiplied by 1000",
    100.0: "multiplied by 100",
    60.0: "multiplied by 60",
    10.0: "multiplied by 10",
    -1.0: "of the opposite sign",
    1 / 10: "divided by 10",
    1 / 60: "divided by 60",
    1 / 100: "divided by 100",
    1 / 1000: "divided by 1000",
    1 / 3600: "divided by 3,600",
    1e-6: "divided by 1,000,000",
}
"""Units that are taken for each other: thousands, cents and percents, seconds and minutes and hours, tenths, debit and credit."""

CLOSE = 0.15
"""Deciles agree if none is farther off than this part of the reference's span from the first to the ninth."""

CLOSER = 1 / 3
"""A factor must explain all but this part: to change the sign of a column around zero that moved a little explains next to nothing."""

GROSS, ROUGHLY = 0.01, 0.5
"""What a factor leaves of a difference a hundred times as large may be larger: deciles of a few repeated values jump by whole steps."""

FREQUENT, STILL_THERE = 0.02, 0.5
"""Values with such a share of the reference keep at least this part of their rows when another value is added."""

SENTINEL_SHARE = 0.005
"""A value out of range that so many rows hold stands for something."""

CONSTANT_SHARE, CONSTANT_GAIN = 0.05, 0.03
"""From which share on one value counts as filled in, and by how much the share must have grown."""

ALL_ROWS, OF_OTHERS = 0.9, 0.1
"""A category that so many rows hold, and so many more than before, has replaced the others."""

HOURS = 24

CLOCK_GAIN, CLOCK_LEAST, CLOCK_MOST = 0.35, 0.03, 0.6
"""
A moved clock must explain all but the first part of the rows that moved beyond chance, of which there must be so many as the second;
and, so that chance is not what explains, all but the third of those that moved at all.
"""


def hint(
    layout: Layout,
    reference: Histogram,
    live: Histogram,
    clues: tuple[Clues | None, Clues | None],
    quality: Sequence[Quality],
) -> str | None:
    """
    The likeliest cause of a column's drift, or None.

    Parameters
    ----------
    layout : Layout
    reference, live : Histogram
        Counts of all rows, at least one on each side.
    clues : (Clues or None, Clues or None)
        Of the reference and of the live rows.
    quality : sequence of Quality
        The column's quality checks.
    """
    before, now = clues
    if isinstance(layout, CategoricalLayout):
        return _clock(_hours_of(layout, reference), _hours_of(layout, live)) or _one_category(layout, reference, live)
    if before is None or now is None or now.rows < LEAST_SAMPLE or before.rows < LEAST_SAMPLE:
        return None
    return (
        _unit(before, now)
        or _clock(_hours_sampled(before), _hours_sampled(now))
        or _sentinel(layout, live, before, now)
        or _part_in_another_unit(live, before, now)
        or _constant(quality, before, now)
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def _factor(before: Sequence[float], now: Sequence[float]) -> float | None:
    """The factor that takes the reference's deciles closest to the live ones, if close; 1 if nothing needs to be multiplied."""
    if not before or not now:
        return None
    expected, found = np.array(before), np.array(now)
    with np.errstate(over="ignore", invalid="ignore"):  # near the end of all numbers, nothing is close
        span = expected[-1] - expected[0]
        if not 0 < span < np.inf:
            return None
        # A changed sign turns the order of the deciles round.
        apart = {factor: np.abs(np.sort(found / factor) - expected).max() / span for factor in (1.0, *FACTORS)}
    off = {factor: np.inf if np.isnan(distance) else float(distance) for factor, distance in apart.items()}
    best = min(off, key=lambda factor: off[factor])
    if off[1.0] <= CLOSE:
        return 1.0
    close = off[best] <= min(CLOSE, CLOSER * off[1.0]) or off[best] <= min(ROUGHLY, GROSS * off[1.0])
    return best if close else None


def _unit(before: Clues, now: Clues) -> str | None:
    factor = _factor(before.deciles, now.deciles)
    return None if factor in {None, 1.0} else f"values look {FACTORS[factor]}"


def _part_in_another_unit(live: Histogram, before: Clues, now: Clues) -> str | None:
    factor = _factor(before.deciles, now.outside)
    if factor in {None, 1.0}:
        return None
    share = (live.counts[0] + live.counts[-2]) / live.rows
    return f"{_percent(share)} of the values look {FACTORS[factor]}"


def _sentinel(layout: NumericLayout, live: Histogram, before: Clues, now: Clues) -> str | None:
    known = {value for value, _ in before.peaks}
    beyond = [
        (value, rows)
        for value, rows in now.peaks
        if value not in known and not layout.edges[0] <= value <= layout.edges[-1]
    ]
    if not beyond:
        return None
    value, rows = beyond[0]
    if not _stands_for_something(value, layout) or not _others_stay(before, now, rows / now.rows):
        return None
    outside = (live.counts[0] + live.counts[-2]) / live.rows
    share = min(rows / now.rows * (1 - live.missing / live.rows), outside)  # of a sample: no more than there are
    if share < SENTINEL_SHARE or share < outside / 2:
        return None
    return f"{_percent(share)} of the rows hold {value:g}, beyond all reference values: does it stand for missing?"


def _stands_for_something(value: float, layout: NumericLayout) -> bool:
    """True for -1, numbers of nines, and whatever is farther out than the reference is wide: not for one more wet hour."""
    if value == -1 or set(f"{abs(value):g}") == {"9"}:
        return True
    first, last = layout.edges[0], layout.edges[-1]
    return value < first - (last - first) or value > last + (last - first)


def _others_stay(before: Clues, now: Clues, added: float) -> bool:
    """
    True unless the frequent values of the reference are gone, beyond the room that an added value took.

    Where all values moved together, the most frequent one is another number now, and nothing was filled in.
    """
    frequent = {value: rows for value, rows in before.peaks if rows >= FREQUENT * before.rows}
    expected = sum(frequent.values()) / before.rows * (1 - added)
    found = sum(rows for value, rows in now.peaks if value in frequent) / now.rows
    return found >= STILL_THERE * expected


def _constant(quality: Sequence[Quality], before: Clues, now: Clues) -> str | None:
    for item in quality:
        gain = item.live - item.reference
        if item.check is not QualityCheck.TOP_VALUE or not item.problem:
            continue
        filled_in = item.live >= CONSTANT_SHARE and gain >= CONSTANT_GAIN
        if filled_in and _others_stay(before, now, item.live):
            whose = "before, the most frequent value had" if item.whichever else "reference"
            return (
                f"{_percent(item.live)} of the values are {item.value} ({whose} {_percent(item.reference)}): "
                "was one value filled in?"
            )
    return None


def _one_category(layout: CategoricalLayout, reference: Histogram, live: Histogram) -> str | None:
    counts = live.counts[: len(layout.categories)]
    if not counts:
        return None
    place = max(range(len(counts)), key=lambda j: counts[j])
    share, before = counts[place] / live.rows, reference.counts[place] / reference.rows
    if share < ALL_ROWS or share - before < OF_OTHERS:
        return None
    return (
        f"{_percent(share)} of the rows hold {layout.bins[place].label} (reference {_percent(before)}): "
        "was one value filled in?"
    )


def _hours_of(layout: CategoricalLayout, histogram: Histogram) -> NDArray[np.float64] | None:
    """Rows of each hour of the day, if the categories are hours."""
    hours = [int(name) if name.isdecimal() and len(name) <= 2 else HOURS for name in layout.categories]
    if len(hours) < HOURS // 2 or max(hours) >= HOURS or len(set(hours)) < len(hours):
        return None
    counts = np.zeros(HOURS)
    counts[hours] = histogram.counts[: len(hours)]
    return counts


def _hours_sampled(clues: Clues) -> NDArray[np.float64] | None:
    values = np.array([value for value, _ in clues.peaks])
    rows = np.array([rows for _, rows in clues.peaks])
    whole = (values == np.floor(values)) & (values >= 0) & (values < HOURS)
    if len(values) < HOURS // 2 or not whole.all() or rows.sum() < clues.rows - HOURS:
        return None
    counts = np.zeros(HOURS)
    counts[values.astype(np.intp)] = rows
    return counts


def _clock(before: NDArray[np.float64] | None, now: NDArray[np.float64] | None) -> str | None:
    if before is None or now is None or not before.any() or not now.any():
        return None
    expected, found = before / before.sum(), now / now.sum()
    chance = moved_by_chance(share_errors(before, now))
    moved = [float(np.abs(np.roll(expected, shift) - found).sum() / 2) for shift in range(HOURS)]
    best = int(np.argmin(moved))
    beyond, left = moved[0] - chance, moved[best] - chance
    if best == 0 or beyond < CLOCK_LEAST or left > CLOCK_GAIN * beyond or moved[best] > CLOCK_MOST * moved[0]:
        return None
    hours = best if best <= HOURS // 2 else best - HOURS
    return f"hours look shifted by {hours:+d}: another time zone, or daylight saving?"

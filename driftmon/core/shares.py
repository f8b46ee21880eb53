"""The shares of a column that the quality checks look at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.clues import MOST_PEAKS
from driftmon.core.history import LEAST_WINDOWS
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.core.quality import QualityCheck, Share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftmon.core.histogram import Histogram
    from driftmon.core.pairs import Pair

__all__ = ["shares_of"]

OWN_BIN = 0.9
"""A bin is that of one value if the value holds at least this part of its reference rows."""


def shares_of(pair: Pair, learnt_rows: int) -> Iterator[Share]:
    """
    Each share of a column that can be told from its counts and clues.

    Parameters
    ----------
    pair : Pair
        With live rows and reference rows.
    learnt_rows : int
        Rows that the layout was learnt from: novel is what none of them had.
    """
    live, column = pair.live, pair.column
    if live is None:
        return
    yield _of_bins(QualityCheck.MISSING, pair, live, [-1])
    if isinstance(column.layout, NumericLayout):
        yield _of_bins(QualityCheck.OUT_OF_RANGE, pair, live, [0, -2])
    elif live.novel is not None and column.singletons is not None:
        # Good-Turing: the share of what was never seen is that of what was seen once.
        yield Share(QualityCheck.NOVEL, (column.singletons, learnt_rows), (live.novel, live.rows))
    if column.kind is Kind.DATETIME:
        return  # every hour and weekday has its turn
    top = (
        _top_category(pair, live, column.layout)
        if isinstance(column.layout, CategoricalLayout)
        else _top_number(pair, live, column.layout)
    )
    if top is not None:
        yield top


def _of_bins(check: QualityCheck, pair: Pair, live: Histogram, bins: list[int]) -> Share:
    """The rows of some bins among all rows."""
    history = np.empty((len(pair.history), 2), dtype=np.int64)
    history[:, 0] = sum(pair.history[:, place] for place in bins)
    history[:, 1] = pair.history_rows - history[:, 0]
    reference, now = (sum(side.counts[place] for place in bins) for side in (pair.reference, live))
    return Share(check, (reference, pair.reference.rows), (now, live.rows), history)


def _of_value(pair: Pair, live: Histogram, place: int, value: str, candidates: float) -> Share:
    """The rows of a value's own bin among those that have a value."""
    history = np.empty((len(pair.history), 2), dtype=np.int64)
    history[:, 0] = pair.history[:, place]
    history[:, 1] = pair.history_rows - pair.history[:, -1] - history[:, 0]
    reference, now = ((side.counts[place], max(side.rows - side.missing, 1)) for side in (pair.reference, live))
    return Share(QualityCheck.TOP_VALUE, reference, now, history, value, candidates)


def _top_category(pair: Pair, live: Histogram, layout: CategoricalLayout) -> Share | None:
    own = live.counts[: len(layout.categories)]
    place = int(np.argmax(own)) if own else 0
    if not own or own[place] == 0:
        return None
    candidates = min(live.rows / own[place], len(own))
    return _of_value(pair, live, place, layout.bins[place].label, candidates)


def _top_number(pair: Pair, live: Histogram, layout: NumericLayout) -> Share | None:
    before, now = pair.clues
    if before is None or now is None or not now.peaks or before.rows == 0:
        return None
    value, rows = now.peaks[0]
    known = dict(before.peaks).get(value, 0)
    label = f"{value:.12g}"
    # At most so many values can have such a share, and the largest was picked.
    candidates = math.ceil(now.rows / rows)
    place = int(np.searchsorted(layout.edges, value, side="left"))
    valued = pair.reference.rows - pair.reference.missing
    held = pair.reference.counts[place] / max(valued, 1)
    if known / before.rows >= OWN_BIN * held > 0:
        return _of_value(pair, live, place, label, candidates)
    if pair.tops is not None and np.count_nonzero(pair.tops.sum(axis=1)) >= LEAST_WINDOWS:
        # The most frequent value of a day may be another every day, and more frequent on that day than ever on the whole.
        most, others = pair.tops.sum(axis=0).tolist()
        share = (most, max(most + others, 1))
        return Share(QualityCheck.TOP_VALUE, share, (rows, now.rows), pair.tops, label, whichever=True)
    if known == 0 and len(before.peaks) == MOST_PEAKS:
        # Not listed is not absent: the list ends with the least frequent that it had room for. The bin sets a limit too.
        known = min(before.peaks[-1][1], math.ceil(held * before.rows))
    return Share(QualityCheck.TOP_VALUE, (known, before.rows), (rows, now.rows), None, label, candidates)

"""
Everything there is to know of one column in one window: each bin beside its past, what beyond chance, since when.

Values only; `driftmon.sentences` says them in words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.divergence import cross_entropy, smoothed
from driftmon.core.evidence import moved_by_chance, share_errors
from driftmon.core.histogram import as_matrix
from driftmon.core.window import isoformat
from driftmon.errors import UsageError
from driftmon.results import check_json, column_json
from driftmon.streaks import breached_since, sustained_since
from driftmon.words import clipped, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.verdict import Status
    from driftmon.streaks import Streak

__all__ = ["BinShare", "Entropies", "Explanation", "Middle", "explain", "find_column"]

BEYOND_CHANCE = 3.0
"""Standard errors from which on a bin's share, or the direction, is not put down to chance: 1 in 370 without a change."""

FALSE_ALARM = 0.01
"""How often `Explanation.rows_to_tell` rows are wrongly taken for something new."""


@dataclass(frozen=True)
class BinShare:
    """
    One bin before and now.

    Parameters
    ----------
    label : str
    reference_rows, live_rows : int
    reference, live : float
        Shares in [0, 1].
    part : float
        The bin's part of the divergence, in [0, 1]; those of a column sum to 1, or are all 0 if nothing moved at all.
    residual : float
        How many standard errors the live share is above the reference's.
    """

    label: str
    reference_rows: int
    live_rows: int
    reference: float
    live: float
    part: float
    residual: float

    @property
    def beyond_chance(self) -> bool:
        """True if chance alone does not make such a difference of this bin."""
        return abs(self.residual) > BEYOND_CHANCE


@dataclass(frozen=True)
class Entropies:
    """Nats a row needs: a live row in the reference's code, a live row in its own, a reference row in its own."""

    cross: float
    live: float
    reference: float


@dataclass(frozen=True)
class Middle:
    """
    Where the middle value of a numeric column is, as well as its bins tell.

    Parameters
    ----------
    value : float
    open_end : int
        0 if half of the values are about below `value`; 1 if the middle lies in the open end above it, -1 in the one below.
    """

    value: float
    open_end: int = 0


@dataclass(frozen=True)
class Explanation:
    """
    One column in one window.

    Parameters
    ----------
    check : CheckResult
        What the column is part of.
    column : ColumnResult
    bins : tuple of BinShare
        Those that hold a row on either side, in the order of the layout; none without rows on both sides.
    moved_by_chance : float
        The share of rows in another bin that two samples of one distribution would show on average, in [0, 1].
    direction : int
        1 if live values are higher beyond chance, -1 if lower, 0 if neither or not numeric.
    middles : (Middle, Middle) or None
        Of the reference and of the live values; None unless numeric with values on both sides.
    entropies : Entropies or None
    since : mapping of Status to Streak
        For each severity that the column reaches: since when.
    sustained_since : Streak or None
        Since when drift is sustained.
    """

    check: CheckResult
    column: ColumnResult
    bins: tuple[BinShare, ...]
    moved_by_chance: float
    direction: int
    middles: tuple[Middle, Middle] | None
    entropies: Entropies | None
    since: Mapping[Status, Streak]
    sustained_since: Streak | None

    @property
    def rows_to_tell(self) -> int | None:
        """
        Live rows after which an observer who knows both distributions is sure, wrongly in 1 % of cases; None if nothing moved.

        References
        ----------
        docs/statistics.md, "Status", on what a size means. Cover & Thomas (2006), theorem 11.8.3 (Chernoff-Stein).
        """
        kl = self.column.kl
        return math.ceil(-math.log(FALSE_ALARM) / kl) if kl else None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content: the column as `check --format json` has it, with what this adds; nats."""
        check = check_json(self.check)
        shares = iter(self.bins)
        column = column_json(self.column)
        for item in column["bins"] if self.column.remains is None else ():
            empty = not item["reference"] and not item["live"]
            share = None if empty or not self.bins else next(shares)
            item |= {
                "reference_share": 0.0 if share is None else share.reference,
                "live_share": 0.0 if share is None else share.live,
                "part": 0.0 if share is None else share.part,
                "residual": 0.0 if share is None else share.residual,
                "beyond_chance": share is not None and share.beyond_chance,
            }
        return {
            **{key: check[key] for key in ("monitor", "model", "window", "baseline")},
            **column,
            "moved_by_chance": self.moved_by_chance,
            "direction": {1: "higher", 0: None, -1: "lower"}[self.direction],
            "median": {
                side: None if self.middles is None or self.middles[place].open_end else self.middles[place].value
                for place, side in enumerate(("reference", "live"))
            },
            "rows_to_tell": self.rows_to_tell,
            "cross_entropy": None if self.entropies is None else self.entropies.cross,
            "entropy": {
                "reference": None if self.entropies is None else self.entropies.reference,
                "live": None if self.entropies is None else self.entropies.live,
            },
            "since": {str(severity): _streak_json(streak) for severity, streak in self.since.items()},
            "sustained_since": _streak_json(self.sustained_since),
        }


def _streak_json(streak: Streak | None) -> dict[str, Any] | None:
    return None if streak is None else {"start": isoformat(streak.first.start), "windows": streak.windows}


def find_column(check: CheckResult, name: str, segment: str | None = None) -> ColumnResult:
    """
    The result of a column in a check.

    Raises
    ------
    UsageError
        If the check has no such column or segment, with the nearest names, or the reason why the column is left out.
    """
    place = "the comparison" if check.monitor is None else check.monitor
    same = [column for column in check.columns if column.column == name]
    if not same:
        for item in check.excluded:
            if item.column == name:
                raise UsageError(f"{place}: column {name!r} is not monitored: {item.reason}")
        known = list(dict.fromkeys(column.column for column in check.columns))
        raise UsageError(f"{place}: no column {clipped(name)!r} is monitored; {nearest(name, known)}")
    for column in same:
        if column.segment == segment:
            return column
    segments = [column.segment for column in same if column.segment is not None]
    raise UsageError(
        f"{place}: column {clipped(name)!r} has no segment {clipped(segment or '')!r}; {nearest(segment or '', segments)}"
        + ("" if segments else ": name columns under segments in the monitor file, then build a baseline")
    )


def explain(check: CheckResult, column: ColumnResult, past: Iterable[CheckResult] = ()) -> Explanation:
    """
    Put together what is known of a column in a window.

    Parameters
    ----------
    check : CheckResult
    column : ColumnResult
        One of its columns.
    past : iterable of CheckResult
        Results of the same monitor, in any order; those of later windows, and of this one, are passed over.
    """
    known = list(past)
    shares = _Shares.of(column)
    return Explanation(
        check=check,
        column=column,
        bins=() if shares is None else shares.bins(column),
        moved_by_chance=0.0 if shares is None else moved_by_chance(shares.error),
        direction=_direction(column),
        middles=None if shares is None else shares.middles(column),
        entropies=None if shares is None else shares.entropies(),
        since=breached_since(check, column, known),
        sustained_since=sustained_since(check, column, known),
    )


@dataclass(frozen=True)
class _Shares:
    """Counts of a column side by side, at least one row on each side."""

    reference: NDArray[np.float64]
    live: NDArray[np.float64]

    @classmethod
    def of(cls, column: ColumnResult) -> _Shares | None:
        if column.live is None or column.scores is None:
            return None
        reference, live = as_matrix([column.reference, column.live])
        return cls(reference, live)

    @cached_property
    def error(self) -> NDArray[np.float64]:
        """Standard error of the difference of each bin's shares, if nothing had changed."""
        return share_errors(self.reference, self.live)

    def bins(self, column: ColumnResult) -> tuple[BinShare, ...]:
        if column.scores is None:
            return ()
        before, now = self.reference / self.reference.sum(), self.live / self.live.sum()
        residual = np.divide(now - before, self.error, out=np.zeros_like(now), where=self.error > 0)
        parts = np.array(column.scores.contributions)
        parts = parts / parts.sum() if parts.any() else parts
        return tuple(
            BinShare(
                label=column.bins[j].label,
                reference_rows=int(self.reference[j]),
                live_rows=int(self.live[j]),
                reference=float(before[j]),
                live=float(now[j]),
                part=float(parts[j]),
                residual=float(residual[j]),
            )
            for j in np.flatnonzero(self.reference + self.live)
        )

    def middles(self, column: ColumnResult) -> tuple[Middle, Middle] | None:
        """Of both sides, if the column is numeric and has values on both."""
        if not column.bins[0].numeric or not self.reference[:-1].any() or not self.live[:-1].any():
            return None
        edges = [item.upper for item in column.bins if item.numeric and item.upper is not None]
        return _middle(edges, self.reference[:-1]), _middle(edges, self.live[:-1])

    def entropies(self) -> Entropies:
        """Of the smoothed shares, so that KL is their difference to the last digit."""
        p, q = smoothed(self.live, self.reference, np.array(len(self.live)))
        return Entropies(float(cross_entropy(p, q)), float(cross_entropy(p, p)), float(cross_entropy(q, q)))


def _middle(edges: list[float], counts: NDArray[np.float64]) -> Middle:
    """By linear interpolation in the bin that half of the values reach; `counts` are those of the values, the open ends included."""
    reached, half = counts.cumsum(), counts.sum() / 2
    place = int(np.argmax(reached >= half))
    if place in {0, len(edges)}:
        return Middle(edges[0], -1) if place == 0 else Middle(edges[-1], 1)
    lower, upper = edges[place - 1], edges[place]
    part = float((half - (reached[place] - counts[place])) / counts[place])
    return Middle((1 - part) * lower + part * upper)  # as a weighted mean: the width of a bin can overflow


def _direction(column: ColumnResult) -> int:
    """By the standard error of the Mann-Whitney statistic; ties only make it smaller."""
    if column.live is None or column.scores is None or column.scores.higher is None:
        return 0
    n, m = column.live.rows - column.live.missing, column.reference.rows - column.reference.missing
    away = (column.scores.higher - 0.5) / math.sqrt((n + m + 1) / (12 * n * m))
    return 0 if abs(away) <= BEYOND_CHANCE else 1 if away > 0 else -1

"""Whether the bounds hold what they promise: the true divergence is known, as rows are drawn by known laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from benchmarks.study.columns import Categories, Rows, baseline_of, profile_of
from driftmon.core.check import Policy, check
from driftmon.core.divergence import kl_divergence
from driftmon.core.layout import CategoricalLayout, NumericLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.layout import Layout

__all__ = ["Bounds", "Categorical", "Law", "Normal", "bounds"]


@dataclass(frozen=True)
class Normal:
    """A normal column."""

    centre: float = 0.0
    spread: float = 1.0

    def draw(self, rows: int, rng: np.random.Generator) -> Rows:
        """Rows of it."""
        return rng.normal(self.centre, self.spread, rows)

    def shares(self, layout: Layout) -> NDArray[np.float64]:
        """The true shares of its bins."""
        if not isinstance(layout, NumericLayout):
            raise TypeError("a normal column has a numeric layout")
        below = ndtr((np.array(layout.edges) - self.centre) / self.spread)
        return np.append(np.diff(below, prepend=0.0, append=1.0), 0.0)


@dataclass(frozen=True)
class Categorical:
    """A column of categories by their true shares."""

    of: tuple[float, ...]

    def draw(self, rows: int, rng: np.random.Generator) -> Rows:
        """Rows of it."""
        return Categories(rng.choice(len(self.of), rows, p=self.of), tuple(map(str, range(len(self.of)))))

    def shares(self, layout: Layout) -> NDArray[np.float64]:
        """The true shares of its bins: the rare ones are one bin."""
        if not isinstance(layout, CategoricalLayout):
            raise TypeError("a column of categories has a categorical layout")
        own = [self.of[int(name)] for name in layout.categories]
        return np.array([*own, max(1 - sum(own), 0.0), 0.0])


Law = Normal | Categorical


@dataclass(frozen=True)
class Bounds:
    """
    What came of many windows.

    Parameters
    ----------
    truth : float
        The mean of the true divergences; it depends on the layout, hence on the reference.
    lower, upper : float
        Share of the windows in which the bound was right.
    ratio : float
        Mean KL over mean noise floor; 1 is expected where nothing changed.
    excess : float
        Mean KL beyond the floor.
    raised : float
        Share of the windows with a lower bound above 0.
    """

    truth: float
    lower: float
    upper: float
    ratio: float
    excess: float
    raised: float


def bounds(reference: Law, live: Law, sizes: tuple[int, int], times: int, rng: np.random.Generator) -> Bounds:
    """
    Draw reference and live rows many times.

    Parameters
    ----------
    reference, live : Law
    sizes : (int, int)
        Rows of the reference and of the window.
    times : int
    rng : Generator
    """
    drawn = (([reference.draw(sizes[0], rng)]) for _ in range(times))
    baseline = baseline_of(((f"x{i}", rows) for i, rows in enumerate(drawn)), clues=False)
    window = profile_of(baseline, {name: live.draw(sizes[1], rng) for name in baseline.columns})
    columns = check(baseline, window, policy=Policy()).columns
    scores = [column.scores for column in columns if column.scores is not None]
    layouts = [column.layout for column in baseline.columns.values()]
    truth = np.array([kl_divergence(live.shares(each), reference.shares(each)) for each in layouts])
    lower, upper, excess, kl, floor = (
        np.array([getattr(score, name) for score in scores])
        for name in ("lower_bound", "upper_bound", "excess", "kl", "noise_floor")
    )
    return Bounds(
        truth=float(truth.mean()),
        lower=float((lower <= truth).mean()),
        upper=float((upper >= truth).mean()),
        ratio=float(kl.mean() / floor.mean()),
        excess=float(excess.mean()),
        raised=float((lower > 0).mean()),
    )

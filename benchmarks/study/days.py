"""Days that differ although nothing is wrong: where a normal column lies on each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["PROCESSES", "DayProcess", "Days"]

SPREAD_PART = 0.7
"""The logarithm of a day's standard deviation varies by this part of what its mean varies by."""

MEMORY = 0.7
"""Correlation of a day with the one before, of the autoregressive process."""


@dataclass(frozen=True)
class Days:
    """
    The normal distribution of each column on each day.

    Parameters
    ----------
    centre, spread : ndarray of float, shape (columns, days)
        Mean and standard deviation.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    def split(self, first: int) -> tuple[Days, Days]:
        """The first days, and the others."""
        before, after = np.s_[:, :first], np.s_[:, first:]
        return Days(self.centre[before], self.spread[before]), Days(self.centre[after], self.spread[after])

    def moved(self, by: NDArray[np.float64] | float) -> Days:
        """The same days with means moved by so many standard deviations of a quiet day."""
        return Days(self.centre + by, self.spread)


@dataclass(frozen=True)
class DayProcess:
    """
    How days vary.

    Parameters
    ----------
    kind : str
        One of `PROCESSES`: the law of what a column does by itself.
    tau : float
        Size of the variation of a day's mean, in standard deviations of the rows.
    common : float
        Part of the variance that all columns share on a day, in [0, 1].
    together : str
        One of `PROCESSES`: the law of what they share.
    """

    kind: str = "gauss"
    tau: float = 0.0
    common: float = 0.0
    together: str = "gauss"

    def draw(self, columns: int, days: int, rng: np.random.Generator) -> Days:
        """Columns that vary by the same law, each by itself but for the common part."""
        effects = [self._effects(columns, days, rng) for _ in range(2)]
        return Days(self.tau * effects[0], np.exp(SPREAD_PART * self.tau * effects[1]))

    def _effects(self, columns: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
        together, own = PROCESSES[self.together](1, days, rng), PROCESSES[self.kind](columns, days, rng)
        effects: NDArray[np.float64] = np.sqrt(self.common) * together + np.sqrt(1 - self.common) * own
        return effects

    def __str__(self) -> str:
        if self.tau == 0:
            return "days alike"
        common = f", {self.common:g} of the variance common to all columns ({self.together})" if self.common else ""
        return f"{self.kind} τ={self.tau:g}{common}"


def _gauss(columns: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(size=(columns, days))


def _heavy(columns: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.standard_t(4, size=(columns, days))


def _autoregressive(columns: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    effects = rng.normal(size=(columns, days))
    for day in range(1, days):
        effects[:, day] = MEMORY * effects[:, day - 1] + np.sqrt(1 - MEMORY**2) * effects[:, day]
    return effects


def _weekly(columns: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Half of the variance is that of the weekday."""
    weekdays, own = rng.normal(size=(columns, 7)), rng.normal(size=(columns, days))
    effects: NDArray[np.float64] = (weekdays[:, np.arange(days) % 7] + own) / np.sqrt(2)
    return effects


def _sundays(columns: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One day of the week is ten times as far out as the others wobble."""
    effects: NDArray[np.float64] = rng.normal(size=(columns, days)) + 10.0 * (np.arange(days) % 7 == 6)
    return effects


PROCESSES: dict[str, Callable[[int, int, np.random.Generator], NDArray[np.float64]]] = {
    "gauss": _gauss,
    "t4": _heavy,
    "AR(.7)": _autoregressive,
    "weekly": _weekly,
    "sundays": _sundays,
}
"""By name, the law of the day effects in units of τ, shape (columns, days)."""

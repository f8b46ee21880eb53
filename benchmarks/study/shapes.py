"""Columns of many shapes, quiet and with something wrong: what a check says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.columns import Categories, Rows, baseline_of, profile_of
from driftmon.core.check import Policy, check
from driftmon.core.history import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from driftmon.core.check import ColumnResult

__all__ = ["FAULTS", "SHAPES", "Fault", "Sizes", "results"]


def _zipf(categories: int, power: float) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = np.arange(1.0, categories + 1) ** -power
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _named(
    shares: NDArray[np.float64], names: tuple[str, ...] | None = None
) -> Callable[[int, np.random.Generator], Rows]:
    """Categories that occur with these shares."""
    known = names or tuple(f"c{place}" for place in range(len(shares)))
    return lambda rows, rng: Categories(rng.choice(len(shares), rows, p=shares), known)


_RUSH = np.array([1, 1, 1, 1, 2, 5, 9, 14, 16, 12, 9, 8, 9, 9, 10, 12, 15, 17, 14, 10, 7, 5, 3, 2], dtype=np.float64)

_HOURS = _named(_RUSH / _RUSH.sum(), tuple(map(str, range(24))))

SHAPES: dict[str, Callable[[int, np.random.Generator], Rows]] = {
    "normal": lambda rows, rng: rng.normal(size=rows),
    "lognormal": lambda rows, rng: rng.lognormal(size=rows),
    "t3": lambda rows, rng: rng.standard_t(3, rows),
    "70 % zeros": lambda rows, rng: np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows)),
    "rounded": lambda rows, rng: rng.gamma(2, 20, rows).round(),
    "integers": lambda rows, rng: rng.poisson(3, rows).astype(np.float64),
    "many integers": lambda rows, rng: rng.integers(0, 500, rows).astype(np.float64),
    "2 % missing": lambda rows, rng: np.where(rng.random(rows) < 0.02, np.nan, rng.normal(size=rows)),
    "Zipf 30": _named(_zipf(30, 1.1)),
    "Zipf 5,000": _named(_zipf(5_000, 1.1)),
    "booleans": _named(np.array([0.7, 0.3]), ("false", "true")),
    "hours": _HOURS,
}
"""Rows of quiet columns."""


@dataclass(frozen=True)
class Fault:
    """
    Something that goes wrong with live rows.

    Parameters
    ----------
    shape : str
        The column, one of `SHAPES`.
    change : callable
        From live rows, and random numbers, to what arrives instead.
    """

    shape: str
    change: Callable[[Rows, np.random.Generator], Rows]


def _numbers(shape: str, change: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]) -> Fault:
    """A fault of numbers, which gets a random number in [0, 1) for each row."""

    def changed(rows: Rows, rng: np.random.Generator) -> Rows:
        if isinstance(rows, Categories):
            raise TypeError(f"{shape} has no numbers")
        return change(rows, rng.random(len(rows)))

    return Fault(shape, changed)


def _categories(shape: str, change: Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.int64]]) -> Fault:
    """The same of categories; the name after the last one is a new one."""

    def changed(rows: Rows, rng: np.random.Generator) -> Rows:
        if not isinstance(rows, Categories):
            raise TypeError(f"{shape} has no categories")
        return Categories(change(rows.codes, rng.random(len(rows))), (*rows.names, "never seen"))

    return Fault(shape, changed)


FAULTS: dict[str, Fault] = {
    "mean +0.1 sd": _numbers("normal", lambda x, _: x + 0.1),
    "mean +0.2 sd": _numbers("normal", lambda x, _: x + 0.2),
    "mean +0.3 sd": _numbers("normal", lambda x, _: x + 0.3),
    "mean +0.5 sd": _numbers("normal", lambda x, _: x + 0.5),
    "spread x1.2": _numbers("normal", lambda x, _: 1.2 * x),
    "spread x1.5": _numbers("normal", lambda x, _: 1.5 * x),
    "1 % at 5 sd": _numbers("normal", lambda x, u: np.where(u < 0.01, 5 + 0.1 * x, x)),
    "10 % at 2 sd": _numbers("normal", lambda x, u: np.where(u < 0.1, 2 + 0.1 * x, x)),
    "sentinel -999: 0.5 %": _numbers("normal", lambda x, u: np.where(u < 0.005, -999.0, x)),
    "sentinel -999: 2 %": _numbers("normal", lambda x, u: np.where(u < 0.02, -999.0, x)),
    "all x1000": _numbers("normal", lambda x, _: 1000 * x),
    "all x100": _numbers("lognormal", lambda x, _: 100 * x),
    "5 % x100": _numbers("lognormal", lambda x, u: np.where(u < 0.05, 100 * x, x)),
    "cut at 1.5 sd on both sides": _numbers("normal", lambda x, _: np.clip(x, -1.5, 1.5)),
    "5 % set to 0": _numbers("normal", lambda x, u: np.where(u < 0.05, 0.0, x)),
    "10 % set to 0": _numbers("normal", lambda x, u: np.where(u < 0.1, 0.0, x)),
    "all one value": _numbers("normal", lambda x, _: np.full(len(x), 0.5)),
    "missing 2 -> 4 %": _numbers("2 % missing", lambda x, u: np.where(u < 0.0204, np.nan, x)),
    "missing 2 -> 12 %": _numbers("2 % missing", lambda x, u: np.where(u < 0.102, np.nan, x)),
    "new category 0.5 %": _categories("Zipf 30", lambda x, u: np.where(u < 0.005, 30, x)),
    "new category 2 %": _categories("Zipf 30", lambda x, u: np.where(u < 0.02, 30, x)),
    "new category 2 % of 5,000": _categories("Zipf 5,000", lambda x, u: np.where(u < 0.02, 5_000, x)),
    "top category -10 points": _categories(
        "Zipf 30", lambda x, u: np.where((x == 0) & (u < 0.38), 1 + (2900 * u).astype(np.int64) % 29, x)
    ),
    "a category of 1.4 % gone": _categories("Zipf 30", lambda x, _: np.where(x == 14, 0, x)),
    "clock one hour off": _categories("hours", lambda x, _: (x + 1) % 24),
}
"""What goes wrong, and with which column."""


@dataclass(frozen=True)
class Sizes:
    """Rows of the reference and of a window."""

    reference: int = 20_000
    live: int = 5_000


def results(shape: str, fault: Fault | None, sizes: Sizes, runs: int, rng: np.random.Generator) -> list[ColumnResult]:
    """The verdict on a column of some shape in many runs, each with a reference of its own, in blocks as without timestamp."""
    draw, found = SHAPES[shape], []
    for _ in range(runs):
        blocks = [draw(sizes.reference // BLOCKS, rng) for _ in range(BLOCKS)]
        baseline = baseline_of([("x", blocks)], windows=())
        rows = draw(sizes.live, rng)
        live = rows if fault is None else fault.change(rows, rng)
        found.append(check(baseline, profile_of(baseline, {"x": live}), policy=Policy())["x"])
    return found

"""
Many monitors on one table against one: ``python -m benchmarks.shared``, with ``--full`` for more rows.

One Parquet file; ten monitors of the same columns that are cut in the same bins (one reference), in bins of their own (ten
references), or of ten columns each. Each monitor alone, one after the other, beside all in one pass. Counting only: what a check
stores costs the same either way. Least of the rounds; only the ratios count, in parentheses those of processor time.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.study.tables import print_table
from benchmarks.timing import least, timed
from driftmon.errors import DriftmonError
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.shared import Wanted, count_together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.timing import Seconds
    from driftmon.core.baseline import BaselineColumn

SEED = 20260125
MONITORS = 10
NUMBERS, CATEGORIES = 15, 5


def main(*, full: bool) -> None:
    """Measure and print."""
    rows, rounds = (5_000_000, 5) if full else (1_000_000, 3)
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        pq.write_table(_table(rows, rng), path, row_group_size=250_000)
        source = FilesSource(path)
        references = [_learnt(path, rng) for _ in range(MONITORS)]
        part = max(len(references[0]) // MONITORS, 1) * 2
        names = list(references[0])
        cases: dict[str, list[Mapping[str, BaselineColumn]]] = {
            "all columns, one reference": [references[0]] * MONITORS,
            "all columns, ten references": references,
            f"{part} columns each, one reference": [
                {name: references[0][name] for name in (names * 2)[n * part : (n + 1) * part]} for n in range(MONITORS)
            ],
        }
        print_table(
            f"{MONITORS} monitors on one file of {rows:,} rows x {NUMBERS + CATEGORIES} columns",
            ("monitors", "one", "ten, one by one", "ten in one pass", "in one pass / one", "one by one / one pass"),
            [(name, *_measured(source, monitors, rounds)) for name, monitors in cases.items()],
        )


def _table(rows: int, rng: np.random.Generator) -> pa.Table:
    numbers = {f"x{n}": rng.normal(size=rows) for n in range(NUMBERS)}
    names = np.array([f"category {n}" for n in range(12)])
    words = {
        f"c{n}": pa.DictionaryArray.from_arrays(rng.integers(0, 12, rows).astype(np.int32), names)
        for n in range(CATEGORIES)
    }
    return pa.table({**numbers, **words})


def _learnt(path: Path, rng: np.random.Generator) -> Mapping[str, BaselineColumn]:
    """The columns of a reference of its own: some of the rows."""
    rows = _table(20_000, rng)
    reference = path.with_name("reference.parquet")
    pq.write_table(rows, reference)
    return FilesSource(reference).learn(Selection()).columns


def _measured(source: FilesSource, monitors: list[Mapping[str, BaselineColumn]], rounds: int) -> tuple[str, ...]:
    wanted = [Wanted(columns) for columns in monitors]
    one = _least(lambda: source.count(monitors[0]), rounds)
    alone = _least(lambda: [source.count(columns) for columns in monitors], rounds)
    together = _least(lambda: _counted(source, wanted), rounds)
    seconds = (f"{clock:.2f} s" for clock, _ in (one, alone, together))
    ratios = ((together, one), (alone, together))
    return (*seconds, *(f"{above[0] / below[0]:.1f} ({above[1] / below[1]:.1f})" for above, below in ratios))


def _counted(source: FilesSource, wanted: list[Wanted]) -> None:
    for found in count_together(source, wanted, None):
        if isinstance(found, DriftmonError):
            raise found


def _least(work: Callable[[], object], rounds: int) -> Seconds:
    return least([timed(work) for _ in range(rounds)])


if __name__ == "__main__":
    main(full="--full" in sys.argv)

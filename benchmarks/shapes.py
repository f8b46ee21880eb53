"""Parquet files of many shapes, made up, for the benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["END", "SHAPES", "START", "Shape", "mixed", "write"]

Array: TypeAlias = Any
Make: TypeAlias = Callable[[np.random.Generator, int], Array]

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=100)


@dataclass(frozen=True)
class Shape:
    """
    What a file looks like, and how it is counted.

    Parameters
    ----------
    name : str
    columns : mapping of str to Make
        What makes the values of each column.
    group, files : int
        Rows of a row group, and how many files the rows are spread over.
    share : float
        Rows, as a share of those of the other shapes.
    segments : mapping of str to sequence of str
        As of `Source.count`.
    timestamp : str or None
        The column that the earlier half of the time between `START` and `END` is picked by.
    """

    name: str
    columns: Mapping[str, Make]
    group: int = 250_000
    files: int = 1
    share: float = 1.0
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    timestamp: str | None = None


def write(path: Path, shape: Shape, rows: int) -> None:
    """Write the files of a shape into a folder."""
    rng, part = np.random.default_rng(0), max(1, int(rows * shape.share) // shape.files)
    path.mkdir()
    for number in range(shape.files):
        table = pa.table({name: make(rng, part) for name, make in shape.columns.items()})
        pq.write_table(table, path / f"{number:04}.parquet", row_group_size=shape.group)


def _floats(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(rng.normal(size=rows))


def _floats_with_nulls(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1)


def _floats_with_nan(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)))


def _prices(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(np.round(rng.gamma(2.0, 20.0, rows), 1))


def _float32(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(rng.normal(size=rows).astype(np.float32))


def _integers(dtype: str, most: int, *, nulls: bool = False) -> Make:
    def make(rng: np.random.Generator, rows: int) -> Array:
        values = rng.integers(0, most, rows).astype(dtype)
        return pa.array(values, mask=rng.random(rows) < 0.1 if nulls else None)

    return make


def _decimals(rng: np.random.Generator, rows: int) -> Array:
    units = pa.array(rng.integers(0, 10**7, rows))
    return pa.Array.from_buffers(
        pa.decimal128(18, 2),
        rows,
        [None, pa.py_buffer(np.stack([np.asarray(units), np.zeros(rows, np.int64)], 1).tobytes())],
    )


def _booleans(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(rng.random(rows) < 0.3)


def _strings(distinct: int, *, coded: bool = False) -> Make:
    def make(rng: np.random.Generator, rows: int) -> Array:
        names = pa.array([f"category-{number}" for number in range(distinct)])
        codes = pa.array((rng.zipf(1.3, rows) % distinct).astype(np.int32))
        return pa.DictionaryArray.from_arrays(codes, names) if coded else names.take(codes)

    return make


def _many_strings(rng: np.random.Generator, rows: int) -> Array:
    return pa.array(rng.integers(0, 200_000, rows)).cast(pa.string())


def _times(zone: str | None, *, ordered: bool = False) -> Make:
    def make(rng: np.random.Generator, rows: int) -> Array:
        first, last = (int(end.timestamp() * 1e6) for end in (START, END))
        times = rng.integers(first, last, rows)
        return pa.array(np.sort(times) if ordered else times).cast(pa.timestamp("us", zone))

    return make


def _four(make: Make) -> dict[str, Make]:
    return {f"c{number}": make for number in range(4)}


def mixed(columns: int) -> dict[str, Make]:
    """So many columns of every usual type."""
    makes = [_floats, _prices, _floats_with_nulls, _float32, _integers("int64", 100), _integers("int32", 10**6)]
    makes += [_strings(30), _strings(2_000), _booleans, _floats]
    return {f"c{number}": makes[number % len(makes)] for number in range(columns)}


_TYPES: dict[str, Make] = {
    "float64": _floats,
    "float64, 10 % null": _floats_with_nulls,
    "float64, 10 % NaN": _floats_with_nan,
    "float64, few digits": _prices,
    "float32": _float32,
    "int8": _integers("int8", 100),
    "int16": _integers("int16", 10_000),
    "int32": _integers("int32", 10**6),
    "int64": _integers("int64", 10**12),
    "int64, 10 % null": _integers("int64", 10**12, nulls=True),
    "int64, 100 values": _integers("int64", 100),
    "uint32": _integers("uint32", 10**6),
    "decimal128(18, 2)": _decimals,
    "bool": _booleans,
    "string, 30 categories": _strings(30),
    "string, 5,000 categories": _strings(5_000),
    "string, 200,000 categories": _many_strings,
    "dictionary, 30 categories": _strings(30, coded=True),
    "timestamp, hour and weekday": _times(None),
    "timestamp of New York": _times("UTC"),
}

_TIMED = {**mixed(19), "at": _times("UTC", ordered=True)}
_SHUFFLED = {**mixed(19), "at": _times("UTC")}

SHAPES = (
    *(Shape(name, _four(make)) for name, make in _TYPES.items()),
    Shape("20 columns", mixed(20), share=0.5),
    Shape("20 columns, groups of 10,000", mixed(20), group=10_000, share=0.5),
    Shape("20 columns, one group", mixed(20), group=2**30, share=0.5),
    Shape("20 columns, 50 files", mixed(20), files=50, share=0.5),
    Shape("200 columns", mixed(200), share=0.05),
    Shape("20 columns, segments of one", mixed(20), share=0.5, segments={"c6": [f"category-{n}" for n in range(1, 6)]}),
    Shape("20 columns, half of the time", _TIMED, share=0.5, timestamp="at"),
    Shape("20 columns, half, shuffled", _SHUFFLED, share=0.5, timestamp="at"),
)

"""Learning in passes: the same baseline whatever the memory, the batches and the partitions; frequent and distinct values for certain."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftmon.core.layout import CategoricalLayout, Kind, category_key
from driftmon.core.sampled import SAMPLED
from driftmon.errors import SourceError
from driftmon.sources.arrow.batches import Field
from driftmon.sources.arrow.choosing import choose
from driftmon.sources.arrow.learning import Learning
from driftmon.sources.arrow.passes import Plan, gather, total
from driftmon.sources.arrow.reading import Reader
from driftmon.sources.arrow.recount import Recount
from driftmon.sources.arrow.tables import TableRows
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from driftmon.core.baseline import Learnt
    from driftmon.sources.arrow.batches import Batch
    from driftmon.sources.arrow.timefilter import TimeFilter

NASTY = [float("nan"), float("inf"), float("-inf"), -0.0, 0.0, 5e-324, -5e-324, 1e300, -1e300, 2.0**53]


def by_budget(table: pa.Table, budget: int, batch_rows: int) -> Learnt:
    return Learning(Reader(TableRows(table, batch_rows), None, "UTC", None), Selection(), budget=budget).learn()


def by_partitions(table: pa.Table, partitions: int, *, fitted: bool, order: int = 1) -> Learnt:
    """As a cluster learns: every partial crosses a border between processes."""
    fields = [Field(field.name, field.type) for field in table.schema]
    choice = choose(fields, Selection(), timestamp=None, place="the data")
    plan = Plan.of(choice.columns, forced=choice.forced)
    size = -(-table.num_rows // partitions)
    parts = [
        TableRows(table.slice(start, size), max(64, size // 4)) for start in range(0, max(table.num_rows, 1), size)
    ][::order]
    while not plan.done:
        if plan.fresh:
            plan = plan.fitted(gather(plan.spec, parts[0].batches(plan.spec.names, None)) if fitted else None)
        spec = pickle.loads(pickle.dumps(plan.spec))
        partials = [gather(spec, part.batches(spec.names, None)) for part in parts]
        plan = plan.advance(total(pickle.loads(pickle.dumps(partial)) for partial in partials))
    return choice.learnt(plan)


def table_of(seed: int, rows: int) -> pa.Table:
    """Columns of every kind, hard ones among them."""
    rng = np.random.default_rng(seed)
    numbers = {
        "normal": rng.normal(size=rows),
        "nasty": rng.choice(NASTY, rows),
        "atoms": np.where(rng.random(rows) < 0.8, rng.integers(0, 9, rows) / 10, rng.normal(size=rows)),
        "far": 1e9 + rng.normal(size=rows) / 1e3,
        "few": rng.integers(0, rng.integers(1, 40), rows) * 0.1,
    }
    return pa.table(
        {
            **{name: pa.array(values, from_pandas=False) for name, values in numbers.items()},
            "nulls": pa.array(numbers["normal"], mask=rng.random(rows) < 0.5),
            "whole": pa.array(rng.integers(-50, 50, rows).astype(np.int16)),
            "user_id": pa.array(rng.integers(0, 3 * rows, rows)),
            "counter": pa.array(rng.permutation(rows) + 10**6),
            "huge": pa.array(rng.integers(2**52, 2**53 + 2 * rng.integers(0, 2), rows)),
            "truth": pa.array(rng.random(rows) < 0.3),
            "word": pa.array([f"w{n}" for n in rng.zipf(1.5, rows) % 90]),
            "at": pa.array(rng.integers(0, 10**9, rows), pa.timestamp("s")),
        }
    )


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.integers(1, 700), st.sampled_from([0, 1_000, 20_000]), st.sampled_from([9, 64, 500]))
def test_what_is_learnt_depends_on_neither_memory_nor_batches(
    seed: int, rows: int, budget: int, batch_rows: int
) -> None:
    table = table_of(seed, rows)

    assert by_budget(table, budget, batch_rows) == MemorySource(table).learn(Selection())


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.integers(1, 700), st.integers(1, 5), st.booleans(), st.sampled_from([1, -1]))
def test_what_is_learnt_does_not_depend_on_partitions(
    seed: int, rows: int, partitions: int, fitted: bool, order: int
) -> None:
    table = table_of(seed, rows)

    assert by_partitions(table, partitions, fitted=fitted, order=order) == MemorySource(table).learn(Selection())


@pytest.mark.parametrize("budget", [10**9, 10**5])
def test_identifiers_of_very_many_rows_are_told_by_a_sample_and_the_error_is_said(budget: int) -> None:
    rows = SAMPLED + 40_000
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {
        "counter": rng.permutation(rows) + 10**6,
        "user_id": rng.integers(0, rows, rows),
        "elevation": rng.integers(0, rows, rows),
        "visits": rng.integers(0, 50, rows),
    }

    learnt = by_budget(pa.table(columns), budget, 65_536)

    told = {item.column: item.reason for item in learnt.excluded}
    assert set(told) == {"counter", "user_id"}
    distinct = len(np.unique(columns["user_id"]))
    about = int(told["user_id"].split("about ")[1].split(" ")[0].replace(",", ""))
    assert abs(about / distinct - 1) < 0.01
    assert "about 302,000 (within 0.6 %) distinct whole numbers in 302,144 rows" in told["counter"]
    assert told == {item.column: item.reason for item in by_partitions(pa.table(columns), 3, fitted=True).excluded}


@pytest.fixture(scope="module")
def users() -> pa.Table:
    """120,000 users, most of them three times, and a few pages of many rows: in an order that is hard on who forgets."""
    rare = [f"user {n}" for n in range(120_000)] * 3
    pages = [f"page {n} {'x' * (n % 2 * 150)}" for n in range(45) for _ in range(n + 5)]
    found = [*rare[:200_000], *pages, *rare[200_000:]]
    return pa.table({"x": pa.array(found), "y": np.ones(len(found))})


def test_frequent_ones_of_very_many_categories_have_the_bins_that_they_should(users: pa.Table) -> None:
    learnt = by_budget(users, 0, 65_536)

    layout = learnt.columns["x"].layout
    assert isinstance(layout, CategoricalLayout)
    expected = [category_key(f"page {n} {'x' * (n % 2 * 150)}") for n in range(44, 14, -1)]
    assert list(layout.categories) == expected
    assert layout.rare is None
    assert learnt.columns["x"].kind is Kind.CATEGORICAL


def test_very_many_categories_are_learnt_alike_over_partitions(users: pa.Table) -> None:
    assert by_partitions(users, 3, fitted=True, order=-1) == by_budget(users, 10**9, 40_000)


class Growing(TableRows):
    """Rows that somebody adds to while they are read."""

    def __init__(self, *tables: pa.Table) -> None:
        super().__init__(tables[0], 64)
        self.tables = list(tables)

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        if self.tables:
            self._table = self.tables.pop(0)
        return super().batches(names, filter_)


def test_rows_that_change_while_they_are_read_are_an_error() -> None:
    one, two = (pa.table({"x": np.random.default_rng(seed).normal(size=500)}) for seed in (0, 1))
    for later, said in ((two, "column 'x' has"), (pa.concat_tables([one, two]), "500 rows, then 1,000")):
        rows = Growing(one, later)

        with pytest.raises(SourceError, match="the reference changed while it was read") as caught:
            Learning(Reader(rows, None, "UTC", None), Selection(), budget=0).learn()

        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_categories_are_counted_again_by_their_keys_whatever_text_they_are() -> None:
    long = "x" * 200
    values = ["a", long, None, "b", "a", long, "rare"]
    array = pa.array(values).dictionary_encode()
    odd = pa.array([value and value.encode("utf-8", "surrogatepass") for value in ("a", "\ud800", None)], pa.binary())
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, 2]), odd.cast(pa.string(), safe=False))

    plain = Recount(("a", category_key(long), "none"))
    plain.add(array)
    strange = Recount(("a", "\ud800"))
    strange.add(coded)
    strange.merge(strange)

    assert plain.rows == {"a": 2, category_key(long): 2, "none": 0}
    assert strange.rows == {"a": 2, "\ud800": 4}

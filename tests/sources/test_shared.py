"""Several monitors count the same rows in one pass, and each gets what it would get alone."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftmon.core.window import Window
from driftmon.errors import DataNotReady, SourceError
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
from driftmon.sources.shared import Wanted, count_together

YEAR = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
ROWS = 3_000
REFERENCES = 3


def table(seed):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "price": np.where(rng.random(ROWS) < 0.02, np.nan, rng.gamma(2 + seed, 10, ROWS)),
            "size": rng.integers(0, 5 + seed, ROWS),
            "city": rng.choice(["Rome", "Oslo", "Bern", f"new{seed}"], ROWS),
            "booked": pa.array(rng.integers(1_700_000_000, 1_701_000_000, ROWS), pa.int64()).cast(pa.timestamp("s")),
        }
    )


@pytest.fixture(scope="module")
def learnt():
    """The columns of several references: of one name, with bins of their own."""
    return [MemorySource(table(seed)).learn(Selection()).columns for seed in range(REFERENCES)]


class Counted:
    """A source that is watched: how often it is asked."""

    def __init__(self, source):
        self.source = source
        self.passes = 0

    def count(self, columns, window=None, *, segments=None):
        self.passes += 1
        return self.source.count(columns, window, segments=segments)


wishes = st.lists(
    st.tuples(st.integers(0, REFERENCES - 1), st.sets(st.integers(0, 4), min_size=1), st.booleans()),
    min_size=1,
    max_size=6,
)


def wanted_of(learnt, wish):
    reference, places, segmented = wish
    columns = learnt[reference]
    names = [name for place, name in enumerate(columns) if place in places]
    if segmented:
        names = list(dict.fromkeys([*names, "city"]))
    return Wanted({name: columns[name] for name in names}, {"city": ["Rome", "Oslo"]} if segmented else {})


@settings(max_examples=40)
@given(wishes=wishes)
def test_each_gets_what_it_would_count_alone(learnt, wishes):
    """Whatever columns, bins and segments others want."""
    rows = MemorySource(table(9))
    wanted = [wanted_of(learnt, wish) for wish in wishes]

    together = count_together(rows, wanted, None)

    assert together == [rows.count(each.columns, segments=each.segments) for each in wanted]


class RowsRead:
    """Somebody who watches how many rows are read."""

    def __init__(self):
        self.total = self._last = 0

    def __call__(self, rows, _total):
        self.total += rows - self._last if rows > self._last else rows
        self._last = rows


def test_rows_are_read_once_for_monitors_with_bins_of_their_own(learnt, tmp_path):
    pq.write_table(table(9), tmp_path / "rows.parquet")
    read = RowsRead()

    count_together(
        FilesSource(tmp_path / "rows.parquet", progress=read), [Wanted(columns) for columns in learnt * 3], None
    )

    assert read.total == ROWS


def test_monitors_of_one_kind_of_segments_share_a_pass(learnt):
    source = Counted(MemorySource(table(9)))
    segments = {"city": ["Rome"]}

    count_together(source, [*map(Wanted, learnt), *(Wanted(learnt[0], segments) for _ in range(3))], None)

    assert source.passes == 2


def test_a_pass_that_fails_fails_only_those_who_cannot_count_alone(learnt):
    class Torn(Counted):
        """A source that cannot read one column."""

        def count(self, columns, window=None, *, segments=None):
            if "size" in columns:
                raise SourceError("size: a page is torn")
            return super().count(columns, window, segments=segments)

    columns = learnt[0]
    wanted = [Wanted({"price": columns["price"]}), Wanted({"size": columns["size"]}), Wanted({"city": columns["city"]})]

    good, torn, other = count_together(Torn(MemorySource(table(9))), wanted, None)

    assert good.rows == other.rows == ROWS
    assert isinstance(torn, SourceError)


def test_rows_that_have_not_come_are_looked_for_once(learnt, tmp_path):
    source = FilesSource(str(tmp_path / "{start:%Y}.parquet"))

    found = count_together(source, [Wanted(learnt[0]), Wanted(learnt[1])], YEAR)

    assert [type(error) for error in found] == [DataNotReady, DataNotReady]


def test_a_column_that_is_gone_is_the_problem_of_those_who_want_it(learnt):
    rows = MemorySource(table(9).drop_columns(["size"]))
    wanted = [Wanted(learnt[0]), Wanted({"price": learnt[1]["price"]})]

    with_size, without = count_together(rows, wanted, None)

    assert list(with_size.problems) == ["size"]
    assert without.problems == {}

"""History: many windows in one pass, each with the very counts of a count of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftmon.core.histogram import segment_name
from driftmon.core.layout import Kind
from driftmon.core.window import Window
from driftmon.errors import SourceError, UsageError
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
from tests.sources.test_windows import TYPES, as_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from driftmon.core.histogram import Profile
    from driftmon.core.history import History
    from driftmon.sources.base import Source

ZONE = "America/New_York"
FEW = settings(deadline=None, max_examples=25)

row = st.fixed_dictionaries(
    {
        "double": st.none() | st.floats() | st.sampled_from([0.0, -0.0, 1.0, 2.5]),
        "single": st.none() | st.floats(width=32),
        "half": st.none() | st.floats(width=16),
        "short": st.none() | st.integers(-5, 5),
        "long": st.none() | st.integers(0, 2**64 - 1),
        "price": st.none() | st.decimals(-9, 9, places=2),
        "flag": st.none() | st.booleans(),
        "word": st.none() | st.sampled_from(["a", "b", "c", "", "é", "other"]),
        "code": st.none() | st.sampled_from(["a", "b", "c", "x" * 200]),
        "day": st.none() | st.dates(date(2013, 1, 1), date(2013, 2, 1)),
        "naive": st.none() | st.datetimes(datetime(2013, 1, 1), datetime(2014, 1, 1)),
        "aware": st.none() | st.datetimes(datetime(2013, 1, 1), datetime(2014, 1, 1), timezones=st.just(UTC)),
    }
)
TABLE = pa.schema([
    ("double", pa.float64()), ("single", pa.float32()), ("half", pa.float16()), ("short", pa.int16()),
    ("long", pa.uint64()), ("price", pa.decimal128(6, 2)), ("flag", pa.bool_()), ("word", pa.string()),
    ("code", pa.dictionary(pa.int32(), pa.string())), ("day", pa.date32()), ("naive", pa.timestamp("ms")),
    ("aware", pa.timestamp("us", "UTC")),
])  # fmt: skip
NUMBERS = ["double", "single", "half", "short", "long", "price"]
KINDS = {**dict.fromkeys(NUMBERS, Kind.NUMERIC), "word": Kind.CATEGORICAL, "code": Kind.CATEGORICAL}

# Over both hours that New York's clocks are set at.
moment = st.datetimes(datetime(2013, 3, 9), datetime(2013, 3, 12)) | st.datetimes(
    datetime(2013, 11, 2), datetime(2013, 11, 5)
)
live = st.lists(st.tuples(row, st.none() | moment), max_size=40)
SEGMENTS = {"word": ["a", "", "nowhere"], "flag": ["true"], "aware.hour": ["05"]}


@st.composite
def windows_of_time(draw: st.DrawFn) -> list[Window]:
    """Disjoint windows in order, some of them with gaps in between."""
    bounds = sorted(draw(st.lists(moment, min_size=2, max_size=12, unique=True)))
    every = [Window(a.replace(tzinfo=UTC), b.replace(tzinfo=UTC)) for a, b in pairwise(bounds)]
    kept = [window for window in every if draw(st.booleans())]
    return kept or every[:1]


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=TABLE)


def hours(start: datetime, number: int) -> list[Window]:
    return [Window(start + timedelta(hours=n), start + timedelta(hours=n + 1)) for n in range(number)]


def as_profiles(history: History, profiles: Sequence[Profile]) -> None:
    """Each row of the history is the profile of its window, and it has neither more nor less."""
    keys = {(name, None) for name in profiles[0].histograms}
    keys |= {(name, segment) for segment, part in profiles[0].segments.items() for name in part.histograms}
    assert set(history.counts) == keys
    for (name, segment), counts in history.counts.items():
        parts = [each if segment is None else each.segments[segment] for each in profiles]
        assert counts.dtype == np.int64
        assert counts.tolist() == [list(part.histograms[name].counts) for part in parts]


@pytest.mark.parametrize("name", [*TYPES, "text", "text with offsets", "codes"])
@FEW
@given(past=st.lists(row, min_size=1, max_size=40), live=live, windows=windows_of_time())
def test_a_history_has_the_counts_of_each_window(name: str, past: Any, live: Any, windows: list[Window]) -> None:
    learnt = MemorySource(table(past), timezone=ZONE).learn(Selection(kinds=KINDS))
    content = table([each for each, _ in live]).append_column("at", as_type([at for _, at in live], name))
    source = MemorySource(content, timestamp="at", timezone=ZONE)
    segments = {column: values for column, values in SEGMENTS.items() if column in {*learnt.columns, "word", "flag"}}

    history = source.history(learnt.columns, windows, segments=segments)

    assert history.windows == tuple(windows)
    as_profiles(history, [source.count(learnt.columns, window, segments=segments) for window in windows])


@FEW
@given(past=st.lists(row, min_size=1, max_size=40), rows=st.lists(row, max_size=40), blocks=st.integers(1, 50))
def test_blocks_are_consecutive_rows_of_nearly_equal_number(past: Any, rows: Any, blocks: int) -> None:
    learnt = MemorySource(table(past), timezone=ZONE).learn(Selection(kinds=KINDS))
    segments = {"word": ["a", ""]}

    history = MemorySource(table(rows), timezone=ZONE).history(learnt.columns, blocks, segments=segments)

    parts = [[each for i, each in enumerate(rows) if i * blocks // len(rows) == block] for block in range(blocks)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert history.windows == ()
    as_profiles(
        history,
        [MemorySource(table(part), timezone=ZONE).count(learnt.columns, segments=segments) for part in parts],
    )


def flights(rows: int = 3_000) -> pa.Table:
    """Rows over some days of March, in no order of time, every ninth without one."""
    rng = np.random.default_rng(11)
    start = np.datetime64("2013-03-09T00:00:00", "us")
    at = start + rng.integers(0, 4 * 86_400_000_000, rows)
    return pa.table(
        {
            "at": pa.array(at, mask=np.arange(rows) % 9 == 0),
            "x": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.05),
            "n": rng.integers(0, 9, rows),
            "d": [Decimal(int(value)) / 4 for value in rng.integers(0, 99, rows)],
            "s": rng.choice(["a", "b", "c", "d"], rows).tolist(),
        }
    )


def write(content: pa.Table, folder: Path, suffix: str) -> Source:
    for number in range(3):
        part = content.slice(number * 1_000, 1_000)
        if suffix == "parquet":
            pq.write_table(part, folder / f"{number}.parquet", row_group_size=64)
        elif suffix == "csv":
            pyarrow.csv.write_csv(part, folder / f"{number}.csv")
        else:
            pyarrow.feather.write_feather(part, folder / f"{number}.feather", chunksize=7)
    return FilesSource(folder, timestamp="at", timezone=ZONE)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "feather"])
@pytest.mark.parametrize("split", [20, hours(datetime(2013, 3, 10, 3, tzinfo=UTC), 40)], ids=["blocks", "hours"])
def test_files_and_batches_make_no_difference(tmp_path: Path, suffix: str, split: Any) -> None:
    content = flights()
    memory = MemorySource(content, timestamp="at", timezone=ZONE)
    learnt = memory.learn(Selection())

    history = write(content, tmp_path, suffix).history(learnt.columns, split, segments={"s": ["b", "d"]})

    assert history == memory.history(learnt.columns, split, segments={"s": ["b", "d"]})
    assert list(history.counts)[:3] == [("x", None), ("x", "s=b"), ("x", "s=d")]
    assert all(counts.any() for counts in history.counts.values())


def test_a_window_around_keeps_the_rows_of_the_others_out() -> None:
    source = MemorySource(flights(), timestamp="at", timezone=ZONE)
    learnt = source.learn(Selection())
    windows = hours(datetime(2013, 3, 10, 3, tzinfo=UTC), 40)
    narrow = Window(windows[5].start + timedelta(minutes=10), windows[9].end)
    wide = Window(windows[0].start - timedelta(days=1), windows[-1].end + timedelta(days=1))

    history = source.history(learnt.columns, windows, narrow)

    expected = source.history(learnt.columns, windows)
    assert source.history(learnt.columns, windows, wide) == expected
    assert np.array_equal(history.counts["x", None][6:10], expected.counts["x", None][6:10])
    assert history.counts["x", None][5].sum() < expected.counts["x", None][5].sum()
    assert not history.counts["x", None][:5].any()
    assert not history.counts["x", None][10:].any()


def test_blocks_of_a_window_are_of_its_rows_only() -> None:
    source = MemorySource(flights(), timestamp="at", timezone=ZONE)
    learnt = source.learn(Selection())
    window = Window(datetime(2013, 3, 10, tzinfo=UTC), datetime(2013, 3, 11, tzinfo=UTC))

    history = source.history(learnt.columns, 4, window)

    assert history.counts["n", None].sum() == source.count({}, window).rows
    assert np.ptp(history.counts["n", None].sum(axis=1)) <= 1


def test_windows_without_rows_are_rows_of_zeros() -> None:
    source = MemorySource(flights(), timestamp="at", timezone=ZONE)
    learnt = source.learn(Selection(include=["x"]))

    history = source.history(learnt.columns, hours(datetime(2001, 1, 1, tzinfo=UTC), 5))

    assert history.counts["x", None].shape == (5, learnt.columns["x"].layout.size)
    assert not history.counts["x", None].any()


def test_no_rows_make_blocks_of_zeros() -> None:
    learnt = MemorySource(flights()).learn(Selection(include=["x"]))

    history = MemorySource(flights().slice(0, 0)).history(learnt.columns, 3)

    assert history.counts["x", None].tolist() == [[0] * learnt.columns["x"].layout.size] * 3


def test_columns_that_cannot_be_counted_are_left_out() -> None:
    learnt = MemorySource(flights()).learn(Selection(include=["x", "n", "s"]))
    content = flights().drop_columns(["x"])
    content = content.set_column(content.column_names.index("n"), "n", pa.array(["many"] * 3_000))

    history = MemorySource(content).history(learnt.columns, 5, segments={"gone": ["a"], "s": ["a"]})

    assert set(history.counts) == {("s", None), ("s", segment_name("s", "a"))}


def test_windows_need_a_timestamp() -> None:
    source = MemorySource(flights())
    learnt = source.learn(Selection(include=["x"]))

    with pytest.raises(UsageError, match="without a timestamp column are in no window; name one, or ask for blocks"):
        source.history(learnt.columns, hours(datetime(2013, 3, 10, tzinfo=UTC), 2))


def test_no_windows_make_tables_of_no_rows() -> None:
    source = MemorySource(flights(), timestamp="at")
    learnt = source.learn(Selection(include=["x"]))

    history = source.history(learnt.columns, [], segments={"s": ["a"]})

    size = learnt.columns["x"].layout.size
    assert {key: counts.shape for key, counts in history.counts.items()} == {
        ("x", None): (0, size),
        ("x", "s=a"): (0, size),
    }


def test_windows_out_of_order_or_over_each_other_are_refused() -> None:
    source = MemorySource(flights(), timestamp="at")
    one, two, three = hours(datetime(2013, 3, 10, tzinfo=UTC), 3)

    for wrong in ([two, one], [one, one], [Window(one.start, two.end), two, three]):
        with pytest.raises(ValueError, match="expected windows in the order of time that do not overlap"):
            source.history({}, wrong)
    with pytest.raises(ValueError, match="0 blocks of rows; expected at least 1"):
        source.history({}, 0)


def test_a_column_that_holds_no_times_is_one_clear_error() -> None:
    with pytest.raises(SourceError, match="timestamp column 'n' is int64; expected timestamps, dates or ISO 8601 text"):
        MemorySource(flights(), timestamp="n").history({}, hours(datetime(2013, 3, 10, tzinfo=UTC), 2))


def test_windows_beyond_what_a_type_can_tell_hold_nothing() -> None:
    at = pa.array([0, 2**63 - 1], pa.timestamp("ns"))
    source = MemorySource({"at": at, "x": [1.0, 2.0]}, timestamp="at")
    learnt = source.learn(Selection(include=["x"]))
    bounds = [datetime(year, 1, 1, tzinfo=UTC) for year in (1, 2, 2262, 3000, 9999)]
    windows = [Window(a, b) for a, b in pairwise(bounds)]

    history = source.history(learnt.columns, windows)

    assert history.counts["x", None].sum(axis=1).tolist() == [0, 1, 1, 0]
    as_profiles(history, [source.count(learnt.columns, window) for window in windows])


def test_rows_are_read_once_for_windows_and_files_of_other_days_are_not_opened(tmp_path: Path) -> None:
    content = flights()
    for day in range(9, 13):
        (tmp_path / f"day=2013-03-{day:02d}").mkdir()
        pq.write_table(content.slice(0, 500), tmp_path / f"day=2013-03-{day:02d}" / "rows.parquet")
    (tmp_path / "day=2012-01-01").mkdir()
    learnt = FilesSource(tmp_path, timestamp="day").learn(Selection(include=["x"]))
    (tmp_path / "day=2012-01-01" / "rows.parquet").write_bytes(b"PAR1 is all that is right with this one")
    seen: list[int] = []
    source = FilesSource(tmp_path, timestamp="day", progress=lambda rows, _: seen.append(rows))
    days = [Window(datetime(2013, 3, day, tzinfo=UTC), datetime(2013, 3, day + 1, tzinfo=UTC)) for day in range(9, 13)]

    history = source.history(learnt.columns, days)

    assert history.counts["x", None].sum(axis=1).tolist() == [500] * 4
    assert seen[-1] == 2_000


def test_the_window_of_a_path_says_which_files_to_read(tmp_path: Path) -> None:
    for day in ("2013-03-10", "2013-03-11"):
        pq.write_table(pa.table({"x": [1.0, 2.0, 3.0, 4.0]}), tmp_path / f"{day}.parquet")
    source = FilesSource(f"{tmp_path}/{{start:%Y-%m-%d}}.parquet")
    window = Window(datetime(2013, 3, 10, tzinfo=UTC), datetime(2013, 3, 11, tzinfo=UTC))
    learnt = source.learn(Selection(), window)

    history = source.history(learnt.columns, 2, window)

    assert history.counts["x", None].sum(axis=1).tolist() == [2, 2]

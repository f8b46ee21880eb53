"""From one snapshot to the next: what is read again, what disappears, and what is left out where there is too much."""

import gzip
import logging
from dataclasses import replace

import pytest

from driftmon.errors import StoreError, StoreUnavailable
from driftmon.exporter.compression import gzip_stream
from driftmon.exporter.snapshot import SnapshotBuilder, select
from driftmon.metrics import COLUMN_FAMILIES

OPTIONAL = [family.name for family in COLUMN_FAMILIES if family.optional]


@pytest.fixture
def builder():
    return SnapshotBuilder(max_series=100_000)


def text(snapshot):
    return snapshot.text.decode()


def test_only_monitors_that_changed_are_read_again(builder, shelf, monitor, column):
    shelf.put(monitor("a", column())).put(monitor("b", column())).put(monitor("c", column()))
    builder.build(shelf)
    shelf.read.clear()
    shelf.put(monitor("b", column(kl=0.7)))

    snapshot = builder.build(shelf).snapshot

    assert shelf.read == ["b"]
    assert 'monitor="b",column="dep_delay",role="feature"} 0.7' in text(snapshot)
    assert 'monitor="c",column="dep_delay",role="feature"} 0.0131' in text(snapshot)


def test_nothing_is_rendered_if_nothing_changed(builder, shelf, monitor, column):
    shelf.put(monitor("a", column()))

    assert builder.build(shelf).snapshot is builder.build(shelf).snapshot


def test_the_compressed_snapshot_is_the_plain_one(builder, shelf, monitor, column):
    snapshot = builder.build(shelf.put(monitor("a", column()))).snapshot

    assert gzip.decompress(b"".join(gzip_stream(snapshot.compressed, b""))) == snapshot.text


def test_a_removed_monitor_and_a_removed_column_disappear(builder, shelf, monitor, column):
    shelf.put(monitor("a", column("stays"), column("goes"))).put(monitor("b", column()))
    builder.build(shelf)
    del shelf.monitors["b"]
    shelf.put(monitor("a", column("stays")))

    snapshot = builder.build(shelf).snapshot

    assert 'monitor="b"' not in text(snapshot)
    assert 'column="goes"' not in text(snapshot)
    assert 'column="stays"' in text(snapshot)


def test_a_monitor_that_nobody_wants_is_neither_read_nor_shown(builder, shelf, monitor, column):
    shelf.put(monitor("wanted", column())).put(monitor("deleted", column()))

    snapshot = builder.build(shelf, wanted={"wanted", "never-checked"}).snapshot

    assert shelf.read == ["wanted"]
    assert 'monitor="deleted"' not in text(snapshot)


def test_monitors_without_any_samples_make_an_empty_snapshot(builder, shelf):
    snapshot = builder.build(shelf).snapshot

    assert (snapshot.text, snapshot.series, snapshot.dropped) == (b"", 0, 0)


def test_one_unreadable_monitor_keeps_its_samples_and_stops_no_other(builder, shelf, monitor, column):
    shelf.put(monitor("bad", column())).put(monitor("good", column()))
    builder.build(shelf)
    shelf.put(monitor("bad", column(kl=0.6))).put(monitor("good", column(kl=0.7)))
    shelf.broken["bad"] = StoreError("row 3 is damaged")

    refreshed = builder.build(shelf)

    assert refreshed.problems == ("bad: row 3 is damaged",)
    assert 'monitor="bad",column="dep_delay",role="feature"} 0.0131' in text(refreshed.snapshot)
    assert 'monitor="good",column="dep_delay",role="feature"} 0.7' in text(refreshed.snapshot)
    del shelf.broken["bad"]
    assert 'monitor="bad",column="dep_delay",role="feature"} 0.6' in text(builder.build(shelf).snapshot)


def test_a_database_that_goes_down_half_way_changes_nothing(builder, shelf, monitor, column):
    shelf.put(monitor("a", column())).put(monitor("b", column()))
    before = builder.build(shelf).snapshot
    shelf.put(monitor("a", column(kl=0.6))).put(monitor("b", column(kl=0.7)))
    shelf.broken["b"] = StoreUnavailable("connection lost")

    with pytest.raises(StoreUnavailable):
        builder.build(shelf)

    shelf.broken.clear()
    shelf.put(monitor("a", column())).put(monitor("b", column()))
    assert builder.build(shelf).snapshot is before


def sizes(builder, shelf):
    snapshot = builder.build(shelf).snapshot
    return snapshot.series, snapshot.dropped


def test_too_many_series_cost_the_optional_families_first(shelf, monitor, column):
    shelf.put(monitor("a", column(), column("x")))
    everything, _ = sizes(SnapshotBuilder(max_series=100_000), shelf)

    snapshot = SnapshotBuilder(max_series=everything - 1).build(shelf).snapshot

    assert (snapshot.series, snapshot.dropped) == (everything - 2, 2)
    assert OPTIONAL[-1] not in text(snapshot)
    assert OPTIONAL[0] in text(snapshot)


def test_far_too_many_series_cost_whole_monitors_in_the_order_of_names(shelf, monitor, column, caplog):
    for name in ("c", "b", "a"):
        shelf.put(monitor(name, column()))
    everything, _ = sizes(SnapshotBuilder(max_series=100_000), shelf)
    needed = everything - 3 * len(OPTIONAL)

    snapshot = SnapshotBuilder(max_series=needed - 1).build(shelf).snapshot

    assert 'monitor="c"' not in text(snapshot)
    assert 'monitor="b"' in text(snapshot)
    assert (snapshot.series, snapshot.dropped) == (needed * 2 // 3, everything - needed * 2 // 3)
    assert caplog.records[-1].levelno == logging.WARNING
    assert f"max_series={needed - 1}" in caplog.text
    assert f"{', '.join(reversed(OPTIONAL))}, c;" in caplog.text


def test_a_monitor_too_large_for_any_room_does_not_take_the_small_ones_with_it(shelf, monitor, column):
    shelf.put(monitor("a-giant", *(column(f"x{i}") for i in range(100)))).put(monitor("small", column()))

    snapshot = SnapshotBuilder(max_series=100).build(shelf).snapshot

    assert 'monitor="small"' in text(snapshot)
    assert 'monitor="a-giant"' not in text(snapshot)


def test_what_is_left_out_is_logged_once_and_again_when_it_changes(shelf, monitor, column, caplog):
    builder = SnapshotBuilder(max_series=60)
    for name in ("a", "b", "c", "d"):
        shelf.put(monitor(name, column()))
    builder.build(shelf)
    shelf.put(replace(shelf.monitors["a"], live_rows=5))
    builder.build(shelf)
    del shelf.monitors["d"]
    builder.build(shelf)

    assert len(caplog.records) == 2


def test_everything_is_kept_where_everything_fits(monitor):
    assert select({}, max_series=0).left_out == ()

"""What the results database does, whatever database it is: every test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from driftmon.core.check import Policy
from driftmon.core.history import History
from driftmon.core.quality import QualityCheck
from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.errors import BaselineMissing, StoreError, UsageError
from driftmon.findings import findings_of, summary
from driftmon.store.records import RunRecord
from driftmon.store.store import Store
from tests.store.factories import DAY, NOW, baseline_of, day, facts, result_of, rows
from tests.store.rows import results_row_for_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftmon.core.result import CheckResult

REFERENCE = rows(0, 3_000)
SEGMENTS = {
    f"carrier={name}": {
        key: [value for value, carrier in zip(values, REFERENCE["carrier"], strict=True) if carrier == name]
        for key, values in REFERENCE.items()
    }
    for name in ("UA", "AA")
}
BASELINE = baseline_of(REFERENCE, segments=SEGMENTS)
QUIET, MOVED = rows(1), rows(2, shift=1.0)
POLICY = Policy(Threshold(0.02, 0.10), {"late": Threshold(0.01, 0.05)}, roles={"late": "prediction"}, min_rows=50)


@pytest.fixture
def store(results_database: str) -> Iterator[Store]:
    with Store.open(results_database) as opened:
        opened.register_monitor(facts(), now=NOW)
        opened.save_baseline("flights", BASELINE, now=NOW)
        opened.promote("flights", BASELINE.id, now=NOW)
        yield opened


def save(store: Store, result, *, now=NOW, **changes) -> CheckResult:
    return store.save_check(result, facts(**changes), started_at=now - timedelta(seconds=5), now=now)


# Baselines


@pytest.mark.parametrize(
    "baseline",
    [
        pytest.param(BASELINE, id="with segments"),
        pytest.param(baseline_of(REFERENCE, segments=SEGMENTS, days=7), id="with history and span"),
        pytest.param(baseline_of(REFERENCE, blocks=20), id="with blocks of rows"),
        pytest.param(baseline_of({"x": [1.0] * 10}), id="of one constant column"),
        pytest.param(
            dataclasses.replace(BASELINE, learnt=dataclasses.replace(BASELINE.learnt, excluded=())), id="whole"
        ),
    ],
)
def test_a_baseline_comes_back_equal(store: Store, baseline):
    store.save_baseline("other", baseline, now=NOW)

    loaded = store.load_baseline("other", baseline.id)

    assert loaded == baseline
    assert loaded.id == baseline.id
    assert list(loaded.columns) == list(baseline.columns)
    assert list(loaded.reference.segments) == list(baseline.reference.segments)
    assert loaded.layouts == baseline.layouts
    assert loaded.reference.clues == baseline.reference.clues != {}


def test_a_history_comes_back_to_the_last_count(store: Store):
    baseline = baseline_of(REFERENCE, segments=SEGMENTS, days=30)
    store.save_baseline("other", baseline, now=NOW)

    history = store.load_baseline("other", baseline.id).history

    assert history.windows == tuple(day(number) for number in range(-29, 1))
    assert len(history.counts) == 9
    for key, counts in history.counts.items():
        assert counts.dtype == np.int64
        np.testing.assert_array_equal(counts, baseline.history.counts[key])


def test_a_history_of_no_window_comes_back(store: Store):
    baseline = dataclasses.replace(
        BASELINE, history=History({("delay", None): np.zeros((0, BASELINE.layouts["delay"].size), dtype=np.int64)})
    )
    store.save_baseline("other", baseline, now=NOW)

    assert store.load_baseline("other", baseline.id) == baseline


def test_a_history_of_what_the_reference_does_not_have_is_refused(store: Store):
    baseline = dataclasses.replace(
        BASELINE, history=History({("delay", "carrier=??"): np.ones((8, 3), dtype=np.int64)})
    )

    with pytest.raises(StoreError, match=r"history of \('delay', 'carrier=\?\?'\) cannot be stored"):
        store.save_baseline("other", baseline, now=NOW)


def test_a_baseline_is_saved_once(store: Store):
    assert store.save_baseline("other", BASELINE, now=NOW) is True
    assert store.save_baseline("other", BASELINE, now=NOW + DAY) is False

    (record,) = store.list_baselines("other")
    assert record.created_at == NOW


def test_two_monitors_can_have_baselines_of_the_same_content(store: Store):
    store.save_baseline("other", BASELINE, now=NOW)
    store.promote("other", BASELINE.id, now=NOW)

    assert store.load_baseline("other") == store.load_baseline("flights")


def test_the_newest_promotion_is_in_force(store: Store):
    newer = baseline_of(rows(7))
    store.save_baseline("flights", newer, now=NOW + DAY)
    store.promote("flights", newer.id, now=NOW + 2 * DAY)
    assert store.load_baseline("flights").id == newer.id

    store.promote("flights", BASELINE.id, now=NOW + 3 * DAY)

    assert store.load_baseline("flights").id == BASELINE.id
    first, second = store.list_baselines("flights")
    assert (first.id, first.active, first.promoted_at) == (newer.id, False, NOW + 2 * DAY)
    assert (second.id, second.active, second.promoted_at) == (BASELINE.id, True, NOW + 3 * DAY)


def test_promoting_the_baseline_in_force_changes_nothing(store: Store):
    store.promote("flights", BASELINE.id, now=NOW + DAY)

    (record,) = store.list_baselines("flights")
    assert record.promoted_at == NOW


def test_a_record_of_a_baseline_says_what_is_in_it(store: Store):
    baseline = baseline_of(REFERENCE, days=2)
    store.save_baseline("other", baseline, now=NOW)

    (record,) = store.list_baselines("other")

    assert (record.id, record.created_at, record.rows, record.columns) == (baseline.id, NOW, 3_000, 3)
    assert (record.span, record.promoted_at, record.active) == (baseline.span, None, False)


def test_a_baseline_is_found_by_the_beginning_of_its_id(store: Store):
    assert store.load_baseline("flights", BASELINE.id[:8]) == BASELINE
    assert store.load_baseline("flights", BASELINE.id[:8].upper()) == BASELINE
    assert store.promote("flights", BASELINE.id[:6], now=NOW) == BASELINE.id


def test_an_unknown_baseline_is_an_error_that_lists_the_known_ones(store: Store):
    with pytest.raises(UsageError, match=rf"no baseline whose id begins with 'zz'.*{BASELINE.id[:12]}"):
        store.load_baseline("flights", "zz")


def test_an_ambiguous_beginning_is_an_error_that_lists_what_fits(store: Store):
    newer = baseline_of(rows(7))
    store.save_baseline("flights", newer, now=NOW)

    with pytest.raises(UsageError, match="more than one baseline") as error:
        store.promote("flights", "", now=NOW)

    assert newer.id in str(error.value)
    assert BASELINE.id in str(error.value)


def test_no_baseline_names_the_command_that_builds_one(store: Store):
    with pytest.raises(BaselineMissing, match="driftmon baseline build nowhere"):
        store.load_baseline("nowhere")
    assert store.list_baselines("nowhere") == []


def test_no_promoted_baseline_names_the_command_that_promotes_one(store: Store):
    store.save_baseline("other", BASELINE, now=NOW)

    with pytest.raises(BaselineMissing, match=f"driftmon baseline promote other {BASELINE.id[:12]}"):
        store.load_baseline("other")


# Checks


def test_a_result_comes_back_equal(store: Store):
    result = result_of(BASELINE, MOVED, day(1), policy=POLICY)
    assert {column.status for column in result.columns} >= {Status.CRITICAL, Status.OK}

    saved = save(store, result)

    (loaded,) = store.load_checks("flights")
    assert without_contributions(loaded) == without_contributions(saved)
    assert without_sustained(saved) == result
    assert derived(loaded) == [pytest.approx(numbers, abs=1e-12) for numbers in derived(result)]


@pytest.mark.parametrize(
    ("live", "problems", "status"),
    [
        pytest.param(rows(1), {"delay": "gone from the data"}, Status.SCHEMA_CHANGED, id="missing column"),
        pytest.param(rows(1, 20), {}, Status.INSUFFICIENT_DATA, id="few rows"),
        pytest.param(rows(1, 0), {}, Status.NO_DATA, id="no rows"),
        pytest.param({**rows(1), "delay": [float("nan")] * 600}, {}, Status.CRITICAL, id="all missing"),
        pytest.param({**rows(1), "delay": [float("inf")] * 600}, {}, Status.CRITICAL, id="all infinite"),
        pytest.param({**rows(1), "carrier": ["ZZ"] * 600}, {}, Status.CRITICAL, id="never seen"),
    ],
)
def test_a_result_without_an_ordinary_verdict_comes_back_equal(store: Store, live, problems, status):
    result = result_of(BASELINE, live, day(1), problems=problems)
    assert status in {column.status for column in result.columns}

    saved = save(store, result)

    (loaded,) = store.load_checks("flights")
    assert without_contributions(loaded) == without_contributions(saved)
    assert without_sustained(saved) == result


FEET = {
    "delay": [100.0 * delay for delay in rows(2)["delay"]],
    "carrier": [
        f"\ud800{'x' * 200}" if name == "AA" else "NUL\x00" if name is None else name for name in rows(2)["carrier"]
    ],
    "late": ["yes"] * 600,
}


@pytest.mark.parametrize("split", [{"days": 30}, {"blocks": 20}], ids=["windows", "blocks"])
def test_everything_that_a_check_says_comes_back(store: Store, split):
    baseline = baseline_of(REFERENCE, segments=SEGMENTS, **split)
    store.save_baseline("flights", baseline, now=NOW)
    result = result_of(baseline, FEET, day(1), policy=Policy(min_rows=50))
    assert all(column.calibration for column in result.columns if column.scores)
    assert any(column.hint for column in result.columns)
    assert any(column.problems for column in result.columns)
    assert [rows for _, rows in result["carrier"].new] == sorted([rows for _, rows in result["carrier"].new])[::-1]
    assert {len(name) for name, _ in result["carrier"].new} == {4, 120}
    for name in ("day_effect", "usual_limit", "p_history", "history_windows"):
        assert all(getattr(column.scores, name) is not None for column in result.columns if column.segment is None)

    saved = save(store, result)

    (loaded,) = store.load_checks("flights")
    assert without_contributions(loaded) == without_contributions(saved)
    assert derived(loaded) == [pytest.approx(numbers, abs=1e-12) for numbers in derived(result)]
    assert without_sustained(saved) == result


@pytest.mark.parametrize("name", ["reference", "live", "p_value", "q_value"])
def test_a_quality_check_without_a_number_is_refused(store: Store, name):
    result = result_of(BASELINE, QUIET, day(1))
    quality = dataclasses.replace(result["delay"].quality[0], **{name: float("nan")})
    columns = (dataclasses.replace(result.columns[0], quality=(quality,)), *result.columns[1:])

    with pytest.raises(StoreError, match=f"column 'delay': missing: {name} is nan"):
        save(store, dataclasses.replace(result, columns=columns))

    assert store.load_checks("flights") == []


def without_contributions(result):
    """The same, but for what is computed again from the counts and may differ in the last digit."""
    columns = [
        column
        if column.scores is None
        else dataclasses.replace(
            column,
            scores=dataclasses.replace(
                column.scores, contributions=(), hellinger=0.0, total_variation=0.0, higher=None
            ),
        )
        for column in result.columns
    ]
    return dataclasses.replace(result, columns=tuple(columns))


def without_sustained(result):
    """The same, as it was before it was saved."""
    return dataclasses.replace(
        result, columns=tuple(dataclasses.replace(column, sustained=None) for column in result.columns)
    )


def derived(result):
    """What is computed again from the counts, by column."""
    scores = [column.scores for column in result.columns if column.scores is not None]
    return [(*one.contributions, one.hellinger, one.total_variation, one.higher) for one in scores]


def test_a_window_checked_again_replaces_its_result(store: Store):
    save(store, result_of(BASELINE, MOVED, day(1)))
    second = save(store, result_of(BASELINE, QUIET, day(1)), now=NOW + DAY)

    assert store.load_checks("flights") == [second]


def test_a_window_checked_against_another_baseline_replaces_its_result(store: Store):
    save(store, result_of(BASELINE, MOVED, day(1)))
    newer = baseline_of(rows(7))
    store.save_baseline("flights", newer, now=NOW)
    second = save(store, result_of(newer, MOVED, day(1)))

    assert store.load_checks("flights") == [second]
    assert store.checked_windows("flights", day(1).start, day(1).end) == {day(1): newer.id}


def test_windows_checked_in_any_order_leave_the_same_rows(store: Store):
    results = [
        result_of(BASELINE, rows(number, shift=number / 10), day(number), policy=POLICY) for number in range(1, 15)
    ]
    shuffled = random.Random(2).sample(results, len(results))
    store.save_baseline("shuffled", BASELINE, now=NOW)

    for result in results:
        save(store, result)
    for result in shuffled:
        save(store, dataclasses.replace(result, monitor="shuffled"), name="shuffled")

    in_order = results_row_for_row(store, "flights")
    assert len(in_order) == sum(len(result.columns) for result in results)
    assert results_row_for_row(store, "shuffled") == in_order
    before, after = store.monitor_snapshot("flights"), store.monitor_snapshot("shuffled")
    assert (after.window, after.columns) == (before.window, before.columns)


def test_results_are_loaded_newest_first_and_narrowed(store: Store):
    for number in (2, 4, 1, 3):
        save(store, result_of(BASELINE, rows(number), day(number)))

    def windows(**narrowed) -> list[Window]:
        return [result.window for result in store.load_checks("flights", **narrowed)]

    assert windows() == [day(4), day(3), day(2), day(1)]
    assert windows(limit=2) == [day(4), day(3)]
    assert windows(window=day(2)) == [day(2)]
    assert windows(window=day(9)) == []
    assert windows(start=day(2).start, end=day(3).end) == [day(3), day(2)]
    assert windows(start=day(2).start + timedelta(hours=1)) == [day(4), day(3)]
    assert windows(start=day(1).start, limit=1) == [day(4)]


def test_one_column_is_loaded_alone_with_its_segments(store: Store):
    save(store, result_of(BASELINE, QUIET, day(1)))

    (result,) = store.load_checks("flights", column="late")

    assert [(column.column, column.segment) for column in result.columns] == [
        ("late", None),
        ("late", "carrier=UA"),
        ("late", "carrier=AA"),
    ]
    assert store.load_checks("flights", column="nothing")[0].columns == ()


def test_results_of_an_unknown_monitor_are_none(store: Store):
    assert store.load_checks("nowhere") == []
    assert store.checked_windows("nowhere", day(1).start, day(9).end) == {}


def test_checked_windows_are_those_within_the_span(store: Store):
    for number in (1, 2, 3):
        save(store, result_of(BASELINE, rows(number), day(number)))

    assert store.checked_windows("flights", day(2).start, day(9).end) == {day(2): BASELINE.id, day(3): BASELINE.id}
    assert store.checked_windows("flights", day(2).start + timedelta(seconds=1), day(9).end) == {day(3): BASELINE.id}


def test_windows_of_any_zone_come_back_in_utc(store: Store):
    zone = timezone(timedelta(hours=5, minutes=45))
    window = Window(datetime(2013, 5, 1, tzinfo=zone), datetime(2013, 5, 1, 0, 0, 0, 1, tzinfo=zone))
    save(store, result_of(BASELINE, QUIET, window))

    (loaded,) = store.load_checks("flights")

    assert loaded.window == window
    assert str(loaded.window) == "2013-04-30T18:15:00Z/2013-04-30T18:15:00.000001Z"


@pytest.mark.parametrize("year", [1, 999, 1969, 9998])
def test_windows_of_any_year_can_be_stored(store: Store, year):
    window = Window(datetime(year, 1, 2, tzinfo=UTC), datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    save(store, result_of(BASELINE, QUIET, window))

    assert store.load_checks("flights", window=window)[0].window == window
    assert list(store.checked_windows("flights", window.start, window.end)) == [window]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused_and_nothing_is_stored(store: Store, number):
    result = result_of(BASELINE, QUIET, day(1))
    scores = dataclasses.replace(result.columns[0].scores, excess=number)
    broken = dataclasses.replace(
        result, columns=(dataclasses.replace(result.columns[0], scores=scores), *result.columns[1:])
    )

    with pytest.raises(StoreError, match=r"column 'delay': excess is (nan|-?inf)"):
        save(store, broken)

    assert store.load_checks("flights") == []
    assert store.monitor_snapshot("flights").last_run_successful is None


def test_a_result_of_a_baseline_that_was_never_saved_is_refused(store: Store):
    with pytest.raises(BaselineMissing, match="save it before its checks"):
        save(store, result_of(baseline_of(rows(9)), QUIET, day(1)))

    assert store.load_checks("flights") == []


def test_a_result_without_a_monitor_or_of_another_one_is_refused(store: Store):
    result = result_of(BASELINE, QUIET, day(1))

    for wrong in ({"monitor": None}, {"monitor": "other"}, {"window": None}):
        with pytest.raises(UsageError, match="cannot be stored for 'flights'"):
            save(store, dataclasses.replace(result, **wrong))


def test_a_naive_instant_is_refused(store: Store):
    with pytest.raises(ValueError, match="has no time zone"):
        store.register_monitor(facts(), now=datetime(2013, 5, 1))


# What the exporter reads


def test_a_monitor_without_checks_has_a_snapshot_without_columns(store: Store):
    snapshot = store.monitor_snapshot("flights")

    assert snapshot.facts == facts()
    assert (snapshot.window, snapshot.baseline, snapshot.reference_rows, snapshot.live_rows) == (None,) * 4
    assert snapshot.columns == ()
    assert (snapshot.last_success_at, snapshot.last_run_successful, snapshot.consecutive_failed_runs) == (None, None, 0)


def test_a_snapshot_shows_the_newest_window_as_it_was_checked(store: Store):
    result = result_of(BASELINE, MOVED, day(2), policy=POLICY)
    save(store, result)
    save(store, result_of(BASELINE, QUIET, day(1)), now=NOW + DAY)

    snapshot = store.monitor_snapshot("flights")

    assert (snapshot.window, snapshot.baseline) == (day(2), BASELINE.id)
    assert (snapshot.reference_rows, snapshot.live_rows) == (3_000, 600)
    for sample, column in zip(snapshot.columns, result.columns, strict=True):
        assert (sample.column, sample.role, sample.segment) == (column.column, column.role, column.segment)
        assert (sample.status, sample.threshold) == (column.status, column.threshold)
        assert (sample.kl, sample.lower_bound) == (column.scores.kl, column.scores.lower_bound)
        assert sample.noise_floor == column.scores.noise_floor
        assert sample.missing_ratio == column.live.missing / column.live.rows
        assert sample.reference_missing_ratio == column.reference.missing / column.reference.rows
        assert sample.novel_ratio == column.novel
        assert sample.expected_novel_ratio == column.expected_novel


def test_a_snapshot_shows_what_is_usual_sustained_and_wrong_with_shares(store: Store):
    baseline = baseline_of(REFERENCE, segments=SEGMENTS, days=30)
    store.save_baseline("flights", baseline, now=NOW)
    for number in range(1, 8):
        saved = save(store, result_of(baseline, rows(number, shift=0.6, late=0.9), day(number)))
    assert {column.sustained.drifting for column in saved.columns} == {True, False}
    assert any(column.problems for column in saved.columns)

    samples = store.monitor_snapshot("flights").columns

    for sample, column in zip(samples, saved.columns, strict=True):
        assert sample.usual_limit == column.scores.usual_limit
        assert sample.sustained is column.sustained.drifting
        assert sample.quality == column.quality
    assert samples[0].quality_of(QualityCheck.NOVEL) is None
    assert samples[0].quality_of(QualityCheck.MISSING) == saved["delay"].quality[0]


@pytest.mark.parametrize(
    "shifts",
    [
        pytest.param((0.0, 1.0), id="new"),
        pytest.param((1.0, 1.0, 1.0), id="from the first window on"),
        pytest.param((1.0, 0.0, 1.0, 1.0), id="again"),
        pytest.param((0.0, 0.35, 0.35, 1.0), id="escalated"),
        pytest.param((0.0, 1.0, None, 1.0), id="with a window without rows in between"),
        pytest.param((1.0, 0.0), id="over"),
        pytest.param((1.0, None), id="without rows now"),
    ],
)
def test_a_snapshot_finds_what_the_stored_checks_say(store: Store, shifts):
    for number, shift in enumerate(shifts, 1):
        live = rows(number, 0) if shift is None else rows(number, shift=shift)
        save(store, result_of(BASELINE, live, day(number), policy=POLICY))
    newest, *past = store.load_checks("flights")

    snapshot = store.monitor_snapshot("flights")

    zone = ZoneInfo(facts().timezone)
    assert snapshot.findings == findings_of(newest, past, zone)
    assert snapshot.headline == summary(newest.columns, live_rows=newest.live_rows, window=newest.window, zone=zone)
    assert bool(snapshot.findings) == (shifts[-1] != 0)


def test_of_two_windows_that_end_together_the_shorter_is_the_newest(store: Store):
    week = Window(day(1).start, day(7).end)
    save(store, result_of(BASELINE, QUIET, day(7)))
    save(store, result_of(BASELINE, QUIET, week))

    assert store.monitor_snapshot("flights").window == day(7)


def test_columns_without_numbers_have_none_in_the_snapshot(store: Store):
    save(store, result_of(BASELINE, rows(1), day(1), problems={"delay": "gone from the data"}))

    sample = store.monitor_snapshot("flights").columns[0]

    assert (sample.column, sample.status) == ("delay", Status.SCHEMA_CHANGED)
    assert (sample.kl, sample.lower_bound, sample.noise_floor, sample.missing_ratio, sample.novel_ratio) == (None,) * 5
    assert (sample.usual_limit, sample.sustained, sample.quality) == (None, None, ())
    assert sample.reference_missing_ratio == pytest.approx(0.03, abs=0.02)


def test_a_removed_column_leaves_the_snapshot_with_the_next_window(store: Store):
    save(store, result_of(BASELINE, QUIET, day(1)))
    smaller = baseline_of({"delay": REFERENCE["delay"]})
    store.save_baseline("flights", smaller, now=NOW)
    save(store, result_of(smaller, {"delay": QUIET["delay"]}, day(2)))

    assert [sample.column for sample in store.monitor_snapshot("flights").columns] == ["delay"]


def test_runs_are_told_by_their_newest(store: Store):
    store.record_run(failed(1, at=NOW))
    store.record_run(failed(1, at=NOW + DAY))
    before = store.monitor_snapshot("flights")
    assert (before.last_success_at, before.last_run_successful, before.consecutive_failed_runs) == (None, False, 2)

    save(store, result_of(BASELINE, QUIET, day(1)), now=NOW + 2 * DAY)
    after = store.monitor_snapshot("flights")
    assert (after.last_success_at, after.last_run_successful) == (NOW + 2 * DAY, True)
    assert after.consecutive_failed_runs == 0

    store.record_run(failed(2, at=NOW + 3 * DAY))
    again = store.monitor_snapshot("flights")
    assert (again.last_success_at, again.last_run_successful) == (NOW + 2 * DAY, False)
    assert again.consecutive_failed_runs == 1


def failed(number: int, *, at: datetime, error: str = "no such file") -> RunRecord:
    return RunRecord("flights", day(number), at - timedelta(seconds=5), at, error)


def test_a_run_of_an_unknown_monitor_is_an_error(store: Store):
    store.save_baseline("other", BASELINE, now=NOW)

    for name in ("nowhere", "other"):
        with pytest.raises(UsageError, match=f"'{name}' is not in the results database: register it"):
            store.record_run(dataclasses.replace(failed(1, at=NOW), monitor=name))


def test_a_snapshot_of_an_unknown_monitor_is_an_error(store: Store):
    with pytest.raises(UsageError, match="'nowhere' is not in the results database"):
        store.monitor_snapshot("nowhere")


def test_only_registered_monitors_have_keys(store: Store):
    store.save_baseline("other", BASELINE, now=NOW)
    store.register_monitor(facts("third"), now=NOW)

    assert [key.monitor for key in store.snapshot_keys()] == ["flights", "third"]


def test_every_write_changes_the_key_of_its_monitor_and_of_no_other(store: Store):
    store.register_monitor(facts("other"), now=NOW)
    result = result_of(BASELINE, QUIET, day(1))
    writes = [
        lambda: store.register_monitor(facts(owner="somebody else"), now=NOW),
        lambda: save(store, result),
        lambda: save(store, result),
        lambda: store.record_run(failed(1, at=NOW)),
        lambda: store.save_baseline("flights", baseline_of(rows(7)), now=NOW),
    ]
    seen = [store.snapshot_keys()]
    for write in writes:
        write()
        seen.append(store.snapshot_keys())

    mine = [key.revision for key, _ in seen]
    theirs = {key.revision for _, key in seen}
    assert len(set(mine)) == len(mine)
    assert len(theirs) == 1


def test_reading_changes_no_key(store: Store):
    save(store, result_of(BASELINE, QUIET, day(1)))
    before = store.snapshot_keys()

    store.load_checks("flights")
    store.load_baseline("flights")
    store.list_baselines("flights")
    store.monitor_snapshot("flights")

    assert store.snapshot_keys() == before


def test_facts_are_those_of_the_newest_write(store: Store):
    save(store, result_of(BASELINE, QUIET, day(1)), owner="somebody else", max_window_age=60.0)

    assert store.monitor_snapshot("flights").facts == facts(owner="somebody else", max_window_age=60.0)


def test_a_monitor_is_complete_with_its_last_window(store: Store):
    saved = [save(store, result_of(BASELINE, QUIET, day(number)), last_end=day(2).end) for number in (1, 2)]
    store.register_monitor(facts("endless"), now=NOW)

    assert saved[-1].window == day(2)
    assert store.monitor_snapshot("flights").facts.last_end == day(2).end
    assert store.monitor_snapshot("flights").complete
    assert not store.monitor_snapshot("endless").complete

    save(store, result_of(BASELINE, QUIET, day(2)), last_end=day(3).end)
    assert not store.monitor_snapshot("flights").complete

    save(store, result_of(BASELINE, QUIET, day(2)), last_end=None)
    assert not store.monitor_snapshot("flights").complete


def test_a_failed_write_leaves_the_key(store: Store):
    before = store.snapshot_keys()

    with pytest.raises(BaselineMissing):
        save(store, result_of(baseline_of(rows(9)), QUIET, day(1)))

    assert store.snapshot_keys() == before


# Read-only


def test_a_read_only_store_reads_everything(store: Store, results_database: str):
    result = save(store, result_of(BASELINE, QUIET, day(1)))

    with Store.open(results_database, read_only=True) as reader:
        assert reader.load_checks("flights") == [result]
        assert reader.load_baseline("flights") == BASELINE
        assert reader.snapshot_keys() == store.snapshot_keys()
        assert reader.monitor_snapshot("flights") == store.monitor_snapshot("flights")


def test_a_read_only_store_writes_nothing(store: Store, results_database: str):
    result = result_of(BASELINE, QUIET, day(1))

    with Store.open(results_database, read_only=True) as reader:
        for write in (
            lambda: reader.register_monitor(facts(), now=NOW),
            lambda: reader.save_baseline("flights", baseline_of(rows(7)), now=NOW),
            lambda: reader.promote("flights", BASELINE.id, now=NOW),
            lambda: save(reader, result),
            lambda: reader.record_run(failed(1, at=NOW)),
        ):
            with pytest.raises(StoreError, match="opened read-only"):
                write()

    assert store.load_checks("flights") == []

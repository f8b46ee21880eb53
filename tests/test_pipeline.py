"""From a monitor file to verdicts that know what is usual: real files, a real database, many days."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from driftmon.config import load_monitor
from driftmon.core.history import BLOCKS, MOST_WINDOWS
from driftmon.core.window import Window
from driftmon.pipeline import backfill, build_baseline, run_check
from driftmon.reference import baseline_of
from driftmon.store.store import Store

NOW = datetime(2025, 1, 1, tzinfo=UTC)
JANUARY = date(2024, 1, 1)


def day_rows(day, *, rows=600, shift=0.0, wobble=0.0, seed=0):
    """A day of orders, whose level wobbles from day to day by so many standard deviations."""
    rng = np.random.default_rng([seed, (day - JANUARY).days])
    level = shift + wobble * rng.normal()
    start = pd.Timestamp(day, tz="UTC")
    return pd.DataFrame(
        {
            "time": start + pd.to_timedelta(np.sort(rng.integers(0, 86_400, rows)), unit="s"),
            "level": rng.normal(level, 1, rows),
            "steady": rng.normal(0, 1, rows),
            "country": rng.choice(["DE", "FR"], rows, p=[0.6, 0.4]),
        }
    )


def days(count, *, start=JANUARY, **options):
    return pd.concat([day_rows(start + timedelta(days=d), **options) for d in range(count)], ignore_index=True)


@pytest.fixture
def project(tmp_path):
    """A folder for a monitor and its data."""

    def project(reference, live=None, *, keys="", timestamp="time", place=""):
        (tmp_path / "monitors").mkdir(exist_ok=True)
        reference.to_parquet(tmp_path / "reference.parquet")
        (day_rows(JANUARY) if live is None else live).to_parquet(tmp_path / "live.parquet")
        timed = f", timestamp: {timestamp}" if timestamp else ""
        (tmp_path / "monitors" / "shop.yaml").write_text(
            f"reference: {{path: reference.parquet{timed}{place}}}\nlive: {{path: live.parquet, timestamp: time}}\n"
            f"{keys}"
        )
        return load_monitor(tmp_path / "monitors" / "shop.yaml")

    return project


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/results.db") as opened:
        yield opened


def window(day):
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Window(start, start + timedelta(days=1))


def check(monitor, store, day):
    return run_check(monitor, store, window(day), now=NOW)


# The windows of a reference --------------------------------------------------------------------------------------------


def test_a_baseline_keeps_the_counts_of_each_day_of_its_reference(project):
    baseline = baseline_of(project(days(10)))

    assert [w.start.date() for w in baseline.history.windows] == [JANUARY + timedelta(days=d) for d in range(10)]
    for (column, segment), counts in baseline.history.counts.items():
        assert segment is None
        assert counts.sum(axis=-1).tolist() == [600] * 10
        assert counts.sum(axis=0).tolist() == list(baseline.reference.histograms[column].counts)


def test_days_are_those_of_the_monitors_clock(project):
    baseline = baseline_of(project(days(10), keys="timezone: America/New_York"))

    assert len(baseline.history.windows) == 11
    assert {w.start.hour for w in baseline.history.windows} == {5}
    assert sum(baseline.history.counts["level", None].sum(axis=-1)) == 6_000


def test_windows_that_a_bound_cuts_are_no_windows(project):
    place = ", start: '2024-01-02T12:00:00', end: '2024-01-09'"

    baseline = baseline_of(project(days(12), place=place))

    assert [w.start.day for w in baseline.history.windows] == [3, 4, 5, 6, 7, 8]
    assert baseline.reference.rows == 6 * 600 + (days(2)["time"] >= "2024-01-02T12:00:00Z").sum()


def test_a_bound_long_before_the_data_makes_no_empty_windows(project):
    baseline = baseline_of(project(days(9), place=", start: '1990-01-01', end: '2100-01-01'"))

    assert len(baseline.history.windows) == 9


def test_of_very_many_windows_some_are_kept_from_all_over_the_reference(project):
    baseline = baseline_of(project(days(30, rows=1_000), keys="schedule: 1h\nmin_rows: 10"))

    starts = [w.start for w in baseline.history.windows]
    assert len(starts) == MOST_WINDOWS
    assert (starts[0].day, starts[-1].day) == (1, 30)
    assert {start.hour for start in starts} == set(range(24))


def test_a_reference_shorter_than_a_window_has_no_history(project):
    baseline = baseline_of(
        project(days(3), keys="schedule: '@monthly'", place=", start: '2024-01-01', end: '2024-01-04'")
    )

    assert baseline.history is None


def test_segments_have_histories_of_their_own(project):
    baseline = baseline_of(project(days(8), keys="segments: [country]"))

    parts = [baseline.history.counts["level", segment] for segment in ("country=DE", "country=FR")]
    assert np.array_equal(sum(parts), baseline.history.counts["level", None])


def test_without_a_timestamp_blocks_of_rows_stand_for_windows(project):
    reference = days(10).drop(columns=["time"])

    baseline = baseline_of(project(reference, timestamp=None, keys=""))

    assert baseline.history.windows == ()
    assert baseline.history.counts["level", None].sum(axis=-1).tolist() == [300] * BLOCKS


# Verdicts that know what is usual ---------------------------------------------------------------------------------------


def test_a_wobble_of_every_day_is_usual_and_does_not_alert(project, store):
    """Days wobble by 0.3 standard deviations: far beyond chance, beyond the threshold, and nothing new."""
    live = days(20, start=date(2024, 3, 1), rows=5_000, wobble=0.3)
    monitor = project(days(45, rows=5_000, wobble=0.3), live)
    build_baseline(monitor, store, now=NOW)

    results = [check(monitor, store, date(2024, 3, 1) + timedelta(days=d)) for d in range(20)]

    level = [result["level"] for result in results]
    assert sum(column.scores.p_iid < 1e-6 for column in level) >= 15, "chance alone would call these drift"
    assert sum(max(column.scores.lower_bound, column.scores.lower_bound_reverse) > 0.02 for column in level) >= 5
    assert sum(column.status.breach for column in level) <= 4
    assert {column.scores.calibrated for column in level} == {True}
    assert {column.calibration for column in level} == {"calibrated on 45 windows of the reference"}
    assert not any(result["steady"].status.breach for result in results)


def test_what_is_beyond_the_usual_alerts(project, store):
    monitor = project(days(45, rows=5_000, wobble=0.1), day_rows(date(2024, 3, 1), rows=5_000, shift=0.8))
    build_baseline(monitor, store, now=NOW)

    column = check(monitor, store, date(2024, 3, 1))["level"]

    assert column.status == "critical"
    assert column.scores.kl > column.scores.usual_limit > column.scores.noise_floor


@pytest.mark.parametrize(
    ("count", "timestamp", "says"),
    [
        (6, "time", "chance only: the reference has 6 windows of at least 100 rows, calibration needs 7"),
        (
            10,
            None,
            "not calibrated: the reference has no timestamp, 20 consecutive blocks of its rows stand for windows",
        ),
    ],
)
def test_a_verdict_that_is_not_calibrated_says_why(project, store, count, timestamp, says):
    reference = days(count)
    monitor = project(reference if timestamp else reference.drop(columns=["time"]), timestamp=timestamp)
    build_baseline(monitor, store, now=NOW)

    column = check(monitor, store, JANUARY)["level"]

    assert not column.scores.calibrated
    assert column.calibration == says
    assert (column.scores.p_history is None) == (timestamp is not None)


def test_rows_too_few_for_a_verdict_do_not_make_windows_either(project, store):
    monitor = project(days(10, rows=80), day_rows(JANUARY, rows=500))
    build_baseline(monitor, store, now=NOW)

    assert "0 windows of at least 100 rows" in check(monitor, store, JANUARY)["level"].calibration


def test_windows_that_alerted_teach_a_later_baseline_nothing(project, store):
    march = date(2024, 3, 1)
    live = pd.concat([days(12, start=march), days(2, start=march + timedelta(days=12), shift=1.5)])
    monitor = project(days(20), live)
    build_baseline(monitor, store, now=NOW)
    for _ in backfill(monitor, store, [window(march + timedelta(days=d)) for d in range(14)]):
        pass

    later, promoted = build_baseline(project(live, live), store, promote=True, now=NOW)

    rows = later.history.counts["level", None].sum(axis=-1)
    assert promoted
    assert rows.tolist() == [600] * 12 + [0, 0]
    assert later.history.counts["steady", None].sum(axis=-1).tolist() == [600] * 14, "only the column that alerted"
    assert later.reference.rows == 14 * 600


def test_a_baseline_of_the_new_normal_learns_from_it(project, store):
    """Twelve days drift from the old baseline; somebody accepts that, and builds the next baseline of them."""
    march = date(2024, 3, 1)
    live = days(12, start=march, shift=1.5)
    monitor = project(days(20), live)
    build_baseline(monitor, store, now=NOW)
    for d in range(12):
        assert check(monitor, store, march + timedelta(days=d))["level"].status == "critical"

    later, _ = build_baseline(project(live, live), store, promote=True, now=NOW)

    assert later.history.counts["level", None].sum(axis=-1).tolist() == [600] * 12


# What stands beside the verdict -----------------------------------------------------------------------------------------


def test_a_creep_becomes_sustained_drift_and_single_bad_days_do_not(project, store):
    march = date(2024, 3, 1)
    creep = pd.concat([day_rows(march + timedelta(days=d), rows=2_000, shift=0.03 * d) for d in range(20)])
    monitor = project(days(30, rows=2_000), creep)
    build_baseline(monitor, store, now=NOW)

    results = [check(monitor, store, march + timedelta(days=d)) for d in range(20)]

    drifting = [result["level"].sustained.drifting for result in results]
    assert not any(drifting[:7])
    assert all(drifting[16:])
    assert not any(result["steady"].sustained.drifting for result in results)
    assert [result["level"].sustained.windows for result in results] == list(range(1, 21))


def test_windows_outside_the_schedule_do_not_count_towards_sustained_drift(project, store):
    march = date(2024, 3, 1)
    monitor = project(days(20), days(3, start=march))
    build_baseline(monitor, store, now=NOW)
    check(monitor, store, march)

    half = Window(window(march).start, window(march).start + timedelta(hours=12))
    by_hand = run_check(monitor, store, half, now=NOW)
    next_day = check(monitor, store, march + timedelta(days=1))

    assert by_hand["level"].sustained is None
    assert by_hand["level"].calibration.endswith("are of 24 h, this one of 12 h")
    assert not by_hand["level"].scores.calibrated
    assert next_day["level"].sustained.windows == 2


def test_a_cause_and_quality_problems_are_stored_with_the_result(project, store):
    live = day_rows(date(2024, 3, 1), rows=3_000)
    live["level"] *= 1000
    live.loc[:300, "steady"] = np.nan
    live.loc[:200, "country"] = "PL"
    monitor = project(days(20), live)
    build_baseline(monitor, store, now=NOW)

    made = check(monitor, store, date(2024, 3, 1))
    [kept] = store.load_checks("shop")

    for result in (made, kept):
        assert result["level"].hint == "values look multiplied by 1000"
        assert [str(problem.check) for problem in result["steady"].problems] == ["missing"]
        assert result["country"].new == (("PL", 201),)
        assert [str(problem.check) for problem in result["country"].problems] == ["novel"]


def test_any_order_of_windows_leaves_the_same_results(project, tmp_path):
    march = date(2024, 3, 1)
    live = pd.concat([day_rows(march + timedelta(days=d), rows=800, shift=0.04 * d) for d in range(12)])
    monitor = project(days(20, rows=800), live, keys="segments: [country]")
    order = np.random.default_rng(3).permutation(12).tolist()
    found = []
    for name, sequence in (("ordered", range(12)), ("shuffled", [*order, *order[:4]])):
        with Store.open(f"sqlite:///{tmp_path}/{name}.db") as store:
            build_baseline(monitor, store, now=NOW)
            for d in sequence:
                check(monitor, store, march + timedelta(days=d))
            found.append(store.load_checks("shop"))

    assert found[0] == found[1]
    assert len(found[0]) == 12
    assert any(column.sustained.drifting for column in found[0][0].columns)

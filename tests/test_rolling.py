"""Rolling windows: sums of stored counts of steps that are what one reading of all their rows gives, and read new rows only."""

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from driftmon.config import load_monitor
from driftmon.config.windows import Rolling
from driftmon.core.check import check
from driftmon.core.rolling import rolled
from driftmon.core.window import Window
from driftmon.errors import ConfigError, DataNotReady, SourceError
from driftmon.pipeline import backfill, build_baseline, live_source, policy_of, run_check
from driftmon.reference import baseline_of
from driftmon.schedule import Schedule
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource
from driftmon.store.store import Store
from driftmon.validation import report_on

NOW = datetime(2025, 1, 1, tzinfo=UTC)
MARCH = date(2024, 3, 1)
DAYS = 14
"""Days of live rows, from the first of March."""


def day_rows(day, *, rows=200, shift=0.0):
    """A day of orders, with missing values, new categories and a rare one."""
    rng = np.random.default_rng((day - date(2024, 1, 1)).days)
    start = pd.Timestamp(day, tz="UTC")
    level = np.round(rng.normal(shift, 1, rows), 2)
    level[rng.random(rows) < 0.03] = np.nan
    return pd.DataFrame(
        {
            "time": start + pd.to_timedelta(np.sort(rng.integers(0, 86_400, rows)), unit="s"),
            "level": level,
            "country": rng.choice(["DE", "FR", "PL", f"new{day.day % 3}"], rows, p=[0.5, 0.3, 0.1, 0.1]),
        }
    )


def number_of_rows(day):
    """No rows on the fourth of March, and more and more after it."""
    return 0 if day == MARCH + timedelta(days=3) else 150 + 10 * day.day


@cache
def live_days():
    return [day_rows(MARCH + timedelta(days=n), rows=number_of_rows(MARCH + timedelta(days=n))) for n in range(DAYS)]


def week(last, *, days=7):
    """The window of so many days that ends with a day of March, counted from 0."""
    end = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=last + 1)
    return Window(end - timedelta(days=days), end)


PLACES = {
    "one file": "path: live.parquet, timestamp: time",
    "a file a day": "path: 'live/{start:%Y-%m-%d}.parquet'",
    "a file a day and a timestamp": "path: 'live/{start:%Y-%m-%d}.parquet', timestamp: time",
}


class Project:
    """A folder with a reference, live rows in one file and in one a day, and monitors of them."""

    def __init__(self, folder, *, reference_days=60):
        self.folder = folder
        (folder / "monitors").mkdir()
        (folder / "live").mkdir()
        reference = [day_rows(date(2024, 1, 1) + timedelta(days=n), rows=150) for n in range(reference_days)]
        reference = pd.concat(reference).replace({"country": {f"new{n}": "rare" for n in range(3)}})
        reference.to_parquet(folder / "reference.parquet", row_group_size=1_000, index=False)
        for number, rows in enumerate(live_days()):
            self.write(number, rows)
        self.write_all(live_days())

    def write(self, number, rows):
        rows.to_parquet(self.folder / "live" / f"{MARCH + timedelta(days=number)}.parquet", index=False)

    def write_all(self, days):
        pd.concat(days).to_parquet(self.folder / "live.parquet", index=False)

    def monitor(self, place="one file", *, keys="window: 7d\nsegments: [country]\n", live=None):
        path = self.folder / "monitors" / "shop.yaml"
        path.write_text(
            "reference: {path: reference.parquet, timestamp: time}\n"
            f"live: {{{live or PLACES[place]}}}\nmin_rows: 50\n{keys}",
        )
        return load_monitor(path)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A project that no test changes."""
    return Project(tmp_path_factory.mktemp("quiet"))


@pytest.fixture
def store(tmp_path, upgraded_sqlite):
    copy = shutil.copy(upgraded_sqlite, tmp_path / "results.db")
    with Store.open(f"sqlite:///{copy}") as opened:
        yield opened


class RowsRead:
    """Somebody who watches: counts the rows that were read, in any number of checks."""

    def __init__(self):
        self.total = 0
        self._last = 0

    def __call__(self, rows, _total):
        self.total += rows - self._last
        self._last = rows

    def again(self):
        """The next check begins to count at nothing."""
        self.total, self._last = 0, 0
        return self


def numbers(result):
    """All of a check that counts make."""
    return [
        (column.column, column.segment, column.status, column.reason, column.live, column.scores, column.new)
        for column in result.columns
    ]


def at_once(project, baseline, window):
    """The check of the same rows, read in one piece from the one file, whatever is stored."""
    daily = project.monitor(keys="segments: [country]\n")
    profile = live_source(daily).count(baseline.columns, window, segments=baseline.segments)
    return check(baseline, profile, policy=policy_of(daily), monitor=("shop", "shop"), window=window)


# Laws ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected(quiet):
    """The baseline, and the check of each week at once."""
    baseline = baseline_of(quiet.monitor())
    return baseline, {last: at_once(quiet, baseline, week(last)) for last in range(DAYS)}


@settings(max_examples=10, phases=[Phase.explicit, Phase.generate])  # a smaller example is not worth minutes
@given(
    place=st.sampled_from(sorted(PLACES)),
    order=st.lists(st.integers(6, DAYS - 1), min_size=1, max_size=8),
    forgotten=st.integers(0, 3),
)
def test_a_rolling_check_is_the_check_of_the_same_rows_at_once(
    quiet, expected, upgraded_sqlite, tmp_path_factory, place, order, forgotten
):
    """Whatever is stored already, in whatever order days are checked, once or again."""
    baseline, wanted = expected
    monitor = quiet.monitor(place)
    copy = shutil.copy(upgraded_sqlite, tmp_path_factory.mktemp("law") / "results.db")
    with Store.open(f"sqlite:///{copy}") as store:
        store.save_baseline("shop", baseline, now=NOW)
        store.promote("shop", baseline.id, now=NOW)
        for number, last in enumerate(order):
            if number == forgotten:
                forget_steps(f"sqlite:///{copy}", later_than=week(last).start + timedelta(days=2))

            result = run_check(monitor, store, week(last), now=NOW)

            assert numbers(result) == numbers(wanted[last])
            assert result.live_rows == wanted[last].live_rows


def forget_steps(url, *, later_than):
    with closing(create_engine(url).connect()) as connection:
        connection.execute(
            text("DELETE FROM driftmon_step_counts WHERE window_start > :instant"),
            {"instant": later_than.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        )
        connection.commit()


def test_every_results_database_sums_alike(quiet, expected, results_database):
    baseline, wanted = expected
    monitor = quiet.monitor("a file a day")
    with Store.open(results_database) as store:
        store.save_baseline("shop", baseline, now=NOW)
        store.promote("shop", baseline.id, now=NOW)

        for last in (9, 7, 8, 13, 9):
            assert numbers(run_check(monitor, store, week(last), now=NOW)) == numbers(wanted[last])

        assert [result.window for result in store.load_checks("shop")] == [week(last) for last in (13, 9, 8, 7)]


@given(st.lists(st.lists(st.sampled_from([0.0, 1.5, 2.5, 1e6, None]), max_size=200), min_size=1, max_size=4))
def test_what_is_kept_of_values_stays_itself_in_a_sum_of_one_and_is_within_them_in_a_sum_of_many(parts):
    learnt = MemorySource({"x": np.linspace(0, 3, 1_000)}).learn(Selection())
    profiles = [MemorySource({"x": np.array(part, dtype=np.float64)}).count(learnt.columns) for part in parts]

    total = rolled({week(number, days=1): profile for number, profile in enumerate(profiles)})

    assert total.rows == sum(profile.rows for profile in profiles)
    assert rolled({week(0, days=1): profiles[0]}) == profiles[0]
    clues = total.clues.get("x")
    if clues is not None:
        values = {value for part in parts for value in part if value is not None}
        assert {value for value, _ in clues.peaks} | set(clues.deciles) | set(clues.outside) <= values
        assert sum(rows for _, rows in clues.peaks) <= clues.rows + len(clues.peaks)


schedules = st.builds(
    Schedule,
    st.sampled_from(["@daily", "30 2 * * *", "0 */6 * * *", "@weekly", "6h"]),
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin"]),
)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))


@settings(max_examples=25)
@given(schedules, st.integers(2, 9), instants)
def test_each_row_of_a_window_is_in_one_of_its_steps_also_where_clocks_change(schedule, steps, instant):
    windows = Rolling(schedule, steps)

    window = windows.containing(instant)
    parts = windows.parts(window)

    assert windows.has(window)
    assert len(parts) == steps
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)
    assert all(one.end == two.start for one, two in pairwise(parts))
    assert windows.last_step(window) == schedule.containing(instant)
    assert next(windows.starting(window.start)) == window
    assert windows.newest_complete(window.end) == window


# What is read ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["a file a day", "a file a day and a timestamp"])
def test_only_the_new_day_is_read(project, store, place):
    monitor = project.monitor(place)
    build_baseline(monitor, store, now=NOW)
    read = RowsRead()
    first = run_check(monitor, store, week(9), progress=read, now=NOW)
    assert read.total == first.live_rows, "nothing is known yet: each day of the week is read once"

    run_check(monitor, store, week(10), progress=read.again(), now=NOW)

    assert read.total == len(live_days()[10])


def test_a_backfill_reads_each_day_once(project, store):
    monitor = project.monitor("a file a day")
    build_baseline(monitor, store, now=NOW)
    read = RowsRead()

    rows = []

    for last in range(6, DAYS):
        [step] = backfill(monitor, store, [week(last)], progress=read.again())
        assert step.error is None
        rows.append(read.total)

    assert rows == [sum(map(len, live_days()[:7])), *map(len, live_days()[7:])]


def test_rows_that_came_late_count_once_their_day_is_checked_again(project, store):
    monitor = project.monitor()
    build_baseline(monitor, store, now=NOW)
    list(backfill(monitor, store, [week(last) for last in range(8, 12)]))
    late = [*live_days()]
    late[8] = pd.concat([late[8], day_rows(MARCH + timedelta(days=8), rows=40, shift=3.0)])
    project.write_all(late)

    kept = run_check(monitor, store, week(9), now=NOW)
    of_the_day = run_check(monitor, store, week(8), now=NOW)
    after = [run_check(monitor, store, week(last), now=NOW) for last in (9, 10, 11)]

    baseline = store.load_baseline("shop")
    assert kept.live_rows == sum(map(len, live_days()[3:10])), "the eighth was not read again"
    assert numbers(of_the_day) == numbers(at_once(project, baseline, week(8)))
    assert [numbers(result) for result in after] == [
        numbers(at_once(project, baseline, week(last))) for last in (9, 10, 11)
    ]


def test_another_baseline_and_another_place_are_counted_anew(project, store):
    monitor = project.monitor("a file a day")
    build_baseline(monitor, store, now=NOW)
    run_check(monitor, store, week(9), now=NOW)
    longer = project.monitor("a file a day", keys="window: 7d\ncolumns: {features: [level]}\n")
    build_baseline(longer, store, promote=True, now=NOW)
    read = RowsRead()

    one = run_check(longer, store, week(9), progress=read, now=NOW)
    moved = project.monitor(live=PLACES["one file"], keys="window: 7d\ncolumns: {features: [level]}\n")
    project.write_all(live_days()[:9])
    two = run_check(moved, store, week(9), now=NOW)

    assert read.total == one.live_rows == sum(map(len, live_days()[3:10]))
    assert two.live_rows == sum(map(len, live_days()[3:9]))


def test_a_day_whose_file_has_not_come_is_waited_for_and_the_others_are_kept(project, store):
    monitor = project.monitor("a file a day")
    build_baseline(monitor, store, now=NOW)
    late = project.folder / "live" / "2024-03-09.parquet"
    late.rename(late.with_suffix(".later"))
    with pytest.raises(DataNotReady, match="2024-03-09"):
        run_check(monitor, store, week(10), now=NOW)
    late.with_suffix(".later").rename(late)
    read = RowsRead()

    result = run_check(monitor, store, week(10), progress=read, now=NOW)

    assert result.live_rows == sum(map(len, live_days()[4:11]))
    # The ones before it were read; those after it were not, and the newest always is.
    assert read.total == sum(len(live_days()[number]) for number in (8, 9, 10))


def test_a_broken_day_fails_the_checks_that_include_it_and_says_so(project, store):
    monitor = project.monitor("a file a day")
    build_baseline(monitor, store, now=NOW)
    (project.folder / "live" / "2024-03-09.parquet").write_bytes(b"PAR1 and no more")

    steps = list(backfill(monitor, store, [week(last) for last in (7, 8, 13)]))

    assert [step.error is None for step in steps] == [True, False, False]
    assert isinstance(steps[1].error, SourceError)
    assert "2024-03-09.parquet" in str(steps[2].error)
    assert store.last_failure("shop").window == week(13)


def test_a_column_that_is_gone_on_one_day_has_no_total_and_says_which_day(project, store):
    monitor = project.monitor("a file a day")
    build_baseline(monitor, store, now=NOW)
    project.write(8, live_days()[8].drop(columns="level"))

    result = run_check(monitor, store, week(10), now=NOW)

    assert result["level"].status == "schema_changed"
    assert "(2024-03-09T00:00:00Z/2024-03-10T00:00:00Z)" in result["level"].reason
    assert result["country"].status.evaluated


def test_windows_by_hand_are_read_as_they_are_and_kept_nowhere(project, store):
    monitor = project.monitor("a file a day")
    build_baseline(monitor, store, now=NOW)
    run_check(monitor, store, week(10), now=NOW)
    read = RowsRead()

    result = run_check(monitor, store, week(9, days=3), progress=read, now=NOW)

    assert result.live_rows == read.total == sum(map(len, live_days()[7:10]))
    assert result["level"].sustained is None, "no window of the monitor"


# What is usual, and what lasts -----------------------------------------------------------------------------------------


def test_the_history_is_of_weeks_that_share_no_row(project):
    history = baseline_of(project.monitor()).history

    assert [window.end - window.start for window in history.windows] == [timedelta(days=7)] * 8
    assert all(one.end == two.start for one, two in pairwise(history.windows))
    assert history.windows[-1].end == datetime(2024, 3, 1, tzinfo=UTC), "the newest day counts, the oldest four do not"
    assert history.counts["level", None].sum(axis=-1).tolist() == [7 * 150] * 8


def test_a_reference_too_short_for_weeks_is_cut_in_shorter_windows_and_verdicts_say_so(tmp_path, store):
    project = Project(tmp_path, reference_days=30)
    monitor = project.monitor()

    baseline, _ = build_baseline(monitor, store, now=NOW)
    result = run_check(monitor, store, week(10), now=NOW)

    assert {window.end - window.start for window in baseline.history.windows} == {timedelta(days=4)}
    assert not result["level"].scores.calibrated
    assert result["level"].calibration == (
        "not calibrated: the 7 windows of the reference are of 4 days, this one of 7 days"
    )
    assert any("widen the reference to 49 steps" in line for line in report_on(monitor, now=NOW).lines())


def test_sustained_drift_looks_back_on_weeks_that_share_no_row(project, store):
    days = [day_rows(MARCH + timedelta(days=n), rows=100, shift=0.8) for n in range(30)]
    project.write_all(days)
    monitor = project.monitor()
    build_baseline(monitor, store, now=NOW)

    results = [step.result for step in backfill(monitor, store, [week(last) for last in range(6, 30)])]

    windows = [result["level"].sustained.windows for result in results]
    assert windows == [1] * 7 + [2] * 7 + [3] * 7 + [4] * 3
    assert [result["level"].sustained.drifting for result in results] == [False] * 14 + [True] * 10


def test_causes_are_named_in_sums_too(project, store):
    days = [replace_level(day, lambda level: level * 1000 + 7) for day in live_days()]
    project.write_all(days)
    monitor = project.monitor()
    build_baseline(monitor, store, now=NOW)

    column = run_check(monitor, store, week(10), now=NOW)["level"]

    assert column.status == "critical"
    assert column.hint == "values look multiplied by 1000"


def replace_level(day, change):
    return day.assign(level=change(day["level"]))


# The monitor's windows -------------------------------------------------------------------------------------------------


def test_windows_end_with_each_step_and_a_stale_monitor_is_one_that_misses_a_step(quiet):
    monitor = quiet.monitor(keys="window: 7d\ndata_delay: 2h\ntimezone: America/New_York\n", live=PLACES["one file"])
    now = datetime(2024, 3, 12, 7, tzinfo=UTC)

    newest = monitor.newest_window(now)

    assert newest == Window(datetime(2024, 3, 5, 5, tzinfo=UTC), datetime(2024, 3, 12, 4, tzinfo=UTC))
    assert newest.end - newest.start == timedelta(days=7, hours=-1), "clocks were moved on the tenth"
    assert monitor.windows.has(newest)
    assert monitor.windows.containing(datetime(2024, 3, 11, 12, tzinfo=UTC)) == newest
    assert monitor.last_step(newest).start == datetime(2024, 3, 11, 4, tzinfo=UTC)
    assert monitor.max_window_age(now) < timedelta(days=2)


def test_the_first_window_of_the_live_data_begins_with_them(quiet):
    live = "path: live.parquet, timestamp: time, start: '2024-03-01', end: '2024-03-12'"
    monitor = quiet.monitor(live=live)

    windows = list(monitor.scheduled_windows(NOW))

    assert windows == [week(last) for last in range(6, 11)]
    assert monitor.last_end == week(10).end


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("window: 36h", "'36h' is not a whole multiple of the step of schedule '@daily', 1d; expected for example 1d"),
        ("window: week", "'week' is not a duration such as 30m, 6h, 1d or 2w"),
        ("schedule: '@monthly'\nwindow: 7d", "steps of schedule '@monthly', which are of 28d to 31d"),
        ("schedule: 1h\nwindow: 60d", "'60d' is 1,440 steps of schedule '1h'; at most 400 are summed"),
    ],
)
def test_a_window_that_is_no_sum_of_steps_is_refused(quiet, keys, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        quiet.monitor(keys=f"{keys}\n")


def test_a_window_of_one_step_is_no_rolling_window(quiet):
    monitor = quiet.monitor(keys="window: 1d\n")

    assert monitor.rolling is None
    assert monitor.windows == monitor.steps


@pytest.mark.parametrize("path", ["live/{start}.parquet", "live/{end:x}.parquet"])
def test_a_placeholder_that_says_not_how_time_is_written_is_refused(quiet, path):
    with pytest.raises(ConfigError, match="says not how its time is written; expected a format, such as"):
        quiet.monitor(live=f"path: '{path}'")


def test_validate_says_of_what_a_window_is_the_sum(quiet):
    report = report_on(quiet.monitor("a file a day"), now=datetime(2024, 3, 13, tzinfo=UTC))

    assert report.rows == sum(map(len, live_days()[5:12]))
    assert (
        "  rolling    each check is of the last 7 steps of schedule @daily, 7d together, and reads the newest"
        in report.lines()
    )
    assert (
        "  usual      8 whole windows of the reference tell how much the columns move by themselves" in report.lines()
    )


def test_two_days_in_a_row_are_not_called_two_weeks(project, store):
    project.write_all([day_rows(MARCH + timedelta(days=n), shift=1.5) for n in range(DAYS)])
    monitor = project.monitor()
    build_baseline(monitor, store, now=NOW)
    for last in (7, 8, 9):
        run_check(monitor, store, week(last), now=NOW)

    [finding] = [
        each for each in store.monitor_snapshot("shop").findings if each.column == "level" and not each.segment
    ]

    assert "(3 overlapping windows)" in finding.text


def test_profiles_come_back_as_they_were(quiet, store):
    monitor = quiet.monitor()
    baseline, _ = build_baseline(monitor, store, now=NOW)
    profile = live_source(monitor).count(baseline.columns, week(5, days=1), segments=baseline.segments)
    problem = replace(profile, problems={"level": "gone \ud800"}, histograms={"country": profile.histograms["country"]})

    for window, kept in ((week(5, days=1), profile), (week(6, days=1), problem)):
        store.save_step("shop", baseline, window, kept, place="here", now=NOW)

    assert store.load_steps("shop", baseline, [week(5, days=1), week(6, days=1), week(7, days=1)], place="here") == {
        week(5, days=1): profile,
        week(6, days=1): problem,
    }
    assert store.load_steps("shop", baseline, [week(5, days=1)], place="there") == {}

"""Windows of a schedule: the same as Airflow's data intervals, each instant in exactly one."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.window import Window
from driftmon.schedule import GRID_ORIGIN, Schedule, parse_duration

EXPRESSIONS = ["@hourly", "@daily", "@weekly", "@monthly", "0 6 * * 1-5", "*/15 * * * *", "30 1 * * *", "30 2 * * *"]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]
LORD_HOWE = "Australia/Lord_Howe"
EVERY_HOUR = {"@hourly", "*/15 * * * *"}
schedules = st.one_of(
    st.builds(Schedule, st.sampled_from(EXPRESSIONS), st.sampled_from(ZONES[:3])),
    st.builds(Schedule, st.sampled_from(sorted({*EXPRESSIONS} - EVERY_HOUR)), st.just(LORD_HOWE)),
    st.builds(Schedule, st.sampled_from(["15m", "6h", "1d", "2w"])),
)
instants = st.datetimes(datetime(2012, 1, 1), datetime(2027, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))


def _spans(expression, year):
    """The whole year, or for windows of an hour and less the weeks in which clocks change."""
    if expression not in {"@hourly", "*/15 * * * *"}:
        return [(datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))]
    changes = {2013: [(3, 9), (3, 30), (10, 26), (11, 2)], 2026: [(3, 7), (3, 28), (10, 24), (10, 31)]}
    starts = [datetime(year, month, day, tzinfo=UTC) for month, day in changes[year]]
    return [(start, start + timedelta(days=2)) for start in starts]


@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("year", [2013, 2026])
def test_windows_are_the_data_intervals_of_airflow(expression, timezone, year):
    from airflow.timetables.interval import CronDataIntervalTimetable

    if timezone == LORD_HOWE and expression in EVERY_HOUR:
        return  # refused: see test_hours_where_clocks_change_by_half_an_hour_are_refused
    for start, end in _spans(expression, year):
        expected = list(_intervals(CronDataIntervalTimetable(expression, timezone=timezone), start, end))

        windows = list(Schedule(expression, timezone).between(start, end))

        assert [(window.start, window.end) for window in windows] == expected


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_windows_of_a_duration_are_the_data_intervals_of_airflow(hours):
    from airflow.timetables.interval import DeltaDataIntervalTimetable

    start, end = GRID_ORIGIN, GRID_ORIGIN + timedelta(days=10)
    expected = list(_intervals(DeltaDataIntervalTimetable(timedelta(hours=hours)), start, end))

    windows = list(Schedule(f"{hours}h").between(start, end))

    assert [(window.start, window.end) for window in windows] == expected


@pytest.mark.parametrize("duration", ["90m", "5h", "6h", "2d", "1w"])
def test_the_newest_window_of_a_duration_is_the_one_that_airflow_begins_with(duration):
    import pendulum
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.interval import DeltaDataIntervalTimetable

    restriction = TimeRestriction(earliest=pendulum.datetime(2000, 1, 1), latest=None, catchup=False)
    now = datetime.now(UTC)
    first = DeltaDataIntervalTimetable(parse_duration(duration)).next_dagrun_info(
        last_automated_data_interval=None, restriction=restriction
    )
    assert first is not None

    newest = Schedule(duration).newest_complete(now)

    # The clock may pass a boundary between the two.
    assert first.data_interval.start in {newest.start, newest.end}
    assert first.data_interval.end - first.data_interval.start == newest.end - newest.start


def _intervals(timetable, start, end):
    import pendulum
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=pendulum.instance(start), latest=pendulum.instance(end), catchup=True)
    interval = None
    while True:
        info = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        if info is None or info.data_interval.end > end:
            return
        interval = info.data_interval
        yield interval.start, interval.end


@given(schedules, instants)
def test_every_instant_is_in_the_window_that_contains_it(schedule, instant):
    window = schedule.containing(instant)

    assert window.start <= instant < window.end


@given(schedules, instants)
def test_consecutive_windows_leave_no_gap(schedule, instant):
    windows = [window for window, _ in zip(schedule.starting(instant), range(50), strict=False)]

    assert all(one.end == two.start for one, two in pairwise(windows))


@given(schedules, instants)
def test_the_newest_complete_window_is_the_one_before_the_current(schedule, instant):
    newest = schedule.newest_complete(instant)

    assert newest.end <= instant < newest.end + schedule.longest(newest.end) + timedelta(days=1)
    assert newest.end == schedule.containing(instant).start


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2013, 3, 10), 23), (datetime(2013, 11, 3), 25), (datetime(2013, 5, 1), 24)]
)
def test_a_new_york_day_has_as_many_hours_as_the_clock_shows(day, hours):
    zone = ZoneInfo("America/New_York")

    window = Schedule("@daily", "America/New_York").containing(day.replace(hour=12, tzinfo=zone))

    assert window.end - window.start == timedelta(hours=hours)
    assert window.start.astimezone(zone).date() == day.date()


@pytest.mark.parametrize("expression", sorted(EVERY_HOUR))
def test_hours_where_clocks_change_by_half_an_hour_are_refused(expression):
    with pytest.raises(ValueError, match="whose clocks change by part of an hour; use timezone UTC"):
        Schedule(expression, LORD_HOWE)


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "6 h", "1.5h", "6y"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize("expression", ["", "daily", "@dayly", "61 * * * *", "* * *"])
def test_what_is_no_schedule_is_refused(expression):
    with pytest.raises(ValueError, match="neither a cron expression"):
        Schedule(expression)


@pytest.mark.parametrize("expression", ["30 2 * * *", "@daily", "@hourly", "0 */6 * * *"])
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "UTC"])
def test_every_instant_has_a_window_also_where_clocks_change(expression, zone):
    schedule = Schedule(expression, zone)
    for month, day in ((3, 9), (3, 30), (10, 26), (11, 2)):
        for minutes in range(0, 48 * 60, 25):
            instant = datetime(2025, month, day, tzinfo=UTC) + timedelta(minutes=minutes - 12 * 60)

            window = schedule.containing(instant)

            assert instant < window.end
            assert schedule.has(window)
            assert window.start <= instant or window.start - instant < timedelta(hours=26), "some hours are left out"


def test_a_schedule_knows_its_own_windows():
    schedule = Schedule("@daily", "America/New_York")
    day = schedule.containing(datetime(2025, 5, 1, 12, tzinfo=UTC))

    assert schedule.has(day)
    assert not schedule.has(Window(day.start, day.start + timedelta(hours=12)))
    assert not schedule.has(Window(day.start + timedelta(hours=1), day.end))


def test_a_window_is_found_on_the_day_that_skips_its_reading_of_the_clock():
    """At 02:30 New York's clocks showed 03:30: the windows around it are those on either side."""
    schedule = Schedule("30 2 * * *", "America/New_York")
    skipped = datetime(2025, 3, 9, 7, 7, tzinfo=UTC)

    window = schedule.containing(skipped)

    assert window == Window(datetime(2025, 3, 8, 7, 30, tzinfo=UTC), datetime(2025, 3, 9, 7, 30, tzinfo=UTC))
    assert schedule.newest_complete(skipped).end == window.start

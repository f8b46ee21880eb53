"""Naive timestamps, days of 23 and 25 hours, and windows that make no sense: every row in exactly one window, or a clear line."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import driftmon
from driftmon.core.window import Window
from driftmon.errors import UsageError
from tests.acceptance.observed import rows_in

NEW_YORK = ZoneInfo("America/New_York")
STEP = timedelta(minutes=10)
WEEKS = {"spring": date(2024, 3, 6), "autumn": date(2024, 10, 30)}
"""Weeks whose fifth day has 23 hours, and 25."""

MONITOR = """
timezone: {zone}
schedule: "{schedule}"
min_rows: 1
reference: {{path: {path}, timestamp: time}}
live: {{path: {path}, timestamp: time}}
columns: {{features: [x]}}
"""


def instants(first):
    """Every ten minutes of the eight local days from `first` on, in UTC."""
    moment = datetime.combine(first, datetime.min.time(), NEW_YORK).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=8), datetime.min.time(), NEW_YORK).astimezone(UTC)
    while moment < end:
        yield moment
        moment += STEP


def clocks(moments, *, naive):
    """The moments as a column: UTC instants, or what the clocks of New York showed."""
    if naive:
        return [moment.astimezone(NEW_YORK).replace(tzinfo=None, fold=0) for moment in moments]
    return moments


def write(folder, moments, form):
    """The moments as rows of a file; gives its path."""
    file_format, _, meaning = form.partition(" ")
    rows = pd.DataFrame({"time": clocks(moments, naive=meaning == "naive"), "x": np.arange(len(moments)) % 7})
    path = folder / f"rows.{file_format}"
    rows.to_csv(path, index=False) if file_format == "csv" else rows.to_parquet(path, index=False)
    return path


def backfill(project, form, *, season, schedule, zone="America/New_York", skipped=0, days=8):
    """Every window of those days of the week as JSON; the moments that were written, of the whole week."""
    moments = list(instants(WEEKS[season]))
    first = WEEKS[season] + timedelta(days=skipped)
    path = write(project.folder, moments, form)
    (project.folder / "monitors").mkdir()
    (project.folder / "monitors" / "week.yaml").write_text(MONITOR.format(zone=zone, schedule=schedule, path=path))
    assert project.run("baseline", "build", "week").status == 0
    run = project.run(
        "backfill", "week", "--start", str(first), "--end", str(first + timedelta(days=days)), "--format", "json"
    )
    assert run.status == 0, run.err
    return run.json, moments


def rows_by_start(results):
    return {datetime.fromisoformat(r["window"]["start"]).astimezone(NEW_YORK): r["rows"]["live"] for r in results}


@pytest.mark.parametrize("form", ["parquet aware", "parquet naive", "csv aware", "csv naive"])
@pytest.mark.parametrize("season", ["spring", "autumn"])
def test_every_row_of_a_week_with_a_change_of_the_clocks_is_in_the_window_of_its_local_day(empty_project, season, form):
    results, moments = backfill(empty_project, form, season=season, schedule="@daily")

    days = Counter(moment.astimezone(NEW_YORK).date() for moment in moments)
    assert sorted(set(days.values())) == ([138, 144] if season == "spring" else [144, 150])
    assert {start.date(): rows for start, rows in rows_by_start(results).items()} == days
    hours = [
        (datetime.fromisoformat(r["window"]["end"]) - datetime.fromisoformat(r["window"]["start"])) for r in results
    ]
    assert hours[4] == timedelta(hours=23 if season == "spring" else 25)
    assert all(one["window"]["end"] == two["window"]["start"] for one, two in pairwise(results))


@pytest.mark.parametrize("season", ["spring", "autumn"])
def test_every_instant_of_a_day_of_23_or_25_hours_is_in_the_hour_that_it_happened_in(empty_project, season):
    results, _ = backfill(empty_project, "parquet aware", season=season, schedule="@hourly", skipped=4, days=1)

    assert len(results) == (23 if season == "spring" else 25)
    assert {result["rows"]["live"] for result in results} == {6}


@pytest.mark.parametrize("season", ["spring", "autumn"])
@pytest.mark.parametrize("schedule", ["@hourly", "6h", "30 2 * * *"])
def test_a_wall_clock_reading_is_in_exactly_one_window(empty_project, season, schedule):
    results, moments = backfill(empty_project, "parquet naive", season=season, schedule=schedule, skipped=3, days=3)

    first = datetime.fromisoformat(results[0]["window"]["start"])
    last = datetime.fromisoformat(results[-1]["window"]["end"])
    # A reading that the clocks showed twice means the first time.
    meant = [clock.replace(tzinfo=NEW_YORK).astimezone(UTC) for clock in clocks(moments, naive=True)]
    assert sum(result["rows"]["live"] for result in results) == sum(first <= moment < last for moment in meant)
    for result in results:
        start, end = (datetime.fromisoformat(result["window"][bound]) for bound in ("start", "end"))
        assert result["rows"]["live"] == sum(start <= moment < end for moment in meant)


def test_validate_says_that_timestamps_are_naive_and_how_they_are_read(empty_project):
    backfill(empty_project, "csv naive", season="spring", schedule="@daily")

    told = empty_project.run("validate", "week")
    content = empty_project.run("validate", "week", "--format", "json").json

    for side in ("reference", "live"):
        line = f"{side} timestamps carry no time zone: read as America/New_York"
        assert f"  time       {line}" in told.out.splitlines()
        assert line in content[0]["remarks"]


def test_validate_says_nothing_of_timestamps_that_carry_their_zone(empty_project):
    backfill(empty_project, "parquet aware", season="spring", schedule="@daily")

    assert "time zone" not in empty_project.run("validate", "week").out


def test_naive_timestamps_move_with_the_time_zone_of_the_monitor(empty_project):
    results, _ = backfill(empty_project, "parquet naive", season="spring", schedule="@daily", zone="UTC")

    # On a clock without daylight saving, the day of 23 hours has the rows of 23 hours and lasts 24.
    assert [result["rows"]["live"] for result in results] == [144] * 4 + [138] + [144] * 3
    assert {result["window"]["start"][11:] for result in results} == {"00:00:00Z"}


# --- windows -----------------------------------------------------------------------------------------------------------------

EXPECTED = "its end must be after its start"


@pytest.mark.parametrize("command", ["check", "backfill"])
def test_a_zero_length_window(refuse, command):
    refuse(
        command, "shop", "--start", "2024-02-01", "--end", "2024-02-01", status=2,
        says=f"window 2024-02-01T00:00:00Z/2024-02-01T00:00:00Z is empty: {EXPECTED}",
    )  # fmt: skip


@pytest.mark.parametrize("command", ["check", "backfill"])
def test_a_reversed_window(refuse, command):
    refuse(
        command, "shop", "--start", "2024-02-02", "--end", "2024-02-01", status=2,
        says=f"window 2024-02-02T00:00:00Z/2024-02-01T00:00:00Z is reversed: {EXPECTED}",
    )  # fmt: skip


def test_a_window_in_the_future(refuse, shop):
    refuse(
        "check", "shop", "--window", "2124-02-01", retryable=True,
        says=("shop: window 2124-02-01T00:00:00Z/2124-02-02T00:00:00Z is complete at 2124-02-02T00:00:00", "try again then"),
    )  # fmt: skip
    assert rows_in(shop.url)["driftmon_runs"] == 0, "waiting is not failing"


def test_a_window_that_is_not_over_yet(refuse):
    today = datetime.now(UTC).date()

    refuse("check", "shop", "--window", str(today + timedelta(days=1)), retryable=True, says="is complete at")


@pytest.mark.parametrize("text", ["", "tomorrow", "2024-13-01", "2024-02-30", "1706745600", "2024-02-01T25:00"])
def test_a_time_that_is_none(refuse, text):
    line = refuse(
        "check", "shop", "--window", text, status=2, says=f"--window {text!r} is not a date such as 2013-05-01"
    )

    assert line.endswith("or a time such as 2013-05-01T06:00:00Z")


@pytest.mark.parametrize("bounds", ["start: 2024-02-05, end: 2024-02-01", "start: 2024-02-01, end: 2024-02-01"])
def test_reversed_and_zero_length_bounds_of_a_monitor(shop, refuse, bounds):
    path = shop.folder / "monitors" / "shop.yaml"
    path.write_text(path.read_text().replace("timestamp: time}", f"timestamp: time, {bounds}}}"))

    refuse(
        "check",
        "shop",
        status=2,
        says=("monitors/shop.yaml: reference.start '2024-02-0", "is not before reference.end"),
    )


def test_a_window_without_a_time_zone_is_refused_in_python():
    with pytest.raises(UsageError, match="window start '2024-02-01T00:00:00' has no time zone; add one, such as"):
        Window(datetime(2024, 2, 1), datetime(2024, 2, 2, tzinfo=UTC))


def test_naive_times_in_memory_are_read_in_the_time_zone_that_is_given():
    clock = pd.DataFrame({"at": pd.date_range("2024-03-10", periods=2_000, freq="7min"), "x": np.arange(2_000) % 9})
    aware = clock.assign(at=clock["at"].dt.tz_localize("America/New_York", nonexistent="shift_forward", ambiguous=True))

    in_new_york = driftmon.compare(aware, clock, timezone="America/New_York")
    in_tokyo = driftmon.compare(aware, clock, timezone="Asia/Tokyo")

    assert in_new_york["at.weekday"].kl == 0
    assert in_tokyo["at.weekday"].kl > 0

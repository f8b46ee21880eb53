"""How the project is judged: numbers recomputed, rows counted by hand, laws at the sizes that were named, one result a window."""

import math
import random
import shutil
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from zipfile import ZipFile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import driftmon
from demo.flights import _source_files
from tests.acceptance.observed import rows_in, stored_results
from tests.acceptance.recomputed import adjusted, scores
from tests.acceptance.serving import serving
from tests.cli.conftest import rows_of

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def flights():
    """Real flights of 2013: January as reference, and 8 February (a snow storm) as live rows, with columns of every kind."""
    with ZipFile(_source_files()["flights"]) as archive, archive.open(archive.namelist()[0]) as file:
        rows = pd.read_csv(file, nrows=120_000)
    rows = rows[rows["month"].isin([1, 2, 10])]
    rows["scheduled"] = pd.to_datetime(rows["time_hour"], utc=True)
    whole = rows["dep_delay"].astype("Int16")
    kinds = {
        "dep_delay": rows["dep_delay"],  # floats with NaN for the cancelled
        "delay_int16": whole,  # nullable whole numbers
        "distance_uint16": rows["distance"].astype("uint16"),
        "distance_float32": rows["distance"].astype("float32") / 3,
        "fare": [Decimal(value).scaleb(-2) for value in (rows["distance"] * 13 + rows["minute"]).tolist()],
        "carrier": rows["carrier"],
        "dest": rows["dest"].astype("category"),
        "tailnum": rows["tailnum"],
        "cancelled": rows["dep_delay"].isna(),
        "late": (whole > 15).astype("boolean"),
        "origin": rows["origin"],
        "scheduled": rows["scheduled"],
        "day": rows["scheduled"].dt.tz_convert(ZONE).dt.date,
        "clock": rows["scheduled"].dt.tz_convert(ZONE).dt.time,
        "air_time": pd.to_timedelta(rows["air_time"], unit="min"),
        "constant": 7,
    }
    table = pd.DataFrame(kinds)
    january, storm = rows["month"] == 1, (rows["month"] == 2) & (rows["day"] == 8)
    return table[january].reset_index(drop=True), table[storm].reset_index(drop=True)


@pytest.fixture(scope="module")
def compared(flights):
    """The JSON of January against the storm."""
    return driftmon.compare(*flights, timezone=ZONE).to_json()


def close(number, expected):
    return math.isclose(number, expected, rel_tol=1e-9, abs_tol=1e-9)


# --- numbers -----------------------------------------------------------------------------------------------------------------


def agrees(result):
    """Check every number of a result against the recomputation from its bins."""
    alerting = [c for c in result["columns"] if c["rows"]["live"] >= 100 and c["rows"]["reference"] >= 200]
    q_values = dict(zip(map(id, alerting), adjusted([scores(c)["p_value"] for c in alerting]), strict=True))
    for column in result["columns"]:
        own = scores(column)
        for name, number in own.items():
            if name in {"missing", "rows"}:
                assert column[name] == pytest.approx(number, rel=1e-12), (column["column"], name)
            elif name == "contributions":
                assert all(close(item["contribution"], term) for item, term in zip(column["bins"], number, strict=True))
            elif number is None:
                assert column[name] is None, (column["column"], name)
            else:
                assert close(column[name], number), (column["column"], name, column[name], number)
        assert close(sum(item["contribution"] for item in column["bins"]), column["kl"])
        assert min(item["contribution"] for item in column["bins"]) >= 0
        expected = q_values.get(id(column))
        assert column["q_value"] is None if expected is None else close(column["q_value"], expected)
        if column["column"].endswith(".weekday") and column["p_history"] is None:
            assert column["status"] == "insufficient_data", "one day against weeks"
        else:
            assert column["status"] == verdict(column, own, expected)


def verdict(column, own, q_value):
    if q_value is None:
        return "insufficient_data"
    bound = max(own["lower_bound"], own["lower_bound_reverse"])
    if q_value > 0.05:
        return "ok"
    if own["p_iid"] > 1e-5:
        return "info"
    if bound > column["threshold"]["critical"]:
        return "critical"
    return "warning" if bound > column["threshold"]["warning"] else "info"


def test_every_number_is_what_its_bins_say(compared):
    assert {column["kind"] for column in compared["columns"]} == {"numeric", "categorical", "boolean", "datetime"}
    assert {column["status"] for column in compared["columns"]} >= {"ok", "critical"}

    agrees(compared)


def test_every_number_of_a_stored_check_with_segments_is_what_its_bins_say(empty_project, flights):
    reference, live = flights
    reference.to_parquet("reference.parquet")
    live.to_parquet("live.parquet")
    (empty_project.folder / "monitors").mkdir()
    (empty_project.folder / "monitors" / "storm.yaml").write_text(
        f"timezone: {ZONE}\nreference: {{path: reference.parquet}}\nlive: {{path: live.parquet, timestamp: scheduled}}\n"
        "segments: [origin]\nthresholds: {warning: 0.5, critical: 1.5}\ncolumn_thresholds: {carrier: {warning: 0.001}}"
    )
    assert empty_project.run("baseline", "build", "storm").status == 0
    assert empty_project.run("check", "storm", "--window", "2013-02-08").status == 0

    [result] = empty_project.run("history", "storm", "--format", "json").json

    assert len({column["segment"] for column in result["columns"]}) == 4
    assert {column["status"] for column in result["columns"]} >= {"ok", "warning", "critical"}
    agrees(result)


@pytest.mark.parametrize("rows", [(1, 1), (7, 3), (150, 90), (199, 5_000), (5_000, 150), (40, 40_000)])
def test_every_number_of_small_and_uneven_samples_is_what_its_bins_say(rows):
    reference, live = (sample(seed, size) for seed, size in enumerate(rows))

    agrees(driftmon.compare(reference, live, kinds={"word": "categorical", "number": "numeric"}).to_json())


def sample(seed, size):
    rng = np.random.default_rng(seed)
    return {
        "number": np.where(rng.random(size) < 0.3, 0.0, rng.normal(seed * 0.3, 1, size)),
        "word": rng.choice(["a", "b", "c", "d"], size, p=[0.6, 0.3, 0.09, 0.01]),
        "truth": rng.random(size) < 0.5 + 0.2 * seed,
    }


# --- counts ------------------------------------------------------------------------------------------------------------------


def is_missing(value):
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def category_of(value):
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return value


def by_hand(column, values):
    """The rows of each bin, one row and one comparison at a time."""
    counts = [0] * len(column["bins"])
    labels = [item["label"] for item in column["bins"]]
    own = {item["category"]: place for place, item in enumerate(column["bins"]) if "category" in item}
    spans = [(place, item) for place, item in enumerate(column["bins"]) if "lower" in item]
    for value in values:
        if is_missing(value):
            counts[-1] += 1
        elif spans:
            [place] = [
                place
                for place, item in spans
                if (item["lower"] is None or item["lower"] < value)
                and (item["upper"] is None or value <= item["upper"])
            ]
            counts[place] += 1
        else:
            counts[own.get(category_of(value), labels.index("other"))] += 1
    return counts


DERIVED = {
    "scheduled.hour": lambda rows: rows["scheduled"].dt.tz_convert(ZONE).dt.strftime("%H"),
    "scheduled.weekday": lambda rows: rows["scheduled"].dt.tz_convert(ZONE).dt.strftime("%A"),
    "day.weekday": lambda rows: [day.strftime("%A") for day in rows["day"]],
    "clock.hour": lambda rows: [clock.strftime("%H") for clock in rows["clock"]],
    "air_time": lambda rows: rows["air_time"].dt.total_seconds(),
    "fare": lambda rows: [float(value) for value in rows["fare"]],
}
"""The values of monitored columns that are not those of the rows, by means of pandas and the calendar alone."""


def values_of(name, rows):
    return DERIVED[name](rows) if name in DERIVED else rows[name].astype(object)


def test_counts_are_those_of_a_count_by_hand(flights, compared):
    monitored = [column["column"] for column in compared["columns"]]
    assert set(monitored) == {
        *("dep_delay", "delay_int16", "distance_uint16", "distance_float32", "fare", "carrier", "dest", "tailnum", "cancelled"),
        *("late", "origin", "scheduled.hour", "scheduled.weekday", "day.weekday", "clock.hour", "air_time", "constant"),
    }  # fmt: skip

    for column in compared["columns"]:
        for side, rows in zip(("reference", "live"), flights, strict=True):
            counted = [item[side] for item in column["bins"]]
            assert counted == by_hand(column, values_of(column["column"], rows)), (column["column"], side)
            assert sum(counted) == len(rows)


def test_counts_do_not_depend_on_where_the_rows_are(flights, compared, tmp_path):
    plain = [name for name in flights[0] if name not in {"air_time", "clock"}]  # CSV has no types of its own
    frames = [rows[plain] for rows in flights]
    forms = {
        "pandas": frames,
        "arrow": [pa.Table.from_pandas(rows) for rows in frames],
        "polars": [pl.from_pandas(rows) for rows in frames],
        "parquet": write(tmp_path, frames, "parquet"),
        "csv": write(tmp_path, frames, "csv"),
    }

    for name, (reference, live) in forms.items():
        result = driftmon.compare(reference, live, timezone=ZONE).to_json()
        found = {column["column"]: counts_of(column) for column in result["columns"]}
        expected = {c["column"]: counts_of(c) for c in compared["columns"] if c["column"].split(".")[0] in plain}
        assert found == expected, name


def counts_of(column):
    return [(item["label"], item["reference"], item["live"]) for item in column["bins"]]


def write(folder, frames, form):
    paths = []
    for name, rows in zip(("reference", "live"), frames, strict=True):
        path = folder / f"{name}.{form}"
        rows.to_csv(path, index=False) if form == "csv" else rows.to_parquet(path)
        paths.append(path)
    return paths


# --- laws at the sizes that were named ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("outlier", [1e6, -1e6, math.inf])
def test_an_outlier_changes_the_divergence_of_a_shift_of_one_sigma_by_less_than_a_percent(outlier):
    rng = np.random.default_rng(5)
    reference, live = rng.normal(0, 1, 10_000), rng.normal(1, 1, 10_000)

    plain = driftmon.compare({"x": reference}, {"x": live})["x"].kl
    spoilt = driftmon.compare({"x": reference}, {"x": np.append(live, outlier)})["x"].kl
    spoilt_reference = driftmon.compare({"x": np.append(reference, outlier)}, {"x": live})["x"].kl

    assert plain == pytest.approx(0.5, rel=0.2)  # of two normal distributions one sigma apart
    assert abs(spoilt / plain - 1) < 0.01
    assert abs(spoilt_reference / plain - 1) < 0.01


def test_the_same_shares_at_a_hundred_times_the_rows_give_the_same_divergence():
    rng = np.random.default_rng(6)
    reference = {
        "x": rng.normal(0, 1, 20_000),
        "word": rng.choice(list("abcd"), 20_000),
        "truth": rng.random(20_000) < 0.4,
    }
    live = {"x": rng.normal(0.4, 1, 1_000), "word": rng.choice(list("abcx"), 1_000), "truth": rng.random(1_000) < 0.6}
    more = {name: np.tile(values, 100) for name, values in live.items()}

    one, hundred = driftmon.compare(reference, live), driftmon.compare(reference, more)

    for name in live:
        assert hundred[name].live.rows == 100 * one[name].live.rows
        assert one[name].kl > 0.02
        assert abs(hundred[name].kl - one[name].kl) <= 1e-12


def test_live_rows_equal_to_the_reference_have_no_divergence(flights, tmp_path):
    reference, _ = flights
    reference.to_parquet(tmp_path / "rows.parquet")
    shuffled = reference.sample(frac=1, random_state=0)

    for live in (reference, shuffled, str(tmp_path / "rows.parquet")):
        result = driftmon.compare(reference, live, timezone=ZONE)

        assert len(result) == 17
        assert {column.kl for column in result} == {0.0}
        assert {str(column.status) for column in result} == {"ok"}


def test_live_equal_to_the_reference_through_a_monitor(empty_project):
    day = rows_of(date(2024, 2, 1), seed=1)
    day.to_parquet("day.parquet")
    (empty_project.folder / "monitors").mkdir()
    (empty_project.folder / "monitors" / "same.yaml").write_text(
        "reference: {path: day.parquet}\nlive: {path: day.parquet, timestamp: time}\nsegments: [country]"
    )
    empty_project.run("baseline", "build", "same")

    result = empty_project.run("check", "same", "--window", "2024-02-01", "--format", "json").json

    assert {column["kl"] for column in result["columns"]} == {0.0}
    assert {column["status"] for column in result["columns"]} == {"ok"}
    assert result["status"] == "ok"


# --- one result a window -----------------------------------------------------------------------------------------------------

SHOWN = ("driftmon_column", "driftmon_monitor")
FIRST = date(2024, 3, 1)
DAYS = [FIRST + timedelta(days=i) for i in range(14)]


@pytest.fixture
def fortnight(shop):
    """The shop with fourteen more days of live rows, of which three drift, one is short and one lacks a column."""
    for place, day in enumerate(DAYS):
        rows = rows_of(day, seed=2, rows=60 if place == 9 else 400, shift={3: 0.5, 4: 1.0, 5: 1.0}.get(place, 0.0))
        rows = rows.drop(columns=["score"]) if place == 11 else rows
        rows.to_parquet(shop.folder / f"data/live/{day}.parquet", index=False)
    return shop


def fresh(project, request, database):
    """A new results database with the baseline of the shop."""
    url = f"sqlite:///{project.folder}/{database}.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        name = server.create_database()
        request.addfinalizer(lambda: server.drop_database(name))
        url = server.url(name)
    for command in (["db", "upgrade"], ["baseline", "build", "shop"]):
        assert project.run(*command, "--database", url).status == 0
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, fortnight):
    """Make new results databases of one kind."""
    return lambda name: fresh(fortnight, request, name)


def test_five_checks_of_a_window_leave_one_result(fortnight, database):
    url = database("five")
    outputs = [
        fortnight.run("check", "shop", "--window", str(FIRST), "--database", url, "--format", "json").out
        for _ in range(5)
    ]

    rows = rows_in(url)
    assert len(set(outputs)) == 1
    assert (rows["driftmon_checks"], rows["driftmon_column_results"]) == (1, 3)
    assert rows["driftmon_runs"] == 5, "each attempt is kept"


def test_the_fifth_check_of_a_window_sees_the_rows_that_came_late(fortnight, database):
    url = database("late")
    path = fortnight.folder / f"data/live/{FIRST}.parquet"
    for rows in (100, 200, 300, 400, 500):
        rows_of(FIRST, seed=2, rows=rows).to_parquet(path, index=False)
        newest = fortnight.run("check", "shop", "--window", str(FIRST), "--database", url, "--format", "json").json

    assert newest["rows"]["live"] == 500
    assert rows_in(url)["driftmon_checks"] == 1
    assert fortnight.run("history", "shop", "--database", url, "--format", "json").json == [newest]


def test_a_backfill_in_random_order_equals_the_one_in_order(fortnight, database):
    in_order, shuffled = database("in_order"), database("shuffled")
    order = random.Random(14).sample(DAYS, len(DAYS))
    assert order != DAYS

    whole = fortnight.run(
        "backfill", "shop", "--start", str(FIRST), "--end", str(DAYS[-1] + timedelta(days=1)), "--database", in_order
    )
    for place, day in enumerate(order):
        # One at a time, some of them twice.
        for _ in range(1 + (place % 4 == 0)):
            assert fortnight.run("check", "shop", "--window", str(day), "--database", shuffled).status == 0

    assert whole.status == 0, whole.err
    one, two = stored_results(in_order), stored_results(shuffled)
    assert len(one) == 14 * 3
    assert one == two
    assert Counter(row["check.status"] for row in one if row["column_name"] == "amount") == {
        "ok": 9, "warning": 1, "critical": 2, "insufficient_data": 1, "schema_changed": 1,
    }  # fmt: skip


def test_a_backfill_in_random_order_serves_the_same_metrics(fortnight):
    texts = []
    for name, days in (("in_order", DAYS), ("backwards", DAYS[::-1])):
        url = f"sqlite:///{fortnight.folder}/{name}.db"
        shutil.copy(fortnight.folder / ".driftmon" / "driftmon.db", f"{name}.db")
        for day in days:
            assert fortnight.run("check", "shop", "--window", str(day), "--database", url).status == 0
        with serving("--database", url) as served:
            served.until("driftmon_monitor_info", len)
            lines = served.get("/metrics")[1].splitlines()
        texts.append([line for line in lines if line.startswith(SHOWN) and "_last_success_" not in line])

    assert len(texts[0]) > 20
    assert texts[0] == texts[1]


def test_windows_may_be_of_any_length_and_overlap(fortnight, database):
    url = database("overlap")
    spans = [("2024-03-01", "2024-03-02"), ("2024-03-01", "2024-03-01T12:00"), ("2024-03-01T12:00", "2024-03-02")]
    results = [
        fortnight.run("check", "shop", "--start", start, "--end", end, "--database", url, "--format", "json").json
        for start, end in spans
    ]

    assert rows_in(url)["driftmon_checks"] == 3
    day, morning, evening = (result["rows"]["live"] for result in results)
    assert day == morning + evening == 400


def test_timestamps_are_stored_in_utc(fortnight, database):
    url = database("utc")
    fortnight.run("check", "shop", "--window", str(FIRST), "--database", url)

    [row] = {(row["check.window_start"], row["check.window_end"]) for row in stored_results(url)}
    assert [datetime.fromisoformat(str(bound)).utctimetuple()[:4] for bound in row] == [
        (2024, 3, 1, 0),
        (2024, 3, 2, 0),
    ]
    assert pq.read_table(fortnight.folder / f"data/live/{FIRST}.parquet").num_rows == 400

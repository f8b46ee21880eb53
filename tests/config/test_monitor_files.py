"""What a monitor file may say, and what a person is told when it says something else."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.config import BrokenMonitor, Monitor, find_monitor, json_schema, load_folder, load_monitor
from driftmon.config.yamltext import parse
from driftmon.core.window import Window
from driftmon.errors import ConfigError

GOOD = """
reference: {path: data/reference.parquet}
live: {path: data/live, timestamp: time}
"""

BOMB = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 8))
"""A few lines that stand for millions of values."""


@pytest.fixture
def write(tmp_path):
    folder = tmp_path / "monitors"
    folder.mkdir()

    def write_file(text, name="flights.yaml"):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def problems_of(path, environment=None):
    with pytest.raises(ConfigError) as caught:
        load_monitor(path, environment or {})
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_a_file_needs_nothing_but_its_two_places(write):
    monitor = load_monitor(write(GOOD))

    assert (monitor.name, monitor.model, monitor.schedule, monitor.timezone) == ("flights", "flights", "@daily", "UTC")
    assert (monitor.thresholds.warning, monitor.thresholds.critical, monitor.min_rows) == (0.02, 0.10, 100)
    assert monitor.notify == "warning"


def test_the_example_of_the_contract_is_understood(write):
    monitor = load_monitor(
        write(
            """
name: flights
model: arrival-delay
description: Daily drift of the arrival-delay model's inputs and score
owner: ml-platform
schedule: "@daily"
timezone: America/New_York
data_delay: 2h
reference:
  path: data/flights-2013-q1.parquet
  timestamp: time_hour
  start: 2013-01-01
  end: 2013-04-01
live:
  path: data/flights/
  timestamp: time_hour
columns:
  features: [dep_delay, distance, carrier, origin]
  predictions: [p_late]
  targets: []
  exclude: [tailnum]
  kinds: {flight: categorical}
segments: [origin]
thresholds: {warning: 0.02, critical: 0.10}
column_thresholds: {p_late: {warning: 0.01, critical: 0.05}}
min_rows: 100
"""
        )
    )

    new_york = timedelta(hours=5)
    assert monitor.delay == timedelta(hours=2)
    assert monitor.reference_span == Window(
        datetime(2013, 1, 1, tzinfo=UTC) + new_york, datetime(2013, 4, 1, tzinfo=UTC) + new_york - timedelta(hours=1)
    )
    assert monitor.columns.roles == {"p_late": "prediction"}


def test_relative_paths_start_at_the_folder_that_holds_the_monitors_folder(write, tmp_path):
    monitor = load_monitor(write(GOOD))

    assert monitor.reference.path == str(tmp_path / "data" / "reference.parquet")


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("sql: {connection: 'env:WAREHOUSE_URL', table: sales.orders}", "table sales.orders"),
        ("sql: {connection: 'airflow:warehouse', query: 'select 1'}", "the query"),
        ("spark: {table: lake.flights}", "table lake.flights"),
        ("spark: {path: 'hdfs://lake/flights', format: orc}", "hdfs://lake/flights"),
        ("delta: {path: 's3://lake/flights', version: 12}", "s3://lake/flights"),
        ("iceberg: {catalog: prod, table: lake.flights}", "table prod.lake.flights"),
    ],
)
def test_rows_may_be_in_other_places_than_files(write, place, where):
    monitor = load_monitor(write(GOOD.replace("path: data/live", place)))

    assert (monitor.live.where, monitor.live.windowed) == (where, False)


def test_the_path_of_a_delta_table_starts_where_other_paths_do(write, tmp_path):
    monitor = load_monitor(write(GOOD.replace("path: data/live", "delta: {path: data/live}")))

    assert monitor.live.delta.path == str(tmp_path / "data" / "live")


def test_urls_stay_as_they_are(write):
    monitor = load_monitor(write(GOOD.replace("data/reference.parquet", "s3://bucket/reference.parquet")))

    assert monitor.reference.path == "s3://bucket/reference.parquet"


def test_every_problem_of_a_file_is_told_at_once(write):
    path = write(
        """
name: Bad Name
schedul: "@daily"
owner: 3
timezone: Mars/Olympus
reference: {path: x.parquet, start: 2013-13-01, timestamps: t}
live: {path: "${NOPE}/x"}
columns: {featurs: [a], kinds: {a: number}}
thresholds: {warning: 0.2, critical: 0.1}
column_thresholds: {a: {warn: 1}}
min_rows: "x"
"""
    )

    assert problems_of(path) == [
        "live.path: the environment variable NOPE is not set; set it, or remove ${NOPE}",
        "name is 'Bad Name', expected 1 to 63 of a-z, 0-9, _ and -",
        "owner is 3, expected text",
        "timezone: 'Mars/Olympus' is not an IANA time zone such as America/New_York",
        "reference.start: '2013-13-01' is not a date such as 2013-05-01 or a time such as 2013-05-01T06:00:00Z",
        "reference.timestamps is not a known key; did you mean 'timestamp'?",
        "columns.kinds.a is 'number': input should be 'numeric', 'categorical', 'boolean', 'datetime', 'text' or 'embedding'",
        "columns.featurs is not a known key; did you mean 'features'?",
        "thresholds: warning 0.2 is above critical 0.1; warning must come first",
        "column_thresholds.a.warn is not a known key; did you mean 'warning'?",
        "min_rows is 'x', expected a whole number",
        "schedul is not a known key; did you mean 'schedule'?",
    ]


@pytest.mark.parametrize("least", ["warning", "critical", "off"])
def test_a_monitor_says_of_what_people_are_told(write, least):
    assert load_monitor(write(f"{GOOD}notify: {least}")).notify == least


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty; expected keys such as reference: and live:"),
        ("- a\n- b", "holds a list; expected keys such as reference: and live:"),
        ("name: a\nname: b", "line 2, column 1: key 'name' is given twice, in lines 1 and 2; keep one"),
        ("1: a", "line 1, column 1: key 1 is not text; put it in quotes"),
        ("[" * 5_000, "is nested too deeply to be read; a monitor file has a handful of levels"),
        (BOMB, "its aliases stand for 11,434,285 values, expected at most 100,000; spell out what is meant"),
        ("a: [", "line 1, column 5: expected the node content, but found '<stream end>'"),
        (GOOD + "min_rows: 0", "min_rows is 0: input should be greater than or equal to 1"),
        (GOOD + "notify: loud", "notify is 'loud': input should be 'warning', 'critical' or 'off'"),
        (GOOD + "data_delay: soon", "data_delay: 'soon' is not a duration such as 30m, 6h, 1d or 2w"),
        (GOOD + "segments: origin", "segments is 'origin', expected a list"),
        (
            GOOD.replace(", timestamp: time", ""),
            "live needs a timestamp column or a {start:%Y-%m-%d} placeholder in its path, to tell windows apart",
        ),
        (
            GOOD.replace("data/reference.parquet", '"data/{start:%Y}.parquet"'),
            "reference.path holds a placeholder of the window; the reference is the same for every window",
        ),
        (
            GOOD + "columns: {features: [a], targets: [a]}",
            "columns: column 'a' is in features and in targets; name it once",
        ),
        (
            GOOD.replace("reference.parquet", "r.parquet, start: 2013-01-01"),
            "reference.start and reference.end need reference.timestamp: the column they bound",
        ),
        (
            GOOD.replace("timestamp: time", "timestamp: time, start: 2013-02-01, end: 2013-01-01"),
            "live.start '2013-02-01' is not before live.end '2013-01-01'; swap or correct them",
        ),
        ("live: {path: x, timestamp: t}", "reference is missing; it is needed"),
        (GOOD + "thresholds: {warning: .nan}", "thresholds.warning is nan: input should be a finite number"),
        (
            GOOD.replace("path: data/live, ", ""),
            "live: says not where the rows are; give path, sql, spark, delta or iceberg",
        ),
        (
            GOOD.replace("path: data/live", "path: data/live, delta: {path: data/live}"),
            "live: gives path and delta; give the one that holds the rows",
        ),
        (GOOD.replace("path: data/live", "sql: {table: x}"), "live.sql.connection is missing; it is needed"),
        (
            GOOD.replace("path: data/live", "sql: {connection: env:URL}"),
            "live.sql: says not where the rows are; give table or query",
        ),
        (
            GOOD.replace("path: data/live", "sql: {conection: env:URL, table: x}"),
            "live.sql.conection is not a known key; did you mean 'connection'?",
        ),
        (
            GOOD.replace("path: data/live", "spark: {table: x, master: local, remote: sc://h}"),
            "live.spark: gives master and remote; give the one that the cluster is reached by",
        ),
        (
            GOOD.replace("path: data/live", "spark: {table: x, format: delta}"),
            "live.spark: format belongs to path; tables and queries know their own",
        ),
    ],
)
def test_a_problem_is_told_in_the_words_of_the_file(write, text, problem):
    assert problem in problems_of(write(text))


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path):
    assert problems_of(tmp_path / "none.yaml") == ["cannot be read: No such file or directory"]
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    assert problems_of(tmp_path / "latin.yaml") == ["cannot be read: it is not UTF-8 text"]


def test_variables_are_filled_in_and_never_shown(write):
    path = write(GOOD + 'timezone: ${SECRET}\nmin_rows: ${ROWS}\nmodel: "m-${SECRET}"')

    problems = problems_of(path, {"SECRET": "hunter2", "ROWS": "-4"})

    assert problems == [
        "timezone: '${SECRET}' is not an IANA time zone such as America/New_York",
        "min_rows is -4: input should be greater than or equal to 1",
    ]


def test_a_variable_alone_is_read_as_yaml_reads_it(write):
    monitor = load_monitor(write(GOOD + 'min_rows: ${ROWS}\nmodel: "v${ROWS}"'), {"ROWS": "250"})

    assert (monitor.min_rows, monitor.model) == (250, "v250")


def test_a_column_threshold_takes_what_it_does_not_say_from_the_monitor(write):
    monitor = load_monitor(
        write(GOOD + "thresholds: {warning: 0.3, critical: 0.6}\ncolumn_thresholds: {x: {critical: 0.4}}")
    )

    assert (monitor.column_thresholds["x"].warning, monitor.column_thresholds["x"].critical) == (0.3, 0.4)


@pytest.mark.parametrize(("text", "value"), [("1e-3", 0.001), ("0.05", 0.05), (".5", 0.5), ("010", 10), ("1", 1)])
def test_numbers_are_read_as_people_write_them(write, text, value):
    monitor = load_monitor(write(GOOD + f"thresholds: {{warning: {text}, critical: 99}}"))

    assert monitor.thresholds.warning == value


def test_words_that_yaml_once_took_for_booleans_are_column_names(write):
    monitor = load_monitor(write(GOOD + "columns: {features: [no, on, y, 2013-01-01]}"))

    assert monitor.columns.features == ["no", "on", "y", "2013-01-01"]


def test_a_broken_file_stands_beside_the_good_ones(write, tmp_path):
    write(GOOD, "a.yaml")
    write(GOOD + "nam: x", "b.yaml")
    write(GOOD + "name: a", "c.yaml")
    write("not a monitor", "notes.txt")

    good, broken, taken = load_folder(tmp_path / "monitors", {})

    assert isinstance(good, Monitor)
    assert isinstance(broken, BrokenMonitor)
    assert broken.name == "b"
    assert taken.problems[0].endswith(f"name 'a' is taken by {tmp_path}/monitors/a.yaml; names must be unique")


def test_a_broken_file_never_hides_a_good_one_of_the_same_name(write, tmp_path):
    write("reference: 1", "flights.yaml")
    write(GOOD + "name: flights", "later.yaml")

    found = find_monitor(tmp_path / "monitors", "flights")

    assert isinstance(found, Monitor)


@pytest.mark.parametrize("ending", ["nam: x", "schedule: [", "name: shop"])
def test_a_broken_file_keeps_the_name_that_it_gives_itself(write, tmp_path, ending):
    write(f"name: shop # of the north\n{GOOD}{ending}", "north.yaml")

    [broken] = load_folder(tmp_path / "monitors", {})

    assert (type(broken), broken.name) == (BrokenMonitor, "shop")


def test_a_folder_that_is_not_there_is_told_with_the_next_step(tmp_path):
    with pytest.raises(ConfigError, match="no such folder of monitor files; make one with 'driftmon init DATA'"):
        load_folder(tmp_path / "none")


def test_a_folder_that_cannot_be_listed_is_told_with_the_next_step(tmp_path):
    with pytest.raises(
        ConfigError, match="x: cannot be read: File name too long; name a folder that this user can list"
    ):
        load_folder(tmp_path / ("x" * 300))


def test_a_monitor_is_frozen(write):
    monitor = load_monitor(write(GOOD))

    with pytest.raises((dataclasses.FrozenInstanceError, ValueError)):
        monitor.name = "other"


def test_the_schema_accepts_what_the_loader_accepts():
    validator = jsonschema.Draft202012Validator(json_schema())

    assert validator.is_valid(parse(GOOD))
    assert not validator.is_valid(parse(GOOD + "nam: x"))
    assert not validator.is_valid({"live": {"path": "x"}})
    json.dumps(json_schema())


def test_the_newest_window_waits_for_late_rows_and_ends_with_the_live_data(write):
    late = load_monitor(write(GOOD + "data_delay: 2h"))
    ended = load_monitor(write(GOOD.replace("timestamp: time", "timestamp: time, end: 2013-07-14"), "ended.yaml"))

    assert late.newest_window(datetime(2013, 5, 2, 1, tzinfo=UTC)).end == datetime(2013, 5, 1, tzinfo=UTC)
    assert late.newest_window(datetime(2013, 5, 2, 2, tzinfo=UTC)).end == datetime(2013, 5, 2, tzinfo=UTC)
    assert ended.newest_window(datetime(2026, 1, 1, tzinfo=UTC)).end == datetime(2013, 7, 14, tzinfo=UTC)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_whatever_a_file_holds_is_a_monitor_or_a_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("m") / "x.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")

    try:
        load_monitor(path, {})
        problems = ()
    except ConfigError as error:
        problems = error.problems

    assert all(problem.startswith(str(path)) for problem in problems)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2013-05-29", datetime(2013, 5, 29, 4, tzinfo=UTC)),
        ("2013-05-29T12:00:00Z", datetime(2013, 5, 29, 4, tzinfo=UTC)),
        (None, None),
    ],
)
def test_the_last_window_ends_where_the_live_data_do_or_before(write, end, last):
    bounds = "" if end is None else f", end: {end}"
    path = write(
        "schedule: '@daily'\ntimezone: America/New_York\nreference: {path: a.parquet}\n"
        f"live: {{path: b.parquet, timestamp: time{bounds}}}\n"
    )

    assert load_monitor(path).last_end == last

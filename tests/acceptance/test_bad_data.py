"""What bad files, columns and values get, through the command line: a clear line, the right exit status, the others go on."""

import json
import re
import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.acceptance.observed import rows_in
from tests.cli.conftest import rows_of

DAY = "2024-02-01"
LIVE = f"data/live/{DAY}.parquet"


def day(**changes):
    return rows_of(date(2024, 2, 1), seed=1, **changes)


def write(shop, rows, path=LIVE):
    rows.to_parquet(shop.folder / path, index=False)


def check(shop, *more):
    """The check of the day as JSON, which has to work."""
    run = shop.run("check", "shop", "--window", DAY, "--format", "json", *more)
    assert run.status == 0, run.err
    assert run.err == ""
    return run.json


def by_name(result):
    return {column["column"]: column for column in result["columns"]}


def monitor(shop, name, text):
    (shop.folder / "monitors" / f"{name}.yaml").write_text(text)


CSV_MONITOR = """
reference: {path: data/reference.csv, timestamp: time}
live: {path: "data/live/{start:%Y-%m-%d}.csv", timestamp: time}
"""


@pytest.fixture
def text_shop(shop):
    """The shop with a second monitor, of CSV files, and a baseline of it."""
    day(rows=400).to_csv(shop.folder / "data" / "reference.csv", index=False)
    monitor(shop, "text", CSV_MONITOR)
    assert shop.run("baseline", "build", "text").status == 0
    return shop


# --- files -------------------------------------------------------------------------------------------------------------------


def test_a_missing_file(shop, refuse):
    (shop.folder / LIVE).unlink()
    (shop.folder / "data" / "reference.parquet").unlink()
    place = str(shop.folder)

    refuse("compare", "none.parquet", "none.parquet", says="none.parquet: no such file or folder; check the path")
    refuse("compare", "none/*.parquet", "x", says="none/*.parquet: no file matches; check the path")
    refuse("baseline", "build", "shop", says=f"{place}/data/reference.parquet: no such file or folder; check the path")
    refuse("validate", "shop", says=f"shop: {place}/data/reference.parquet: no such file or folder; check the path")
    refuse("init", "none.csv", says="none.csv: no such file or folder; check the path")
    # A live file that has not come is no mistake: it may be on its way.
    refuse(
        "check",
        "shop",
        "--window",
        DAY,
        says=(f"{place}/{LIVE}: no file for the window 2024-02-01T00", "yet"),
        retryable=True,
    )


def test_a_link_that_leads_nowhere_and_a_folder_in_the_place_of_a_file(shop, refuse):
    (shop.folder / LIVE).unlink()
    (shop.folder / LIVE).symlink_to("nowhere.parquet")
    (shop.folder / "folder.parquet").mkdir()

    refuse("check", "shop", "--window", DAY, says=f"{LIVE}: no file for the window", retryable=True)
    refuse("compare", LIVE, LIVE, says=f"{LIVE}: no such file or folder; check the path")
    refuse(
        "compare", "folder.parquet", "folder.parquet",
        says="folder.parquet: the folder has no data files; expected Parquet, CSV, Feather or ORC files in it",
    )  # fmt: skip


def test_a_file_that_this_user_may_not_read(shop, as_somebody_else):
    (shop.folder / LIVE).chmod(0o000)
    (shop.folder / ".driftmon").chmod(0o777)
    (shop.folder / ".driftmon" / "driftmon.db").chmod(0o666)

    run = as_somebody_else("check", "shop", "--window", DAY)

    assert run.status == 3
    assert run.err == f"driftmon: {shop.folder}/{LIVE}: no permission to read it; check its mode, or the credentials\n"
    assert run.out == ""
    assert rows_in(shop.url)["driftmon_checks"] == 0


def half(content):
    return content[: len(content) // 2]


def hole(content):
    return content[:4_000] + bytes(4_000) + content[8_000:]


def nothing(_content):
    return b""


def a_web_page(_content):
    return b"<html>no such key</html>"


@pytest.mark.parametrize("harm", [half, hole, nothing, a_web_page])
def test_a_corrupt_parquet_file(shop, refuse, harm):
    path = shop.folder / LIVE
    path.write_bytes(harm(path.read_bytes()))

    line = refuse("check", "shop", "--window", DAY, says=f"{path}: cannot be read: ")

    assert line.endswith("; it may be damaged, incomplete or of another format: write it again")


def test_a_corrupt_parquet_file_is_told_as_a_failed_run_and_the_next_window_is_checked(shop):
    (shop.folder / LIVE).write_bytes(b"PAR1 not really")

    run = shop.run("backfill", "shop", "--start", DAY, "--end", "2024-02-03", "--format", "json")

    assert run.status == 3
    assert [result["window"]["start"] for result in run.json] == ["2024-02-02T00:00:00Z"]
    assert run.err.splitlines()[-1] == "1 windows checked, 0 had a result already, 1 failed"
    assert rows_in(shop.url)["driftmon_checks"] == 1
    assert rows_in(shop.url)["driftmon_runs"] == 2


def test_a_csv_row_with_too_many_fields(text_shop, refuse):
    path = text_shop.folder / f"data/live/{DAY}.csv"
    path.write_text("time,amount,country,score,order\n2024-02-01,1,DE,0.5,a\n2024-02-01,1,DE,0.5,a,b\n")

    refuse(
        "check", "text", "--window", DAY,
        says=f"{path}: row 3 has 6 fields, expected 5: '2024-02-01,1,DE,0.5,a,b'; quote fields that contain ',' (row 1 is the header)",
    )  # fmt: skip


def test_a_csv_row_with_too_few_fields(text_shop, refuse):
    path = text_shop.folder / f"data/live/{DAY}.csv"
    path.write_text("time,amount,country,score,order\n2024-02-01\n")

    refuse(
        "check", "text", "--window", DAY, says=f"{path}: row 2 has 1 field, expected 5: '2024-02-01'; write its other"
    )


def test_a_csv_value_that_cannot_be_read_is_the_problem_of_its_column(text_shop):
    rows = day(rows=300).astype({"amount": object})
    rows.loc[7, "amount"] = "12,50 €"
    rows.to_csv(text_shop.folder / f"data/live/{DAY}.csv", index=False)

    result = text_shop.run("check", "text", "--window", DAY, "--format", "json").json

    columns = by_name(result)
    assert columns["amount"]["status"] == "schema_changed"
    assert columns["amount"]["reason"] == (
        f"value '12,50 €' is not a number in {text_shop.folder}/data/live/{DAY}.csv; 'amount' is float64 in the reference"
    )
    assert {columns["score"]["status"], columns["country"]["status"]} <= {"ok", "info"}


def test_duplicate_column_names(shop, refuse):
    table = pa.Table.from_pandas(day())
    pq.write_table(pa.table([*table.columns, table["score"]], [*table.column_names, "score"]), LIVE)
    (shop.folder / "twice.csv").write_text("a,b,a\n1,2,3\n")
    says = "comes more than once; give each column a name of its own"

    refuse("check", "shop", "--window", DAY, says=f"{shop.folder}/{LIVE}: column name 'score' {says}")
    refuse("compare", "twice.csv", "twice.csv", says=f"twice.csv: column name 'a' {says}")


# --- columns -----------------------------------------------------------------------------------------------------------------


def test_a_column_missing_live(shop):
    write(shop, day().drop(columns=["score"]))

    result = check(shop)

    columns = by_name(result)
    assert result["status"] == "schema_changed"
    assert columns["score"]["status"] == "schema_changed"
    assert columns["score"]["reason"].startswith(f"gone: not in {shop.folder}/{LIVE}; ")
    assert columns["score"]["kl"] is None
    assert {columns["amount"]["status"], columns["country"]["status"]} <= {"ok", "info"}
    assert rows_in(shop.url)["driftmon_column_results"] == 3


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("amount", "high", "type changed from float64 to string"),
        ("country", 1, "type changed from string to int64"),
        ("score", True, "type changed from float64 to bool"),
        ("amount", pd.Timestamp("2024-02-01"), "type changed from float64 to timestamp"),
        ("country", [["DE"]] * 1_000, "type changed from string to list"),
        ("country", b"DE", "type changed from string to binary"),
    ],
)
def test_a_changed_data_type(shop, column, values, told):
    write(shop, day().assign(**{column: values}))

    result = check(shop)

    columns = by_name(result)
    assert columns[column]["status"] == "schema_changed"
    assert columns[column]["reason"] == (
        f"{told} in {shop.folder}/{LIVE}; make it what it was, or build a new baseline if it is meant to stay"
    )
    assert all(columns[other]["status"] in {"ok", "info"} for other in columns if other != column)


def test_a_timestamp_column_that_is_gone_or_is_no_timestamp(shop, refuse):
    write(shop, day().drop(columns=["time"]))
    refuse("check", "shop", "--window", DAY, says=f"timestamp column 'time' is not in {shop.folder}/{LIVE}: it has")

    write(shop, day().assign(time=1.5))
    refuse("check", "shop", "--window", DAY, says=("timestamp column 'time'", "is float64; expected timestamps, dates"))


def test_an_empty_window(shop):
    write(shop, day().iloc[:0])

    result = check(shop, "--fail-on", "info")

    assert result["status"] == "no_data"
    assert result["rows"] == {"reference": 31_000, "live": 0}
    assert {column["status"] for column in result["columns"]} == {"no_data"}
    assert {column["kl"] for column in result["columns"]} == {None}
    assert shop.run("history", "shop", "--format", "json").json == [result]


def test_a_window_whose_rows_all_lie_outside_of_it(shop):
    write(shop, rows_of(date(2024, 2, 2), seed=1))

    assert check(shop)["status"] == "no_data"


@pytest.mark.parametrize(("rows", "status"), [(1, "insufficient_data"), (99, "insufficient_data"), (100, "critical")])
def test_fewer_rows_than_min_rows_never_alert(shop, rows, status):
    write(shop, day(rows=rows, shift=9))

    result = check(shop)
    told = shop.run("check", "shop", "--window", DAY, "--fail-on", "info")

    assert by_name(result)["amount"]["status"] == status
    assert all(column["kl"] >= 0 and column["noise_floor"] > 0 for column in result["columns"])
    assert told.status == (1 if status == "critical" else 0)
    if status == "insufficient_data":
        assert by_name(result)["amount"]["reason"] == f"{rows} rows, min_rows is 100"
        assert {column["q_value"] for column in result["columns"]} == {None}
        assert f"too few rows for a verdict: {rows} rows, min_rows is 100" in told.out


# --- values ------------------------------------------------------------------------------------------------------------------

TINY = 5e-324


def odd(seed, rows=2_000):
    """Columns of every odd kind of number and of nothing at all."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "nothing": np.full(rows, np.nan),
            "no_text": pd.Series([None] * rows, dtype="string"),
            "constant": np.full(rows, 3.5),
            "constant_text": ["x"] * rows,
            "infinite": np.where(rng.random(rows) < 0.2, np.inf, np.where(rng.random(rows) < 0.2, -np.inf, normal)),
            "all_infinite": np.full(rows, -np.inf),
            "huge": normal * 1e300,
            "largest": rng.choice([np.finfo(float).max, -np.finfo(float).max, 0.0], rows),
            "zeros": rng.choice([0.0, -0.0], rows),
            "subnormal": rng.integers(0, 100, rows) * TINY,
            "key": 2**53 + rng.integers(0, 50, rows),
            "unsigned_key": np.uint64(2**63) + rng.integers(0, 50, rows).astype("uint64"),
            "small": rng.integers(0, 1_000, rows),
            "plain": normal,
        }
    )


@pytest.fixture(params=["parquet", "csv"])
def odd_files(empty_project, request):
    """Write frames to files of one format, and compare them."""

    def compare(reference, live):
        for name, rows in (("reference", reference), ("live", live)):
            path = f"{name}.{request.param}"
            rows.to_csv(path, index=False) if request.param == "csv" else rows.to_parquet(path, index=False)
        run = empty_project.run("compare", f"reference.{request.param}", f"live.{request.param}", "--format", "json")
        assert (run.status, run.err) == (0, "")
        return run.json

    return compare


def test_odd_numbers_are_counted_or_left_out_with_a_reason(odd_files):
    result = odd_files(odd(0), odd(1))

    left_out = {item["column"]: item["reason"] for item in result["excluded"]}
    assert left_out["nothing"] == left_out["no_text"] == "no values in the reference"
    assert left_out["all_infinite"] == "no finite values in the reference"
    for key in ("key", "unsigned_key"):
        assert left_out[key] == (
            "looks like an identifier: it has whole numbers from 2**53 on, which floating point does not tell apart; "
            f"to monitor it all the same, set its kind: {{{key}: numeric}}"
        )
    assert set(by_name(result)) == set(odd(0)) - set(left_out)
    assert {column["status"] for column in result["columns"]} == {"ok"}
    assert by_name(result)["constant"]["kl"] == by_name(result)["constant_text"]["kl"] == 0


def test_odd_live_numbers_move_rows_between_bins_and_nothing_else(odd_files):
    live = odd(1).assign(
        constant=-0.0, constant_text=None, infinite=np.nan, huge=-np.inf, zeros=-0.0, subnormal=-TINY,
        small=2**63 - 1, plain=[1e300, *odd(1)["plain"][1:]],
    )  # fmt: skip

    columns = by_name(odd_files(odd(0), live))

    first = {name: [item["live"] for item in columns[name]["bins"]] for name in columns}
    rows = len(live)
    assert first["constant"][0] == rows  # below 3.5
    assert first["constant_text"] == [0, 0, rows]  # x, other, missing
    assert first["infinite"][-1] == rows
    assert first["huge"][0] == rows
    assert columns["zeros"]["status"] == "ok"  # -0.0 is 0.0
    assert first["subnormal"][0] == rows  # below 0 by the least there is
    assert first["small"][-2] == rows
    assert first["plain"][-2] >= 1
    assert columns["plain"]["status"] == "ok"
    assert {name for name in columns if columns[name]["status"] == "critical"} == {
        "constant", "constant_text", "infinite", "huge", "subnormal", "small",
    }  # fmt: skip


def test_odd_numbers_are_stored_and_served_as_numbers(shop):
    odd(0).assign(time=pd.Timestamp("2024-01-01", tz="UTC")).to_parquet("data/odd.parquet", index=False)
    odd(1).assign(time=pd.Timestamp("2024-02-01", tz="UTC"), plain=np.inf, huge=np.nan).to_parquet("data/odd2.parquet")
    monitor(shop, "odd", "reference: {path: data/odd.parquet}\nlive: {path: data/odd2.parquet, timestamp: time}")
    assert shop.run("baseline", "build", "odd").status == 0

    checked = shop.run("check", "odd", "--window", DAY, "--format", "json").json

    assert by_name(checked)["plain"]["status"] == by_name(checked)["huge"]["status"] == "critical"
    assert shop.run("history", "odd", "--format", "json").json == [checked]


def test_a_reference_without_rows_or_without_a_column_to_monitor(shop, refuse):
    day().iloc[:0].to_parquet("data/reference.parquet", index=False)
    refuse(
        "baseline",
        "build",
        "shop",
        says=(f"{shop.folder}/data/reference.parquet: the reference has no rows", "needs some"),
    )

    day()[["time", "order"]].to_parquet("data/orders.parquet", index=False)
    monitor(shop, "orders", "reference: {path: data/orders.parquet}\nlive: {path: data/live, timestamp: time}")
    refuse(
        "baseline", "build", "orders",
        says=("data/orders.parquet", "no column can be monitored", "order: looks like an identifier"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("columns.features", "columns: {features: [amuont]}"),
        ("columns.predictions", "columns: {predictions: [amuont]}"),
        ("columns.exclude", "columns: {exclude: [amuont]}"),
        ("columns.kinds", "columns: {kinds: {amuont: numeric}}"),
        ("segments", "segments: [amuont]"),
        ("column_thresholds", "column_thresholds: {amuont: {warning: 0.5, critical: 0.9}}"),
    ],
)
def test_a_column_that_the_monitor_names_and_the_reference_lacks(shop, refuse, key, words):
    monitor(
        shop,
        "typo",
        f"reference: {{path: data/reference.parquet}}\nlive: {{path: data/live, timestamp: time}}\n{words}",
    )

    for command in (("baseline", "build", "typo"), ("validate", "typo")):
        refuse(*command, says=f"data/reference.parquet: no column 'amuont', which {key} names; did you mean 'amount'?")


def test_a_part_of_a_timestamp_is_a_column_to_name(shop):
    text = "reference: {path: data/reference.parquet}\nlive: {path: data/live, timestamp: time}\n"
    monitor(shop, "parts", f"{text}columns: {{features: [time.hour], predictions: [score]}}")

    validated = shop.run("validate", "parts", "--format", "json")
    built = shop.run("baseline", "build", "parts")

    assert validated.json[0]["kinds"] == {"datetime": 1, "numeric": 1}
    assert "31,000 rows, 2 columns" in built.out


# --- strings -----------------------------------------------------------------------------------------------------------------

MEGABYTE = "ä" * 524_288
HOSTILE = [
    'say "hi"', "it's; DROP TABLE driftmon_checks; --", "two\nlines", "nul\x00inside", "duck 🦆", "\x1b[31mred", MEGABYTE,
    MEGABYTE[:-1] + "x", "", " ", "other", "missing", "null", "\\", "{}", "%(x)s %s", "\u202eright to left", "\r",
]  # fmt: skip


def test_hostile_strings_are_categories_of_their_own(shop):
    reference = pd.DataFrame({"text": HOSTILE * 25, "time": pd.Timestamp("2024-01-01", tz="UTC")})
    live = pd.DataFrame({"text": HOSTILE * 20, "time": pd.Timestamp("2024-02-01", tz="UTC")})
    reference.to_parquet("data/text.parquet")
    live.to_parquet("data/text2.parquet")
    monitor(shop, "text", "reference: {path: data/text.parquet}\nlive: {path: data/text2.parquet, timestamp: time}")
    assert shop.run("baseline", "build", "text").status == 0

    checked = shop.run("check", "text", "--window", DAY, "--format", "json").json

    [column] = [column for column in checked["columns"] if column["column"] == "text"]
    own = {item["category"]: item for item in column["bins"] if "category" in item}
    assert {name: own[name]["live"] for name in HOSTILE if len(name) < 100} == {n: 20 for n in HOSTILE if len(n) < 100}
    assert [item["live"] for item in own.values()] == [20] * len(HOSTILE)
    assert all(len(item["label"]) < 200 for item in own.values())
    assert len({item["label"] for item in own.values()}) == len(HOSTILE)
    assert shop.run("history", "text", "--format", "json").json == [checked]
    assert "\x1b" not in shop.run("check", "text", "--window", DAY).out


PEAK = """
import re, sys
from pathlib import Path
from driftmon.cli import main
sys.stdout = open("out.json", "w")
try:
    main(sys.argv[1:])
finally:
    # Not getrusage, which counts what the process was before it became Python: a copy of the test run.
    print(int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) // 1024, file=sys.stderr)
"""


def peak(folder, *arguments):
    """The most memory, in MiB, that a command needed, and the JSON it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1]), json.loads((folder / "out.json").read_text())


def test_a_million_distinct_strings_take_bounded_memory(empty_project):
    folder = empty_project.folder
    for name, rows in (("one", 1_000_000), ("two", 2_000_000)):
        words = distinct_strings(np.random.default_rng(0).permutation(rows))
        pq.write_table(pa.table({"word": words, "kind": ["a", "b"] * (rows // 2)}), f"{name}.parquet")
    pq.write_table(pa.table({"word": ["a", "b"] * 5_000, "kind": ["a", "b"] * 5_000}), "few.parquet")

    of_few, _ = peak(folder, "compare", "few.parquet", "few.parquet")
    of_one, key = peak(folder, "compare", "one.parquet", "one.parquet")
    of_two, new = peak(folder, "compare", "few.parquet", "two.parquet")

    [left_out] = key["excluded"]
    assert left_out["column"] == "word"
    told = re.match(r"looks like an identifier or free text: about ([\d,]+) \(within ([\d.]+) %\)", left_out["reason"])
    assert int(told[1].replace(",", "")) == pytest.approx(1_000_000, rel=float(told[2]) / 100)
    assert by_name(new)["word"]["bins"][-2] | {"contribution": 0} == {
        "label": "other", "reference": 0, "live": 2_000_000, "contribution": 0,
    }  # fmt: skip
    assert by_name(new)["word"]["novel"]["live"] == 1
    # Twice the strings, the same memory: a million more, kept as they are, would take 180 MiB. Allocators differ by 80 from run to run.
    assert of_one < of_few + 400
    assert of_two < of_one + 130


def distinct_strings(numbers):
    """A string of 28 letters for each number, made by Arrow."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise("customer-", pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 19, "0"), "")

"""Names that break things elsewhere, through the whole path: file, check, database, JSON, table, metrics; on both databases."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from tests.acceptance.serving import serving

KL = "driftmon_column_kl_divergence_nats"
LONG = "é" * 50_000

NAMES = [
    'say "hi"', "it's; DROP TABLE driftmon_checks; --", "two\nlines", "two\r\nlines", "nul\x00inside", "duck 🦆 👩‍👩‍👧", "\x1b[31mred",
    "back\\slash", "{column}", "%(name)s %s", "${HOME}", " padded ", "tab\there", "missing", "other", "null", "a=b,c", "\u202elaer",
    "עמודה", "\u2028", "<script>alert(1)</script>", "__name__", "x.hour", ".", "\ufeffbom", "\x7f", LONG, LONG + "x",
]  # fmt: skip

MONITOR = """
name: hostile
model: 'quo"te\\ 🦆'
owner: "o\\u0007\\n"
description: "%(d)s"
reference: {path: reference.parquet}
live: {path: live.parquet, timestamp: at}
columns: {exclude: [at]}
segments: ['say "hi"']
"""


WORDS = [name for name in NAMES if len(name) < 100]
SEGMENTS = WORDS[:5]
ROWS = 1_200


def rows(seed, day):
    """A column of each name: one for the segments, one of all the names as categories, the others of numbers."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(size=ROWS) for name in NAMES}
    columns[NAMES[0]] = np.resize(SEGMENTS, ROWS)
    columns[NAMES[1]] = np.resize(WORDS, ROWS)
    return pd.DataFrame(columns | {"at": pd.Timestamp(day, tz="UTC")})


@pytest.fixture(params=["sqlite", "postgresql"])
def checked(request, empty_project):
    """The JSON of a check of all names, the project, and the URL of its database."""
    project = empty_project
    url = f"sqlite:///{project.folder}/results.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    rows(0, "2024-01-01").to_parquet("reference.parquet")
    rows(1, "2024-02-01").to_parquet("live.parquet")
    (project.folder / "monitors").mkdir()
    (project.folder / "monitors" / "hostile.yaml").write_text(MONITOR)
    for command in (["db", "upgrade"], ["baseline", "build", "hostile"]):
        assert project.run(*command, "--database", url).status == 0
    run = project.run("check", "hostile", "--window", "2024-02-01", "--database", url, "--format", "json")
    assert run.status == 0, run.err
    return run.json, project, url


def test_hostile_names_survive_the_whole_path(checked):
    result, project, url = checked

    whole = [column for column in result["columns"] if column["segment"] is None]
    assert [column["column"] for column in whole] == NAMES
    assert {column["status"] for column in whole} <= {"ok", "info"}
    assert result["model"] == 'quo"te\\ 🦆'
    assert project.run("history", "hostile", "--database", url, "--format", "json").json == [result]
    one = project.run("history", "hostile", "--column", "nul\x00inside", "--database", url, "--format", "json").json
    assert {column["column"] for column in one[0]["columns"]} == {"nul\x00inside"}
    shown = project.run("baseline", "show", "hostile", "--database", url, "--format", "json").json
    assert [column["column"] for column in shown["columns"]] == NAMES
    assert {item.get("category") for item in whole[1]["bins"]} - {None} == set(WORDS)
    segments = [column["segment"] for column in result["columns"] if column["segment"] is not None]
    assert set(segments) == {f"{NAMES[0]}={value}" for value in SEGMENTS}
    assert len(segments) == len(SEGMENTS) * (len(NAMES) - 1)


def test_hostile_names_do_not_spoil_a_table(checked):
    _, project, url = checked

    for command in (
        ["check", "hostile", "--window", "2024-02-01"], ["history", "hostile"], ["baseline", "show", "hostile"],
        ["history", "hostile", "--column", "two\nlines"], ["compare", "reference.parquet", "live.parquet"],
    ):  # fmt: skip
        more = [] if command[0] == "compare" else ["--database", url]
        run = project.run(*command, *more)

        assert run.status == 0, run.err
        assert all(letter.isprintable() or letter == "\n" for letter in run.out + run.err), command
        assert max(map(len, run.out.splitlines())) < 300
        assert "[31mred" in run.out or command[0] == "history"


def test_hostile_names_are_labels_that_prometheus_reads(checked):
    _, _, url = checked
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it is in the package 'prometheus'")

    with serving("--database", url) as served:
        served.until(KL, lambda values: len(values) == len(NAMES) + len(SEGMENTS) * (len(NAMES) - 1))
        labels = [dict(labels) for labels in served.samples(KL)]
        columns = {each["column"] for each in labels}
        [info] = served.samples("driftmon_monitor_info")
        text = served.get("/metrics")[1]

    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert len(columns) == len(NAMES), "every name is a label of its own"
    assert {name for name in NAMES if name.isprintable() and len(name) < 100} <= columns
    assert "two\nlines" in columns
    assert all(len(column.encode()) <= 512 for column in columns)
    assert len({each["segment"] for each in labels if "segment" in each}) == len(SEGMENTS)
    assert dict(info)["model"] == 'quo"te\\ 🦆'


def test_messages_about_hostile_names_are_one_line(checked):
    _, project, url = checked
    live = rows(1, "2024-02-01").drop(columns=["two\nlines", LONG])
    live.assign(**{"\x1b[31mred": "text"}).to_parquet("live.parquet")

    run = project.run("check", "hostile", "--window", "2024-02-01", "--database", url)

    assert run.status == 0
    assert all(letter.isprintable() or letter == "\n" for letter in run.out + run.err)
    assert max(map(len, run.out.splitlines())) < 300
    assert run.out.count("schema_changed") == 3 + 3 * (1 + len(SEGMENTS))  # in the headline, and a line each

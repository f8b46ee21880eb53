"""
Names that break things elsewhere, through the whole path, on both databases.

From file to check, database, JSON, tables and metrics; and to the pages, the report, the dashboards' views and Alertmanager's messages.
"""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest

from driftmon.report.pages import SCRIPT, STYLE
from driftmon.report.text import label
from driftmon.store.engine import Database
from tests.acceptance.serving import serving
from tests.alerting.programs import ALERTMANAGER, program, run
from tests.store.views import rows_of

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


# The readers for people and their programs: the same names, once through all of them


TOLD = [
    '"><script>alert(1)</script>',
    'it\'s "q" \\',
    "two\nlines",
    "{{ . }}",
    "${HOME}",
    "L" * 300,
    "\u202elaer",
    "עמודה",
    "<!channel>",
]
"""Names of columns, of categories and of values that make segments."""

READABLE = [TOLD[1], "{{ . }}", "${HOME}", "עמודה", "<!channel>"]
"""Those that stand in the table of bins as they are: others are quoted, or cut, there."""

TOLD_MONITOR = """
name: told
model: {model}
owner: {owner}
description: {model}
reference: {{path: reference.parquet}}
live: {{path: live.parquet, timestamp: at}}
columns: {{exclude: [at]}}
segments: {segments}
"""

OWNER = '"><script>alert(2)</script> {{ .Labels }} ${HOME} <!here>'


def told_rows(seed, *, drifts):
    """Each name a column; the first of categories that are the names, by which segments are made; all of them drift, or none."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(size=3_000) + 2.0 * drifts for name in TOLD}
    columns["kind"] = TOLD[0] if drifts else np.resize(TOLD, 3_000)
    columns[TOLD[1]] = np.resize(TOLD, 3_000)
    return pd.DataFrame(columns | {"at": pd.Timestamp("2024-02-01", tz="UTC")})


@pytest.fixture
def told(results_database, empty_project, monkeypatch):
    """The results of a check in which columns of all those names drift, and their segments; the project, and the URL."""
    project = empty_project
    monkeypatch.setenv("HOSTILE", OWNER)  # what comes from the environment is not looked at again
    told_rows(0, drifts=False).to_parquet("reference.parquet")
    told_rows(1, drifts=True).to_parquet("live.parquet")
    (project.folder / "monitors").mkdir()
    said = {"model": json.dumps(TOLD[0]), "owner": json.dumps("${HOSTILE}"), "segments": json.dumps([TOLD[1]])}
    (project.folder / "monitors" / "told.yaml").write_text(TOLD_MONITOR.format(**said))
    assert project.run("baseline", "build", "told", "--database", results_database).status == 0
    run = project.run("check", "told", "--window", "2024-02-01", "--database", results_database, "--format", "json")
    assert run.status == 0, run.err
    return run.json, project, results_database


class Html(HTMLParser):
    """What a browser makes of a page: its elements, its words, its links, and the words of its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.links, self.code, self._inside = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attributes), (tag, attributes)
        self.links += [value for name, value in attributes if name == "href"]
        self._inside = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, _tag):
        self._inside = ""

    def handle_data(self, data):
        (self.code if self._inside else self.words).append(data)

    @property
    def text(self):
        return "".join(self.words)


def assert_that_names_are_words(html, names):
    page = Html(html)
    assert page.tags.count("script") <= 1
    assert page.tags.count("style") == 1
    assert set(page.code) <= {SCRIPT, STYLE}
    assert not {"img", "iframe", "object", "embed", "base", "meta"} & set(page.tags[page.tags.index("body") :])
    assert "\u202e" not in html
    for name in names:
        assert label(name) in page.text, name
    return page


def test_pages_and_report_show_hostile_names_as_words_and_lead_to_each(told):
    result, project, url = told
    names = {column["column"] for column in result["columns"]}
    assert names == {*TOLD, "kind"}
    segments = {column["segment"] for column in result["columns"]} - {None}
    assert segments >= {f"{TOLD[1]}={name}" for name in TOLD if len(name) < 300}
    assert len(segments) == len(TOLD)
    drifted = {column["column"] for column in result["columns"] if column["status"] == "critical"}
    assert drifted == names - {TOLD[1]}

    with serving("--database", url) as served:
        served.until(KL, lambda values: len(values) == len(result["columns"]))
        _, overview = served.get("/")
        assert_that_names_are_words(overview, [TOLD[0], OWNER])
        page = assert_that_names_are_words(served.get("/monitors/told")[1], [*names, TOLD[0], OWNER])
        links = dict.fromkeys(link for link in page.links if "/column?" in link)
        seen = set()
        for link in links:
            fields = dict(parse_qsl(link.partition("?")[2], keep_blank_values=True))
            seen.add((fields["name"], fields.get("segment")))
            if fields.get("segment") is None:
                status, body = served.get(link)
                assert status == 200, link
                assert_that_names_are_words(body, [fields["name"][:50]])  # long ones are cut in the middle
        assert {(name, None) for name in names} <= seen
        assert {segment for _, segment in seen} == {None, *segments}
        kinds = served.get("/monitors/told/column?name=kind")[1]
        assert_that_names_are_words(kinds, READABLE)

    report = project.run("report", "told", "-o", "-", "--database", url).out
    assert_that_names_are_words(report, [*names, *TOLD, OWNER])


def test_grafana_reads_hostile_names_from_the_views_as_they_are(told):
    result, _, url = told
    database = Database(url, read_only=True)
    with database.reading() as connection:
        rows = rows_of(connection, "grafana_column_results", monitor="told")
        bins = rows_of(connection, "grafana_column_bins", monitor="told", column_name="kind", segment="")
        [window] = rows_of(connection, "grafana_windows", monitor="told")

    database.close()
    assert {(row["column_name"], row["segment"] or None) for row in rows} == {
        (column["column"], column["segment"]) for column in result["columns"]
    }
    labels = {row["label"] for row in bins}  # as people read them: on one line, long ones short
    assert labels >= set(READABLE)
    assert len(labels) >= len(TOLD)
    assert all(name.isprintable() and len(name) <= 300 for name in labels)
    assert window["model"] == TOLD[0]


def test_metrics_and_messages_have_hostile_names_as_labels_and_words(told, tmp_path):
    result, _, url = told
    promtool, amtool = program("promtool", "prometheus"), program("amtool", "prometheus-alertmanager")
    with serving("--database", url) as served:
        served.until(KL, lambda values: len(values) == len(result["columns"]))
        text = served.get("/metrics")[1]
        ranks = served.samples("driftmon_column_finding_rank")
        [info] = served.samples("driftmon_monitor_info")
        [headline] = served.samples("driftmon_monitor_headline_info")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert dict(info)["owner"] == OWNER
    found = [dict(labels) for labels in ranks]
    assert {each["column"] for each in found} == {*TOLD, "kind"} - {TOLD[1]}

    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "DriftmonColumnDrift", "severity": "critical", "component": "drift", "owner": OWNER}
            | {key: each[key] for key in ("model", "monitor", "column", "role", "segment") if key in each},
            "annotations": {"summary": each["column"], "description": each["text"], "headline": dict(headline)["text"]}
            | {"window_end": "2024-02-02 00:00:00 +0000 UTC", "rank": f"{place:06.0f}"}
            | {"dashboard_url": "", "status_url": "", "runbook_url": ""},
            "startsAt": "2024-02-02T06:00:00Z",
            "endsAt": "2024-02-02T07:00:00Z",
        }
        for each, place in zip(found, ranks.values(), strict=True)
        if "segment" not in each
    ]
    (tmp_path / "data.json").write_text(json.dumps({"status": "firing", "alerts": alerts, "externalURL": "http://am"}))

    def rendered(template, kind="text"):
        command = [amtool, "template", "render", f"--template.glob={ALERTMANAGER / 'driftmon.tmpl'}"]
        command += [f"--template.type={kind}", f'--template.text={{{{ template "{template}" . }}}}']
        return run(*command, f"--template.data={tmp_path / 'data.json'}")

    plain, html = rendered("driftmon.text"), rendered("driftmon.html", "html")
    slack = rendered("driftmon.slack.title") + rendered("driftmon.slack.text")
    for each in alerts:
        name = each["labels"]["column"]
        assert name in plain
        assert " ".join(name.split()) in " ".join(Html(html).text.split())
    assert "script" not in Html(html).tags
    assert not {"<!channel>", "<!here>", "<script>"} & set(re.findall(r"<[^<>]*>", slack))
    assert json.loads(json.dumps({"text": slack}))["text"] == slack

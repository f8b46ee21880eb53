"""Laws of the report and the pages, on real checks: complete, true to the numbers, self-contained, and safe against names."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.verdict import Status
from driftmon.exporter.service import Exporter
from driftmon.report.overview import know
from driftmon.report.pages import POLICY, SCRIPT, STYLE, render_report
from driftmon.report.text import said
from driftmon.report.views import monitor_view
from driftmon.results import check_json
from driftmon.store.store import Store
from tests.exporter.conftest import fetch  # noqa: F401 - a fixture
from tests.report.fleet import facts_of, fill
from tests.store.factories import NOW, baseline_of, day, facts, result_of

HOSTILE = [
    '"><script>alert(1)</script>',
    "two\nlines",
    "{{ 7*7 }}",
    "${HOME}",
    "x" * 300,
    "\u202elaer",
    "עמודה",
    "🦆 'q' \"d\"",
]


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, scripts, and the rows of the table of all columns."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows, self.scripts, self._in_script = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._in_script = tag == "script"
        if tag == "tr" and "data-look" in dict(attributes):
            self.rows.append([])
        elif tag in {"th", "td"} and self.rows and "data-v" in dict(attributes):
            self.rows[-1].append(dict(attributes)["data-v"])

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)
            self._in_script = False


@pytest.fixture
def store(results_database):
    with Store.open(results_database) as store:
        yield store


def test_a_report_has_every_column_once_with_the_numbers_of_the_check(store):
    fill(store, days=4, rows=600, names=("churn",))
    view = monitor_view(store, facts_of("churn"), details=True)

    rows = {row[0]: row for row in Page(render_report(view, "1")).rows}
    whole = [column for column in check_json(view.check)["columns"] if column["segment"] is None]
    assert len(rows) == len(whole) == len(view.rows)
    for column in whole:
        assert float(rows[column["column"]][2]) == column["kl"]
    assert view.findings == store.monitor_snapshot("churn").findings
    assert view.headline == store.monitor_snapshot("churn").headline


def test_a_report_asks_for_nothing_and_lets_nothing_else_run(store):
    fill(store, days=2, rows=300, names=("churn",))

    page = Page(render_report(monitor_view(store, facts_of("churn"), details=True), "1"))
    assert page.scripts == [SCRIPT]
    assert not any({"src", "style", "srcset"} & attributes.keys() for _, attributes in page.elements)
    links = {attributes["href"] for _, attributes in page.elements if "href" in attributes}
    places = {f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes}
    assert links - {"data:,"} <= places
    assert "#shift-1" in links
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    [policy] = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == POLICY
    assert "unsafe" not in policy
    assert "url(" not in STYLE


def hostile(store):
    reference = {name: [float(i % 97) for i in range(2_000)] for name in HOSTILE}
    reference["kind"] = [HOSTILE[i % len(HOSTILE)] for i in range(2_000)]
    live = reference | {HOSTILE[0]: [value * 9 for value in reference[HOSTILE[0]]], "kind": [HOSTILE[0]] * 2_000}
    said = facts(owner=HOSTILE[0], description=HOSTILE[0], model=HOSTILE[0])
    baseline = baseline_of(reference)
    store.save_baseline("flights", baseline, now=NOW)
    store.save_check(result_of(baseline, live, day(1)), said, started_at=NOW, now=NOW)
    return said


def test_hostile_names_are_text_in_a_report(store):
    view = monitor_view(store, hostile(store), details=True)

    text = render_report(view, "1")
    page = Page(text)
    assert page.scripts == [SCRIPT]
    assert "<script>alert" not in text
    assert "49" not in [row[0] for row in page.rows]
    assert "\u202e" not in text
    assert "<bdi>עמודה</bdi>" in text
    assert len(page.rows) == len(view.rows)


def test_pages_answer_and_say_what_is_not_there(results_database, store, fetch):  # noqa: F811 - the fixture
    hostile(store)
    exporter = Exporter(
        lambda: Store.open(results_database, read_only=True), listen="127.0.0.1:0", refresh_seconds=3600
    )
    exporter._server.start()
    assert fetch(exporter.address, "/").status == 503
    exporter.refresh()

    overview = fetch(exporter.address, "/")
    assert overview.status == 200
    assert "1 of 1 monitor drifted" in overview.text
    links = [a["href"] for _, a in Page(fetch(exporter.address, "/monitors/flights").text).elements if "href" in a]
    columns = {link for link in links if "/column?" in link}
    assert len(columns) >= len(HOSTILE)
    assert {fetch(exporter.address, link).status for link in columns} == {200}
    assert "did you mean" in fetch(exporter.address, "/monitors/flight").text
    for path, status in (
        ("/monitors/flight", 404), ("/monitors/flights/column?name=nothing", 404), ("/monitors/%zz", 400), ("/monitors/%ff", 400),
        ("/monitors/flights?ending=now", 400), ("/monitors/flights?ending=-1", 400), ("/monitors/flights?ending=1", 404),
        ("/monitors/flights?ending=99999999999", 404), ("/monitors/flights?window=yesterday", 400), ("/monitors/flights?window=1999-01-01T00:00:00Z", 404),
        ("/monitors/" + "x" * 9_000, 414), ("/runbooks/Nothing", 404), ("/runbooks/", 200),
    ):  # fmt: skip
        assert fetch(exporter.address, path).status == status, path
    exporter.stop()


def test_the_overview_tells_of_two_columns_before_it_tells_of_segments_of_one(store):
    fill(store, days=4, rows=600, names=("churn",))
    snapshot = store.monitor_snapshot("churn")
    worst, *others = snapshot.findings
    segments = tuple(replace(worst, segment=f"country={value}") for value in ("DE", "US"))
    snapshot = replace(snapshot, findings=(worst, *segments, *others))

    known = know(snapshot, ())
    assert known.findings == (worst, others[0])
    assert worst.column != others[0].column
    assert known.more == len(snapshot.findings) - 2
    assert know(replace(snapshot, findings=(worst, *segments)), ()).findings == (worst, segments[0])


def test_a_number_and_its_percent_sign_are_not_torn_apart():
    assert said("missing 0 % → 11 %; 100 %d %") == "missing 0\u00a0% → 11\u00a0%; 100\u00a0%d %"


def test_a_window_is_found_by_its_start_and_by_its_end_as_alerts_have_it(results_database, store, fetch):  # noqa: F811
    fill(store, days=3, rows=300, names=("churn",))
    oldest = store.load_checks("churn")[-1].window
    start, end = oldest.start.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{oldest.end.timestamp():.0f}"
    exporter = Exporter(
        lambda: Store.open(results_database, read_only=True), listen="127.0.0.1:0", refresh_seconds=3600
    )
    exporter._server.start()
    exporter.refresh()

    for page in ("/monitors/churn?", "/monitors/churn/column?name=tenure&"):
        by_start, by_end, newest = (
            fetch(exporter.address, page + query) for query in (f"window={start}", f"ending={end}", "")
        )
        assert (by_end.status, by_end.text) == (200, by_start.text)
        assert newest.text != by_end.text
        assert f"window {oldest} UTC" in by_end.text
    missing = fetch(exporter.address, f"/monitors/churn?ending={int(end) + 60}").text
    assert "no result of a window that ends at" in missing
    assert f"/monitors/churn?window={quote(start, safe='')}" in missing
    exporter.stop()


def test_strips_and_timelines_are_what_the_stored_checks_say(store):
    fill(store, days=5, rows=300, names=("churn", "search"))

    strips = store.strips(limit=3)
    stored = store.load_checks("churn", limit=3)[::-1]
    timeline = store.timeline("churn", limit=3)
    assert set(strips) == {"churn", "search"}
    assert strips["churn"] == timeline.windows
    assert [point.status for point in strips["churn"]] == [check.status for check in stored]
    assert [point.kl for point in timeline.of("tenure")] == [check["tenure"].kl for check in stored]
    assert [point.drifted for point in strips["churn"]] == [
        sum(c.status.breach for c in check.columns) for check in stored
    ]
    assert store.strips({"search"}, limit=3) == {"search": strips["search"]}


def test_what_alerts_without_a_drift_of_this_window_is_not_green_and_comes_first(store):
    fill(store, now=NOW, days=2, rows=600, names=("support",))
    check = store.load_checks("support", limit=1)[0]
    assert check.status is Status.OK
    quietest = check.ranked()[-1].column
    missing = Quality(QualityCheck.MISSING, None, 0.0, 0.001, 1e-9, 1e-9, problem=True)
    columns = tuple(
        replace(column, quality=(missing,)) if column.column == quietest else column for column in check.columns
    )

    tones = []
    for result in (check, replace(check, columns=columns)):
        store.save_check(result, facts_of("support"), started_at=NOW, now=NOW)
        html = render_report(monitor_view(store, facts_of("support"), details=True), "1")
        tones.append(re.findall(r'<(?:h1|p) class="answer (\w+)">', html)[:2])

    assert tones == [["ok", "ok"], ["warning", "warning"]]
    assert Page(html).rows[0][0] == quietest

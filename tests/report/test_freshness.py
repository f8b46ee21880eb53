"""An old verdict never looks like one of today: the pages of a monitor that is stale, that fails, or that has ended."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from driftmon.core.verdict import Status
from driftmon.exporter.service import Exporter
from driftmon.report.freshness import Freshness, standing, watch
from driftmon.settings import Links
from driftmon.store.records import RunRecord
from driftmon.store.store import Store
from tests.exporter.conftest import fetch  # noqa: F401 - a fixture
from tests.report.fleet import DAY, facts_of, fill
from tests.store.factories import day, facts

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def pages(results_database):
    """The pages of a fleet: of `search`, the newest window is a week old and the last run failed."""
    with Store.open(results_database) as store:
        now = datetime.now(UTC)
        fill(store, now=now - 7 * DAY, days=4, rows=300, names=("search",))
        fill(store, now=now, days=2, rows=300, names=("recommendations",))
        newest = store.load_checks("search", limit=1)[0].window
        failed = type(newest)(newest.end, newest.end + DAY)
        store.record_run(RunRecord("search", failed, now, now, "clicks.parquet: no such file"))
        links = Links("https://grafana.example", "")
        exporter = Exporter(
            lambda: Store.open(results_database, read_only=True),
            listen="127.0.0.1:0",
            refresh_seconds=3600,
            links=links,
        )
        exporter._server.start()
        assert exporter.refresh()
        yield exporter.address, store
        exporter.stop()


def answer(text):
    """The first heading: its colour, its first words, and what comes after them."""
    [(tone, said)] = re.findall(r'<h1 class="answer (\w+)">(.*?)</h1>', text, re.DOTALL)
    first, _, then = said.partition("<small")
    return tone, first, then


@pytest.mark.parametrize("path", ["/monitors/search", "/monitors/search/column?name=basket"])
def test_a_stale_monitor_is_stale_before_it_is_ok(pages, fetch, path):  # noqa: F811
    address, store = pages
    newest = store.load_checks("search", limit=1)[0].window

    text = fetch(address, path).text
    linked = fetch(address, f"{path}{'&' if '?' in path else '?'}ending={newest.end.timestamp():.0f}").text

    tone, first, then = answer(text)
    assert tone == "warning"
    assert "stale since " in first
    assert "the newest run failed" in first
    assert "The newest window: " in then
    assert "clicks.parquet: no such file" in text
    assert "/runbooks/DriftmonMonitorStale?monitor=search" in text
    assert answer(linked) == answer(text)


@pytest.mark.parametrize("path", ["/monitors/recommendations", "/monitors/recommendations/column?name=basket"])
def test_a_monitor_whose_runs_fail_says_so_before_what_its_newest_window_was(pages, fetch, path):  # noqa: F811
    text = fetch(pages[0], path).text

    tone, first, _ = answer(text)
    assert tone == "warning"
    assert "the newest run failed" in first
    assert "no file matches; is the export late?" in text
    assert "/runbooks/DriftmonMonitorFailing?monitor=recommendations" in text


def test_an_older_window_answers_for_itself_and_the_box_below_for_the_monitor(pages, fetch):  # noqa: F811
    address, store = pages
    older = store.load_checks("search")[-1].window

    text = fetch(address, f"/monitors/search?ending={older.end.timestamp():.0f}").text

    assert "stale" not in answer(text)[1]
    assert "This is an older window; the monitor is stale" in text


def test_the_overview_has_a_badge_for_each_thing_that_is_wrong(pages, fetch):  # noqa: F811
    text = fetch(pages[0], "/").text

    rows = {re.search(r'data-v="(\w+)"', row)[1]: row for row in text.split("<tr data-status")[1:]}
    badges = {name: re.findall(r"!</span> ([a-z ]+)</span>", row) for name, row in rows.items()}
    assert badges["search"] == ["stale", "failing"]
    assert badges["recommendations"] == ["failing"]


@pytest.mark.parametrize("page", ["/monitors/search?", "/monitors/search/column?name=basket&"])
def test_grafana_is_opened_at_the_window_of_the_page(pages, fetch, page):  # noqa: F811
    address, store = pages
    windows = [check.window for check in store.load_checks("search")]

    def span(window):
        text = fetch(address, f"{page}ending={window.end.timestamp():.0f}").text
        [link] = re.findall(r'href="(https://grafana.example/[^"]*)"', text)
        asked = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
        return [datetime.fromtimestamp(int(asked[edge][0]) / 1000, UTC) for edge in ("from", "to")]

    older, newest = windows[-1], windows[0]
    start, end = span(older)
    assert (start, end) == (older.end - 30 * DAY, older.end - timedelta(milliseconds=1))
    assert older.start < end < windows[-2].start
    assert span(newest) == [newest.end - 30 * DAY, newest.end + timedelta(seconds=facts_of("search").max_window_age)]


@pytest.mark.parametrize(
    ("hours", "failed", "expected"),
    [
        (1, 0, Freshness.FRESH), (1, 1, Freshness.FAILING), (29, 0, Freshness.FRESH), (31, 0, Freshness.STALE), (31, 3, Freshness.STALE),
    ],
)  # fmt: skip
def test_stale_is_what_is_older_than_its_file_allows(hours, failed, expected):
    said = facts(max_window_age=30 * 3600.0)

    now = watch(said, NOON, failed, NOON + timedelta(hours=hours))

    assert now.freshness is expected
    assert bool(now.lead) == (expected is not Freshness.FRESH)
    assert ("failing" in now.badges) == bool(failed)


def test_a_feed_that_has_ended_is_never_stale():
    ended = facts(max_window_age=3600.0, last_end=NOON)

    assert watch(ended, NOON, 0, NOON + timedelta(days=900)).freshness is Freshness.FRESH
    assert watch(ended, NOON - timedelta(days=1), 0, NOON + timedelta(days=900)).freshness is Freshness.STALE


def test_drift_keeps_its_colour_and_what_was_fine_loses_it():
    told = standing(facts(max_window_age=3600.0), day(1).end, day(1), (0, None), now=NOON)

    assert told.tone(Status.CRITICAL) == "critical"
    assert told.tone(Status.OK) == "warning"
    assert told.tone(Status.NO_DATA) == "warning"

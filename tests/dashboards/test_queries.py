"""Every query of every dashboard, asked of a real Prometheus and a real PostgreSQL that were filled by real checks."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from driftmon.exporter.exposition import label_value
from tests.dashboards.grafana import Query, interpolated, macros_expanded, panels_of, queries_of
from tests.dashboards.lint import text_of_empty
from tests.dashboards.world import HOSTILE, LONG, STORES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.dashboards.grafana import Page
    from tests.dashboards.world import World

LABEL = json.loads(f'"{label_value(LONG)}"')
"""The long name as Prometheus knows it."""

ALL = ".*"
"""What the overview's variable is as long as nobody chooses."""


def failures(dashboard: Mapping[str, Any], world: World, page: Page) -> list[str]:
    """The queries that cannot be answered, or whose answer is empty: no rows, or rows without anything in them."""
    found = []
    for query in queries_of(dashboard):
        try:
            rows = world.rows(query, page)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a query is its failure
            found.append(f"{query.place}: {error}")
            continue
        if not any(value is not None for row in rows for name, value in row.items() if name != "time"):
            found.append(f"{query.place}: EMPTY")
    return found


def rows_of(dashboard: Mapping[str, Any], title: str, world: World, page: Page, *, query: int = 0) -> list[dict]:
    """What one panel shows."""
    [panel] = [panel for panel in panels_of(dashboard) if panel["title"].startswith(title)]
    target = panel["targets"][query]
    text = target.get("expr") or target["rawSql"]
    return world.rows(Query(title, target["datasource"]["type"], text, target), page)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("overview", {"monitor": ALL}),
        ("overview", {"monitor": "(shop|quiet)"}),
        ("monitor", {}),
        ("column", {}),
        ("column", {"segment": ""}),
        ("column", {"segment": f"store={STORES[0]}"}),
        ("column", {"segment": f"store={STORES[1]}"}),
        ("column", {"column": HOSTILE}),
        ("column", {"column": LABEL}),
        ("column", {"column": LONG, "segment": f"store={STORES[1]}"}),
    ],
)
def test_every_query_gives_something(dashboards, world, name, values):
    assert failures(dashboards[name], world, world.page(**values)) == []


def test_only_what_a_column_without_data_cannot_have_is_empty(dashboards, world):
    found = failures(dashboards["column"], world, world.page(column="gone"))

    numbers = {
        "How far surely past critical?",
        "How large is KL?",
        "How many rows has the window?",
        "What is usual for it?",
        "Which bins make the divergence?",
    }
    assert {failure.partition("panel '")[2].partition("'")[0] for failure in found} <= numbers
    assert all(failure.endswith("EMPTY") for failure in found)
    [verdict] = rows_of(dashboards["column"], "What is wrong?", world, world.page(column="gone"))
    assert verdict["status"] == "schema_changed"
    assert verdict["in words"].startswith("no verdict: gone: not in ")


def test_only_findings_are_missing_where_nothing_drifts(dashboards, world):
    page = world.page(monitor="quiet", column="age")

    found = {failure.partition("panel '")[2] for failure in failures(dashboards["monitor"], world, page)}

    assert found <= {
        "What is wrong with which column, in words?' A: EMPTY",
        "Which columns have a quality problem?' A: EMPTY",
        "Which columns drift lastingly, however little?' A: EMPTY",
        "Where does it drift: in which segments?' A: EMPTY",
    }
    assert failures(dashboards["column"], world, page) == []


MISSPELT = [
    ("overview", "expr", "driftmon_monitor_headline_info", "driftmon_monitor_headlines"),
    ("monitor", "rawSql", "critical_ratio", "critcal_ratio"),
    ("monitor", "rawSql", "grafana_windows", "grafana_window"),
    ("column", "rawSql", "live_share AS", "live_shares AS"),
    ("column", "rawSql", "$__timeFilter(window_start)", "$__timefilter(window_start)"),
    ("column", "rawSql", "THEN segment = ''", "THEN segment = 'all rows'"),
]


@pytest.mark.parametrize(("name", "key", "right", "wrong"), MISSPELT)
def test_a_misspelling_is_found(dashboards, world, name, key, right, wrong):
    broken = copy.deepcopy(dashboards[name])
    changed = 0
    for panel in panels_of(broken):
        for target in panel["targets"]:
            if right in target.get(key, ""):
                target[key] = target[key].replace(right, wrong)
                changed += 1

    found = failures(broken, world, world.page(**({"monitor": ALL} if name == "overview" else {"column": "quiet"})))

    assert changed
    assert found


# What the panels show of the faults that were planted


def test_the_overview_counts_what_was_planted(dashboards, world):
    page = world.page(monitor=ALL)

    def number(title: str) -> float:
        [row] = rows_of(dashboards["overview"], title, world, page)
        return row["value"]

    assert number("How old is what you see?") < 30
    assert number("How many monitors report?") == 2
    assert number("How many have no fresh window?") == 1
    assert number("How many fail to run?") == 1
    assert number("How many columns got no verdict?") == 1
    assert number("How many columns drift critically?") == 5


def test_the_overview_names_the_monitor_that_drifts_and_its_worst_columns(dashboards, world):
    page = world.page(monitor=ALL)
    share = rows_of(dashboards["overview"], "Which monitors drift", world, page, query=3)
    worst = rows_of(dashboards["overview"], "Which columns are worst", world, page)

    assert {row["monitor"]: row["value"] for row in share} == {"shop": 0.5, "quiet": 0.0}
    whole = [row for row in sorted(worst, key=lambda row: -row["value"]) if "segment" not in row]
    assert [row["column"] for row in whole if row["value"] > 1] == [LABEL, HOSTILE, "country", "amount", "channel"]
    assert all("critical threshold" in row["text"] for row in whole if row["value"] > 1)
    assert {row["column"] for row in whole if row["value"] <= 1} == {"score", "gone"}


def test_the_alerts_that_fire_are_listed(dashboards, world):
    rows = rows_of(dashboards["overview"], "Which alerts fire now", world, world.page(monitor=ALL))

    fired = {(row["alertname"], row.get("monitor"), row.get("column")) for row in rows}
    assert {
        ("DriftmonColumnDrift", "shop", "amount"),
        ("DriftmonColumnDrift", "shop", HOSTILE),
        ("DriftmonSustainedDrift", "shop", "score"),
        ("DriftmonQualityProblem", "shop", "channel"),
        ("DriftmonMonitorStale", "quiet", None),
    } <= fired


def test_the_drift_map_shows_since_when_the_amounts_drift(dashboards, world):
    rows = rows_of(dashboards["monitor"], "Which columns drift, since when", world, world.page())

    cells: dict[str, list[int]] = {}
    for row in rows:
        cells.setdefault(row["metric"], []).append(row["value"])
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert cells["amount"] == [0, 0, 0, 0, 0, 7, 7, 7, 7]
    assert cells["gone"] == [0] * 8 + [4]
    assert cells["country"][-2:] == [0, 7]
    assert set(list(cells)[:4]) == {LONG, HOSTILE, "country", "amount"}, "the worst come first"
    assert len(cells) == 10


def test_the_tables_of_a_monitor_name_what_was_planted(dashboards, world):
    def by_column(title: str) -> dict[str, dict]:
        rows = rows_of(dashboards["monitor"], title, world, world.page())
        return {row["column"]: row for row in rows if row.get("segment", "") == ""}

    columns = by_column("How far did each column move")
    assert columns["amount"]["status"] == "critical"
    assert columns["amount"]["surely / critical"] > 1 > columns["quiet"]["surely / critical"]
    assert columns["gone"]["KL"] is None
    quality = by_column("Which columns have a quality problem?")
    assert quality["channel"]["problem"] == "missing"
    assert quality["channel"]["missing"] > 0.15
    assert quality["channel"]["missing before"] < 0.03
    assert quality["country"]["problem"] == "novel"
    assert quality["country"]["new"] == pytest.approx(61 / 600)
    lasting = by_column("Which columns drift lastingly")
    assert lasting["score"]["this window"] in {"ok", "info"}
    assert lasting["score"]["windows sustained"] == 7
    segments = rows_of(dashboards["monitor"], "Where does it drift", world, world.page())
    assert {row["segment"] for row in segments if row["column"] == "amount"} == {f"store={STORES[1]}"}


def test_the_page_of_a_column_says_how_it_changed(dashboards, world):
    page = world.page()
    [verdict] = rows_of(dashboards["column"], "What is wrong?", world, page)
    contributions = rows_of(dashboards["column"], "Which bins make", world, page)
    shares = rows_of(dashboards["column"], "Where were the rows", world, page)
    [kl] = rows_of(dashboards["column"], "How large is KL?", world, page)

    assert verdict["status"] == "critical"
    assert verdict["in words"].startswith(f"KL {kl['KL']:.3f} nats, surely at least ")
    assert "× the critical threshold 0.1; 4 windows in a row" in verdict["in words"]
    assert verdict["window"].date() == world.last_day
    assert sum(row["adds to KL"] for row in contributions) == pytest.approx(kl["KL"])
    assert max(contributions, key=lambda row: row["adds to KL"])["bin"] in {row["bin"] for row in shares[-6:]}
    for side in ("reference", "live"):
        assert sum(row[side] for row in shares) == pytest.approx(1)


def test_an_earlier_window_is_shown_where_the_time_ends_earlier(dashboards, world):
    page = world.page()
    rows = rows_of(dashboards["column"], "Since when, and how far", world, page)
    earlier = rows[3]["time"]
    page = type(page)(page.values, page.start, earlier)

    [verdict] = rows_of(dashboards["column"], "What is wrong?", world, page)

    assert (verdict["window"], verdict["status"], verdict["in words"]) == (earlier, "ok", "as usual")


def test_where_no_window_is_shown_the_page_leads_to_the_newest(dashboards, world):
    page = world.page()
    page = type(page)(page.values, datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 2, 1, tzinfo=UTC))

    [windows] = rows_of(dashboards["monitor"], "Which windows are there?", world, page)

    assert (windows["shown here"], windows["stored"]) == (0, 9)
    start, end = (datetime.fromtimestamp(int(windows[name]) / 1000, UTC) for name in ("from_ms", "to_ms"))
    assert start < windows["newest window"] < end
    assert (end - start).days == 31


# What names can do


INJECTIONS = [
    "' OR '1' = '1",
    "'); DROP VIEW grafana_windows; --",
    "x' UNION SELECT table_name FROM information_schema.tables --",
    "%27 OR true --",
    "$__timeFilter(window_start)",
    "$usd(net)",
    "${monitor}",
    '"; SELECT 1',
    "\\' OR true --",
    "{{ column }}",
    "",
]


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_name_that_is_none_finds_nothing_and_breaks_nothing(dashboards, world, value):
    page = world.page(column=value, segment=value, monitor=value)
    for query in queries_of(dashboards["column"]):
        if query.kind != "prometheus":
            assert world.rows(query, page) == [], query.place


def test_the_quoting_that_grafana_has_for_sql_would_not_do(world):
    name = interpolated("SELECT ${column:sqlstring} AS name", world.page(column='say "hi"'))
    [found] = world.sql(name)
    assert found["name"] != 'say "hi"', "Grafana writes a backslash before a double quote, which PostgreSQL keeps"

    with pytest.raises(ValueError, match="unknown macro 'usd'"):
        macros_expanded(interpolated("SELECT ${column:sqlstring}", world.page(column="$usd(net)")), world.page())


def test_a_link_keeps_the_name_that_it_is_about(dashboards, world):
    columns = world.rows(
        next(q for q in queries_of(dashboards["column"]) if "variable column" in q.place), world.page()
    )

    assert {HOSTILE, LONG} < {row["column_name"] for row in columns}
    for row in columns:
        page = world.page(column=row["column_name"])
        [found] = world.sql(interpolated("SELECT grafana_text('${column:percentencode}') AS name", page))
        assert found["name"] == row["column_name"]


def test_a_link_from_a_row_without_a_segment_leads_to_all_rows(dashboards, world):
    followed = 0
    for name in ("overview", "monitor"):
        for panel in panels_of(dashboards[name]):
            if "${__data.fields.segment:percentencode}" in json.dumps(panel):
                followed += 1
                assert text_of_empty(panel, "segment") == "all rows", panel["title"]

    [verdict] = rows_of(dashboards["column"], "What is wrong?", world, world.page(segment="all rows"))
    assert followed >= 6
    assert verdict["status"] == "critical"

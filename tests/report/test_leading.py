"""What comes first where there is much: columns before their segments, the segment that it is about, and the feed where all drift."""

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from driftmon.core.verdict import Status
from driftmon.report.details import detail_of
from driftmon.report.leading import is_widespread, leading, spoken_for
from driftmon.report.pages import render_report
from driftmon.report.views import monitor_view
from driftmon.store.store import Store
from tests.report.fleet import facts_of, fill
from tests.store.factories import NOW, baseline_of, day, facts, result_of


@pytest.fixture
def store(results_database):
    with Store.open(results_database) as store:
        yield store


@pytest.fixture
def parts(store):
    """Columns and segments by name, whose verdicts a test decides."""
    rows = {name: [float(i % 50) for i in range(400)] for name in "abcdefghij"}
    whole = result_of(baseline_of(rows), rows, day(1)).columns

    def parts(*said):
        known = {column.column: column for column in whole}
        return [replace(known[name[0]], segment=name[2:] or None, status=status) for name, status in said]

    return parts


def names(found):
    return [part.column + (f"/{part.segment}" if part.segment else "") for part in found]


def test_a_column_speaks_for_the_segments_that_are_not_worse(parts):
    order = parts(
        ("a", Status.CRITICAL),
        ("a/x", Status.CRITICAL),
        ("b/x", Status.CRITICAL),
        ("b", Status.WARNING),
        ("b/y", Status.WARNING),
        ("c/x", Status.WARNING),
    )

    assert names(leading(order)) == ["a", "b/x", "b", "c/x"]
    assert names(spoken_for(order[0], order)) == ["a/x"]
    assert names(spoken_for(order[3], order)) == ["b/y"]
    assert spoken_for(order[2], order) == []


@pytest.mark.parametrize(
    ("drifted", "judged", "expected"),
    [(3, 9, True), (3, 10, False), (2, 2, False), (4, 10, True)],
)
def test_widespread_is_what_the_alert_of_that_name_asks_for(parts, drifted, judged, expected):
    statuses = [Status.WARNING] * drifted + [Status.OK] * (judged - drifted)
    columns = parts(*zip("abcdefghij", statuses, strict=False))
    segments = parts(*((f"{name}/x", Status.CRITICAL) for name in "abcdefghij"))
    unknown = parts(*((name, Status.NO_DATA) for name in "abcdefghij"[judged:]))

    assert is_widespread([*columns, *segments, *unknown]) == expected


def test_where_everything_drifts_the_feed_is_to_be_looked_at_first(store):
    reference = {name: [float(i % 50) for i in range(800)] for name in "abcd"}
    baseline, said = baseline_of(reference), facts(timezone="UTC")
    store.save_baseline("flights", baseline, now=NOW)
    live = {name: [value + 30 for value in values] for name, values in reference.items()}
    store.save_check(result_of(baseline, live, day(1)), said, started_at=NOW, now=NOW)
    store.save_check(result_of(baseline, reference, day(2)), said, started_at=NOW, now=NOW)

    broken, fine = (render_report(monitor_view(store, said, day(at), details=True), "1") for at in (1, 2))

    assert "So many at once are rarely the world: look for a broken feed" in broken
    assert "So many at once" not in fine


@pytest.mark.parametrize(
    ("statuses", "others"),
    [
        ([Status.CRITICAL, Status.OK], "the other is ok"),
        ([Status.CRITICAL, Status.OK, Status.OK, Status.NO_DATA], "the others are ok, or without a verdict"),
        ([Status.CRITICAL, Status.OK, Status.WARNING], "the others are ok, warning"),
        ([Status.CRITICAL, Status.NO_DATA], None),
        ([Status.OK, Status.OK], None),
    ],
)
def test_the_page_of_a_column_says_first_in_which_segment_it_drifts(statuses, others):
    rows = {"delay": [float(i % 97) for i in range(2_000)]}
    checked = result_of(baseline_of(rows), {"delay": [value + 40 for value in rows["delay"]]}, day(1))
    whole = replace(checked["delay"], status=Status.WARNING)
    parts = [replace(whole, segment=f"origin={place}", status=status) for place, status in enumerate(statuses)]
    check = replace(checked, columns=(whole, *parts))

    told = [detail_of(check, column, [check], ZoneInfo("UTC")).where for column in check.columns]

    assert (None if told[0] is None else told[0].others) == others
    if told[0] is not None:
        [(segment, text)] = told[0].segments
        assert segment == "origin=0"
        assert re.fullmatch(r"critical, at least \d+\.\d × the threshold", text)
    assert not any(told[1:])


def test_a_report_tells_a_column_in_full_before_a_segment_that_says_the_same(store):
    fill(store, days=3, rows=600, names=("churn",))

    view = monitor_view(store, facts_of("churn"), details=True)

    told = [(it.column.column, it.column.segment) for it in view.details]
    assert told == [(finding.column, finding.segment) for finding, _ in view.told]
    whole = {
        finding.column for finding, _ in view.told if finding.segment is None and finding.status is Status.CRITICAL
    }
    assert whole
    assert not any(column in whole for column, segment in told if segment is not None)
    assert len(view.told) < len(view.findings)
    assert sum(1 + len(parts) for _, parts in view.told) == len(view.findings)

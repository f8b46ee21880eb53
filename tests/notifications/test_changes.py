"""What is news: laws that hold for every history of a monitor, and the cases that people think of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.verdict import Status
from driftmon.notifications.changes import DRIFT, FAILING, change_of, firing_now
from driftmon.store.notifications import Firing
from tests.notifications.snapshots import column, finding, snapshot

A_WARNING, A_CRITICAL = (Firing("DriftmonColumnDrift", severity, "a") for severity in ("warning", "critical"))
B_WARNING = Firing("DriftmonColumnDrift", "warning", "b")


@st.composite
def states(draw: st.DrawFn) -> frozenset[Firing]:
    """What fires: each alert of a column at most once."""
    severities = st.sampled_from([None, "warning", "critical"])
    alerts = ("DriftmonColumnDrift", "DriftmonQualityProblem")
    found = {(alert, name): draw(severities) for alert in alerts for name in "abc"}
    return frozenset(Firing(alert, severity, name) for (alert, name), severity in found.items() if severity)


def told_of(history: list[frozenset[Firing]]) -> list[tuple[frozenset[Firing], frozenset[Firing]]]:
    """The messages that somebody gets, each with what fires by it and what is said to be new."""
    believed: frozenset[Firing] = frozenset()
    messages = []
    for now in history:
        change = change_of(believed, now)
        if change is not None:
            messages.append((now, change.fresh))
            believed = change.firing
    return messages


@given(states(), states())
def test_what_was_told_is_no_news(told, now):
    change = change_of(told, now)

    assert change_of(now, now) is None
    assert change is None or change_of(change.firing, now) is None


@given(states(), states())
def test_whatever_is_new_or_worse_is_told(told, now):
    known = {(item.alert, item.column): item.severity for item in told}
    worse = {
        item
        for item in now
        if known.get((item.alert, item.column)) is None
        or (known[item.alert, item.column], item.severity) == ("warning", "critical")
    }

    change = change_of(told, now)

    assert (change.fresh if change else frozenset()) == worse


@given(states())
def test_the_end_of_everything_is_told_with_what_has_ended(told):
    change = change_of(told, frozenset())

    assert (change is None) == (not told)
    assert change is None or (change.over, change.firing, change.severity) == (told, frozenset(), None)


@given(st.lists(states(), max_size=8))
def test_windows_in_which_nothing_changes_add_no_message(history):
    twice = [state for state in history for _ in range(2)]

    assert told_of(twice) == told_of(history)


@given(st.lists(states(), min_size=1, max_size=8))
def test_after_any_history_the_last_message_names_all_that_fires_and_does_not_outlive_it(history):
    messages = told_of(history)
    believed = messages[-1][0] if messages else frozenset()

    assert {(item.alert, item.column) for item in history[-1]} <= {(item.alert, item.column) for item in believed}
    assert history[-1] or not believed


def test_a_column_that_recovers_while_another_drifts_waits_for_the_next_message():
    assert change_of({A_CRITICAL, B_WARNING}, frozenset({B_WARNING})) is None

    later = change_of({A_CRITICAL, B_WARNING}, frozenset({B_WARNING, Firing("DriftmonColumnDrift", "warning", "c")}))

    assert later.over == {A_CRITICAL}


def test_known_drift_that_turns_out_to_be_sustained_is_no_news_and_a_quality_problem_is():
    lasting, broken = (Firing(alert, "warning", "a") for alert in ("DriftmonSustainedDrift", "DriftmonQualityProblem"))

    assert change_of({A_WARNING}, frozenset({A_WARNING, lasting})) is None
    assert change_of({A_CRITICAL, lasting}, frozenset({lasting})) is None
    assert change_of({lasting}, frozenset({lasting, A_CRITICAL})).fresh == {A_CRITICAL}
    assert change_of({A_CRITICAL}, frozenset({A_CRITICAL, broken})).fresh == {broken}


def test_what_gets_less_severe_is_no_news_and_neither_is_its_coming_back():
    assert change_of({A_CRITICAL}, frozenset({A_WARNING})) is None
    assert change_of({A_CRITICAL}, frozenset({A_CRITICAL})) is None


def test_who_wants_only_critical_alerts_hears_of_nothing_else():
    now = snapshot(finding("a", "warning"), finding("b", "critical", "warning"))

    assert firing_now(now, least="critical") == {Firing("DriftmonColumnDrift", "critical", "b")}
    assert change_of({A_WARNING}, frozenset(), least="critical") is None


def test_an_alert_of_two_severities_is_the_worse_one():
    assert firing_now(snapshot(finding("a", "warning", "critical"))) == {A_CRITICAL}


def test_a_window_without_a_verdict_does_not_say_that_drift_is_over():
    gone = finding("a", "warning", alert="DriftmonColumnsNotEvaluated")
    now = snapshot(gone, columns=(column("a", Status.NO_DATA),))

    firing = firing_now(now, {A_CRITICAL})

    assert firing == {A_CRITICAL, Firing("DriftmonColumnsNotEvaluated", "warning", "a")}


def test_a_column_that_is_no_longer_monitored_is_over():
    assert firing_now(snapshot(columns=(column("b"),)), {A_CRITICAL}) == frozenset()


def test_two_failed_runs_in_a_row_are_an_alert_of_the_monitor():
    assert firing_now(snapshot(failed=1)) == frozenset()
    assert firing_now(snapshot(failed=2)) == {Firing(FAILING, "warning")}


def test_only_what_is_asked_for_counts():
    quality = finding("a", "warning", alert="DriftmonQualityProblem")

    assert firing_now(snapshot(quality, finding("a"), failed=3), only=DRIFT) == {A_CRITICAL}


def test_segments_are_told_apart():
    now = snapshot(finding("a", segment="origin=JFK"), finding("a", "warning"))

    assert firing_now(now) == {A_WARNING, Firing("DriftmonColumnDrift", "critical", "a", "origin=JFK")}


def test_a_column_speaks_for_its_segments_unless_one_of_them_is_worse():
    mild, bad = finding("a", "warning", segment="origin=JFK"), finding("a", "critical", segment="origin=LGA")

    assert firing_now(snapshot(finding("a", "warning"), mild)) == {A_WARNING}
    assert firing_now(snapshot(finding("a"), mild, bad)) == {A_CRITICAL}
    assert len(firing_now(snapshot(mild, bad))) == 2


def test_a_column_that_follows_one_of_its_segments_is_no_news_unless_it_is_worse():
    segment = Firing("DriftmonColumnDrift", "critical", "a", "o=JFK")

    assert change_of({segment}, frozenset({segment, A_WARNING})) is None
    assert change_of({Firing("DriftmonColumnDrift", "warning", "a", "o=JFK")}, frozenset({A_CRITICAL})).fresh == {
        A_CRITICAL
    }

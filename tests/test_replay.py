"""Stored windows judged again under other thresholds."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.check import Policy
from driftmon.core.sustained import Sustained
from driftmon.core.verdict import Threshold
from driftmon.errors import UsageError
from driftmon.replay import changed_policy, replay
from tests.days import check_day

SHIFTS = [0.0, 0.2, 0.4, 0.0, 0.8]
CHECKS = [check_day(number, late=shift) for number, shift in reversed(list(enumerate(SHIFTS)))]
ANY = st.floats(min_value=0, max_value=2)


def test_the_thresholds_in_force_give_the_stored_statuses():
    replayed = replay(CHECKS, Policy(), "the same")

    assert all(window.before == window.after for window in replayed.windows)
    assert all(window.alerts_before == window.alerts_after for window in replayed.windows)


@given(warning=ANY, critical=ANY)
def test_a_replay_gives_what_a_check_with_those_thresholds_would_have(warning, critical):
    policy = Policy(threshold=Threshold(*sorted((warning, critical))))

    replayed = replay(CHECKS, policy, "these")

    again = [check_day(number, late=shift, policy=policy) for number, shift in reversed(list(enumerate(SHIFTS)))]
    assert [window.after for window in replayed.windows] == [check.status for check in again]


@given(low=ANY, high=ANY)
def test_a_higher_threshold_never_gives_more_alerts(low, high):
    low, high = sorted((low, high))
    fewer, more = (replay(CHECKS, Policy(threshold=Threshold(warning, 2.0)), "") for warning in (high, low))

    for one, other in zip(fewer.windows, more.windows, strict=True):
        assert set(one.alerts_after) <= set(other.alerts_after)


def test_the_first_line_is_the_answer():
    replayed = replay(CHECKS, changed_policy(Policy(), warning=0.2, critical=9), "warning 0.2 and critical 9")

    assert replayed.headline == "with warning 0.2 and critical 9: 2 of 5 windows alert instead of 3"
    assert [(a.column, a.before, a.after) for a in replayed.columns] == [("dep_delay", 3, 2)]


def test_sustained_drift_is_judged_again_too():
    def lasting(check):
        state = Sustained(True, 12, 1.2, 1e-4, 2e-4, lower_bound=0.034)
        return replace(check, columns=tuple(replace(column, sustained=state) for column in check.columns[:1]))

    replayed = replay([lasting(check) for check in CHECKS], Policy(threshold=Threshold(0.05, 0.1)), "warning 0.05")

    assert "; sustained drift in 0 instead of 5" in replayed.headline
    assert [(a.sustained_before, a.sustained_after) for a in replayed.columns] == [(5, 0)]


def test_drift_is_not_sustained_by_a_threshold_alone():
    state = Sustained(False, 12, 0.1, 0.4, 0.6, lower_bound=0.034)
    checks = [replace(c, columns=tuple(replace(column, sustained=state) for column in c.columns)) for c in CHECKS]

    replayed = replay(checks, Policy(threshold=Threshold(0.0, 0.1)), "warning 0")

    assert not any(window.sustained_after for window in replayed.windows)


def test_windows_without_a_verdict_stay_without():
    [window] = replay([check_day(0, rows=50)], Policy(threshold=Threshold(0.0, 0.0)), "warning 0").windows

    assert (str(window.before), str(window.after)) == ("insufficient_data", "insufficient_data")
    assert not window.interesting


def test_windows_without_rows_are_not_counted():
    replayed = replay([check_day(5, rows=0), *CHECKS], Policy(threshold=Threshold(0.2, 9)), "warning 0.2")

    assert len(replayed.windows) == 5
    assert " of 5 windows " in replayed.headline


def test_the_same_thresholds_are_said_to_change_nothing():
    same, other = replay(CHECKS, Policy(), ""), replay(CHECKS, Policy(threshold=Threshold(0.02, 0.2)), "critical 0.2")

    assert (same.changed, other.changed) == (False, True)
    assert same.headline == (
        "nothing was changed: these windows were checked with the same thresholds, and 3 of 5 windows alert; "
        "give others with --warning KL or --critical KL"
    )


def test_only_the_columns_asked_for_are_looked_at():
    checks = [check_day(0, late=0.8, new=100)]

    replayed = replay(checks, Policy(), "", columns=["carrier"])

    assert replayed.windows[0].alerts_before == ("carrier",)


# Which thresholds change -----------------------------------------------------------------------------------------------

OWN = Policy(column_thresholds={"carrier": Threshold(0.01, 0.05)})


@pytest.mark.parametrize(
    ("options", "dep_delay", "carrier"),
    [
        ({}, (0.02, 0.1), (0.01, 0.05)),
        ({"warning": 0.03}, (0.03, 0.1), (0.01, 0.05)),
        ({"warning": 0.03, "everywhere": True}, (0.03, 0.1), (0.03, 0.05)),
        ({"warning": 0.03, "columns": ["carrier"]}, (0.02, 0.1), (0.03, 0.05)),
        ({"critical": 0.5, "columns": ["dep_delay"]}, (0.02, 0.5), (0.01, 0.05)),
    ],
)
def test_thresholds_change_as_if_the_file_was_edited(options, dep_delay, carrier):
    policy = changed_policy(OWN, **options)

    assert policy.threshold_of("dep_delay") == Threshold(*dep_delay)
    assert policy.threshold_of("carrier") == Threshold(*carrier)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warning": 0.2}, "warning 0.2 is above critical 0.1; say --critical too"),
        ({"critical": 0.01}, "warning 0.02 is above critical 0.01; say --warning too"),
        (
            {"warning": 0.2, "critical": 0.1},
            "warning 0.2 is above critical 0.1; give a --warning that is at most --critical",
        ),
    ],
)
def test_a_warning_above_critical_is_refused_with_the_option_that_helps(options, message):
    with pytest.raises(UsageError) as error:
        changed_policy(Policy(), **options)

    assert str(error.value) == message


def test_the_json_has_every_window_and_no_nan():
    content = replay(CHECKS, Policy(threshold=Threshold(0.2, 9)), "warning 0.2 and critical 9").to_json()

    json.dumps(content, allow_nan=False)
    assert len(content["windows"]) == 5
    assert content["windows"][0]["status"] == {"before": "critical", "after": "warning"}

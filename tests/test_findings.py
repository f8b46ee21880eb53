"""What somebody should know of a window: which columns, what it alerts, and the text that every reader shows."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.check import Policy
from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.sustained import Sustained
from driftmon.core.verdict import Status, Threshold
from driftmon.findings import LONGEST_TEXT, Alert, Finding, findings_of, fitted, is_widespread, summary
from driftmon.headline import headline
from tests.checks import check_of, flights
from tests.days import check_day, day
from tests.notifications.snapshots import column

UTC = ZoneInfo("UTC")
CRITICAL = Alert("DriftmonColumnDrift", Status.CRITICAL)
WARNING = Alert("DriftmonColumnDrift", Status.WARNING)
LENIENT = Policy(threshold=Threshold(0.02, 1.0))


def of(check, *past):
    return findings_of(check, past, UTC)


def changed(check, column, **values):
    columns = tuple(replace(each, **values) if each.column == column else each for each in check.columns)
    return replace(check, columns=columns)


def test_a_window_without_drift_has_no_finding():
    assert of(check_day(3)) == ()


def test_the_first_critical_window_alerts_and_the_text_says_how_far_past_what_since_when_and_what_moved():
    check = check_day(3, late=0.8)
    [finding] = of(check, check_day(2))

    assert (finding.name, finding.role, finding.status) == ("dep_delay", "feature", Status.CRITICAL)
    assert finding.alerts == (CRITICAL,)
    size, since, *moved = finding.text.split("; ")
    assert size.startswith(f"KL {check['dep_delay'].kl:.3f} nats, reverse KL 1.")
    assert size.endswith(" × the critical threshold 0.1")
    assert since == "since 2013-05-04 (first day)"
    assert " % → " in moved[0]


def test_how_far_past_its_threshold_never_says_more_than_the_bound():
    check = check_day(3, late=0.8)
    [finding] = of(check)

    said = float(finding.text.split("at least ")[1].split(" ×")[0])
    real = check["dep_delay"].scores.bound / check["dep_delay"].threshold.critical
    assert real - 0.1 < said <= real


def test_a_warning_alerts_from_its_second_window_on():
    first, second = (check_day(number, late=0.5, policy=LENIENT) for number in (3, 4))

    assert [finding.alerts for finding in of(first, check_day(2))] == [()]
    [finding] = of(second, first, check_day(2))
    assert finding.alerts == (WARNING,)
    assert "since 2013-05-04 (2 days)" in finding.text


def test_a_second_critical_window_also_confirms_the_warning():
    [finding] = of(check_day(4, late=0.8), check_day(3, late=0.8))

    assert finding.alerts == (CRITICAL, WARNING)
    assert "since 2013-05-04 or earlier (2 days)" in finding.text


def test_later_windows_and_the_window_itself_do_not_say_since_when():
    check = check_day(4, late=0.8)

    assert of(check, check, check_day(5, late=0.8)) == of(check)


def test_a_threshold_of_zero_has_no_multiple():
    [finding] = of(check_day(3, late=0.8, policy=Policy(threshold=Threshold(0, 0))))[:1]

    assert ", above the critical threshold 0; " in finding.text


def test_sustained_drift_without_a_drifting_window_comes_before_what_the_window_shows():
    lasting = Sustained(drifting=True, windows=12, ewma=2.5, p_value=1e-6, q_value=1e-6, lower_bound=0.031)
    [finding] = of(changed(check_day(3), "dep_delay", sustained=lasting))

    assert finding.alerts == (Alert("DriftmonSustainedDrift", Status.WARNING),)
    assert finding.text.startswith(
        "sustained drift: the last 7 days together moved by at least 0.031 nats, above the warning threshold 0.02; in this day alone: "
    )


def test_a_quality_problem_is_told_once_even_if_it_is_what_moved():
    missing = Quality(QualityCheck.MISSING, None, 0.0, 0.2, 1e-9, 1e-9, problem=True)
    check = changed(check_day(3), "carrier", quality=(missing,))
    [finding] = of(check)

    assert finding.alerts == (Alert("DriftmonQualityProblem", Status.WARNING),)
    assert finding.text.count("missing 0 % → 20 %") == 1


def test_a_column_without_a_verdict_is_a_finding_with_its_reason():
    check = changed(check_day(3), "carrier", status=Status.SCHEMA_CHANGED, reason="it is text now", scores=None)
    [finding] = of(check)

    assert finding.text == "no verdict (schema_changed): it is text now"
    assert finding.alerts == (Alert("DriftmonColumnsNotEvaluated", Status.WARNING),)


def test_too_few_rows_in_one_column_are_its_own_way_but_in_all_of_them_a_reason_to_look():
    few = {"status": Status.INSUFFICIENT_DATA, "reason": "12 rows, min_rows is 100"}
    one = changed(check_day(3), "carrier", **few)
    both = changed(one, "dep_delay", **few)

    assert [finding.alerts for finding in of(one)] == [()]
    assert [finding.alerts for finding in of(both)] == [(Alert("DriftmonColumnsNotEvaluated", Status.WARNING),)] * 2


def test_a_segment_without_rows_is_no_finding_but_a_drifting_one_is_named_with_its_rows():
    check = check_day(3, late=0.8)
    empty = replace(check["carrier"], segment="origin=JFK", status=Status.NO_DATA, scores=None)
    drifting = replace(check["dep_delay"], segment="origin=EWR")
    found = of(replace(check, columns=(check["carrier"], empty, drifting)))

    assert [finding.name for finding in found] == ["dep_delay where origin=EWR"]


def test_findings_come_worst_first():
    check = check_day(3, late=0.8, carriers=(0.3, 0.3, 0.2, 0.2), policy=Policy(threshold=Threshold(0.001, 0.1)))

    assert [finding.column for finding in of(check)] == ["dep_delay", "carrier"]
    assert [finding.status for finding in of(check)] == [Status.CRITICAL, Status.WARNING]


def test_an_ad_hoc_comparison_has_no_findings():
    assert findings_of(check_of(flights(late=2.0), window=None), [], UTC) == ()


def test_the_summary_says_how_many_rows_of_which_window():
    check = check_day(3, late=0.8)

    assert summary(check.columns, live_rows=check.live_rows, window=check.window, zone=UTC) == (
        "1 of 2 columns drifted: dep_delay (critical) (1,000 rows of 2013-05-04)"
    )


def test_dates_are_those_of_the_zone():
    check = check_day(3, late=0.8)
    zone = ZoneInfo("America/New_York")

    assert "since 2013-05-03 20:00 or earlier (first day)" in findings_of(check, [], zone)[0].text
    assert summary(check.columns, live_rows=1, window=day(3), zone=zone).endswith(
        f"(1 rows of 2013-05-03 20:00 to 2013-05-04 20:00 {datetime(2013, 5, 3, tzinfo=zone):%Z})"
    )


@pytest.mark.parametrize("name", ["x" * 300, 'say "hi"\n</script>{{ }}', "\u202ertl", "📈" * 200])
def test_names_of_any_kind_leave_one_line_of_bounded_length(name):
    check = check_day(3, late=0.8)
    columns = tuple(replace(each, column=name, hint=name, reason=name) for each in check.columns)
    finding = of(replace(check, columns=columns))[0]
    line = summary(columns, live_rows=3, window=day(3), zone=UTC)

    for text in (finding.text, line):
        assert len(text.encode()) <= LONGEST_TEXT
        assert "\n" not in text


@given(st.text(), st.integers(3, 600))
def test_a_fitted_text_is_the_text_or_its_beginning(text, most):
    short = fitted(text, most)
    whole = " ".join(text.encode(errors="replace").decode().split())

    assert len(short.encode()) <= most
    assert short == whole or (short.endswith("…") and whole.startswith(short[:-1]))


def test_a_finding_is_named_with_its_segment():
    assert Finding("delay", "feature", "origin=JFK", Status.WARNING, (), "").name == "delay where origin=JFK"


def segment_of(check, column, segment, **values):
    [whole] = [each for each in check.columns if each.column == column and each.segment is None]
    return replace(check, columns=(*check.columns, replace(whole, segment=segment, **values)))


def test_a_column_speaks_for_its_segments_in_the_headline():
    check = check_day(3, late=0.8)
    check = segment_of(check, "dep_delay", "origin=JFK")

    assert headline(check).startswith("1 of 2 columns drifted: dep_delay (critical)")
    assert "JFK" not in headline(check)


def test_a_segment_that_is_worse_than_its_column_is_named_and_its_column_comes_first_among_equals():
    check = segment_of(check_day(3), "dep_delay", "origin=JFK", status=Status.CRITICAL)
    both = segment_of(check_day(3, late=0.8), "dep_delay", "origin=JFK")

    assert headline(check).startswith(
        "no column drifted as a whole, but in a segment: dep_delay where origin=JFK (critical)"
    )
    assert [finding.segment for finding in of(both)] == [None, "origin=JFK"]


def test_sustained_drift_of_a_column_that_drifts_now_is_not_told_beside_it():
    lasting = Sustained(drifting=True, windows=12, ewma=2.5, p_value=1e-6, q_value=1e-6, lower_bound=0.031)
    check = changed(check_day(3, late=0.8), "dep_delay", sustained=lasting)
    [finding] = of(check)

    assert "sustained" not in headline(check) + finding.text
    assert Alert("DriftmonSustainedDrift", Status.WARNING) in finding.alerts


@pytest.mark.parametrize(
    ("drifted", "judged", "widespread"), [(2, 3, False), (3, 10, False), (4, 10, True), (3, 9, True)]
)
def test_drift_is_widespread_from_three_columns_and_more_than_three_in_ten_on(drifted, judged, widespread):
    columns = [column(f"c{place}", Status.CRITICAL if place < drifted else Status.OK) for place in range(judged)]
    segments = [column("c0", Status.CRITICAL, f"o={place}") for place in range(9)]

    assert is_widespread([*columns, *segments, column("none", Status.NO_DATA)]) is widespread

"""Verdicts: from a baseline's counts and a window's counts to statuses, rule by rule (specification A6)."""

import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import driftmon
from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.check import Policy, check
from driftmon.core.histogram import Histogram, Profile, as_matrix
from driftmon.core.history import History
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.core.learning import Excluded
from driftmon.core.verdict import Status, Threshold, judge, worst
from driftmon.core.window import Window
from driftmon.errors import UsageError
from tests.checks import empty_profile

MAY_1 = Window(datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 5, 2, tzinfo=UTC))

NUMERIC = BaselineColumn(Kind.NUMERIC, "double", NumericLayout((0.0, 1.0)))
CATEGORICAL = BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("a", "b")), singletons=6)


def profile(problems=None, segments=None, **counts):
    histograms = {name: h if isinstance(h, Histogram) else Histogram(h) for name, h in counts.items()}
    rows = max((h.rows for h in histograms.values()), default=0)
    return Profile(rows, histograms, problems or {}, segments or {})


def baseline(segments=None, column=NUMERIC, **counts):
    return Baseline(Learnt(dict.fromkeys(counts, column)), profile(segments=segments, **counts))


def adjusted(p_values):
    from statsmodels.stats.multitest import multipletests  # late: a test starts a second process with this module

    return pytest.approx(multipletests(p_values, method="fdr_bh")[1].tolist(), abs=1e-15)


def check_one(reference, live, **policy):
    return check(baseline(x=reference), profile(x=live), policy=Policy(**policy))["x"]


STILL, SMALL, MEDIUM, LARGE = (0, 5000, 5000, 0), (0, 5200, 4800, 0), (0, 6500, 3500, 0), (0, 8500, 1500, 0)


# Statuses --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "status"),
    [
        pytest.param(STILL, Status.OK, id="the same shares"),
        pytest.param(SMALL, Status.INFO, id="real but small"),
        pytest.param(MEDIUM, Status.WARNING, id="beyond the lower threshold"),
        pytest.param(LARGE, Status.CRITICAL, id="beyond the upper threshold"),
    ],
)
def test_a_shift_gets_the_status_of_its_size(live, status):
    result = check_one(STILL, live)

    assert result.status is status
    assert result.reason is None


@pytest.mark.parametrize(
    ("q_value", "bound", "status"),
    [
        (0.050001, 9.0, Status.OK),
        (0.05, 0.0, Status.INFO),
        (0.05, 0.02, Status.INFO),
        (0.05, math.nextafter(0.02, 1), Status.WARNING),
        (0.05, 0.10, Status.WARNING),
        (0.05, math.nextafter(0.10, 1), Status.CRITICAL),
        (0.0, 9.0, Status.CRITICAL),
    ],
)
def test_a_breach_needs_a_small_q_value_and_a_bound_above_the_threshold(q_value, bound, status):
    assert judge(q_value=q_value, p_iid=1e-5, bound=bound, threshold=Threshold()) is status


def test_what_chance_could_have_done_is_no_breach_whatever_the_bound():
    assert judge(q_value=0.0002, p_iid=0.000011, bound=9.0, threshold=Threshold()) is Status.INFO


@pytest.mark.parametrize(
    ("warning", "critical"), [(math.nan, 0.1), (0.02, math.nan), (0.5, 0.1), (-0.1, 0.1), (0.02, math.inf)]
)
def test_a_threshold_that_could_never_alert_is_refused(warning, critical):
    with pytest.raises(UsageError, match="expected 0 <= warning <= critical"):
        Threshold(warning, critical)


def test_vanished_mass_counts_through_the_reverse_direction():
    # A value of 2 % that is gone: hardly visible from the live side, which has no row of it.
    result = check_one((0, 9800, 200, 0), (0, 2000, 0, 0))

    assert result.scores.lower_bound < 0.02 < result.scores.lower_bound_reverse
    assert result.status is Status.WARNING


def test_thresholds_of_a_column_win_over_those_of_the_monitor():
    counts = {"x": MEDIUM, "y": MEDIUM}
    policy = Policy(threshold=Threshold(1, 2), column_thresholds={"y": Threshold(0.001, 0.01)})

    result = check(baseline(x=STILL, y=STILL), profile(**counts), policy=policy)

    assert (result["x"].status, result["x"].threshold) == (Status.INFO, Threshold(1, 2))
    assert (result["y"].status, result["y"].threshold) == (Status.CRITICAL, Threshold(0.001, 0.01))


@pytest.mark.parametrize(("rows", "status"), [(99, Status.INSUFFICIENT_DATA), (100, Status.CRITICAL)])
def test_fewer_rows_than_min_rows_show_numbers_but_no_verdict(rows, status):
    result = check_one(STILL, (0, rows, 0, 0))

    assert result.status is status
    assert result.kl > 0.5
    if status is Status.INSUFFICIENT_DATA:
        assert result.reason == "99 rows, min_rows is 100"
        assert result.scores.q_value is None


@pytest.mark.parametrize(("rows", "status"), [(199, Status.INSUFFICIENT_DATA), (200, Status.CRITICAL)])
def test_a_small_reference_never_alerts(rows, status):
    result = check_one((0, rows - 100, 100, 0), (0, 1000, 0, 0))

    assert result.status is status
    assert result.kl > 0.3
    if status is Status.INSUFFICIENT_DATA:
        assert result.reason == "199 reference rows, a verdict needs 200"


def test_min_rows_of_the_policy_may_be_smaller():
    assert check_one(STILL, (0, 30, 0, 0), min_rows=30).status is Status.CRITICAL


@pytest.mark.parametrize(
    ("reference", "live", "reason"),
    [(STILL, (0, 0, 0, 0), "no rows in the window"), ((0, 0, 0, 0), STILL, "no rows in the reference")],
)
def test_without_rows_on_one_side_there_is_no_score(reference, live, reason):
    result = check_one(reference, live)

    assert (result.status, result.reason) == (Status.NO_DATA, reason)
    assert result.scores is result.kl is None


def test_a_live_column_of_missing_values_alone_is_a_finite_large_shift():
    result = check_one(STILL, (0, 0, 0, 1000))

    assert result.status is Status.CRITICAL
    assert 5 < result.kl <= math.log(2 * 10_000 + 1)


def test_a_constant_column_that_stays_constant_is_ok():
    result = check_one((0, 5000, 0, 0), (0, 300, 0, 0))

    assert (result.status, result.kl, result.scores.p_value) == (Status.OK, 0, 1)


def test_a_column_that_could_not_be_counted_is_schema_changed_and_the_others_are_still_checked():
    live = profile(problems={"x": "is now string, was double"}, y=LARGE)

    result = check(baseline(x=STILL, y=STILL), live, policy=Policy())

    assert (result["x"].status, result["x"].reason) == (Status.SCHEMA_CHANGED, "is now string, was double")
    assert result["x"].scores is result["x"].live is result["x"].novel is None
    assert result["y"].status is Status.CRITICAL


def test_a_problem_wins_over_counts_that_some_part_of_the_data_still_had():
    live = Profile(10_000, {"x": Histogram(LARGE)}, problems={"x": "gone from the data"})

    result = check(baseline(x=STILL), live, policy=Policy())["x"]

    assert result.status is Status.SCHEMA_CHANGED
    assert result.live is result.scores is None


def test_counts_of_another_layout_are_refused():
    with pytest.raises(ValueError, match="'x' was counted in 5 bins, its layout has 4"):
        check(baseline(x=STILL), profile(x=(0, 1, 2, 3, 4)), policy=Policy())


# Many columns ----------------------------------------------------------------------------------------------------------


def test_p_values_are_adjusted_over_the_columns_that_can_alert_and_no_other():
    rng = np.random.default_rng(1)
    live = {f"c{i:02}": tuple(rng.multinomial(1000, [0, 0.49, 0.51, 0]).tolist()) for i in range(40)}
    reference = dict.fromkeys(live, STILL)
    reference["small reference"], live["small reference"] = (0, 50, 50, 0), (0, 1000, 0, 0)
    reference["few rows"], live["few rows"] = STILL, (0, 10, 0, 0)
    reference["no rows"], live["no rows"] = STILL, (0, 0, 0, 0)

    result = check(baseline(**reference), profile(**live), policy=Policy())

    family = [r for r in result.columns if r.column.startswith("c")]
    assert [r.scores.q_value for r in family] == adjusted([r.scores.p_iid for r in family])
    assert result["small reference"].scores.q_value is None
    assert result["few rows"].scores.q_value is None


def test_segments_belong_to_the_same_family():
    parts = {"origin=JFK": profile(x=(0, 2500, 2500, 0)), "origin=LGA": profile(x=(0, 2500, 2500, 0))}
    live = {"origin=JFK": profile(x=(0, 2600, 2400, 0)), "origin=LGA": profile(x=(0, 2500, 2500, 0))}

    result = check(baseline(segments=parts, x=STILL), profile(segments=live, x=(0, 5100, 4900, 0)), policy=Policy())

    assert [r.segment for r in result.columns] == [None, "origin=JFK", "origin=LGA"]
    assert [r.scores.q_value for r in result.columns] == adjusted([r.scores.p_iid for r in result.columns])


def test_no_column_that_can_alert_leaves_an_empty_family():
    result = check(baseline(x=(0, 5, 5, 0)), profile(x=(0, 5, 5, 0)), policy=Policy())

    assert result["x"].scores.q_value is None


# Segments --------------------------------------------------------------------------------------------------------------


def test_a_segment_without_live_rows_has_no_data_and_does_not_change_the_result():
    parts = {"origin=JFK": profile(x=(0, 2500, 2500, 0)), "origin=LGA": profile(x=(0, 2500, 2500, 0))}
    live = {"origin=JFK": profile(x=(0, 2500, 2500, 0))}

    result = check(baseline(segments=parts, x=STILL), profile(segments=live, x=STILL), policy=Policy())

    assert [(r.segment, r.status) for r in result.columns] == [
        (None, Status.OK),
        ("origin=JFK", Status.OK),
        ("origin=LGA", Status.NO_DATA),
    ]
    assert result.status is Status.OK


def test_a_drifting_segment_makes_the_result_drift():
    parts = {"origin=JFK": profile(x=(0, 500, 500, 0))}
    live = {"origin=JFK": profile(x=(0, 900, 100, 0))}

    result = check(baseline(segments=parts, x=STILL), profile(segments=live, x=STILL), policy=Policy())

    assert result["x"].status is Status.OK  # by name: over all rows
    assert result.status is Status.CRITICAL


def test_a_segment_that_only_the_live_side_has_is_not_checked():
    live = {"origin=EWR": profile(x=STILL)}

    result = check(baseline(x=STILL), profile(segments=live, x=STILL), policy=Policy())

    assert [r.segment for r in result.columns] == [None]


def test_a_segment_column_is_not_compared_within_its_own_segment():
    columns = {"c": CATEGORICAL, "x": NUMERIC}
    counts = profile(
        segments={"c=a": profile(c=(500, 0, 0, 0), x=(0, 250, 250, 0))}, c=(500, 300, 200, 0), x=(0, 500, 500, 0)
    )

    result = check(Baseline(Learnt(columns), counts), counts, policy=Policy())

    assert [(r.segment, r.column) for r in result.columns] == [(None, "c"), (None, "x"), ("c=a", "x")]


def test_the_problem_of_a_column_holds_for_its_segments():
    parts = {"origin=JFK": profile(x=(0, 500, 500, 0))}
    live = Profile(9, {}, {"x": "gone from the data"}, {"origin=JFK": Profile(9, {})})

    result = check(baseline(segments=parts, x=STILL), live, policy=Policy())

    assert [r.status for r in result.columns] == [Status.SCHEMA_CHANGED] * 2


# What a result says ----------------------------------------------------------------------------------------------------


def test_the_result_names_what_was_compared():
    reference = replace(baseline(x=STILL), span=MAY_1)
    reference = replace(reference, learnt=replace(reference.learnt, excluded=(Excluded("id", "identifies rows"),)))

    result = check(reference, profile(x=SMALL), policy=Policy(), monitor=("flights", "delay"), window=MAY_1)

    assert (result.monitor, result.model, result.window) == ("flights", "delay", MAY_1)
    assert (result.baseline, result.reference_rows, result.live_rows) == (reference.id, 10_000, 10_000)
    assert result.excluded == (Excluded("id", "identifies rows"),)
    assert result["x"].bins == NUMERIC.layout.bins
    assert (result["x"].reference.counts, result["x"].live.counts) == (STILL, SMALL)


def test_an_ad_hoc_comparison_has_neither_monitor_nor_window():
    result = check(baseline(x=STILL), profile(x=STILL), policy=Policy())

    assert result.monitor is result.model is result.window is None


def test_an_unknown_column_is_a_key_error():
    with pytest.raises(KeyError, match="nope"):
        check(baseline(x=STILL), profile(x=STILL), policy=Policy())["nope"]


def test_without_a_history_the_verdict_knows_chance_only():
    scores = check_one(STILL, SMALL).scores

    assert scores.p_value == scores.p_iid
    assert (scores.p_history, scores.day_effect, scores.usual_limit) == (None, None, None)
    assert (scores.history_windows, scores.calibrated) == (0, False)
    assert check_one(STILL, SMALL).calibration.startswith("chance only: the reference is not split in windows")
    assert len(scores.contributions) == 4
    assert sum(scores.contributions) == pytest.approx(scores.kl)
    assert all(type(value) is float for value in scores.contributions)


def test_where_nothing_was_compared_nothing_is_said_of_the_reference_s_windows():
    days = tuple(
        Window(start, start + timedelta(days=1)) for start in (datetime(2013, 5, 1 + n, tzinfo=UTC) for n in range(9))
    )
    history = History({("x", None): np.tile([0, 50, 50, 0], (9, 1))}, days)
    reference = Baseline(Learnt({"x": NUMERIC}), profile(x=(0, 450, 450, 0)), None, history)

    empty = check(reference, profile(x=(0,) * 4), policy=Policy())["x"]
    gone = check(reference, profile(problems={"x": "gone from the data"}), policy=Policy())["x"]

    assert (empty.status, gone.status) == (Status.NO_DATA, Status.SCHEMA_CHANGED)
    assert (empty.calibration, gone.calibration) == ("", "")


def test_contributions_of_a_narrow_column_are_not_padded_by_a_wide_one():
    wide = BaselineColumn(Kind.NUMERIC, "double", NumericLayout((0.0, 1.0, 2.0, 3.0)))
    reference = Baseline(Learnt({"x": NUMERIC, "y": wide}), profile(x=STILL, y=(0, 5000, 4000, 900, 100, 0)))

    result = check(reference, profile(x=SMALL, y=(0, 5000, 4000, 900, 0, 100)), policy=Policy())

    assert [len(r.scores.contributions) for r in result.columns] == [4, 6]
    assert result["x"].scores.kl == check_one(STILL, SMALL).scores.kl


def test_the_most_urgent_column_comes_first_and_the_largest_among_equals():
    live = profile(
        problems={"gone": "gone from the data"},
        ok=STILL,
        small=SMALL,
        large=LARGE,
        larger=(0, 9500, 500, 0),
        empty=(0,) * 4,
    )
    columns = ("ok", "small", "large", "larger", "empty", "gone", "also ok")
    live = replace(live, histograms={**live.histograms, "also ok": Histogram(STILL)})

    result = check(baseline(**dict.fromkeys(columns, STILL)), live, policy=Policy())

    assert [r.column for r in result.ranked()] == ["larger", "large", "gone", "empty", "small", "also ok", "ok"]


def test_the_status_of_a_result_is_the_most_urgent_of_its_columns():
    live = {"x": STILL, "y": STILL}

    for y, expected in ((SMALL, Status.INFO), ((0, 40, 40, 0), Status.INSUFFICIENT_DATA), ((0,) * 4, Status.NO_DATA)):
        live["y"] = y
        assert check(baseline(x=STILL, y=STILL), profile(**live), policy=Policy()).status is expected


def test_statuses_are_ordered_by_urgency_and_nothing_checked_is_no_data():
    ordered = ["ok", "info", "insufficient_data", "no_data", "schema_changed", "error", "warning", "critical"]

    assert sorted(Status, key=lambda status: status.urgency) == ordered
    assert [Status(name).urgency for name in ordered] == list(range(8))
    assert worst(map(Status, ordered)) is Status.CRITICAL
    assert worst([Status.OK, Status.INFO]) is Status.INFO
    assert worst([]) is Status.NO_DATA


def test_only_verdicts_on_rows_are_evaluated_and_only_drift_beyond_thresholds_is_a_breach():
    assert {status for status in Status if status.evaluated} == {"ok", "info", "warning", "critical"}
    assert {status for status in Status if status.breach} == {"warning", "critical"}


# Roles -----------------------------------------------------------------------------------------------------------------


def test_a_column_is_a_feature_unless_the_policy_names_another_role():
    policy = Policy(roles={"score": "prediction", "booked": "target"})

    assert policy.role_of("score") == "prediction"
    assert policy.role_of("age") == "feature"
    assert policy.role_of("booked.hour") == "target"
    assert policy.role_of("other.hour") == "feature"


def test_results_carry_role_and_kind():
    result = check(baseline(x=STILL), profile(x=STILL), policy=Policy(roles={"x": "prediction"}))["x"]

    assert (result.role, result.kind) == ("prediction", Kind.NUMERIC)


# Novelty ---------------------------------------------------------------------------------------------------------------


def test_the_novel_share_of_a_number_is_what_lies_outside_the_reference():
    result = check_one((1, 4999, 4999, 0), (30, 460, 505, 5))

    assert result.novel == (30 + 505) / 1000
    assert result.expected_novel == 2 / 10_000


def test_the_novel_share_of_a_category_is_its_never_seen_values_against_good_turing():
    reference = baseline(column=CATEGORICAL, x=Histogram((500, 300, 200, 0), novel=0))

    result = check(reference, profile(x=Histogram((50, 30, 20, 0), novel=7)), policy=Policy())["x"]

    assert result.novel == 0.07
    assert result.expected_novel == 0.006


def test_the_novel_share_of_a_category_without_bins_of_its_own_is_told_too():
    rare = BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(()), singletons=10)
    reference = baseline(column=rare, x=Histogram((500, 0), novel=0))

    assert check(reference, profile(x=Histogram((100, 0), novel=3)), policy=Policy())["x"].novel == 0.03


def test_unknown_novelty_is_not_zero():
    many = BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("a", "b"), rare=None), singletons=None)
    reference = baseline(column=many, x=(500, 300, 200, 0))

    result = check(reference, profile(x=(50, 30, 20, 0)), policy=Policy())["x"]

    assert result.novel is result.expected_novel is None


def test_without_rows_no_share_is_novel_or_expected_to_be():
    assert check_one(STILL, (0, 0, 0, 0)).novel is None
    assert check_one((0, 0, 0, 0), STILL).expected_novel is None


def test_novelty_in_a_segment_is_expected_as_over_all_rows():
    # What no reference row had is no more frequent in a small segment: 6 values that one row had, of 1,000 rows.
    parts = {"origin=JFK": profile(x=Histogram((5, 3, 2, 0), novel=0))}
    reference = baseline(column=CATEGORICAL, segments=parts, x=Histogram((500, 300, 200, 0), novel=0))
    live = profile(
        segments={"origin=JFK": profile(x=Histogram((5, 3, 2, 0), novel=0))}, x=Histogram((5, 3, 2, 0), novel=0)
    )

    result = check(reference, live, policy=Policy())

    assert [r.expected_novel for r in result.columns] == [0.006, 0.006]


# Baselines -------------------------------------------------------------------------------------------------------------


HISTORY = History({("x", None): np.array([[0, 5, 5, 0]]), ("c", "c=a"): np.array([[6, 3, 1, 0]])}, (MAY_1,))


def full_baseline():
    columns = {"x": NUMERIC, "c": CATEGORICAL}
    segment = profile(x=(0, 250, 250, 0), c=(300, 150, 50, 0))
    counted = profile(segments={"c=a": segment}, x=(0, 500, 500, 0), c=Histogram((600, 300, 100, 0), novel=0))
    return Baseline(Learnt(columns, (Excluded("id", "identifies rows"),)), counted, MAY_1, HISTORY)


def test_a_baseline_has_the_same_identity_in_every_process():
    root = Path(driftmon.__file__).parents[1]
    program = (
        "import importlib.util as u, sys; spec = u.spec_from_file_location('tests_of_check', sys.argv[1]);"
        "module = u.module_from_spec(spec); spec.loader.exec_module(module); print(module.full_baseline().id)"
    )

    seed = (
        "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    )  # other than this process's, which is random if not set

    found = subprocess.run(
        [sys.executable, "-c", program, __file__],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip

    assert found == full_baseline().id
    assert len(full_baseline().id) == 32


def test_the_identity_of_a_baseline_does_not_depend_on_the_order_of_its_columns():
    one = full_baseline()
    histograms = dict(reversed(one.reference.histograms.items()))
    other = replace(
        one,
        learnt=replace(one.learnt, columns=dict(reversed(one.columns.items()))),
        reference=replace(one.reference, histograms=histograms),
    )

    assert other.id == one.id


def changed_baselines():
    one = full_baseline()
    histograms = one.reference.histograms

    def with_column(column):
        return replace(one, learnt=replace(one.learnt, columns={**one.columns, "x": column}))

    def with_reference(**changes):
        return replace(one, reference=replace(one.reference, **changes))

    yield "an edge", with_column(replace(NUMERIC, layout=NumericLayout((0.0, math.nextafter(1, 2)))))
    yield "the type", with_column(replace(NUMERIC, dtype="int64"))
    yield "the kind", with_column(replace(NUMERIC, kind=Kind.DATETIME))
    yield "singletons", with_column(replace(NUMERIC, singletons=1))
    yield "a count", with_reference(histograms={**histograms, "x": Histogram((0, 501, 499, 0))})
    yield "novelty", with_reference(histograms={**histograms, "c": Histogram((600, 300, 100, 0), novel=1)})
    yield "the rows", with_reference(rows=1001)
    yield "a segment", with_reference(segments={})
    yield "the span", replace(one, span=None)
    yield "no history", replace(one, history=None)
    yield (
        "the history",
        replace(one, history=History({**HISTORY.counts, ("x", None): np.array([[0, 5, 6, 0]])}, (MAY_1,))),
    )
    yield "blocks", replace(one, history=History(HISTORY.counts))
    yield "an excluded column", replace(one, learnt=replace(one.learnt, excluded=()))


@pytest.mark.parametrize("changed", [pytest.param(changed, id=what) for what, changed in changed_baselines()])
def test_a_baseline_of_other_content_has_another_identity(changed):
    assert changed.id != full_baseline().id


def test_a_baseline_knows_its_columns_layouts_and_what_it_left_out():
    one = full_baseline()

    assert list(one.columns) == ["x", "c"]
    assert one.layouts == {"x": NUMERIC.layout, "c": CATEGORICAL.layout}
    assert one.excluded == (Excluded("id", "identifies rows"),)


def test_a_baseline_knows_which_values_it_checks_apart():
    assert full_baseline().segments == {"c": ["a"]}
    assert baseline(x=STILL).segments == baseline(column=CATEGORICAL, x=(9, 9, 9, 0)).segments == {}


# Counts that add -------------------------------------------------------------------------------------------------------


def test_histograms_add_bin_by_bin():
    assert Histogram((1, 2, 3)) + Histogram((10, 0, 1)) == Histogram((11, 2, 4))
    assert Histogram((1, 2), novel=1) + Histogram((1, 2), novel=2) == Histogram((2, 4), novel=3)


def test_novelty_that_one_part_cannot_tell_is_unknown_of_the_whole():
    assert (Histogram((1, 2), novel=1) + Histogram((1, 2))).novel is None


def test_histograms_of_different_layouts_do_not_add():
    with pytest.raises(ValueError, match="of 2 and 3 bins do not add"):
        Histogram((1, 2)) + Histogram((1, 2, 3))


def test_profiles_add_rows_columns_and_segments():
    one = profile(segments={"o=a": profile(x=(1, 0)), "o=b": profile(x=(0, 1))}, x=(1, 1))
    two = profile(segments={"o=b": profile(x=(2, 0)), "o=c": profile(x=(1, 0))}, x=(3, 0))

    total = one + two

    assert total == profile(
        segments={"o=a": profile(x=(1, 0)), "o=b": profile(x=(2, 1)), "o=c": profile(x=(1, 0))}, x=(4, 1)
    )
    assert two + one == total


def test_a_column_that_one_part_could_not_count_has_no_total_but_a_problem():
    one = profile(x=(1, 1), y=(2, 0))
    two = profile(problems={"y": "gone from the data"}, x=(1, 0))

    for total in (one + two, two + one):
        assert set(total.histograms) == {"x"}
        assert total.problems == {"y": "gone from the data"}


def test_counts_of_a_column_with_a_problem_are_not_added():
    one = Profile(2, {"y": Histogram((2, 0))})
    two = Profile(2, {"y": Histogram((1, 0))}, problems={"y": "a part of it is text"})

    assert (one + two).histograms == {}


def test_adding_to_the_empty_profile_changes_nothing():
    layouts = {"x": NUMERIC.layout, "c": CATEGORICAL.layout}
    counted = Profile(
        5,
        {"x": Histogram((1, 2, 2, 0)), "c": Histogram((1, 1, 3, 0), novel=2)},
        segments={"c=a": empty_profile(layouts)},
    )

    assert empty_profile(layouts, segments=["c=a"]) + counted == counted
    assert empty_profile(layouts).rows == 0


def test_a_matrix_of_histograms_is_padded_on_the_right():
    assert as_matrix([Histogram((1, 2)), Histogram((3, 4, 5))]).tolist() == [[1, 2, 0], [3, 4, 5]]
    assert as_matrix([]).shape == (0, 0)


def test_what_is_large_and_usual_is_said_to_be():
    """Days that swing between two populations: a day of one of them is far from the whole, and nothing new."""
    days = [(0, 900, 100, 0) if day % 2 else (0, 100, 900, 0) for day in range(20)]
    reference = tuple(map(sum, zip(*days, strict=True)))
    swinging = replace(baseline(x=reference), history=History({("x", None): np.array(days)}))

    usual = check(swinging, profile(x=days[0]), policy=Policy())["x"]
    unknown = check_one(reference, days[0])

    assert usual.scores.bound == unknown.scores.bound > 0.1
    assert (usual.status, usual.usual) == (Status.OK, True)
    assert (unknown.status, unknown.usual) == (Status.CRITICAL, False)
    assert not check_one(STILL, STILL).usual


def test_thresholds_are_held_against_the_larger_bound_of_both_directions():
    scores = check_one((0, 50, 9_950, 0), (0, 5_000, 5_000, 0)).scores

    assert scores.bound == max(scores.lower_bound, scores.lower_bound_reverse) > 0

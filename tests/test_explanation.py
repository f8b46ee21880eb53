"""What is known of one column in one window, and the sentences that say it."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy, mannwhitneyu

import driftmon
from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.sustained import Sustained
from driftmon.core.verdict import Status
from driftmon.errors import UsageError
from driftmon.explanation import _middle, explain, find_column
from driftmon.sentences import tell
from driftmon.words import BITS
from tests.checks import check_of, flights
from tests.core.test_hints import check_hours, hours
from tests.core.test_quality import check_numbers, normal
from tests.days import april, check_day

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def problem(check, before, now):
    return Quality(check, None, before, now, 0.0, 0.0, problem=True, whichever=False)


def with_column(check, name, **changes):
    return replace(check, columns=tuple(replace(c, **changes) if c.column == name else c for c in check.columns))


def explained(check, name="dep_delay", past=()):
    return explain(check, find_column(check, name), past)


def sentences(explanation, **options):
    return [line for section in tell(explanation, **options) for line in section.lines]


def answer(explanation):
    return sentences(explanation)[0]


# The numbers -----------------------------------------------------------------------------------------------------------


def test_the_parts_of_the_bins_are_never_negative_and_sum_to_the_whole():
    bins = explained(check_day(1, late=0.4)).bins

    assert all(item.part >= 0 for item in bins)
    assert math.isclose(sum(item.part for item in bins), 1)


def test_bins_without_a_row_are_left_out_and_the_others_hold_all_rows():
    explanation = explained(check_day(1, late=0.4))

    assert sum(item.live_rows for item in explanation.bins) == 1_000
    assert sum(item.reference_rows for item in explanation.bins) == 30_000
    assert all(item.live_rows or item.reference_rows for item in explanation.bins)


def test_equal_counts_have_nothing_beyond_chance_and_no_parts():
    check = check_of(flights(seed=0))

    explanation = explained(check)

    assert all((item.part, item.residual, item.beyond_chance) == (0, 0, False) for item in explanation.bins)
    assert explanation.rows_to_tell is None


def test_residuals_are_standard_normal_when_nothing_changed():
    residuals = [item.residual for i in range(40) for item in explained(check_day(i), "carrier").bins]

    assert abs(np.mean(residuals)) < 0.3
    assert np.std(residuals) == pytest.approx(1, abs=0.2)


def test_rows_that_chance_moves_are_the_mean_of_what_quiet_days_show():
    days = [explained(check_day(i)) for i in range(40)]

    moved = np.mean([explanation.column.scores.total_variation for explanation in days])

    assert np.mean([explanation.moved_by_chance for explanation in days]) == pytest.approx(moved, rel=0.05)


def test_the_direction_is_that_of_mann_and_whitney():
    later, same = explained(check_day(1, late=0.3)), explained(check_day(1))
    earlier = explained(check_day(1, late=-0.3))

    assert (later.direction, same.direction, earlier.direction) == (1, 0, -1)
    reference, live = flights(20_000, seed=3)["dep_delay"], flights(1_000, seed=501, late=0.3)["dep_delay"]
    u = mannwhitneyu(live, reference).statistic / (len(live) * len(reference))
    assert later.column.scores.higher == pytest.approx(u, abs=0.02)


def test_kl_is_the_difference_of_cross_entropy_and_entropy():
    explanation = explained(check_day(1, late=0.4))

    column, entropies = explanation.column, explanation.entropies
    live = np.array(column.live.counts) / column.live.rows
    assert math.isclose(entropies.cross - entropies.live, column.kl, rel_tol=1e-12)
    assert entropies.live == pytest.approx(entropy(live), abs=3e-3)  # the smoothing adds half a row a bin


def test_rows_to_tell_are_those_of_chernoff_and_stein():
    explanation = explained(check_day(1, late=0.4))

    assert explanation.rows_to_tell == math.ceil(math.log(100) / explanation.column.kl)


# Since when ------------------------------------------------------------------------------------------------------------

SHIFTS = {"quiet": 0.0, "late": 0.2, "worse": 0.8}


def past(*shifts):
    return [check_day(number, late=SHIFTS[shift]) for number, shift in enumerate(shifts)]


def test_since_is_the_first_window_in_a_row_with_that_severity_or_worse():
    checks = past("late", "quiet", "late", "worse", "late")

    explanation = explained(checks[-1], past=checks)

    assert [str(check["dep_delay"].status) for check in checks] == ["warning", "ok", "warning", "critical", "warning"]
    streak = explanation.since[Status.WARNING]
    assert (streak.first, streak.windows) == (checks[2].window, 3)
    assert "; since 2013-05-03, 3 windows in a row" in answer(explanation)


def test_each_severity_has_its_own_row_of_windows():
    checks = past("quiet", "late", "worse")

    explanation = explained(checks[-1], past=checks)

    assert {str(severity): streak.windows for severity, streak in explanation.since.items()} == {
        "critical": 1,
        "warning": 2,
    }
    assert "critical in this window only, at least a warning since 2013-05-02, 2 windows in a row" in answer(
        explanation
    )


def test_windows_without_a_verdict_neither_count_nor_end_a_row():
    checks = past("quiet", "late")
    empty = check_day(2, rows=0)
    newest = check_day(3, late=0.2)

    explanation = explained(newest, past=[*checks, empty])

    assert explanation.since[Status.WARNING].windows == 2


def test_the_order_of_the_past_and_later_windows_change_nothing():
    checks = past("quiet", "late", "late", "late", "quiet")
    in_order, shuffled = explained(checks[2], past=checks[:3]), explained(checks[2], past=reversed(checks))

    assert in_order.since == shuffled.since


def test_a_first_window_that_drifts_is_not_said_to_be_new():
    alone = check_day(0, late=0.2)

    assert "new in this window" not in answer(explained(alone))
    assert "new in this window" in answer(explained(check_day(1, late=0.2), past=[check_day(0)]))


def test_sustained_drift_has_a_since_of_its_own():
    state = Sustained(True, 12, 1.3, 1e-4, 2e-4, 0.034)
    checks = [with_column(check, "dep_delay", sustained=state) for check in past("quiet", "quiet")]

    explanation = explained(checks[-1], past=checks)

    told = " ".join(sentences(explanation))
    assert "sustained drift since 2013-05-01, 2 windows in a row" in told
    assert "what to do: recent windows are off" in told


# Words -----------------------------------------------------------------------------------------------------------------


def test_a_drift_is_told_with_what_it_was_held_against():
    lines = sentences(explained(check_day(1, late=0.2)))

    assert lines[0].startswith(
        "dep_delay drifted (warning): more than chance and usual days explain, beyond the warning threshold"
    )
    assert lines[1] == "what to do: look today, and watch whether it lasts"
    assert any(
        line.startswith("values are higher: if you draw a live and a reference row, the live value is ")
        for line in lines
    )
    assert any(line.startswith("KL 0.") and "one usual day in a hundred shows more than 0.0" in line for line in lines)
    assert "calibrated on 30 windows of the reference" in lines


def test_a_quiet_column_is_told_to_be_quiet():
    lines = sentences(explained(check_day(0)))

    assert lines[:2] == ["dep_delay did not drift (ok): chance alone explains the difference", "what to do: nothing"]
    assert "no single bin changed by more than chance" in lines


def test_a_usual_day_is_told_from_chance():
    check = check_day(2, baseline=april(wobble=0.3, rows=4_000), rows=4_000, late=0.2)

    assert answer(explained(check)) == (
        "dep_delay did not drift (ok): it differs by more than chance, but by no more than usual days explain"
    )


def test_without_history_nothing_is_said_of_usual_days():
    told = " ".join(sentences(explained(check_of(flights(late=1)))))

    assert "usual day" not in told
    assert "more than chance explains, beyond the critical threshold" in told
    assert "chance only: the reference is not split in windows" in told


def test_blocks_of_rows_are_not_called_days():
    check = check_day(1, baseline=april(timed=False, days=20), late=0.4)

    assert "more than chance and the ups and downs within the reference explain" in answer(explained(check))


def test_a_new_category_is_named_with_its_rows():
    lines = sentences(explained(check_day(1, new=40), "carrier"))

    assert "categories that the reference never had: ZZ 40 rows; in all 4 % of the rows, 0 % would be usual" in lines
    assert any("quality: 4 % in new categories: ZZ (0 % expected)" in line for line in lines)


@pytest.mark.parametrize(
    ("hint", "cause", "advice"),
    [
        ("values look multiplied by 100", "values look multiplied by 100", "ask who writes the column; fix the unit"),
        (
            "3 % of the values look of the opposite sign",
            "3 % of the values look of the opposite sign",
            "ask who writes",
        ),
        (
            "3.4 % of the rows hold -999, beyond all reference values: does it stand for missing?",
            "3.4 % of the rows hold -999, beyond all reference values",
            "does -999 stand for missing? have it sent as missing",
        ),
        (
            "96 % of the rows hold a (b): c (reference 12 %): was one value filled in?",
            "96 % of the rows hold a (b): c (reference 12 %)",
            "does a (b): c stand for missing? have it sent as missing",
        ),
        (
            "3.4 % of the values are -1 (before, the most frequent value had 0.4 %): was one value filled in?",
            "3.4 % of the values are -1 (before, the most frequent value had 0.4 %)",
            "does -1 stand for missing? have it sent as missing",
        ),
        (
            "hours look shifted by +3: another time zone, or daylight saving?",
            "hours look shifted by +3",
            "check the time zone of the feed",
        ),
    ],
)
def test_a_hint_is_the_first_thing_said_and_its_question_the_advice(hint, cause, advice):
    check = with_column(check_day(1, late=1), "dep_delay", hint=hint)

    lines = sentences(explained(check, past=[check_day(0)]))

    assert lines[0].startswith(f"dep_delay drifted (critical): {cause}; more than chance and usual days explain, ")
    assert lines[0].endswith("beyond the critical threshold; new in this window")
    assert lines[1].startswith(f"what to do: {advice}")
    assert len(lines[0]) < 200


def test_every_hint_of_the_core_is_told_apart():
    """The words that the advice goes by are those that the hints have."""
    values = np.random.default_rng(2).gamma(2, 10, 5_000).round(2) + 1
    feeds = {
        "ask who writes the column": 100 * values,
        "does -999 stand for missing?": np.where(np.arange(5_000) % 10 == 0, -999, values),
        "does 13 stand for missing?": np.where(np.arange(5_000) % 5 == 0, 13, values),
    }
    for advice, live in feeds.items():
        result = driftmon.compare({"x": values}, {"x": live}).result
        assert result["x"].hint is not None
        assert sentences(explained(result, "x"))[1].startswith(f"what to do: {advice}")


def test_a_quiet_column_with_a_hint_says_the_hint_first():
    check = with_column(
        check_day(0), "dep_delay", hint="1 % of the rows hold -1, beyond all reference values: does it?"
    )

    assert answer(explained(check)) == (
        "dep_delay did not drift (ok), but 1 % of the rows hold -1, beyond all reference values"
    )


def test_quality_problems_tell_what_to_do():
    def advised(quality, new=()):
        check = with_column(check_day(1, late=1), "dep_delay", quality=(quality,), new=new)
        return sentences(explained(check))[1]

    novel = problem(QualityCheck.NOVEL, 0.0, 0.04)
    assert (
        advised(novel, (("smart_tv", 40),)) == "what to do: is smart_tv meant to be there? if so, build a new baseline"
    )
    assert advised(novel, (("a", 9), ("b", 8), ("c", 7))) == (
        "what to do: are a, b and 1 more meant to be there? if so, build a new baseline"
    )
    assert "the feed lost values" in advised(problem(QualityCheck.MISSING, 0.02, 0.3))
    assert "the feed lost values" not in advised(problem(QualityCheck.MISSING, 0.3, 0.02))


def test_what_a_hint_explains_is_not_said_twice():
    quality = (problem(QualityCheck.OUT_OF_RANGE, 0.0, 0.3), problem(QualityCheck.MISSING, 0.02, 0.09))
    check = with_column(check_day(1, late=1), "dep_delay", quality=quality, hint="values look multiplied by 100")

    told = sentences(explained(check))

    assert told[0].endswith("; quality: missing 2 % → 9 %")
    assert any("30 % beyond all reference values" in line for line in told)


def test_the_first_line_stays_one_when_everything_is_wrong():
    check = with_column(
        check_day(1, late=1),
        "dep_delay",
        sustained=Sustained(True, 12, 1.3, 1e-4, 2e-4, 0.034),
        quality=(problem(QualityCheck.MISSING, 0.02, 0.09), problem(QualityCheck.OUT_OF_RANGE, 0.0, 0.3)),
        hint="12 % of the values look multiplied by 1,000,000",
    )

    told = answer(explained(check, past=[check_day(0, late=1)]))

    assert told == (
        "dep_delay drifted (critical): 12 % of the values look multiplied by 1,000,000; more than chance and usual days explain, "
        "beyond the critical threshold; since 2013-05-01, 2 windows in a row; sustained drift; quality: missing 2 % → 9 %"
    )


def test_a_column_that_is_ok_in_this_window_is_not_said_to_be_off_in_it():
    state = Sustained(True, 12, 1.3, 1e-4, 2e-4, 0.034)
    quiet, loud = (
        sentences(explained(with_column(check_day(0, late=late), "dep_delay", sustained=state))) for late in (0, 0.2)
    )

    assert quiet[1] == "what to do: recent windows are off: see since when"
    assert loud[1].startswith("what to do: act on it: this is no accident of one window")


# The middle value ------------------------------------------------------------------------------------------------------


def test_the_middle_value_is_the_median_as_well_as_the_bins_tell():
    reference = check_day(1, late=0.4)["dep_delay"].reference
    before, now = explained(check_day(1, late=0.4)).middles

    rows = np.concatenate([flights(1_000, seed=100 + i)["dep_delay"] for i in range(30)])
    assert reference.rows == len(rows)
    assert before.value == pytest.approx(np.median(rows), abs=1)
    assert now.value == pytest.approx(np.median(flights(1_000, seed=501, late=0.4)["dep_delay"]), abs=1.5)


def test_the_middle_value_is_told_where_it_moved_beyond_chance():
    later, same = (sentences(explained(check_day(1, late=late))) for late in (0.4, 0))

    assert any(re.fullmatch(r"half of the values are below about [\d.]+ now, [\d.]+ before", line) for line in later)
    assert not any("half of the values" in line for line in same)


def test_a_middle_value_in_an_open_end_has_no_number():
    told = sentences(explained(check_day(1, late=50)))

    assert any(
        re.search(r"half of the values are beyond \d+ now; before, half were below about [\d.]+", line) for line in told
    )
    assert explained(check_day(1, late=50)).to_json()["median"]["live"] is None


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=12).filter(any), st.data())
def test_a_middle_value_lies_in_the_bin_that_half_of_the_rows_reach(counts, data):
    edges = sorted(data.draw(st.sets(FINITE, min_size=len(counts) - 1, max_size=len(counts) - 1)))

    middle = _middle(edges, np.array(counts, dtype=float))

    upto = sum(count for edge, count in zip(edges, counts, strict=False) if edge <= middle.value)
    if middle.open_end:
        assert middle.value == edges[0 if middle.open_end < 0 else -1]
    else:
        below = sum(count for edge, count in zip(edges, counts, strict=False) if edge < middle.value)
        assert edges[0] <= middle.value <= edges[-1]
        assert below <= sum(counts) / 2 <= upto + max(counts)


# Without a verdict -----------------------------------------------------------------------------------------------------


def test_a_result_without_numbers_is_not_said_to_be_judged():
    check = with_column(check_of(flights(0)), "dep_delay", calibration="calibrated on 30 windows")

    assert "how it was judged" not in [section.title for section in tell(explained(check))]


def test_a_bound_that_proves_nothing_says_so():
    check = check_day(1)
    scores = replace(check["dep_delay"].scores, lower_bound=0.0004, lower_bound_reverse=0.0)

    told = sentences(explained(with_column(check, "dep_delay", scores=scores)))

    assert "no shift above 0.001 nats is sure; a warning needs 0.02, critical 0.1" in told


def test_a_bound_above_the_threshold_that_is_no_warning_says_what_a_warning_needs():
    check = check_day(1, late=0.2)
    scores = replace(check["dep_delay"].scores, lower_bound=0.03, lower_bound_reverse=0.0, p_iid=1e-4)

    told = sentences(explained(with_column(check, "dep_delay", scores=scores, status=Status.INFO)))

    assert (
        "the shift is surely (95 %) at least 0.030 nats; a warning needs 0.02, critical 0.1, "
        "and a difference that chance shows in less than 1 of 100,000 cases"
    ) in told


def test_what_vanished_is_not_called_lost_rows():
    check = check_of({**flights(), "carrier": ["AA"] * 2_000})

    told = " ".join(sentences(explained(check, "carrier")))

    assert "in the reverse direction KL is " in told
    assert "values that the reference had often are rare now" in told
    assert "vanished" not in told


@pytest.mark.parametrize(
    ("check", "status", "advice"),
    [
        (check_of(flights(), problems={"dep_delay": "gone"}), "(schema_changed): gone", "restore the column"),
        (check_of(flights(0)), "(no_data): no rows in the window", "find out whether the feed is late"),
        (check_of(flights(50)), "(insufficient_data): 50 rows, min_rows is 100", "take longer windows"),
    ],
)
def test_a_column_without_a_verdict_says_why_and_what_to_do(check, status, advice):
    lines = sentences(explained(check))

    assert lines[0] == f"dep_delay has no verdict {status}"
    assert lines[1].startswith(f"what to do: {advice}")
    assert not any("nan" in line.lower() for line in lines)


def test_bits_are_all_that_changes_in_bits():
    explanation = explained(check_day(1, late=0.2))
    kl = explanation.column.kl

    nats, bits = (" ".join(sentences(explanation, verbose=True, **unit)) for unit in ({}, {"unit": BITS}))

    assert f"KL {kl:.3f} nats" in nats
    assert f"KL {kl / math.log(2):.3f} bits" in bits
    assert "nats" not in bits
    assert bits.count("a warning needs 0.0289, critical 0.144") == 1


def test_verbose_has_the_entropies_and_the_other_divergences():
    quiet, verbose = (" ".join(sentences(explained(check_day(1)), verbose=flag)) for flag in (False, True))

    assert "cross-entropy" not in quiet
    assert all(word in verbose for word in ("cross-entropy", "entropy", "PSI", "JS", "Hellinger", "(q)"))


def test_a_segment_is_named_in_the_answer():
    check = with_column(check_day(1, late=0.4), "dep_delay", segment="origin=JFK")

    told = answer(explain(check, find_column(check, "dep_delay", "origin=JFK")))

    assert told.startswith("dep_delay where origin=JFK drifted")


def test_the_json_is_finite_and_has_a_share_for_every_bin():
    for check in (check_day(1, late=0.4), check_of(flights(0)), check_of(flights(), problems={"dep_delay": "gone"})):
        content = explained(check).to_json()

        json.dumps(content, allow_nan=False)
        assert all(0 <= item["live_share"] <= 1 and 0 <= item["part"] <= 1 for item in content["bins"])
    shares = [item["live_share"] for item in explained(check_day(1, late=0.4)).to_json()["bins"]]
    assert math.isclose(sum(shares), 1)


# Asking for what is not there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "segment", "message"),
    [
        ("dep_dela", None, "flights: no column 'dep_dela' is monitored; did you mean 'dep_delay'?"),
        ("nothing_like_it", None, "it has 'dep_delay', 'carrier'"),
        ("tailnum", None, "column 'tailnum' is not monitored: 1,900 of 2,000 values are distinct"),
        ("carrier", "origin=JFK", "has no segment 'origin=JFK'; it has none: name columns under segments"),
    ],
)
def test_a_column_that_is_not_there_is_an_error_that_helps(name, segment, message):
    with pytest.raises(UsageError) as error:
        find_column(check_of(flights()), name, segment)

    assert message in str(error.value)


def test_an_unknown_segment_names_the_nearest():
    check = check_of(flights())
    segments = tuple(replace(c, segment="origin=JFK") for c in check.columns)

    with pytest.raises(UsageError, match=r"did you mean 'origin=JFK'\?"):
        find_column(replace(check, columns=check.columns + segments), "carrier", "origin=JKF")


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda live: live * 1000, "fix the unit"),
        (lambda live: np.append(live[:-200], np.full(200, -999.0)), "does -999 stand for missing?"),
        (lambda live: np.append(live[:-1_000], np.full(1_000, 0.5)), "does 0.5 stand for missing?"),
        (lambda live: np.append(live[:-600], live[-600:] * 1000), "fix the unit"),
    ],
    ids=["unit", "sentinel", "constant", "part in another unit"],
)
def test_advice_understands_the_hints_that_checks_really_give(make, advice):
    """The advice reads the cause from the hint's words, which are written elsewhere: here both meet."""
    column = check_numbers(normal(20_000), make(normal(5_000, 1)))
    check = replace(check_of(flights()), columns=(column,))

    [answer, *_] = tell(explain(check, column))

    assert column.hint is not None
    assert advice in answer.lines[1]


def test_advice_understands_the_hint_of_a_moved_clock():
    column = check_hours(hours(20_000, 0), hours(5_000, 1, 1))
    check = replace(check_of(flights()), columns=(column,))

    assert "time zone" in tell(explain(check, column))[0].lines[1]

"""Sustained drift in the results database: a function of what is stored, however it came to be stored."""

from __future__ import annotations

import dataclasses
import random
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftmon.core.histogram import as_matrix
from driftmon.core.sustained import LOOKED_BACK, POOLED, sustained
from driftmon.core.window import Window
from driftmon.store.migrate import upgrade
from driftmon.store.store import Store
from tests.store.factories import NOW, baseline_of, day, facts, result_of, rows
from tests.store.rows import results_row_for_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from driftmon.core.result import CheckResult

REFERENCE = rows(0, 3_000)
UA = {
    key: [value for value, carrier in zip(values, REFERENCE["carrier"], strict=True) if carrier == "UA"]
    for key, values in REFERENCE.items()
}
BASELINES = {
    "usual": baseline_of(REFERENCE, segments={"carrier=UA": UA}, days=20),
    "chance": baseline_of(rows(100, 3_000)),
}
LIVE = [
    *((rows(seed, 400), {}) for seed in range(1, 5)),
    *((rows(seed, 400, shift=0.35), {}) for seed in range(5, 8)),
    (rows(11, 400, shift=1.0), {}),
    (rows(8, 20), {}),
    (rows(9, 0), {}),
    (rows(10, 400), {"delay": "gone from the data"}),
]
PALETTE = {
    name: [result_of(baseline, live, day(1), problems=problems) for live, problems in LIVE]
    for name, baseline in BASELINES.items()
}
names = (f"monitor-{number}" for number in count())


@dataclasses.dataclass(frozen=True)
class Saving:
    """One call of `save_check`: which window, with what result, on schedule or not."""

    window: Window
    baseline: str
    result: int
    scheduled: bool = True


@pytest.fixture
def store(results_database: str) -> Iterator[Store]:
    with Store.open(results_database) as opened:
        yield opened


def saved(store: Store, savings: Iterable[Saving]) -> tuple[str, dict[Window, CheckResult]]:
    """A new monitor after some calls, and what the last call of each window returned."""
    monitor = next(names)
    for baseline in BASELINES.values():
        store.save_baseline(monitor, baseline, now=NOW)
    found = {}
    for saving in savings:
        result = dataclasses.replace(PALETTE[saving.baseline][saving.result], monitor=monitor, window=saving.window)
        found[saving.window] = store.save_check(
            result, facts(monitor), scheduled=saving.scheduled, started_at=NOW, now=NOW
        )
    return monitor, found


def in_time(savings: Iterable[Saving]) -> list[Saving]:
    """What is left of some calls: the last one of each window, in the order of time."""
    last = {saving.window: saving for saving in savings}
    return sorted(last.values(), key=lambda saving: (saving.window.end, saving.window.start))


def states(results: Iterable[CheckResult]) -> dict:
    return {
        (result.window, column.column, column.segment): column.sustained
        for result in results
        for column in result.columns
    }


def by_definition(savings: Iterable[Saving], results: dict[Window, CheckResult]) -> dict:
    """The state of every column of every window, one at a time, from the results alone."""
    last = in_time(savings)
    found = dict.fromkeys(states(results.values()))
    for place, saving in enumerate(last):
        if not saving.scheduled:
            continue
        taken: list[Window] = []
        for earlier in reversed(last[: place + 1]):
            alike = earlier.scheduled and earlier.baseline == saving.baseline
            if alike and all(earlier.window.end <= other.start for other in taken):
                taken.append(earlier.window)
        family = [column for column in results[saving.window].columns if column.status.evaluated]
        if not family:
            continue
        pasts = [_past(column, [results[window] for window in taken[:LOOKED_BACK]]) for column in family]
        told = [0 if column.scores.p_history is None else column.scores.history_windows for column in family]
        newest = sustained(
            np.array([[p_of(result) for result in past] for past in pasts]).T[::-1],
            np.array(told),
            as_matrix(column.reference for column in family),
            np.stack([_pooled(past, max(len(column.bins) for column in family)) for past in pasts]),
            np.array([len(column.bins) for column in family]),
            np.array([column.threshold.warning for column in family]),
        )
        for column, state in zip(family, newest, strict=True):
            found[saving.window, column.column, column.segment] = state
    return found


def _past(column, results):
    """The same column in other windows; None where it had no verdict."""
    found = []
    for result in results:
        (same,) = [one for one in result.columns if (one.column, one.segment) == (column.column, column.segment)]
        found.append(same if same.status.evaluated else None)
    return found


def p_of(column) -> float:
    if column is None:
        return float("nan")
    return column.scores.p_iid if column.scores.p_history is None else column.scores.p_history


def _pooled(past, bins: int):
    pooled = np.zeros(bins)
    for column in [column for column in past if column is not None][:POOLED]:
        pooled[: len(column.bins)] += column.live.counts
    return pooled


windows = st.integers(1, 14).map(day) | st.sampled_from(
    [Window(day(1).start, day(7).end), Window(day(3).start, day(4).end), Window(day(6).start, day(9).end)]
)
savings = st.builds(
    Saving,
    windows,
    st.sampled_from(["usual", "usual", "chance"]),
    st.integers(0, len(LIVE) - 1),
    st.sampled_from([True, True, True, False]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(savings, min_size=1, max_size=30))
def test_whatever_was_saved_in_whatever_order_leaves_the_same_rows(store: Store, savings):
    monitor, results = saved(store, savings)

    in_order, _ = saved(store, in_time(savings))

    assert results_row_for_row(store, monitor) == results_row_for_row(store, in_order)
    assert states(store.load_checks(monitor)) == by_definition(savings, results)


def test_months_of_windows_in_any_order_leave_the_same_rows(store: Store):
    choice = random.Random(1)
    days = [Saving(day(number), "usual", choice.randrange(len(LIVE))) for number in range(1, 90)]
    shuffled = choice.sample(days, len(days))
    again = [*shuffled, *choice.sample(days, 5)]

    (in_order, results), (any_order, _) = saved(store, days), saved(store, again)

    rows_in_order = results_row_for_row(store, in_order)
    assert len(rows_in_order) == 89 * 5
    assert results_row_for_row(store, any_order) == rows_in_order
    assert states(store.load_checks(any_order)) == by_definition(days, results)
    longest = max(state.windows for state in states(results.values()).values() if state is not None)
    assert LOOKED_BACK / 2 < longest < LOOKED_BACK, "some windows have no verdict"


def test_both_databases_leave_the_same_states(postgresql_url: str, tmp_path: Path):
    days = [Saving(day(number), "usual", number % len(LIVE)) for number in range(1, 20)]
    found = []
    for url in (f"sqlite:///{tmp_path}/results.db", postgresql_url):
        upgrade(url)
        with Store.open(url) as store:
            monitor, _ = saved(store, days)
            found.append(results_row_for_row(store, monitor))

    assert found[0] == found[1]


def test_a_result_says_what_was_stored(store: Store):
    days = [Saving(day(number), "usual", 5) for number in range(1, 9)]

    monitor, results = saved(store, days)

    (newest,) = store.load_checks(monitor, window=day(8))
    assert states([newest]) == states([results[day(8)]])
    assert newest["delay"].sustained.drifting
    assert newest["delay"].sustained.windows == 8
    assert not newest["late"].sustained.drifting


def test_a_window_outside_the_schedule_has_no_state_and_counts_for_none(store: Store):
    monitor, results = saved(
        store,
        [
            Saving(day(1), "usual", 0),
            Saving(day(2), "usual", 5, scheduled=False),
            Saving(day(3), "usual", 1),
        ],
    )

    assert set(states([results[day(2)]]).values()) == {None}
    assert results[day(3)]["delay"].sustained.windows == 2
    assert states(store.load_checks(monitor)) == states(results.values())


def test_a_column_without_a_verdict_has_no_state_and_is_passed_over(store: Store):
    gone = len(LIVE) - 1

    _, results = saved(store, [Saving(day(1), "usual", 0), Saving(day(2), "usual", gone), Saving(day(3), "usual", 1)])

    assert results[day(2)]["delay"].sustained is None
    assert results[day(2)]["late"].sustained.windows == 2
    assert results[day(3)]["delay"].sustained.windows == 2
    assert results[day(3)]["late"].sustained.windows == 3


def test_a_window_checked_against_a_new_baseline_begins_anew_and_leaves_the_old_row(store: Store):
    days = [Saving(day(number), "usual", 5) for number in range(1, 7)]

    monitor, _ = saved(store, [*days, Saving(day(3), "chance", 5)])

    delays = {result.window: result["delay"].sustained.windows for result in store.load_checks(monitor)}
    assert delays == {day(1): 1, day(2): 2, day(3): 1, day(4): 3, day(5): 4, day(6): 5}


def test_windows_that_no_longer_look_back_are_left_alone(store: Store):
    days = [Saving(day(number), "usual", 0) for number in range(1, LOOKED_BACK + 3)]
    monitor, _ = saved(store, days)
    before = states(store.load_checks(monitor))

    result = dataclasses.replace(PALETTE["usual"][5], monitor=monitor, window=day(1))
    store.save_check(result, facts(monitor), started_at=NOW, now=NOW)

    changed = {key[0] for key, state in states(store.load_checks(monitor)).items() if state != before[key]}
    assert changed == {day(number) for number in range(1, LOOKED_BACK + 1)}


def test_columns_that_alerted_are_told_by_window(store: Store):
    drifted, quiet, gone = 7, 0, len(LIVE) - 1
    monitor, results = saved(
        store,
        [
            Saving(day(3), "usual", drifted),
            Saving(day(1), "usual", drifted),
            Saving(day(2), "usual", quiet),
            Saving(day(4), "usual", gone),
            Saving(day(5), "chance", drifted),
        ],
    )
    expected = {
        window: [(column.column, column.segment) for column in result.columns if column.status.breach]
        for window, result in sorted(results.items())
        if any(column.status.breach for column in result.columns)
    }
    assert expected[day(1)][0] == ("delay", None)

    found = store.alerted(monitor, day(1).start, day(9).end)

    assert found == expected
    assert list(found) == [day(1), day(3), day(5)]
    assert list(store.alerted(monitor, day(1).end, day(3).end)) == [day(3)]
    assert store.alerted("nowhere", day(1).start, day(9).end) == {}

"""Which windows look back on which, held against the definition, word by word."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.sustained import LOOKED_BACK
from driftmon.store.lookback import CONSIDERED, Stored, looked_back_on, outdated
from tests.store.factories import DAY, day

START = day(1).start


def stored(start: int, hours: int) -> Stored:
    begins = START + timedelta(hours=start)
    return Stored(1_000_000 * start + hours, begins, begins + timedelta(hours=hours))


def in_order(windows) -> list[Stored]:
    return sorted(set(windows), key=lambda window: (window.end, window.start))


def by_definition(windows: list[Stored], newest: Stored) -> list[int]:
    """Back from the newest, among the newest so many; what overlaps one that was taken is passed over."""
    taken: list[Stored] = []
    for window in reversed(
        [other for other in windows if (other.end, other.start) <= (newest.end, newest.start)][-CONSIDERED:]
    ):
        if all(window.end <= other.start or other.end <= window.start for other in taken):
            taken.append(window)
    return [window.id for window in taken[:LOOKED_BACK]]


spans = st.builds(stored, st.integers(0, 60), st.sampled_from([1, 1, 1, 2, 6, 24]))


@given(st.lists(spans, min_size=1, max_size=80), st.data())
def test_windows_that_overlap_a_later_one_are_passed_over(windows, data):
    windows = in_order(windows)
    place = data.draw(st.integers(0, len(windows) - 1))

    assert looked_back_on(windows, place) == by_definition(windows, windows[place])


def test_days_look_back_on_the_days_before_them():
    windows = [Stored(number, day(number).start, day(number).end) for number in range(100)]

    assert looked_back_on(windows, 99) == list(range(99, 99 - LOOKED_BACK, -1))
    assert looked_back_on(windows, 3) == [3, 2, 1, 0]


def test_hours_stand_for_the_day_that_they_make_up():
    hours = [
        Stored(number, START + timedelta(hours=number), START + timedelta(hours=number + 1)) for number in range(24)
    ]
    windows = in_order([*hours, Stored(100, START, START + DAY), Stored(101, START + DAY, START + 2 * DAY)])

    assert looked_back_on(windows, windows.index(Stored(101, START + DAY, START + 2 * DAY))) == [
        101,
        *range(23, -1, -1),
    ]


def agree(others: list[Stored], window: Stored, *, was: bool, now: bool) -> None:
    before = [other for other in others if (other.end, other.start) < (window.end, window.start)]
    after = [other for other in others if (other.end, other.start) > (window.end, window.start)]

    found = outdated(before[-CONSIDERED:], window, after[:CONSIDERED], was=was, now=now)

    old, new = (in_order([*others, *([window] if among else [])]) for among in (was, now))
    expected = {}
    for later in new:
        is_on, was_on = by_definition(new, later), by_definition(old, later)
        if window.id in is_on or (later in old and is_on != was_on):
            expected[later.id] = is_on
    assert found == expected


@given(st.lists(spans, max_size=60), spans, st.booleans(), st.booleans())
def test_exactly_the_windows_that_look_back_on_another_are_outdated(others, window, was, now):
    others = [other for other in in_order(others) if other.id != window.id]

    agree(others, window, was=was, now=now)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("was", "now"), [(False, True), (True, False), (True, True)])
def test_they_are_found_among_many_that_overlap(seed, was, now):
    choice = random.Random(seed)
    lengths = choice.choice([[1], [1, 1, 1, 24], [2, 3, 48]])
    windows = in_order(stored(choice.randrange(700), choice.choice(lengths)) for _ in range(700))
    window = windows.pop(choice.randrange(len(windows)))

    agree(windows, window, was=was, now=now)

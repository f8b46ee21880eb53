"""Laws of the results database, on what real checks make of generated rows."""

from __future__ import annotations

import dataclasses
from itertools import count, takewhile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from driftmon.core.check import Policy
from driftmon.core.layout import Kind
from driftmon.core.verdict import Status, Threshold
from driftmon.store.records import RunRecord
from driftmon.store.store import Store
from driftmon.store.types import LONGEST_TEXT
from tests.store.factories import NOW, baseline_of, day, facts, result_of, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

# One database for all examples of a test: each has a monitor of its own.
law = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
names = (f"monitor-{number}" for number in count())

HOSTILE = [
    "", " ", "x", "naïve 😀", "it's", 'say "no"', "a\\b", "line\nbreak\ttab", "NUL\x00NUL", "␛0000", "\ud800", "%s :x ?",
    "'; DROP TABLE driftmon_checks; --", "x" * 1_000_000,
]  # fmt: skip
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(HOSTILE[:-1])
numbers = st.floats(-1e300, 1e300) | st.sampled_from(
    [0.0, -0.0, 5e-324, float("inf"), float("-inf"), float("nan"), 1.0]
)


@pytest.fixture
def store(results_database: str) -> Iterator[Store]:
    with Store.open(results_database) as opened:
        yield opened


@st.composite
def tables(draw: st.DrawFn, columns: dict[str, bool], most: int = 300):
    """Rows of some columns, numeric or not."""
    number = draw(st.integers(0, most))
    table = {}
    for name, numeric in columns.items():
        # Few distinct values, dealt out to many rows: drawing each would take for ever.
        pool = draw(st.lists(numbers if numeric else texts | st.none(), min_size=1, max_size=12))
        seed = draw(st.integers(0, 2**16))
        table[name] = [pool[(seed + place * place) % len(pool)] for place in range(number)]
    return table


@st.composite
def comparisons(draw: st.DrawFn):
    """A baseline, and the result of a check against it."""
    columns = draw(st.dictionaries(texts, st.booleans(), max_size=4))
    reference = draw(tables(columns))
    segments = draw(st.dictionaries(texts.map(lambda value: f"s={value}"), tables(columns), max_size=2))
    kinds = {name: Kind.NUMERIC if numeric else Kind.CATEGORICAL for name, numeric in columns.items()}
    days = draw(st.integers(0, 2)) if columns else 0
    baseline = baseline_of(reference, kinds=kinds, segments=segments, days=days)
    problems = draw(st.dictionaries(st.sampled_from(sorted(columns)), texts, max_size=1)) if columns else {}
    warning = draw(st.floats(0, 1))
    policy = Policy(Threshold(warning, warning + draw(st.floats(0, 1))), min_rows=draw(st.integers(1, 100)))
    return baseline, result_of(baseline, draw(tables(columns)), day(1), problems=problems, policy=policy)


@law
@given(comparisons())
def test_whatever_a_check_gives_comes_back(store: Store, comparison):
    baseline, result = comparison
    monitor = next(names)
    result = dataclasses.replace(result, monitor=monitor)

    store.save_baseline(monitor, baseline, now=NOW)
    saved = store.save_check(result, facts(monitor), started_at=NOW, now=NOW)

    assert store.load_baseline(monitor, baseline.id) == baseline
    (loaded,) = store.load_checks(monitor)
    assert stripped(loaded) == stripped(saved)
    for mine, theirs in zip(loaded.columns, result.columns, strict=True):
        if theirs.scores is not None:
            assert mine.scores.contributions == pytest.approx(theirs.scores.contributions, rel=1e-12, abs=1e-12)
    assert len(store.monitor_snapshot(monitor).columns) == len(result.columns)


def stripped(result):
    """Without what is not kept to the last digit or letter."""
    columns = []
    for column in result.columns:
        scores = None
        if column.scores is not None:
            again = {"contributions": (), "hellinger": 0.0, "total_variation": 0.0, "higher": None}
            scores = dataclasses.replace(column.scores, **again)
        reason = None if column.reason is None else column.reason[:1000]
        columns.append(dataclasses.replace(column, scores=scores, reason=reason))
    return dataclasses.replace(result, columns=tuple(columns))


@pytest.mark.parametrize("text", HOSTILE[1:])
def test_hostile_text_is_kept_everywhere(store: Store, text):
    names = {f"{text}": [float(number) for number in range(300)], "category": [text, "ordinary"] * 150}
    baseline = baseline_of(names, segments={f"category={text}": names})
    result = result_of(baseline, names, day(1), policy=Policy(roles={text: "target"}))
    said = facts(owner=text, description=text, model="a model")

    store.save_baseline("flights", baseline, now=NOW)
    saved = store.save_check(result, said, started_at=NOW, now=NOW)
    store.record_run(RunRecord("flights", day(2), NOW, NOW, text))

    assert store.load_baseline("flights", baseline.id[:8]) == baseline
    assert store.load_checks("flights") == [saved]
    assert len(store.load_checks("flights", column=text)[0].columns) == 2
    snapshot = store.monitor_snapshot("flights")
    assert snapshot.facts == said
    assert {sample.column for sample in snapshot.columns} == {text, "category"}
    assert {sample.segment for sample in snapshot.columns} == {None, f"category={text}"}


def test_a_reason_of_a_million_letters_is_clipped(store: Store):
    baseline = baseline_of(rows(0))
    result = result_of(baseline, rows(1), day(1), problems={"delay": "x" * 1_000_000})
    store.save_baseline("flights", baseline, now=NOW)
    store.save_check(result, facts(), started_at=NOW, now=NOW)

    reason = store.load_checks("flights")[0]["delay"].reason

    assert len(reason) == LONGEST_TEXT
    assert reason.endswith("… (1000000 characters in all)")


# One real result of each status that a column can have, to make histories from.
BASELINE = baseline_of({"delay": rows(0, 5_000)["delay"]})
LOOSE = Policy(Threshold(0.5, 5.0))
PALETTE = {
    result["delay"].status: result
    for result in (
        result_of(BASELINE, {"delay": rows(1, 2_000)["delay"]}, day(1)),
        result_of(BASELINE, {"delay": rows(1, 2_000, shift=0.5)["delay"]}, day(1), policy=LOOSE),
        result_of(BASELINE, {"delay": rows(1, 2_000, shift=2.0)["delay"]}, day(1), policy=LOOSE),
        result_of(BASELINE, {"delay": rows(1, 2_000, shift=2.0)["delay"]}, day(1)),
        result_of(BASELINE, {"delay": rows(1, 20)["delay"]}, day(1)),
        result_of(BASELINE, {"delay": []}, day(1)),
        result_of(BASELINE, {"delay": rows(1)["delay"]}, day(1), problems={"delay": "gone"}),
    )
}
OTHER_BASELINE = baseline_of({"delay": rows(5, 5_000)["delay"], "late": rows(5, 5_000)["late"]})


def test_the_palette_has_every_status():
    assert set(PALETTE) == set(Status) - {Status.ERROR}


def in_a_row(statuses: list[Status], breaching: set[Status]) -> int:
    """The definition, word by word: the newest consecutive evaluated windows whose status was at least that severe."""
    newest = list(reversed(statuses))
    if newest[0] not in breaching:
        return 0
    return len(list(takewhile(breaching.__contains__, (status for status in newest if status.evaluated))))


histories = st.lists(
    st.sampled_from(sorted(PALETTE)) | st.sampled_from([Status.CRITICAL, Status.WARNING, Status.NO_DATA]),
    min_size=1,
    max_size=60,
)


@law
@given(history=histories, calm=st.booleans(), data=st.data())
def test_breached_windows_are_counted_back_from_the_newest(store: Store, history, calm, data):
    if not calm:
        history = [*history, Status.CRITICAL]
    monitor = next(names)
    store.save_baseline(monitor, BASELINE, now=NOW)
    order = data.draw(st.permutations(range(len(history))))

    for place in order:
        result = dataclasses.replace(PALETTE[history[place]], monitor=monitor, window=day(place + 1))
        store.save_check(result, facts(monitor), started_at=NOW, now=NOW)

    (sample,) = store.monitor_snapshot(monitor).columns
    assert sample.status is history[-1]
    assert sample.breached_windows == {
        "warning": in_a_row(history, {Status.WARNING, Status.CRITICAL}),
        "critical": in_a_row(history, {Status.CRITICAL}),
    }


def test_breached_windows_are_counted_over_a_change_of_the_baseline(store: Store):
    for baseline in (BASELINE, OTHER_BASELINE):
        store.save_baseline("flights", baseline, now=NOW)
    for number in (1, 2, 3):
        result = dataclasses.replace(PALETTE[Status.CRITICAL], window=day(number))
        store.save_check(result, facts(), started_at=NOW, now=NOW)
    moved = {"delay": rows(1, 2_000, shift=2.0)["delay"], "late": rows(1, 2_000, late=0.9)["late"]}
    store.save_check(result_of(OTHER_BASELINE, moved, day(4)), facts(), started_at=NOW, now=NOW)

    delay, late = store.monitor_snapshot("flights").columns

    assert delay.breached_windows == {"warning": 4, "critical": 4}
    assert late.breached_windows == {"warning": 1, "critical": 1}


def test_a_row_of_breaches_reaches_no_further_back_than_the_column(store: Store):
    lateness = baseline_of({"late": rows(5, 5_000)["late"]})
    for baseline in (BASELINE, lateness, OTHER_BASELINE):
        store.save_baseline("flights", baseline, now=NOW)
    moved = {"delay": rows(1, 2_000, shift=2.0)["delay"], "late": rows(1, 2_000, late=0.9)["late"]}
    results = [
        *(dataclasses.replace(PALETTE[Status.CRITICAL], window=day(number)) for number in (1, 2, 3)),
        result_of(lateness, {"late": moved["late"]}, day(4)),
        result_of(OTHER_BASELINE, moved, day(5)),
        result_of(OTHER_BASELINE, moved, day(6)),
    ]
    for result in results:
        store.save_check(result, facts(), started_at=NOW, now=NOW)

    delay, late = store.monitor_snapshot("flights").columns

    assert delay.breached_windows == {"warning": 2, "critical": 2}, "on the fourth there was no such column"
    assert late.breached_windows == {"warning": 3, "critical": 3}


@pytest.fixture
def statements():
    """The statements that are run from here on."""
    found: list[str] = []

    def note(connection, cursor, statement, *rest):
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def test_a_column_that_is_new_costs_no_walk_through_all_windows(store: Store, statements):
    for baseline in (BASELINE, OTHER_BASELINE):
        store.save_baseline("flights", baseline, now=NOW)
    for number in range(1, 120):
        result = dataclasses.replace(PALETTE[Status.OK], window=day(number))
        store.save_check(result, facts(), started_at=NOW, now=NOW)
    moved = {"delay": rows(1, 2_000)["delay"], "late": rows(1, 2_000, late=0.9)["late"]}
    store.save_check(result_of(OTHER_BASELINE, moved, day(120)), facts(), started_at=NOW, now=NOW)
    del statements[:]

    delay, late = store.monitor_snapshot("flights").columns

    assert late.breached_windows["critical"] == 1
    assert delay.breached_windows["critical"] == 0
    pages = [one for one in statements if one.startswith("SELECT driftmon_checks.id, driftmon_checks.baseline_id")]
    assert len(pages) == 1


def test_a_long_row_of_breaches_is_counted_to_its_end(store: Store):
    store.save_baseline("flights", BASELINE, now=NOW)
    statuses = [Status.OK, *[Status.WARNING] * 5, *[Status.CRITICAL] * 180]
    for number, status in enumerate(statuses, start=1):
        result = dataclasses.replace(PALETTE[status], window=day(number))
        store.save_check(result, facts(), started_at=NOW, now=NOW)

    (sample,) = store.monitor_snapshot("flights").columns

    assert sample.breached_windows == {"warning": 185, "critical": 180}

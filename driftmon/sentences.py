"""
An explanation in sentences, for a reader who knows no statistics: what changed, and whether to worry.

Every sentence stands on a number of `driftmon.explanation`; the number is in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from driftmon.core.quality import QualityCheck
from driftmon.core.verdict import BEYOND_CHANCE, FALSE_DISCOVERY_RATE, Status
from driftmon.words import (
    LEAST_BOUND,
    NATS,
    PRUNED,
    clipped,
    listed,
    named,
    number,
    percent,
    quality_text,
    span_text,
    sustained_text,
    window_word,
)

if TYPE_CHECKING:
    from driftmon.core.result import ColumnResult, Scores
    from driftmon.explanation import Explanation, Middle
    from driftmon.words import Unit

__all__ = ["Section", "tell"]

UTC = ZoneInfo("UTC")

NAMED_BINS = 3
"""Bins that are named: they nearly always make most of a divergence."""

NAMED_NEW = 10
"""New categories that are named."""

NAMED_NEW_FIRST = 2
"""New categories that are named before the others: the first line must stay one."""

SAYS_MORE = 1.25
"""How many times larger than KL its reverse must be to say something of its own."""

MOST_IN_FULL = 1e12
"""Values from here on are told by their power of ten."""

NEVER = 1e-4
"""Probabilities below are not told apart: nobody waits for so many windows."""

ADVICE = {
    Status.CRITICAL: "look now at what moved: a broken feed, a changed unit, a new population? Then fix the data, retrain, or "
    "build a new baseline if the change is meant to stay",
    Status.WARNING: "look today, and watch whether it lasts",
    Status.ERROR: "look at the reason, then check the window again",
    Status.SCHEMA_CHANGED: "restore the column, or build a new baseline without it",
    Status.NO_DATA: "find out whether the feed is late or down; once the rows are there, check the window again",
    Status.INSUFFICIENT_DATA: "take longer windows or a larger reference; the numbers below decide nothing",
    Status.INFO: "nothing; good to know when you look for a cause elsewhere",
    Status.OK: "nothing",
}
"""What to do, by status."""

UNIT = "ask who writes the column; fix the unit, then check the window again"
CLOCK = "check the time zone of the feed"
MISSING = "the feed lost values: find out where, then check the window again"
LASTING = "recent windows are off: see since when"
LASTING_TOO = "act on it: this is no accident of one window, the data have changed"

UNIT_HINT, CLOCK_HINT, QUESTION = " look ", "hours look shifted", re.compile(r": [^:]*\?$")
"""How hints begin, and the question that some of them end with (`driftmon.core.hints`): the advice asks it again."""

HELD = re.compile(r" of the (?:rows hold|values are) (.+?)(?:, beyond all | \((?:reference|before)[, ]|$)")
"""The value that a hint names."""

EXPLAINED_BY_HINT = {QualityCheck.OUT_OF_RANGE, QualityCheck.TOP_VALUE}
"""Quality checks that a hint says more of: the first line does not say it twice."""

QUALITY_NAMES = {
    QualityCheck.MISSING: "missing values",
    QualityCheck.OUT_OF_RANGE: "values beyond the reference's",
    QualityCheck.NOVEL: "new categories",
    QualityCheck.TOP_VALUE: "the most frequent value",
}


@dataclass(frozen=True)
class Section:
    """Sentences that belong together; the first section has no title, its first sentence is the answer."""

    title: str
    lines: tuple[str, ...]


def tell(
    explanation: Explanation, *, zone: ZoneInfo = UTC, unit: Unit = NATS, verbose: bool = False
) -> tuple[Section, ...]:
    """
    Say it in words, the answer first.

    Parameters
    ----------
    explanation : Explanation
    zone : ZoneInfo
        In which windows are named.
    unit : Unit
        Of divergences and entropies.
    verbose : bool
        Also the numbers that only some readers ask for.
    """
    column = explanation.column
    answer = (_answer(explanation, zone, unit), f"what to do: {_advice(explanation)}")
    sections = [Section("", answer), Section("what changed", _changed(explanation))]
    sections += [
        Section("the numbers", _numbers(explanation, unit)),
        Section("quality", _quality(column)),
        Section("over time", _over_time(explanation, zone, unit)),
        Section("how it was judged", (column.calibration,) if column.scores and column.calibration else ()),
    ]
    if verbose:
        sections.append(Section("more numbers", (*_more_numbers(explanation, unit), *_rows_to_tell(explanation))))
    return tuple(section for section in sections if section.lines)


def _answer(explanation: Explanation, zone: ZoneInfo, unit: Unit) -> str:
    column = explanation.column
    sentence = f"{named(column)} {_verdict(explanation, zone, unit)}"
    if column.lasting:
        sentence += "; sustained drift" if column.status.breach else "; but recent windows are off: sustained drift"
    problems = [item for item in column.problems if column.hint is None or item.check not in EXPLAINED_BY_HINT]
    if problems:
        told = (quality_text(column, item, most=NAMED_NEW_FIRST) for item in problems)
        sentence += f"; quality: {', '.join(told)}"
    return sentence


def _verdict(explanation: Explanation, zone: ZoneInfo, unit: Unit) -> str:
    column = explanation.column
    status, scores = column.status, column.scores
    if not status.evaluated or scores is None:
        return f"has no verdict ({status}): {column.reason or 'there is nothing to compare'}"
    usual, cause = _usual(explanation), "" if column.hint is None else QUESTION.sub("", column.hint)
    beyond = f"more than chance and {usual} explain" if usual else "more than chance explains"
    first = f"{cause}; " if cause else ""
    if status.breach:
        return f"drifted ({status}): {first}{beyond}, beyond the {status} threshold{_since(explanation, zone)}"
    if status is Status.INFO:
        warning = f"{unit.short(column.threshold.warning)} {unit.name}"
        return f"moved a little ({status}): {first}{beyond}, but not surely beyond the warning threshold of {warning}"
    return f"did not drift ({status}){f', but {cause}' if cause else f': {_quiet(scores, usual)}'}"


def _quiet(scores: Scores, usual: str) -> str:
    if scores.p_iid > FALSE_DISCOVERY_RATE:
        return "chance alone explains the difference"
    if scores.p_history is not None and scores.p_history > FALSE_DISCOVERY_RATE:
        return f"it differs by more than chance, but by no more than {usual} explain"
    return "among so many columns one shows such a difference by chance"


def _usual(explanation: Explanation) -> str:
    scores = explanation.column.scores
    if scores is None or scores.p_history is None:
        return ""
    if not scores.calibrated:
        return "the ups and downs within the reference"
    return f"usual {window_word(explanation.check.window)}s"


def _since(explanation: Explanation, zone: ZoneInfo) -> str:
    """Since when: of the severity reached, and of the one below where that is longer."""
    streaks = list(explanation.since.items())
    if not streaks:
        return ""
    severity, newest = streaks[0]
    longer = [(other, streak) for other, streak in streaks[1:] if streak.windows > newest.windows]
    if newest.windows > 1:
        told = f"; since {span_text(newest.first, zone)}, {newest.windows} windows in a row"
    elif longer:
        told = f"; {severity} in this window only"
    else:
        told = "; new in this window" if newest.after_other else ""
    for other, streak in longer:
        told += f", at least a {other} since {span_text(streak.first, zone)}, {streak.windows} windows in a row"
    return told


def _advice(explanation: Explanation) -> str:
    """What to do: about the cause, where it is known; else about the status, and how long it has lasted."""
    column = explanation.column
    lasting = column.lasting
    cause = _cause_advice(column)
    if cause:
        return cause
    if lasting and column.status is Status.OK:
        return LASTING
    if lasting and column.status is not Status.CRITICAL:
        return LASTING_TOO
    if column.problems and not column.status.breach:
        return f"look at the data's quality: {', '.join(QUALITY_NAMES[item.check] for item in column.problems)}"
    since = explanation.since.get(Status.WARNING)
    if column.status is Status.WARNING and since is not None and since.windows > 1:
        return f"look today: it has lasted for {since.windows} windows"
    return ADVICE[column.status]


def _cause_advice(column: ColumnResult) -> str:
    hint, problems = column.hint or "", {item.check: item for item in column.problems}
    if hint.startswith(CLOCK_HINT):
        return CLOCK
    held = HELD.search(hint)
    if held is not None:
        return f"does {clipped(held[1])} stand for missing? have it sent as missing"
    if UNIT_HINT in hint:
        return UNIT
    if QualityCheck.NOVEL in problems:
        names = [clipped(name) for name, _ in column.new]
        which = listed(names, NAMED_NEW_FIRST) or "the new categories"
        return f"{'is' if len(names) == 1 else 'are'} {which} meant to be there? if so, build a new baseline"
    missing = problems.get(QualityCheck.MISSING)
    return MISSING if missing is not None and missing.live > missing.reference else ""


def _changed(explanation: Explanation) -> tuple[str, ...]:
    column = explanation.column
    scores, live = column.scores, column.live
    if column.remains is not None:
        return (f"{PRUNED}: what moved can no longer be told", *_new(column), *_missing(column))
    if scores is None or live is None or scores.total_variation is None:
        return ()
    lines = [
        f"{percent(scores.total_variation)} of the rows moved to another bin; with {live.rows:,} "
        f"{'row' if live.rows == 1 else 'rows'}, chance alone moves about {percent(explanation.moved_by_chance)}"
    ]
    if scores.higher is not None:
        lines += [_direction(scores.higher, explanation.direction), _middles(explanation)]
    lines += [_bins(explanation), *_new(column), *_missing(column)]
    return tuple(line for line in lines if line)


def _missing(column: ColumnResult) -> list[str]:
    if column.missing is None or not column.reference.rows:
        return []
    before = percent(column.reference.missing / column.reference.rows)
    return [f"missing values: {before} in the reference, {percent(column.missing)} now"]


def _direction(higher: float, direction: int) -> str:
    word = "lower" if direction < 0 else "higher"
    values = f"values are {word}" if direction else "values are neither higher nor lower on the whole"
    cases = _cases(1 - higher if direction < 0 else higher) if direction else _of_cases(higher, 100)
    return f"{values}: if you draw a live and a reference row, the live value is the {word} one in {cases}"


def _cases(share: float) -> str:
    """
    How often, with as many cases as tell it from half of them.

    Examples
    --------
    >>> _cases(0.66), _cases(0.518)
    ('66 of 100 cases (50 if nothing had changed)', '518 of 1,000 cases (500 if nothing had changed)')
    """
    away = abs(share - 0.5)
    return _of_cases(share, 100 if away >= 0.05 else 1_000 if away >= 0.001 else 10_000)


def _of_cases(share: float, cases: int) -> str:
    return f"{cases * share:.0f} of {cases:,} cases ({cases // 2:,} if nothing had changed)"


def _middles(explanation: Explanation) -> str:
    """The middle value before and now; empty where it did not move beyond chance, or too little to be told."""
    if explanation.direction == 0 or explanation.middles is None:
        return ""
    before, now = explanation.middles
    if before == now:
        return ""
    texts = next(
        (
            pair
            for digits in range(3, 7)
            if len(set(pair := (_value(now.value, digits), _value(before.value, digits)))) > 1
        ),
        (_value(now.value, 6),) * 2,
    )
    sides = [f"{_side(middle)} {shown}" for middle, shown in zip((now, before), texts, strict=True)]
    if before.open_end == now.open_end == 0:
        return f"half of the values are {sides[0]} now, {texts[1]} before"
    return f"half of the values are {sides[0]} now; before, half were {sides[1]}"


def _side(middle: Middle) -> str:
    return {0: "below about", 1: "beyond", -1: "below"}[middle.open_end]


def _value(value: float, digits: int) -> str:
    return f"{value:,.0f}" if 10**digits <= abs(value) < MOST_IN_FULL else f"{value:.{digits}g}"


def _bins(explanation: Explanation) -> str:
    beyond = [item for item in explanation.bins if item.beyond_chance]
    top = sorted(beyond, key=lambda item: -item.part)[:NAMED_BINS]
    if not top:
        return "no single bin changed by more than chance"
    texts = [
        f"{clipped(item.label)} {percent(item.reference)} → {percent(item.live)} ({percent(item.part)} of the divergence)"
        for item in top
    ]
    return f"the bins that changed most: {'; '.join(texts)}"


def _new(column: ColumnResult) -> list[str]:
    if not column.new:
        return []
    names = listed(
        (f"{clipped(name)} {rows:,} {'row' if rows == 1 else 'rows'}" for name, rows in column.new), NAMED_NEW
    )
    share = "" if column.novel is None else f"; in all {percent(column.novel)} of the rows"
    expected = "" if column.expected_novel is None else f", {percent(column.expected_novel)} would be usual"
    return [f"categories that the reference never had: {names}{share}{expected}"]


def _numbers(explanation: Explanation, unit: Unit) -> tuple[str, ...]:
    column = explanation.column
    scores, rows = column.scores, column.live_rows
    if scores is None or rows is None:
        return ()
    lines = [_kl(explanation, scores, rows, unit), _bound(column, scores, unit)]
    if scores.kl_reverse > SAYS_MORE * scores.kl and scores.lower_bound_reverse > scores.lower_bound:
        lines.append(
            f"in the reverse direction KL is {unit.text(scores.kl_reverse)}: values that the reference had often are rare now"
        )
    return (*lines, _odds(explanation, scores))


def _kl(explanation: Explanation, scores: Scores, rows: int, unit: Unit) -> str:
    sentence = (
        f"KL {unit.text(scores.kl)} {unit.name}, without the noise {unit.text(max(scores.excess, 0.0))} "
        f"(90 % interval {unit.text(scores.lower_bound)} to {unit.text(scores.upper_bound)}); "
        f"with {rows:,} rows, no change would show {unit.text(scores.noise_floor)}"
    )
    if scores.usual_limit is not None:
        usual = f"usual {window_word(explanation.check.window)}" if scores.calibrated else "part of the reference"
        sentence += f"; one {usual} in a hundred shows more than {unit.text(scores.usual_limit)}"
    return sentence


def _bound(column: ColumnResult, scores: Scores, unit: Unit) -> str:
    direction = " in the reverse direction" if scores.lower_bound_reverse > scores.lower_bound else ""
    surely = (
        f"the shift is surely (95 %) at least {unit.text(scores.bound)} {unit.name}{direction}"
        if unit.is_sure(scores.bound)
        else f"no shift above {LEAST_BOUND} {unit.name} is sure"
    )
    warning, critical = unit.short(column.threshold.warning), unit.short(column.threshold.critical)
    needs = f"a warning needs {warning}, critical {critical}"
    if column.status is Status.INFO and scores.bound > column.threshold.warning:
        needs += f", and a difference that chance shows in less than 1 of {1 / BEYOND_CHANCE:,.0f} cases"
    return f"{surely}; {needs}"


def _odds(explanation: Explanation, scores: Scores) -> str:
    sentence = f"chance alone would show as much in {_times(scores.p_iid)}"
    if scores.p_history is not None:
        usual = f"a usual {window_word(explanation.check.window)}" if scores.calibrated else "a part of the reference"
        sentence += f"; {usual} is as far from the reference in {_times(scores.p_history)}"
    return sentence


def _times(p: float) -> str:
    """
    A probability as people count.

    Examples
    --------
    >>> _times(0.3), _times(0.004), _times(1e-9)
    ('30 of 100 cases', '1 of 250 cases', 'less than 1 of 10,000 cases')
    """
    if p >= 0.095:
        return f"{100 * p:.0f} of 100 cases"
    return f"1 of {1 / p:,.0f} cases" if p >= NEVER else f"less than 1 of {1 / NEVER:,.0f} cases"


def _quality(column: ColumnResult) -> tuple[str, ...]:
    found = [quality_text(column, item) for item in column.problems]
    quiet = [QUALITY_NAMES[item.check] for item in column.quality if not item.problem]
    if quiet:
        found.append(f"nothing to report on {' and '.join(', '.join(quiet).rsplit(', ', 1))}")
    return tuple(found)


def _over_time(explanation: Explanation, zone: ZoneInfo, unit: Unit) -> tuple[str, ...]:
    state = sustained_text(explanation.column, unit)
    if not state:
        return ()
    streak = explanation.sustained_since
    if streak is None:
        return (state,)
    row = f", {streak.windows} windows in a row" if streak.windows > 1 else ""
    return (f"sustained drift since {span_text(streak.first, zone)}{row}: {state}",)


def _more_numbers(explanation: Explanation, unit: Unit) -> tuple[str, ...]:
    scores, entropies = explanation.column.scores, explanation.entropies
    if scores is None or entropies is None or scores.hellinger is None or scores.total_variation is None:
        return ()

    def exact(nats: float) -> str:
        return f"{nats * unit.per_nat:.4f}"

    def p(value: float | None) -> str:
        return "none" if value is None else f"{value:.2g}"

    return (
        f"a live row takes {exact(entropies.cross)} {unit.name} in the reference's code (cross-entropy) and {exact(entropies.live)} in "
        f"its own (entropy); KL is the difference, {exact(scores.kl)}; a reference row takes {exact(entropies.reference)} in its own",
        f"KL(live ‖ reference) {exact(scores.kl)}, KL(reference ‖ live) {exact(scores.kl_reverse)}, PSI {exact(scores.psi)}, "
        f"JS {exact(scores.js)} {unit.name}",
        f"Hellinger distance {number(scores.hellinger)}, total variation {number(scores.total_variation)}",
        f"p of chance {p(scores.p_iid)}, p of history {p(scores.p_history)}, the larger adjusted for all columns (q) {p(scores.q_value)}",
    )


def _rows_to_tell(explanation: Explanation) -> tuple[str, ...]:
    rows = explanation.rows_to_tell
    if explanation.column.status not in {Status.INFO, Status.WARNING, Status.CRITICAL} or rows is None:
        return ()
    return (
        f"{rows:,} live {'row' if rows == 1 else 'rows'} would do to notice a change of this size, with one false alarm in a "
        "hundred tries",
    )

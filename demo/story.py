"""What the checks found, told day by day, with what happened to the flights beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.flights import DayFacts, day_facts
from driftmon.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from driftmon.config import Monitor
    from driftmon.core.check import CheckResult

__all__ = ["tell", "worst"]

MARKS = {Status.CRITICAL: "CRITICAL", Status.WARNING: "warning"}


def tell(results: Sequence[CheckResult], monitor: Monitor, live: Path, say: Callable[[str], None]) -> None:
    """Say which columns drifted on which days, the story of the worst day first."""
    ordered = sorted(results, key=lambda result: result.window.start if result.window else 0)
    days = [(_day(result, monitor), result) for result in ordered]
    facts = {day: day_facts(live, day) for day, _ in days}
    say("")
    say(_story(days, facts, monitor))
    say("")
    say(
        f"{'day':<11} {'verdict':<9} {'cancelled':>9} {'late':>5}  drifted, with KL in nats (thresholds: monitors/flights.yaml)"
    )
    for day, result in days:
        drifted = [column for column in result.ranked() if column.status.breach]
        named = ", ".join(f"{column.column} {column.kl:.2f}" for column in drifted) or "-"
        verdict = MARKS.get(result.status, "ok")
        seen = facts[day]
        late = "" if seen.late is None else f"{seen.late:.0%}"
        say(f"{day:%a %-d %b}".ljust(11) + f" {verdict:<9} {seen.cancelled:>9.0%} {late:>5}  {named}")


def worst(results: Sequence[CheckResult]) -> CheckResult:
    """The check with the most drifted columns, and of those the one that drifted furthest."""
    return max(results, key=_severity)


def _day(result: CheckResult, monitor: Monitor) -> date:
    if result.window is None:  # pragma: no cover - checks from the store always have one
        raise ValueError("a stored check has a window")
    return result.window.start.astimezone(monitor.zone).date()


def _story(days: list[tuple[date, CheckResult]], facts: dict[date, DayFacts], monitor: Monitor) -> str:
    """One line: how many days, which was the worst, and what happened on it."""
    alarmed = [(day, result) for day, result in days if result.status.breach]
    if not alarmed:
        return f"{len(days)} days checked: none of them drifted"
    result = worst([found for _, found in alarmed])
    day = _day(result, monitor)
    seen = facts[day]
    critical = [f"{one:%-d %B}" for one, found in alarmed if found.status is Status.CRITICAL]
    columns = ", ".join(column.column for column in result.ranked() if column.status.breach)
    late = "" if seen.late is None else f" and {seen.late:.0%} of the arrivals were late"
    return (
        f"{len(days)} days checked, {len(days) - len(alarmed)} quiet, critical on {', '.join(critical) or 'none'}: "
        f"on {day:%-d %B} {seen.cancelled:.0%} of {seen.flights} flights were cancelled{late}; drifted: {columns}"
    )


def _severity(result: CheckResult) -> tuple[int, float]:
    """How many columns drifted, and by how much in all."""
    drifted = [column for column in result.columns if column.status.breach]
    return len(drifted), sum(column.scores.excess for column in drifted if column.scores)

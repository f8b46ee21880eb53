"""Whether a monitor is watched at all: an old verdict must not look like one of today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from driftmon.report.text import age, at
from driftmon.words import span_text

if TYPE_CHECKING:
    from driftmon.core.verdict import Status
    from driftmon.core.window import Window
    from driftmon.store.records import MonitorFacts, RunRecord

__all__ = ["Freshness", "Standing", "Watch", "standing", "watch"]


class Freshness(StrEnum):
    """Whether a monitor is being watched at all, the worst first."""

    NEVER = "never checked"
    STALE = "stale"
    FAILING = "failing"
    FRESH = "fresh"

    @property
    def alert(self) -> str:
        """What Prometheus fires; empty if nothing."""
        return {
            Freshness.NEVER: "DriftmonMonitorNeverSucceeded",
            Freshness.STALE: "DriftmonMonitorStale",
            Freshness.FAILING: "DriftmonMonitorFailing",
        }.get(self, "")


@dataclass(frozen=True)
class Watch:
    """
    How a monitor is watched now.

    Parameters
    ----------
    freshness : Freshness
    failed_runs : int
        In a row, up to now.
    old : str
        How old the newest window is, and how old it may be; empty if there is none, or it is the last.
    since : str
        From when on the newest window has been too old; empty unless it is.
    """

    freshness: Freshness
    failed_runs: int
    old: str
    since: str

    @property
    def badges(self) -> tuple[str, ...]:
        """What is wrong, in a word each."""
        failing = [Freshness.FAILING] if self.failed_runs else []
        return tuple(str(each) for each in dict.fromkeys([self.freshness, *failing]) if each is not Freshness.FRESH)

    @property
    def failures(self) -> str:
        """The runs that failed; empty if the newest did not."""
        if not self.failed_runs:
            return ""
        return "the newest run failed" if self.failed_runs == 1 else f"the newest {self.failed_runs} runs failed"

    @property
    def lead(self) -> str:
        """The first words about a monitor; empty if it is fresh."""
        word = {Freshness.STALE: f"stale since {self.since}", Freshness.NEVER: "never checked"}.get(self.freshness, "")
        return "; ".join(part for part in (word, self.failures) if part)


@dataclass(frozen=True)
class Standing:
    """
    How a monitor is watched, as a page of one of its windows says it.

    Parameters
    ----------
    watch : Watch
    newest : bool
        True if the page is about the newest window.
    failure : str
        The newest run, if it failed, with its reason.
    when : str
        When it failed, as words that follow those about the runs that failed.
    """

    watch: Watch
    newest: bool
    failure: str
    when: str = ""

    @property
    def lead(self) -> str:
        """What comes before all that the window says; empty if it is fresh, or not the newest."""
        return f"{self.watch.lead}{self.when}" if self.newest else ""

    @property
    def told(self) -> str:
        """All that is wrong, in sentences; empty if nothing is."""
        return ". ".join(part[0].upper() + part[1:] for part in (self._told(), self.failure) if part)

    @property
    def alerts(self) -> tuple[str, ...]:
        """What Prometheus fires about it."""
        failing = Freshness.FAILING.alert if self.watch.failed_runs else ""
        return tuple(name for name in dict.fromkeys((self.watch.freshness.alert, failing)) if name)

    def _told(self) -> str:
        watched = self.watch
        if watched.freshness is Freshness.FRESH:
            return ""
        if not self.newest:
            return (
                f"this is an older window; the monitor is {watched.lead if not watched.failures else watched.freshness}"
            )
        if watched.since:
            return f"nothing was checked since: the newest window {watched.old}"
        return "" if self.failure else watched.failures

    def tone(self, status: Status) -> str:
        """How the answer of a page is coloured that would have the colour of a status: an old "ok" is not green."""
        own = str(status) if status.evaluated else "none"
        return "warning" if self.lead and not status.breach else own


def watch(facts: MonitorFacts, window_end: datetime | None, failed_runs: int, now: datetime) -> Watch:
    """
    How a monitor is watched.

    Parameters
    ----------
    facts : MonitorFacts
    window_end : datetime or None
        Of the newest window that has a result.
    failed_runs : int
        In a row, up to now.
    now : datetime
        UTC.
    """
    if window_end is None:
        return Watch(Freshness.NEVER, failed_runs, "", "")
    if facts.last_end is not None and window_end >= facts.last_end:
        return Watch(Freshness.FAILING if failed_runs else Freshness.FRESH, failed_runs, "", "")
    seconds = (now - window_end).total_seconds()
    if seconds <= facts.max_window_age:
        return Watch(
            Freshness.FAILING if failed_runs else Freshness.FRESH, failed_runs, f"ended {age(seconds)} ago", ""
        )
    old = f"ended {age(seconds)} ago, the limit is {age(facts.max_window_age)}"
    since = at(window_end + timedelta(seconds=facts.max_window_age), ZoneInfo(facts.timezone))
    return Watch(Freshness.STALE, failed_runs, old, since)


def standing(
    facts: MonitorFacts,
    newest: datetime | None,
    window: Window | None,
    failures: tuple[int, RunRecord | None],
    now: datetime | None = None,
) -> Standing:
    """
    How a monitor is watched, for a page of a window.

    Parameters
    ----------
    facts : MonitorFacts
    newest : datetime or None
        End of the newest window that has a result.
    window : Window or None
        That the page is about.
    failures : (int, RunRecord or None)
        Runs that failed in a row, and the newest run if it failed.
    now : datetime, optional
        UTC; by default, now.
    """
    last = max((end for end in (newest, None if window is None else window.end) if end is not None), default=None)
    failed, failure = failures
    watched = watch(facts, last, failed if failure is not None else 0, now or datetime.now(UTC))
    reason, when = "", ""
    if failure is not None:
        zone = ZoneInfo(facts.timezone)
        when = f"{' at' if watched.failed_runs == 1 else ', the last at'} {at(failure.finished_at, zone)}"
        reason = f"the newest run, of {span_text(failure.window, zone)}, failed at {at(failure.finished_at, zone)}: {failure.error}"
    return Standing(watched, window is None or window.end == last, reason, when)

"""
What is news: how the alerts of a monitor differ from what somebody was told of it. Nothing here knows a receiver or a database.

A receiver hears of a monitor when something new fires or gets worse, and when everything is over. That one of several columns has
recovered waits for the next message: whoever was told of it is looking already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftmon.core.verdict import Status
from driftmon.store.notifications import Firing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from driftmon.store.records import MonitorSnapshot

__all__ = ["DRIFT", "FAILED_RUNS", "FAILING", "Change", "change_of", "firing_now"]

FAILING = "DriftmonMonitorFailing"
"""The alert of a monitor whose runs fail, named as Prometheus' rule is."""

FAILED_RUNS = 2
"""Failed runs in a row from which on somebody is told."""

DRIFT = frozenset({"DriftmonColumnDrift", "DriftmonSustainedDrift"})
"""The alerts that say that data moved, and not that something is broken."""

SEVERITIES = {"warning": 1, "critical": 2}


@dataclass(frozen=True)
class Change:
    """
    What a receiver has to be told.

    Parameters
    ----------
    firing : frozenset of Firing
        All that fires now: what the receiver believes from then on. Empty if everything is over.
    fresh : frozenset of Firing
        Those of which it did not know, or knew less severe ones. That known drift is also sustained is not among them.
    over : frozenset of Firing
        Those that it knew and that fire no more.
    """

    firing: frozenset[Firing]
    fresh: frozenset[Firing]
    over: frozenset[Firing]

    @property
    def severity(self) -> str | None:
        """The worst of what fires; None if everything is over. Where checks fail, that alone: what is known of the data is old."""
        items = self.fresh if self.is_failure else self.firing
        return max((item.severity for item in items), key=SEVERITIES.__getitem__, default=None)

    @property
    def is_failure(self) -> bool:
        """True if the news is that checks fail, and nothing else."""
        return {item.alert for item in self.fresh} == {FAILING}


def firing_now(
    snapshot: MonitorSnapshot, told: Collection[Firing] = (), *, least: str = "warning", only: Collection[str] = ()
) -> frozenset[Firing]:
    """
    What fires in the newest window.

    Parameters
    ----------
    snapshot : MonitorSnapshot
    told : collection of Firing
        What somebody was told. Where the newest window has no verdict on a column, what was told of it stays true: nobody knows
        that it is over.
    least : str
        The least severity that counts, ``warning`` or ``critical``.
    only : collection of str
        The alerts that count; empty for all of them.
    """
    worst: dict[tuple[str, str, str], str] = {}
    for item in [*_alerts(snapshot), *(item for item in told if _is_unknown(item, snapshot))]:
        if SEVERITIES[item.severity] < SEVERITIES[least] or (only and item.alert not in only):
            continue
        key = (item.alert, item.column, item.segment)
        worst[key] = max(worst.get(key, item.severity), item.severity, key=SEVERITIES.__getitem__)
    firing = [Firing(alert, severity, *where) for (alert, *where), severity in worst.items()]
    whole = _severities(item for item in firing if not item.segment)
    return frozenset(item for item in firing if not (item.segment and _is_spoken_for(item, whole)))


def change_of(told: Collection[Firing], now: frozenset[Firing], *, least: str = "warning") -> Change | None:
    """
    What has to be told to somebody who was told something; None if it is no news.

    Parameters
    ----------
    told : collection of Firing
    now : frozenset of Firing
        As `firing_now` gives it.
    least : str
        The least severity that counts: what was told and is less severe than that is nobody's matter any more.
    """
    counting = [item for item in told if SEVERITIES[item.severity] >= SEVERITIES[least]]
    known = _severities(counting)
    fresh = frozenset(item for item in now if SEVERITIES[item.severity] > _known(item, known))
    still = {_matter(item) for item in now}
    over = frozenset(item for item in counting if _matter(item) not in still)
    if fresh or (over and not now):
        return Change(now, fresh, over)
    return None


def _matter(item: Firing) -> tuple[str, str, str]:
    """What an alert is about: a column that drifts is one matter, be it for one window or for many."""
    return "drift" if item.alert in DRIFT else item.alert, item.column, item.segment


def _known(item: Firing, known: Mapping[tuple[str, str, str], int]) -> int:
    """How bad it was said to be: a column that follows one of its segments, and is no worse, is the same news."""
    alert, column, segment = _matter(item)
    if segment:
        return known.get((alert, column, segment), 0)
    return max((told for (a, c, _), told in known.items() if (a, c) == (alert, column)), default=0)


def _severities(items: Iterable[Firing]) -> dict[tuple[str, str, str], int]:
    """The worst severity of each matter."""
    found: dict[tuple[str, str, str], int] = {}
    for item in items:
        found[_matter(item)] = max(found.get(_matter(item), 0), SEVERITIES[item.severity])
    return found


def _is_spoken_for(item: Firing, whole: Mapping[tuple[str, str, str], int]) -> bool:
    """True for a segment whose whole column is at least as bad: the column speaks for it, as in Alertmanager."""
    alert, column, _segment = _matter(item)
    return whole.get((alert, column, ""), 0) >= SEVERITIES[item.severity]


def _alerts(snapshot: MonitorSnapshot) -> list[Firing]:
    found = [
        Firing(alert.name, str(alert.severity), finding.column, finding.segment or "")
        for finding in snapshot.findings
        for alert in finding.alerts
    ]
    if snapshot.consecutive_failed_runs >= FAILED_RUNS:
        found.append(Firing(FAILING, str(Status.WARNING)))
    return found


def _is_unknown(item: Firing, snapshot: MonitorSnapshot) -> bool:
    """True for what was told of a column on which the newest window has no verdict; that it has none is known."""
    if item.alert == "DriftmonColumnsNotEvaluated":
        return False
    return any(
        (sample.column, sample.segment or "") == (item.column, item.segment) and not sample.status.evaluated
        for sample in snapshot.columns
    )

"""All monitors on one page: which drifted, which are stale, which fail; from memory, for the database may be down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from driftmon.core.verdict import Status, worst
from driftmon.report.charts import cells
from driftmon.report.freshness import Freshness, watch
from driftmon.report.pages import fragment
from driftmon.words import listed, span_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from markupsafe import Markup

    from driftmon.findings import Finding
    from driftmon.report.freshness import Watch
    from driftmon.store.records import MonitorFacts, MonitorSnapshot
    from driftmon.store.timeline import WindowPoint

__all__ = ["STRIP", "Card", "Known", "Overview", "know", "overview"]

STRIP = 30
"""Windows of each monitor's strip."""

SHOWN_FINDINGS = 2
"""Findings that stand on the overview, of different columns where there are; the monitor's page has all."""


@dataclass(frozen=True)
class Known:
    """
    What is kept of a monitor between two reads of the database.

    Parameters
    ----------
    facts : MonitorFacts
    snapshot : MonitorSnapshot
        Without its columns: there can be many, and they have a page of their own.
    status : Status or None
        The worst of the newest window; None before the first.
    drifted, columns : int
        Columns of all rows.
    strip : Markup
        The last windows, drawn.
    when : str
        The newest window as people say it.
    complete : bool
        True if it is the last that there will be.
    """

    facts: MonitorFacts
    headline: str
    findings: tuple[Finding, ...]
    more: int
    status: Status | None
    drifted: int
    columns: int
    live_rows: int | None
    window_end: datetime | None
    last_success_at: datetime | None
    failed_runs: int
    strip: Markup
    when: str
    complete: bool


@dataclass(frozen=True)
class Card:
    """A monitor now: what is known of it, and how fresh that is."""

    known: Known
    watch: Watch
    note: str

    @property
    def freshness(self) -> Freshness:
        """Whether it is being watched at all."""
        return self.watch.freshness

    @property
    def urgency(self) -> tuple[int, int, int, str]:
        """For sorting: the most urgent first."""
        known = self.known
        blind = {Freshness.NEVER: 6, Freshness.STALE: 6, Freshness.FAILING: 5, Freshness.FRESH: 0}[self.freshness]
        level = 0 if known.status is None else known.status.urgency
        found = 1 if known.findings else 0  # sustained drift and quality problems stand beside the status
        return (-max(level, blind, 2 * found), -level, -known.drifted, known.facts.name)

    @property
    def look(self) -> bool:
        """True if somebody should look."""
        return bool(self.known.findings) or self.freshness is not Freshness.FRESH


@dataclass(frozen=True)
class Overview:
    """All monitors, the most urgent first, and the answer in a line."""

    headline: str
    tone: str
    cards: tuple[Card, ...]


def know(snapshot: MonitorSnapshot, points: Sequence[WindowPoint]) -> Known:
    """Keep what the overview shows of a monitor, its picture drawn."""
    whole = [column for column in snapshot.columns if column.segment is None]
    breaching = [column.status for column in snapshot.columns if column.status.breach]
    return Known(
        facts=snapshot.facts,
        headline=snapshot.headline or "no window checked yet",
        findings=_different(snapshot.findings)[:SHOWN_FINDINGS],
        more=max(len(snapshot.findings) - SHOWN_FINDINGS, 0),
        status=None if snapshot.window is None else worst([*(column.status for column in whole), *breaching]),
        drifted=sum(1 for column in whole if column.status.breach),
        columns=len(whole),
        live_rows=snapshot.live_rows,
        window_end=None if snapshot.window is None else snapshot.window.end,
        last_success_at=snapshot.last_success_at,
        failed_runs=snapshot.consecutive_failed_runs,
        strip=fragment("small_strip", cells(points, STRIP), len(points)),
        when="" if snapshot.window is None else span_text(snapshot.window, ZoneInfo(snapshot.facts.timezone)),
        complete=snapshot.complete,
    )


def _different(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The worst of each column first: its segments say much the same."""
    worst_of = {finding.column: finding for finding in reversed(findings)}
    return tuple(sorted(findings, key=lambda finding: worst_of[finding.column] is not finding))


def overview(monitors: Iterable[Known], now: datetime) -> Overview:
    """
    All monitors as of now.

    Parameters
    ----------
    monitors : iterable of Known
    now : datetime
        UTC.
    """
    cards = sorted((_card(known, now) for known in monitors), key=lambda card: card.urgency)
    return Overview(_headline(cards), _tone(cards), tuple(cards))


def _card(known: Known, now: datetime) -> Card:
    watched = watch(known.facts, known.window_end, known.failed_runs, now)
    if known.complete and not known.failed_runs:
        return Card(known, watched, "complete: the last window is checked")
    note = "; ".join(part for part in (watched.old, watched.failures) if part)
    return Card(known, watched, note or "no run has ended yet")


def _headline(cards: Sequence[Card]) -> str:
    total = "1 monitor" if len(cards) == 1 else f"{len(cards)} monitors"
    if not cards:
        return "no monitors yet"
    drifted = [card for card in cards if card.known.status is not None and card.known.status.breach]
    parts = []
    if drifted:
        parts.append(f"{len(drifted)} of {total} drifted: {listed(_named(card) for card in drifted)}")
    parts += [
        f"{len(found)} {word}: {listed(card.known.facts.name for card in found)}"
        for freshness, word in (
            (Freshness.STALE, "stale"),
            (Freshness.NEVER, "never checked"),
            (Freshness.FAILING, "failing"),
        )
        if (found := [card for card in cards if card.freshness is freshness])
    ]
    beside = [card for card in cards if card.known.findings and card not in drifted]
    if beside:
        word = "has" if len(beside) == 1 else "have"
        parts.append(f"{len(beside)} {word} {_beside(beside)}: {listed(card.known.facts.name for card in beside)}")
    if not drifted:
        parts.insert(0, f"no drift in {total}")
    if not any(card.look for card in cards):
        parts.append("all fresh" if len(cards) > 1 else "fresh")
    return "; ".join(parts)


def _beside(cards: Sequence[Card]) -> str:
    """What monitors have that have no drift in their newest window."""
    alerts = {alert.name for card in cards for finding in card.known.findings for alert in finding.alerts}
    words = {"DriftmonSustainedDrift": "sustained drift", "DriftmonQualityProblem": "quality problems"}
    return " or ".join(word for name, word in words.items() if name in alerts) or "columns without a verdict"


def _named(card: Card) -> str:
    return f"{card.known.facts.name} ({card.known.status})"


def _tone(cards: Sequence[Card]) -> str:
    statuses = {card.known.status for card in cards}
    if Status.CRITICAL in statuses:
        return "critical"
    if Status.WARNING in statuses or any(card.look for card in cards):
        return "warning"
    return "ok" if cards else "none"

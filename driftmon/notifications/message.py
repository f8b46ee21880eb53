"""
What a receiver reads: the answer as the title, then the worst columns, each with its text, and where to look on.

Two texts of the same content: plain for those who show plain text, HTML for those who show more; Apprise turns that into whatever a
chat speaks. Names come from data and can be anything: they never ping anybody, and never become markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from driftmon.findings import is_widespread
from driftmon.notifications.changes import FAILING
from driftmon.notifications.links import links_of
from driftmon.words import listed, named, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from driftmon.findings import Finding
    from driftmon.notifications.changes import Change
    from driftmon.settings import Links
    from driftmon.store.notifications import Firing
    from driftmon.store.records import MonitorSnapshot

__all__ = ["LONGEST_BODY", "LONGEST_TITLE", "Format", "Message", "compose", "sample"]

LONGEST_TITLE = 250
"""Characters: the subject of a mail, the first line of a chat's message."""

LONGEST_BODY = 3_000
"""Characters, also where a receiver takes more: a message that fills the screen is not read."""

LISTED = 10
"""Columns that a message lists."""

NAMED = 5
"""Columns that a line names."""

MARKUP_OF_TITLE = 32
"""Characters that Apprise may put around a title that is a part of the body."""

JOINER = "\N{WORD JOINER}"
"""Has no width: keeps a chat from seeing an address or a tag where there is only a name."""


@dataclass(frozen=True)
class Message:
    """
    A message as one receiver gets it.

    Parameters
    ----------
    title, body : str
    html : bool
        True if the body, and not the title, is HTML.
    severity : str or None
        ``warning`` or ``critical``; None if everything is over.
    """

    title: str
    body: str
    html: bool
    severity: str | None


@dataclass(frozen=True)
class Format:
    """
    How a receiver takes messages.

    Parameters
    ----------
    title, body : int
        The most characters; without room for a title, it is a part of the body.
    markup : str
        ``plain`` text; ``html``, for mail, which some read as plain text; ``chat``, for what Apprise turns into a chat's own markup.
    """

    title: int = LONGEST_TITLE
    body: int = LONGEST_BODY
    markup: Literal["plain", "html", "chat"] = "plain"


@dataclass(frozen=True)
class _Item:
    """A column in the list: its name, its role if it is no feature, what is the matter in brackets, and its text."""

    name: str
    role: str
    mark: str
    text: str


@dataclass(frozen=True)
class _Content:
    """All parts of a message, before it is known how much of it a receiver takes."""

    title: str
    lines: Sequence[str]
    items: Sequence[_Item]
    links: Sequence[tuple[str, str]]
    severity: str | None


def compose(
    snapshot: MonitorSnapshot, change: Change, links: Links, takes: Format, *, error: str | None = None
) -> Message:
    """
    The message that tells of a change.

    Parameters
    ----------
    snapshot : MonitorSnapshot
    change : Change
    links : Links
        Where links begin; those without an address are left out.
    takes : Format
        What the receiver takes.
    error : str, optional
        What the newest run failed with.
    """
    lines = _lines(snapshot, change, error)
    alerts = {(item.column, item.segment) for item in change.firing}
    items = [
        _Item(finding.name, _role(finding), _mark(finding, change), finding.text)
        for finding in snapshot.findings
        if (finding.column, finding.segment or "") in alerts
    ]
    content = _Content(_title(snapshot, change), lines, items, links_of(snapshot, change, links), change.severity)
    return _fitted(content, takes)


def sample(monitor: str, links: Links, takes: Format) -> Message:
    """A message that says that messages arrive."""
    lines = ["This is a test: nothing has drifted. Messages about this monitor will arrive here."]
    pages = [("Status page", f"{links.driftmon_url}/monitors/{monitor}")] if links.driftmon_url else []
    return _fitted(_Content(f"{monitor}: test of notifications", lines, (), pages, None), takes)


def _title(snapshot: MonitorSnapshot, change: Change) -> str:
    """As Alertmanager's messages begin."""
    headline = snapshot.headline or "no window was checked yet"
    if change.is_failure:
        headline = f"the last {snapshot.consecutive_failed_runs} checks failed"
    return f"[{change.severity or 'over'}] {snapshot.facts.name}: {headline}"


def _lines(snapshot: MonitorSnapshot, change: Change, error: str | None) -> list[str]:
    facts = snapshot.facts
    owner = f", owner {facts.owner}" if facts.owner else ""
    lines = [f"Monitor {facts.name} of model {facts.model}{owner}"]
    failing = any(item.alert == FAILING for item in change.firing)
    if failing:
        lines.append(f"The last {snapshot.consecutive_failed_runs} checks failed: {error or 'no reason is known'}")
    if failing and snapshot.headline:
        lines.append(f"What follows is of the newest window that was checked: {snapshot.headline}")
    if is_widespread(snapshot.columns):
        lines.append(
            "So many at once are rarely the world: look for a broken feed, a changed schema or a wrong baseline first."
        )
    if change.fresh and change.fresh != change.firing:
        lines.append(f"New since the last message: {_names(change.fresh)}")
    if change.over:
        lines.append(f"Over: {_names(change.over)}")
    return lines


def _names(items: Collection[Firing]) -> str:
    """Columns by name, each once; alerts of the monitor itself by what they say."""
    names = {
        "checks failed" if item.alert == FAILING else named(_Column(item.column, item.segment or None))
        for item in items
    }
    return listed(sorted(names), NAMED)


@dataclass(frozen=True)
class _Column:
    column: str
    segment: str | None


def _mark(finding: Finding, change: Change) -> str:
    """The worst severity of a column, and whether it is new."""
    where = (finding.column, finding.segment or "")
    severities = [item.severity for item in change.firing if (item.column, item.segment) == where]
    worst = "critical" if "critical" in severities else "warning"
    fresh = any((item.column, item.segment) == where for item in change.fresh)
    return f"{worst}, new" if fresh and change.fresh != change.firing else worst


def _role(finding: Finding) -> str:
    return "" if finding.role == "feature" else f", {finding.role}"


def _fitted(content: _Content, takes: Format) -> Message:
    """As many columns as there is room for, and how many more there are."""
    title = _shortened(_safe(content.title), takes.title if takes.title > 0 else LONGEST_TITLE)
    room = min(takes.body, LONGEST_BODY)
    html = takes.markup != "plain"
    if takes.title <= 0:
        # Apprise puts the title before the body, in the language of the body.
        title = escape(title) if html else title
        room -= len(title) + MARKUP_OF_TITLE
    for shown in range(min(len(content.items), LISTED), -1, -1):
        body = _html(content, shown, chat=takes.markup == "chat") if html else _plain(content, shown)
        if len(body) <= room:
            return Message(title, body, html, content.severity)
    # No room even for the lines: the few characters of a text message.
    body = _clipped(content.links[0][1] if content.links else _safe(content.lines[0]), max(room, 1))
    return Message(title, escape(body) if html else body, html, content.severity)


def _plain(content: _Content, shown: int) -> str:
    items = [f"{_safe(item.name)}{item.role} ({item.mark}): {_safe(item.text)}" for item in content.items[:shown]]
    blocks = [
        "\n".join(_safe(line) for line in content.lines),
        "\n".join([*(f"- {item}" for item in items), *_more(content, shown)]),
        "\n".join(f"{name}: {address}" for name, address in content.links),
    ]
    return "\n\n".join(block for block in blocks if block)


def _html(content: _Content, shown: int, *, chat: bool) -> str:
    # In a chat, a name as code keeps its underscores, and a link is a word. In mail both would be lost on whoever reads plain text.
    name = "code" if chat else "b"
    items = [
        f"<li><{name}>{_escaped(item.name)}</{name}>{item.role} ({item.mark}): {_escaped(item.text)}</li>"
        for item in content.items[:shown]
    ]
    anchors = [_anchor(label, escape(address), chat=chat) for label, address in content.links]
    blocks = [
        *(f"<p>{_escaped(line)}</p>" for line in content.lines),
        f"<ul>{''.join(items)}</ul>" if items else "",
        *(f"<p>{line}</p>" for line in _more(content, shown)),
        f"<p>{(' · ' if chat else '<br>').join(anchors)}</p>" if anchors else "",
    ]
    return "\n".join(block for block in blocks if block)


def _anchor(label: str, address: str, *, chat: bool) -> str:
    return f'<a href="{address}">{label}</a>' if chat else f'{label}: <a href="{address}">{address}</a>'


def _more(content: _Content, shown: int) -> list[str]:
    rest = len(content.items) - shown
    if not rest:
        return []
    columns = "column" if rest == 1 else "columns"
    return [f"and {rest} more {columns}" if shown else f"{rest} {columns}"]


def _escaped(text: str) -> str:
    return escape(_safe(text))


def _safe(text: str) -> str:
    r"""
    Text that holds names from data: on one line, and without what chats take for an address, a tag or a link.

    Examples
    --------
    >>> _safe("<!channel> @here\n<0.001") == f"‹!channel> @{JOINER}here·<0.001"
    True
    """
    text = re.sub(r"<(?=[!@#/a-zA-Z])", "‹", printable(text))
    return re.sub(r"(?<=://)|(?<=@)", JOINER, text)


def _clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _shortened(title: str, most: int) -> str:
    """A title that still ends with its rows and its window, whatever of the columns has to go."""
    head, bracket, about = title.rpartition(" (")
    if len(title) <= most or not bracket or len(about) > most // 2:
        return _clipped(title, most)
    return f"{_clipped(head, most - len(about) - 2)} ({about}"

"""
What each receiver was told of a monitor, and who is telling it now.

A row a monitor and receiver. Whoever tells claims the row first, so that two processes never say the same; a claim that its owner
could not end, since it was killed, runs out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from driftmon.store.schema import monitors, notifications
from driftmon.store.types import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

__all__ = ["Claim", "Firing", "Told", "claim", "finish", "told"]


@dataclass(frozen=True, order=True)
class Firing:
    """
    One alert of a column, or of the monitor itself, as somebody was told of it.

    Parameters
    ----------
    alert, severity : str
        As in `driftmon.findings.Alert`.
    column : str
        Empty for an alert of the monitor itself.
    segment : str
        Empty for all rows.
    """

    alert: str
    severity: str
    column: str = ""
    segment: str = ""


@dataclass(frozen=True)
class Told:
    """
    What a receiver believes of a monitor.

    Parameters
    ----------
    firing : frozenset of Firing
        Empty if it was told that all is over, or nothing yet.
    by : str
        Who told it last, if that matters to the teller; else empty.
    """

    firing: frozenset[Firing] = frozenset()
    by: str = ""


@dataclass(frozen=True)
class Claim:
    """
    The right to tell some receivers, for a while.

    Parameters
    ----------
    token : str
        Nobody else has it.
    now : datetime
    lasts : timedelta
        A claim that is older was left by a process that ended in the middle.
    """

    token: str
    now: datetime
    lasts: timedelta


def told(connection: Connection, monitor: str) -> dict[str, Told]:
    """What the receivers of a monitor were told, by receiver; those that were never told anything are not there."""
    rows = connection.execute(
        select(notifications.c.receiver, notifications.c.told, notifications.c.told_by)
        .join(monitors, monitors.c.id == notifications.c.monitor_id)
        .where(monitors.c.name == monitor)
    )
    return {row.receiver: _told(row.told, row.told_by) for row in rows}


def claim(connection: Connection, monitor: str, receivers: Collection[str], mine: Claim) -> dict[str, Told]:
    """
    Claim receivers; gives those that nobody else is telling now, each with what it was told.

    None if the monitor was never registered.
    """
    monitor_id = connection.execute(select(monitors.c.id).where(monitors.c.name == monitor)).scalar()
    if monitor_id is None:
        return {}
    # The same method under the same name, but not the same class.
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    free = or_(notifications.c.claim.is_(None), notifications.c.claimed_at <= mine.now - mine.lasts)
    held = {"claim": mine.token, "claimed_at": mine.now}
    found = {}
    for receiver in sorted(receivers):  # in one order, so that two processes never wait for each other
        statement = (
            make(notifications)
            .values(monitor_id=monitor_id, receiver=receiver, told=to_json([]), told_by="", **held)
            .on_conflict_do_update(index_elements=["monitor_id", "receiver"], set_=held, where=free)
            .returning(notifications.c.told, notifications.c.told_by)
        )
        row = connection.execute(statement).first()
        if row is not None:
            found[receiver] = _told(row.told, row.told_by)
    return found


def finish(connection: Connection, monitor: str, mine: Claim, news: Mapping[str, Told]) -> None:
    """
    Give up a claim, and write down what was told while it lasted.

    What was claimed by somebody else meanwhile is left to them.

    Parameters
    ----------
    news : mapping of str to Told
        By receiver; those that could not be told are not in it, and believe what they did before.
    """
    monitor_id = select(monitors.c.id).where(monitors.c.name == monitor).scalar_subquery()
    own = and_(notifications.c.monitor_id == monitor_id, notifications.c.claim == mine.token)
    for receiver, state in sorted(news.items()):
        values = {"told": _json(state.firing), "told_by": state.by, "told_at": mine.now}
        connection.execute(update(notifications).where(own, notifications.c.receiver == receiver).values(values))
    connection.execute(update(notifications).where(own).values(claim=None, claimed_at=None))


def _told(text: str, by: str) -> Told:
    return Told(frozenset(Firing(*fields) for fields in from_json(text)), by)


def _json(firing: Collection[Firing]) -> str:
    return to_json([[item.alert, item.severity, item.column, item.segment] for item in sorted(firing)])

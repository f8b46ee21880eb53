"""The stack of a home as seen from another process: how it is, and how to end it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from driftmon.airflow.api import AirflowApi, Heartbeat
from driftmon.airflow.errors import ApiError
from driftmon.airflow.processes import POLL_SECONDS, end, find_marked
from driftmon.airflow.record import forget, read_record
from driftmon.airflow.settings import MARK

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from driftmon.airflow.settings import StackSettings

__all__ = ["ComponentStatus", "StackStatus", "down", "status"]


@dataclass(frozen=True)
class ComponentStatus:
    """
    One component of a stack.

    Parameters
    ----------
    name : str
    pid : int
    alive : bool
        Whether the process runs.
    health : str
        ``healthy`` or ``unhealthy`` as Airflow says; ``unknown`` if its API server does not tell.
    heartbeat : datetime or None
        When Airflow last heard of it, UTC.
    log : Path
    """

    name: str
    pid: int
    alive: bool
    health: str
    heartbeat: datetime | None
    log: Path

    def __str__(self) -> str:
        return f"{self.name:14}{self.health if self.alive else 'ended':10} process {self.pid}, log {self.log}"


@dataclass(frozen=True)
class StackStatus:
    """
    The stack of a home.

    Parameters
    ----------
    home : Path
    state : str
        ``stopped``; ``running`` with its supervisor; or ``orphaned``: the supervisor was killed, and its processes run unwatched.
    url : str or None
        Of the web interface.
    started : datetime or None
        UTC.
    components : tuple of ComponentStatus
        Those started so far; empty if stopped.
    """

    home: Path
    state: Literal["stopped", "running", "orphaned"]
    url: str | None = None
    started: datetime | None = None
    components: tuple[ComponentStatus, ...] = ()

    def __str__(self) -> str:
        if self.state == "stopped":
            return f"no Airflow runs in {self.home}"
        since = f"{self.started:%Y-%m-%d %H:%M:%SZ}" if self.started else "an unknown time"
        head = f"Airflow of {self.home} is {self.state} since {since}: {self.url}"
        return "\n".join([head, *(f"  {component}" for component in self.components)])

    @property
    def healthy(self) -> bool:
        """Whether there is a supervisor, and each of the components runs and is healthy."""
        return (
            self.state == "running"
            and bool(self.components)
            and all(component.alive and component.health == "healthy" for component in self.components)
        )


def status(settings: StackSettings) -> StackStatus:
    """How the stack of a home is; asks its API server."""
    record = read_record(settings.home)
    supervised = record is not None and record.supervisor.alive
    if record is None or not (supervised or find_marked(MARK, str(settings.home))):
        return StackStatus(settings.home, "stopped")
    health = _ask(record.url)
    components = tuple(
        ComponentStatus(
            name=name,
            pid=identity.pid,
            alive=identity.alive,
            health=health.get(name, UNKNOWN).health,
            heartbeat=health.get(name, UNKNOWN).at,
            log=settings.logs / f"{name}.log",
        )
        for name, identity in record.components.items()
        if name != "migration" or identity.alive
    )
    return StackStatus(settings.home, "running" if supervised else "orphaned", record.url, record.started, components)


UNKNOWN = Heartbeat("unknown", None)


def _ask(url: str) -> dict[str, Heartbeat]:
    """Health by the names of the components; empty if the API server does not answer."""
    try:
        health = AirflowApi(url, timeout=5.0).health()
    except ApiError:
        return {}
    # The API server speaks for itself, and it is as well as the database that it speaks from.
    health["api_server"] = health.pop("metadatabase", UNKNOWN)
    return {name.replace("_", "-"): heartbeat for name, heartbeat in health.items()}


def down(settings: StackSettings, *, log: Callable[[str], None]) -> bool:
    """
    End the stack of a home, from whatever process; return when nothing of it is left.

    Parameters
    ----------
    settings : StackSettings
        The home, and the grace that running tasks have.
    log : callable
        Takes one line of text for people.

    Returns
    -------
    bool
        Whether there was anything to end.
    """
    record = read_record(settings.home)
    supervised = record is not None and record.supervisor.alive
    if record is not None and supervised:
        log(f"asking the supervisor (process {record.supervisor.pid}) to stop")
        with suppress(ProcessLookupError):
            os.kill(record.supervisor.pid, signal.SIGTERM)
        # It gives the scheduler and then the API server their grace.
        deadline = time.monotonic() + 3 * settings.grace_seconds
        while record.supervisor.alive and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if record.supervisor.alive:
            os.kill(record.supervisor.pid, signal.SIGKILL)
    count = end(partial(find_marked, MARK, str(settings.home)), grace=settings.grace_seconds)
    if count:
        log(f"ended {count} processes that no supervisor cared for")
    forget(settings.home)
    found = supervised or count > 0
    log(f"Airflow of {settings.home} is stopped" if found else f"no Airflow runs in {settings.home}")
    return found

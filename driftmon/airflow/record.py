"""
What a running stack leaves in its home for other processes: a lock that ends with its holder, and a file that says who is who.

The lock answers "is there a supervisor?", for the system drops it whatever way the supervisor ends. The file answers "which
processes, and where?"; it may be stale, so each process in it carries its start time.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from driftmon.airflow.processes import Identity
from driftmon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Record", "forget", "hold_lock", "read_record", "write_record"]

FILE = "stack.json"
LOCK = "stack.lock"


@dataclass(frozen=True)
class Record:
    """
    A stack as others see it.

    Parameters
    ----------
    supervisor : Identity
    url : str
        Of the web interface.
    started : datetime
        UTC.
    components : mapping of str to Identity
        Those started so far, by name.
    """

    supervisor: Identity
    url: str
    started: datetime
    components: Mapping[str, Identity] = field(default_factory=dict)


def write_record(home: Path, record: Record) -> None:
    """Replace the file at once: a reader sees the old one or the new one."""
    fields = {**asdict(record), "started": record.started.isoformat()}
    new = home / f"{FILE}.new"
    new.write_text(json.dumps(fields, indent=2) + "\n")
    new.replace(home / FILE)


def read_record(home: Path) -> Record | None:
    """
    What the newest stack of a home wrote; None if it ended in order, or never was.

    Raises
    ------
    UsageError
        If the file is none of ours.
    """
    path = home / FILE
    try:
        fields = json.loads(path.read_text())
        return Record(
            supervisor=Identity(**fields["supervisor"]),
            url=fields["url"],
            started=datetime.fromisoformat(fields["started"]),
            components={name: Identity(**identity) for name, identity in fields["components"].items()},
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as exc:
        raise UsageError(f"{path}: not the record of a stack ({exc!r}); delete it if no Airflow runs here") from None


def forget(home: Path) -> None:
    """Take the record away: the stack has ended in order."""
    (home / FILE).unlink(missing_ok=True)


@contextmanager
def hold_lock(home: Path) -> Iterator[None]:
    """
    Be the only supervisor of a home.

    Raises
    ------
    UsageError
        If another one is.
    """
    descriptor = os.open(home / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{home}: an Airflow stack runs here already{_whereabouts(home)}; {ADVICE}") from None
        yield
    finally:
        os.close(descriptor)


ADVICE = "look at it with `driftmon airflow status`, stop it with `driftmon airflow down`, or choose another home"


def _whereabouts(home: Path) -> str:
    record = read_record(home)
    return "" if record is None else f" (process {record.supervisor.pid}, {record.url})"

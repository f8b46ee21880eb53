"""
Processes of other programs: start them in sessions of their own, recognise them later, and end them with all their descendants.

A process id alone says nothing about tomorrow, for ids are reused: an identity is the id and the moment the process started. And a
process group alone does not catch the descendants that left it, as Airflow's tasks do: descendants are found by an environment
variable that all of them inherit.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftmon.airflow.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Child", "Identity", "end", "find_marked", "identify"]

PROC = Path("/proc")

POLL_SECONDS = 0.1

KILL_SECONDS = 10.0
"""What a killed process may take to be gone."""


@dataclass(frozen=True)
class Identity:
    """One process, for good: its id, and when it started (in whatever unit the system tells it)."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None if there is none, or only its remains that nobody has collected."""
    if not PROC.is_dir():
        return _identify_by_ps(pid)
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name, in brackets, may hold anything, brackets and spaces too; what follows the last bracket are fields 3 and on.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else Identity(pid, fields[19])


def _identify_by_ps(pid: int) -> Identity | None:
    """As `identify`, on systems without /proc."""
    answer = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip()
    state, _, started = answer.partition(" ")
    return Identity(pid, started.strip()) if answer and not state.startswith("Z") else None


def find_marked(variable: str, value: str) -> tuple[int, ...]:
    """The ids of all running processes but this one that were started with an environment variable of this value."""
    mark = f"{variable}={value}"
    return tuple(pid for pid, environment in _environments() if mark in environment and pid != os.getpid())


def _environments() -> Iterable[tuple[int, Sequence[str]]]:
    """Every process whose environment we may read, with it."""
    if not PROC.is_dir():
        for line in _ps("axeww", "-o", "pid=,command=").splitlines():
            pid, *words = line.split()
            yield int(pid), words
        return
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            # Gone meanwhile, or somebody else's.
            with suppress(OSError):
                yield int(folder.name), os.fsdecode((folder / "environ").read_bytes()).split("\0")


def _ps(*arguments: str) -> str:
    command = ["ps", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - no shell, own words


class Child:
    """
    A program started by us, at the head of a session and process group of its own, writing to a log file.

    Parameters
    ----------
    name : str
        What people call it.
    command : sequence of str
    environment : mapping of str to str
        All of it; nothing is inherited.
    log : Path
        Its output. What an earlier start wrote is kept beside it, with ``.1`` added to the name.
    """

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
        with log.open("wb") as output:
            # A file and no pipe: a pipe's writers die or stall with its reader.
            self._process = subprocess.Popen(  # noqa: S603 - no shell, own words
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.identity = identify(self._process.pid) or Identity(self._process.pid, "")

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative if a signal ended it."""
        return self._process.poll()

    def describe_end(self) -> str:
        """How it ended, in words."""
        status = self.exit_status
        if status is None:
            return "is running"
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def terminate(self) -> None:
        """Ask it to end. Its descendants are its own business as long as it may still care for them."""
        self._process.terminate()

    def kill(self) -> None:
        """End it and the descendants that stayed in its process group, at once."""
        # Until its end is collected the id is surely its own, and so is the group's.
        if self.exit_status is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def end(processes: Callable[[], Iterable[int]], *, grace: float) -> int:
    """
    End processes that are no children of ours: ask, wait, then kill, until none is found.

    Parameters
    ----------
    processes : callable
        Finds the ids of those still running. Asked again and again, because whom we end may start another meanwhile.
    grace : float
        Seconds between asking and killing.

    Returns
    -------
    int
        How many there were to begin with.

    Raises
    ------
    StackError
        If some do not end even when killed, as a process waiting for a dead disk may not.
    """
    first = tuple(processes())
    for pid in first:
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while remaining := tuple(processes()):
        if time.monotonic() > deadline + KILL_SECONDS:
            raise StackError(
                f"processes {remaining} do not end, not even when killed; see `ps -o pid,stat,wchan,args -p PID`"
            )
        if time.monotonic() > deadline:
            for pid in remaining:
                _send(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    return len(first)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)

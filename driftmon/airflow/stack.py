"""
A whole Airflow on one machine, started, watched and stopped as one thing.

The order is what makes it dependable. Tasks report to the API server, so it comes first and must answer as tasks will ask it
before the scheduler may start any; at the end it goes last. Every component writes to its own log file and leads its own session,
so that a Ctrl-C in the terminal reaches the supervisor alone, and nothing is left when the supervisor is done.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Self

from driftmon.airflow.api import AirflowApi
from driftmon.airflow.control import down, status
from driftmon.airflow.errors import ApiError, StackError, StackStopped
from driftmon.airflow.processes import POLL_SECONDS, Child, Identity, end, find_marked, identify
from driftmon.airflow.record import Record, forget, hold_lock, write_record
from driftmon.airflow.settings import (
    HOST,
    MARK,
    USER,
    StackSettings,
    choose_port,
    password,
    prepare_home,
    stack_environment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType
    from typing import TypeAlias

    Log: TypeAlias = Callable[[str], None]

__all__ = ["Stack", "StackSettings", "down", "status", "up"]

API_SERVER = "api-server"

ARGUMENTS = {
    "migration": ("db", "migrate"),
    API_SERVER: ("api-server",),
    # The API server reads the log files itself, so that nobody needs to serve them on a port of their own.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}

API_SERVER_GRACE = 2.0
"""Seconds to answer what was asked. It keeps nothing that is worth waiting for while it tidies up its memory, which takes longer."""

ORPHAN_GRACE = 5.0
"""Seconds that descendants may take to end by themselves once their component is gone."""


class Stack:
    """
    The processes of an embedded Airflow.

    ``with Stack(settings, log=print) as stack:`` has all components healthy inside the block and none after it. `up` is the same
    for the foreground, with signals.

    Parameters
    ----------
    settings : StackSettings
    log : callable
        Takes one line of text for people. No secret is among them.

    Attributes
    ----------
    url : str
        Where the web interface is, once started.
    api : AirflowApi
        A client of the REST interface there, with the right to everything.
    """

    def __init__(self, settings: StackSettings, *, log: Log) -> None:
        self.settings = settings
        self.url = ""
        self.api = AirflowApi("")
        self._log = log
        self._children: list[Child] = []
        self._record: Record | None = None
        self._held = ExitStack()
        self._stops_wanted = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Start everything, and return when all of it is healthy. What stops this half way stops all that was started.

        Raises
        ------
        UsageError
            If Airflow or the DAG files are missing, a stack runs in this home already, or the port is taken.
        StackError
            If a component ends, or is not healthy in time; the message names its log.
        StackStopped
            If `request_stop` was called meanwhile.
        """
        prepare_home(self.settings)
        with ExitStack() as held:
            held.enter_context(hold_lock(self.settings.home))
            self._clear_leftovers()
            held.callback(self._stop_components)
            self._start_components(choose_port(self.settings.port))
            self._held = held.pop_all()

    def wait(self) -> None:
        """
        Watch the components until `request_stop`.

        Raises
        ------
        StackError
            If one of them ends.
        """
        while not self._stops_wanted:
            self.require_healthy()
            time.sleep(POLL_SECONDS)

    def require_healthy(self) -> None:
        """
        Look once whether all components still run.

        Raises
        ------
        StackError
            If one of them has ended; the message has the last lines of its log.
        """
        for child in self._children:
            if child.exit_status is not None:
                raise _ended(child)

    def request_stop(self) -> None:
        """
        Make `start` and `wait` come to an end soon; a second time, also make `stop` kill what does not end at once.

        Does nothing itself but count, so that signal handlers may call it at any moment.
        """
        self._stops_wanted += 1

    def stop(self) -> None:
        """End all components, and see that nothing of them is left. Running tasks have the settings' grace to end."""
        self._held.close()

    def _start_components(self, port: int) -> None:
        settings = self.settings
        self.url = f"http://{HOST}:{port}"
        self.api = AirflowApi(self.url, username=USER, password=password(settings), timeout=10.0)
        supervisor = identify(os.getpid()) or Identity(os.getpid(), "")
        self._record = Record(supervisor=supervisor, url=self.url, started=datetime.now(UTC))
        write_record(settings.home, self._record)
        launch = partial(self._launch, environment=stack_environment(settings, port))
        deadline = time.monotonic() + settings.start_seconds
        self._migrate(launch("migration"), deadline)
        launch(API_SERVER)
        # Reads DAG files without help from the API server; the two start in parallel.
        launch("dag-processor")
        self._await(self.api.tasks_can_run, "Airflow's API server to answer", deadline)
        launch("scheduler")
        if settings.triggerer:
            launch("triggerer")
        self._await(self._all_healthy, "all components of Airflow to be healthy", deadline)
        self._log(f"Airflow is ready at {self.url}; sign in as {USER} with the password in {settings.password_file}")

    def _launch(self, name: str, *, environment: dict[str, str]) -> Child:
        self._log(f"starting Airflow's {name}")
        # -P: a file of the current folder must not pass for a module of Airflow's.
        command = (sys.executable, "-P", "-m", "airflow", *ARGUMENTS[name])
        child = Child(name, command, environment=environment, log=self.settings.logs / f"{name}.log")
        self._children.append(child)
        if self._record is not None:
            self._record = replace(self._record, components={**self._record.components, name: child.identity})
            write_record(self.settings.home, self._record)
        return child

    def _migrate(self, migration: Child, deadline: float) -> None:
        while migration.exit_status is None:
            self._pause("Airflow's database to be migrated", deadline)
        if migration.exit_status != 0:
            raise _ended(migration)
        self._children.remove(migration)

    def _await(self, condition: Callable[[], bool], what: str, deadline: float) -> None:
        while True:
            self.require_healthy()
            try:
                if condition():
                    return
            except ApiError:
                # Not listening yet, or too busy with its start to answer.
                pass
            self._pause(what, deadline)

    def _pause(self, what: str, deadline: float) -> None:
        if self._stops_wanted:
            raise StackStopped(f"asked to stop while waiting for {what}")
        if time.monotonic() > deadline:
            limit = f"{self.settings.start_seconds:g} s"
            raise StackError(f"waited {limit} in vain for {what}; its log is in {self.settings.logs}")
        time.sleep(POLL_SECONDS)

    def _all_healthy(self) -> bool:
        """Whether each component has been heard of since this start; the last stack's heartbeats may still look fresh."""
        health = self.api.health()
        since = self._record.started if self._record else datetime.now(UTC)
        names = {child.name.replace("-", "_") for child in self._children} - {API_SERVER.replace("-", "_")}
        return all(
            name in health and health[name].health == "healthy" and (health[name].at or since) > since for name in names
        )

    def _clear_leftovers(self) -> None:
        """End what a supervisor that was killed could not."""
        if count := end(self._find_processes, grace=self.settings.grace_seconds):
            self._log(f"ended {count} processes of an Airflow whose supervisor was killed")

    def _find_processes(self) -> tuple[int, ...]:
        return find_marked(MARK, str(self.settings.home))

    def _stop_components(self) -> None:
        self._log("stopping Airflow")
        try:
            self._end([child for child in self._children if child.name != API_SERVER], self.settings.grace_seconds)
            self._end([child for child in self._children if child.name == API_SERVER], API_SERVER_GRACE)
        finally:
            # Also if an impatient Ctrl-C has cut the waiting short.
            for child in self._children:
                child.kill()
            end(self._find_processes, grace=ORPHAN_GRACE)
            self._children.clear()
            forget(self.settings.home)
        self._log("Airflow is stopped")

    def _end(self, children: list[Child], grace: float) -> None:
        """Ask components to end, and wait for them as long as the grace lasts and nobody is impatient."""
        for child in children:
            child.terminate()
        deadline = time.monotonic() + grace
        while any(child.exit_status is None for child in children):
            if time.monotonic() > deadline or self._stops_wanted > 1:
                return
            time.sleep(POLL_SECONDS)


def _ended(child: Child) -> StackError:
    return StackError(
        f"Airflow's {child.name} {child.describe_end()}; its log is {child.log}, which ends with:\n{child.tail()}"
    )


def up(settings: StackSettings, *, log: Log) -> None:
    """
    Run an embedded Airflow until SIGINT, SIGTERM or SIGHUP; a second signal kills instead of asking. For the main thread.

    Parameters
    ----------
    settings : StackSettings
    log : callable
        Takes one line of text for people. No secret is among them.

    Raises
    ------
    UsageError
        If a stack runs in this home already, or the port is taken.
    StackError
        If a component ends, or is not healthy in time; the message names its log. Nothing is left running.
    """
    stack = Stack(settings, log=log)
    with _signals_to(stack.request_stop):
        try:
            with stack:
                stack.wait()
        except StackStopped as exc:
            log(str(exc))


@contextmanager
def _signals_to(handler: Callable[[], None]) -> Iterator[None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        handler()

    # SIGINT also where a shell script's "&" has it ignored; an ignored SIGHUP is somebody's wish (nohup).
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)

"""The Spark session that a source uses: the one there is, or one of our own that ends with those who use it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from driftmon.errors import SourceError, SourceUnavailable
from driftmon.sources.faults import one_line
from driftmon.sources.spark.java import Java

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Lease", "Session", "lease", "quiet"]

Session: TypeAlias = Any
"""A session of Spark, classic or Connect: two classes with the same methods."""

PATIENCE = 5.0
"""Seconds to wait for a master to answer: Spark itself would wait for minutes."""

CONNECT_PORT = 15_002

PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""Where Spark Connect goes through one of these, nobody else can tell what it reaches."""

OURS = {
    "spark.app.name": "driftmon",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    # Without it a table with one column of times of day cannot be read at all.
    "spark.sql.timeType.enabled": "true",
    # A batch costs the same work for every column, however few its rows are.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
}
"""Settings of the sessions that we make."""


@dataclass
class Lease:
    """
    The use of a session.

    Parameters
    ----------
    session : Session
    own_driver : bool
        True if it was made here and its driver is this process, where nobody else has jobs.
    """

    session: Session
    own_driver: bool
    _end: Callable[[], None] = field(repr=False)
    _held: bool = True

    def release(self) -> None:
        """Give the session back; again does nothing."""
        if self._held:
            self._held = False
            self._end()


@dataclass(eq=False)
class _Own:
    """The session of ours that is running, of which a process has one at most, as Spark allows one context."""

    session: Session
    master: str | None
    stop: Callable[[], None]
    users: int = 0


_lock = threading.Lock()
_own: list[_Own] = []
"""Holds one or none. State of the module, since Spark's context is state of the process."""


def lease(session: Session | None, *, master: str | None, remote: str | None) -> Lease:
    """
    A session to work with.

    The given one, or one of Spark Connect to `remote`, or the one that is active in this process, or a new one on `master`
    (None: what Spark's own configuration says). Only what was made here is ever stopped.

    Raises
    ------
    SourceUnavailable
        If the cluster cannot be reached.
    SourceError
        If pyspark or Java is missing, or another session of ours runs on another master.
    """
    if session is not None:
        return Lease(session, own_driver=False, _end=_nothing)
    try:
        import pyspark  # noqa: F401, PLC0415 - an extra, and it loads slowly
    except ImportError as exc:
        raise SourceError("pyspark is not installed; pip install 'driftmon-pipeline[spark]'") from exc
    if remote is not None:
        connected = _connected(remote)
        return Lease(connected, own_driver=False, _end=connected.stop)
    with _lock:
        if _own and _ended(_own[0].session):
            _own.pop().stop()
        if _own:
            return _shared(_own[0], master)
        active = _active()
        if active is not None:
            return Lease(active, own_driver=False, _end=_nothing)
        _own.append(_started(master))
        return _shared(_own[0], master)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing of what PySpark tells its developers at each call."""
    with warnings.catch_warnings():
        # It names the versions of pandas that it was tested with; no row of ours passes through pandas.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _nothing() -> None:
    """End of what is not ours."""


def _shared(own: _Own, master: str | None) -> Lease:
    if master is not None and master != own.master:
        raise SourceError(
            f"a Spark session is running on {own.master or 'the default master'}, and a process has one at a time; "
            f"{master} has to wait for its end, or be reached by Spark Connect (remote: sc://...)"
        )
    own.users += 1
    return Lease(own.session, own_driver=True, _end=partial(_leave, own))


def _leave(own: _Own) -> None:
    with _lock:
        own.users -= 1
        # One that had ended was stopped by whoever found out.
        if own.users == 0 and own in _own:
            _own.remove(own)
            own.stop()


def _ended(session: Session) -> bool:
    """True for a session that lost its cluster, or that somebody stopped."""
    try:
        return bool(session.sparkContext._jsc.sc().isStopped())  # noqa: SLF001 - PySpark has no other word for it
    except Exception:  # noqa: BLE001 - however a program that is gone fails to answer
        return True


def _active() -> Session | None:
    with quiet():
        from pyspark.sql import SparkSession  # noqa: PLC0415 - as above
    found = SparkSession.getActiveSession()
    if found is None:
        # Other threads than the one that made the session have none that is active.
        found = SparkSession._instantiatedSession  # noqa: SLF001 - `SparkSession.active` says the same by an error
    return None if found is None or (hasattr(found, "_jsparkSession") and _ended(found)) else found


def _connected(remote: str) -> Session:
    if not remote.startswith("sc://"):
        raise SourceError(
            f"remote {remote.partition(';')[0]!r} is no address of Spark Connect; expected sc://HOST:PORT"
        )
    # Without what follows the host, which can be a token.
    host = remote.removeprefix("sc://").partition("/")[0]
    shown = f"sc://{host}"
    if not any(map(os.environ.get, PROXIES)):
        _check_reachable(shown, host, CONNECT_PORT)
    try:
        with quiet():
            from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415 - as above
    except ImportError as exc:
        raise SourceError(
            f"{shown} needs packages of Spark Connect: {exc}; pip install 'driftmon-pipeline[spark]'"
        ) from exc
    return SparkSession.builder.remote(remote).create()


def _check_reachable(shown: str, hosts: str, default: int) -> None:
    """Ask whether anybody listens: Spark would try for minutes before it says that nobody does."""
    said = ""
    for address in hosts.split(","):
        host, _, port = address.rpartition(":") if ":" in address else (address, "", str(default))
        try:
            with socket.create_connection((host.strip("[]"), int(port)), PATIENCE):
                return
        except ValueError as exc:
            raise SourceError(f"{shown}: {port!r} is no port; expected HOST:PORT") from exc
        except OSError as exc:
            said = exc.strerror or str(exc)
    raise SourceUnavailable(f"{shown}: cannot be reached: {said.lower()}; is the cluster running?")


def _started(master: str | None) -> _Own:
    """A session of our own, and the Java program behind it."""
    if master is not None and master.startswith("spark://"):
        _check_reachable(master, master.removeprefix("spark://"), 7077)
    with quiet():
        from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - as above
        from pyspark.sql import SparkSession  # noqa: PLC0415 - as above
    conf = SparkConf(loadDefaults=False)
    conf.setAll([*OURS.items(), *([("spark.master", master)] if master is not None else [])])
    interrupt = signal.getsignal(signal.SIGINT)
    java = Java(conf)
    try:
        with quiet():
            context = SparkContext(conf=conf, gateway=java.gateway)
            if str(context.master).startswith("local") and "PYSPARK_PYTHON" not in os.environ:
                # Workers on this machine have what we have; Spark would take whatever `python3` is.
                context.pythonExec = sys.executable
            session = SparkSession(context)
    except BaseException as exc:
        java.stop()
        if isinstance(exc, Exception):
            raise SourceUnavailable(f"{master or 'Spark'}: no session: {one_line(exc)}") from exc
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C stays the program's; Spark would keep it after its end.
            signal.signal(signal.SIGINT, interrupt)

    def stop() -> None:
        with suppress(Exception):
            session.stop()
        java.stop()

    return _Own(session, master, stop)

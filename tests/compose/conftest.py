"""The stack of docker-compose.yml with secrets of its own, and a PostgreSQL with the roles that it makes."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.compose.stack import PROJECT, Stack, roles_on
from tests.servers import postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import PostgreSQL


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .env as the shipped script writes it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "scripts").mkdir()
    shutil.copy(PROJECT / "scripts" / "secrets.sh", folder / "scripts")
    shutil.copy(PROJECT / ".env.example", folder)
    subprocess.run(["sh", folder / "scripts" / "secrets.sh"], check=True, capture_output=True, timeout=60)
    return folder / ".env"


@pytest.fixture(scope="session")
def stack(env_file: Path) -> Stack:
    return Stack.read(env_file)


@pytest.fixture(scope="session")
def stack_server(stack: Stack) -> Iterator[PostgreSQL]:
    """A PostgreSQL on which the service `roles` has run, with the superuser that the image has."""
    with postgresql("postgres") as server:
        roles_on(stack, server)
        yield server

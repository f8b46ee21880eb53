"""Receivers for every test, and no address of the outer world."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest
from apprise import Apprise

from tests.notifications.servers import hook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notifications.servers import Hook


@pytest.fixture(scope="session", autouse=True)
def _plugins() -> None:
    """Let Apprise load its plugins, one of which uses a module that Python will drop; it has a replacement for that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        Apprise.instantiate("json://localhost")


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DRIFTMON_NOTIFY", "DRIFTMON_NOTIFY_CONFIG", "DRIFTMON_URL", "DRIFTMON_GRAFANA_URL"):
        monkeypatch.delenv(name, raising=False)
    # Hooks of this machine are not behind the proxy of the outer world.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def chat() -> Iterator[Hook]:
    """A web hook that takes every message."""
    with hook() as found:
        yield found


@pytest.fixture
def pager() -> Iterator[Hook]:
    """Another one."""
    with hook() as found:
        yield found

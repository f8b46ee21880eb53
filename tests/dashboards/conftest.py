"""The dashboards as they are committed, and the world that their queries are run against."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.serving import serving
from tests.dashboards.world import World, configuration, filled, reader
from tests.prometheus import prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"
PATIENCE = 60.0


@pytest.fixture(scope="session")
def dashboards() -> dict[str, dict]:
    """The three dashboards, by the name of their file."""
    return {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in ("overview", "monitor", "column")}


@pytest.fixture(scope="session")
def world(postgresql_server, tmp_path_factory) -> Iterator[World]:
    """A shop with planted faults, checked, exported, scraped, and with alerts that fire."""
    folder = tmp_path_factory.mktemp("world")
    name = postgresql_server.create_database()
    url = postgresql_server.url(name)
    last_day = filled(folder, url)
    with (
        reader(postgresql_server, name) as database,
        serving("--database", url, "--monitors", str(folder / "monitors")) as exporter,
        prometheus(folder / "prometheus", configuration(folder, _two(exporter.address))) as address,
    ):
        world = World(address, database, last_day)
        _wait_for_alerts(world)
        yield world
    postgresql_server.drop_database(name)


def _two(address: str) -> list[str]:
    """One exporter under two names, which Prometheus takes for two."""
    port = address.rpartition(":")[2]
    return [f"127.0.0.1:{port}", f"localhost:{port}"]


def _wait_for_alerts(world: World) -> None:
    deadline = time.monotonic() + PATIENCE
    wanted = {"DriftmonColumnDrift", "DriftmonQualityProblem", "DriftmonSustainedDrift"}
    while not wanted <= {series["metric"]["alertname"] for series in world.ask("query", query="ALERTS")}:
        assert time.monotonic() < deadline, world.ask("query", query="ALERTS")
        time.sleep(0.1)

"""A project on disk: monitor files, rows of a model, a results database; and Airflow inside this process to read and run it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from driftmon.config import load_monitor
from driftmon.pipeline import build_baseline
from driftmon.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftmon.config import Monitor
    from driftmon.core.check import CheckResult

DAGS = Path(__file__).parents[2] / "dags"

FIRST, DAYS = date(2024, 3, 8), 5
"""Live days in New York, whose clocks change on the third; the fourth drifts."""

SHOP = """
name: shop
model: checkout
description: Orders against January
owner: payments
timezone: America/New_York
reference: {path: data/reference.parquet}
live: {path: "data/{start:%Y-%m-%d}.parquet", start: 2024-03-08, end: 2024-03-13}
"""

BROKEN = "nam: torn"


def orders(seed: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"amount": rng.normal(shift, 1, 500), "country": rng.choice(["DE", "FR"], 500)})


@dataclass(frozen=True)
class Project:
    """A folder with monitors, data and a results database, and the environment that points there."""

    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/results.db"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DRIFTMON_MONITORS": f"{self.folder}/monitors",
            "DRIFTMON_DATABASE_URL": self.url,
            "DRIFTMON_HOME": f"{self.folder}/home",
        }

    def file(self, name: str) -> Path:
        return self.folder / "monitors" / f"{name}.yaml"

    def monitor(self, name: str = "shop") -> Monitor:
        return load_monitor(self.file(name))

    def live(self, day: date) -> Path:
        """The file with the rows of a day."""
        return self.folder / "data" / f"{day}.parquet"

    def stored(self) -> list[CheckResult]:
        with Store.open(self.url, read_only=True) as store:
            return store.load_checks("shop")

    def build_baseline(self) -> None:
        with Store.open(self.url) as store:
            build_baseline(self.monitor(), store)


def make_project(folder: Path) -> Project:
    """A project with the monitor `SHOP` and its rows, without a baseline."""
    project = Project(folder)
    project.file("shop").parent.mkdir(parents=True)
    project.file("shop").write_text(SHOP)
    project.live(FIRST).parent.mkdir()
    orders(0).to_parquet(folder / "data" / "reference.parquet", index=False)
    for day in range(DAYS):
        orders(10 + day, shift=2.0 if day == 3 else 0.0).to_parquet(
            project.live(FIRST + timedelta(days=day)), index=False
        )
    return project


@contextmanager
def airflow_here(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """
    Airflow in this process, with a metadata database of its own.

    Tests elsewhere may have imported Airflow already, with other settings: so they are changed, and changed back.
    """
    settings_of_airflow = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        **environment,
    }
    home.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings_of_airflow.items():
            patch.setenv(name, value)
        from airflow import settings
        from airflow.utils.db import initdb

        settings.configure_vars()
        settings.reconfigure_orm()
        initdb()
        yield
        settings.dispose_orm()
    settings.configure_vars()
    settings.configure_orm()

"""A small project on disk: a monitor, a reference of 30 days, live days of which one drifts."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftmon.cli import main

MONITOR = """
name: shop
model: checkout
owner: payments
timezone: UTC
reference: {path: data/reference.parquet, timestamp: time}
live:
  path: "data/live/{start:%Y-%m-%d}.parquet"
  timestamp: time
  start: 2024-02-01
  end: 2024-02-06
columns: {predictions: [score], exclude: [time]}
"""


def rows_of(day, *, rows=1_000, seed=0, shift=0.0):
    rng = np.random.default_rng([seed, (day - date(2024, 1, 1)).days])
    start = pd.Timestamp(day, tz="UTC")
    return pd.DataFrame(
        {
            "time": start + pd.to_timedelta(rng.integers(0, 86_400, rows), unit="s"),
            "amount": np.round(rng.lognormal(3, 1, rows) * (1 + shift), 2),
            "country": rng.choice(["DE", "FR", "NL"], rows, p=[0.5, 0.3, 0.2]),
            "score": rng.beta(2, 5, rows),
            "order": [f"o-{day}-{i}" for i in range(rows)],
        }
    )


@dataclass
class Run:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Project:
    """A folder with a monitor and data, and the command line in it."""

    folder: Path
    capture: pytest.CaptureFixture

    def run(self, *arguments):
        self.capture.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        captured = self.capture.readouterr()
        return Run(int(exit_.value.code or 0), captured.out, captured.err)

    def write_live(self, day, **changes):
        path = self.folder / "data" / "live" / f"{day}.parquet"
        rows_of(day, seed=1, **changes).to_parquet(path, index=False)
        return path


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    for name in ("DRIFTMON_DATABASE_URL", "DRIFTMON_MONITORS", "DRIFTMON_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "monitors").mkdir()
    (tmp_path / "monitors" / "shop.yaml").write_text(MONITOR)
    (tmp_path / "data" / "live").mkdir(parents=True)
    january = [rows_of(date(2024, 1, 1) + timedelta(days=i)) for i in range(31)]
    pd.concat(january).to_parquet(tmp_path / "data" / "reference.parquet", index=False)
    made = Project(tmp_path, capsys)
    for i in range(5):
        made.write_live(date(2024, 2, 1) + timedelta(days=i), shift=1.0 if i == 2 else 0.0)
    return made


@pytest.fixture
def ready(project):
    """The project with a baseline in force."""
    assert project.run("baseline", "build", "shop").status == 0
    return project

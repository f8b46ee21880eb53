"""Small projects on disk, made once and copied for each test, and what bad input must look like from outside."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.acceptance.observed import stored
from tests.cli.conftest import MONITOR, Project, Run, rows_of

DAY = date(2024, 2, 1)


@pytest.fixture(scope="session")
def shop_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a monitor with 31 days of reference and two live days, of which nobody has checked any."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "monitors").mkdir()
    (folder / "data" / "live").mkdir(parents=True)
    (folder / "monitors" / "shop.yaml").write_text(MONITOR)
    january = [rows_of(date(2024, 1, 1) + timedelta(days=i)) for i in range(31)]
    pd.concat(january).to_parquet(folder / "data" / "reference.parquet", index=False)
    for i in range(2):
        rows_of(DAY + timedelta(days=i), seed=1).to_parquet(folder / f"data/live/{DAY + timedelta(days=i)}.parquet")
    return folder


@pytest.fixture
def empty_project(tmp_path, monkeypatch, capsys):
    """An empty folder, and the command line in it."""
    for name in ("DRIFTMON_DATABASE_URL", "DRIFTMON_MONITORS", "DRIFTMON_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capsys)


@pytest.fixture(scope="session")
def shop_database(shop_data, tmp_path_factory) -> Path:
    """A results database with the baseline of the shop, and nothing else."""
    from datetime import UTC, datetime

    from driftmon.config import load_folder
    from driftmon.pipeline import build_baseline
    from driftmon.store.store import Store

    file = tmp_path_factory.mktemp("baseline") / "driftmon.db"
    [monitor] = load_folder(shop_data / "monitors")
    with Store.open(f"sqlite:///{file}") as store:
        build_baseline(monitor, store, now=datetime(2024, 2, 1, tzinfo=UTC))
    return file


@pytest.fixture
def shop(empty_project, shop_data, shop_database):
    """The shop with a baseline in force and no check yet."""
    for name in ("monitors", "data"):
        shutil.copytree(shop_data / name, empty_project.folder / name)
    (empty_project.folder / ".driftmon").mkdir()
    shutil.copy(shop_database, empty_project.folder / ".driftmon" / "driftmon.db")
    empty_project.url = f"sqlite:///{empty_project.folder}/.driftmon/driftmon.db"
    return empty_project


@pytest.fixture
def refuse(shop):
    """A command that bad input makes fail: one clear line, the right exit status, and nothing stored."""

    def refuse(*arguments, status=3, says=(), retryable=False, database=None):
        url = database or shop.url
        before = stored(url)
        run = shop.run(*arguments)
        lines = run.err.splitlines()
        if retryable:
            assert lines.pop() == "driftmon: trying again later can help"
        assert run.status == status, run.err
        assert len(lines) == 1, run.err
        assert lines[0].startswith("driftmon: ")
        for words in (says,) if isinstance(says, str) else says:
            assert words in lines[0], lines[0]
        assert run.out == ""
        assert stored(url) == before
        return lines[0]

    return refuse


AS_SOMEBODY_ELSE = """
import os, pwd, sys
import driftmon.notifications.telling
from driftmon.cli import main

def run(*arguments):
    try:
        main(arguments)
    except SystemExit as exit:
        return exit.code

# Loaded while everything may be read: nobody may not be allowed to where driftmon is installed.
kept, nowhere = (sys.stdout, sys.stderr), open(os.devnull, "w")
sys.stdout = sys.stderr = nowhere
run("history", "shop"), run("compare", "data/reference.parquet", "data/reference.parquet")
sys.stdout, sys.stderr = kept
if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
sys.exit(run(*sys.argv[1:]))
"""


@pytest.fixture
def as_somebody_else(shop):
    """Run a command as a user who owns nothing: tests often run as root, whom no mode stops."""
    for folder in (shop.folder, *shop.folder.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", AS_SOMEBODY_ELSE, *arguments], capture_output=True, text=True, check=False
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run

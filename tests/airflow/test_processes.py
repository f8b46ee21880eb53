"""Processes are recognised for good, and end with their descendants."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from driftmon.airflow.processes import Child, Identity, end, find_marked, identify
from tests.airflow.conftest import wait_until

if TYPE_CHECKING:
    from pathlib import Path

MARK = "DRIFTMON_TEST_MARK"

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    # A descendant that leaves the process group and the session, as daemons do.
    subprocess.Popen([sys.executable, sys.argv[0], "again"], start_new_session=True)
print("deaf", flush=True)
time.sleep(600)
"""


def start(folder: Path, *words: str) -> Child:
    environment = {**os.environ, MARK: str(folder)}
    return Child("child", [sys.executable, *words], environment=environment, log=folder / "child.log")


def test_a_process_is_itself_as_long_as_it_runs_and_never_after(tmp_path: Path) -> None:
    child = start(tmp_path, "-c", "import time; time.sleep(600)")
    assert child.identity.alive
    assert identify(os.getpid()) != child.identity

    child.kill()

    assert not child.identity.alive
    assert child.describe_end() == "was ended by SIGKILL"


def test_another_process_with_the_same_id_is_not_the_same() -> None:
    mine = identify(os.getpid())

    assert mine is not None
    assert mine.alive
    assert not Identity(mine.pid, "long ago").alive


def test_a_dead_child_that_nobody_has_collected_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    wait_until(lambda: identify(process.pid) is None, 30)

    assert process.wait() == 0


def test_the_mark_finds_descendants_that_left_the_session_and_ends_the_deaf(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    child = start(tmp_path, str(script))
    wait_until(lambda: child.tail().count("deaf") == 2, 30)

    child.terminate()
    child.kill()
    left = find_marked(MARK, str(tmp_path))
    count = end(lambda: find_marked(MARK, str(tmp_path)), grace=0.2)

    assert len(left) == count == 1
    assert find_marked(MARK, str(tmp_path)) == ()


def test_a_mark_is_found_by_its_whole_value_only(tmp_path: Path) -> None:
    child = start(tmp_path, "-c", "import time; time.sleep(600)")

    assert find_marked(MARK, str(tmp_path)) == (child.identity.pid,)
    assert find_marked(MARK, str(tmp_path)[:-1]) == ()
    child.kill()


def test_a_child_has_its_own_log_and_keeps_the_one_before(tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = start(tmp_path, "-c", f"import sys; print({word!r}); sys.exit(7)")
        wait_until(lambda child=child: child.exit_status is not None, 30)

    assert child.describe_end() == "ended with exit status 7"
    assert child.tail() == "second"
    assert (tmp_path / "child.log.1").read_text() == "first\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_group_of_the_parent_does_not_reach_a_child(tmp_path: Path, number: signal.Signals) -> None:
    child = start(tmp_path, "-c", "import time; time.sleep(600)")

    assert os.getpgid(child.identity.pid) == os.getsid(child.identity.pid) == child.identity.pid
    child.kill()

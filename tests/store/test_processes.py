"""Several processes at one database, and processes that die: what is stored is always the whole of somebody's result."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from driftmon.store.store import Store
from tests.store.factories import NOW, baseline_of, day, facts, result_of, rows
from tests.store.workers import context, open_at_once, save_again_and_again, save_for_ever, upgrade_at_once

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = 40
PATIENCE = 60


def wide(seed: int, *, number: int = 300, shift: float = 0.0) -> dict[str, list[float]]:
    return {f"column {place}": rows(seed + place, number, shift=shift)["delay"] for place in range(COLUMNS)}


BASELINE = baseline_of(wide(0))
RESULTS = [result_of(BASELINE, wide(1_000 * turn, number=300 - turn, shift=turn), day(1)) for turn in (1, 2)]


@pytest.fixture
def url(results_database: str) -> str:
    with Store.open(results_database) as store:
        store.save_baseline("flights", BASELINE, now=NOW)
        store.save_check(RESULTS[0], facts(), started_at=NOW, now=NOW)
    return results_database


def test_processes_that_save_one_window_at_once_leave_one_correct_result(url: str):
    processes = context()
    start = processes.Barrier(4)
    writers = [
        processes.Process(target=save_again_and_again, args=(url, RESULTS[turn % 2], 15, start)) for turn in range(3)
    ]
    for writer in writers:
        writer.start()
    start.wait(PATIENCE)

    seen = set()
    with Store.open(url, read_only=True) as store:
        while any(writer.is_alive() for writer in writers):
            (found,) = store.load_checks("flights")
            seen.add(RESULTS.index(found))
        (last,) = store.load_checks("flights")

    assert last in RESULTS
    assert seen == {0, 1}, "a reader saw both results, and never a mixture"
    for writer in writers:
        writer.join(PATIENCE)
        assert writer.exitcode == 0


def test_a_killed_process_leaves_the_old_or_the_new_result(url: str):
    processes = context()
    moments = random.Random(1)
    with Store.open(url) as store:
        for _ in range(20):
            ready = processes.Event()
            writer = processes.Process(target=save_for_ever, args=(url, RESULTS, ready))
            writer.start()
            assert ready.wait(PATIENCE)
            time.sleep(moments.uniform(0, 0.12))  # no synchronisation: a moment that nobody chose
            writer.kill()
            writer.join(PATIENCE)

            (found,) = store.load_checks("flights")
            assert found in RESULTS
            store.save_check(RESULTS[0], facts(), started_at=NOW, now=NOW)
            assert store.load_checks("flights") == [RESULTS[0]]


def test_processes_that_upgrade_at_once_do_not_clash(empty_database: str):
    processes = context()
    start, answers = processes.Barrier(4), processes.SimpleQueue()
    upgraders = [processes.Process(target=upgrade_at_once, args=(empty_database, start, answers)) for _ in range(4)]
    for upgrader in upgraders:
        upgrader.start()

    assert [answers.get() for _ in upgraders] == [True] * 4
    for upgrader in upgraders:
        upgrader.join(PATIENCE)


def test_processes_that_make_a_sqlite_file_at_once_do_not_clash(tmp_path: Path):
    processes = context()
    for attempt in range(5):
        start, answers = processes.Barrier(4), processes.SimpleQueue()
        url = f"sqlite:///{tmp_path}/{attempt}/results.db"
        openers = [processes.Process(target=open_at_once, args=(url, start, answers)) for _ in range(4)]
        for opener in openers:
            opener.start()

        assert [answers.get() for _ in openers] == [True] * 4
        for opener in openers:
            opener.join(PATIENCE)

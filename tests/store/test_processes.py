"""Several processes at one database, and processes that die: what is stored is always the whole of somebody's result."""

from __future__ import annotations

import random
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from driftmon.store.engine import Database
from driftmon.store.schema import SCHEMA_VERSION, VERSION_TABLE
from driftmon.store.store import Store
from tests.store.factories import NOW, as_stored, baseline_of, day, facts, result_of, rows
from tests.store.views import drop_schema
from tests.store.workers import context, open_at_once, save_again_and_again, save_for_ever, upgrade_at_once

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = 40
PATIENCE = 60


def wide(seed: int, *, number: int = 300, shift: float = 0.0) -> dict[str, list[float]]:
    return {f"column {place}": rows(seed + place, number, shift=shift)["delay"] for place in range(COLUMNS)}


BASELINE = baseline_of(wide(0))
RESULTS = [
    as_stored(BASELINE, result_of(BASELINE, wide(1_000 * turn, number=300 - turn, shift=turn), day(1)))
    for turn in (1, 2)
]


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


def answers_of_processes_at_once(work, url: str) -> list[str]:
    """What several processes say that all do the same from the same moment on."""
    processes = context()
    start, answers = processes.Barrier(4), processes.Queue()
    workers = [processes.Process(target=work, args=(url, start, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = [answers.get(timeout=PATIENCE) for _ in workers]
    for worker in workers:
        worker.join(PATIENCE)
    return found


def test_processes_that_upgrade_at_once_do_not_clash(empty_database: str):
    for _ in range(3):
        assert answers_of_processes_at_once(upgrade_at_once, empty_database) == [SCHEMA_VERSION] * 4

        with closing(Database(empty_database)) as database, database.writing() as connection:
            drop_schema(connection)
            connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))


def test_processes_that_make_a_sqlite_file_at_once_do_not_clash(tmp_path: Path):
    for attempt in range(5):
        url = f"sqlite:///{tmp_path}/{attempt}/results.db"

        assert answers_of_processes_at_once(open_at_once, url) == ["0 monitors"] * 4

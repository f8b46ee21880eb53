"""What the exporter does when the results database is lost, late, damaged, hanging or back again."""

import logging
import re
import threading

import pytest

from driftmon.errors import ConfigError, StoreError
from driftmon.exporter.service import Exporter
from driftmon.metrics import EXPORTER_FAMILIES
from tests.exporter.scraped import KL, OK, columns, of
from tests.servers import PASSWORD, postgresql


def damage_by_moving(database):
    database.rename(database.with_suffix(".away"))


def damage_by_garbage(database):
    database.write_bytes(b"this is not a database" * 1000)


def damage_by_emptying(database):
    database.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_by_moving, damage_by_garbage, damage_by_emptying])
def test_a_lost_database_leaves_the_last_good_numbers_and_says_so(damage, exporter, results, database, scrape, fetch):
    results.check(dep_delay=0.5)
    assert exporter.refresh()
    before = scrape(exporter)
    results.store.close()

    damage(database)

    assert not exporter.refresh()
    after = scrape(exporter)
    assert of(after, KL) == of(before, KL)
    assert (before[OK,], after[OK,]) == (1, 0)
    assert after["driftmon_exporter_refreshes_total", ("outcome", "failure")] == 1
    stamp = ("driftmon_exporter_last_refresh_success_timestamp_seconds",)
    assert after[stamp] == before[stamp]
    assert fetch(exporter.address, "/readyz").status == 200


def test_a_postgresql_server_that_stops_leaves_the_last_good_numbers(results_in, scrape, caplog):
    with postgresql() as server:
        results = results_in(server.url(server.create_database()))
        results.check(dep_delay=0.5)
        exporter = Exporter(results.reader, listen="127.0.0.1:0")
        exporter._server.start()
        assert exporter.refresh()
        before = scrape(exporter)
        results.store.close()

    assert not exporter.refresh()
    after = scrape(exporter)
    assert of(after, KL) == of(before, KL)
    assert (before[OK,], after[OK,]) == (1, 0)
    assert "cannot be reached" in caplog.text
    assert PASSWORD not in caplog.text
    exporter.stop()


def test_a_database_that_hangs_hangs_no_scrape(scrape, fetch, shelf, monitor, until):
    class Hanging(type(shelf)):
        def monitor_snapshot(self, name):
            asked.set()
            answer.wait(timeout=30)
            return super().monitor_snapshot(name)

    asked, answer = threading.Event(), threading.Event()
    reader = Hanging()
    reader.put(monitor("flights"))
    exporter = Exporter(lambda: reader, listen="127.0.0.1:0")
    exporter.start()
    asked.wait(timeout=30)

    assert fetch(exporter.address, "/readyz").status == 503
    assert of(scrape(exporter), "driftmon_monitor_info") == {}
    answer.set()
    assert until(lambda: of(scrape(exporter), "driftmon_monitor_info"))
    exporter.stop()
    assert reader.closed


def test_a_database_that_comes_back_is_read_again(exporter, results, database, scrape):
    results.check(dep_delay=0.5)
    exporter.refresh()
    database.rename(database.with_suffix(".away"))
    exporter.refresh()

    database.with_suffix(".away").rename(database)
    results.check(day=2, arr_delay=0.5)

    assert exporter.refresh()
    assert columns(scrape(exporter)) == {"arr_delay"}
    assert scrape(exporter)[OK,] == 1


def test_an_hour_without_database_is_one_line_and_one_more_when_it_is_back(exporter, results, database, caplog):
    caplog.set_level(logging.INFO)
    results.check(dep_delay=0.5)
    exporter.refresh()
    database.rename(database.with_suffix(".away"))
    for _ in range(5):
        exporter.refresh()
    database.with_suffix(".away").rename(database)
    exporter.refresh()

    lines = [record.getMessage() for record in caplog.records if record.name.startswith("driftmon.exporter")]
    assert len(lines) == 2
    assert lines[0].startswith("cannot refresh metrics, the last good ones stay: results database sqlite:///")
    assert lines[1] == "metrics are fresh again"
    assert all(record.exc_info is None for record in caplog.records)


def test_before_the_first_good_read_there_are_only_own_metrics_and_it_is_not_ready(tmp_path, results, scrape, fetch):
    missing = type(results).reader
    results.url = f"sqlite:///{tmp_path / 'not-there-yet.db'}"
    exporter = Exporter(lambda: missing(results), listen="127.0.0.1:0")
    exporter._server.start()

    answer = fetch(exporter.address, "/readyz")
    assert (answer.status, answer.text) == (
        503,
        "not ready: the first read of the results database has not ended yet\n",
    )
    exporter.refresh()
    answer = fetch(exporter.address, "/readyz")
    assert (answer.status, answer.text) == (503, "not ready: the first read of the results database failed so far, the log says why\n")  # fmt: skip
    assert fetch(exporter.address, "/healthz").status == 200
    names = {key[0] for key in scrape(exporter)}
    own = {family.name for family in EXPORTER_FAMILIES} - {"driftmon_exporter_last_refresh_success_timestamp_seconds"}
    assert own <= names
    assert {name for name in names if name.startswith("driftmon_")} == own
    exporter.stop()


def test_a_database_that_appears_later_is_found(tmp_path, results, scrape, fetch):
    away, there = tmp_path / "driftmon.db", tmp_path / "driftmon.away"
    results.check(dep_delay=0.0)
    results.store.close()
    away.rename(there)
    exporter = Exporter(results.reader, listen="127.0.0.1:0")
    exporter._server.start()
    assert not exporter.refresh()
    there.rename(away)

    assert exporter.refresh()
    assert columns(scrape(exporter)) == {"dep_delay"}
    assert fetch(exporter.address, "/readyz").text == "ready\n"
    exporter.stop()


def test_an_unreadable_folder_of_monitor_files_is_a_failed_refresh(results, scrape, caplog):
    def configured():
        raise ConfigError("monitors/a.yaml: bad", "monitors/b.yaml: worse")

    exporter = Exporter(results.reader, listen="127.0.0.1:0", configured=configured)
    exporter._server.start()

    assert not exporter.refresh()
    assert scrape(exporter)[OK,] == 0
    assert "monitors/a.yaml: bad; monitors/b.yaml: worse" in caplog.text
    exporter.stop()


def test_an_unexpected_fault_does_not_end_the_refreshing(results, scrape, caplog):
    faults = [ZeroDivisionError("impossible")]

    def configured():
        if faults:
            raise faults.pop()

    exporter = Exporter(results.reader, listen="127.0.0.1:0", configured=configured)
    exporter._server.start()

    assert not exporter.refresh()
    assert scrape(exporter)[OK,] == 0
    assert "ZeroDivisionError: impossible" in caplog.text
    assert exporter.refresh()
    exporter.stop()


@pytest.mark.parametrize("fault", [StoreError("row 3 is damaged"), ValueError("row 3 is damaged")])
def test_one_unreadable_monitor_is_a_failed_refresh_that_still_shows_the_others(
    shelf, monitor, column, scrape, fetch, caplog, fault
):
    shelf.put(monitor("bad", column("x"))).put(monitor("good", column("y")))
    shelf.broken["bad"] = fault
    exporter = Exporter(lambda: shelf, listen="127.0.0.1:0")
    exporter._server.start()

    assert not exporter.refresh()
    assert columns(scrape(exporter)) == {"y"}
    assert scrape(exporter)[OK,] == 0
    assert fetch(exporter.address, "/readyz").status == 200
    assert re.search("bad: (ValueError: )?row 3 is damaged", caplog.text)
    exporter.stop()

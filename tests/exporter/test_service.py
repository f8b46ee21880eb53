"""The exporter over a real results database: what it serves, and what disappears."""

import gzip
import threading

import pytest

from driftmon.errors import UsageError
from driftmon.exporter.service import Exporter
from tests.exporter.scraped import KL, columns, of


def test_the_numbers_of_a_check_arrive(exporter, results, scrape):
    result = results.check(dep_delay=1.0, p_late=0.0)
    exporter.refresh()

    samples = scrape(exporter)
    labels = (("model", "arrival-delay"), ("monitor", "flights"))
    assert samples[KL, ("column", "dep_delay"), *labels, ("role", "feature")] == result["dep_delay"].kl
    assert samples[KL, ("column", "p_late"), *labels, ("role", "prediction")] == result["p_late"].kl
    assert set(of(samples, "driftmon_monitor_columns", status="critical").values()) == {1}
    assert set(of(samples, "driftmon_monitor_columns", status="ok").values()) == {1}
    assert set(of(samples, "driftmon_monitor_rows", dataset="live").values()) == {2000}
    assert set(of(samples, "driftmon_column_consecutive_breached_windows", column="dep_delay").values()) == {1}
    assert samples["driftmon_monitor_window_end_timestamp_seconds", *labels] == 1367452800
    assert samples["driftmon_exporter_series",] == len([key for key in samples if key[0].startswith(("driftmon_mon", "driftmon_col"))])  # fmt: skip


def test_breached_windows_in_a_row_are_counted(exporter, results, scrape):
    for day, shift in enumerate((0.0, 1.0, 1.0, 1.0), start=1):
        results.check(day=day, dep_delay=shift)
    exporter.refresh()

    breached = of(scrape(exporter), "driftmon_column_consecutive_breached_windows", severity="critical")
    assert set(breached.values()) == {3}


def test_a_column_gone_from_live_data_has_no_kl_and_is_counted(exporter, results, scrape):
    results.check(dep_delay=None, distance=0.0)
    exporter.refresh()

    samples = scrape(exporter)
    assert columns(samples) == {"distance"}
    assert set(of(samples, "driftmon_monitor_columns", status="schema_changed").values()) == {1}


def test_failed_runs_show_beside_the_last_good_numbers(exporter, results, scrape):
    results.check(dep_delay=0.0)
    results.fail(day=2)
    results.fail(day=3)
    exporter.refresh()

    samples = scrape(exporter)
    assert columns(samples) == {"dep_delay"}
    assert set(of(samples, "driftmon_monitor_consecutive_failed_runs").values()) == {2}
    assert set(of(samples, "driftmon_monitor_last_run_successful").values()) == {0}


def test_a_monitor_that_only_ever_failed_is_there_without_numbers(exporter, results, scrape):
    results.fail("new")
    exporter.refresh()

    samples = scrape(exporter)
    assert len(of(samples, "driftmon_monitor_info", monitor="new")) == 1
    assert of(samples, "driftmon_monitor_last_success_timestamp_seconds") == {}
    assert columns(samples) == set()


def test_a_column_that_is_no_longer_checked_disappears(exporter, results, scrape):
    results.check(day=1, dep_delay=0.0, carrier=0.0)
    exporter.refresh()
    results.check(day=2, dep_delay=0.0)
    exporter.refresh()

    assert columns(scrape(exporter)) == {"dep_delay"}


def test_a_monitor_whose_file_is_gone_disappears(results, scrape):
    files = {"flights", "churn"}
    exporter = Exporter(results.reader, listen="127.0.0.1:0", configured=lambda: set(files))
    exporter._server.start()
    results.check("flights", dep_delay=0.0)
    results.check("churn", tenure=0.0)
    exporter.refresh()
    assert columns(scrape(exporter)) == {"dep_delay", "tenure"}

    files.remove("churn")
    exporter.refresh()

    assert columns(scrape(exporter)) == {"dep_delay"}
    assert of(scrape(exporter), "driftmon_monitor_info", monitor="churn") == {}
    exporter.stop()


def test_without_a_folder_of_monitor_files_all_monitors_are_shown(results, scrape):
    exporter = Exporter(results.reader, listen="127.0.0.1:0", configured=lambda: None)
    exporter._server.start()
    results.check("flights", dep_delay=0.0)
    exporter.refresh()

    assert columns(scrape(exporter)) == {"dep_delay"}
    exporter.stop()


def test_only_monitors_that_changed_are_read_from_the_database(results, scrape):
    class Counting:
        def __init__(self):
            self.inner, self.read = results.reader(), []

        def snapshot_keys(self):
            return self.inner.snapshot_keys()

        def monitor_snapshot(self, name):
            self.read.append(name)
            return self.inner.monitor_snapshot(name)

        def strips(self, names=None, *, limit):
            return self.inner.strips(names, limit=limit)

        def close(self):
            self.inner.close()

    reader = Counting()
    exporter = Exporter(lambda: reader, listen="127.0.0.1:0")
    for name in ("a", "b", "c"):
        results.check(name, x=0.0)
    exporter.refresh()
    reader.read.clear()
    results.check("b", day=2, x=0.1)
    exporter.refresh()
    exporter.refresh()

    assert reader.read == ["b"]
    exporter.stop()


def test_it_refreshes_by_itself(results, scrape, until):
    exporter = Exporter(results.reader, listen="127.0.0.1:0", refresh_seconds=0.05)
    exporter.start()
    results.check(dep_delay=0.0)

    assert until(lambda: columns(scrape(exporter)) == {"dep_delay"})
    results.check(day=2, arr_delay=0.0)
    assert until(lambda: columns(scrape(exporter)) == {"arr_delay"})
    exporter.stop()


def test_a_stopped_exporter_leaves_no_thread(results):
    before = set(threading.enumerate())
    exporter = Exporter(results.reader, listen="127.0.0.1:0")
    exporter.start()
    exporter.stop()

    assert set(threading.enumerate()) <= before


def test_an_address_that_is_none_is_refused_at_once(results):
    with pytest.raises(UsageError, match="--listen '9877' is not an address"):
        Exporter(results.reader, listen="9877")


def test_the_index_leads_to_the_metrics(exporter, fetch):
    exporter.refresh()

    answer = fetch(exporter.address, "/")

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'href="/metrics"' in answer.text


def test_metrics_say_what_format_they_are_in(exporter, fetch):
    assert fetch(exporter.address).headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_the_compressed_answer_says_the_same_as_the_plain_one(exporter, results, fetch):
    results.check(dep_delay=0.5)
    exporter.refresh()

    plain = fetch(exporter.address).text
    packed = gzip.decompress(fetch(exporter.address, headers={"Accept-Encoding": "gzip"}).body).decode()
    assert [line for line in packed.splitlines() if not line.startswith("process_")] == [
        line for line in plain.splitlines() if not line.startswith("process_")
    ]


def test_a_hundred_thousand_series_are_served_whole(shelf, monitor, column, fetch):
    wide = [column(f"feature_{place}", kl=place / 1e6) for place in range(100)]
    for place in range(100):
        shelf.put(monitor(f"monitor-{place}", *wide))
    exporter = Exporter(lambda: shelf, listen="127.0.0.1:0")
    exporter._server.start()
    exporter.refresh()

    answer = fetch(exporter.address, headers={"Accept-Encoding": "gzip"})

    lines = gzip.decompress(answer.body).splitlines()
    series = sum(line.startswith((b"driftmon_monitor", b"driftmon_column")) for line in lines)
    assert series == exporter.state.series == 100 * (17 + 100 * 18)
    exporter.stop()


def test_promtool_accepts_what_is_served(exporter, results, fetch, promtool):
    results.check(dep_delay=0.5, **{'say "hi"\n': None, "\x00": 0.1, "📈": 0.2})
    results.fail("new")
    exporter.refresh()

    assert promtool(fetch(exporter.address).body) == ""

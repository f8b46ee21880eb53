"""What is old goes; what somebody still needs stays; whoever works meanwhile goes on."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from driftmon.core.layout import Kind
from driftmon.core.verdict import Status
from driftmon.core.window import Window
from driftmon.explanation import explain
from driftmon.exporter.service import Exporter
from driftmon.report.pages import render_report
from driftmon.report.views import column_view, monitor_view
from driftmon.results import check_json
from driftmon.sentences import tell
from driftmon.store import lookback, pruning
from driftmon.store.engine import Database
from driftmon.store.notifications import Claim, Firing, Told
from driftmon.store.pruning import Pruned
from driftmon.store.records import RunRecord
from driftmon.store.retention import Retention
from driftmon.store.schema import baseline_histograms, column_results, runs
from driftmon.store.store import Store
from tests.store.factories import DAY, NOW, baseline_of, day, facts, live_profile, result_of, rows
from tests.store.views import rows_of
from tests.store.workers import context, save_again_and_again

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftmon.core.baseline import Baseline
    from driftmon.core.result import CheckResult

BASELINE = baseline_of(rows(0, 900), days=10, segments={"carrier=UA": rows(5, 300)})
USUAL, DRIFTED = rows(1), rows(2, shift=2.0)
FEW = 6
"""Windows that sustained drift looks back on here; there are 60, which take long to make."""

MANY = FEW + 8
ALL = Retention(day(10_000).end, None)
"""Everything is old."""


@pytest.fixture
def looks_back_on_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback, "LOOKED_BACK", FEW)


def of_day(number: int, *, drift: bool = False, baseline: Baseline = BASELINE) -> CheckResult:
    return replace(result_of(baseline, DRIFTED if drift else USUAL, day(1)), window=day(number))


@pytest.fixture
def store(results_database: str) -> Iterator[Store]:
    with Store.open(results_database) as opened:
        opened.save_baseline("flights", BASELINE, now=NOW)
        opened.promote("flights", BASELINE.id, now=NOW)
        yield opened


def save(store: Store, *results: CheckResult, scheduled: bool = True) -> None:
    for result in results:
        store.save_check(result, facts(), scheduled=scheduled, started_at=result.window.end, now=result.window.end)


def pruned(store: Store, retention: Retention, monitor: str = "flights") -> Pruned:
    return sum(store.prune(monitor, retention), Pruned())


def windows(store: Store) -> list[Window]:
    return [check.window for check in store.load_checks("flights", column=())][::-1]


def of_other_schedules(numbers: range, *, drift: bool = False) -> list[CheckResult]:
    """Windows that sustained drift does not look back on."""
    return [of_day(number, drift=drift) for number in numbers]


def test_bins_go_and_the_numbers_of_every_column_stay(store: Store):
    save(store, *of_other_schedules(range(1, 5), drift=True), scheduled=False)
    before = store.load_checks("flights")
    drawn = store.timeline("flights", limit=10, segments=True)

    done = pruned(store, Retention(None, day(2).end))

    assert (done.bins, done.windows, done.results) == (2, 0, 2 * len(before[0].columns))
    assert done.size > 100
    after = store.load_checks("flights")
    assert after[:2] == before[:2]
    for old, new in zip(before[2:], after[2:], strict=True):
        for was, now in zip(old.columns, new.columns, strict=True):
            assert now.live is None
            assert (now.status, now.kl, now.threshold, now.excess) == (was.status, was.kl, was.threshold, was.excess)
            assert (now.live_rows, now.missing, now.novel) == (was.live_rows, was.missing, was.novel)
            assert now.scores.bound == was.scores.bound
            assert (now.problems, now.hint, now.new) == (was.problems, was.hint, was.new)
    assert store.timeline("flights", limit=10, segments=True) == drawn
    assert pruned(store, Retention(None, day(2).end)) == Pruned()


def test_windows_go_with_their_results_and_the_newest_stays_however_old_it_is(store: Store):
    save(store, *of_other_schedules(range(1, 6)), scheduled=False)
    newest = store.load_checks("flights", limit=1)

    done = pruned(store, ALL)

    assert (done.windows, done.bins) == (4, 0)
    assert store.load_checks("flights") == newest
    with store._database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(column_results)).scalar() == len(newest[0].columns)


def test_a_dry_run_says_what_a_run_does_and_changes_nothing(store: Store):
    save(store, *of_other_schedules(range(1, 6)), scheduled=False)
    retention = Retention(day(2).end, day(4).end)
    before = store.load_checks("flights")

    said = store.outlook("flights", retention)

    assert store.load_checks("flights") == before
    assert (said.windows, said.bins) == (2, 2)
    assert pruned(store, retention) == said


@pytest.mark.usefixtures("looks_back_on_few")
def test_what_sustained_drift_of_the_next_window_stands_on_stays(store: Store):
    numbers = range(1, MANY + 1)
    save(store, *(of_day(number, drift=number > MANY - 3) for number in numbers))

    done = pruned(store, Retention(day(MANY).end, day(MANY).end))

    assert done.windows == MANY - FEW
    assert windows(store) == [day(number) for number in numbers[-FEW:]]
    assert all(column.live is not None for check in store.load_checks("flights") for column in check.columns)


@pytest.mark.usefixtures("looks_back_on_few")
def test_the_state_of_the_next_window_is_what_it_would_have_been(store: Store, tmp_path):
    few = [of_day(number, drift=number > MANY - 3) for number in range(1, MANY + 1)]
    with Store.open(f"sqlite:///{tmp_path}/unpruned.db") as other:
        other.save_baseline("flights", BASELINE, now=NOW)
        for each in (store, other):
            save(each, *few)
        pruned(store, Retention(day(4).end, day(8).end))

        saved = [
            each.save_check(of_day(MANY + 1, drift=True), facts(), started_at=NOW, now=NOW) for each in (store, other)
        ]

    assert saved[0] == saved[1]
    assert any(column.lasting for column in saved[0].columns)


def test_since_when_a_column_drifts_is_known_however_long_ago_it_was(store: Store):
    save(store, *(of_day(number, drift=number > 3) for number in range(1, 9)), scheduled=False)
    nothing = replace(of_day(9), live_rows=0, columns=())
    save(store, nothing, scheduled=False)  # a window without verdicts ends no row
    keys = [("delay", None)]
    since = store.breached_since("flights", keys)

    done = pruned(store, ALL)

    assert done.windows == 2
    assert windows(store)[0] == day(3), "the last one without drift tells when it began"
    assert store.breached_since("flights", keys) == since
    assert since["delay", None][Status.CRITICAL].windows == 5


def test_what_the_exporter_shows_does_not_change(store: Store):
    save(store, *(of_day(number, drift=number > 20) for number in range(1, 26)))
    store.record_run(RunRecord("flights", day(26), NOW, day(26).end, "no rows"))
    before = store.monitor_snapshot("flights")

    done = pruned(store, Retention(day(30).end, day(30).end))

    assert store.monitor_snapshot("flights") == before
    assert done.runs == 24


def test_runs_go_up_to_the_newest_success(store: Store):
    save(store, of_day(1), of_day(2))
    for number, error in ((3, "gone"), (4, "gone")):
        store.record_run(RunRecord("flights", day(number), day(number).end, day(number).end, error))

    done = pruned(store, ALL)

    assert done.runs == 1
    with store._database.reading() as connection:
        left = connection.execute(select(runs.c.window_start, runs.c.error).order_by(runs.c.id)).all()
    assert [row.error for row in left] == [None, "gone", "gone"]
    assert store.monitor_snapshot("flights").consecutive_failed_runs == 2


def test_a_baseline_goes_that_is_not_in_force_and_that_no_window_was_checked_against(store: Store):
    before, unused, younger = (baseline_of(rows(seed, 300)) for seed in (11, 12, 13))
    for baseline, at in ((before, NOW), (unused, NOW), (younger, NOW + 20 * DAY)):
        store.save_baseline("flights", baseline, now=at)
    save(store, of_day(1, baseline=before), of_day(2))
    said = store.outlook("flights", Retention(NOW + DAY, None))

    done = pruned(store, Retention(NOW + DAY, None))

    assert (done.baselines, done.windows) == (2, 1), "one of them was of that window"
    assert {record.id for record in store.list_baselines("flights")} == {BASELINE.id, younger.id}
    assert store.load_baseline("flights") == BASELINE
    assert done == said


def test_a_baseline_that_a_stored_window_was_checked_against_stays(store: Store):
    used = baseline_of(rows(11, 300))
    store.save_baseline("flights", used, now=NOW)
    save(store, of_day(1), of_day(2, baseline=used))

    done = pruned(store, ALL)

    assert done.baselines == 0
    assert {record.id for record in store.list_baselines("flights")} == {BASELINE.id, used.id}


def test_the_newest_baseline_stays_where_none_is_in_force(results_database: str):
    with Store.open(results_database) as store:
        for seed in (1, 2):
            store.save_baseline("flights", baseline_of(rows(seed, 300)), now=NOW)
        newest = store.list_baselines("flights")[0]

        done = pruned(store, ALL)

        assert done.baselines == 1
        assert store.list_baselines("flights") == [newest]


def test_what_receivers_believe_goes_once_nobody_has_told_them_anything_for_long(store: Store):
    save(store, of_day(1), of_day(40))
    told = {"calm": Told(), "alarmed": Told(frozenset({Firing("DriftmonColumnDrift", "critical", "delay")}))}
    for name, state in told.items():
        claim = Claim(name, day(2).end, timedelta(minutes=5))
        store.claim_telling("flights", [name], claim)
        store.finish_telling("flights", claim, {name: state})

    done = pruned(store, Retention(day(30).end, None))

    assert done.receivers == 1
    assert set(store.told("flights")) == {"alarmed"}
    assert pruned(store, ALL).receivers == 1, "nobody waits for news of a monitor that ended"


def test_an_interrupted_run_loses_nothing_and_the_next_one_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pruning, "ROWS_AT_ONCE", 1)
    save(store, *of_other_schedules(range(1, 8)), scheduled=False)
    expected = store.outlook("flights", Retention(day(3).end, day(5).end))

    first = next(store.prune("flights", Retention(day(3).end, day(5).end)))

    assert (first.windows, first.bins) == (1, 0)
    assert windows(store) == [day(number) for number in range(2, 8)]
    assert first + pruned(store, Retention(day(3).end, day(5).end)) == expected


def test_a_pruned_window_that_is_checked_again_is_whole(store: Store):
    save(store, *(of_day(number) for number in range(1, 5)))
    whole = store.load_checks("flights")
    with_bins = pruned(store, Retention(None, day(4).end)).bins
    assert with_bins == 0, "all of them are looked back on"
    save(store, *of_other_schedules(range(10, 13)), scheduled=False)
    pruned(store, Retention(None, day(11).end))
    assert store.load_checks("flights", window=day(10))[0].columns[0].live is None

    save(store, of_day(10), scheduled=False)

    assert store.load_checks("flights", window=day(10))[0].columns[0].live is not None
    assert store.load_checks("flights", end=day(9).end) == whole


@pytest.mark.usefixtures("looks_back_on_few")
def test_windows_that_overlap_look_back_on_others_each(store: Store, tmp_path):
    rolling = [
        replace(of_day(number), window=Window(day(number - 2).start, day(number).end)) for number in range(1, 40)
    ]
    with Store.open(f"sqlite:///{tmp_path}/unpruned.db") as other:
        other.save_baseline("flights", BASELINE, now=NOW)
        for each in (store, other):
            save(each, *rolling[:-1])

        done = pruned(store, ALL)

        saved = [each.save_check(rolling[-1], facts(), started_at=NOW, now=NOW) for each in (store, other)]
    assert done.windows == 38 - 3 * (FEW - 1) - 1
    assert saved[0] == saved[1]


def test_counts_of_steps_go_that_no_window_from_the_newest_on_is_a_sum_of(store: Store):
    for number in range(1, 8):
        profile = live_profile(BASELINE, USUAL)
        store.save_step("flights", BASELINE, day(number), profile, place="here", now=NOW)
    save(store, replace(of_day(7), window=Window(day(5).start, day(7).end)))

    done = pruned(store, Retention(None, day(30).end))

    assert done == Pruned(steps=4)
    steps = [day(number) for number in range(1, 8)]
    assert sorted(store.load_steps("flights", BASELINE, steps, place="here")) == steps[4:]


@pytest.mark.usefixtures("looks_back_on_few")
def test_a_window_among_pruned_ones_can_be_checked_again(store: Store):
    save(store, *(of_day(number) for number in range(1, MANY + 1)))
    assert pruned(store, Retention(None, day(8).end)).bins == 8
    before = store.load_checks("flights", start=day(5).start, end=day(8).end)

    save(store, of_day(4, drift=True))

    again = store.load_checks("flights", window=day(4))[0]
    assert again["delay"].status is Status.CRITICAL
    assert store.load_checks("flights", start=day(5).start, end=day(8).end) == before


def test_pages_and_explanations_say_that_bins_were_pruned(store: Store):
    save(store, *of_other_schedules(range(1, 4), drift=True), scheduled=False)
    pruned(store, Retention(None, day(1).end))
    said = "the bins of this window were pruned"

    [check] = store.load_checks("flights", window=day(1))
    explanation = explain(check, check["delay"], store.load_checks("flights", column="delay"))
    sections = {section.title: section.lines for section in tell(explanation, verbose=True)}
    page = column_view(store, facts(), ("delay", None), day(1))
    report = render_report(monitor_view(store, facts(), day(1), details=True), "test")

    assert sections["what changed"][0].startswith(said)
    assert sections["the numbers"]
    assert "drifted (critical)" in sections[""][0]
    assert page.detail.bins == ()
    assert page.detail.plot is not None
    assert said in report
    [column] = [item for item in check_json(check)["columns"] if item["column"] == "delay" and not item["segment"]]
    assert column["bins_pruned"]
    assert column["rows"]["live"] == 600
    assert {item["live"] for item in column["bins"]} == {None}
    assert explanation.to_json()["kl"] == check["delay"].kl


def test_views_say_that_bins_were_pruned(store: Store):
    save(store, *of_other_schedules(range(1, 3), drift=True), scheduled=False)
    pruned(store, Retention(None, day(1).end))

    with store._database.reading() as connection:
        found = {view: rows_of(connection, view) for view in ("grafana_windows", "grafana_column_results")}
        bins = rows_of(connection, "grafana_column_bins", column_name="delay", segment="")

    for name, got in found.items():
        assert {bool(row["bins_pruned"]) for row in got} == {True, False}, name
        assert [row["status"] for row in got if row["bins_pruned"]]
    old, new = ([row for row in bins if bool(row["bins_pruned"]) is flag] for flag in (True, False))
    assert len(old) == len(new) == len(BASELINE.layouts["delay"].bins)
    assert [row["reference_count"] for row in old] == [row["reference_count"] for row in new]
    assert {(row["live_count"], row["live_share"], row["contribution"]) for row in old} == {(None, None, None)}
    assert sum(row["contribution"] for row in new) == pytest.approx(new[0]["kl"])


def test_checks_and_the_exporter_go_on_while_somebody_prunes(
    store: Store, results_database: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pruning, "ROWS_AT_ONCE", 1)
    save(store, *of_other_schedules(range(1, 16)), scheduled=False)
    newest = of_day(40, drift=True)
    save(store, newest, scheduled=False)
    exporter = Exporter(lambda: Store.open(results_database, read_only=True), listen="127.0.0.1:0")
    exporter.refresh()
    processes = context()
    start = processes.Barrier(2)
    writer = processes.Process(target=save_again_and_again, args=(results_database, newest, 12, start))
    writer.start()
    start.wait(60)
    done = Pruned()

    for part in store.prune("flights", Retention(day(10).end, day(15).end)):
        done += part
        exporter.refresh()
        assert exporter.state.successful
    writer.join(60)
    exporter.refresh()
    exporter.stop()

    assert writer.exitcode == 0
    assert exporter.state.successful
    assert (done.windows, done.bins) == (10, 5)
    assert windows(store) == [*(day(number) for number in range(11, 16)), day(40)]
    assert store.load_checks("flights", limit=1)[0]["delay"].live == newest["delay"].live


def test_a_sqlite_file_shrinks(tmp_path):
    wide = {f"column {number}": rows(number, 200)["delay"] for number in range(30)}
    baseline = baseline_of(wide, kinds=dict.fromkeys(wide, Kind.NUMERIC))
    file = tmp_path / "results.db"
    with Store.open(f"sqlite:///{file}") as store:
        store.save_baseline("flights", baseline, now=NOW)
        for number in range(40):
            result = replace(result_of(baseline, wide, day(1)), window=day(number + 1))
            save(store, result, scheduled=False)
        before = store.room()

        pruned(store, ALL)
        store.give_back()

        after = store.room()
        assert after.used < before.used / 2
        assert after.free == 0
    assert file.stat().st_size == after.used


@pytest.mark.parametrize("compact", [False, True])
def test_giving_room_back_changes_no_result(store: Store, compact: bool):
    save(store, *of_other_schedules(range(1, 4)), scheduled=False)
    pruned(store, Retention(day(1).end, None))
    before = store.load_checks("flights")

    store.give_back(compact=compact)

    assert store.load_checks("flights") == before
    assert store.room().used > 0


def test_a_file_of_an_older_driftmon_shrinks_if_it_is_written_anew(tmp_path, upgraded_sqlite):
    file = tmp_path / "old.db"
    file.write_bytes(upgraded_sqlite.read_bytes())
    url = f"sqlite:///{file}"
    with closing(Database(url)) as database, database.maintaining() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = DELETE").all()
        connection.exec_driver_sql("PRAGMA auto_vacuum = NONE")
        connection.exec_driver_sql("VACUUM")
    with Store.open(url) as store:
        store.save_baseline("flights", BASELINE, now=NOW)
        save(store, *of_other_schedules(range(1, 30)), scheduled=False)
        pruned(store, ALL)
        store.give_back()
        kept = store.room()

        store.give_back(compact=True)

        assert kept.free > 0
        assert store.room().free == 0
        assert store.room().used < kept.used


def test_nothing_is_pruned_of_a_monitor_that_nobody_knows(store: Store):
    assert store.outlook("nobody", ALL) == Pruned()
    assert list(store.prune("nobody", ALL)) == []


def test_a_baseline_takes_all_its_rows_along(store: Store):
    store.save_baseline("flights", baseline_of(rows(12, 300)), now=NOW)

    pruned(store, ALL)

    with store._database.reading() as connection:
        left = connection.execute(select(func.count()).select_from(baseline_histograms)).scalar()
    assert left == sum(len(part.histograms) for part in (BASELINE.reference, *BASELINE.reference.segments.values()))

"""Checks that tell: real rows, a real database and receivers that listen; one message a change, whatever happens meanwhile."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from driftmon.errors import SourceError
from driftmon.notifications.receivers import load
from driftmon.notifications.telling import is_behind, newly_drifting, tell, telling
from driftmon.pipeline import backfill, run_check
from driftmon.store.notifications import Claim, Firing, Told
from driftmon.store.store import Store
from tests.airflow.projects import FIRST, SHOP, make_project, orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftmon.config import Monitor
    from driftmon.core.window import Window
    from tests.airflow.projects import Project
    from tests.notifications.servers import Hook

SECRET = "s3cret-word"


@dataclass(frozen=True)
class Shop:
    """The monitor `shop`, whose live days are numbered from 0; the fourth drifts."""

    project: Project

    @property
    def monitor(self) -> Monitor:
        return self.project.monitor()

    @property
    def store(self) -> Store:
        return Store.open(self.project.url)

    def window(self, number: int) -> Window:
        return self.monitor.windows.containing(datetime(2024, 3, 8 + number, 12, tzinfo=UTC))

    def write(self, number: int, *, shift: float = 0.0, rows: int | None = None) -> None:
        """Write the rows of a day; `shift` in standard deviations."""
        orders(50 + number, shift=shift).head(rows).to_parquet(
            self.project.live(FIRST + timedelta(days=number)), index=False
        )

    def tear(self, number: int) -> None:
        """Make the file of a day one that nobody can read."""
        self.project.live(FIRST + timedelta(days=number)).write_bytes(b"PAR1 torn")

    def check(self, number: int, **how: bool) -> None:
        """Check a day and tell of it, as the command and the task of Airflow do."""
        with self.store as store, telling(self.monitor, store, **how):
            run_check(self.monitor, store, self.window(number))

    def check_in_vain(self, number: int) -> None:
        with pytest.raises(SourceError):
            self.check(number)

    def check_silently(self, number: int) -> None:
        with self.store as store:
            run_check(self.monitor, store, self.window(number))

    def tell(self) -> list[str | None]:
        with self.store as store:
            return [outcome.failure for outcome in tell(self.monitor, store)]

    def command(self, *arguments: str, before: str = "") -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        code = f"{before}\nfrom driftmon.cli import main\nmain({list(arguments)!r})"
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **self.project.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def shop(tmp_path) -> Shop:
    project = make_project(tmp_path / "project")
    project.build_baseline()
    return Shop(project)


@pytest.fixture
def told(chat: Hook, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """The web hook that the checks tell."""
    monkeypatch.setenv("DRIFTMON_NOTIFY", chat.url())
    return chat


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# One message a change


def test_drift_is_told_when_it_begins_and_when_it_is_over_and_never_between(shop: Shop, told: Hook):
    for number in range(3):
        shop.check(number)
    assert told.got == []

    shop.check(3)
    (first,) = told.got
    assert first["title"].startswith("[critical] shop: 1 of 2 columns drifted: amount (critical)")
    assert first["type"] == "failure"
    assert "- amount (critical): KL " in first["message"]

    shop.write(4, shift=2.0)
    shop.check(4)
    assert len(told.got) == 1

    shop.write(4)
    shop.check(4)
    assert told.titles[1:] == ["[over] shop: no drift in 2 columns (500 rows of 2024-03-12)"]
    assert "Over: amount" in told.got[1]["message"]
    assert told.got[1]["type"] == "success"


def test_windows_that_are_run_again_and_older_ones_are_no_news(shop: Shop, told: Hook):
    shop.check(3)
    assert len(told.got) == 1

    for number in (3, 0, 3, 1, 2):
        shop.check(number)

    assert len(told.got) == 1


def test_a_backfill_tells_once_of_the_newest_state(shop: Shop, told: Hook):
    shop.write(1, shift=2.0)
    shop.write(4, shift=2.0)

    with shop.store as store, telling(shop.monitor, store):
        steps = list(backfill(shop.monitor, store, [shop.window(number) for number in range(5)]))

    assert len(steps) == 5
    (only,) = told.titles
    assert "2024-03-12" in only


def test_a_backfill_that_ends_without_drift_tells_nothing(shop: Shop, told: Hook):
    with shop.store as store, telling(shop.monitor, store):
        list(backfill(shop.monitor, store, [shop.window(number) for number in range(5)]))

    assert told.got == []


def test_a_window_without_rows_ends_no_drift_and_begins_none(shop: Shop, told: Hook):
    shop.write(2, shift=2.0)
    shop.write(3, rows=0)
    shop.write(4, shift=2.0)

    for number in (2, 3, 4):
        shop.check(number)

    assert [title.partition(" (")[0] for title in told.titles] == [
        "[critical] shop: 1 of 2 columns drifted: amount",
        "[critical] shop: no data: the window has no rows",
    ]
    assert "New since the last message: amount, country" in told.got[1]["message"]


def test_a_receiver_that_comes_later_hears_what_is_true_now(shop: Shop, told: Hook, pager: Hook, monkeypatch):
    shop.check(3)
    monkeypatch.setenv("DRIFTMON_NOTIFY", f"{told.url()} {pager.url()}")

    shop.check(3)

    assert (len(told.got), len(pager.got)) == (1, 1)


def test_who_is_woken_up_by_every_message_does_not_hear_that_all_is_well(shop: Shop, monkeypatch):
    url = "pagerduty://integrationkey@apikey"
    monkeypatch.setenv("DRIFTMON_NOTIFY", url)
    (pagerduty,) = load(url, "").every
    told = Told(frozenset({Firing("DriftmonColumnDrift", "critical", "amount")}))
    shop.check_silently(4)
    with shop.store as store:
        mine = Claim("mine", datetime.now(UTC), timedelta(minutes=5))
        store.claim_telling("shop", [pagerduty.key], mine)
        store.finish_telling("shop", mine, {pagerduty.key: told})

    assert shop.tell() == []

    with shop.store as store:
        assert store.told("shop") == {pagerduty.key: Told()}
    assert pagerduty.takes.body == 1_024


@pytest.mark.parametrize(
    "name",
    [
        "<!channel> @here",
        "line\nbreak\x1b[31m",
        '"><script>alert(1)</script>',
        "{{ x }} ${y}",
        "\u202e\u0627\u0644",
        "x" * 300,
    ],
)
def test_columns_of_any_name_are_told_once(tmp_path, told: Hook, name):
    project = make_project(tmp_path / "project")
    for file in (tmp_path / "project" / "data").glob("*.parquet"):
        pd.read_parquet(file).rename(columns={"amount": name}).to_parquet(file, index=False)
    project.build_baseline()
    shop = Shop(project)

    shop.check(3)
    shop.check(3)

    (only,) = told.got
    assert only["title"].startswith("[critical] shop: 1 of 2 columns drifted: ")
    assert "\n" not in only["title"]
    assert len([line for line in only["message"].splitlines() if line.startswith("- ")]) == 1
    assert not any(ping in only["message"] for ping in ("<!", "@here", "\x1b", "\u202e"))


# Runs that fail


def test_two_failed_runs_in_a_row_are_told_with_the_reason_and_so_is_their_end(shop: Shop, told: Hook):
    shop.tear(0)
    shop.check_in_vain(0)
    assert told.got == []

    shop.check_in_vain(0)
    shop.check_in_vain(0)
    assert told.titles == ["[warning] shop: the last 2 checks failed"]
    assert f"{FIRST}.parquet" in told.got[0]["message"]

    shop.write(0)
    shop.check(0)
    assert told.titles[1:] == ["[over] shop: no drift in 2 columns (500 rows of 2024-03-08)"]


def test_drift_stays_drift_while_runs_fail(shop: Shop, told: Hook):
    shop.check(3)
    shop.tear(4)

    shop.check_in_vain(4)
    shop.check_in_vain(4)

    assert told.titles[1:] == ["[warning] shop: the last 2 checks failed"]
    assert "- amount (critical): KL " in told.got[1]["message"]


# Receivers that fail


def test_who_refused_is_tried_again_at_the_next_check_and_the_others_are_not(
    shop: Shop, told: Hook, pager: Hook, monkeypatch, caplog
):
    monkeypatch.setenv("DRIFTMON_NOTIFY", f"{told.url()} {pager.url()}")
    told.status = 503
    shop.check(3)
    assert (told.asked, len(told.got), len(pager.got)) == (1, 0, 1)
    assert "DRIFTMON_NOTIFY 1 (JSON 127.0.0.1) was not told: answered with HTTP status 503" in caplog.text

    told.status = 200
    shop.check(3)
    shop.check(3)

    assert (len(told.got), len(pager.got)) == (1, 1)


def test_who_missed_the_beginning_and_the_end_hears_nothing_of_it(shop: Shop, told: Hook):
    told.status = 500
    shop.check(3)
    told.status = 200

    shop.check(4)

    assert told.got == []


@pytest.mark.parametrize("trouble", ["refuses", "hangs", "nope://x", "missing file"])
def test_no_trouble_with_a_receiver_fails_a_check(shop: Shop, told: Hook, trouble, monkeypatch):
    match trouble:
        case "refuses":
            told.status = 500
        case "hangs":
            told.hang()
            monkeypatch.setenv("DRIFTMON_NOTIFY", told.url() + "?rto=0.2")
        case "missing file":
            monkeypatch.delenv("DRIFTMON_NOTIFY")
            monkeypatch.setenv("DRIFTMON_NOTIFY_CONFIG", "/nowhere/receivers.yaml")
        case url:
            monkeypatch.setenv("DRIFTMON_NOTIFY", url)

    shop.check(3)

    assert [result.window for result in shop.project.stored()] == [shop.window(3)]


def test_a_database_that_cannot_keep_what_was_told_fails_no_check(shop: Shop, told: Hook, caplog):
    with closing(sqlite3.connect(shop.project.folder / "results.db")) as database:
        database.execute("DROP TABLE driftmon_notifications")
        database.commit()

    shop.check(3)

    assert len(shop.project.stored()) == 1
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.startswith("monitor=shop: nobody could be told what changed: results database sqlite:///")
    assert told.got == []


def test_without_the_extra_a_check_says_so_in_a_line(shop: Shop, told: Hook):
    arguments = ("check", "shop", "--window", str(FIRST + timedelta(days=3)))

    process = shop.command(*arguments, before="import sys\nsys.modules['apprise'] = None")
    _, said = process.communicate(timeout=120)

    assert process.returncode == 0
    assert "direct notifications need Apprise; run: pip install 'driftmon-pipeline[notify]'" in said.splitlines()


def test_nobody_is_told_where_nothing_is_set_and_apprise_is_not_loaded(shop: Shop):
    process = shop.command("check", "shop", "--window", "2024-03-11", before=AT_THE_END)
    _, said = process.communicate(timeout=120)

    assert said.splitlines()[-1] == "apprise loaded: False"


AT_THE_END = """
import atexit, sys
atexit.register(lambda: print("apprise loaded:", "apprise" in sys.modules, file=sys.stderr))
"""


# Who is told


@pytest.mark.parametrize(("notify", "messages"), [("off", 0), ("critical", 1), ("warning", 1)])
def test_a_monitor_says_from_which_severity_on_it_tells(shop: Shop, told: Hook, notify, messages):
    shop.project.file("shop").write_text(f"{SHOP}notify: {notify}\n")

    shop.check(3)

    assert len(told.got) == messages


def test_a_monitor_that_tells_critical_alerts_only_keeps_quality_problems_to_itself(shop: Shop, told: Hook):
    shop.project.file("shop").write_text(f"{SHOP}notify: critical\nthresholds: {{warning: 5, critical: 9}}\n")

    shop.check(3)

    assert told.got == []


def test_receivers_of_other_owners_are_not_told(shop: Shop, chat: Hook, pager: Hook, tmp_path, monkeypatch):
    file = tmp_path / "receivers.conf"
    file.write_text(f"payments={chat.url()}\nfraud={pager.url()}\n")
    monkeypatch.setenv("DRIFTMON_NOTIFY_CONFIG", str(file))

    shop.check(3)

    assert (len(chat.got), pager.asked) == (1, 0)


# Many at once, and some that are killed


def test_many_processes_tell_once(shop: Shop, told: Hook, monkeypatch):
    shop.check_silently(3)
    told.hang()
    threads = [threading.Thread(target=shop.tell) for _ in range(6)]

    for thread in threads:
        thread.start()
    wait_until(lambda: told.asked)
    wait_until(lambda: sum(thread.is_alive() for thread in threads) == 1)
    told.answers.set()
    for thread in threads:
        thread.join()

    assert shop.tell() == []
    assert len(told.got) == 1


def test_what_was_stored_while_somebody_told_is_told_by_the_same(shop: Shop, told: Hook):
    shop.check_silently(3)
    told.hang()
    telling_now = threading.Thread(target=shop.tell)
    telling_now.start()
    wait_until(lambda: told.asked)

    shop.check(4)
    told.answers.set()
    telling_now.join()

    assert [title.partition(" ")[0] for title in told.titles] == ["[critical]", "[over]"]


def test_a_process_that_was_killed_while_it_told_loses_nothing(shop: Shop, told: Hook):
    shop.check_silently(3)
    told.status = 500  # what was asked by whoever is gone does not count
    told.hang()
    process = shop.command("notify", "shop")
    wait_until(lambda: told.asked)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    told.answers.set()
    told.status = 200

    # For some minutes nobody can know whether it still runs.
    assert shop.tell() == []
    with closing(sqlite3.connect(shop.project.folder / "results.db")) as database:
        database.execute("UPDATE driftmon_notifications SET claimed_at = '2024-01-01T00:00:00.000000Z'")
        database.commit()

    assert shop.tell() == [None]
    assert len(told.got) == 1


# Schedulers that catch up


def test_while_a_scheduler_catches_up_only_the_newest_window_is_news(shop: Shop, told: Hook):
    shop.write(4, shift=2.0)

    for number in range(5):
        shop.check(number, catching_up=True)

    (only,) = told.titles
    assert "2024-03-12" in only


def test_a_run_that_fails_while_catching_up_tells_what_is_known(shop: Shop, told: Hook):
    shop.check(3, catching_up=True)
    assert told.got == []
    shop.tear(4)

    with pytest.raises(SourceError):
        shop.check(4, catching_up=True)

    assert len(told.got) == 1


def test_a_scheduler_that_is_a_little_late_is_not_behind(shop: Shop):
    shop.project.file("shop").write_text(SHOP.replace(", end: 2024-03-13", ""))
    shop.check_silently(3)
    end = shop.window(3).end
    with shop.store as store:
        snapshot = store.monitor_snapshot("shop")

    behind = [is_behind(shop.monitor, snapshot, end + timedelta(hours=hours)) for hours in (1, 25, 27, 240)]

    assert behind == [False, False, True, True]


# Programs


def drifting(shop: Shop, by: str, **how: bool) -> list[tuple[str, str, str]]:
    with shop.store as store:
        news = newly_drifting(shop.monitor, store, by=by, **how)
    return [] if news is None else [(item.column, item.alert, item.severity) for item in news.firing]


AMOUNT = ("amount", "DriftmonColumnDrift", "critical")


def test_programs_hear_of_drift_once_and_not_of_what_is_broken(shop: Shop):
    shop.check(2)
    assert drifting(shop, "run 2") == []
    shop.check(3)

    assert drifting(shop, "run 3") == [AMOUNT]
    assert drifting(shop, "run 3, cleared") == []


def test_news_is_of_the_newest_window_whichever_was_checked_last(shop: Shop):
    shop.check(3)
    shop.check(2)

    with shop.store as store:
        assert newly_drifting(shop.monitor, store, by="run 2").window == shop.window(3)


def test_a_program_that_was_killed_gets_the_same_answer_again(shop: Shop):
    shop.check(3)

    assert [drifting(shop, "run 3") for _ in range(3)] == [[AMOUNT]] * 3


def test_drift_that_comes_back_after_its_end_is_new(shop: Shop):
    shop.check(3)
    drifting(shop, "run 3")
    shop.check(4)
    assert drifting(shop, "run 4") == []

    shop.write(4, shift=2.0)
    shop.check(4)

    assert drifting(shop, "run 4 again") == [AMOUNT]


def test_programs_are_not_told_of_old_windows_while_a_scheduler_catches_up(shop: Shop):
    shop.check(3)

    assert drifting(shop, "run 3", catching_up=True) == []


def test_programs_hear_whatever_people_are_told(shop: Shop, told: Hook):
    shop.project.file("shop").write_text(f"{SHOP}notify: off\n")
    shop.check(3)

    assert drifting(shop, "run 3") == [AMOUNT]


# Secrets


def test_no_secret_is_in_the_database_or_in_a_log(shop: Shop, told: Hook, caplog):
    caplog.set_level(logging.DEBUG)
    told.status = 500
    shop.check(3)
    told.status = 200
    shop.check(3)

    assert len(told.got) == 1
    assert SECRET in os.environ["DRIFTMON_NOTIFY"]
    assert SECRET not in caplog.text
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in shop.project.folder.glob("results.db*"))

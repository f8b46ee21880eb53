"""What is kept of what people were told, whatever database it is: every test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from driftmon.store.notifications import Claim, Firing, Told
from driftmon.store.store import Store
from tests.store.factories import NOW, facts

if TYPE_CHECKING:
    from collections.abc import Iterator

LEASE = timedelta(minutes=5)
DELAYS = Firing("DriftmonColumnDrift", "critical", "dep_delay", "origin=JFK")
FAILING = Firing("DriftmonMonitorFailing", "warning")
NAUGHTY = Firing("DriftmonColumnDrift", "warning", "a\0\ud800\"'\n{{", "x=\u202e")


@pytest.fixture
def store(results_database: str) -> Iterator[Store]:
    with Store.open(results_database) as opened:
        opened.register_monitor(facts(), now=NOW)
        opened.register_monitor(facts("other"), now=NOW)
        yield opened


def mine(token: str = "mine", minutes: float = 0) -> Claim:
    return Claim(token, NOW + timedelta(minutes=minutes), LEASE)


def tell(store: Store, news: dict[str, Told], claim: Claim | None = None) -> None:
    claim = claim or mine()
    store.claim_telling("flights", news, claim)
    store.finish_telling("flights", claim, news)


def test_who_was_never_told_anything_is_not_there(store: Store):
    assert store.told("flights") == {}
    assert store.claim_telling("flights", ["mail"], mine()) == {"mail": Told()}


def test_what_was_told_comes_back_whatever_the_names(store: Store):
    believed = Told(frozenset({DELAYS, FAILING, NAUGHTY}), by="airflow driftmon__flights scheduled 0")

    tell(store, {"mail": believed})

    assert store.told("flights") == {"mail": believed}
    assert store.claim_telling("flights", ["mail"], mine("next")) == {"mail": believed}


def test_receivers_and_monitors_are_told_apart(store: Store):
    tell(store, {"mail": Told(frozenset({DELAYS})), "chat": Told(frozenset({FAILING}))})

    assert store.told("flights") == {"mail": Told(frozenset({DELAYS})), "chat": Told(frozenset({FAILING}))}
    assert store.told("other") == {}


def test_nobody_else_tells_meanwhile(store: Store):
    first = store.claim_telling("flights", ["mail", "chat"], mine("first"))
    second = store.claim_telling("flights", ["mail", "chat", "pager"], mine("second", minutes=4))

    assert first == {"mail": Told(), "chat": Told()}
    assert second == {"pager": Told()}


def test_who_could_not_be_told_believes_what_it_did_and_can_be_told_at_once(store: Store):
    tell(store, {"mail": Told(frozenset({DELAYS}))})
    store.claim_telling("flights", ["mail", "chat"], mine())

    store.finish_telling("flights", mine(), {"chat": Told(frozenset({FAILING}))})

    again = store.claim_telling("flights", ["mail", "chat"], mine("next"))
    assert again == {"mail": Told(frozenset({DELAYS})), "chat": Told(frozenset({FAILING}))}


def test_the_claim_of_a_process_that_was_killed_runs_out(store: Store):
    store.claim_telling("flights", ["mail"], mine("killed"))

    assert store.claim_telling("flights", ["mail"], mine("early", minutes=4.9)) == {}
    assert store.claim_telling("flights", ["mail"], mine("late", minutes=5)) == {"mail": Told()}


def test_who_comes_back_too_late_changes_nothing(store: Store):
    store.claim_telling("flights", ["mail"], mine("slow"))
    store.claim_telling("flights", ["mail"], mine("fast", minutes=6))

    store.finish_telling("flights", mine("slow", minutes=7), {"mail": Told(frozenset({DELAYS}))})

    assert store.told("flights") == {"mail": Told()}
    assert store.claim_telling("flights", ["mail"], mine("third", minutes=8)) == {}


def test_a_monitor_that_nobody_registered_has_nobody_to_tell(store: Store):
    assert store.claim_telling("unknown", ["mail"], mine()) == {}
    store.finish_telling("unknown", mine(), {"mail": Told()})
    assert store.told("unknown") == {}


def test_one_of_many_at_once_gets_the_claim(store: Store, results_database: str):
    got: list[dict[str, Told]] = []

    def ask(number: int) -> None:
        with Store.open(results_database) as own:
            got.append(own.claim_telling("flights", ["chat", "mail"], mine(f"{number}")))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(len, got)) == [0] * 7 + [2]


def test_telling_is_no_news_for_the_exporter(store: Store):
    before = store.snapshot_keys()

    tell(store, {"mail": Told(frozenset({DELAYS}))})

    assert store.snapshot_keys() == before

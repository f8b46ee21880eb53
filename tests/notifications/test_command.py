"""`driftmon notify` and what commands say of notifications: which receivers took a message, and never where they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from driftmon.cli import main
from tests.airflow.projects import SHOP, make_project

if TYPE_CHECKING:
    from tests.airflow.projects import Project
    from tests.notifications.servers import Hook

SECRET = "s3cret-word"


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """A project where driftmon looks for its things."""
    project = make_project(tmp_path / "project")
    project.build_baseline()
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project


@pytest.fixture
def run(project, capsys):
    """Run a command: its exit status, what it printed, what it said."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(arguments)
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err
        return int(end.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def warnings_of(caplog):
    """The lines that people see on standard error, where nothing else is set up."""
    return lambda: [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_a_test_goes_to_every_receiver_and_says_what_became_of_it(run, chat: Hook, pager: Hook, monkeypatch):
    pager.status = 401
    monkeypatch.setenv("DRIFTMON_NOTIFY", f"{chat.url()} {pager.url()}")

    status, printed, _ = run("notify", "shop", "--test")

    assert status == 3
    assert printed.splitlines() == [
        "DRIFTMON_NOTIFY 1 (JSON 127.0.0.1): sent",
        "DRIFTMON_NOTIFY 2 (JSON 127.0.0.1): not sent: answered with HTTP status 401",
    ]
    assert chat.titles == ["shop: test of notifications"]


def test_a_test_needs_no_database_and_can_be_repeated(run, project, chat: Hook, monkeypatch):
    monkeypatch.setenv("DRIFTMON_NOTIFY", chat.url())
    monkeypatch.setenv("DRIFTMON_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    assert run("notify", "shop", "--test")[0] == run("notify", "shop", "--test")[0] == 0

    assert len(chat.got) == 2


@pytest.mark.parametrize(
    ("notify", "owner", "said"),
    [
        ("warning", "payments", "shop: nobody is told: set DRIFTMON_NOTIFY to Apprise URLs"),
        ("off", "payments", "shop: nobody is told, since its file says notify: off"),
    ],
)
def test_a_test_without_receivers_says_how_to_name_one(run, project, notify, owner, said):
    project.file("shop").write_text(f"{SHOP}notify: {notify}\n")

    status, _, error = run("notify", "shop", "--test")

    assert status == 2
    assert said in error


def test_a_test_with_an_address_that_is_none_fails_and_names_it_by_its_place(run, chat, monkeypatch, warnings_of):
    monkeypatch.setenv("DRIFTMON_NOTIFY", f"nope://{SECRET} {chat.url()}")

    status, printed, _ = run("notify", "shop", "--test")

    assert status == 3
    assert printed == "DRIFTMON_NOTIFY 2 (JSON 127.0.0.1): sent\n"
    (warning,) = warnings_of()
    assert warning.startswith("DRIFTMON_NOTIFY: receiver 1 of 2 (nope://) is no address that Apprise knows")


def test_what_a_check_could_not_tell_can_be_told_by_hand(run, chat: Hook, monkeypatch, warnings_of):
    monkeypatch.setenv("DRIFTMON_NOTIFY", chat.url())
    chat.status = 500
    assert run("check", "shop", "--window", "2024-03-11")[0] == 0
    assert run("notify", "shop")[0] == 3
    assert (
        warnings_of()
        == [
            "monitor=shop: DRIFTMON_NOTIFY 1 (JSON 127.0.0.1) was not told: answered with HTTP status 500; the next check tries again"
        ]
        * 2
    )
    chat.status = 200

    assert run("notify", "shop")[:2] == (0, "DRIFTMON_NOTIFY 1 (JSON 127.0.0.1): told\n")
    assert run("notify", "shop")[2] == "there is nothing to tell about shop that its receivers do not know\n"
    assert len(chat.got) == 1


def test_the_json_of_a_check_stands_alone_whatever_becomes_of_messages(run, chat: Hook, monkeypatch):
    monkeypatch.setenv("DRIFTMON_NOTIFY", f"nope:// {chat.url()}?rto=0.2")
    chat.hang()

    status, printed, _ = run("check", "shop", "--window", "2024-03-11", "--format", "json")

    assert status == 0
    assert json.loads(printed)["status"] == "critical"


def test_a_backfill_tells_once_at_its_end(run, chat: Hook, monkeypatch):
    monkeypatch.setenv("DRIFTMON_NOTIFY", chat.url())

    assert run("backfill", "shop", "--end", "2024-03-12")[0] == 0

    (only,) = chat.titles
    assert "2024-03-11" in only


def test_a_monitor_that_was_never_checked_has_nothing_to_tell(run, chat: Hook, monkeypatch):
    monkeypatch.setenv("DRIFTMON_NOTIFY", chat.url())

    assert run("notify", "shop")[0] == 0

    assert chat.got == []

"""Receivers: whom settings name, what is wrong with them, and what becomes of a message at each. No secret is ever said."""

from __future__ import annotations

import logging
import time

import pytest

from driftmon.notifications.message import Message
from driftmon.notifications.receivers import load
from driftmon.notifications.sending import send
from tests.notifications.servers import mail_server
from tests.servers import free_port

SECRET = "s3cret-word"
HELLO = Message(
    "flights: 1 of 2 columns drifted", "- dep_delay (critical): moved\n- a & b", html=False, severity="critical"
)
HELLO_HTML = Message(HELLO.title, "<p><code>dep_delay</code> moved, a &amp; b</p>", html=True, severity="critical")


def message_for(receiver):
    return HELLO if receiver.takes.markup == "plain" else HELLO_HTML


def tell(urls, *, config="", patience=12.0):
    """Send everybody a message; what came of it, in the order of the receivers."""
    receivers = load(urls, config)
    assert receivers.problems == ()
    return list(send({one: message_for(one) for one in receivers.every}, patience=patience).values())


# Whom settings name


def test_without_settings_there_is_nobody_and_nothing_is_wrong():
    assert load("", "") == load(" \n ", "")
    assert load("", "").every == ()


def test_addresses_are_separated_by_any_white_space():
    found = load("json://one/\n  json://two/x\tmailto://user:pw@example.com", "")

    assert [receiver.name for receiver in found.every] == [
        "DRIFTMON_NOTIFY 1 (JSON one)",
        "DRIFTMON_NOTIFY 2 (JSON two)",
        "DRIFTMON_NOTIFY 3 (E-Mail example.com)",
    ]


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        (f"nope://{SECRET}@host", "nope://"),
        (f"slack://{SECRET}", "slack://"),
        (SECRET, "without a scheme"),
        (f"mailto://{SECRET}", "mailto://"),
    ],
)
def test_an_address_that_is_none_is_named_by_its_place_and_the_others_count(url, scheme, caplog):
    caplog.set_level(logging.DEBUG)

    found = load(f"json://one {url} json://two", "")

    (problem,) = found.problems
    assert f"receiver 2 of 3 ({scheme}) is no address that Apprise knows" in problem
    assert len(found.every) == 2
    assert SECRET not in problem + caplog.text + repr(found)


def test_names_of_receivers_hold_no_token():
    found = load("slack://TAAAAAAAA/BBBBBBBBB/cccccccccccccccccccccccc/#ops discord://123456789/abcdefghijklmn", "")

    assert [receiver.name for receiver in found.every] == ["DRIFTMON_NOTIFY 1 (Slack)", "DRIFTMON_NOTIFY 2 (Discord)"]
    assert not any(token in repr(found) for token in ("TAAAAAAAA", "123456789", "abcdefg"))


def test_a_new_password_is_no_new_receiver_and_another_path_is():
    urls = ["json://a:one@host/x", "json://a:two@host/x", "json://a:one@host/y"]

    keys = [load(url, "").every[0].key for url in urls]

    assert keys[0] == keys[1] != keys[2]


def test_two_receivers_never_have_one_key():
    found = load("json://a:one@host/x json://a:two@host/x json://a:three@host/x", "")

    assert len({receiver.key for receiver in found.every}) == 3


def test_the_tags_of_a_file_are_owners(tmp_path):
    file = tmp_path / "receivers.yaml"
    file.write_text("urls:\n - json://all\n - json://risk:\n    tag: ml-risk, ml-platform\n")

    found = load("", str(file))

    def heard_by(owner):
        return [receiver.service.host for receiver in found.of(owner)]

    assert heard_by("payments") == heard_by("") == ["all"]
    assert heard_by("ml-risk") == heard_by("ML Platform") == ["all", "risk"]
    assert [receiver.name for receiver in found.every] == [
        "receivers.yaml 1 (JSON all)",
        "receivers.yaml 2 (JSON risk)",
    ]


def test_a_file_of_lines_names_owners_before_the_address(tmp_path):
    file = tmp_path / "receivers.conf"
    file.write_text("# whom to tell\njson://all\nml-risk=json://risk\n")

    found = load("", str(file))

    assert [receiver.service.host for receiver in found.of("ml-risk")] == ["all", "risk"]
    assert [receiver.service.host for receiver in found.of("payments")] == ["all"]


def test_both_settings_together_name_more(tmp_path):
    file = tmp_path / "receivers.conf"
    file.write_text("json://file\n")

    assert [receiver.service.host for receiver in load("json://one", str(file)).every] == ["one", "file"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (f"urls:\n - json://fine\n - nope://{SECRET}\n", "Apprise cannot read all of it; nobody is told there"),
        (
            f"urls:\n - json://fine\n - slack://{SECRET}\n",
            "Apprise cannot read all of it (line or entry 2); nobody is told",
        ),
        ("", "there is no receiver in it that Apprise can read"),
        ("urls: []\n", "there is no receiver in it that Apprise can read"),
        (f"urls: [{SECRET}", "there is no receiver in it that Apprise can read"),
        (f"\0\x01{SECRET}", "there is no receiver in it that Apprise can read"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_without_its_content(content, said, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "receivers.yaml"
    if content is not None:
        file.write_text(content)

    found = load("json://one", str(file))

    (problem,) = found.problems
    assert f"DRIFTMON_NOTIFY_CONFIG: {file}: " in problem
    assert said in problem
    assert "\n" not in problem
    assert found.every[0].service.host == "one"
    assert SECRET not in problem + caplog.text


# What becomes of a message


def test_a_hook_gets_the_message(chat):
    assert tell(chat.url()) == [None]

    assert chat.got == [
        {"version": "1.0", "title": HELLO.title, "message": HELLO.body, "attachments": [], "type": "failure"}
    ]


@pytest.mark.parametrize("scheme", ["form", "xml"])
def test_hooks_of_other_kinds_get_it_too(chat, scheme):
    assert tell(chat.url(scheme=scheme)) == [None]

    assert HELLO.title in str(chat.got)


def test_a_receiver_that_shows_html_gets_html(chat):
    assert tell(chat.url() + "?format=html") == [None]

    assert chat.got[0]["message"] == HELLO_HTML.body


def test_mail_arrives_with_the_answer_as_its_subject():
    with mail_server() as (port, taken):
        outcome = tell(f"mailto://127.0.0.1:{port}?from=driftmon@example.com&to=oncall@example.com")

    assert outcome == [None]
    (mail,) = taken
    assert mail["subject"] == HELLO.title
    assert "oncall@example.com" in mail["to"]
    assert "<code>dep_delay</code> moved, a &amp; b" in mail.get_body(("html",)).get_content()
    assert "dep_delay moved, a & b" in " ".join(mail.get_body(("plain",)).get_content().split())


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_receiver_that_refuses_is_told_of_by_the_status(chat, status, caplog):
    caplog.set_level(logging.DEBUG)
    chat.status = status

    assert tell(chat.url()) == [f"answered with HTTP status {status}"]
    assert SECRET not in caplog.text


def test_a_receiver_that_is_down_cannot_be_reached(caplog):
    caplog.set_level(logging.DEBUG)

    assert tell(f"json://robot:{SECRET}@127.0.0.1:{free_port()}") == ["cannot be reached, or did not answer in time"]
    assert tell(f"mailto://127.0.0.1:{free_port()}?to=a@example.com&from=b@example.com") != [None]
    assert "127.0.0.1" not in caplog.text


def test_one_that_hangs_takes_no_longer_than_all_may_take_and_the_others_are_told(chat, pager):
    chat.hang()
    started = time.monotonic()

    outcomes = tell(f"{chat.url()} {pager.url()}", patience=1.0)

    assert outcomes == ["no answer in 1 s", None]
    assert time.monotonic() - started < 10  # and not the minutes that it would hang
    assert len(pager.got) == 1


def test_one_that_never_answers_is_given_up_by_itself(chat):
    chat.hang()

    assert tell(chat.url() + "?rto=0.3") == ["cannot be reached, or did not answer in time"]


def test_what_a_late_thread_logs_goes_nowhere(chat, caplog):
    caplog.set_level(logging.DEBUG)
    chat.hang()

    tell(chat.url() + "?rto=0.5", patience=0.05)

    deadline = time.monotonic() + 30
    while any(thread.name == "driftmon-notification" for thread in _threads()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert caplog.text == ""


def _threads():
    import threading

    return threading.enumerate()


def test_others_may_log_as_before(caplog):
    caplog.set_level(logging.DEBUG)
    load("json://one", "")

    logging.getLogger("apprise").warning("of somebody else")

    assert "of somebody else" in caplog.text

"""What a receiver reads: the answer first, then the worst columns, as much as it takes, and nothing that pings or breaks."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from apprise import NotifyFormat
from apprise.conversion import convert_between
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.slack import NotifySlack
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.verdict import Status
from driftmon.notifications.changes import FAILING, change_of, firing_now
from driftmon.notifications.message import JOINER, LONGEST_BODY, Format, compose, sample
from driftmon.settings import Links
from driftmon.store.notifications import Firing
from tests.notifications.snapshots import TEXT, column, finding, snapshot

LINKS = Links("https://grafana.example", "https://drift.example")
NOWHERE = Links("", "")
TWO = snapshot(finding("cancelled"), finding("dep_delay", "warning", text="KL 0.05 nats"))

HOSTILE = [
    "<!channel> @here @everyone <@U123>",
    "{{ x }} ${y} {% z %}",
    "*bold* _it_ `code` ~~x~~ | # > -",
    "[a](http://evil.example) <b>&amp;</b>",
    "line\nbreak\r\ttab\x1b[31m\0",
    "\u202eright to left \u0627\u0644",
    '"><script>alert(1)</script>',
    "x" * 300,
]


def message(now=TWO, told=(), *, links=NOWHERE, error=None, **takes):
    change = change_of(told, firing_now(now, told))
    return compose(now, change, links, Format(**takes), error=error)


class Tags(HTMLParser):
    """The tags of some HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, _attributes):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def test_the_title_is_the_answer_and_the_body_has_the_worst_columns_first():
    found = message()

    assert found.title == "[critical] flights: 2 of 10 columns drifted (964 rows of 2013-05-23)"
    assert found.severity == "critical"
    assert found.body == (
        "Monitor flights of model arrival-delay, owner ml-platform\n"
        "\n"
        f"- cancelled (critical): {TEXT}\n"
        "- dep_delay (warning): KL 0.05 nats"
    )


def test_links_lead_to_the_window_the_dashboard_and_what_to_do():
    *_, dashboard, status, runbook = message(links=LINKS).body.splitlines()

    assert dashboard == (
        "Dashboard: https://grafana.example/d/driftmon-monitor?var-monitor=flights&from=1366113600000&to=1369353599999"
    )
    assert status == "Status page: https://drift.example/monitors/flights?window=2013-05-23T00%3A00%3A00Z"
    assert runbook == "What to do: https://drift.example/runbooks/DriftmonColumnDrift?monitor=flights"


@pytest.mark.parametrize(
    ("segment", "dashboard", "status", "runbook"),
    [
        (None, "&var-segment=&from=", "column?name=a+b%26c&window=", ""),
        ("x=y", "&var-segment=x%3Dy&from=", "column?name=a+b%26c&segment=x%3Dy&window=", "&segment=x%3Dy"),
    ],
)
def test_links_lead_to_the_column_if_it_is_the_only_one(segment, dashboard, status, runbook):
    body = message(snapshot(finding("a b&c", segment=segment)), links=LINKS).body

    assert f"https://grafana.example/d/driftmon-column?var-monitor=flights&var-column=a+b%26c{dashboard}" in body
    assert f"https://drift.example/monitors/flights/{status}" in body
    assert body.endswith(f"/runbooks/DriftmonColumnDrift?monitor=flights&column=a+b%26c{runbook}")


def test_a_column_that_is_no_feature_says_what_it_is():
    target = dataclasses.replace(finding("late"), role="target")

    assert f"- late, target (critical): {TEXT}" in message(snapshot(target)).body


def test_mail_shows_addresses_for_whoever_reads_plain_text_and_chats_show_words():
    mail, chat = (message(links=LINKS, markup=markup).body for markup in ("html", "chat"))

    runbook = "https://drift.example/runbooks/DriftmonColumnDrift?monitor=flights"
    assert f'What to do: <a href="{runbook}">{runbook}</a>' in mail
    assert f' · <a href="{runbook}">What to do</a>' in chat


def test_the_runbook_is_that_of_the_worst_column():
    quality = finding("a", "warning", alert="DriftmonQualityProblem")

    assert message(snapshot(quality, finding("b", "warning")), links=LINKS).body.endswith(
        "/DriftmonQualityProblem?monitor=flights"
    )


def test_what_was_known_already_is_not_called_new():
    found = message(told={Firing("DriftmonColumnDrift", "warning", "dep_delay")})

    assert "New since the last message: cancelled" in found.body.splitlines()
    assert "- cancelled (critical, new): " in found.body
    assert "- dep_delay (warning): " in found.body


def test_what_has_recovered_is_in_the_next_message():
    found = message(told={Firing("DriftmonColumnDrift", "critical", "distance")})

    assert "Over: distance" in found.body.splitlines()


def test_the_end_says_what_has_ended_and_what_is_true_now():
    told = {Firing("DriftmonColumnDrift", "critical", "dep_delay", "origin=JFK"), Firing(FAILING, "warning")}

    found = message(snapshot(headline="no drift in 10 columns (964 rows of 2013-05-24)"), told, links=LINKS)

    assert found.title == "[over] flights: no drift in 10 columns (964 rows of 2013-05-24)"
    assert found.severity is None
    assert "Over: checks failed, dep_delay where origin=JFK" in found.body.splitlines()
    assert "runbooks" not in found.body


def test_failed_runs_say_why_and_what_is_known_of_older_windows():
    found = message(snapshot(failed=3), links=LINKS, error="shop: data/x.parquet: no such file")

    assert found.title == "[warning] flights: the last 3 checks failed"
    assert "The last 3 checks failed: shop: data/x.parquet: no such file" in found.body
    assert found.body.endswith("/runbooks/DriftmonMonitorFailing?monitor=flights")


def test_a_monitor_that_never_had_a_result_can_fail():
    found = message(snapshot(failed=2, window=None, headline=None), links=LINKS, error="no baseline")

    assert found.title == "[warning] flights: the last 2 checks failed"
    assert "Status page: https://drift.example/monitors/flights\n" in found.body


def test_many_columns_are_ten_and_how_many_more():
    now = snapshot(*(finding(f"column_{number}", text="short") for number in range(200)))

    lines = message(now).body.splitlines()

    assert lines[2] == "- column_0 (critical): short"
    assert lines[-1] == "and 190 more columns"
    assert len(lines) == 2 + 10 + 1


@pytest.mark.parametrize("markup", ["plain", "html", "chat"])
@pytest.mark.parametrize("room", [400, 1_000, 2_000, 35_000])
@pytest.mark.parametrize("title", [0, 60, 250])
def test_a_message_fits_its_receiver(markup, room, title):
    now = snapshot(*(finding(f"column_{number}", text="x & y " * 50) for number in range(40)), headline="many " * 80)

    found = message(now, links=LINKS, markup=markup, title=title, body=room)

    within = len(found.title) if title == 0 else 0
    assert len(found.body) + within <= min(room, LONGEST_BODY)
    assert title == 0 or len(found.title) <= title
    assert "40 columns" in found.body or "more columns" in found.body or room == 400


def test_a_text_message_of_140_characters_has_the_answer_and_the_link():
    found = message(links=LINKS, title=0, body=160 + 40)

    assert found.title.startswith("[critical] flights: 2 of 10 columns drifted")
    assert found.body.startswith("https://grafana.example/d/driftmon-monitor")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_neither_break_the_lines_nor_become_markup(name):
    now = snapshot(finding(name, text=f"new: {name}"), headline=f"1 of 1 columns drifted: {name}")

    plain, html, chat = (message(now, markup=markup) for markup in ("plain", "html", "chat"))

    assert len(plain.body.splitlines()) == 3
    assert plain.title.replace(JOINER, "").isprintable()
    assert Tags(html.body).tags == {"p", "ul", "li", "b"}
    assert Tags(chat.body).tags == {"p", "ul", "li", "code"}
    assert len(html.body) < LONGEST_BODY


@pytest.mark.parametrize("name", HOSTILE)
def test_names_ping_nobody_in_any_chat(name):
    now = snapshot(finding(name, text=f"new: {name}"), headline=f"1 of 1 columns drifted: {name}")
    plain, chat = message(now), message(now, markup="chat")

    slack = NotifySlack._commonmark_to_slack(
        convert_between(NotifyFormat.HTML, NotifyFormat.MARKDOWN, chat.body)  # as Apprise does for Slack
    )
    texts = [plain.title, plain.body, slack]

    assert not any(ping in text for text in texts for ping in ("<!", "<@", "@here", "@everyone", "@U123"))
    assert NotifyDiscord.ping_payload(NotifyDiscord("1" * 18, "a" * 60), *texts) == {}


@given(
    st.text(max_size=400),
    st.integers(1, 3_000),
    st.sampled_from(["plain", "html", "chat"]),
    st.sampled_from([0, 60, 250]),
)
def test_any_name_and_any_room_make_a_message(text, room, markup, title):
    now = snapshot(finding(text, text=text), headline=text)

    found = message(now, links=LINKS, markup=markup, title=title, body=room)

    assert found.title.replace(JOINER, "").isprintable()
    assert Tags(found.body).tags <= {"p", "ul", "li", "code", "b", "br", "a"} or markup == "plain"


def test_a_test_says_that_it_is_one():
    found = sample("flights", LINKS, Format())

    assert found.title == "flights: test of notifications"
    assert "This is a test: nothing has drifted" in found.body
    assert "https://drift.example/monitors/flights" in found.body


def test_a_long_title_still_ends_with_the_rows_and_the_window():
    named = ", ".join(f"column_{number} (critical)" for number in range(30))
    found = message(replace(TWO, headline=f"30 of 40 columns drifted: {named} (964 rows of 2013-05-23)"), title=100)

    assert len(found.title) <= 100
    assert found.title.startswith("[critical] flights: 30 of 40 columns drifted: column_0 (critical)")
    assert found.title.endswith("… (964 rows of 2013-05-23)")


def test_many_at_once_are_told_apart_from_some_that_drift():
    columns = tuple(column(f"c{number}", Status.CRITICAL) for number in range(4))
    found = message(replace(TWO, columns=columns), links=LINKS)

    assert "So many at once are rarely the world" in found.body
    assert "/runbooks/DriftmonWidespreadDrift" in found.body
    assert "So many at once" not in message(links=LINKS).body

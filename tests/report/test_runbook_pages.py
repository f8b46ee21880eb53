"""Runbooks as pages: their links lead somewhere, and nothing in them is HTML but what Markdown makes."""

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftmon.exporter.service import Exporter
from driftmon.report.pages import SCRIPT
from driftmon.report.runbooks import About, runbook, runbooks
from driftmon.store.store import Store
from tests.exporter.conftest import Shelf, fetch  # noqa: F401 - a fixture
from tests.report.fleet import fill

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"


class Seen(HTMLParser):
    """Links, texts of code, and the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.tags, self.ids, self.words = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name == "href"]
        self.ids |= {value for name, value in attributes if name == "id"}

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def address():
    exporter = Exporter(Shelf, listen="127.0.0.1:0")
    exporter.refresh()
    exporter._server.start()
    yield exporter.address
    exporter.stop()


@pytest.mark.parametrize("name", ["", *runbooks()])
def test_every_link_of_a_runbook_leads_somewhere(name, address, fetch):  # noqa: F811 - the fixture
    page = fetch(address, f"/runbooks/{name}")
    seen = Seen(page.text)

    assert page.status == 200
    for link in seen.links:
        if link.startswith("/"):
            assert fetch(address, link).status == 200, link
        else:
            assert link.startswith(("https://", "#", "data:,")), link
    assert not any(re.search(r"\.md\b|\.\./", link) for link in seen.links)


@pytest.mark.parametrize("name", runbooks())
def test_a_runbook_has_its_words_and_no_elements_but_those_of_markdown(name, address, fetch):  # noqa: F811 - the fixture
    seen = Seen(fetch(address, f"/runbooks/{name}").text)
    text = "".join(seen.words)

    assert [tag for tag in seen.tags if tag == "script"] in ([], ["script"])
    assert not {"img", "iframe", "object", "form", "style"} & set(seen.tags[seen.tags.index("main") :])
    for heading in re.findall(r"^## (.+)$", (FOLDER / f"{name}.md").read_text(), flags=re.MULTILINE):
        assert heading in text
    for line in re.findall(r"^amtool .+$", (FOLDER / f"{name}.md").read_text(), flags=re.MULTILINE):
        assert line in text
    assert "](" not in text.replace(SCRIPT, "")


def test_the_first_page_of_runbooks_names_every_alert(address, fetch):  # noqa: F811 - the fixture
    links = Seen(fetch(address, "/runbooks/").text).links

    assert {f"/runbooks/{name}" for name in runbooks()} <= set(links)


@pytest.mark.parametrize(
    "name", ["../deploy", "..", "", "A" * 81, "Nothing", "DriftmonColumnDrift.md", "a/b", "%2e%2e"]
)
def test_a_name_that_is_none_reads_no_file(name):
    assert runbook(name) is None


@given(
    name=st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=20)
    | st.sampled_from(["$(id)", "`id`", "it's", 'a"b', "two\nlines", "\u202elaer", "a;b|c&d", "\\", "MONITOR", "-x"])
)
@settings(max_examples=40, deadline=None)
def test_a_shell_reads_the_name_that_was_filled_in(name):
    command = About("shop", name).fill("printf %s COLUMN")

    read = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        check=True,
        timeout=20,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
    )
    assert read.stdout.decode() == name


def test_the_names_of_a_page_are_in_the_commands_of_its_runbook(results_database, fetch):  # noqa: F811 - the fixture
    with Store.open(results_database) as store:
        fill(store, days=2, rows=300, names=("churn",))
        exporter = Exporter(lambda: Store.open(results_database, read_only=True), listen="127.0.0.1:0")
        exporter.refresh()
        exporter._server.start()

        page = fetch(exporter.address, "/monitors/churn/column?name=tenure").text
        [link] = [each for each in Seen(page).links if each.startswith("/runbooks/DriftmonColumnDrift")]
        filled = Seen(fetch(exporter.address, link).text)
        hostile = fetch(exporter.address, "/runbooks/DriftmonColumnDrift?monitor=churn&column=%3Cscript%3Ealert(1)")
        unknown = Seen(fetch(exporter.address, "/runbooks/DriftmonColumnDrift?monitor=nobody&column=tenure").text)
        exporter.stop()

    words = "".join(filled.words)
    assert link == "/runbooks/DriftmonColumnDrift?monitor=churn&column=tenure"
    assert "driftmon explain churn tenure\n" in words
    assert "alertname=DriftmonColumnDrift monitor=churn column=tenure" in words
    assert "/monitors/churn/column?name=tenure" in filled.links
    assert "<script>alert" not in hostile.text
    assert "driftmon explain MONITOR COLUMN" in "".join(unknown.words)

"""Every alert has a runbook, every runbook an alert, and what runbooks tell people to type exists."""

import re
import shlex

import click
import pytest

from driftmon.cli import cli
from tests.alerting.programs import ROOT, alert_names, program, run

FOLDER = ROOT / "docs" / "runbooks"
PAGES = sorted(file for file in FOLDER.glob("*.md") if file.stem != "README")
HEADINGS = ["Look at this first", "Likely causes", "What to do", "Silence", "Tune"]

each_page = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])


def test_every_alert_has_a_page_and_every_page_an_alert():
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \|", (FOLDER / "README.md").read_text(), flags=re.MULTILINE)

    assert [page.stem for page in PAGES] == alert_names()
    assert sorted(listed) == alert_names()


@each_page
def test_a_page_answers_the_same_questions_in_the_same_order(page):
    assert re.findall(r"^## (.+)$", page.read_text(), flags=re.MULTILINE) == HEADINGS
    assert page.read_text().startswith(f"# {page.stem}\n")


@each_page
def test_every_command_of_a_page_exists_with_its_options(page):
    commands = re.findall(r"(?:`|^)(driftmon [^`\n]+?)(?:`|$)", page.read_text(), flags=re.MULTILINE)
    assert commands or page.stem == "DriftmonExporterDown"
    for line in commands:
        words = shlex.split(line)[1:]
        command = cli
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}

        assert {word for word in words if word.startswith("-")} <= known, line


@each_page
def test_the_silence_of_a_page_is_one_that_amtool_takes(page, tmp_path):
    amtool = program("amtool", "prometheus-alertmanager")
    [line] = re.findall(r"^amtool .+$", page.read_text(), flags=re.MULTILINE)
    matchers = [word for word in shlex.split(line) if re.match(r"\w+=", word)]

    # Without Alertmanager only the connection may fail.
    command = [amtool, *(word.replace("9093", "1") for word in shlex.split(line)[1:])]
    with pytest.raises(AssertionError, match="connection refused"):
        run(*command)
    assert any(word in {f"alertname={page.stem}", "component=drift"} for word in matchers)

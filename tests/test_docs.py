"""The documents agree with the code: links, examples, commands, and every table that names statuses, keys or files."""

import dataclasses
import doctest
import inspect
import re
import shlex
import tomllib
from pathlib import Path

import click
import pydantic
import pytest
from click.testing import CliRunner

from driftmon import errors, settings
from driftmon.cli import cli
from driftmon.config import Monitor, load_monitor
from driftmon.config.yamltext import parse
from driftmon.core.check import Scores
from driftmon.core.verdict import Status

ROOT = Path(__file__).parents[1]
FOLDERS = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in folder.rglob("*.md"))])
CONCEPTS = ROOT / "docs" / "concepts.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path, language):
    return [code for marked, code in FENCED.findall(path.read_text()) if marked == language]


def prose(path):
    return FENCED.sub("", path.read_text())


def section(path, title):
    """The text below a heading, up to the next one of the same level or above."""
    level, rest = re.split(rf"^(#+) {re.escape(title)}$", path.read_text(), maxsplit=1, flags=re.MULTILINE)[1:]
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(path, title):
    """The tables of a section: the first cell of each row, without its backticks, to the other cells."""
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", section(path, title), flags=re.MULTILINE)
    return {first: [cell.strip() for cell in rest.split(" | ")] for first, rest in rows}


# Links -----------------------------------------------------------------------------------------------------------------


def anchors(path):
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_relative_link_leads_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


# Examples --------------------------------------------------------------------------------------------------------------


def run_python(path):
    """Run the Python blocks of a document, one after the other; raise, or say what differs."""
    names = {"__name__": "__main__"}
    for number, code in enumerate(blocks(path, "python"), start=1):
        if ">>>" not in code:
            exec(compile(code, f"{path.name}, block {number}", "exec"), names)
            continue
        example = doctest.DocTestParser().get_doctest(code, names, f"block {number}", str(path), 0)
        said = []
        failed = (
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append, clear_globs=False).failed
        )
        names = example.globs

        assert not failed, "".join(said)


@each_document
def test_python_examples_run_and_say_what_is_written(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    run_python(path)


def test_the_output_that_is_explained_is_the_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_python(CONCEPTS)
    command, *shown = blocks(CONCEPTS, "console")[0].splitlines()

    printed = CliRunner().invoke(cli, shlex.split(command.removeprefix("$ driftmon ")))

    assert [line.rstrip() for line in printed.stdout.splitlines()] == shown


def commands(path):
    """Every ``driftmon ...`` of console blocks and of code within sentences, as lists of words."""
    lines = [line for code in blocks(path, "console") for line in re.findall(r"^\$ (.+)$", code, flags=re.MULTILINE)]
    for line in [*lines, *re.findall(r"`([^`]*\bdriftmon [^`]+)`", prose(path))]:
        words = shlex.split(" ".join(line.split()), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and Path(words[0]).name == "driftmon":
            yield words[1:]


@each_document
def test_commands_and_options_in_documents_exist(path):
    for words in commands(path):
        command, said = cli, ["driftmon"]
        for word in words:
            if word in {"|", ">", "&&"}:
                break
            if isinstance(command, click.Group) and not word.startswith("-"):
                assert word in command.commands, f"{' '.join(said)} has no command {word}"
                command = command.commands[word]
                said.append(word)
            elif word.startswith("-"):
                known = {"-h", "--help", *(name for option in command.params for name in option.opts)}
                assert word.partition("=")[0] in known, f"{' '.join(said)} has no option {word}"


# Tables ----------------------------------------------------------------------------------------------------------------


def test_the_table_of_statuses_is_the_enumeration_in_its_order():
    assert list(table(CONCEPTS, "Statuses")) == [status.value for status in Status]


def test_the_table_of_numbers_has_every_score():
    fields = {field.name for field in dataclasses.fields(Scores)} - {"contributions"}

    assert set(table(CONCEPTS, "Numbers")) == fields


def keys(model, prefix=""):
    """Every key of a monitor file, dotted, with its field; keys that owners name themselves are not gone into."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, pydantic.BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def test_the_reference_of_monitor_files_has_every_key_with_its_default():
    described = table(CONCEPTS, "Monitor files")

    assert set(described) == {name for name, _ in keys(Monitor)}
    for name, field in keys(Monitor):
        default = described[name][0]
        assert (default == "needed") == (field.is_required() and name not in {"name", "model"}), name
        if default.startswith("`"):
            assert parse(default.strip("`")) == field.get_default(call_default_factory=True), name


@each_document
def test_monitor_files_in_documents_are_valid(path, tmp_path):
    for number, text in enumerate(blocks(path, "yaml")):
        if "reference:" in text:
            (tmp_path / f"{number}.yaml").write_text(text)

            load_monitor(tmp_path / f"{number}.yaml", {})


def test_the_table_of_environment_variables_has_those_that_are_read():
    def variables(command):
        if isinstance(command, click.Group):
            return set().union(*map(variables, command.commands.values()))
        return {option.envvar for option in command.params if option.envvar}

    read = set(re.findall(r'"(DRIFTMON_\w+)"', inspect.getsource(settings)))

    assert len(read) == 7
    assert set(table(CONCEPTS, "Environment variables")) == variables(cli) | read


def test_the_table_of_errors_says_which_can_be_retried_and_how_a_command_ends():
    described = table(CONCEPTS, "Errors and exit codes")
    classes = {name: vars(errors)[name] for name in errors.__all__ if name != "DriftmonError"}

    assert set(described) - {"0", "1", "2", "3", "130"} == set(classes)
    for name, error in classes.items():
        assert described[name][:2] == [str(error.exit_code), "yes" if error.retryable else "no"], name


# The map of the code ---------------------------------------------------------------------------------------------------


def test_every_file_named_in_the_architecture_exists():
    words = re.findall(r"`([^`\s]+)`", prose(ARCHITECTURE))
    named = [word for word in words if re.search(r"\w/|\.(py|md|toml|yaml)$", word)]
    named += table(ARCHITECTURE, "Folders")

    assert len(named) > 40
    assert [word for word in named if not (ROOT / word).exists()] == []


def test_the_layers_of_the_architecture_are_those_that_are_checked():
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    drawn = [
        re.split(r"\s{2,}", line)[0] for line in FENCED.findall(section(ARCHITECTURE, "Layers"))[0][1].splitlines()
    ]

    assert drawn == next(contract["layers"] for contract in checked if contract["type"] == "layers")

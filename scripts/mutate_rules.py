"""
Change the alert rules in every small way that means something, and see that their tests fail for each change.

``python scripts/mutate_rules.py`` prints the changes that no test notices, and exits with 1 if there are any. Needs promtool, of the
Debian package ``prometheus``. Takes one to three minutes on two cores: a change first meets what the tests say of its own rule, with
no rules but those that this one reads, many changes in one process; what passes all of that meets the whole test file. The test-suite
makes every fourth change.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).parents[1] / "dashboards" / "prometheus"
RULES = FOLDER / "driftmon.rules.yml"
TESTS = FOLDER / "driftmon.rules.test.yml"

OPPOSITES = {">=": ">", ">": ">=", "==": "!=", "<=": "<", "and": "unless", "unless": "and", "!=": "=", "=~": "!~"}
OPERATOR = re.compile(r"(?<![!=<>])(>=|<=|==|>)(?![=-])(?= [\d(])|\b(and|unless)\b(?= on)|(!=|=~)(?=\")")
NUMBER = re.compile(r"(?<![\w.%-])\d+(?:\.\d+)?(?=[\s,)smhd\]]|$)")
METRIC = re.compile(r"\bdriftmon(?::[a-z_]+)+|\bdriftmon_(?:monitor|column|exporter|links|build)_[a-z_]+")
LABELS = re.compile(r"(?:by|on) \(([a-z_, ]+)\)")
ANNOTATION = re.compile(r"^          (\w+):")


@dataclass(frozen=True)
class Mutant:
    """One changed line: its number from 1, what it became, and the alert or record that it belongs to."""

    number: int
    before: str
    after: str
    rule: str

    def __str__(self) -> str:
        return f"{self.rule}, line {self.number}:\n  - {self.before.strip()}\n  + {self.after.strip()}"


def mutants(text: str) -> Iterator[Mutant]:
    """Every small change of a rules file."""
    rule = ""
    for number, line in enumerate(text.splitlines(), start=1):
        named = re.match(r" +- (?:alert|record): (\S+)", line)
        rule = named[1] if named else rule
        if line.lstrip().startswith("#") or not rule:
            continue
        yield from (Mutant(number, line, after, rule) for after in dict.fromkeys(_changes(line)) if after != line)


def _changes(line: str) -> Iterator[str]:  # noqa: C901 - a list of kinds of changes, one after the other
    yield from _swapped(line)
    for found in LABELS.finditer(line):
        names = [name.strip() for name in found[1].split(",")]
        for name in names if len(names) > 1 else ():
            yield _with(line, found.span(1), ", ".join(other for other in names if other != name))
    for word, other in (("sort(", "sort_desc("), ("topk", "bottomk"), ("bottomk", "topk")):
        # Of exporters that disagree about an owner or an address, whose number is always 1, either is right.
        if "_info" not in line and "grafana_url, driftmon_url" not in line:
            yield from (_with(line, found.span(), other) for found in re.finditer(rf"\b{re.escape(word)}", line))
    if "max by (" in line:
        yield re.sub(r"max by \([^)]*\) \(", "(", line, count=1)
    for severity, other in (
        ("warning", "critical"),
        ("critical", "warning"),
        ("drift}", "freshness}"),
        ("exporter}", "drift}"),
    ):
        if "labels: {" in line and severity in line:
            yield line.replace(severity, other)
    if annotation := ANNOTATION.match(line):
        yield _with(line, annotation.span(1), f"no_{annotation[1]}")
    for found in re.finditer(r'(\w+=~?"[^"%]*")(?=[,}])|\w+=%q', line):
        if found[1]:  # a matcher that may go; those with %q are turned round
            yield _with(line, found.span(), "")
        else:
            yield _with(line, found.span(), found[0].replace("=", "!="))


def _swapped(line: str) -> Iterator[str]:
    for found in OPERATOR.finditer(line):
        yield _with(line, found.span(), OPPOSITES[found[0]])
    for found in NUMBER.finditer(line):
        for value in _other_numbers(found[0]):
            yield _with(line, found.span(), value)
    for found in METRIC.finditer(line):
        yield _with(
            line, found.span(), "driftmon_build_info" if found[0] != "driftmon_build_info" else "driftmon_links_info"
        )


def _other_numbers(number: str) -> list[str]:
    value = float(number)
    if value < 1:
        return [f"{value * 2:g}", f"{value / 2:g}"] if value else ["1"]
    return [f"{value * 2:g}", f"{value - 1:g}"] if value <= 20 else [f"{value * 2:g}", f"{value / 2:g}"]


def _with(line: str, span: tuple[int, int], text: str) -> str:
    return line[: span[0]] + text + line[span[1] :]


@dataclass(frozen=True)
class Piece:
    """What one test says of one alert, or of the records: the names of the rules that it needs, and the test file."""

    about: frozenset[str]
    needs: frozenset[str]
    document: dict[str, Any]

    @property
    def asserted(self) -> float:
        """How much it says for the minutes that it takes: those that say most are tried first."""
        [test] = self.document["tests"]
        cases = [*test.get("alert_rule_test", ()), *test.get("promql_expr_test", ())]
        minutes = max(int(case["eval_time"].removesuffix("m")) for case in cases)
        return len(json.dumps(cases)) / (20 + minutes)


def pieces(loaded: dict[str, Any], rules: dict[str, Any]) -> list[Piece]:
    """The tests, cut up by what they are about."""
    reads = _reads(rules)
    found = []
    for test in loaded["tests"]:
        cases: dict[frozenset[str], dict[str, list[Any]]] = {}
        for kind in ("alert_rule_test", "promql_expr_test"):
            for case in test.get(kind, ()):
                about = frozenset({case["alertname"]} if kind == "alert_rule_test" else _named(case["expr"], reads))
                cases.setdefault(about, {}).setdefault(kind, []).append(case)
        for about, kept in cases.items():
            bare = {key: value for key, value in test.items() if key not in {"alert_rule_test", "promql_expr_test"}}
            needs = frozenset().union(*(reads[name] for name in about))
            found.append(Piece(about, needs, loaded | {"tests": [bare | kept]}))
    return sorted(found, key=lambda piece: -piece.asserted)


def _named(expression: str, reads: dict[str, frozenset[str]]) -> set[str]:
    """The alerts that an expression of a test asks for, or the records."""
    alerts = re.search(r'alertname=~?"([^"]+)"', expression)
    if "ALERTS" in expression and not alerts:
        message = f"an expression of a test must name the alert that it is about: {expression}"
        raise ValueError(message)
    return set(alerts[1].split("|")) if alerts else {name for name in reads if name in expression}


def _reads(rules: dict[str, Any]) -> dict[str, frozenset[str]]:
    """The rules by name, each with the names of all that it reads, itself included."""
    texts: dict[str, str] = {}
    for group in rules["groups"]:
        for rule in group["rules"]:
            name = rule.get("alert") or rule["record"]
            texts[name] = texts.get(name, "") + json.dumps(rule)
    reads = {
        name: frozenset(other for other in texts if ":" in other and other in text) for name, text in texts.items()
    }
    for _ in texts:  # each round goes one reader further
        reads = {name: found.union({name}, *(reads[other] for other in found)) for name, found in reads.items()}
    return reads


def survivors(*, workers: int = 2, every: int = 1) -> tuple[int, list[Mutant]]:
    """How many changes were made, and those that no test notices; of all changes, every so many-th is made."""
    text = RULES.read_text(encoding="utf-8")
    loaded = yaml.load(TESTS.read_text(encoding="utf-8"), yaml.CSafeLoader)
    rules = yaml.load(text, yaml.CSafeLoader)
    cut = pieces(loaded, rules)
    everything = Piece(frozenset(), frozenset(_reads(rules)), loaded)
    alive = list(mutants(text))[::every]
    made = len(alive)
    changed = {mutant: _changed(text.splitlines(), mutant) for mutant in alive}
    own = {mutant: [*_of(mutant, cut), everything] for mutant in alive}
    with ThreadPoolExecutor(workers) as pool:
        if not all(_passes(pool, [(piece, rules) for piece in (*cut, everything)], workers)):
            message = "tests of the rules fail without any change: promtool test rules says which"
            raise RuntimeError(message)
        for place in range(len(cut) + 1):
            tried = [mutant for mutant in alive if place < len(own[mutant])]
            passed = _passes(pool, [(own[mutant][place], changed[mutant]) for mutant in tried], workers)
            killed = {mutant for mutant, passes in zip(tried, passed, strict=True) if not passes}
            alive = [mutant for mutant in alive if mutant not in killed]
    return made, alive


def _of(mutant: Mutant, cut: Sequence[Piece]) -> list[Piece]:
    """The pieces that can notice a change; those about its own rule first."""
    return sorted(
        (piece for piece in cut if mutant.rule in piece.needs), key=lambda piece: mutant.rule not in piece.about
    )


def _changed(lines: Sequence[str], mutant: Mutant) -> dict[str, Any] | None:
    """The rules after a change; nothing where it is no YAML any more."""
    text = "\n".join([*lines[: mutant.number - 1], mutant.after, *lines[mutant.number :]])
    try:
        return yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None


def _passes(pool: ThreadPoolExecutor, tries: Sequence[tuple[Piece, dict[str, Any] | None]], workers: int) -> list[bool]:
    """Whether each test passes with its rules, in order; one process runs many."""
    size = min(40, -(-len(tries) // workers)) or 1
    chunks = [tries[start : start + size] for start in range(0, len(tries), size)]
    return [passed for found in pool.map(_run, chunks) for passed in found]


def _run(tries: Sequence[tuple[Piece, dict[str, Any] | None]]) -> list[bool]:
    names = [f"{number}.test.json" for number in range(len(tries))]
    with tempfile.TemporaryDirectory() as folder:
        for name, (piece, rules) in zip(names, tries, strict=True):
            kept = {"groups": [{"name": "broken"}] * 2} if rules is None else _only(rules, piece.needs)
            own = Path(folder) / f"rules-of-{name}"
            own.write_text(json.dumps(kept), encoding="utf-8")
            (Path(folder) / name).write_text(json.dumps(piece.document | {"rule_files": [own.name]}), encoding="utf-8")
        done = subprocess.run(
            ["promtool", "test", "rules", *names], cwd=folder, capture_output=True, check=False, text=True, timeout=600
        )
    # What is wrong is told on the other stream, or on this one.
    run = re.findall(r"^Unit Testing: +(\S+)(\n +SUCCESS)?", done.stdout, re.MULTILINE)
    if [name for name, _ in run] != names:
        message = f"promtool ran {len(run)} test files of {len(tries)}: {done.stderr[-500:]}"
        raise RuntimeError(message)
    return [bool(success) for _, success in run]


def _only(rules: dict[str, Any], needs: frozenset[str]) -> dict[str, Any]:
    groups = (
        {
            "name": group["name"],
            "rules": [rule for rule in group["rules"] if (rule.get("alert") or rule.get("record")) in needs],
        }
        for group in rules["groups"]
    )
    return {"groups": [group for group in groups if group["rules"]]}


def main() -> int:
    """Print the survivors."""
    if shutil.which("promtool") is None:
        print("promtool is not installed: apt-get install prometheus", file=sys.stderr)
        return 2
    count, alive = survivors(workers=os.cpu_count() or 1)
    for mutant in alive:
        print(mutant)
    print(f"{count} changes, {len(alive)} that no test notices")
    return int(bool(alive))


if __name__ == "__main__":
    sys.exit(main())

"""
Change the alert rules in every small way that means something, and see that their tests fail for each change.

``python scripts/mutate_rules.py`` prints the changes that no test notices, and exits with 1 if there are any. Needs promtool, of the
Debian package ``prometheus``. Takes four minutes on two cores; the test-suite makes every eighth change.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    if "max by (" in line and "recording" not in line:
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
        # The first of the two lowest is the lowest: `first` takes it either way.
        if (
            not line.startswith("bottomk(1", found.start() - len("bottomk("))
            or "| query }}" not in line
            or "sort(" in line
        ):
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


def survivors(*, workers: int = 2, every: int = 1) -> tuple[int, list[Mutant]]:
    """How many changes were made, and those that no test notices; of all changes, every so many-th is made."""
    text = RULES.read_text(encoding="utf-8")
    loaded = yaml.safe_load(TESTS.read_text(encoding="utf-8"))
    tests = [(str(test), yaml.safe_dump(loaded | {"tests": [test]}, allow_unicode=True)) for test in loaded["tests"]]
    changes = list(mutants(text))[::every]

    def survives(mutant: Mutant) -> bool:
        lines = text.splitlines()
        lines[mutant.number - 1] = mutant.after
        # Those that speak of the rule first: one of them usually notices.
        ordered = sorted(tests, key=lambda test: -test[0].count(mutant.rule))
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / RULES.name).write_text("\n".join(lines) + "\n", encoding="utf-8")
            return all(_passes(Path(folder), test) for _, test in ordered)

    with ThreadPoolExecutor(workers) as pool:
        alive = list(pool.map(survives, changes))
    return len(changes), [mutant for mutant, lives in zip(changes, alive, strict=True) if lives]


def _passes(folder: Path, test: str) -> bool:
    (folder / TESTS.name).write_text(test, encoding="utf-8")
    command = ["promtool", "test", "rules", TESTS.name]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60).returncode == 0


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

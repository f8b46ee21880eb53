"""Tests of the rules notice when a rule changes."""

import importlib.util
import sys

from tests.alerting.programs import ROOT, program

SCRIPT = ROOT / "scripts" / "mutate_rules.py"


def test_no_change_of_a_rule_goes_unnoticed(monkeypatch):
    program("promtool", "prometheus")
    spec = importlib.util.spec_from_file_location("mutate_rules", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mutate_rules", module)  # dataclasses look their module up
    spec.loader.exec_module(module)

    changes, alive = module.survivors(every=4)

    assert changes > 140
    assert [str(mutant) for mutant in alive] == []

"""Tests of the rules notice when a rule changes."""

import importlib.util

from tests.alerting.programs import ROOT, program

SCRIPT = ROOT / "scripts" / "mutate_rules.py"


def test_no_change_of_a_rule_goes_unnoticed():
    program("promtool", "prometheus")
    spec = importlib.util.spec_from_file_location("mutate_rules", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["mutate_rules"] = module
    spec.loader.exec_module(module)

    changes, alive = module.survivors(every=8)

    assert changes > 50
    assert [str(mutant) for mutant in alive] == []

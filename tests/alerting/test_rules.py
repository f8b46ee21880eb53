"""The rules of Prometheus: they are valid, do what they should minute by minute, and rely on nothing that is not exported."""

import re

import yaml

from driftmon.core.verdict import Status
from driftmon.findings import PATIENCE, Alert
from driftmon.metrics import FAMILIES
from tests.alerting.programs import PROMETHEUS, RULES, alert_names, program, rules, run

ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDS = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
KNOWN_LABELS = {"severity", "component", "owner", "model", "monitor", "column", "role", "segment"}


def asked_by(alert):
    """The expression of an alert, or of the record that it is."""
    return RECORDS.get(alert["expr"], alert["expr"])


def texts(rule):
    return [rule["expr"], *rule.get("annotations", {}).values()]


def test_promtool_finds_no_fault_in_the_rules():
    promtool = program("promtool", "prometheus")

    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *sorted(PROMETHEUS.glob("*.rules.yml")))
    run(promtool, "check", "config", PROMETHEUS / "prometheus.yml")


def test_the_rules_do_what_their_tests_say():
    run(program("promtool", "prometheus"), "test", "rules", PROMETHEUS / "driftmon.rules.test.yml")


def test_every_alert_of_the_contract_is_there():
    assert alert_names() == [
        "DriftmonColumnDrift",
        "DriftmonColumnsNotEvaluated",
        "DriftmonExporterDown",
        "DriftmonExporterRefreshFailing",
        "DriftmonExporterSeriesDropped",
        "DriftmonMonitorFailing",
        "DriftmonMonitorNeverSucceeded",
        "DriftmonMonitorStale",
        "DriftmonQualityProblem",
        "DriftmonSustainedDrift",
        "DriftmonWidespreadDrift",
    ]


def test_every_metric_that_a_rule_asks_for_is_exported_or_recorded():
    exported = {family.name for family in FAMILIES}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {
        name
        for rule in rules()
        for text in texts(rule)
        for name in re.findall(r"\bdriftmon(?::[a-z_]+)+|\bdriftmon_[a-z_]+", text)
    }

    assert asked - exported - recorded - {"driftmon_url", "driftmon__"} == set()
    assert recorded <= asked


def test_every_label_that_a_rule_selects_by_has_that_value():
    for rule in rules():
        for text in texts(rule):
            for status in re.findall(r'status=~?"([^"]+)"', text):
                assert set(status.split("|")) <= {known.value for known in Status}, rule


def test_every_alert_says_how_severe_it_is_what_it_is_about_and_where_to_look():
    for rule in ALERTS:
        assert rule["labels"].keys() == {"severity", "component"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["labels"]["component"] in {"drift", "freshness", "exporter"}
        asked = {"summary", "description", "dashboard_url", "status_url", "runbook_url"}
        assert asked <= rule["annotations"].keys()
        names = "" if rule["labels"]["component"] == "exporter" else "?monitor={{ $labels.monitor | urlquery }}"
        assert f"/runbooks/{rule['alert']}{names}{{{{ end }}}}" in re.sub(
            r"&column=.*(?=\{\{ end \}\}$)", "", rule["annotations"]["runbook_url"]
        )


def test_no_text_that_changes_with_each_window_can_become_a_label_of_an_alert():
    for rule in ALERTS:
        expression = asked_by(rule)
        kept = set(re.findall(r"\b(?:by|group_left) \(([^)]*)\)", expression))
        labels = {name.strip() for names in kept for name in names.split(",")} - {"", "check"}

        assert labels <= KNOWN_LABELS


def test_every_vector_match_names_its_labels():
    # Without `on`, two exporters make "many-to-many" of a match, and the rule falls silent.
    for rule in rules():
        matches = re.findall(r"\b(?:and|or|unless|group_left)\b(?! on| \()", rule["expr"])

        assert matches == [] or rule["alert"] == "DriftmonExporterRefreshFailing", rule


def test_what_findings_say_alerts_is_what_the_rules_alert():
    by_severity = {
        rule["labels"]["severity"]: int(re.search(r">= (\d+)", asked_by(rule))[1])
        for rule in ALERTS
        if rule["alert"] == "DriftmonColumnDrift"
    }
    severities = {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}

    assert by_severity == {severity.value: windows for severity, windows in PATIENCE.items()}
    for name in ("DriftmonSustainedDrift", "DriftmonQualityProblem", "DriftmonColumnsNotEvaluated"):
        assert Alert(name, "warning").name in alert_names()
        assert (name, "warning") in severities


def test_rules_set_no_interval_of_their_own():
    assert all("interval" not in group for group in yaml.safe_load(RULES.read_text())["groups"])

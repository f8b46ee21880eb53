"""The table of families: the names that the contract promises, their conventions, and the document about them."""

import re
from pathlib import Path

import pytest

from driftmon.metrics import (
    COLUMN_FAMILIES,
    COLUMN_LABELS,
    EXPORTER_FAMILIES,
    FAMILIES,
    FINDING_FAMILIES,
    MONITOR_FAMILIES,
    MONITOR_LABELS,
    series_of,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"

PROMISED = {
    "driftmon_column_kl_divergence_nats": set(),
    "driftmon_column_kl_lower_bound_nats": set(),
    "driftmon_column_kl_noise_floor_nats": set(),
    "driftmon_column_kl_threshold_nats": {"severity"},
    "driftmon_column_consecutive_breached_windows": {"severity"},
    "driftmon_column_sustained_drift": set(),
    "driftmon_column_finding_rank": {"text"},
    "driftmon_monitor_headline_info": {"text"},
    "driftmon_column_quality_problem": {"check"},
    "driftmon_column_kl_usual_limit_nats": set(),
    "driftmon_column_expected_novel_ratio": set(),
    "driftmon_column_top_value_ratio": set(),
    "driftmon_column_reference_top_value_ratio": set(),
    "driftmon_column_missing_ratio": set(),
    "driftmon_column_reference_missing_ratio": set(),
    "driftmon_column_novel_ratio": set(),
    "driftmon_monitor_columns": {"status"},
    "driftmon_monitor_rows": {"dataset"},
    "driftmon_monitor_window_end_timestamp_seconds": set(),
    "driftmon_monitor_last_success_timestamp_seconds": set(),
    "driftmon_monitor_last_run_successful": set(),
    "driftmon_monitor_consecutive_failed_runs": set(),
    "driftmon_monitor_max_window_age_seconds": set(),
    "driftmon_monitor_complete": set(),
    "driftmon_monitor_info": {"owner", "schedule", "timezone", "baseline"},
}

by_name = {family.name: family for family in FAMILIES}
each_family = pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])


def test_the_promised_families_are_there_with_their_labels():
    for name, own in PROMISED.items():
        identity = COLUMN_LABELS if name.startswith("driftmon_column_") else MONITOR_LABELS
        assert set(by_name[name].labels) == {*identity, *own}

    assert set(by_name) - set(PROMISED) == {family.name for family in EXPORTER_FAMILIES}


def test_no_name_is_used_twice():
    assert len(by_name) == len(FAMILIES)


def test_labels_begin_with_what_identifies_the_series():
    for families, identity in (
        (MONITOR_FAMILIES, MONITOR_LABELS),
        (FINDING_FAMILIES, COLUMN_LABELS),
        (COLUMN_FAMILIES, COLUMN_LABELS),
    ):
        for family in families:
            assert family.labels[: len(identity)] == identity


@each_family
def test_names_and_helps_follow_the_conventions(family):
    assert re.fullmatch(r"driftmon_(monitor|column|exporter|build|links)_[a-z_]+", family.name)
    assert family.name.endswith("_total") == (family.type == "counter")
    # The exposition writes the help as it stands, so it must need no escaping.
    assert re.fullmatch(r"[^\\\n\"]+\.", family.help)


@each_family
def test_no_label_is_one_that_prometheus_gives_a_meaning_of_its_own(family):
    assert not {"job", "instance", "le", "quantile"} & set(family.labels)


def test_the_document_describes_every_family_as_it_is():
    rows = [
        tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith("| `driftmon_")
    ]

    assert rows == [
        (f"`{family.name}`", family.type, ", ".join(family.labels) or "—", family.help) for family in FAMILIES
    ]


def test_the_document_names_no_family_that_is_not_there():
    assert set(re.findall(r"driftmon_(?:monitor|column|exporter|build|links)_\w+", DOCUMENT.read_text())) == set(
        by_name
    )


def test_the_document_says_how_many_series_there_are_and_which_are_left_out_first():
    text = " ".join(DOCUMENT.read_text().split())
    optional = [f"`{family.name}`" for family in reversed((*FINDING_FAMILIES, *COLUMN_FAMILIES)) if family.optional]

    assert f"({', '.join(optional)}, in this order)" in text
    assert f"A monitor has {series_of(0)} series, and up to {series_of(1) - series_of(0)} more for each column" in text
    assert f"20 monitors of 50 columns are at most {20 * series_of(50):,} series" in text


def test_only_what_alerts_need_is_not_optional():
    assert [family.name for family in COLUMN_FAMILIES if not family.optional] == [
        "driftmon_column_kl_divergence_nats",
        "driftmon_column_kl_threshold_nats",
        "driftmon_column_consecutive_breached_windows",
        "driftmon_column_sustained_drift",
        "driftmon_column_quality_problem",
    ]

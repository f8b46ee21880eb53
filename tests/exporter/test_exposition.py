"""What Prometheus reads: the golden text, and laws over hostile names with the reference parser as oracle."""

import math
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.verdict import Status, Threshold
from driftmon.exporter.exposition import SNAPSHOT_FAMILIES, exposition, label_value, render_exporter, render_monitor
from driftmon.exporter.snapshot import SnapshotBuilder
from driftmon.findings import Alert, Finding
from driftmon.metrics import ExporterState
from driftmon.settings import Links
from driftmon.store.records import MonitorFacts

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics.txt"
HOSTILE = [
    'say "hi"',
    "back\\slash",
    "two\nlines",
    "עמודה",
    "\u202eright to left",
    "📈 drift",
    "x" * 300,
    "{a=1} # 2,",
    " ",
]

# Everything but the control characters that are made harmless; newline is one that the format itself can carry.
harmless = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('\n"\\{},= #'), max_size=100)
control = st.characters(categories=["Cc", "Cs"], exclude_characters="\n")
numbers = st.floats(allow_nan=False, allow_infinity=False)


def rendered(*monitors):
    chunks = [render_monitor(one) for one in monitors]
    places = range(len(SNAPSHOT_FAMILIES))
    return exposition(SNAPSHOT_FAMILIES, [[chunk[place] for chunk in chunks] for place in places]).decode()


def samples(text):
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def of(text, name, **labels):
    return [s for s in samples(text) if s.name == name and labels.items() <= s.labels.items()]


@pytest.fixture(scope="module")
def text(column, monitor):
    flights = monitor(
        "flights",
        column("dep_delay", status=Status.WARNING, kl=0.0431, lower_bound=0.0213, breached_windows={"warning": 2, "critical": 0}),
        column("p_late", role="prediction", threshold=Threshold(warning=0.01, critical=0.05), kl=1e-05, sustained=True),
        column("carrier", status=Status.SCHEMA_CHANGED, kl=None, lower_bound=None, noise_floor=None, missing_ratio=None, novel_ratio=None,
            usual_limit=None, expected_novel_ratio=None, sustained=None, quality=()),
        column("origin", expected_novel_ratio=0.001, novel_ratio=0.05, usual_limit=None, quality=(
            Quality(QualityCheck.MISSING, None, 0.0, 0.0, 1.0, 1.0, problem=False),
            Quality(QualityCheck.NOVEL, None, 0.001, 0.05, 1e-9, 4e-9, problem=True),
            Quality(QualityCheck.TOP_VALUE, "EWR", 0.4, 0.41, 0.6, 0.9, problem=False),
        )),
        column('say "hi"\\\n', novel_ratio=None),
        column("dep_delay", segment="origin=JFK", status=Status.CRITICAL, kl=0.25, breached_windows={"warning": 1, "critical": 1}, quality=()),
        headline="2 of 5 columns drifted: dep_delay where origin=JFK (critical), dep_delay (warning) (964 rows of 2013-05-01)",
        findings=(
            Finding("dep_delay", "feature", "origin=JFK", Status.CRITICAL, (Alert("DriftmonColumnDrift", Status.CRITICAL),),
                "KL 0.250 nats: at least 2.1 × the critical threshold 0.1; since 2013-05-01 (first day); (41, 120] 10 % → 18 %"),
            Finding("dep_delay", "feature", None, Status.WARNING, (), "KL 0.043 nats: at least 1.0 × the warning threshold 0.02"),
        ),
    )  # fmt: skip
    new = monitor(
        "new",
        facts=MonitorFacts("new", "churn", "", "", "6h", "UTC", 28800.0),
        window=None,
        baseline=None,
        reference_rows=None,
        live_rows=None,
        last_success_at=None,
        last_run_successful=False,
        consecutive_failed_runs=3,
    )
    state = ExporterState(
        "0.1.0",
        "3.11.2",
        Links("https://grafana.example.org", "http://127.0.0.1:9877"),
        successful=True,
        successes=4,
        failures=1,
        succeeded_at=datetime(2013, 5, 2, 3, tzinfo=UTC),
        seconds=0.25,
        series=57,
    )
    return rendered(flights, new) + render_exporter(state).decode()


def test_the_metrics_of_known_monitors_are_the_golden_text(text):
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)

    assert text == GOLDEN.read_text(), "metrics are a contract; if this change is meant, run with UPDATE_GOLDEN=1"


def test_promtool_accepts_the_golden_text(text, promtool):
    assert promtool(text.encode()) == ""


def test_promtool_accepts_hostile_names(column, monitor, promtool):
    names = [*HOSTILE, "\x00", "\x1b[31m", "\r", "\t", "\x85", "\ud800", "\u2028"]

    assert promtool(rendered(monitor("hostile", *map(column, names))).encode()) == ""


def test_each_family_is_described_once_and_its_samples_follow_each_other(text):
    described = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    runs = [name for name, before in _pairs(re.findall(r"^(\w+)[ {]", text, re.MULTILINE)) if name != before]

    assert described == runs
    assert len(set(runs)) == len(runs)


def _pairs(names):
    return zip(names, [None, *names], strict=False)


def test_no_sample_carries_a_timestamp_or_a_number_that_is_none(text):
    assert all(sample.timestamp is None and math.isfinite(sample.value) for sample in samples(text))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_column_name_arrives_as_it_was(name, column, monitor):
    text = rendered(monitor("flights", column(name)))

    [sample] = of(text, "driftmon_column_kl_divergence_nats")
    assert sample.labels == {"model": "arrival-delay", "monitor": "flights", "column": name, "role": "feature"}


@given(names=st.lists(harmless, min_size=1, max_size=5, unique=True), segment=harmless, kl=numbers)
@settings(deadline=None)
def test_what_a_parser_reads_is_what_went_in(names, segment, kl, column, monitor):
    text = rendered(monitor("m", *(column(name, segment=segment, kl=kl) for name in names)))

    found = of(text, "driftmon_column_kl_divergence_nats")
    assert [sample.labels["column"] for sample in found] == names
    assert {sample.labels["segment"] for sample in found} == {segment}
    assert {sample.value for sample in found} == {kl}


@given(before=harmless, character=control, after=harmless)
def test_control_characters_are_written_by_their_number(before, character, after):
    value = label_value(before + character + after)

    assert value == f"{label_value(before)}<U+{ord(character):04X}>{label_value(after)}"
    value.encode()


def test_a_label_longer_than_scrapes_allow_is_shortened_and_stays_unique():
    first, second = (label_value("📈" * 1000 + end) for end in "ab")

    assert first != second
    assert max(len(first.encode()), len(second.encode())) <= 512
    assert first.startswith("📈" * 100)


def test_only_series_of_segments_have_the_label_segment(text):
    with_segment = [s.labels for s in samples(text) if "segment" in s.labels]

    assert {labels["segment"] for labels in with_segment} == {"origin=JFK"}
    assert {labels["column"] for labels in with_segment} == {"dep_delay"}


def test_every_status_has_a_series_and_segments_are_not_counted(text):
    counts = {s.labels["status"]: s.value for s in of(text, "driftmon_monitor_columns", monitor="flights")}

    assert counts == dict.fromkeys(Status, 0) | {"warning": 1, "ok": 3, "schema_changed": 1}


def test_a_monitor_that_was_never_checked_has_every_status_at_zero(text):
    counts = {s.labels["status"]: s.value for s in of(text, "driftmon_monitor_columns", monitor="new")}

    assert counts == dict.fromkeys(Status, 0)


def test_a_column_without_a_number_has_no_kl_series_but_keeps_its_thresholds(text):
    assert of(text, "driftmon_column_kl_divergence_nats", column="carrier") == []
    assert len(of(text, "driftmon_column_kl_threshold_nats", column="carrier")) == 2


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_not_exported(number, column, monitor):
    text = rendered(monitor("flights", column(kl=number)))

    assert of(text, "driftmon_column_kl_divergence_nats") == []


def test_a_series_count_is_the_number_of_sample_lines(column, monitor, shelf):
    shelf.put(monitor("a", column())).put(monitor("b", column(), column("x", kl=None)))

    snapshot = SnapshotBuilder(max_series=1000).build(shelf).snapshot

    assert snapshot.series == len(samples(snapshot.text.decode()))

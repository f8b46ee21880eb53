"""The views that dashboards read say what the core computed, the same on both databases."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, text

from driftmon.core.check import Policy
from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.verdict import Status, Threshold
from driftmon.exporter.exposition import label_value
from driftmon.store.engine import Database
from driftmon.store.store import Store
from driftmon.store.types import Verbatim
from tests.store.factories import NOW, baseline_of, day, facts, result_of, rows
from tests.store.test_laws import comparisons, law, names
from tests.store.views import DOCUMENT, VIEWS, role_of_the_document, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from driftmon.core.baseline import Baseline
    from driftmon.core.result import CheckResult, ColumnResult

BASELINE = baseline_of(rows(0, 3_000), segments={"carrier=UA": rows(9, 700)}, days=10)


@pytest.fixture
def database(results_database: str) -> Iterator[Database]:
    with closing(Database(results_database)) as opened:
        yield opened


def save(url: str, baseline: Baseline, *results: CheckResult) -> list[CheckResult]:
    """Write results down; gives what is stored."""
    with Store.open(url) as store:
        for result in results:
            store.save_baseline(result.monitor, baseline, now=NOW)
            store.save_check(result, facts(result.monitor), started_at=NOW, now=NOW)
        return store.load_checks(results[0].monitor)


def as_in_the_view(name: str) -> str:
    """A name with the few characters escaped that no database holds."""
    return Verbatim().process_bind_param(name, None)


def bins_by_column(connection, monitor: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in sorted(rows_of(connection, "grafana_column_bins", monitor=monitor), key=lambda row: row["position"]):
        found[row["column_name"], row["segment"]].append(row)
    return found


def assert_bins_are_those_of(column: ColumnResult, found: list[dict[str, Any]]) -> None:
    assert [row["position"] for row in found] == list(range(len(column.bins)))
    assert [row["reference_count"] for row in found] == list(column.reference.counts)
    live = [None] * len(found) if column.live is None else list(column.live.counts)
    assert [row["live_count"] for row in found] == live
    contributions = [row["contribution"] for row in found]
    if column.scores is None:
        assert contributions == [None] * len(found)
        return
    assert contributions == pytest.approx(column.scores.contributions, rel=1e-9, abs=1e-9)
    assert math.fsum(contributions) == pytest.approx(column.scores.kl, rel=1e-9, abs=1e-9)
    assert all(row["kl"] == column.scores.kl for row in found)
    assert math.fsum(row["reference_share"] for row in found) == pytest.approx(1)
    assert math.fsum(row["live_share"] for row in found) == pytest.approx(1)


@law
@given(comparisons())
def test_the_views_say_what_the_check_computed_and_contributions_add_up_to_kl(results_database: str, comparison):
    baseline, result = comparison
    monitor = next(names)
    [stored] = save(results_database, baseline, dataclasses.replace(result, monitor=monitor))

    with closing(Database(results_database)) as database, database.reading() as connection:
        bins = bins_by_column(connection, monitor)
        found = rows_of(connection, "grafana_column_results", monitor=monitor)

    by_name = {(row["column_name"], row["segment"]): row for row in found}
    assert len(bins) == len(found) == len(by_name) == len(stored.columns)
    for column in stored.columns:
        name = as_in_the_view(column.column), as_in_the_view(column.segment or "")
        assert_row_is_that_of(column, by_name[name])
        assert_bins_are_those_of(column, bins[name])


def assert_row_is_that_of(column: ColumnResult, row: dict[str, Any]) -> None:
    scores = column.scores
    assert (row["role"], row["kind"]) == (column.role, str(column.kind))
    assert (row["status"], row["urgency"]) == (str(column.status), column.status.urgency)
    assert (row["warning_threshold"], row["critical_threshold"]) == (
        column.threshold.warning,
        column.threshold.critical,
    )
    for name in ("kl", "lower_bound", "upper_bound", "bound", "noise_floor", "usual_limit", "p_value", "q_value"):
        assert row[name] == (None if scores is None else getattr(scores, name)), name
    for name in ("warning", "critical"):
        threshold = getattr(column.threshold, name)
        ratio = None if scores is None or threshold == 0 else scores.bound / threshold
        assert row[f"{name}_ratio"] == (None if ratio is None else pytest.approx(ratio))
    assert row["reference_rows"] == column.reference.rows
    assert row["live_rows"] == (None if column.live is None else column.live.rows)
    assert row["novel_ratio"] == column.novel
    assert row["expected_novel_ratio"] == column.expected_novel
    missing = column.reference.missing / column.reference.rows if column.reference.rows else None
    assert row["reference_missing_ratio"] == (None if missing is None else pytest.approx(missing))
    assert (row["quality_problems"] or "") == ", ".join(str(quality.check) for quality in column.problems)
    assert row["sustained"] == (None if column.sustained is None else column.sustained.drifting)


def results() -> list[CheckResult]:
    """A quiet day, two on which everything moved, one on which a column is gone, and one without rows."""
    return [
        result_of(BASELINE, rows(1), day(1)),
        result_of(BASELINE, rows(2, shift=1.0, late=0.5), day(2)),
        result_of(BASELINE, rows(3, shift=1.5, late=0.6), day(3), policy=Policy(Threshold(0.2, 5.0), min_rows=50)),
        result_of(BASELINE, rows(4), day(4), problems={"delay": "gone from the live data"}),
        result_of(BASELINE, rows(5, 0), day(5)),
    ]


def comparable(value: Any) -> Any:
    """A value of either database, as the other has it."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
        return datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value


def test_both_databases_give_the_same_rows(tmp_path: Path, postgresql_url: str):
    from driftmon.store.migrate import upgrade

    found = []
    for url in (f"sqlite:///{tmp_path}/results.db", postgresql_url):
        upgrade(url)
        save(url, BASELINE, *results())
        with closing(Database(url)) as database, database.reading() as connection:
            found.append({view: rows_of(connection, view) for view in VIEWS})

    embedded, server = found
    for view in VIEWS:
        assert [list(row) for row in embedded[view][:1]] == [list(row) for row in server[view][:1]]
        key = lambda row: [str(comparable(row.get(name))) for name in KEY]  # noqa: E731
        assert len(embedded[view]) == len(server[view]) > 0
        for mine, theirs in zip(sorted(embedded[view], key=key), sorted(server[view], key=key), strict=True):
            assert {name: comparable(value) for name, value in mine.items()} == {
                name: comparable(value) for name, value in theirs.items()
            }
    assert isinstance(server["grafana_windows"][0]["window_start"], datetime)


KEY = ("window_start", "column_name", "segment", "position")


def test_a_window_says_how_many_columns_moved_and_which_were_not_checked(results_database: str, database: Database):
    save(results_database, BASELINE, *results())

    with database.reading() as connection:
        found = sorted(rows_of(connection, "grafana_windows"), key=lambda row: str(row["window_start"]))

    counts = [
        tuple(row[f"{name}columns"] for name in ("", "critical_", "warning_", "unchecked_"))
        for row in found
    ]  # fmt: skip
    assert counts == [(3, 0, 0, 0), (3, 2, 0, 0), (3, 0, 2, 0), (3, 0, 0, 1), (3, 0, 0, 3)]
    assert [row["live_rows"] for row in found] == [600, 600, 600, 600, 0]
    assert [row["status"] for row in found] == ["ok", "critical", "warning", "schema_changed", "no_data"]
    assert {row["reference_rows"] for row in found} == {3_000}


def test_the_thresholds_are_those_that_were_in_force_in_each_window(results_database: str, database: Database):
    save(results_database, BASELINE, *results())

    with database.reading() as connection:
        found = sorted(
            rows_of(connection, "grafana_column_results", column_name="delay", segment=""),
            key=lambda row: str(row["window_start"]),
        )

    assert [row["critical_threshold"] for row in found] == [0.1, 0.1, 5.0, 0.1, 0.1]
    assert found[1]["critical_ratio"] == found[1]["bound"] / 0.1 > 1


@pytest.mark.parametrize("value", ["NUL\x00", "\ud800", "😀", '"problem":true}', "back\\u0000slash", "\\"])
def test_a_quality_problem_is_named_whatever_value_it_is_about(results_database: str, database: Database, value: str):
    [first, *_] = results()
    checks = (
        Quality(QualityCheck.MISSING, None, 0.02, 0.05, 1e-9, 1e-9, problem=True),
        Quality(QualityCheck.NOVEL, None, 0.0, 0.0, 0.9, 0.9, problem=False),
        Quality(QualityCheck.TOP_VALUE, value, 0.1, 0.4, 1e-9, 1e-9, problem=True),
    )
    columns = (dataclasses.replace(first.columns[0], quality=checks), *first.columns[1:])
    save(results_database, BASELINE, dataclasses.replace(first, columns=columns))

    with database.reading() as connection:
        found = rows_of(connection, "grafana_column_results", column_name=first.columns[0].column, segment="")

    assert [row["quality_problems"] for row in found] == ["missing, top_value"]


@law
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_a_variable_comes_out_of_its_encoding_as_it_was(postgresql_server, upgraded_postgresql, name: str):
    # What JavaScript's encodeURIComponent leaves alone and Grafana's format does not is encoded too: ! ' ( ) *
    with closing(Database(postgresql_server.url(upgraded_postgresql))) as database, database.reading() as connection:
        found = connection.execute(text(f"SELECT grafana_text('{quote(name, safe='').replace(':', '%3A')}')")).scalar()

    assert found == name


@pytest.mark.parametrize("name", ["age", "x" * 512, "x" * 513, "עמודה" * 60, 'say "hi" \\ \n' * 90])
def test_a_name_is_known_by_its_label_on_metrics_too(postgresql_server, upgraded_postgresql, name: str):
    label = label_value(name).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
    asked = text("SELECT grafana_is(:name, :label), grafana_is(:name, 'another'), grafana_is(:other, :label)")

    with closing(Database(postgresql_server.url(upgraded_postgresql))) as database, database.reading() as connection:
        given = {"name": name, "label": quote(label, safe=""), "other": name + "x"}
        assert connection.execute(asked, given).one() == (True, False, False)


def test_a_reader_needs_the_views_only(postgresql_server, postgresql_url: str):
    from driftmon.store.migrate import upgrade

    upgrade(postgresql_url)
    save(postgresql_url, BASELINE, results()[0])
    name = postgresql_url.rsplit("/", 1)[1]
    for statement in role_of_the_document("grafana_reader_of_a_test", "a-word", name):
        postgresql_server.execute(statement, name)
    try:
        reader = postgresql_server.url(name, user="grafana_reader_of_a_test", password="a-word")
        with closing(Database(reader, read_only=True)) as database, database.reading() as connection:
            assert all(rows_of(connection, view) for view in VIEWS)
            assert connection.execute(text("SELECT grafana_text('a%20b')")).scalar() == "a b"
            allowed = text("SELECT has_table_privilege('driftmon_checks', 'SELECT')")
            assert connection.execute(allowed).scalar() is False
            assert connection.execute(text("SHOW statement_timeout")).scalar() == "15s"
            assert connection.execute(text("SHOW default_transaction_read_only")).scalar() == "on"
    finally:
        postgresql_server.execute("DROP OWNED BY grafana_reader_of_a_test", name)
        postgresql_server.execute("DROP ROLE grafana_reader_of_a_test")


def test_the_document_names_every_column_of_every_view(database: Database):
    with database.reading() as connection:
        found = {view: [column["name"] for column in inspect(connection).get_columns(view)] for view in VIEWS}

    sections = re.split(r"^### `(\w+)`$", DOCUMENT.read_text(), flags=re.MULTILINE)
    described = {
        name: re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)))
        for name, section in zip(sections[1::2], sections[2::2], strict=True)
        if name in VIEWS
    }
    assert described == found


def test_the_views_know_the_urgency_of_every_status(database: Database):
    with database.reading() as connection:
        definitions = [inspect(connection).get_view_definition(view) for view in VIEWS[:2]]

    for definition in definitions:
        written = re.findall(r"WHEN '(\w+)'(?:::text)? THEN (\d)", definition)
        assert {name: int(urgency) for name, urgency in written} == {str(status): status.urgency for status in Status}

"""
The tables of the results database.

This is the schema that the code works with; `migrations` leads an existing database there, and a test holds the two equal.
Layouts and counts are JSON lists in text columns, so that SQL can unnest them and a row stays one row however many bins it has.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    text,
)

from driftmon.core.verdict import Status
from driftmon.store.types import Instant, Verbatim

__all__ = [
    "BREACHED",
    "EVALUATED",
    "RATIOS",
    "SCHEMA_VERSION",
    "SCORES",
    "SUSTAINED",
    "VERSION_TABLE",
    "baseline_columns",
    "baseline_histograms",
    "baseline_profiles",
    "baselines",
    "checks",
    "column_results",
    "metadata",
    "monitors",
    "notifications",
    "promotions",
    "runs",
    "step_counts",
]

SCHEMA_VERSION = "0007"
"""The newest migration: the version that this driftmon reads and writes."""

VERSION_TABLE = "driftmon_schema"

RATIOS = ("missing_ratio", "novel_ratio", "expected_novel")
"""Shares in [0, 1] of a column's live rows; null where they cannot be told."""

SCORES = (
    *("kl", "kl_reverse", "psi", "js", "noise_floor", "excess", "lower_bound", "upper_bound", "lower_bound_reverse"),
    *("p_value", "p_iid", "p_history", "q_value", "day_effect", "usual_limit"),
)
"""The numbers of `driftmon.core.result.Scores`, under its names; those that it lacks here follow from the counts."""

SUSTAINED = ("ewma", "sustained_p_value", "sustained_q_value", "pooled_lower_bound")
"""The numbers of `driftmon.core.sustained.Sustained`."""

EVALUATED = [str(status) for status in Status if status.evaluated]
"""What stands in a row of results whose numbers led to a verdict."""

_BREACHES = ["warning", "critical"]
_WHERE_BREACHED = text("status IN ('warning', 'critical')")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only in a column declared INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", Id, Identity(), primary_key=True)


def _reference(name: str, table: str, *, cascade: bool = True, primary_key: bool = False) -> Column[int]:
    # Without a cascade, what is still referred to cannot be deleted.
    key = ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else None)
    return Column(name, Id, key, nullable=False, primary_key=primary_key)


def _finite(*names: str) -> CheckConstraint:
    """A second guard, for other writers: NaN is larger than any number on PostgreSQL and null on SQLite, infinity is outside."""
    return CheckConstraint(" AND ".join(f"{name} BETWEEN -1e308 AND 1e308" for name in names), name="finite")


monitors = Table(
    "driftmon_monitors",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("revision", String(32), nullable=False, comment="new with every write that concerns the monitor"),
    # What the monitor's file says; null until its first check.
    Column("model", Verbatim),
    Column("owner", Verbatim),
    Column("description", Verbatim),
    Column("schedule", Verbatim),
    Column("timezone", Verbatim),
    Column("max_window_age", Double, comment="seconds"),
    Column("last_end", Instant, comment="of the last window that there will be; null if there is always a next one"),
    Column("updated_at", Instant),
    _finite("max_window_age"),
    sqlite_autoincrement=True,
)

baselines = Table(
    "driftmon_baselines",
    metadata,
    _id(),
    _reference("monitor_id", "driftmon_monitors"),
    Column("hash", String(32), nullable=False, comment="of the content: the id that people see"),
    Column("reference_rows", BigInteger, nullable=False),
    Column("span_start", Instant),
    Column("span_end", Instant),
    Column("excluded", Text, nullable=False, comment="JSON: [[column, reason], ...]"),
    Column("created_at", Instant, nullable=False),
    Column(
        "windows", Text, comment="JSON: [[start, end], ...] of the history; [] for blocks of rows, null without history"
    ),
    UniqueConstraint("monitor_id", "hash"),
    sqlite_autoincrement=True,
)

baseline_columns = Table(
    "driftmon_baseline_columns",
    metadata,
    _id(),
    _reference("baseline_id", "driftmon_baselines"),
    Column("position", Integer, nullable=False, comment="in the order of the data, from 0"),
    Column("column_name", Verbatim, nullable=False),
    Column("kind", Text, nullable=False),
    Column("dtype", Verbatim, nullable=False),
    Column("layout", Text, nullable=False, comment="JSON: edges, or categories and rare"),
    Column("labels", Text, nullable=False, comment="JSON: the bins as people read them, in the order of all counts"),
    Column("singletons", BigInteger),
    Column("clues", Text, comment="JSON: what a sample of the reference says beyond the counts"),
    Column("tops", Text, comment="JSON: [rows of the most frequent value, others] of each window of the baseline"),
    UniqueConstraint("baseline_id", "position"),
    sqlite_autoincrement=True,
)

baseline_profiles = Table(
    "driftmon_baseline_profiles",
    metadata,
    _id(),
    _reference("baseline_id", "driftmon_baselines"),
    Column("position", Integer, nullable=False, comment="0: all rows; then the segments"),
    Column("segment", Verbatim, nullable=False, comment="such as origin=JFK; empty for all rows"),
    Column("reference_rows", BigInteger, nullable=False),
    Column("problems", Text, nullable=False, comment="JSON: {column: why it could not be counted}"),
    UniqueConstraint("baseline_id", "position"),
    sqlite_autoincrement=True,
)

baseline_histograms = Table(
    "driftmon_baseline_histograms",
    metadata,
    _id(),
    _reference("profile_id", "driftmon_baseline_profiles"),
    _reference("column_id", "driftmon_baseline_columns"),
    Column("counts", Text, nullable=False, comment="JSON: rows of each bin"),
    Column("novel", BigInteger),
    Column("missing", BigInteger, nullable=False),
    Column("history", Text, comment="JSON: rows of each bin in each window of the baseline; null without history"),
    UniqueConstraint("profile_id", "column_id"),
    # Foreign keys are looked up by this one, and results by theirs, when a baseline is pruned.
    Index(None, "column_id"),
    sqlite_autoincrement=True,
)

promotions = Table(
    "driftmon_promotions",
    metadata,
    _id(),
    _reference("monitor_id", "driftmon_monitors"),
    _reference("baseline_id", "driftmon_baselines"),
    Column("promoted_at", Instant, nullable=False),
    Index(None, "monitor_id"),
    Index(None, "baseline_id"),
    sqlite_autoincrement=True,
)

checks = Table(
    "driftmon_checks",
    metadata,
    _id(),
    _reference("monitor_id", "driftmon_monitors"),
    _reference("baseline_id", "driftmon_baselines", cascade=False),
    Column("model", Verbatim),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("status", Text, nullable=False, comment="the worst of its columns"),
    Column("live_rows", BigInteger, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column(
        "scheduled",
        Boolean,
        nullable=False,
        comment="true for a window of the schedule: sustained drift looks back on it",
    ),
    Column(
        "bins_pruned",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="true once only the verdicts and numbers of its columns are left",
    ),
    # Also the index that finds the newest window of a monitor.
    UniqueConstraint("monitor_id", "window_end", "window_start"),
    # Finds the windows of a baseline in the order of time.
    Index(None, "baseline_id", "window_end", "window_start"),
    CheckConstraint("window_start < window_end", name="window"),
    sqlite_autoincrement=True,
)

column_results = Table(
    "driftmon_column_results",
    metadata,
    _reference("check_id", "driftmon_checks", primary_key=True),
    # Says which column of which segment this is, and what it was compared with.
    _reference("reference_id", "driftmon_baseline_histograms", cascade=False, primary_key=True),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Verbatim, comment="why there is no verdict"),
    # Null, too, where bins were pruned: then live_rows stays.
    Column("counts", Text, comment="JSON: live rows of each bin; null if the column could not be counted"),
    Column("live_rows", BigInteger),
    Column("novel", BigInteger),
    Column("calibrated", Boolean, comment="null, as all scores, if there was nothing to compare"),
    Column("warning_threshold", Double, nullable=False),
    Column("critical_threshold", Double, nullable=False),
    *(Column(name, Double) for name in (*RATIOS, *SCORES, *SUSTAINED)),
    Column("history_windows", Integer, comment="reference windows that p_history stands on"),
    Column("calibration", Verbatim, comment="what the verdict knows of the usual variation, in words"),
    Column("hint", Verbatim, comment="a likely cause, in words"),
    Column("quality", Text, comment="JSON: the quality checks, an object each"),
    Column("new_categories", Text, comment="JSON: [[category, rows], ...] that no reference row had"),
    Column("ewma_windows", Integer, comment="windows that ewma is of"),
    Column("sustained", Boolean, comment="null outside the schedule, and where the column may not alert"),
    Index(None, "reference_id"),
    Index(
        "ix_driftmon_column_results_breaches",
        "check_id",
        postgresql_where=_WHERE_BREACHED,
        sqlite_where=_WHERE_BREACHED,
    ),
    _finite("warning_threshold", "critical_threshold", *RATIOS, *SCORES, *SUSTAINED),
)

BREACHED = column_results.c.status.in_(bindparam("breaches", _BREACHES, expanding=True, literal_execute=True))
"""Results that drifted beyond a threshold: few, with an index of their own, which SQLite takes for the same words only."""

runs = Table(
    "driftmon_runs",
    metadata,
    _id(),
    _reference("monitor_id", "driftmon_monitors"),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("error", Verbatim, comment="null for a success"),
    Index(None, "monitor_id", "finished_at"),
    sqlite_autoincrement=True,
)

notifications = Table(
    "driftmon_notifications",
    metadata,
    _reference("monitor_id", "driftmon_monitors", primary_key=True),
    Column("receiver", String(64), primary_key=True, comment="tells receivers apart; no address"),
    Column(
        "told", Text, nullable=False, comment="JSON: [[alert, severity, column, segment], ...] that it believes to fire"
    ),
    Column("told_by", Verbatim, nullable=False, comment="the run that told it last; empty where nobody asks"),
    Column("told_at", Instant),
    Column("claim", String(32), comment="of the process that is telling it now"),
    Column("claimed_at", Instant),
)

step_counts = Table(
    "driftmon_step_counts",
    metadata,
    _reference("baseline_id", "driftmon_baselines"),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("place", String(32), nullable=False, comment="tells the places of live rows apart; no address"),
    Column("live_rows", BigInteger, nullable=False),
    Column("counts", Text, nullable=False, comment="JSON: rows of each bin, in the baseline's order"),
    Column("clues", Text, nullable=False, comment="JSON: what a sample of the rows says beyond the counts"),
    Column("counted_at", Instant, nullable=False),
    # Steps of a window are looked for by their end.
    PrimaryKeyConstraint("baseline_id", "window_end", "window_start"),
    CheckConstraint("window_start < window_end", name="window"),
)
"""The counts of each step of rolling windows, which are sums of them."""

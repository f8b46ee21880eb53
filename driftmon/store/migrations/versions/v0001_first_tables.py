"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply this step."""
    _monitors()
    _baselines()
    _baseline_columns()
    _baseline_profiles()
    _baseline_histograms()
    _promotions()
    _checks()
    _column_results()
    _runs()


def _id(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    return sa.Column("id", ID, sa.Identity(), nullable=False), sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def _reference(
    table: str, name: str, other: str, *, ondelete: str | None = "CASCADE"
) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([name], [f"{other}.id"], name=f"fk_{table}_{name}", ondelete=ondelete)
    return sa.Column(name, ID, nullable=False), key


def _monitors() -> None:
    op.create_table(
        "driftmon_monitors",
        *_id("driftmon_monitors"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.String(32), nullable=False, comment="new with every write that concerns the monitor"),
        sa.Column("model", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("schedule", sa.Text()),
        sa.Column("timezone", sa.Text()),
        sa.Column("max_window_age", sa.Double(), comment="seconds"),
        sa.Column("updated_at", INSTANT),
        sa.UniqueConstraint("name", name="uq_driftmon_monitors_name"),
        sa.CheckConstraint("max_window_age BETWEEN -1e308 AND 1e308", name=op.f("ck_driftmon_monitors_finite")),
        sqlite_autoincrement=True,
    )


def _baselines() -> None:
    op.create_table(
        "driftmon_baselines",
        *_id("driftmon_baselines"),
        *_reference("driftmon_baselines", "monitor_id", "driftmon_monitors"),
        sa.Column("hash", sa.String(32), nullable=False, comment="of the content: the id that people see"),
        sa.Column("reference_rows", sa.BigInteger(), nullable=False),
        sa.Column("span_start", INSTANT),
        sa.Column("span_end", INSTANT),
        sa.Column("excluded", sa.Text(), nullable=False, comment="JSON: [[column, reason], ...]"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("monitor_id", "hash", name="uq_driftmon_baselines_monitor_id_hash"),
        sqlite_autoincrement=True,
    )


def _baseline_columns() -> None:
    op.create_table(
        "driftmon_baseline_columns",
        *_id("driftmon_baseline_columns"),
        *_reference("driftmon_baseline_columns", "baseline_id", "driftmon_baselines"),
        sa.Column("position", sa.Integer(), nullable=False, comment="in the order of the data, from 0"),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dtype", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False, comment="JSON: edges, or categories and rare"),
        sa.Column(
            "labels",
            sa.Text(),
            nullable=False,
            comment="JSON: the bins as people read them, in the order of all counts",
        ),
        sa.Column("singletons", sa.BigInteger()),
        sa.UniqueConstraint("baseline_id", "position", name="uq_driftmon_baseline_columns_baseline_id_position"),
        sqlite_autoincrement=True,
    )


def _baseline_profiles() -> None:
    op.create_table(
        "driftmon_baseline_profiles",
        *_id("driftmon_baseline_profiles"),
        *_reference("driftmon_baseline_profiles", "baseline_id", "driftmon_baselines"),
        sa.Column(
            "position",
            sa.Integer(),
            nullable=False,
            comment="0: the whole reference; then its segments; then its windows",
        ),
        sa.Column("segment", sa.Text(), nullable=False, comment="such as origin=JFK; empty for all rows"),
        sa.Column("window_start", INSTANT, comment="null for the whole reference"),
        sa.Column("window_end", INSTANT),
        sa.Column("reference_rows", sa.BigInteger(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False, comment="JSON: {column: why it could not be counted}"),
        sa.UniqueConstraint("baseline_id", "position", name="uq_driftmon_baseline_profiles_baseline_id_position"),
        sqlite_autoincrement=True,
    )


def _baseline_histograms() -> None:
    op.create_table(
        "driftmon_baseline_histograms",
        *_id("driftmon_baseline_histograms"),
        *_reference("driftmon_baseline_histograms", "profile_id", "driftmon_baseline_profiles"),
        *_reference("driftmon_baseline_histograms", "column_id", "driftmon_baseline_columns"),
        sa.Column("counts", sa.Text(), nullable=False, comment="JSON: rows of each bin"),
        sa.Column("novel", sa.BigInteger()),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("profile_id", "column_id", name="uq_driftmon_baseline_histograms_profile_id_column_id"),
        sqlite_autoincrement=True,
    )


def _promotions() -> None:
    op.create_table(
        "driftmon_promotions",
        *_id("driftmon_promotions"),
        *_reference("driftmon_promotions", "monitor_id", "driftmon_monitors"),
        *_reference("driftmon_promotions", "baseline_id", "driftmon_baselines"),
        sa.Column("promoted_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_driftmon_promotions_monitor_id", "driftmon_promotions", ["monitor_id"])


def _checks() -> None:
    op.create_table(
        "driftmon_checks",
        *_id("driftmon_checks"),
        *_reference("driftmon_checks", "monitor_id", "driftmon_monitors"),
        *_reference("driftmon_checks", "baseline_id", "driftmon_baselines", ondelete=None),
        sa.Column("model", sa.Text()),
        sa.Column("window_start", INSTANT, nullable=False),
        sa.Column("window_end", INSTANT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="the worst of its columns"),
        sa.Column("live_rows", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=False),
        sa.UniqueConstraint(
            "monitor_id", "window_end", "window_start", name="uq_driftmon_checks_monitor_id_window_end_window_start"
        ),
        sa.CheckConstraint("window_start < window_end", name=op.f("ck_driftmon_checks_window")),
        sqlite_autoincrement=True,
    )


def _column_results() -> None:
    required = ("warning_threshold", "critical_threshold")
    optional = (
        *("missing_ratio", "novel_ratio", "expected_novel"),
        *("kl", "kl_reverse", "psi", "js", "noise_floor", "excess", "lower_bound", "upper_bound"),
        *("lower_bound_reverse", "p_value", "p_iid", "p_history", "q_value"),
    )
    finite = " AND ".join(f"{name} BETWEEN -1e308 AND 1e308" for name in (*required, *optional))
    op.create_table(
        "driftmon_column_results",
        *_reference("driftmon_column_results", "check_id", "driftmon_checks"),
        *_reference("driftmon_column_results", "reference_id", "driftmon_baseline_histograms", ondelete=None),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), comment="why there is no verdict"),
        sa.Column("counts", sa.Text(), comment="JSON: live rows of each bin; null if the column could not be counted"),
        sa.Column("live_rows", sa.BigInteger()),
        sa.Column("novel", sa.BigInteger()),
        sa.Column("calibrated", sa.Boolean(), comment="null, as all scores, if there was nothing to compare"),
        *(sa.Column(name, sa.Double(), nullable=False) for name in required),
        *(sa.Column(name, sa.Double()) for name in optional),
        sa.CheckConstraint(finite, name=op.f("ck_driftmon_column_results_finite")),
        sa.PrimaryKeyConstraint("check_id", "reference_id", name="pk_driftmon_column_results"),
    )


def _runs() -> None:
    op.create_table(
        "driftmon_runs",
        *_id("driftmon_runs"),
        *_reference("driftmon_runs", "monitor_id", "driftmon_monitors"),
        sa.Column("window_start", INSTANT, nullable=False),
        sa.Column("window_end", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=False),
        sa.Column("error", sa.Text(), comment="null for a success"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_driftmon_runs_monitor_id_finished_at", "driftmon_runs", ["monitor_id", "finished_at"])

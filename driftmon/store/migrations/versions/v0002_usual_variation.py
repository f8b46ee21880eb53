"""What is usual for a column, quality checks, hints and sustained drift; the counts of the windows of a reference."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBERED = {"sqlite_autoincrement": True}
"""SQLite forgets it where a table is made anew."""

POSITION = "0: all rows; then the segments"


def upgrade() -> None:
    """Apply this step."""
    _baselines()
    _baseline_profiles()
    _checks()
    _column_results()


def _baselines() -> None:
    op.add_column(
        "driftmon_baselines",
        sa.Column(
            "windows",
            sa.Text(),
            comment="JSON: [[start, end], ...] of the history; [] for blocks of rows, null without history",
        ),
    )
    op.add_column(
        "driftmon_baseline_columns",
        sa.Column("clues", sa.Text(), comment="JSON: what a sample of the reference says beyond the counts"),
    )
    op.add_column(
        "driftmon_baseline_columns",
        sa.Column(
            "tops",
            sa.Text(),
            comment="JSON: [rows of the most frequent value, others] of each window of the baseline",
        ),
    )
    op.add_column(
        "driftmon_baseline_histograms",
        sa.Column(
            "history",
            sa.Text(),
            comment="JSON: rows of each bin in each window of the baseline; null without history",
        ),
    )


def _baseline_profiles() -> None:
    with op.batch_alter_table("driftmon_baseline_profiles", table_kwargs=NUMBERED) as table:
        table.drop_column("window_start")  # nothing ever filled these
        table.drop_column("window_end")
        table.alter_column("position", existing_type=sa.Integer(), existing_nullable=False, comment=POSITION)


def _checks() -> None:
    op.add_column(
        "driftmon_checks",
        sa.Column(
            "scheduled",
            sa.Boolean(),
            comment="true for a window of the schedule: sustained drift looks back on it",
        ),
    )
    op.execute("UPDATE driftmon_checks SET scheduled = true")
    # SQLite cannot be asked for checks, so they are named again wherever it makes a table anew.
    ordered = sa.CheckConstraint("window_start < window_end", name=op.f("ck_driftmon_checks_window"))
    with op.batch_alter_table("driftmon_checks", table_args=(ordered,), table_kwargs=NUMBERED) as table:
        table.alter_column("scheduled", existing_type=sa.Boolean(), nullable=False)
    op.create_index(
        "ix_driftmon_checks_baseline_id_window_end_window_start",
        "driftmon_checks",
        ["baseline_id", "window_end", "window_start"],
    )


def _column_results() -> None:
    name = "ck_driftmon_column_results_finite"
    old = (
        *("warning_threshold", "critical_threshold", "missing_ratio", "novel_ratio", "expected_novel"),
        *("kl", "kl_reverse", "psi", "js", "noise_floor", "excess", "lower_bound", "upper_bound"),
        *("lower_bound_reverse", "p_value", "p_iid", "p_history", "q_value"),
    )
    new = (
        *("day_effect", "usual_limit"),
        *("ewma", "sustained_p_value", "sustained_q_value", "pooled_lower_bound"),
    )
    finite = " AND ".join(f"{number} BETWEEN -1e308 AND 1e308" for number in (*old, *new))
    with op.batch_alter_table("driftmon_column_results") as table:
        for number in new:
            table.add_column(sa.Column(number, sa.Double()))
        table.add_column(
            sa.Column("history_windows", sa.Integer(), comment="reference windows that p_history stands on")
        )
        table.add_column(
            sa.Column("calibration", sa.Text(), comment="what the verdict knows of the usual variation, in words")
        )
        table.add_column(sa.Column("hint", sa.Text(), comment="a likely cause, in words"))
        table.add_column(sa.Column("quality", sa.Text(), comment="JSON: the quality checks, an object each"))
        table.add_column(
            sa.Column("new_categories", sa.Text(), comment="JSON: [[category, rows], ...] that no reference row had")
        )
        table.add_column(sa.Column("ewma_windows", sa.Integer(), comment="windows that ewma is of"))
        table.add_column(
            sa.Column(
                "sustained", sa.Boolean(), comment="null outside the schedule, and where the column may not alert"
            )
        )
        if op.get_bind().dialect.name != "sqlite":
            table.drop_constraint(op.f(name), type_="check")
        table.create_check_constraint(op.f(name), finite)

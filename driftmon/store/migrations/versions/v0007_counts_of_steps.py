"""The counts of each step of rolling windows, which are sums of them: only new rows are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "driftmon_step_counts",
        sa.Column("baseline_id", ID, nullable=False),
        sa.Column("window_start", INSTANT, nullable=False),
        sa.Column("window_end", INSTANT, nullable=False),
        sa.Column("place", sa.String(32), nullable=False, comment="tells the places of live rows apart; no address"),
        sa.Column("live_rows", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False, comment="JSON: rows of each bin, in the baseline's order"),
        sa.Column("clues", sa.Text(), nullable=False, comment="JSON: what a sample of the rows says beyond the counts"),
        sa.Column("counted_at", INSTANT, nullable=False),
        sa.CheckConstraint("window_start < window_end", name=op.f("ck_driftmon_step_counts_window")),
        sa.ForeignKeyConstraint(
            ["baseline_id"],
            ["driftmon_baselines.id"],
            name=op.f("fk_driftmon_step_counts_baseline_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("baseline_id", "window_end", "window_start", name=op.f("pk_driftmon_step_counts")),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("driftmon_step_counts")

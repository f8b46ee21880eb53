"""What receivers of direct notifications were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "driftmon_notifications",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("receiver", sa.String(64), nullable=False, comment="tells receivers apart; no address"),
        sa.Column(
            "told",
            sa.Text(),
            nullable=False,
            comment="JSON: [[alert, severity, column, segment], ...] that it believes to fire",
        ),
        sa.Column("told_by", sa.Text(), nullable=False, comment="the run that told it last; empty where nobody asks"),
        sa.Column("told_at", INSTANT),
        sa.Column("claim", sa.String(32), comment="of the process that is telling it now"),
        sa.Column("claimed_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["monitor_id"], ["driftmon_monitors.id"], name="fk_driftmon_notifications_monitor_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("monitor_id", "receiver", name="pk_driftmon_notifications"),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_table("driftmon_notifications")

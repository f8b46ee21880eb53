"""The end of the last window that a monitor will have: what is complete is old, and nothing is wrong with that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Apply this step."""
    op.add_column(
        "driftmon_monitors",
        sa.Column(
            "last_end", INSTANT, comment="of the last window that there will be; null if there is always a next one"
        ),
    )


def downgrade() -> None:
    """Take this step back."""
    op.drop_column("driftmon_monitors", "last_end")

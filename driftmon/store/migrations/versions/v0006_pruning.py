"""
What pruning needs: windows that say whether their bins are still there, and indexes that foreign keys are looked up by.

To delete a baseline, a database looks for rows that refer to each of its columns. Without an index it reads all results once a
column. Besides: the few results that drifted have an index of their own, and the function that dashboards compare names by is one
that PostgreSQL can take apart: as it was, it cost more than all else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from driftmon.store.migrations.versions import v0003_views_of_the_dashboards as v0003

revision = "0006"
down_revision = "0005"

PRUNED = "checks.bins_pruned AS bins_pruned"

WINDOWS = v0003.WINDOWS.replace(
    "{unchecked_columns} AS unchecked_columns", f"{{unchecked_columns}} AS unchecked_columns,\n    {PRUNED}"
)

COLUMN_RESULTS = v0003.COLUMN_RESULTS.replace(
    "{problems} AS quality_problems", f"{{problems}} AS quality_problems,\n    {PRUNED}"
)

# Without live counts there are no contributions either: PostgreSQL's greatest() passes nulls over.
COLUMN_BINS = (
    v0003.COLUMN_BINS.replace("WHEN kl IS NOT NULL THEN", "WHEN kl IS NOT NULL AND live_count IS NOT NULL THEN")
    .replace("END AS contribution", "END AS contribution,\n    bins_pruned")
    .replace("results.kl AS kl,", f"results.kl AS kl,\n            {PRUNED},")
)

# Neither STRICT, as in 0003, nor IMMUTABLE, which what it calls is not: both keep PostgreSQL from writing a function out where it is
# called, and from computing once what is the same for every row.
IS_THE_VARIABLE = v0003.IS_THE_VARIABLE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(
    "IMMUTABLE STRICT", "STABLE"
)

BREACHES = sa.text("status IN ('warning', 'critical')")

VIEWS = ("grafana_windows", "grafana_column_results", "grafana_column_bins")


def upgrade() -> None:
    """Apply this step."""
    op.add_column(
        "driftmon_checks",
        sa.Column(
            "bins_pruned",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="true once only the verdicts and numbers of its columns are left",
        ),
    )
    op.create_index("ix_driftmon_column_results_reference_id", "driftmon_column_results", ["reference_id"])
    op.create_index("ix_driftmon_baseline_histograms_column_id", "driftmon_baseline_histograms", ["column_id"])
    op.create_index(
        "ix_driftmon_column_results_breaches",
        "driftmon_column_results",
        ["check_id"],
        postgresql_where=BREACHES,
        sqlite_where=BREACHES,
    )
    op.create_index("ix_driftmon_promotions_baseline_id", "driftmon_promotions", ["baseline_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(IS_THE_VARIABLE)
    _views(WINDOWS, COLUMN_RESULTS, COLUMN_BINS)


def downgrade() -> None:
    """Take this step back; bins that were pruned stay so."""
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
    op.drop_index("ix_driftmon_promotions_baseline_id", "driftmon_promotions")
    op.drop_index("ix_driftmon_column_results_breaches", "driftmon_column_results")
    op.drop_index("ix_driftmon_baseline_histograms_column_id", "driftmon_baseline_histograms")
    op.drop_index("ix_driftmon_column_results_reference_id", "driftmon_column_results")
    op.drop_column("driftmon_checks", "bins_pruned")
    _views(v0003.WINDOWS, v0003.COLUMN_RESULTS, v0003.COLUMN_BINS)


def _views(*views: str) -> None:
    """Make the views, in place where the database can: whoever may read them on PostgreSQL may go on."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, view in zip(VIEWS, views, strict=True):
        if not postgresql:
            op.execute(f"DROP VIEW IF EXISTS {name}")
        op.execute(
            v0003.filled_in(view, postgresql=postgresql).replace(
                "CREATE VIEW", "CREATE OR REPLACE VIEW" if postgresql else "CREATE VIEW"
            )
        )

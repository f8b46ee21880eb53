"""What is in a results database, read with plain SQL past all of driftmon."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

__all__ = ["RESULTS", "rows_in", "stored", "stored_results"]

RESULTS = ("driftmon_baselines", "driftmon_promotions", "driftmon_checks", "driftmon_column_results")


def rows_in(url: str) -> dict[str, int]:
    """How many rows each of driftmon's tables has."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            names = [name for name in sa.inspect(connection).get_table_names() if name.startswith("driftmon_")]
            return {name: connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}
    finally:
        engine.dispose()


def stored(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that hold results; attempts (`driftmon_runs`) are kept on purpose."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            there = set(sa.inspect(connection).get_table_names())
            return {
                name: sorted(map(tuple, connection.execute(sa.text(f"SELECT * FROM {name}"))), key=repr)
                for name in RESULTS
                if name in there
            }
    finally:
        engine.dispose()


def stored_results(url: str) -> list[dict[str, Any]]:
    """Every value of every stored result by its name, in the order of windows and columns; no ids and no clock readings."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    tables = sa.MetaData()
    try:
        tables.reflect(engine)
        checks, results = tables.tables["driftmon_checks"], tables.tables["driftmon_column_results"]
        histograms, profiles = (
            tables.tables["driftmon_baseline_histograms"],
            tables.tables["driftmon_baseline_profiles"],
        )
        columns, baselines = tables.tables["driftmon_baseline_columns"], tables.tables["driftmon_baselines"]
        chosen = [
            *(c.label(f"check.{c.name}") for c in checks.c if not c.name.endswith("id") and c.name != "checked_at"),
            *(c for c in results.c if not c.name.endswith("_id")),
            baselines.c.hash,
            columns.c.column_name,
            columns.c.layout,
            profiles.c.segment,
            histograms.c.counts.label("reference.counts"),
        ]
        query = (
            sa.select(*chosen)
            .select_from(checks)
            .join(results, results.c.check_id == checks.c.id)
            .join(baselines, baselines.c.id == checks.c.baseline_id)
            .join(histograms, histograms.c.id == results.c.reference_id)
            .join(columns, columns.c.id == histograms.c.column_id)
            .join(profiles, profiles.c.id == histograms.c.profile_id)
            .order_by(checks.c.window_start, checks.c.window_end, profiles.c.position, columns.c.position)
        )
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
    finally:
        engine.dispose()

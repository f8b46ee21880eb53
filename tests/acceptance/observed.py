"""What is in a results database, read with plain SQL past all of driftmon."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

__all__ = ["RESULTS", "rows_in", "stored"]

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

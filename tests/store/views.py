"""What the migrations make besides the tables, for tests that need to see it or to have it out of the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

from driftmon.store.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["DOCUMENT", "VIEWS", "drop_schema", "role_of_the_document", "rows_of"]

VIEWS = ("grafana_windows", "grafana_column_results", "grafana_column_bins")
"""The contract of the dashboards, in the order in which they were made."""

DOCUMENT = Path(__file__).parents[2] / "docs" / "database.md"
"""What it says of them."""


def drop_schema(connection: Connection) -> None:
    """Drop all tables, and the views first, without which PostgreSQL keeps the tables."""
    for view in inspect(connection).get_view_names():
        connection.execute(text(f"DROP VIEW {view}"))
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION grafana_is, grafana_text"))
    metadata.drop_all(connection)


def rows_of(connection: Connection, view: str, **where: Any) -> list[dict[str, Any]]:
    """The rows of a view in which those columns have those values, in the order of their first columns."""
    conditions = " AND ".join(f"{name} = :{name}" for name in where) or "true"
    found = connection.execute(text(f"SELECT * FROM {view} WHERE {conditions}"), where).mappings()
    return [dict(row) for row in found]


def role_of_the_document(user: str, password: str, database: str) -> list[str]:
    """The statements that the document gives to make a role that reads, for another name, password and database."""
    [block] = re.findall(r"```sql\n(CREATE ROLE .*?)```", DOCUMENT.read_text(), re.DOTALL)
    block = block.replace("grafana_reader", user).replace("'...'", f"'{password}'")
    block = block.replace("DATABASE driftmon", f"DATABASE {database}")
    return [statement.strip() for statement in block.split(";") if statement.strip()]

"""Run by Alembic: says which connection, which tables and which version table to use. Never imported."""

from __future__ import annotations

from alembic import context

from driftmon.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite changes most things about a table only by making it anew, which batch operations do.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

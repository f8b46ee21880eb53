"""``driftmon db``: the results database's schema."""

from __future__ import annotations

import click

from driftmon.cli.options import DriftmonCommand, database_option
from driftmon.settings import database_url

__all__ = ["db"]


@click.group()
def db() -> None:
    """Look after the results database."""


@db.command(cls=DriftmonCommand)
@database_option
def upgrade(*, url: str | None) -> None:
    """Bring the results database to the schema of this driftmon; makes it if there is none."""
    from driftmon.store import migrate  # noqa: PLC0415 - keeps --help light

    version = migrate.upgrade(database_url(url))
    click.echo(str(version))


@db.command(cls=DriftmonCommand)
@database_option
def current(*, url: str | None) -> None:
    """Say which schema the results database has, and which one this driftmon needs."""
    from driftmon.store import migrate  # noqa: PLC0415 - keeps --help light

    click.echo(str(migrate.current(database_url(url))))

"""Schema versions: which one a database has, and how it gets to the newest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import inspect, text

from driftmon.errors import StoreVersionError
from driftmon.store.engine import Database
from driftmon.store.schema import SCHEMA_VERSION, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import URL, Connection

__all__ = ["SchemaVersion", "current", "ensure", "migrations", "upgrade", "version_of"]


@dataclass(frozen=True)
class SchemaVersion:
    """
    The schema of a database, next to the one that this driftmon needs.

    Parameters
    ----------
    database : str
        Its URL without the password.
    found : str or None
        Four digits that grow; None if driftmon has not been here before.
    empty : bool
        True if there is nothing at all in the database.
    """

    database: str
    found: str | None
    empty: bool = False

    needed: ClassVar[str] = SCHEMA_VERSION

    @property
    def newer(self) -> bool:
        """True if a newer driftmon has upgraded the database."""
        return self.found is not None and self.found > self.needed

    @property
    def up_to_date(self) -> bool:
        """True if this driftmon can use the database."""
        return self.found == self.needed

    def __str__(self) -> str:
        name = f"results database {self.database}"
        if self.found is None:
            return f"{name} has no driftmon tables yet, version {self.needed} is needed; run: driftmon db upgrade"
        if self.up_to_date:
            return f"{name} has schema version {self.found}, up to date"
        remedy = "upgrade driftmon itself" if self.newer else "run: driftmon db upgrade"
        return f"{name} has schema version {self.found}, this driftmon needs {self.needed}; {remedy}"


def version_of(connection: Connection, name: str) -> SchemaVersion:
    """The version found in a database of that name."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        return SchemaVersion(name, None, empty=not tables)
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return SchemaVersion(name, found)


def current(url: str | URL) -> SchemaVersion:
    """
    The version of a database; changes and creates nothing.

    Raises
    ------
    StoreError
        If the database cannot be reached or read.
    """
    database = Database(url, read_only=True)
    if database.absent:
        return SchemaVersion(database.name, None, empty=True)
    try:
        with database.reading() as connection:
            return version_of(connection, database.name)
    finally:
        database.close()


def upgrade(url: str | URL) -> SchemaVersion:
    """
    Bring a database to the schema of this driftmon, keeping what is in it; a SQLite file is made if there is none.

    Any number of processes may call this at once: one does the work, the others find it done. All of it happens in one
    transaction, so that a failure leaves the old version.

    Raises
    ------
    StoreVersionError
        If a newer driftmon has been here.
    StoreError
        If the database cannot be reached, or does not let this user make tables.
    """
    database = Database(url)
    try:
        return _upgrade(database)
    finally:
        database.close()


def ensure(database: Database) -> None:
    """
    Make sure that a database can be used: an empty or absent SQLite file gets its tables, anything else must have them.

    Raises
    ------
    StoreVersionError
        If it has another version, with the command that helps.
    """
    if not database.read_only and database.absent:
        _upgrade(database)
        return
    with database.reading() as connection:
        found = version_of(connection, database.name)
    if found.up_to_date:
        return
    if not found.empty or database.file is None or database.read_only:
        raise StoreVersionError(str(found))
    _upgrade(database)


def _upgrade(database: Database) -> SchemaVersion:
    from alembic import command  # noqa: PLC0415 - as slow to load as all the rest, and needed once in a database's life

    with database.migrating() as connection:
        found = version_of(connection, database.name)
        if found.newer:
            raise StoreVersionError(str(found))
        if not found.up_to_date:
            command.upgrade(migrations(connection), "head")
        return version_of(connection, database.name)


def migrations(connection: Connection) -> Config:
    """Alembic's configuration for one connection; there is no ``alembic.ini``."""
    from alembic.config import Config  # noqa: PLC0415 - see _upgrade

    config = Config()
    folder = Path(__file__).with_name("migrations")
    # Alembic expands % in its options.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config

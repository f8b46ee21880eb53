"""The room that a results database takes, and what becomes of that which pruning freed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from driftmon.store.engine import Database

__all__ = ["Room", "give_back", "room"]

PAGES_AT_ONCE = 2_000
"""Pages of a SQLite file that are given back while others wait to write: 8 MB."""

INCREMENTAL = 2
"""What SQLite answers for a file that can be made smaller piece by piece; files of older versions of driftmon cannot."""


@dataclass(frozen=True)
class Room:
    """
    Bytes of a database.

    Parameters
    ----------
    used : int
        On disk: the SQLite file, or the tables and indexes on PostgreSQL.
    free : int or None
        Of them without content, to be filled by later results; None on PostgreSQL, which does not tell.
    """

    used: int
    free: int | None


def room(database: Database) -> Room:
    """What a database takes now."""
    with database.reading() as connection:
        if database.file is None:
            query = text(
                "SELECT coalesce(sum(pg_total_relation_size(CAST(name AS regclass))), 0) FROM unnest(CAST(:names AS text[])) AS name"
            )
            return Room(int(connection.execute(query, {"names": _tables(connection)}).scalar_one()), None)
        size, pages, free = (_pragma(connection, name) for name in ("page_size", "page_count", "freelist_count"))
        return Room(size * pages, size * free)


def give_back(database: Database, *, compact: bool = False) -> None:
    """
    Make what was freed useful: on SQLite the file shrinks, on PostgreSQL later results find the room.

    Parameters
    ----------
    compact : bool
        Write everything anew, so that the disk gets all of it back; nobody else can write meanwhile, nor read on PostgreSQL. A
        SQLite file of an older driftmon shrinks in no other way.
    """
    with database.maintaining() as connection:
        if database.file is not None:
            _shrink(connection, compact=compact)
            return
        quoted = ", ".join(map(connection.dialect.identifier_preparer.quote, _tables(connection)))
        connection.execute(text(f"VACUUM ({'FULL, ' if compact else ''}ANALYZE) {quoted}"))


def _tables(connection: Connection) -> list[str]:
    return [name for name in inspect(connection).get_table_names() if name.startswith("driftmon_")]


def _shrink(connection: Connection, *, compact: bool) -> None:
    if compact:
        connection.exec_driver_sql(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        connection.exec_driver_sql("VACUUM")
    elif _pragma(connection, "auto_vacuum") == INCREMENTAL:
        free = _pragma(connection, "freelist_count")
        while free:
            _vacuum_some(connection)
            before, free = free, _pragma(connection, "freelist_count")
            if free >= before:
                break
    connection.exec_driver_sql("PRAGMA optimize")
    # Until then the file keeps its size beside a log that tells it to shrink; somebody who reads now puts that off.
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def _vacuum_some(connection: Connection) -> None:
    # It frees a page whenever it is asked for a row, and never gives one, so that SQLAlchemy would ask once.
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

"""The columns of a table or query and their types, found without reading rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as pat
from sqlalchemy import func
from sqlalchemy import inspect as reflection
from sqlalchemy import types as sqltypes
from sqlalchemy.exc import SQLAlchemyError

from driftmon.sources.arrow.selection import check_distinct
from driftmon.sources.sql.duck import arrow_schema
from driftmon.sources.sql.relations import columns_of, field

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from driftmon.sources.arrow.batches import ArrowType
    from driftmon.sources.sql.relations import Relation

__all__ = ["SqlColumn", "described"]

SAMPLED_ROWS = 1_000
"""Rows that show the types of a query in databases that do not tell them."""

OTHER = pa.binary()
INSTANT, WALL = pa.timestamp("us", "UTC"), pa.timestamp("us")


@dataclass(frozen=True)
class SqlColumn:
    """
    A column of a database.

    Parameters
    ----------
    name : str
    type : Arrow type or None
        What its values become; None for text without a type of its own (the dates of SQLite).
    declared : str
        The type as the database calls it, in lower case.
    scale : int or None
        Digits behind the point of exact numbers, where the database tells.
    precision : int or None
        All their digits.
    exact : bool
        True for exact numbers with a fraction (NUMERIC, DECIMAL).
    loose : bool
        True where values need not be of the column's type (SQLite).
    """

    name: str
    type: ArrowType | None
    declared: str = ""
    scale: int | None = None
    precision: int | None = None
    exact: bool = False
    loose: bool = False

    @property
    def readable(self) -> bool:
        """False for types that nothing counts."""
        return self.type is None or self.type != OTHER


def described(connection: Connection, relation: Relation) -> list[SqlColumn]:
    """
    The columns, in their order.

    Raises
    ------
    SourceError
        If two of a query share a name.
    """
    describe = _DIALECTS.get(connection.dialect.name, _generic)
    columns = describe(connection, relation)
    check_distinct((column.name for column in columns), relation.name)
    return columns


_POSTGRESQL: dict[int, tuple[ArrowType, str]] = {
    # The object ids of built-in types are the same in every database.
    16: (pa.bool_(), "boolean"),
    20: (pa.int64(), "bigint"),
    21: (pa.int16(), "smallint"),
    23: (pa.int32(), "integer"),
    26: (pa.int64(), "oid"),
    700: (pa.float32(), "real"),
    701: (pa.float64(), "double precision"),
    1082: (pa.date32(), "date"),
    1083: (pa.time64("us"), "time"),
    1114: (WALL, "timestamp"),
    1184: (INSTANT, "timestamptz"),
    1186: (pa.duration("us"), "interval"),
    25: (pa.string(), "text"),
    1043: (pa.string(), "varchar"),
    1042: (pa.string(), "char"),
    19: (pa.string(), "name"),
    18: (pa.string(), '"char"'),
    2950: (pa.string(), "uuid"),
    705: (pa.string(), "unknown"),
}

NUMERIC = 1700
MOST_DIGITS = 38
"""Of Arrow's decimals."""

UNKNOWN_TYPE = "SELECT typname, typtype FROM pg_catalog.pg_type WHERE oid = %(oid)s"


def _postgresql(connection: Connection, relation: Relation) -> list[SqlColumn]:
    result = connection.execute(relation.nothing())
    entries = list(result.cursor.description)
    result.close()
    return [_postgresql_column(connection, entry) for entry in entries]


def _postgresql_column(connection: Connection, entry: Any) -> SqlColumn:  # noqa: ANN401 - the driver's
    oid = entry.type_code
    if oid == NUMERIC:
        # Whole numbers stay whole: of long ones floats would not tell that they name rows.
        digits = entry.precision if entry.scale == 0 and entry.precision is not None else MOST_DIGITS + 1
        type_ = pa.int64() if digits <= 18 else pa.decimal128(digits, 0) if digits <= MOST_DIGITS else pa.float64()
        return SqlColumn(entry.name, type_, "numeric", entry.scale, entry.precision, exact=True)
    if oid in _POSTGRESQL:
        return SqlColumn(entry.name, *_POSTGRESQL[oid])
    name, category = connection.exec_driver_sql(UNKNOWN_TYPE, {"oid": oid}).one()
    if category == "e" or name == "citext":
        return SqlColumn(entry.name, pa.string(), "enum" if category == "e" else name)
    return SqlColumn(entry.name, OTHER, name)


def _duckdb(connection: Connection, relation: Relation) -> list[SqlColumn]:
    return [_arrow_column(each.name, each.type) for each in arrow_schema(connection, relation.nothing())]


def _arrow_column(name: str, type_: ArrowType) -> SqlColumn:
    if pat.is_decimal(type_):
        return SqlColumn(name, type_, "decimal", type_.scale, type_.precision, exact=True)
    return SqlColumn(name, type_, str(type_))


def _sqlite(connection: Connection, relation: Relation) -> list[SqlColumn]:
    names = columns_of(connection, relation)
    declared = _declared(connection, relation)
    unknown = [name for name in names if not declared.get(name)]
    sampled = _sqlite_sample(connection, relation, unknown) if unknown else {}
    return [
        SqlColumn(name, sampled.get(name, _sqlite_type(declared.get(name, ""))), declared.get(name, ""), loose=True)
        for name in names
    ]


def _declared(connection: Connection, relation: Relation) -> dict[str, str]:
    """Declared types by column. Views tell those of their plain columns, so a query is made a view of this connection for it."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    *schema, table = (quote(part) for part, _ in relation.parts or (("driftmon_query", True),))
    place = f"{schema[0]}." if schema else ""
    if relation.query:
        connection.exec_driver_sql(f"CREATE TEMP VIEW {table} AS {relation.query}")
    rows = connection.exec_driver_sql(f"PRAGMA {place}table_xinfo({table})").all()
    if relation.query:
        connection.exec_driver_sql(f"DROP VIEW temp.{table}")
    return {str(row[1]): str(row[2] or "").lower() for row in rows}


def _sqlite_type(declared: str) -> ArrowType | None:
    """By the rules of SQLite's own affinities, and by what libraries declare that keep booleans and dates in it."""
    if "bool" in declared:
        return pa.bool_()
    if "date" in declared or "time" in declared:
        return None
    if "int" in declared:
        return pa.int64()
    if any(word in declared for word in ("char", "clob", "text", "string", "uuid", "enum", "json")):
        return pa.string()
    return OTHER if "blob" in declared else pa.float64()


_STORAGE: tuple[tuple[set[str], ArrowType], ...] = (
    ({"integer"}, pa.int64()),
    ({"integer", "real"}, pa.float64()),
    ({"text"}, pa.string()),
    ({"blob"}, OTHER),
)


def _sqlite_sample(connection: Connection, relation: Relation, names: list[str]) -> dict[str, ArrowType | None]:
    """Expressions have no declared type: what their first values are."""
    rows = connection.execute(relation.select(*(func.typeof(field(name)) for name in names)).limit(SAMPLED_ROWS))
    seen: list[set[str]] = [set() for _ in names]
    for row in rows:
        for place, storage in enumerate(row):
            seen[place].add(storage)
    found: dict[str, ArrowType | None] = {}
    for name, storages in zip(names, seen, strict=True):
        present = storages - {"null"}
        # Nothing but nulls can be anything; a number is what most of it is.
        found[name] = next((type_ for fitting, type_ in _STORAGE if present and present <= fitting), pa.float64())
        if present and not any(present <= fitting for fitting, _ in _STORAGE):
            found[name] = pa.string()
    return found


def _generic(connection: Connection, relation: Relation) -> list[SqlColumn]:
    """What SQLAlchemy's dialect tells of a table; of a query, the types of its first values."""
    if relation.parts:
        *schema, table = (part for part, _ in relation.parts)
        try:
            found = reflection(connection).get_columns(table, schema=".".join(schema) or None)
        except SQLAlchemyError:
            found = []
        if found:
            return [_reflected(str(each["name"]), each["type"]) for each in found]
    rows = (
        connection.execute(relation.select(*map(field, names)).limit(SAMPLED_ROWS)).all()
        if (names := columns_of(connection, relation))
        else []
    )
    return [_inferred(name, [row[place] for row in rows]) for place, name in enumerate(names)]


def _inferred(name: str, values: list[Any]) -> SqlColumn:
    try:
        type_ = pa.array(values).type
    except (pa.ArrowException, TypeError, ValueError):
        return SqlColumn(name, OTHER, "unknown")
    if pat.is_decimal(type_):
        return SqlColumn(name, pa.float64(), "decimal", exact=True)
    return SqlColumn(name, pa.float64() if pat.is_null(type_) else type_, str(type_))


_TYPES: tuple[tuple[type[Any], ArrowType], ...] = (
    # In this order: the first that fits.
    (sqltypes.Boolean, pa.bool_()),
    (sqltypes.Integer, pa.int64()),
    (sqltypes.Enum, pa.string()),
    (sqltypes.Uuid, pa.string()),
    (sqltypes.String, pa.string()),
    (sqltypes.Date, pa.date32()),
    (sqltypes.Time, pa.time64("us")),
    (sqltypes.Interval, pa.duration("us")),
)


def _reflected(name: str, type_: sqltypes.TypeEngine[Any]) -> SqlColumn:
    """A column by the type that SQLAlchemy found."""
    declared = type(type_).__name__.lower()
    if isinstance(type_, sqltypes.DateTime):
        zoned = bool(type_.timezone) or "tz" in declared.replace("_", "") or declared == "datetimeoffset"
        # BigQuery's TIMESTAMP is an instant, its DATETIME a wall clock.
        return SqlColumn(name, INSTANT if zoned else WALL, declared)
    if isinstance(type_, sqltypes.Float):
        return SqlColumn(name, pa.float64(), declared)
    if isinstance(type_, sqltypes.Numeric):
        return SqlColumn(name, pa.float64(), declared, type_.scale, type_.precision, exact=True)
    if declared == "bit":
        return SqlColumn(name, pa.bool_(), declared)
    return SqlColumn(name, next((arrow for kind, arrow in _TYPES if isinstance(type_, kind)), OTHER), declared)


_DIALECTS = {"postgresql": _postgresql, "duckdb": _duckdb, "sqlite": _sqlite}

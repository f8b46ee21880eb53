"""What is read: a table, a view or a query, spelled as the dialect wants it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import FromClause, Select, column, literal_column, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import quoted_name

from driftmon.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

__all__ = ["Relation", "field", "parse_table"]

QUOTES = {'"': '"', "`": "`", "[": "]"}
"""How the parts of a table's name may be quoted, whatever the dialect."""


@dataclass(frozen=True)
class Relation:
    """
    What rows are selected from.

    Parameters
    ----------
    parts : tuple of (str, bool)
        The name of a table or view, such as schema and table; True for parts that were quoted. Empty for a query.
    query : str
        Empty for a table.
    """

    parts: tuple[tuple[str, bool], ...] = ()
    query: str = ""

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"table {'.'.join(part for part, _ in self.parts)!r}" if self.parts else "the query"

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """A statement that selects from it."""
        return select(*columns).select_from(_From(self))

    def nothing(self) -> Select[Any]:
        """All columns and no row: what a database describes without reading any."""
        return self.select(literal_column("*")).where(literal_column("1") == literal_column("0"))


def relation(table: str | None, query: str | None) -> Relation:
    """
    What a monitor's ``table`` or ``query`` means.

    Raises
    ------
    UsageError
        If both are given or none, or the name of the table cannot be read.
    """
    if (table is None) == (query is None):
        raise UsageError("rows of a database need exactly one of table and query")
    if table is not None:
        return Relation(parse_table(table))
    text = (query or "").strip()
    while text.endswith(";"):
        text = text[:-1].rstrip()
    if not text:
        raise UsageError("the query is empty; expected a SELECT statement")
    return Relation(query=text)


def parse_table(name: str) -> tuple[tuple[str, bool], ...]:
    """
    The parts of a table's name, and whether each was quoted.

    Examples
    --------
    >>> parse_table('lake."Daily.Flights"')
    (('lake', False), ('Daily.Flights', True))

    Raises
    ------
    UsageError
        If a part is empty, or a quote does not end.
    """
    parts: list[tuple[str, bool]] = []
    rest = name.strip()
    while True:
        part, quoted, rest = _part(rest, name)
        parts.append((part, quoted))
        if not rest:
            return tuple(parts)
        if not rest.startswith("."):
            raise UsageError(f"table {name!r} cannot be read at {rest!r}; expected a name such as schema.table")
        rest = rest[1:]


def _part(text: str, name: str) -> tuple[str, bool, str]:
    if text[:1] in QUOTES:
        end = re.escape(QUOTES[text[0]])
        found = re.match(rf".((?:[^{end}]|{end}{end})+){end}", text, re.DOTALL)
        if not found:
            raise UsageError(
                f"table {name!r}: the quote {text[0]!r} does not end; expected a name such as schema.table"
            )
        closing = QUOTES[text[0]]
        return found[1].replace(closing * 2, closing), True, text[found.end() :]
    part, dot, rest = text.partition(".")
    if not part.strip() or (dot and not rest):
        raise UsageError(f"table {name!r} has an empty part; expected a name such as schema.table")
    return part, False, dot + rest


def field(name: str) -> ColumnElement[Any]:
    """A column, quoted by the dialect; without a type, so that values come as the driver gives them."""
    return column(quoted_name(name, quote=True))


def columns_of(connection: Connection, relation: Relation) -> list[str]:
    """The names of the columns, found without reading a row."""
    result = connection.execute(relation.nothing())
    found = [str(name) for name in result.keys()]  # noqa: SIM118 - not a mapping
    result.close()
    return found


class _From(FromClause):
    """A relation as a part of a statement: its text is the dialect's, its columns are looked up by name."""

    inherit_cache = False
    named_with_column = False

    def __init__(self, relation: Relation) -> None:
        self.relation = relation


@compiles(_From)
def _compile(element: _From, compiler: Any, **_: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    preparer = compiler.preparer
    if element.relation.parts:
        return ".".join(
            preparer.quote_identifier(part) if quoted else preparer.quote(part)
            for part, quoted in element.relation.parts
        )
    # On lines of its own, so that a comment at its end does not go on.
    text: str = compiler.post_process_text(f"(\n{element.relation.query}\n)")
    return f"{text} {preparer.quote_identifier('driftmon_rows')}"


def literal(text: str) -> ColumnElement[Any]:
    """A constant of ours in quotes: never a value of somebody else's."""
    return literal_column(f"'{text}'")


def together(*columns: ColumnElement[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's
    """Columns in parentheses: one of the sets of GROUPING SETS."""
    return tuple_(*columns)

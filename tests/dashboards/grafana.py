"""
What Grafana does with a query before the data source sees it, re-expressed from its sources: variables, then macros.

Only what the shipped dashboards use; anything else is an error, so that nothing goes unchecked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Page", "Query", "interpolated", "macros_expanded", "panels_of", "queries_of"]

VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}")
"""A variable as Grafana finds it, once, from left to right: what comes from a value is not looked at again."""

MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
"""A macro of the SQL data sources, looked for after the variables were filled in: in their values too."""

FORMATS = {
    "percentencode": lambda value: quote(value, safe=""),
    "queryparam": None,
    # As Grafana quotes SQL: right for no name with a double quote. Nothing of ours uses it; a test shows why.
    "sqlstring": lambda value: "'" + value.replace("'", "''").replace('"', '\\"') + "'",
}


@dataclass(frozen=True)
class Page:
    """
    What a person looks at.

    Parameters
    ----------
    values : mapping of str to str
        Of the variables.
    start, end : datetime
        The time that is shown.
    interval : int
        Seconds between two points of a graph.
    """

    values: Mapping[str, str]
    start: datetime
    end: datetime
    interval: int = 3600

    def choosing(self, **values: str) -> Page:
        """The same with other values."""
        return replace(self, values={**self.values, **values})


@dataclass(frozen=True)
class Query:
    """A query of a panel, a variable or an annotation: where it stands, for whom it is, and its text."""

    place: str
    kind: str
    text: str
    target: Mapping[str, Any]


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every panel that is no heading."""
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def queries_of(dashboard: Mapping[str, Any]) -> Iterator[Query]:
    """Every query of a dashboard."""
    uid = dashboard["uid"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            query = variable["query"]
            text = query if isinstance(query, str) else query["query"]
            yield Query(f"{uid}: variable {variable['name']}", variable["datasource"]["type"], text, variable)
    for annotation in dashboard["annotations"]["list"]:
        target = annotation["target"] | {"range": True, "instant": False}
        yield Query(f"{uid}: annotation {annotation['name']}", annotation["datasource"]["type"], target["expr"], target)
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            place = f"{uid}: panel {panel['title']!r} {target.get('refId', '?')}"
            yield Query(place, target["datasource"]["type"], target.get("expr") or target["rawSql"], target)


def interpolated(text: str, page: Page) -> str:
    """A text with the values of the variables in it; what is no variable stays, as in Grafana."""

    def value_of(match: re.Match[str]) -> str:
        name, form = match[1] or match[2], match[4]
        if name not in page.values:
            return match[0]
        if form is None:
            return page.values[name]
        return FORMATS[form](page.values[name])

    return VARIABLE.sub(value_of, text)


def macros_expanded(statement: str, page: Page) -> str:
    """
    An SQL statement as PostgreSQL gets it.

    Raises
    ------
    ValueError
        For a macro that there is not, as Grafana does.
    """

    def expanded(match: re.Match[str]) -> str:
        arguments = [argument.strip() for argument in match[2].split(",")]
        match match[1]:
            case "__timeFilter":
                return f"{arguments[0]} BETWEEN '{_instant(page.start)}' AND '{_instant(page.end)}'"
            case "__timeGroup":
                seconds = int(arguments[1].removesuffix("s"))
                return f"floor(extract(epoch from {arguments[0]})/{seconds})*{seconds}"
            case unknown:
                raise ValueError(f"unknown macro {unknown!r}")

    return MACRO.sub(expanded, statement.replace("$__interval", f"{page.interval}s"))


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

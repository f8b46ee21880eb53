"""Templates turned into whole pages, each with the policy that lets a browser obey nothing but what we wrote."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from driftmon.report.text import FILTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftmon.report.freshness import Standing
    from driftmon.report.views import MonitorView

__all__ = ["POLICY", "Elsewhere", "Runbooks", "Within", "fragment", "render", "render_report"]


class Runbooks(Protocol):
    """Addresses of runbooks, for a report of people who have them."""

    def runbook(self, alert: str, monitor: str, column: str = "", segment: str | None = None) -> str:
        """The page of an alert; empty for no link."""
        ...


@dataclass(frozen=True)
class Elsewhere:
    """
    What a report leads to.

    Parameters
    ----------
    pages : tuple of (str, str)
        Texts and addresses of pages about the same window.
    runbooks : Runbooks, optional
        Where they are.
    """

    pages: tuple[tuple[str, str], ...] = ()
    runbooks: Runbooks | None = None


class Within:
    """
    The addresses of a report, which is one file: places in it. Pages that are served have others, by methods of the same names.

    Parameters
    ----------
    told : sequence of (str, str or None)
        The columns and segments that it tells in full, in their order.
    runbooks : Runbooks, optional
        Where they are.
    """

    def __init__(self, told: Sequence[tuple[str, str | None]] = (), runbooks: Runbooks | None = None) -> None:
        self._places = {key: f"#shift-{place}" for place, key in enumerate(told, 1)}
        self._runbooks = runbooks

    def monitor(self, *_: object) -> str:
        """The page of a monitor in a window; empty for no link."""
        return ""

    def column(self, _monitor: str, column: str, segment: str | None = None, *_: object) -> str:
        """Where a column or a segment is told in full; empty for no link."""
        return self._places.get((column, segment), "")

    def runbook(self, alert: str, monitor: str, column: str = "", segment: str | None = None) -> str:
        """The page of an alert; empty for no link."""
        return "" if self._runbooks is None else self._runbooks.runbook(alert, monitor, column, segment)


def render_report(
    view: MonitorView,
    version: str,
    *,
    standing: Standing | None = None,
    written: str = "",
    elsewhere: Elsewhere | None = None,
) -> str:
    """
    A report as one HTML file: nothing in it asks for anything from elsewhere.

    Parameters
    ----------
    view : MonitorView
    version : str
        Of driftmon.
    standing : Standing, optional
        How the monitor was watched when it was written; not told without.
    written : str
        When it was written.
    elsewhere : Elsewhere, optional
        Where people find more.
    """
    known = elsewhere or Elsewhere()
    links = Within([(it.column.column, it.column.segment) for it in view.details], known.runbooks)
    said = {"standing": standing, "written": written, "elsewhere": known.pages}
    return render("report.html", view=view, links=links, version=version, **said)


def render(template: str, **values: object) -> str:
    """A page from one of our templates."""
    return _environment().get_template(template).render(**values)


def fragment(macro: str, *values: object) -> Markup:
    """A picture by itself, for pages that keep it."""
    drawn: Markup = getattr(_environment().get_template("draw.html").module, macro)(*values)
    return drawn


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("driftmon.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    ours = {"style": Markup(STYLE), "script": Markup(SCRIPT), "policy": POLICY}  # noqa: S704 - files of ours, not input
    environment.globals.update(ours)
    return environment


def _resource(name: str) -> str:
    return files("driftmon.report").joinpath("templates", name).read_text("utf-8").strip()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE = _resource("page.css")
SCRIPT = _resource("page.js")

POLICY = (
    f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
"""Content security policy of every page: this style sheet and this script, and nothing else, wherever a name came from."""

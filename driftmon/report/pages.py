"""Templates turned into whole pages, each with the policy that lets a browser obey nothing but what we wrote."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from driftmon.report.text import FILTERS

if TYPE_CHECKING:
    from driftmon.report.views import MonitorView

__all__ = ["POLICY", "Nowhere", "fragment", "render", "render_report"]


class Nowhere:
    """The addresses of a report, which is one file: none. Pages that are served have others, with methods of the same names."""

    def monitor(self, *_: object) -> str:
        """The page of a monitor in a window; empty for no link."""
        return ""

    def column(self, *_: object) -> str:
        """The page of a column, of a segment, in a window; empty for no link."""
        return ""


def render_report(view: MonitorView, version: str) -> str:
    """A report as one HTML file: nothing in it asks for anything from elsewhere."""
    return render("report.html", view=view, links=Nowhere(), version=version)


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

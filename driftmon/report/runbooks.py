"""What to do when an alert fires: the pages of `docs/runbooks`, rendered."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

__all__ = ["runbook", "runbooks"]

NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
PAGE = re.compile(r"(?:\./)?(?P<name>[A-Za-z0-9_-]+)\.md(?P<part>#[\w-]*)?")
"""A link from one runbook to another."""

INDEX = "README"
"""The page of the folder itself, if it has one."""


def runbooks() -> list[str]:
    """The names of the alerts that have a page."""
    return sorted(file.stem for file in _folder().glob("*.md") if NAME.fullmatch(file.stem) and file.stem != INDEX)


def runbook(name: str = INDEX) -> Markup | None:
    """The page of an alert as HTML; None if there is none."""
    if not NAME.fullmatch(name) or not (file := _folder() / f"{name}.md").is_file():
        return None
    return _rendered(file.read_text("utf-8"))


def _folder() -> Path:
    """An installed driftmon brings them along; a checkout has them in its documents."""
    packaged = Path(__file__).with_name("runbooks")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "docs" / "runbooks"


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def _rendered(text: str) -> Markup:
    markdown = _markdown()
    tokens = markdown.parse(text)
    for token in tokens:
        _lead(token.children or [])
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    return Markup(html)  # noqa: S704 - documents of ours, in which the renderer escapes HTML


def _lead(tokens: Sequence[Token]) -> None:
    """Links between runbooks lead to their pages; those to other documents, which are not served, become plain text."""
    opened: Token | None = None
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            found = PAGE.fullmatch(address)
            if found is not None:
                page = "" if found["name"] == INDEX else found["name"]
                token.attrs["href"] = f"/runbooks/{page}{found['part'] or ''}"
            elif not address.startswith(("http://", "https://", "#", "/")):
                token.tag, opened = "span", token
                token.attrs = {}
        elif token.type == "link_close" and opened is not None:
            token.tag, opened = "span", None
        elif token.type == "image":
            token.type, token.tag = "text", ""

"""What to do when an alert fires: the pages of `docs/runbooks`, rendered."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

__all__ = ["About", "runbook", "runbooks"]

NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
PAGE = re.compile(r"(?:\./)?(?P<name>[A-Za-z0-9_-]+)\.md(?P<part>#[\w-]*)?")
"""A link from one runbook to another."""

PLACE = re.compile(r"(?P<label>\b(?:monitor|column)=)?(?<![A-Z])(?P<name>MONITOR|COLUMN|NAME=VALUE)(?![A-Z])")
"""What stands for a name in a command."""

INDEX = "README"
"""The page of the folder itself, if it has one."""


def runbooks() -> list[str]:
    """The names of the alerts that have a page."""
    return sorted(file.stem for file in _folder().glob("*.md") if NAME.fullmatch(file.stem) and file.stem != INDEX)


@dataclass(frozen=True)
class About:
    """
    What a runbook is read for: its commands are filled in with these names.

    Parameters
    ----------
    monitor : str
    column, segment : str
        Empty if it is about no column, or about all rows.
    """

    monitor: str
    column: str = ""
    segment: str = ""

    def fill(self, code: str) -> str:
        r"""
        Put the names into a command, quoted for a shell.

        Examples
        --------
        >>> print(About("shop", "it's new").fill("driftmon explain MONITOR COLUMN"))
        driftmon explain shop 'it'"'"'s new'
        """
        return PLACE.sub(self._put, code)

    def _put(self, found: re.Match[str]) -> str:
        names = {"MONITOR": self.monitor, "COLUMN": self.column, "NAME=VALUE": self.segment}
        name = names[found["name"]]
        if not name:
            return found[0]
        if found["label"] is None:
            return _quoted(name)
        # What Alertmanager matches by has quotes of its own where a name has more than letters.
        plain = re.fullmatch(r"[\w.-]+", name, re.ASCII)
        escaped = name if plain else '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name).replace("\n", "\\n"))
        return _quoted(found["label"] + escaped)


def _quoted(text: str) -> str:
    """For a shell: what cannot be seen, or turns what stands around it, is written by its number."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'{}'".format("".join(_letter(letter) for letter in text))


def _letter(letter: str) -> str:
    if letter in "'\\":
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def runbook(name: str = INDEX, about: About | None = None) -> Markup | None:
    """
    The page of an alert as HTML; None if there is none.

    Parameters
    ----------
    name : str
    about : About, optional
        Whose commands they are to be.
    """
    if not NAME.fullmatch(name) or not (file := _folder() / f"{name}.md").is_file():
        return None
    return _rendered(file.read_text("utf-8"), about)


def _folder() -> Path:
    """An installed driftmon brings them along; a checkout has them in its documents."""
    packaged = Path(__file__).with_name("runbooks")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "docs" / "runbooks"


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@lru_cache(maxsize=64)
def _rendered(text: str, about: About | None) -> Markup:
    markdown = _markdown()
    tokens = markdown.parse(text)
    for token in tokens:
        _lead(token.children or [])
        for each in (token, *(token.children or [])):
            if about is not None and each.type in {"fence", "code_inline"}:
                each.content = about.fill(each.content)
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

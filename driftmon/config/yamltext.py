"""YAML as people mean it: duplicate keys are errors, `no` is a word, dates stay text, ``${VAR}`` comes from the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FromEnvironment", "parse", "substitute"]

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

MOST_VALUES = 100_000
"""Values of a document with every alias spelled out: a few lines of aliases of aliases can stand for billions."""


class FromEnvironment(str):
    """A text with variables filled in, which remembers how it was written: messages show `written`, never the value."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, value: str, *, written: str) -> FromEnvironment:
        """Make the text `value` that was written as `written`."""
        text = super().__new__(cls, value)
        text.written = written
        return text

    def __repr__(self) -> str:
        return repr(self.written)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2: ``no`` and dates are text, ``1e-3`` is a number, ``010`` is ten."""


_TAG = "tag:yaml.org,2002:"
_REPLACED = {f"{_TAG}{kind}" for kind in ("bool", "timestamp", "int", "float")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(f"{_TAG}int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    f"{_TAG}float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)
_Loader.add_constructor(f"{_TAG}int", lambda _, node: int(node.value))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: dict[Any, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is not text; put it in quotes", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"key {key!r} is given twice, in lines {seen[key]} and {line}; keep one",
                key_node.start_mark,
            )
        seen[key] = line
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse(text: str) -> Any:  # noqa: ANN401 - a YAML document is anything until it is validated
    """
    The content of a YAML document.

    Raises
    ------
    ValueError
        With line and column, if the text is not YAML, gives a key twice, or has a key that is not text; also if it is nested
        so deeply, or stands for so many values, that no person can have meant it.
    """
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, with fewer types still
        values = _values(content, {})
    except RecursionError:
        raise ValueError("is nested too deeply to be read; a monitor file has a handful of levels") from None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise ValueError(f"{place}{exc.problem}") from exc
    except yaml.YAMLError as exc:
        raise ValueError(" ".join(str(exc).split())) from exc
    if values > MOST_VALUES:
        raise ValueError(
            f"its aliases stand for {values:,} values, expected at most {MOST_VALUES:,}; spell out what is meant"
        )
    return content


def _values(content: object, known: dict[int, int]) -> int:
    """The values of a document with its aliases spelled out, counted without doing so."""
    if not isinstance(content, dict | list):
        return 1
    if id(content) not in known:
        parts = content.values() if isinstance(content, dict) else content
        known[id(content)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(content)]


def substitute(content: Any, environment: Mapping[str, str], problems: list[str], place: str = "") -> Any:  # noqa: ANN401
    """
    Fill in ``${VAR}`` in every text of a document.

    A value that is nothing but one variable is read as YAML would read it, so that ``min_rows: ${MIN_ROWS}`` is a number.

    Parameters
    ----------
    content
        What `parse` gave.
    environment : mapping of str to str
    problems : list of str
        Gets a line for each variable that is not set.
    place : str
        Dotted key of `content`, for those lines.
    """
    if isinstance(content, dict):
        return {
            key: substitute(value, environment, problems, f"{place}.{key}" if place else key)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [substitute(value, environment, problems, f"{place}[{index}]") for index, value in enumerate(content)]
    if not isinstance(content, str) or not VARIABLE.search(content):
        return content
    unset = [name for name in VARIABLE.findall(content) if name not in environment]
    if unset:
        problems.extend(
            f"{place}: the environment variable {name} is not set; set it, or remove ${{{name}}}" for name in unset
        )
        return content
    value = VARIABLE.sub(lambda match: environment[match[1]], content)
    if VARIABLE.fullmatch(content) and isinstance(number := _scalar(value), int | float):
        return number
    return FromEnvironment(value, written=content)


def _scalar(text: str) -> object:
    try:
        return parse(text)
    except ValueError:
        return text

"""What is wrong with a monitor file, in the words of the person who wrote it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args

from driftmon.config.monitor import Monitor, Thresholds
from driftmon.config.yamltext import FromEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

__all__ = ["explain"]


def explain(error: ValidationError, content: object) -> list[str]:
    """
    A line for each problem: key, value, what was expected; for a typo the nearest key.

    Values that `content` took from the environment are shown as they were written, since they may be secrets.
    """
    lines = [_line(item) for item in error.errors(include_url=False)]
    for value in sorted(_from_environment(content), key=len, reverse=True):
        lines = [line.replace(value, value.written) for line in lines]
    return lines


def _from_environment(content: object) -> Iterator[FromEnvironment]:
    if isinstance(content, FromEnvironment) and content:
        yield content
    elif isinstance(content, dict | list):
        for item in content.values() if isinstance(content, dict) else content:
            yield from _from_environment(item)


EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
}


def _line(item: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails, a TypedDict of Any
    *parents, last = item["loc"] or ("",)
    key = ".".join(map(str, item["loc"]))
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        return _unknown_key(parents, str(last), key)
    if kind == "missing":
        return f"{key} is missing; it is needed"
    if kind == "value_error":
        return f"{key + ': ' if key else ''}{item['ctx']['error']}"
    if kind == "string_pattern_mismatch":
        return f"{key} is {_shown(value)}, expected 1 to 63 of a-z, 0-9, _ and -"
    if kind in EXPECTED:
        return f"{key} is {_shown(value)}, expected {EXPECTED[kind]}"
    return f"{key} is {_shown(value)}: {item['msg'][0].lower()}{item['msg'][1:]}"


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, FromEnvironment) else repr(value.written)
    return text if len(text) <= 80 else text[:77] + "..."


def _unknown_key(parents: list[Any], last: str, key: str) -> str:
    model: Any = Monitor
    for parent in parents:
        field = model.model_fields.get(str(parent)) if hasattr(model, "model_fields") else None
        model = _model(field.annotation) if field is not None else Thresholds
    known = sorted(model.model_fields) if hasattr(model, "model_fields") else []
    near = difflib.get_close_matches(last, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
    return f"{key} is not a known key; {hint}"


def _model(annotation: Any) -> Any:  # noqa: ANN401 - the type of a field: a class, or one of several
    """The model among the types that a field may have."""
    return next((each for each in get_args(annotation) if hasattr(each, "model_fields")), annotation)

"""Golden files: what others read, word for word. ``DRIFTMON_GOLDEN=write`` writes them anew; look at the difference before you commit it."""

import difflib
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def rounded(content):
    """JSON-ready content with floats of 9 digits: the last ones depend on the processor."""
    if isinstance(content, float):
        return float(f"{content:.9g}")
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    return [rounded(value) for value in content] if isinstance(content, list) else content


def agree(name: str, text: str) -> None:
    """Hold a text against the golden file of that name."""
    path = FOLDER / name
    if os.environ.get("DRIFTMON_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    difference = "\n".join(difflib.unified_diff(expected.splitlines(), text.splitlines(), "agreed", "now", lineterm=""))

    if text != expected:
        pytest.fail(f"tests/golden/{name}: if this is right: DRIFTMON_GOLDEN=write make test\n{difference}")

"""
Writes the dashboards next to this file: ``python -m dashboards.grafana.build``.

They are committed, so that nobody needs Python to import them; a test holds that building them again changes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.grafana.column import column_page
from dashboards.grafana.monitor import monitor_page
from dashboards.grafana.overview import overview

__all__ = ["DASHBOARDS", "build"]

DASHBOARDS = {"overview": overview, "monitor": monitor_page, "column": column_page}
"""By the name of the file."""


def build() -> dict[str, str]:
    """The text of each file, by its name."""
    return {
        f"{name}.json": json.dumps(make(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        for name, make in DASHBOARDS.items()
    }


if __name__ == "__main__":
    for name, text in build().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")

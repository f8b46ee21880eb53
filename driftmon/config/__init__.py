"""Monitor files: YAML text to a frozen `Monitor`, or one error that names every problem of the file."""

from __future__ import annotations

from driftmon.config.loading import BrokenMonitor, find_monitor, load_folder, load_monitor, select_monitors
from driftmon.config.monitor import Monitor, json_schema
from driftmon.config.places import Place
from driftmon.schedule import parse_instant

__all__ = [
    "BrokenMonitor",
    "Monitor",
    "Place",
    "find_monitor",
    "json_schema",
    "load_folder",
    "load_monitor",
    "parse_instant",
    "select_monitors",
]

"""Where driftmon finds things when nobody says: its home, the monitor files, the results database."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["database_url", "home", "monitors_folder"]


def home() -> Path:
    """Where driftmon keeps what nobody told it to keep elsewhere: ``DRIFTMON_HOME``, by default ``./.driftmon``."""
    return Path(os.environ.get("DRIFTMON_HOME") or ".driftmon").absolute()


def database_url(url: str | None = None) -> str:
    """The results database: the given one, ``DRIFTMON_DATABASE_URL``, or a SQLite file in the home."""
    return url or os.environ.get("DRIFTMON_DATABASE_URL") or f"sqlite:///{home() / 'driftmon.db'}"


def monitors_folder() -> Path:
    """The folder of monitor files: ``DRIFTMON_MONITORS``, by default ``./monitors``."""
    return Path(os.environ.get("DRIFTMON_MONITORS") or "monitors").absolute()

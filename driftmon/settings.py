"""Where driftmon finds things when nobody says: its home, the monitor files, the results database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Links", "database_url", "home", "links", "monitors_folder", "notify_config", "notify_urls"]


@dataclass(frozen=True)
class Links:
    """
    Where links that people are sent begin, without a slash at the end.

    Parameters
    ----------
    grafana_url : str
        Empty if there is no Grafana.
    driftmon_url : str
        The pages of ``driftmon serve``, as people reach them; empty if nobody said.
    """

    grafana_url: str
    driftmon_url: str


def home() -> Path:
    """Where driftmon keeps what nobody told it to keep elsewhere: ``DRIFTMON_HOME``, by default ``./.driftmon``."""
    return Path(os.environ.get("DRIFTMON_HOME") or ".driftmon").absolute()


def database_url(url: str | None = None) -> str:
    """The results database: the given one, ``DRIFTMON_DATABASE_URL``, or a SQLite file in the home."""
    return url or os.environ.get("DRIFTMON_DATABASE_URL") or f"sqlite:///{home() / 'driftmon.db'}"


def monitors_folder() -> Path:
    """The folder of monitor files: ``DRIFTMON_MONITORS``, by default ``./monitors``."""
    return Path(os.environ.get("DRIFTMON_MONITORS") or "monitors").absolute()


def links(own: str = "") -> Links:
    """
    Where links begin: ``DRIFTMON_GRAFANA_URL`` and ``DRIFTMON_URL``.

    Parameters
    ----------
    own : str
        Of the pages where ``DRIFTMON_URL`` is not set.
    """
    grafana, pages = (os.environ.get(name, "").strip().rstrip("/") for name in ("DRIFTMON_GRAFANA_URL", "DRIFTMON_URL"))
    return Links(grafana, pages or own.rstrip("/"))


def notify_urls() -> str:
    """Whom checks tell what changed: ``DRIFTMON_NOTIFY``, Apprise URLs with white space between them. They hold secrets."""
    return os.environ.get("DRIFTMON_NOTIFY", "").strip()


def notify_config() -> str:
    """The same, by the path of a configuration file of Apprise: ``DRIFTMON_NOTIFY_CONFIG``."""
    return os.environ.get("DRIFTMON_NOTIFY_CONFIG", "").strip()

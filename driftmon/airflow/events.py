"""
Events for other DAGs: a task that has an asset as its outlet, and runs only when a monitor has begun to drift.

Airflow sends the event of an outlet whenever its task succeeds. So the check decides whether that task runs at all; when it does
not, it costs no process, and the grid shows at which windows something was news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from driftmon.airflow import drifted
from driftmon.core.window import isoformat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftmon.notifications.telling import News

__all__ = ["NEWS", "DriftedOperator", "asker", "news_json"]

NEWS = "drifting"
"""The key under which a check leaves what has begun to drift."""


class DriftedOperator(BaseOperator):
    """
    Send the event of `driftmon.airflow.drifted`, directly after the `CheckOperator` that decides whether this runs.

    Parameters
    ----------
    monitor : str
        The monitor's name.
    """

    def __init__(self, *, monitor: str, **kwargs: Any) -> None:  # noqa: ANN401 - Airflow's
        super().__init__(outlets=[drifted(monitor)], **kwargs)
        self.monitor = monitor

    def execute(self, context: Mapping[str, Any]) -> None:
        """Say what has begun to drift; the event itself is sent by Airflow when this succeeds."""
        task = context["ti"]
        extra: dict[str, Any] = {"monitor": self.monitor}
        for check in sorted(self.upstream_task_ids):
            news, summary = task.xcom_pull(task_ids=check, key=NEWS), task.xcom_pull(task_ids=check)
            if news and summary and news["window"] == summary["window"]:
                extra |= summary
            extra |= news or {}
        context["outlet_events"][drifted(self.monitor)].extra = extra
        self.log.info("%s: %s", self.monitor, extra.get("columns"))


def asker(context: Mapping[str, Any]) -> str:
    """
    The run of a DAG that asks what has begun to drift.

    A task that is tried again asks as the same, and gets the same answer; one that somebody clears asks anew.
    """
    run = context["dag_run"]
    return f"airflow {run.dag_id} {run.run_id} {getattr(run, 'clear_number', None) or 0}"


def news_json(news: News) -> dict[str, Any]:
    """What has begun to drift as JSON-ready content; another check may have found it, in a newer window than this one's."""
    window = news.window
    return {
        "window": None if window is None else {"start": isoformat(window.start), "end": isoformat(window.end)},
        "columns": [
            {"column": item.column, "segment": item.segment or None, "alert": item.alert, "severity": item.severity}
            for item in news.firing
        ],
    }

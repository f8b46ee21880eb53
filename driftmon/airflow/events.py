"""
Events for other DAGs: a task that has an asset as its outlet, and runs only when a monitor has begun to drift.

Airflow sends the event of an outlet whenever its task succeeds. So the check decides whether that task runs at all; when it does
not, it costs no process, and the grid shows at which windows something was news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from driftmon.airflow import drifted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftmon.store.notifications import Firing

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
        columns = summary = None
        for check in sorted(self.upstream_task_ids):
            columns = columns or task.xcom_pull(task_ids=check, key=NEWS)
            summary = summary or task.xcom_pull(task_ids=check)
        extra = {**(summary or {}), "columns": columns or []}
        context["outlet_events"][drifted(self.monitor)].extra = extra
        self.log.info("%s: %s", self.monitor, ", ".join(sorted({item["column"] for item in columns or []})))


def asker(context: Mapping[str, Any]) -> str:
    """
    The run of a DAG that asks what has begun to drift.

    A task that is tried again asks as the same, and gets the same answer; one that somebody clears asks anew.
    """
    run = context["dag_run"]
    return f"airflow {run.dag_id} {run.run_id} {getattr(run, 'clear_number', None) or 0}"


def news_json(news: Iterable[Firing]) -> list[dict[str, str | None]]:
    """What has begun to drift as JSON-ready content."""
    return [
        {"column": item.column, "segment": item.segment or None, "alert": item.alert, "severity": item.severity}
        for item in news
    ]

"""The tasks of driftmon's DAGs. Everything heavy is imported when a task runs, never when a DAG is read."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from driftmon.config import BrokenMonitor, Monitor, load_folder, parse_instant
from driftmon.core.window import Window
from driftmon.errors import DriftmonError, UsageError
from driftmon.settings import database_url

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BrokenMonitorOperator", "CheckOperator", "window_of"]

ATTEMPTS = 12
DELAY = timedelta(minutes=5)


class CheckOperator(BaseOperator):
    """
    Check one window of a monitor, store the result, and return a small summary.

    The window is that of the run's data interval, or for a run by hand that of the parameters ``start`` and ``end``. A task that
    failed for a reason that trying again cannot cure (a broken file, a missing column) is not tried again.

    Parameters
    ----------
    monitor : str
        The monitor's name.
    folder : str
        Folder of monitor files.
    database : str, optional
        The results database; by default the one of `driftmon.settings` where the task runs.
    """

    template_fields = ("monitor",)

    def __init__(self, *, monitor: str, folder: str, database: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401 - Airflow's
        kwargs.setdefault("retries", ATTEMPTS)
        kwargs.setdefault("retry_delay", DELAY)
        kwargs.setdefault("execution_timeout", timedelta(hours=3))
        with suppress(ImportError):  # Airflow 3.2 has no retry policies: it waits for `DELAY` each time
            from driftmon.airflow.retries import WhenReady  # noqa: PLC0415

            kwargs.setdefault("retry_policy", WhenReady())
        super().__init__(**kwargs)
        self.monitor = monitor
        self.folder = folder
        self.database = database

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Run the check; the summary is JSON-ready, finite, and holds no row of data."""
        from driftmon.pipeline import run_check  # noqa: PLC0415 - the reason above
        from driftmon.results import check_summary  # noqa: PLC0415
        from driftmon.store.store import Store  # noqa: PLC0415

        try:
            monitor = self._load()
            window = window_of(context, monitor)
            with Store.open(database_url(self.database)) as store:
                return check_summary(run_check(monitor, store, window))
        except DriftmonError as exc:
            if exc.retryable:
                raise
            raise AirflowFailException(str(exc)) from exc

    def _load(self) -> Monitor:
        for found in load_folder(Path(self.folder)):
            if found.name == self.monitor:
                if isinstance(found, BrokenMonitor):
                    raise AirflowFailException("\n".join(found.problems))
                return found
        raise UsageError(f"{self.folder}: no monitor named {self.monitor!r} any more")


class BrokenMonitorOperator(BaseOperator):
    """
    Fail with what is wrong with a monitor file: the only task of a DAG whose file cannot be used.

    Parameters
    ----------
    problems : list of str
    """

    def __init__(self, *, problems: list[str], **kwargs: Any) -> None:  # noqa: ANN401 - Airflow's
        super().__init__(**kwargs)
        self.problems = problems

    def execute(self, context: Mapping[str, Any]) -> None:  # noqa: ARG002 - Airflow's
        """Fail."""
        raise AirflowFailException("\n".join(self.problems))


def window_of(context: Mapping[str, Any], monitor: Monitor) -> Window:
    """
    The window that a run is about: its parameters, else its data interval.

    Never the logical date, which is the start of the interval in scheduled runs and its end in runs by hand.

    Raises
    ------
    UsageError
        If the run has neither, or only half of the parameters.
    """
    params = context.get("params") or {}
    start, end = params.get("start"), params.get("end")
    if start and end:
        try:
            return Window(parse_instant(start, monitor.zone), parse_instant(end, monitor.zone))
        except ValueError as exc:
            raise UsageError(f"parameters start and end: {exc}") from exc
    if start or end:
        raise UsageError(f"parameter {'end' if start else 'start'} is missing: a window needs both")
    first, last = context.get("data_interval_start"), context.get("data_interval_end")
    if first is None or last is None:
        raise UsageError("a run by hand has no data interval: give its window in the parameters start and end")
    return Window(first, last)

"""The tasks of driftmon's DAGs. Everything heavy is imported when a task runs, never when a DAG is read."""

from __future__ import annotations

from datetime import timedelta
from logging import ERROR, WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowFailException

from driftmon.airflow.events import NEWS, DriftedOperator, asker, news_json
from driftmon.config import BrokenMonitor, Monitor, load_folder, parse_instant
from driftmon.core.window import Window
from driftmon.errors import ConfigError, DriftmonError, UsageError
from driftmon.settings import database_url, monitors_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftmon.notifications.telling import News

try:
    from driftmon.airflow.retries import WhenItHelps
except ImportError:  # Airflow 3.2 has no retry policies
    POLICY = None
else:
    POLICY = WhenItHelps()

__all__ = ["BrokenMonitorOperator", "CheckOperator", "attempts_for", "window_of"]

DELAY = timedelta(minutes=5)
ATTEMPTS = 12
"""An hour of attempts: as long as a window may be late before its monitor counts as stale."""

LONGEST_CHECK = timedelta(hours=3)


class CheckOperator(BaseOperator, SkipMixin):
    """
    Check one window of a monitor, store the result, tell people what changed, and return a small summary.

    The window is the one that the run's parameters name (``window``, or ``start`` and ``end``), else the run's data interval. What
    trying again cannot cure (a broken file, a missing baseline) fails at once; drift is a result, not a failure. A `DriftedOperator`
    directly after it runs only if the monitor has begun to drift.

    Parameters
    ----------
    monitor : str
        The monitor's name.
    folder : str, optional
        Folder of monitor files; by default the one of `driftmon.settings` where the task runs.
    retries, retry_delay, execution_timeout, retry_policy
        As in Airflow. The policy needs Airflow 3.3.
    """

    template_fields = ("monitor", "folder")

    def __init__(
        self,
        *,
        monitor: str,
        folder: str | None = None,
        retries: int = ATTEMPTS,
        retry_delay: timedelta = DELAY,
        execution_timeout: timedelta = LONGEST_CHECK,
        retry_policy: Any = POLICY,  # noqa: ANN401 - Airflow 3.2 has no such class
        **kwargs: Any,  # noqa: ANN401 - Airflow's
    ) -> None:
        if retry_policy is not None:
            kwargs["retry_policy"] = retry_policy
        super().__init__(retries=retries, retry_delay=retry_delay, execution_timeout=execution_timeout, **kwargs)
        self.monitor = monitor
        self.folder = folder

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Run the check; the summary is JSON-ready, finite, and holds no row of data."""
        from driftmon.airflow.connections import use_connections_of_airflow  # noqa: PLC0415
        from driftmon.headline import headline  # noqa: PLC0415
        from driftmon.notifications.telling import newly_drifting, telling  # noqa: PLC0415 - the reason above
        from driftmon.pipeline import run_check  # noqa: PLC0415
        from driftmon.results import check_summary  # noqa: PLC0415
        from driftmon.store.store import Store  # noqa: PLC0415

        try:
            use_connections_of_airflow()
            monitor = _find(self.monitor, Path(self.folder) if self.folder else monitors_folder())
            window = window_of(context, monitor)
            # A run by hand is about its window, however old that is; a scheduled one may be one of many that catch up.
            catching_up = not _given(context)
            with Store.open(database_url()) as store, telling(monitor, store, catching_up=catching_up):
                result = run_check(monitor, store, window)
                # Asked only where somebody passes it on: it is news once.
                asks = bool(self._events())
                news = newly_drifting(monitor, store, by=asker(context), catching_up=catching_up) if asks else None
        except DriftmonError as exc:
            # One line of ours before Airflow's stack trace; where it was raised only for those who look for it.
            self.log.log(WARNING if exc.retryable else ERROR, "%s", exc)
            self.log.debug("where it was raised", exc_info=True)
            if exc.retryable:
                raise
            raise AirflowFailException(str(exc)) from None
        self.log.info("%s %s: %s", monitor.name, window, headline(result))
        summary = check_summary(result)
        self._pass_on(context, summary, news)
        return summary

    def _pass_on(self, context: Mapping[str, Any], summary: dict[str, Any], news: News | None) -> None:
        """Leave what has begun to drift to the task that sends the event; it is skipped if nothing has, which ends this one."""
        if not self._events():
            return
        if news is not None:
            context["ti"].xcom_push(key=NEWS, value=news_json(news))
            return
        if self.do_xcom_push:
            # Skipping ends the task at once, without a return value.
            context["ti"].xcom_push(key="return_value", value=summary)
        self.skip(context["ti"], self._events())

    def _events(self) -> list[DriftedOperator]:
        return [task for task in self.downstream_list if isinstance(task, DriftedOperator)]


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
        for problem in self.problems:
            self.log.error("%s", problem)
        raise AirflowFailException("\n".join(self.problems))


def attempts_for(delay: timedelta) -> int:
    """How often a check is tried again if its rows take so long to arrive: waiting for them costs none of the `ATTEMPTS`."""
    # Without a policy every attempt that comes too early counts.
    return ATTEMPTS + (int(bool(delay)) if POLICY else -(-delay // DELAY))


def window_of(context: Mapping[str, Any], monitor: Monitor) -> Window:
    """
    The window that a run is about: the one its parameters name, else its data interval, or the rolling window that ends with it.

    Never the logical date, which is the start of the interval in scheduled runs and its end in runs by hand.

    Raises
    ------
    UsageError
        If the run has neither, or parameters that name no window.
    """
    given = _given(context)
    if given:
        return _named_window(given, monitor)
    first, last = context.get("data_interval_start"), context.get("data_interval_end")
    if first is None or last is None:
        raise UsageError(
            "this run has no data interval, as runs by hand have none: name the window in its configuration, such as "
            '{"window": "2013-05-07"} or {"start": "2013-05-07T00:00:00Z", "end": "2013-05-08T00:00:00Z"}'
        )
    return monitor.window_ending(Window(first, last))


def _given(context: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a run that name a window; empty for a scheduled one."""
    return {name: value for name in ("window", "start", "end") if (value := (context.get("params") or {}).get(name))}


def _named_window(given: Mapping[str, str], monitor: Monitor) -> Window:
    instants = {}
    for name, text in given.items():
        try:
            instants[name] = parse_instant(text, monitor.zone)
        except ValueError as exc:
            raise UsageError(f"parameter {name}: {exc}") from exc
    if instants.keys() == {"window"}:
        return monitor.windows.containing(instants["window"])
    if instants.keys() == {"start", "end"}:
        return Window(instants["start"], instants["end"])
    raise UsageError(f"parameters {' and '.join(instants)} name no window: give window alone, or both start and end")


def _find(name: str, folder: Path) -> Monitor:
    found = load_folder(folder)
    monitors = {monitor.name: monitor for monitor in found if isinstance(monitor, Monitor)}
    if name in monitors:
        return monitors[name]
    for broken in found:
        if isinstance(broken, BrokenMonitor) and broken.name == name:
            raise ConfigError(*broken.problems)
    raise UsageError(f"{folder}: no monitor named {name!r}; it has {list(monitors)}")

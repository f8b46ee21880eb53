"""
When a task is tried again: only where that can help, and not before it can.

Needs the retry policies of Airflow 3.3; on 3.2 this module cannot be imported, and whatever is not known to be hopeless is tried
again every `DELAY` of the operators.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError

from driftmon.errors import DataNotReady, DriftmonError

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["WhenItHelps"]

SOONEST = timedelta(seconds=1)


class WhenItHelps(RetryPolicy):
    """
    Try again what can get better by itself: rows that have yet to arrive, a place that is down, trouble of the machine.

    A window that is not complete is tried again when it is. A bug, a timeout or too little memory would come again, and fails at
    once. Airflow itself sees to workers that were killed: there it asks no policy, and tries again.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002 - Airflow's signature
        context: Context | None = None,
    ) -> RetryDecision:
        """What to do after this error."""
        if isinstance(exception, DataNotReady) and exception.ready_at is not None:
            return _when_complete(exception.ready_at, context)
        if isinstance(exception, DriftmonError):
            return RetryDecision.default() if exception.retryable else RetryDecision.fail(str(exception))
        if isinstance(exception, (OSError, AirflowException, AirflowRuntimeError)):
            return RetryDecision.default()
        return RetryDecision.fail(f"{type(exception).__name__} would come again")


def _when_complete(ready_at: datetime, context: Context | None) -> RetryDecision:
    wait = max(ready_at - datetime.now(UTC), SOONEST)
    limit = context["dag"].dagrun_timeout if context else None
    if limit is not None and wait > limit:
        return RetryDecision.fail(f"the window is complete in {wait}, and a run ends after {limit}")
    return RetryDecision.retry(delay=wait, reason=f"the window is complete at {ready_at.isoformat()}")

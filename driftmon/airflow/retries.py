"""
When a task is tried again: only where that can help, and not before it can.

Needs the retry policies of Airflow 3.3; on 3.2 this module cannot be imported, and retries come every `DELAY` of the operator.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from driftmon.errors import DataNotReady

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["WhenReady"]


class WhenReady(RetryPolicy):
    """Try again when the rows of the window have had time to arrive; in every other case as the task says."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002 - Airflow's signature
        context: Context | None = None,  # noqa: ARG002 - Airflow's signature
    ) -> RetryDecision:
        """How long to wait after this error."""
        if isinstance(exception, DataNotReady) and exception.ready_at is not None:
            wait = max(exception.ready_at - datetime.now(UTC), timedelta(seconds=1))
            return RetryDecision.retry(delay=wait, reason="rows of the window may still arrive")
        return RetryDecision.default()

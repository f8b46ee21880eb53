"""What can go wrong with the embedded Airflow and with its REST interface."""

from __future__ import annotations

from driftmon.errors import DriftmonError

__all__ = ["ApiError", "StackError", "StackStopped"]


class StackError(DriftmonError):
    """The embedded Airflow did not come up, or one of its components ended; the message names its log."""


class StackStopped(StackError):
    """The embedded Airflow was asked to stop before it was ready."""


class ApiError(DriftmonError):
    """
    Airflow's REST interface refused, or did not answer.

    Parameters
    ----------
    message : str
        Which request, and what came back.
    status : int or None
        The HTTP status; None if there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

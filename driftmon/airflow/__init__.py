"""All that needs Airflow: the embedded stack, and what the DAG folder is made of. Nothing here is loaded by ``import driftmon``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Asset

__all__ = ["drifted"]


def drifted(monitor: str) -> Asset:
    """
    The asset whose events say that a monitor has begun to drift: ``DAG("retrain", schedule=[drifted("flights")])``.

    There is one event when columns begin to drift, or get worse; none for windows without drift, and none for windows that are run
    again. Its ``extra`` has the window, the summary of the check, and the columns.
    """
    from airflow.sdk import Asset  # noqa: PLC0415 - the embedded stack is started by processes without Airflow's seconds of import

    return Asset(name=f"driftmon_{monitor}_drifted", uri=f"driftmon://{monitor}/drifted", group="driftmon")

"""From evidence to a status: thresholds and urgency (docs/statistics.md, "Status")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from driftmon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BEYOND_CHANCE", "FALSE_DISCOVERY_RATE", "Status", "Threshold", "judge", "worst"]

FALSE_DISCOVERY_RATE = 0.05
"""A shift is taken for real if its adjusted p-value is at most this."""

BEYOND_CHANCE = 1e-5
"""
Largest `p_iid` of an alert. Larger windows pass it long before the lower bound reaches a threshold. In windows of 100 to 200 rows a
bound is that large by chance in one quiet column of categories in 300: of 600 checks of real rows split at random, 15 had an alert.
"""


class Status(StrEnum):
    """The verdict on one column in one window, most urgent first. Anything but a number is never ``ok``."""

    CRITICAL = "critical"
    WARNING = "warning"
    ERROR = "error"
    SCHEMA_CHANGED = "schema_changed"
    NO_DATA = "no_data"
    INSUFFICIENT_DATA = "insufficient_data"
    INFO = "info"
    OK = "ok"

    @property
    def urgency(self) -> int:
        """Larger is more urgent; ``ok`` is 0."""
        return len(Status) - 1 - list(Status).index(self)

    @property
    def evaluated(self) -> bool:
        """True if rows were compared and the verdict stands on them."""
        return self in {Status.OK, Status.INFO, Status.WARNING, Status.CRITICAL}

    @property
    def breach(self) -> bool:
        """True for drift beyond noise and beyond a threshold."""
        return self in {Status.WARNING, Status.CRITICAL}


@dataclass(frozen=True)
class Threshold:
    """
    From which size on a shift that is beyond noise matters, in nats.

    The defaults are a mean shift of about 0.2 and 0.45 standard deviations (docs/statistics.md, "Status").

    Raises
    ------
    UsageError
        Unless ``0 <= warning <= critical``, both finite: nothing is ever above NaN, which would silence every alert.
    """

    warning: float = 0.02
    critical: float = 0.10

    def __post_init__(self) -> None:
        if not 0 <= self.warning <= self.critical < math.inf:
            raise UsageError(
                f"thresholds: warning {self.warning!r} and critical {self.critical!r} are no pair of sizes in nats; "
                "expected 0 <= warning <= critical, such as 0.02 and 0.1"
            )


def worst(statuses: Iterable[Status]) -> Status:
    """The most urgent status; ``no_data`` if there is none, for nothing checked is not ok."""
    return max(statuses, key=lambda status: status.urgency, default=Status.NO_DATA)


def judge(*, q_value: float, p_iid: float, bound: float, threshold: Threshold) -> Status:
    """
    The status of a column with enough rows.

    Parameters
    ----------
    q_value : float
        Adjusted p-value of the column.
    p_iid : float
        Probability of so large a difference between two samples of one distribution.
    bound : float
        The larger of the lower bounds of both directions, nats: the shift is at least this large.
    threshold : Threshold
        What matters for this column.

    Returns
    -------
    Status
        ``ok``, ``info`` (real, but not surely beyond the threshold), ``warning`` or ``critical``.
    """
    if q_value > FALSE_DISCOVERY_RATE:
        return Status.OK
    if p_iid > BEYOND_CHANCE:
        return Status.INFO
    if bound > threshold.critical:
        return Status.CRITICAL
    return Status.WARNING if bound > threshold.warning else Status.INFO

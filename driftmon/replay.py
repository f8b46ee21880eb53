"""What past windows would have said under other thresholds, from the stored numbers: no data are read again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from driftmon.core.verdict import Threshold, judge
from driftmon.core.window import isoformat
from driftmon.errors import UsageError
from driftmon.words import named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from driftmon.core.check import Policy
    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.verdict import Status
    from driftmon.core.window import Window

__all__ = ["Alerts", "Replay", "ReplayedWindow", "changed_policy", "replay"]


@dataclass(frozen=True)
class ReplayedWindow:
    """
    One window under the thresholds of then and of now.

    Parameters
    ----------
    window : Window
    before, after : Status
        The status of the window as it was stored, and under the other thresholds.
    alerts_before, alerts_after : tuple of str
        Columns (with their segment) that alert: warning or critical.
    sustained_before, sustained_after : tuple of str
        Columns whose drift is sustained.
    """

    window: Window
    before: Status
    after: Status
    alerts_before: tuple[str, ...]
    alerts_after: tuple[str, ...]
    sustained_before: tuple[str, ...]
    sustained_after: tuple[str, ...]

    @property
    def interesting(self) -> bool:
        """True if the window alerts, or would."""
        return bool(self.alerts_before or self.alerts_after or self.sustained_before or self.sustained_after)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content."""
        return {
            "window": {"start": isoformat(self.window.start), "end": isoformat(self.window.end)},
            "status": {"before": str(self.before), "after": str(self.after)},
            "alerts": {"before": list(self.alerts_before), "after": list(self.alerts_after)},
            "sustained": {"before": list(self.sustained_before), "after": list(self.sustained_after)},
        }


@dataclass(frozen=True)
class Alerts:
    """In how many windows a column alerts, and in how many its drift is sustained, before and after."""

    column: str
    before: int
    after: int
    sustained_before: int
    sustained_after: int


@dataclass(frozen=True)
class Replay:
    """
    Past windows under other thresholds.

    Parameters
    ----------
    thresholds : str
        What the thresholds are now, in words: ``warning 0.03``.
    windows : tuple of ReplayedWindow
        The newest first; those without rows are left out.
    changed : bool
        False if every column was checked with the very thresholds that it is judged by now.
    """

    thresholds: str
    windows: tuple[ReplayedWindow, ...]
    changed: bool = True

    @property
    def headline(self) -> str:
        """The answer in one line."""
        before = sum(1 for window in self.windows if window.alerts_before)
        after = sum(1 for window in self.windows if window.alerts_after)
        of = f"{len(self.windows)} {'window' if len(self.windows) == 1 else 'windows'}"
        if not self.changed:
            return (
                f"nothing was changed: these windows were checked with the same thresholds, and {before} of {of} "
                f"{'alerts' if before == 1 else 'alert'}; give others with --warning KL or --critical KL"
            )
        line = f"with {self.thresholds}: {after} of {of} {'alerts' if after == 1 else 'alert'} instead of {before}"
        before = sum(1 for window in self.windows if window.sustained_before)
        after = sum(1 for window in self.windows if window.sustained_after)
        return line + (f"; sustained drift in {after} instead of {before}" if before or after else "")

    @property
    def columns(self) -> list[Alerts]:
        """The columns that alert, then or now, in at least one window; those that alert most first."""
        counts: dict[str, list[int]] = {}
        for window in self.windows:
            sides = (window.alerts_before, window.alerts_after, window.sustained_before, window.sustained_after)
            for place, names in enumerate(sides):
                for name in names:
                    counts.setdefault(name, [0, 0, 0, 0])[place] += 1
        found = [Alerts(name, *of) for name, of in counts.items()]
        return sorted(found, key=lambda alerts: (-alerts.after, -alerts.before, -alerts.sustained_after, alerts.column))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content."""
        return {
            "answer": self.headline,
            "changed": self.changed,
            "windows": [window.to_json() for window in self.windows],
            "columns": [
                {
                    "column": alerts.column,
                    "alerts": {"before": alerts.before, "after": alerts.after},
                    "sustained": {"before": alerts.sustained_before, "after": alerts.sustained_after},
                }
                for alerts in self.columns
            ],
        }


def changed_policy(
    policy: Policy,
    *,
    warning: float | None = None,
    critical: float | None = None,
    columns: Collection[str] = (),
    everywhere: bool = False,
) -> Policy:
    """
    The owner's decisions with other thresholds, as if the monitor file had been edited.

    Parameters
    ----------
    policy : Policy
        Of the monitor file as it is.
    warning, critical : float, optional
        Nats; what is left out stays.
    columns : collection of str
        Change the thresholds of these columns only. Without, the general ones change: columns with thresholds of their own keep
        them.
    everywhere : bool
        Change the general thresholds and those of every column that has its own.

    Raises
    ------
    UsageError
        If a warning threshold would be above the critical one.
    """

    def changed(old: Threshold) -> Threshold:
        new = (old.warning if warning is None else warning, old.critical if critical is None else critical)
        if new[0] > new[1]:
            raise UsageError(f"warning {new[0]:g} is above critical {new[1]:g}; {_remedy(warning, critical)}")
        return Threshold(*new)

    own = dict(policy.column_thresholds)
    if columns:
        own |= {name: changed(policy.threshold_of(name)) for name in columns}
        return replace(policy, column_thresholds=own)
    if everywhere:
        own = {name: changed(old) for name, old in own.items()}
    return replace(policy, threshold=changed(policy.threshold), column_thresholds=own)


def _remedy(warning: float | None, critical: float | None) -> str:
    if warning is not None and critical is not None:
        return "give a --warning that is at most --critical"
    return f"say {'--critical' if critical is None else '--warning'} too"


def replay(checks: Iterable[CheckResult], policy: Policy, thresholds: str, *, columns: Collection[str] = ()) -> Replay:
    """
    Judge stored results again.

    What was too small to alert stays so, and the false discovery rate stands: p-values do not depend on thresholds.

    Parameters
    ----------
    checks : iterable of CheckResult
        Stored results of a monitor, the newest first.
    policy : Policy
        The thresholds to judge by, see `changed_policy`.
    thresholds : str
        What they are, in words.
    columns : collection of str
        Look at these only; at all if empty.
    """
    windows, changed = [], False
    for check in checks:
        if check.window is None or not check.live_rows:
            continue
        kept = [column for column in check.columns if not columns or column.column in columns]
        again = [_judged(column, policy.threshold_of(column.column)) for column in kept]
        changed = changed or any(then.threshold != now.threshold for then, now in zip(kept, again, strict=True))
        windows.append(
            ReplayedWindow(
                window=check.window,
                before=replace(check, columns=tuple(kept)).status,
                after=replace(check, columns=tuple(again)).status,
                alerts_before=_alerting(kept),
                alerts_after=_alerting(again),
                sustained_before=_lasting(kept),
                sustained_after=_lasting(again),
            )
        )
    return Replay(thresholds, tuple(windows), changed)


def _judged(column: ColumnResult, threshold: Threshold) -> ColumnResult:
    """A result under another threshold."""
    scores, sustained = column.scores, column.sustained
    status = column.status
    if status.evaluated and scores is not None and scores.q_value is not None:
        status = judge(q_value=scores.q_value, p_iid=scores.p_iid, bound=scores.bound, threshold=threshold)
    if sustained is not None:
        sustained = sustained.under(threshold.warning)
    return replace(column, status=status, threshold=threshold, sustained=sustained)


def _alerting(columns: Sequence[ColumnResult]) -> tuple[str, ...]:
    return tuple(named(column) for column in columns if column.status.breach)


def _lasting(columns: Sequence[ColumnResult]) -> tuple[str, ...]:
    return tuple(named(column) for column in columns if column.lasting)

"""One check: a window's counts against the baseline, a verdict for every column. Pure: the same counts give the same result."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.evidence import adjusted_p_values, weigh
from driftmon.core.hints import hint
from driftmon.core.histogram import as_matrix
from driftmon.core.history import LEAST_WINDOWS, WEEK, calibrate
from driftmon.core.layout import Kind, NumericLayout
from driftmon.core.pairs import LEAST_REFERENCE_ROWS, pairs_of
from driftmon.core.quality import judge_shares
from driftmon.core.result import CheckResult, ColumnResult, Scores
from driftmon.core.shares import shares_of
from driftmon.core.verdict import Status, Threshold, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import Baseline, BaselineColumn
    from driftmon.core.evidence import Evidence
    from driftmon.core.histogram import Histogram, Profile
    from driftmon.core.history import Calibration, History
    from driftmon.core.pairs import Pair
    from driftmon.core.quality import Quality
    from driftmon.core.window import Window

__all__ = ["CheckResult", "ColumnResult", "Policy", "Scores", "check"]


@dataclass(frozen=True)
class Policy:
    """
    What the monitor's owner decided: roles, thresholds, and how many rows a verdict needs.

    Parameters
    ----------
    threshold : Threshold
        Of every column that has none of its own.
    column_thresholds : mapping of str to Threshold
    roles : mapping of str to str
        ``feature``, ``prediction`` or ``target`` by column; a feature if not named.
    min_rows : int
        Fewer live rows are ``insufficient_data``.
    """

    threshold: Threshold = field(default_factory=Threshold)
    column_thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    min_rows: int = 100

    def threshold_of(self, column: str) -> Threshold:
        """The threshold in force for a column; that of its timestamp for a derived one such as ``booked.hour``."""
        own = self.column_thresholds.get(column) or self.column_thresholds.get(column.rpartition(".")[0])
        return own or self.threshold

    def role_of(self, column: str) -> str:
        """The role of a column; that of its timestamp for a derived one such as ``booked.hour``."""
        return self.roles.get(column) or self.roles.get(column.rpartition(".")[0]) or "feature"


def check(
    baseline: Baseline,
    live: Profile,
    *,
    policy: Policy,
    monitor: tuple[str, str] | None = None,
    window: Window | None = None,
) -> CheckResult:
    """
    Compare one window with the baseline.

    Parameters
    ----------
    baseline : Baseline
    live : Profile
        Counts of the window, in the layouts of the baseline.
    policy : Policy
    monitor : (str, str), optional
        Name and model, for the result.
    window : Window, optional
        For the result, and to say whether the history is of such windows; the numbers do not depend on it.

    Returns
    -------
    CheckResult
        A verdict for every column of the baseline, over all rows and in each of its segments.

    Raises
    ------
    ValueError
        If a live histogram has other bins than the layout of its column.
    """
    pairs = list(pairs_of(baseline, live))
    alike = baseline.history is not None and baseline.history.like(window)
    scores = iter(_scores([pair for pair in pairs if pair.comparable], policy, alike=alike))
    quality = _quality(pairs, baseline, policy)
    name, model = monitor or (None, None)
    return CheckResult(
        monitor=name,
        model=model,
        window=window,
        baseline=baseline.id,
        reference_rows=baseline.reference.rows,
        live_rows=live.rows,
        columns=tuple(
            _result(
                pair,
                next(scores) if pair.comparable else None,
                quality.get(pair.name, ()) if pair.segment is None else (),
                baseline,
                policy,
                window,
            )
            for pair in pairs
        ),
        excluded=baseline.excluded,
    )


def _scores(pairs: list[Pair], policy: Policy, *, alike: bool) -> list[Scores]:
    if not pairs:
        return []
    reference = as_matrix(pair.reference for pair in pairs)
    live = as_matrix(pair.live for pair in pairs if pair.live is not None)
    bins = np.array([pair.column.layout.size for pair in pairs])
    evidence = weigh(reference, live, bins)
    calibration = calibrate(reference, [pair.history for pair in pairs], bins, least_rows=policy.min_rows)
    usual = calibration.judge(evidence.kl, evidence.noise_floor)
    p_values = np.where(calibration.enough, np.maximum(evidence.p_iid, usual.p_history), evidence.p_iid)
    alerting = np.array([pair.can_alert(policy.min_rows) for pair in pairs])
    # One family a check: every column that may alert counts, and no other dilutes it.
    q_values = np.full(len(pairs), np.nan)
    q_values[alerting] = adjusted_p_values(p_values[alerting])
    judged = _Judged(evidence, calibration, p_values, q_values, usual.p_history, usual.limit)
    return [judged.scores(row, pair, alike=alike) for row, pair in enumerate(pairs)]


@dataclass(frozen=True)
class _Judged:
    """The numbers of all pairs, one element a pair."""

    evidence: Evidence
    calibration: Calibration
    p_values: np.ndarray[tuple[int], np.dtype[np.float64]]
    q_values: np.ndarray[tuple[int], np.dtype[np.float64]]
    p_history: np.ndarray[tuple[int], np.dtype[np.float64]]
    usual_limit: np.ndarray[tuple[int], np.dtype[np.float64]]

    def scores(self, row: int, pair: Pair, *, alike: bool) -> Scores:
        """Those of one pair."""
        evidence, told = self.evidence, bool(self.calibration.enough[row])
        numeric = isinstance(pair.column.layout, NumericLayout)
        return Scores(
            kl=float(evidence.kl[row]),
            kl_reverse=float(evidence.kl_reverse[row]),
            psi=float(evidence.psi[row]),
            js=float(evidence.js[row]),
            hellinger=float(evidence.hellinger[row]),
            total_variation=float(evidence.total_variation[row]),
            higher=_number(evidence.higher[row]) if numeric else None,
            noise_floor=float(evidence.noise_floor[row]),
            excess=float(evidence.excess[row]),
            lower_bound=float(evidence.lower_bound[row]),
            upper_bound=float(evidence.upper_bound[row]),
            lower_bound_reverse=float(evidence.lower_bound_reverse[row]),
            p_value=float(self.p_values[row]),
            p_iid=float(evidence.p_iid[row]),
            p_history=float(self.p_history[row]) if told else None,
            q_value=_number(self.q_values[row]),
            day_effect=float(self.calibration.day_effect[row]) if told else None,
            usual_limit=float(self.usual_limit[row]) if told else None,
            history_windows=int(self.calibration.windows[row]),
            calibrated=told and alike,
            contributions=tuple(evidence.contributions[row, : pair.column.layout.size].tolist()),
        )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _quality(pairs: Sequence[Pair], baseline: Baseline, policy: Policy) -> dict[str, list[Quality]]:
    """The quality checks of every column over all rows; segments would repeat what they say."""
    shares = [
        (pair.name, share)
        for pair in pairs
        if pair.segment is None and pair.can_alert(policy.min_rows)
        for share in shares_of(pair, baseline.reference.rows)
    ]
    found: dict[str, list[Quality]] = {}
    judged = judge_shares([share for _, share in shares], least_rows=policy.min_rows)
    for (name, _), quality in zip(shares, judged, strict=True):
        found.setdefault(name, []).append(quality)
    return found


def _result(
    pair: Pair,
    scores: Scores | None,
    quality: Sequence[Quality],
    baseline: Baseline,
    policy: Policy,
    window: Window | None,
) -> ColumnResult:
    threshold = policy.threshold_of(pair.name)
    status, reason = _verdict(pair, scores, threshold, policy)
    layout, live = pair.column.layout, pair.live
    strange = status.breach or any(item.problem for item in quality)
    told = pair.clues[1]
    return ColumnResult(
        column=pair.name,
        role=policy.role_of(pair.name),
        kind=pair.column.kind,
        segment=pair.segment,
        status=status,
        reason=reason,
        threshold=threshold,
        bins=layout.bins,
        reference=pair.reference,
        live=live,
        scores=scores,
        expected_novel=_expected_novel(pair.column, baseline.reference.rows),
        calibration=_calibration(scores, baseline.history, policy, window),
        quality=tuple(quality),
        hint=hint(layout, pair.reference, live, pair.clues, quality) if strange and live is not None else None,
        new=() if told is None else told.new,
    )


def _calibration(scores: Scores | None, history: History | None, policy: Policy, window: Window | None) -> str:
    """What the verdict knows of the usual variation, in words; empty where nothing was compared."""
    if history is None:
        return (
            "chance only: the reference is not split in windows, which would show how much the column moves by itself"
        )
    if scores is None:
        return ""  # nothing was compared: there is no verdict that could know anything
    windows = scores.history_windows
    if windows < LEAST_WINDOWS:
        unit = "windows" if history.timed else "blocks"
        few = f"{windows} {unit} of at least {policy.min_rows} rows, calibration needs {LEAST_WINDOWS}"
        return f"chance only: the reference has {few}"
    if not history.timed:
        return f"not calibrated: the reference has no timestamp, {windows} consecutive blocks of its rows stand for windows"
    if window is not None and history.length is not None and not history.like(window):
        theirs, its = _length(history.length), _length(window.end - window.start)
        return f"not calibrated: the {windows} windows of the reference are of {theirs}, this one of {its}"
    return f"calibrated on {windows} windows of the reference"


def _length(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours:.3g} h" if hours < 48 else f"{hours / 24:.3g} days"


def _expected_novel(column: BaselineColumn, learnt_rows: int) -> float | None:
    """In a segment too, novel is what *no* reference row had: the rows that count are all that the layout was learnt from."""
    if learnt_rows == 0:
        return None
    if isinstance(column.layout, NumericLayout):
        return 2 / (learnt_rows + 1)  # one gap below the smallest and one above the largest of m + 1 exchangeable gaps
    return None if column.singletons is None else column.singletons / learnt_rows


def _few_weekdays(pair: Pair, live: Histogram) -> int | None:
    """How many weekdays the live rows are of, if the reference has the whole week and they less than half of it."""
    if not pair.name.endswith(".weekday"):
        return None
    before, now = (sum(1 for rows in side.counts[:-2] if rows) for side in (pair.reference, live))
    return now if now < WEEK / 2 <= before else None


def _verdict(pair: Pair, scores: Scores | None, threshold: Threshold, policy: Policy) -> tuple[Status, str | None]:
    if pair.problem is not None:
        return Status.SCHEMA_CHANGED, pair.problem
    if scores is None or pair.live is None:
        side = "reference" if pair.reference.rows == 0 else "window"
        return Status.NO_DATA, f"no rows in the {side}"
    if pair.live.rows < policy.min_rows:
        return Status.INSUFFICIENT_DATA, f"{pair.live.rows} rows, min_rows is {policy.min_rows}"
    if pair.reference.rows < LEAST_REFERENCE_ROWS:
        return Status.INSUFFICIENT_DATA, f"{pair.reference.rows} reference rows, a verdict needs {LEAST_REFERENCE_ROWS}"
    if pair.column.kind is Kind.DATETIME and scores.p_history is None and (days := _few_weekdays(pair, pair.live)):
        return (
            Status.INSUFFICIENT_DATA,
            f"rows of {days} of 7 weekdays; without windows to compare with it takes a whole week",
        )
    q_value = 1.0 if scores.q_value is None else scores.q_value
    return judge(q_value=q_value, p_iid=scores.p_iid, bound=scores.bound, threshold=threshold), None

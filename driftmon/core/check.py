"""One check: a window's counts against the baseline, a verdict for every column. Pure: the same counts give the same result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.evidence import adjusted_p_values, weigh
from driftmon.core.histogram import as_matrix, segment_name
from driftmon.core.layout import NumericLayout
from driftmon.core.result import CheckResult, ColumnResult, Scores
from driftmon.core.verdict import Status, Threshold, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftmon.core.baseline import Baseline, BaselineColumn
    from driftmon.core.evidence import Evidence
    from driftmon.core.histogram import Histogram, Profile
    from driftmon.core.window import Window

__all__ = ["CheckResult", "ColumnResult", "Policy", "Scores", "check"]

LEAST_REFERENCE_ROWS = 200
"""With fewer reference rows numbers are shown, but never alert (statistics, A6)."""


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


@dataclass(frozen=True)
class _Pair:
    """One column of one segment before the verdict."""

    name: str
    segment: str | None
    column: BaselineColumn
    reference: Histogram
    live: Histogram | None
    problem: str | None

    @property
    def comparable(self) -> bool:
        """True if there are rows on both sides."""
        return self.live is not None and self.live.rows > 0 and self.reference.rows > 0


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
        For the result; the arithmetic does not depend on it.

    Returns
    -------
    CheckResult
        A verdict for every column of the baseline, over all rows and in each of its segments.

    Raises
    ------
    ValueError
        If a live histogram has other bins than the layout of its column.
    """
    pairs = list(_pairs(baseline, live))
    scores = iter(_scores([pair for pair in pairs if pair.comparable], policy))
    name, model = monitor or (None, None)
    return CheckResult(
        monitor=name,
        model=model,
        window=window,
        baseline=baseline.id,
        reference_rows=baseline.reference.rows,
        live_rows=live.rows,
        columns=tuple(
            _result(pair, next(scores) if pair.comparable else None, policy, baseline.reference.rows) for pair in pairs
        ),
        excluded=baseline.excluded,
    )


def _pairs(baseline: Baseline, live: Profile) -> Iterator[_Pair]:
    parts: list[tuple[str | None, Profile, Profile | None]] = [(None, baseline.reference, live)]
    parts += [(name, reference, live.segments.get(name)) for name, reference in baseline.reference.segments.items()]
    owners = {segment_name(name, value): name for name, values in baseline.segments.items() for value in values}
    for segment, reference, current in parts:
        for name, column in baseline.columns.items():
            if segment is not None and owners.get(segment) == name:
                continue  # within one of its values, a column has nothing to say
            # Problems are told once, for all rows; they hold for every segment.
            problem = live.problems.get(name)
            histogram = None if current is None or problem is not None else current.histograms.get(name)
            if histogram is not None and len(histogram.counts) != column.layout.size:
                bins, size = len(histogram.counts), column.layout.size
                raise ValueError(f"column {name!r} was counted in {bins} bins, its layout has {size}: count it again")
            yield _Pair(name, segment, column, reference.histograms[name], histogram, problem)


def _can_alert(pair: _Pair, policy: Policy) -> bool:
    return pair.live is not None and pair.live.rows >= policy.min_rows and pair.reference.rows >= LEAST_REFERENCE_ROWS


def _scores(pairs: list[_Pair], policy: Policy) -> list[Scores]:
    if not pairs:
        return []
    reference = as_matrix(pair.reference for pair in pairs)
    live = as_matrix(pair.live for pair in pairs if pair.live is not None)
    evidence = weigh(reference, live, np.array([pair.column.layout.size for pair in pairs]))
    alerting = np.array([_can_alert(pair, policy) for pair in pairs])
    # One family a check: every column that may alert counts, and no other dilutes it.
    q_values = np.full(len(pairs), np.nan)
    q_values[alerting] = adjusted_p_values(evidence.p_iid[alerting])
    return [_column_scores(evidence, row, q_values[row], pair.column.layout.size) for row, pair in enumerate(pairs)]


def _column_scores(evidence: Evidence, row: int, q_value: float, bins: int) -> Scores:
    p_iid = float(evidence.p_iid[row])
    return Scores(
        kl=float(evidence.kl[row]),
        kl_reverse=float(evidence.kl_reverse[row]),
        psi=float(evidence.psi[row]),
        js=float(evidence.js[row]),
        noise_floor=float(evidence.noise_floor[row]),
        excess=float(evidence.excess[row]),
        lower_bound=float(evidence.lower_bound[row]),
        upper_bound=float(evidence.upper_bound[row]),
        lower_bound_reverse=float(evidence.lower_bound_reverse[row]),
        p_value=p_iid,
        p_iid=p_iid,
        p_history=None,
        q_value=None if np.isnan(q_value) else float(q_value),
        calibrated=False,
        contributions=tuple(evidence.contributions[row, :bins].tolist()),
    )


def _result(pair: _Pair, scores: Scores | None, policy: Policy, learnt_rows: int) -> ColumnResult:
    threshold = policy.threshold_of(pair.name)
    status, reason = _verdict(pair, scores, threshold, policy)
    return ColumnResult(
        column=pair.name,
        role=policy.role_of(pair.name),
        kind=pair.column.kind,
        segment=pair.segment,
        status=status,
        reason=reason,
        threshold=threshold,
        bins=pair.column.layout.bins,
        reference=pair.reference,
        live=pair.live,
        scores=scores,
        expected_novel=_expected_novel(pair.column, learnt_rows),
    )


def _expected_novel(column: BaselineColumn, learnt_rows: int) -> float | None:
    """In a segment too, novel is what *no* reference row had: the rows that count are all that the layout was learnt from."""
    if learnt_rows == 0:
        return None
    if isinstance(column.layout, NumericLayout):
        return 2 / (learnt_rows + 1)  # one gap below the smallest and one above the largest of m + 1 exchangeable gaps
    return None if column.singletons is None else column.singletons / learnt_rows


def _verdict(pair: _Pair, scores: Scores | None, threshold: Threshold, policy: Policy) -> tuple[Status, str | None]:
    if pair.problem is not None:
        return Status.SCHEMA_CHANGED, pair.problem
    if scores is None or pair.live is None:
        side = "reference" if pair.reference.rows == 0 else "window"
        return Status.NO_DATA, f"no rows in the {side}"
    if pair.live.rows < policy.min_rows:
        return Status.INSUFFICIENT_DATA, f"{pair.live.rows} rows, min_rows is {policy.min_rows}"
    if pair.reference.rows < LEAST_REFERENCE_ROWS:
        return Status.INSUFFICIENT_DATA, f"{pair.reference.rows} reference rows, a verdict needs {LEAST_REFERENCE_ROWS}"
    bound = max(scores.lower_bound, scores.lower_bound_reverse)
    q_value = 1.0 if scores.q_value is None else scores.q_value
    return judge(q_value=q_value, bound=bound, threshold=threshold), None

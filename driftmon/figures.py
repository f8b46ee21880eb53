"""The numbers of an explanation in sentences: how large, how sure, how likely by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.core.verdict import Status
from driftmon.words import number, window_word

if TYPE_CHECKING:
    from driftmon.core.result import ColumnResult, Scores
    from driftmon.explanation import Explanation
    from driftmon.words import Unit

__all__ = ["figures", "more_figures"]

SAYS_MORE = 1.25
"""How many times larger than KL its reverse must be to say something of its own."""

NEVER = 1e-4
"""Probabilities below are not told apart: nobody waits for so many windows."""


def figures(explanation: Explanation, unit: Unit) -> tuple[str, ...]:
    """The divergence beside its noise, what it is held against, how often chance shows it; empty if there is no number."""
    column = explanation.column
    scores, live = column.scores, column.live
    if scores is None or live is None:
        return ()
    lines = [_kl(explanation, scores, live.rows, unit), _bound(column, scores, unit)]
    if scores.kl_reverse > SAYS_MORE * scores.kl and scores.lower_bound_reverse > scores.lower_bound:
        lines.append(
            f"in the reverse direction KL is {unit.text(scores.kl_reverse)}: above all, rows vanished from where the reference had them"
        )
    lines.append(_odds(explanation, scores))
    if column.status in {Status.INFO, Status.WARNING, Status.CRITICAL} and explanation.rows_to_tell is not None:
        rows = explanation.rows_to_tell
        lines.append(
            f"about {rows:,} live {'row is' if rows == 1 else 'rows are'} enough to tell that they are not the reference's, "
            "wrong once in a hundred times"
        )
    return tuple(lines)


def _kl(explanation: Explanation, scores: Scores, rows: int, unit: Unit) -> str:
    sentence = (
        f"KL {unit.text(scores.kl)} {unit.name}, without the noise {unit.text(max(scores.excess, 0.0))} "
        f"(90 % interval {unit.text(scores.lower_bound)} to {unit.text(scores.upper_bound)}); "
        f"with {rows:,} rows, no change would show {unit.text(scores.noise_floor)}"
    )
    if scores.usual_limit is not None:
        usual = f"usual {window_word(explanation.check.window)}" if scores.calibrated else "part of the reference"
        sentence += f"; one {usual} in a hundred shows more than {unit.text(scores.usual_limit)}"
    return sentence


def _bound(column: ColumnResult, scores: Scores, unit: Unit) -> str:
    bound = max(scores.lower_bound, scores.lower_bound_reverse)
    direction = " in the reverse direction" if scores.lower_bound_reverse > scores.lower_bound else ""
    surely = f"the shift is surely (95 %) at least {unit.text(bound)}{direction}" if bound else "no shift is sure"
    warning, critical = unit.short(column.threshold.warning), unit.short(column.threshold.critical)
    return f"{surely}; that is held against the thresholds: warning {warning}, critical {critical} {unit.name}"


def _odds(explanation: Explanation, scores: Scores) -> str:
    sentence = f"chance alone would show as much in {_times(scores.p_iid)}"
    if scores.p_history is not None:
        usual = f"a usual {window_word(explanation.check.window)}" if scores.calibrated else "a part of the reference"
        sentence += f"; {usual} is as far from the reference in {_times(scores.p_history)}"
    return sentence


def _times(p: float) -> str:
    """
    A probability as people count.

    Examples
    --------
    >>> _times(0.3), _times(0.004), _times(1e-9)
    ('30 of 100 cases', '1 of 250 cases', 'less than 1 of 10,000 cases')
    """
    if p >= 0.095:
        return f"{100 * p:.0f} of 100 cases"
    return f"1 of {1 / p:,.0f} cases" if p >= NEVER else f"less than 1 of {1 / NEVER:,.0f} cases"


def more_figures(explanation: Explanation, unit: Unit) -> tuple[str, ...]:
    """Entropies, the other divergences and the p-values: what only some readers ask for."""
    scores, entropies = explanation.column.scores, explanation.entropies
    if scores is None or entropies is None:
        return ()

    def exact(nats: float) -> str:
        return f"{nats * unit.per_nat:.4f}"

    def p(value: float | None) -> str:
        return "none" if value is None else f"{value:.2g}"

    return (
        f"a live row takes {exact(entropies.cross)} {unit.name} in the reference's code (cross-entropy) and {exact(entropies.live)} in "
        f"its own (entropy); KL is the difference, {exact(scores.kl)}; a reference row takes {exact(entropies.reference)} in its own",
        f"KL(live ‖ reference) {exact(scores.kl)}, KL(reference ‖ live) {exact(scores.kl_reverse)}, PSI {exact(scores.psi)}, "
        f"JS {exact(scores.js)} {unit.name}",
        f"Hellinger distance {number(scores.hellinger)}, total variation {number(scores.total_variation)}",
        f"p of chance {p(scores.p_iid)}, p of history {p(scores.p_history)}, the larger adjusted for all columns (q) {p(scores.q_value)}",
    )

"""A check in the form that leaves the program: the JSON of `interface.md`, one object a check."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from driftmon.core.result import Scores
from driftmon.core.window import isoformat

if TYPE_CHECKING:
    from driftmon.core.baseline import Baseline
    from driftmon.core.histogram import Histogram
    from driftmon.core.layout import Bin
    from driftmon.core.quality import Quality
    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.window import Window

__all__ = ["baseline_json", "check_json", "check_summary", "column_json"]

NO_SCORES: dict[str, Any] = {field.name: None for field in fields(Scores)} | {"calibrated": False, "history_windows": 0}
"""What the scores of a column read as if there was nothing to compare."""


def check_json(result: CheckResult) -> dict[str, Any]:
    """
    A check as JSON-ready content.

    Divergences in nats, shares in [0, 1], instants in UTC; None where there is no number, never NaN. The bins of a column sum to
    the rows of that side, the contributions to its ``kl``.
    """
    return {
        "monitor": result.monitor,
        "model": result.model,
        "window": _window_json(result.window),
        "baseline": result.baseline,
        "rows": {"reference": result.reference_rows, "live": result.live_rows},
        "status": str(result.status),
        "columns": [column_json(column) for column in result.columns],
        "excluded": [{"column": item.column, "reason": item.reason} for item in result.excluded],
    }


def check_summary(result: CheckResult) -> dict[str, Any]:
    """A check in a few small JSON-ready values: what a scheduler keeps of it."""
    ranked = result.ranked()
    return {
        "monitor": result.monitor,
        "window": _window_json(result.window),
        "status": str(result.status),
        "rows": result.live_rows,
        "max_kl": max((column.kl for column in ranked if column.kl is not None), default=None),
        "drifted": [column.column for column in ranked if column.status.breach and column.segment is None],
        "sustained": [column.column for column in ranked if column.lasting],
        "quality": [column.column for column in ranked if column.problems],
    }


def column_json(result: ColumnResult) -> dict[str, Any]:
    """One column of a check as JSON-ready content."""
    scores = dict(NO_SCORES) if result.scores is None else asdict(result.scores)
    del scores["contributions"]  # each stands with its bin
    return {
        "column": result.column,
        "role": result.role,
        "kind": str(result.kind),
        "segment": result.segment,
        "status": str(result.status),
        "reason": result.reason,
        **scores,
        "threshold": {"warning": result.threshold.warning, "critical": result.threshold.critical},
        "rows": {"reference": result.reference.rows, "live": result.live_rows},
        "missing": {"reference": _missing(result.reference), "live": result.missing},
        "novel": {"expected": result.expected_novel, "live": result.novel},
        "calibration": result.calibration,
        "quality": [_quality_json(quality) for quality in result.quality],
        "sustained": None if result.sustained is None else asdict(result.sustained),
        "hint": result.hint,
        "new_categories": [{"category": category, "rows": rows} for category, rows in result.new],
        "bins": [_bin_json(result, position, item) for position, item in enumerate(result.bins)],
        **({} if result.remains is None else {"bins_pruned": True}),
    }


def baseline_json(monitor: str, baseline: Baseline) -> dict[str, Any]:
    """A baseline as JSON-ready content: its columns with their bins and reference counts."""
    return {
        "monitor": monitor,
        "baseline": baseline.id,
        "rows": baseline.reference.rows,
        "span": _window_json(baseline.span),
        "segments": {name: part.rows for name, part in baseline.reference.segments.items()},
        "columns": [
            {
                "column": name,
                "kind": str(column.kind),
                "dtype": column.dtype,
                "bins": [
                    _place_json(item) | {"reference": count}
                    for item, count in zip(column.layout.bins, baseline.reference.histograms[name].counts, strict=True)
                ],
            }
            for name, column in baseline.columns.items()
        ],
        "excluded": [{"column": item.column, "reason": item.reason} for item in baseline.excluded],
    }


def _bin_json(result: ColumnResult, position: int, item: Bin) -> dict[str, Any]:
    return _place_json(item) | {
        "reference": result.reference.counts[position],
        "live": None if result.live is None else result.live.counts[position],
        "contribution": result.scores.contributions[position]
        if result.scores and result.scores.contributions
        else None,
    }


def _place_json(item: Bin) -> dict[str, Any]:
    content: dict[str, Any] = {"label": item.label}
    if item.numeric:
        content |= {"lower": item.lower, "upper": item.upper}
    if item.category is not None:
        content |= {"category": item.category}
    return content


def _quality_json(quality: Quality) -> dict[str, Any]:
    return asdict(quality) | {"check": str(quality.check)}


def _missing(histogram: Histogram) -> float | None:
    return None if histogram.rows == 0 else histogram.missing / histogram.rows


def _window_json(window: Window | None) -> dict[str, str] | None:
    return None if window is None else {"start": isoformat(window.start), "end": isoformat(window.end)}

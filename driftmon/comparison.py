"""Two tables, no set-up: ``driftmon.compare(reference, live)``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftmon.core.baseline import Baseline
from driftmon.core.check import Policy, check
from driftmon.core.layout import Kind
from driftmon.core.verdict import Threshold
from driftmon.errors import UsageError
from driftmon.explanation import explain, find_column
from driftmon.headline import headline
from driftmon.results import check_json
from driftmon.sentences import tell
from driftmon.sources.base import Selection, no_progress
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
from driftmon.words import moved, printable, quality_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.verdict import Status
    from driftmon.sources.base import Progress, Source

__all__ = ["Comparison", "compare"]


SCORES = {"at_least": "bound"}
"""Numbers that the frame calls as the tables do."""


@dataclass(frozen=True)
class Comparison:
    """
    What `compare` found; shows as a table, worst column first.

    Parameters
    ----------
    result : CheckResult
        All numbers.
    """

    result: CheckResult

    @property
    def status(self) -> Status:
        """The worst status of all columns."""
        return self.result.status

    @property
    def worst(self) -> ColumnResult:
        """
        The most urgent column.

        Raises
        ------
        UsageError
            If no column could be compared.
        """
        if not self.result.columns:
            raise UsageError("no column was compared; see .result.excluded for the reasons")
        return self.result.ranked()[0]

    @property
    def columns(self) -> list[ColumnResult]:
        """All columns, most urgent first."""
        return self.result.ranked()

    def __getitem__(self, column: str) -> ColumnResult:
        """
        The result of a column.

        Raises
        ------
        KeyError
            If the column was not compared, with the nearest names, or the reason why it is left out.
        """
        try:
            return find_column(self.result, column)
        except UsageError as exc:
            raise KeyError(str(exc)) from None

    def __contains__(self, column: object) -> bool:
        """True if a column of that name was compared."""
        return any(found.column == column for found in self.columns)

    def __iter__(self) -> Iterator[ColumnResult]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.result.columns)

    def to_json(self) -> dict[str, Any]:
        """The JSON-ready content that ``driftmon compare --format json`` prints."""
        return check_json(self.result)

    def to_frame(self) -> pd.DataFrame:
        """
        One row a column, most urgent first; divergences in nats.

        ``at_least`` is what thresholds are held against: the larger of ``lower_bound`` and ``lower_bound_reverse``.
        """
        import pandas as pd  # noqa: PLC0415 - only those who ask for a frame pay for pandas

        numbers = (
            "kl noise_floor at_least lower_bound lower_bound_reverse upper_bound kl_reverse psi js hellinger total_variation higher "
            "p_value q_value"
        )
        names = numbers.split()
        rows = [
            {"column": column.column, "status": str(column.status)}
            | {name: _score(column, name) for name in names}
            | {"what_moved": moved(column), "quality": _quality(column), "hint": column.hint or ""}
            for column in self.columns
        ]
        return pd.DataFrame(rows, columns=["column", "status", *names, "what_moved", "quality", "hint"])

    def explain(self, column: str) -> str:
        """
        What changed in a column and whether to worry, in sentences; the first line is the answer.

        Raises
        ------
        UsageError
            If the column was not compared, with the nearest names.
        """
        found = find_column(self.result, column)
        return "\n".join(line for section in tell(explain(self.result, found)) for line in section.lines)

    def __str__(self) -> str:
        frame = self.to_frame()[["column", "status", "kl", "noise_floor", "at_least", "what_moved"]]
        beside = [f"{column.column}: hint: {column.hint}" for column in self.columns if column.hint]
        beside += [f"{column.column}: quality: {_quality(column)}" for column in self.columns if column.problems]
        table = frame.to_string(index=False, float_format="{:.4f}".format)
        return "\n".join([headline(self.result), table, *map(printable, beside)])

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415 - only notebooks need it

        return f"<p>{escape(headline(self.result))}</p>{self.to_frame().to_html(index=False)}"


def _score(column: ColumnResult, name: str) -> float | None:
    if column.scores is None:
        return None
    score: float | None = getattr(column.scores, SCORES.get(name, name))
    return score


def _quality(column: ColumnResult) -> str:
    return ", ".join(quality_text(column, item) for item in column.problems)


def compare(  # noqa: PLR0913 - the options of one flat call, all by keyword
    reference: object,
    live: object,
    *,
    columns: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    warning: float = Threshold.warning,
    critical: float = Threshold.critical,
    min_rows: int = 100,
    timezone: str = "UTC",
    progress: Progress = no_progress,
) -> Comparison:
    """
    Compare two tables, column by column.

    Parameters
    ----------
    reference, live
        The rows that drift is measured from, and the rows to check: pandas, Polars or Arrow tables, DuckDB relations, a dict of
        arrays, or the path of a file or folder (Parquet, CSV, Feather, ORC). The two may differ in kind.
    columns : sequence of str, optional
        Only these; by default all that can be monitored.
    exclude : sequence of str
    kinds : mapping of str to str, optional
        How to cut a column where its data type misleads, such as ``{"zip": "categorical"}``.
    warning, critical : float
        KL divergence in nats from which on a shift beyond noise is a warning, or critical.
    min_rows : int
        Fewer live rows give numbers but no verdict.
    timezone : str
        In which hours and weekdays of timestamps are read.
    progress : callable
        Told of the rows read.

    Returns
    -------
    Comparison

    Raises
    ------
    SourceError
        If a side cannot be read, or lacks a column that was asked for.
    UsageError
        If a kind is unknown, or the thresholds are no pair of sizes in nats.

    Examples
    --------
    >>> import driftmon, numpy as np
    >>> rng = np.random.default_rng(7)
    >>> result = driftmon.compare({"x": rng.normal(0, 1, 5000)}, {"x": rng.normal(0.5, 1, 5000)})
    >>> str(result.status), round(result["x"].kl, 2)
    ('critical', 0.12)
    """
    selection = Selection(include=columns, exclude=exclude, kinds=_kinds(kinds or {}))
    policy = Policy(threshold=Threshold(warning, critical), min_rows=min_rows)
    source = _source(reference, timezone, progress)
    learnt = source.learn(selection)
    baseline = Baseline(learnt, source.count(learnt.columns))
    profile = _source(live, timezone, progress).count(learnt.columns)
    return Comparison(check(baseline, profile, policy=policy))


def _kinds(kinds: Mapping[str, str]) -> dict[str, Kind]:
    try:
        return {column: Kind(kind) for column, kind in kinds.items()}
    except ValueError as exc:
        raise UsageError(f"kinds: {exc}; expected one of {', '.join(Kind)}") from exc


def _source(data: object, timezone: str, progress: Progress) -> Source:
    if isinstance(data, str | Path):
        return FilesSource(str(data), timezone=timezone, progress=progress)
    return MemorySource(data, timezone=timezone)

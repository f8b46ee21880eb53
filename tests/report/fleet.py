"""
A few monitors as a team has them, filled by real checks of rows made up here: one drifted, one is stale, one fails, one is new.

For the tests of pages, and for the pictures of the README.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.check import Policy
from driftmon.core.window import Window
from driftmon.store.records import MonitorFacts, RunRecord
from tests.store.factories import baseline_of, result_of

if TYPE_CHECKING:
    from driftmon.store.store import Store

DAY = timedelta(days=1)

MONITORS = {
    "churn": ("churn-model", "growth", "Who may cancel next month"),
    "fraud": ("card-fraud", "risk", "Card payments, scored as they come"),
    "pricing": ("price-elasticity", "revenue", "Demand at other prices"),
    "recommendations": ("two-tower", "discovery", "What to show next"),
    "search": ("ranker", "discovery", "Clicks on the first page"),
    "support": ("ticket-router", "support", "Which team a ticket goes to"),
}

COLUMNS = {
    "tenure": lambda rng, n: np.round(rng.gamma(2, 12, n)),
    "monthly_fee": lambda rng, n: np.round(rng.lognormal(3, 0.4, n), 2),
    "support_calls": lambda rng, n: rng.poisson(1.2, n).astype(float),
    "basket": lambda rng, n: np.round(rng.lognormal(4, 0.8, n), 2),
    "score": lambda rng, n: np.round(rng.beta(2, 5, n), 4),
    "country": lambda rng, n: rng.choice(["DE", "FR", "NL", "US"], n, p=[0.4, 0.3, 0.2, 0.1]).tolist(),
    "plan": lambda rng, n: rng.choice(["basic", "family", "premium"], n, p=[0.6, 0.25, 0.15]).tolist(),
}


def rows_of(seed, number):
    """Rows of all columns; numbers and categories as sources hand them on."""
    rng = np.random.default_rng(seed)
    return {
        name: list(map(float, made)) if not isinstance(made := make(rng, number), list) else made
        for name, make in COLUMNS.items()
    }


def drifted(rows, monitor, ago):
    """What went wrong, by monitor and by how many days ago the window is."""
    if monitor == "churn" and ago < 3:
        rows["tenure"] = [value * 0.45 for value in rows["tenure"]]
        rows["plan"] = ["student" if i % 12 == 0 else value for i, value in enumerate(rows["plan"])]
    if monitor == "churn" and ago == 0:
        rows["support_calls"] = [float("nan") if i % 9 == 0 else value for i, value in enumerate(rows["support_calls"])]
    if monitor == "pricing" and ago < 9:
        rows["basket"] = [value * 1.28 for value in rows["basket"]]
    if monitor == "search" and ago in {5, 6}:
        rows["score"] = [value * 0.6 for value in rows["score"]]
    return rows


def fill(
    store: Store, *, now: datetime | None = None, days: int = 14, rows: int = 1_200, names=tuple(MONITORS)
) -> datetime:
    """Fill a results database with the last days up to `now`; gives the end of the newest window."""
    now = now or datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for place, name in enumerate(names):
        facts = facts_of(name)
        reference = rows_of(place, 20_000)
        by_country = {
            f"country={value}": {
                column: [cell for cell, country in zip(cells, reference["country"], strict=True) if country == value]
                for column, cells in reference.items()
            }
            for value in ("DE", "US")
        }
        baseline = baseline_of(reference, days=20, segments=by_country if name == "churn" else None)
        store.save_baseline(name, baseline, now=now)
        store.promote(name, baseline.id, now=now)
        late = 3 if name == "fraud" else 0
        for ago in reversed(range(late, days)):
            window = Window(today - (ago + 1) * DAY, today - ago * DAY)
            live = drifted(rows_of([place, ago], rows), name, ago)
            policy = Policy(roles={"score": "prediction"}, min_rows=100)
            result = result_of(baseline, live, window, monitor=name, policy=policy)
            store.save_check(result, facts, started_at=window.end, now=window.end + timedelta(hours=2))
    if "recommendations" in names:
        window = Window(today - DAY, today)
        error = "s3://features/2026-10-31/*.parquet: no file matches; is the export late?"
        store.record_run(RunRecord("recommendations", window, now, now, error))
    store.register_monitor(facts_of("onboarding", ("activation", "growth", "New this week")), now=now)
    return today


def facts_of(name, said=None):
    """What the file of a monitor says."""
    model, owner, description = said or MONITORS[name]
    return MonitorFacts(name, model, owner, description, "@daily", "UTC", 108_000.0)

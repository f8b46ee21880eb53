"""The model that the demo monitors: it says whether a flight will arrive late."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

__all__ = ["FEATURES", "REFERENCE_END", "REFERENCE_START", "late_probabilities"]

FEATURES = ["dep_delay", "distance", "carrier", "origin", "hour"]
REFERENCE_START = date(2013, 1, 1)
REFERENCE_END = date(2013, 4, 1)  # exclusive, as every window
FOLD_DAYS = 15  # six folds in the reference quarter


def late_probabilities(flights: pd.DataFrame) -> pd.Series[float]:
    """
    The probability that each flight arrives late, told when it leaves the gate; NaN if it never did.

    Learnt from the reference quarter alone. The reference itself is cross-fitted: each block of 15 days is scored by a
    model that has not seen it, as every live day is, so that reference and live scores differ by what happened on the
    days and not also by what the model had learnt of them. Blocks of days, not of rows: the flights of one day share
    its weather and its queues.

    Parameters
    ----------
    flights : DataFrame
        One row a flight: the features, ``scheduled_departure`` and ``late`` (null where unknown, ignored where live).

    Returns
    -------
    Series
        In [0, 1] or NaN, with the index of ``flights``. The same on every machine and in every process.
    """
    day = (flights["scheduled_departure"].dt.tz_localize(None) - pd.Timestamp(REFERENCE_START)).dt.days
    in_reference = (day >= 0) & (day < (REFERENCE_END - REFERENCE_START).days)
    fold = (day // FOLD_DAYS).where(in_reference, -1)  # live days are fold -1, which no model trains on
    left, arrived = flights["dep_delay"].notna(), flights["late"].notna()
    features = _features(flights, in_reference)
    probabilities = pd.Series(float("nan"), index=flights.index)
    # One thread: threads that wait for each other on a busy machine were 50 times slower; and sums depend on how many.
    with threadpool_limits(1):
        for scored in sorted(fold.unique()):
            train = in_reference & arrived & (fold != scored)
            model = HistGradientBoostingClassifier(
                max_iter=30,
                learning_rate=0.2,
                max_leaf_nodes=12,
                early_stopping=False,
                categorical_features="from_dtype",
                random_state=0,
            )
            model.fit(features[train], flights.loc[train, "late"].astype(bool))
            rows = left & (fold == scored)
            if rows.any():
                probabilities[rows] = model.predict_proba(features[rows])[:, 1]
    return probabilities.round(6)


def _features(flights: pd.DataFrame, in_reference: pd.Series[bool]) -> pd.DataFrame:
    """The model's inputs; a carrier or origin that the reference has never seen counts as unknown."""
    features = flights[FEATURES].astype({"dep_delay": "float64", "distance": "float64", "hour": "float64"})
    for column in ("carrier", "origin"):
        seen = sorted(flights.loc[in_reference, column].unique())
        features[column] = pd.Categorical(features[column].where(features[column].isin(seen)), categories=seen)
    return features

"""Small real checks for tests of what comes after the arithmetic: made by the core from rows, never by hand."""

from datetime import UTC, datetime

import numpy as np

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_categories, count_numbers
from driftmon.core.check import Policy, check
from driftmon.core.histogram import Profile
from driftmon.core.layout import Kind
from driftmon.core.learning import CategoryTally, Excluded, learn_categories, learn_numbers
from driftmon.core.verdict import Threshold
from driftmon.core.window import Window

MAY_1 = Window(datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 5, 2, tzinfo=UTC))
CARRIERS = ["AA", "B6", "DL", "UA"]


def flights(rows=2_000, *, seed=1, late=0.0, carriers=(0.2, 0.3, 0.2, 0.3), new=0):
    """Delays and carriers as ``{column: values}``; `late` moves the delays by so many standard deviations."""
    rng = np.random.default_rng(seed)
    carrier = rng.choice(CARRIERS, size=rows, p=carriers).tolist()
    return {
        "dep_delay": np.round(rng.gamma(2, 10, rows) - 5 + 14 * late),
        "carrier": carrier[: rows - new] + ["ZZ"] * new,
    }


def baseline_of(rows):
    tally = CategoryTally()
    tally.add(rows["carrier"], [1] * len(rows["carrier"]))
    columns = {
        "dep_delay": BaselineColumn(Kind.NUMERIC, "double", learn_numbers(rows["dep_delay"].copy())),
        "carrier": BaselineColumn(Kind.CATEGORICAL, "string", learn_categories(tally), tally.singletons),
    }
    excluded = (Excluded("tailnum", "1,900 of 2,000 values are distinct: an identifier, not a category"),)
    return Baseline(Learnt(columns, excluded), profile_of(rows, columns))


def profile_of(rows, columns):
    histograms = {
        "dep_delay": count_numbers(columns["dep_delay"].layout, rows["dep_delay"]),
        "carrier": count_categories(columns["carrier"].layout, rows["carrier"], [1] * len(rows["carrier"])),
    }
    return Profile(len(rows["carrier"]), histograms)


def check_of(live, *, reference=None, policy=None, window=MAY_1, problems=None):
    """The check of live rows against reference rows."""
    baseline = baseline_of(flights(seed=0) if reference is None else reference)
    profile = profile_of(live, baseline.columns)
    if problems:
        kept = {name: histogram for name, histogram in profile.histograms.items() if name not in problems}
        profile = Profile(profile.rows, kept, problems)
    policy = policy or Policy(column_thresholds={"carrier": Threshold(0.01, 0.05)}, roles={"dep_delay": "target"})
    return check(baseline, profile, policy=policy, monitor=("flights", "arrival-delay"), window=window)

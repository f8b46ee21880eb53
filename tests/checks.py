"""Small real checks for tests of what comes after the arithmetic: made by the core from rows, never by hand."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.categories import count_categories
from driftmon.core.check import Policy, check
from driftmon.core.clues import SAMPLE, Clues, numeric_clues
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.history import History
from driftmon.core.layout import Kind
from driftmon.core.learning import Excluded, learn_categories, learn_numbers
from driftmon.core.tallying import CategoryTally
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


def baseline_of(rows, *, windows=()):
    """The baseline of reference rows; `windows` are the rows of its windows, of which the first is that of 1 February."""
    tally = CategoryTally()
    tally.add(rows["carrier"], [1] * len(rows["carrier"]))
    columns = {
        "dep_delay": BaselineColumn(Kind.NUMERIC, "double", learn_numbers(rows["dep_delay"].copy())),
        "carrier": BaselineColumn(Kind.CATEGORICAL, "string", learn_categories(tally), tally.singletons),
    }
    excluded = (Excluded("tailnum", "1,900 of 2,000 values are distinct: an identifier, not a category"),)
    history = None
    if windows:
        profiles = [profile_of(part, columns) for part in windows]
        counts = {(name, None): np.array([part.histograms[name].counts for part in profiles]) for name in columns}
        days = [datetime(2013, 2, 1, tzinfo=UTC) + timedelta(days=day) for day in range(len(windows))]
        history = History(counts, tuple(Window(day, day + timedelta(days=1)) for day in days))
    return Baseline(Learnt(columns, excluded), profile_of(rows, columns), None, history)


def quarter(days=30, rows=500):
    """Reference rows and those of each of its days, on which delays wobble a little."""
    rng = np.random.default_rng(9)
    windows = [flights(rows, seed=100 + day, late=0.05 * rng.normal()) for day in range(days)]
    whole = {
        "dep_delay": np.concatenate([part["dep_delay"] for part in windows]),
        "carrier": [carrier for part in windows for carrier in part["carrier"]],
    }
    return whole, windows


def profile_of(rows, columns):
    histograms = {
        "dep_delay": count_numbers(columns["dep_delay"].layout, rows["dep_delay"]),
        "carrier": count_categories(columns["carrier"].layout, rows["carrier"], [1] * len(rows["carrier"])),
    }
    carriers = Counter(rows["carrier"])
    new = tuple((name, count) for name, count in carriers.items() if name not in CARRIERS)
    clues = {
        "dep_delay": numeric_clues(columns["dep_delay"].layout, rows["dep_delay"][:SAMPLE]),
        "carrier": Clues(len(rows["carrier"]), new=new),
    }
    return Profile(len(rows["carrier"]), histograms, clues=clues)


def check_of(live, *, reference=None, windows=(), policy=None, window=MAY_1, problems=None):
    """The check of live rows against reference rows, and against their `windows` if there are any."""
    baseline = baseline_of(flights(seed=0) if reference is None else reference, windows=windows)
    profile = profile_of(live, baseline.columns)
    if problems:
        kept = {name: histogram for name, histogram in profile.histograms.items() if name not in problems}
        profile = Profile(profile.rows, kept, problems)
    policy = policy or Policy(column_thresholds={"carrier": Threshold(0.01, 0.05)}, roles={"dep_delay": "target"})
    return check(baseline, profile, policy=policy, monitor=("flights", "arrival-delay"), window=window)


def empty_profile(layouts, segments=()):
    """The profile of no rows: what an empty window gives."""
    histograms = {name: Histogram((0,) * layout.size, layout.novel_start) for name, layout in layouts.items()}
    return Profile(0, histograms, segments={segment: Profile(0, histograms) for segment in segments})

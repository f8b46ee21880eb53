"""Days of flights against a baseline that knows what is usual, for tests of what is said and planned from stored results."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from driftmon.core.baseline import Baseline
from driftmon.core.check import Policy, check
from driftmon.core.clues import Clues
from driftmon.core.histogram import Profile
from driftmon.core.history import History
from driftmon.core.window import Window
from tests.checks import baseline_of, flights, profile_of

APRIL_1 = datetime(2013, 4, 1, tzinfo=UTC)


def day(number, *, first=datetime(2013, 5, 1, tzinfo=UTC)):
    """The window of a day, counted from the first of May 2013."""
    return Window(first + timedelta(days=number), first + timedelta(days=number + 1))


@cache
def april(*, wobble=0.0, days=30, timed=True, rows=1_000):
    """A baseline of so many days; `wobble` moves the delays of each by so many standard deviations, at random."""
    columns = baseline_of(flights(20_000, seed=0)).columns
    moved = wobble * np.random.default_rng(4).normal(size=days)
    parts = [profile_of(flights(rows, seed=100 + i, late=moved[i]), columns) for i in range(days)]
    total = sum(parts[1:], parts[0])
    counts = {(name, None): np.array([part.histograms[name].counts for part in parts]) for name in columns}
    windows = tuple(day(i, first=APRIL_1) for i in range(days)) if timed else ()
    return Baseline(baseline_of(flights(20_000, seed=0)).learnt, total, None, History(counts, windows))


def check_day(number, *, baseline=None, rows=1_000, policy=None, new=0, **changes):
    """The check of a day of May; `new` rows have a carrier that no reference row had."""
    baseline = april() if baseline is None else baseline
    profile = profile_of(flights(rows, seed=500 + number, new=new, **changes), baseline.columns)
    clues = {"carrier": Clues(rows, new=(("ZZ", new),))} if new else {}
    profile = Profile(profile.rows, profile.histograms, clues=clues)
    return check(baseline, profile, policy=policy or Policy(), monitor=("flights", "arrival-delay"), window=day(number))

"""Tallies that forget: what they promise holds in any order and over any partitions."""

import pickle
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.learning import learn_categories
from driftmon.core.tallying import CategoryTally

MOST = 40

streams = st.builds(
    lambda seed, rows, kinds, power: [
        f"v{value}" for value in (np.random.default_rng(seed).power(power, rows) * kinds).astype(int)
    ],
    st.integers(0, 2**32),
    st.integers(1, 2_000),
    st.integers(1, 400),
    st.sampled_from([0.05, 0.3, 1.0]),
)


def tally_of(parts, batch):
    """The tally of partitions that came batch by batch, and over a border between processes."""
    tallies = []
    for part in parts:
        tally = CategoryTally(most=MOST)
        for start in range(0, len(part), batch):
            counts = Counter(part[start : start + batch])
            tally.add(counts.keys(), counts.values())
        tallies.append(pickle.loads(pickle.dumps(tally)))
    first, *others = tallies
    for other in others:
        first.merge(other)
    return first


def split(stream, partitions):
    size = -(-len(stream) // partitions)
    return [stream[start : start + size] for start in range(0, len(stream), size)]


@given(streams, st.integers(1, 5), st.integers(1, 300))
def test_no_category_of_more_rows_than_the_border_is_lost(stream, partitions, batch):
    tally = tally_of(split(stream, partitions), batch)

    true = Counter(stream)
    assert tally.rows == len(stream)
    assert len(tally.counts) <= MOST
    assert tally.lowered <= tally.border
    for key, rows in true.items():
        assert tally.counts.get(key, 0) <= rows <= tally.counts.get(key, 0) + tally.lowered
        assert rows <= tally.border or key in tally.counts


@given(streams, st.integers(1, 5), st.integers(1, 300), st.randoms())
def test_layouts_do_not_depend_on_order_or_partitions(stream, partitions, batch, random):
    true = Counter(stream)
    shuffled = list(stream)
    random.shuffle(shuffled)
    layouts = []
    for parts in (split(stream, partitions), split(shuffled, 1), split(sorted(stream), 3)[::-1]):
        tally = tally_of(parts, batch)
        layouts.append(learn_categories(tally.recounted(true) if tally.pruned else tally))

    border = len(stream) // (MOST // 2 + 1) if len(true) > MOST else 0
    ranked = sorted((-rows, key) for key, rows in true.items() if rows >= 20 and rows > border)
    assert layouts[0].categories == tuple(key for _, key in ranked[:30])
    assert layouts[0] == layouts[1] == layouts[2]


@given(streams, st.integers(1, 5), st.integers(1, 300))
def test_how_many_categories_there_were_does_not_depend_on_partitions(stream, partitions, batch):
    one, two = tally_of([stream], len(stream)), tally_of(split(stream, partitions), batch)

    assert one.distinct == two.distinct == len(set(stream))
    assert one.pruned == two.pruned == (len(set(stream)) > MOST)
    assert one.singletons == two.singletons


def test_the_number_of_very_many_categories_is_the_same_over_partitions():
    stream = [f"user {n % 30_000}" for n in range(60_000)]

    one, two = tally_of([stream], 60_000), tally_of(split(stream[::-1], 3), 7_000)

    assert one.distinct == two.distinct
    assert abs(one.distinct / 30_000 - 1) < 3 / np.sqrt(4_094)
    assert not one.identifies

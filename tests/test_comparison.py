"""``driftmon.compare`` in a notebook: the table, and the sentences of a column."""

import numpy as np
import pytest

import driftmon
from driftmon.errors import UsageError

RNG = np.random.default_rng(5)
REFERENCE = {"amount": RNG.normal(100, 10, 5_000), "country": RNG.choice(["DE", "FR"], 5_000)}
LIVE = {
    "amount": np.where(RNG.random(5_000) < 0.1, np.nan, RNG.normal(105, 10, 5_000)),
    "country": RNG.choice(["DE", "FR", "PL"], 5_000, p=[0.48, 0.48, 0.04]),
}


@pytest.fixture(scope="module")
def compared():
    return driftmon.compare(REFERENCE, LIVE)


def test_a_comparison_explains_a_column_in_sentences(compared):
    lines = compared.explain("amount").splitlines()

    assert lines[0].startswith("amount drifted (critical): more than chance explains, beyond the critical threshold")
    assert "quality: missing 0 % → " in lines[0]
    assert any(line.startswith("values are higher") for line in lines)


def test_the_printed_comparison_has_the_quality_problems(compared):
    printed = str(compared)

    assert "amount: quality: missing 0 % → " in printed
    assert "country: quality: " in printed
    assert " in new categories" in printed


def test_the_frame_has_a_row_a_column_with_words_beside_the_numbers(compared):
    frame = compared.to_frame().set_index("column")

    assert frame.loc["amount", "quality"].startswith("missing 0 %")
    assert 0 < frame.loc["amount", "total_variation"] < 1
    assert frame.loc["amount", "higher"] > 0.5


def test_an_unknown_column_names_the_nearest(compared):
    with pytest.raises(UsageError, match=r"the comparison: no column 'amuont' is monitored; did you mean 'amount'\?"):
        compared.explain("amuont")


def test_the_frame_and_the_table_have_what_thresholds_are_held_against(compared):
    frame, header = compared.to_frame().set_index("column"), str(compared).splitlines()[1]

    assert (frame["at_least"] == frame[["lower_bound", "lower_bound_reverse"]].max(axis=1)).all()
    assert frame.loc["amount", "at_least"] == compared["amount"].scores.bound
    assert "at_least" in header.split()


def test_the_columns_of_a_comparison_are_asked_for_by_name(compared):
    assert "amount" in compared
    assert "amuont" not in compared
    assert [column.column for column in compared] == [column.column for column in compared.columns]
    with pytest.raises(KeyError, match="no column 'amuont' is monitored; did you mean 'amount'"):
        compared["amuont"]

"""Columns and categories with names that a terminal would obey: every command that shows them stays printable."""

from datetime import date, timedelta

import pandas as pd
import pytest

EVIL = "a\x1b[31m\n\r[bold]b\u202e" + "x" * 300
VALUE = "v\x1b]0;title\x07\n" + "y" * 300


@pytest.fixture
def hostile(project):
    """A checked day in which the hostile column has a hostile new category."""
    frame = pd.read_parquet("data/reference.parquet").rename(columns={"country": EVIL})
    frame.to_parquet("data/reference.parquet", index=False)
    for i in range(2):
        day = date(2024, 2, 1) + timedelta(days=i)
        path = project.write_live(day)
        live = pd.read_parquet(path).rename(columns={"country": EVIL})
        live.loc[:99, EVIL] = VALUE
        live.to_parquet(path, index=False)
    assert project.run("baseline", "build", "shop").status == 0
    assert project.run("backfill", "shop", "--start", "2024-02-01", "--end", "2024-02-03").status == 0
    return project


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "shop", EVIL, "--verbose"),
        ("explain", "shop", EVIL[:-1]),
        ("explain", "shop", EVIL, "--segment", VALUE),
        ("plan", "shop"),
        ("replay", "shop", "--warning", "0.01"),
        ("replay", "shop", "--column", EVIL),
        ("history", "shop", "--column", EVIL),
        ("check", "shop", "--window", "2024-02-02"),
    ],
    ids=["verbose", "unknown", "segment", "plan", "replay", "replay-column", "history", "check"],
)
def test_nothing_that_a_terminal_obeys_is_ever_printed(hostile, arguments):
    run = hostile.run(*arguments)

    assert all(letter.isprintable() or letter == "\n" for letter in run.out + run.err)
    assert max(map(len, run.out.splitlines()), default=0) < 1_000


def test_the_json_has_the_names_as_they_are(hostile):
    content = hostile.run("explain", "shop", EVIL, "--format", "json").json

    assert content["column"] == EVIL
    assert [item["category"][:30] for item in content["new_categories"]] == [VALUE[:30]]

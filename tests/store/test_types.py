from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from driftmon.errors import StoreError
from driftmon.store.types import LONGEST_TEXT, Instant, Verbatim, clip, finite, from_json, plain, to_json

DIALECTS = [sqlite.dialect(), postgresql.dialect()]
any_text = st.text(st.characters(codec=None, categories=None)) | st.text("␛\x000d8a\ud800\udfff'\\")
instants = st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 1, 1),
    timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
)


@given(any_text)
def test_any_text_comes_back_as_it_was(text):
    for dialect in DIALECTS:
        stored = Verbatim().process_bind_param(text, dialect)

        assert Verbatim().process_result_value(stored, dialect) == text


@given(any_text)
def test_what_lies_in_the_database_is_text_that_every_database_holds(text):
    for stored in (
        Verbatim().process_bind_param(text, DIALECTS[1]),
        to_json([text]),
        plain(text),
        json.dumps(plain(text)),
    ):
        assert "\x00" not in stored
        stored.encode()


@pytest.mark.parametrize("text", ["", "dep_delay", "naïve 😀", "a\\b", "line\nbreak", 'it\'s "quoted"', "%s", "\\0"])
def test_ordinary_text_lies_there_as_people_would_query_it(text):
    assert Verbatim().process_bind_param(text, DIALECTS[1]) == text


json_text = any_text.filter(lambda text: re.search("[\ud800-\udbff][\udc00-\udfff]", text) is None)


@given(json_text | st.lists(st.integers()) | st.dictionaries(json_text, json_text))
def test_json_comes_back_as_it_was(content):
    assert from_json(to_json(content)) == content


def test_a_pair_of_surrogates_comes_back_as_the_character_that_it_means():
    assert from_json(to_json("\ud83d\ude00")) == "\U0001f600"


def test_json_never_holds_nan():
    with pytest.raises(ValueError, match="Out of range"):
        to_json([float("nan")])


@given(instants)
def test_an_instant_comes_back_in_utc(instant):
    for dialect in DIALECTS:
        stored = Instant().process_bind_param(instant, dialect)
        back = Instant().process_result_value(stored, dialect)

        assert back == instant
        assert back.tzinfo is UTC


@given(instants, instants)
def test_instants_sort_as_text_as_they_do_in_time(one, two):
    texts = [Instant().process_bind_param(instant, DIALECTS[0]) for instant in (one, two)]

    assert (texts[0] < texts[1]) == (one < two)
    assert {len(text) for text in texts} == {27}


def test_sqlite_reads_the_instants_that_it_holds():
    stored = Instant().process_bind_param(datetime(2013, 5, 1, 12, 30, tzinfo=UTC), DIALECTS[0])
    connection = sqlite3.connect(":memory:")

    try:
        assert connection.execute("SELECT datetime(?, '+1 hour')", [stored]).fetchone() == ("2013-05-01 13:30:00",)
    finally:
        connection.close()


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="'2013-05-01T00:00:00' has no time zone"):
        Instant().process_bind_param(datetime(2013, 5, 1), DIALECTS[0])


def test_nothing_stays_nothing():
    for kind in (Instant(), Verbatim()):
        assert kind.process_bind_param(None, DIALECTS[0]) is None
        assert kind.process_result_value(None, DIALECTS[0]) is None


@given(st.text())
def test_a_short_text_is_not_clipped(text):
    assert clip(text) == text


def test_a_long_text_is_clipped_and_says_so():
    clipped = clip("x" * 1_000_000)

    assert len(clipped) == LONGEST_TEXT
    assert clipped.endswith("… (1000000 characters in all)")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_by_name(number):
    with pytest.raises(StoreError, match="the kl of x is"):
        finite(number, "the kl of x")

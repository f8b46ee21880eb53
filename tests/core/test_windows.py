"""The span of rows that one check looks at."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from driftmon.core.window import Window, isoformat
from driftmon.errors import UsageError

NOON = datetime(2013, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_window_is_kept_and_written_in_utc():
    new_york = timezone(timedelta(hours=-4))

    window = Window(datetime(2013, 5, 1, tzinfo=new_york), datetime(2013, 5, 2, tzinfo=new_york))

    assert window.start == datetime(2013, 5, 1, 4, tzinfo=UTC)
    assert window.start.tzinfo is UTC
    assert str(window) == "2013-05-01T04:00:00Z/2013-05-02T04:00:00Z"


def test_a_window_holds_plain_datetimes_whatever_class_it_was_given():
    class Stamp(datetime):
        """As pandas and Airflow have them."""

    window = Window(Stamp(2013, 5, 1, 12, 30, 15, 17, tzinfo=UTC), NOON + HOUR)

    assert type(window.start) is datetime
    assert window.start == datetime(2013, 5, 1, 12, 30, 15, 17, tzinfo=UTC)


def test_windows_of_the_same_instants_are_equal_and_sort_by_time():
    same = Window(NOON.astimezone(timezone(5 * HOUR)), NOON + HOUR)

    assert same == Window(NOON, NOON + HOUR)
    assert hash(same) == hash(Window(NOON, NOON + HOUR))
    assert sorted([Window(NOON + HOUR, NOON + 2 * HOUR), same]) == [same, Window(NOON + HOUR, NOON + 2 * HOUR)]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (NOON, NOON, r"window 2013-05-01T12:00:00Z/2013-05-01T12:00:00Z is empty"),
        (NOON, NOON - HOUR, r"window 2013-05-01T12:00:00Z/2013-05-01T11:00:00Z is reversed"),
        (
            NOON.replace(tzinfo=None),
            NOON,
            r"window start '2013-05-01T12:00:00' has no time zone; add one, such as .*Z$",
        ),
        (NOON, NOON.replace(tzinfo=None), r"window end '2013-05-01T12:00:00' has no time zone"),
    ],
    ids=["empty", "reversed", "naive start", "naive end"],
)
def test_a_window_that_makes_no_sense_is_refused(start, end, message):
    with pytest.raises(UsageError, match=message):
        Window(start, end)


def test_instants_keep_their_fractions_of_a_second():
    assert isoformat(NOON + timedelta(microseconds=1)) == "2013-05-01T12:00:00.000001Z"

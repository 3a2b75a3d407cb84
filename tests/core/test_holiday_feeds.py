from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import Period
from portal.core.holiday_feeds import (
    MAX_DAYS,
    Difference,
    FeedDay,
    Followed,
    Kind,
    find_differences,
    read_days,
    window_of,
)
from portal.core.ical_read import ReadEvent, ReadResult

BERLIN = ZoneInfo("Europe/Berlin")
CHRISTMAS, BOXING = date(2026, 12, 25), date(2026, 12, 26)


def whole(on: date, name="Christmas Day", days=1, categories=()) -> ReadEvent:
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    until = on + timedelta(days=days)
    return ReadEvent("u", "", name, "", at, at + timedelta(days=days), on, until, categories=categories)


def timed(start: datetime, end: datetime) -> ReadEvent:
    return ReadEvent("u", "", "Eve", "", start, end)


def read(*events, faults=()):
    return read_days(ReadResult(events, faults), zone=BERLIN)


def test_this_year_and_the_two_after_it_are_read():
    window = window_of(date(2026, 11, 21))
    assert (window.starts_at.date(), window.ends_at.date()) == (date(2025, 12, 31), date(2029, 1, 1))


def test_whole_days_are_days_off_once_each_in_order():
    reading = read(whole(BOXING, "Boxing  Day"), whole(CHRISTMAS, categories=("Public",)), whole(CHRISTMAS))
    assert reading.days == (FeedDay(CHRISTMAS, "Christmas Day", kind="public"), FeedDay(BOXING, "Boxing Day"))
    assert reading.is_whole and not reading.error
    assert reading.days[0].key == (CHRISTMAS, "Christmas Day")


def test_an_event_of_several_days_is_each_of_them_and_one_without_a_name_has_ours():
    assert [day.on.day for day in read(whole(CHRISTMAS, "", days=3)).days] == [25, 26, 27]
    assert read(whole(CHRISTMAS, " ")).days[0].name == "Day off"
    assert len(read(whole(CHRISTMAS, "x" * 300)).days[0].name) == 200


@pytest.mark.parametrize(
    ("start", "hours", "closed"),
    [
        (datetime(2026, 12, 24, 12, tzinfo=UTC), 11, Period(780, 1440)),
        (datetime(2026, 12, 24, 8, tzinfo=UTC), 3, Period(540, 720)),
        (datetime(2026, 12, 24, 19, tzinfo=UTC), 6, Period(1200, 1560)),
        (datetime(2026, 12, 23, 23, tzinfo=UTC), 24, Period(0, 1440)),
    ],
)
def test_an_event_with_times_is_a_part_of_its_day(start, hours, closed):
    assert read(timed(start, start + timedelta(hours=hours))).days == (FeedDay(date(2026, 12, 24), "Eve", closed),)


def test_what_is_no_day_off_is_left_out():
    start = datetime(2026, 12, 24, 12, tzinfo=UTC)
    reading = read(
        whole(CHRISTMAS), whole(date(2026, 7, 1), "Summer holidays", days=45),
        timed(start, start + timedelta(hours=30)), timed(start, start),
    )  # fmt: skip
    assert [day.name for day in reading.days] == ["Christmas Day"] and reading.left_out == 3


@pytest.mark.parametrize(
    ("events", "faults", "error"),
    [
        ((), (), "It holds no days off."),
        ((), ("This is not a calendar file.",), "This is not a calendar file."),
        (
            tuple(whole(CHRISTMAS, f"Day {number}") for number in range(MAX_DAYS + 1)),
            (),
            "It holds 401 days in three years: that is no calendar of holidays.",
        ),
    ],
)
def test_a_file_that_lies_gives_no_day(events, faults, error):
    reading = read(*events, faults=faults)
    assert (reading.days, reading.is_whole, reading.error) == ((), False, error)


def test_of_a_file_that_is_read_in_part_nothing_is_concluded_from_what_is_missing():
    reading = read(whole(CHRISTMAS), faults=("Event 2 has no start.",))
    assert len(reading.days) == 1 and not reading.is_whole
    assert reading.error == "A part of it could not be read: Event 2 has no start."


FOUNDING = Followed(7, date(2027, 3, 3), "Founding Day")


@pytest.mark.parametrize(
    ("said", "known", "expected"),
    [
        ([(FOUNDING.on, FOUNDING.name)], [], None),
        ([], [], Difference(FOUNDING, Kind.DROPPED, FOUNDING.on, FOUNDING.name)),
        (
            [(date(2027, 3, 5), "Founding Day"), (date(2027, 9, 9), "Founding Day")],
            [],
            Difference(FOUNDING, Kind.MOVED, date(2027, 3, 5), "Founding Day"),
        ),
        ([(date(2028, 3, 3), "Founding Day")], [], Difference(FOUNDING, Kind.DROPPED, FOUNDING.on, FOUNDING.name)),
        ([(FOUNDING.on, "Jubilee")], [], Difference(FOUNDING, Kind.RENAMED, FOUNDING.on, "Jubilee")),
        (
            [(FOUNDING.on, "Jubilee")],
            [(FOUNDING.on, "Jubilee")],
            Difference(FOUNDING, Kind.DROPPED, FOUNDING.on, FOUNDING.name),
        ),
    ],
)
def test_a_day_of_which_the_file_says_otherwise_is_moved_renamed_or_dropped(said, known, expected):
    assert find_differences([FOUNDING], said, known=known) == ([expected] if expected else [])


def test_what_one_day_became_no_other_day_became():
    other = Followed(8, date(2027, 3, 4), "Founding Day")
    found = find_differences([FOUNDING, other], [(date(2027, 3, 6), "Founding Day")], known=[])
    assert [one.kind for one in found] == [Kind.MOVED, Kind.DROPPED]

"""Hours held against a naive walk, minute by minute, around both changes of the clocks in five zones."""

import os
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.easter import easter
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.calendars import (
    BusinessHours,
    Holiday,
    Period,
    SpecialHours,
    YearlyHoliday,
    add_working_time,
    is_open,
    open_intervals,
    parse_week,
    subtract_working_time,
    working_minutes_between,
)
from portal.core.errors import DomainError
from portal.core.holiday_rules import LAST, FromEaster, HolidayRule, NearDate, OnDate, OnWeekday
from portal.core.intervals import Interval
from tests.core.naive_hours import walk_back, walk_hours, walk_on
from tests.core.test_calendars import OFFICE, TRANSITIONS, every_day, weeks

MINUTE, DAYS = timedelta(minutes=1), 9
WEEKS = {
    "office": OFFICE,
    "always": every_day("00:00-24:00"),
    "nights": every_day("22:00-06:00"),
    "over the change": {"sat": "20:00-03:00", "sun": ["03:30-04:00", "18:00-02:00"]},
    "within it": {"sat": "23:00-01:15", "sun": ["01:15-01:45", "01:50-02:15", "02:20-02:50"]},
}
SUNDAYS = [(zone, monday + timedelta(days=6)) for zone, *mondays in TRANSITIONS for monday in mondays]


# Where midnight itself is doubled or missing, the change is two hours, or a whole day is left out.
ODD_DAYS = [
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Santiago", date(2026, 9, 6)),
    ("Atlantic/Azores", date(2026, 3, 29)),
    ("Atlantic/Azores", date(2026, 10, 25)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("Pacific/Apia", date(2011, 12, 31)),
]


def span_of(sunday: date, zone: ZoneInfo) -> Interval:
    start = datetime.combine(sunday - timedelta(days=6), datetime.min.time(), tzinfo=zone).astimezone(UTC)
    return Interval(start, start + timedelta(days=DAYS))


def assert_agrees(calendar: BusinessHours, sunday: date) -> list[bool]:
    span = span_of(sunday, calendar.zone)
    expected = walk_hours(calendar, span.starts_at, span.ends_at)
    found = [False] * len(expected)
    for one in open_intervals(calendar, span):
        first, last = ((at - span.starts_at) // MINUTE for at in (one.starts_at, one.ends_at))
        found[first:last] = [True] * (last - first)
    assert found == expected
    assert working_minutes_between(calendar, span.starts_at, span.ends_at) == sum(expected)
    return expected


def assert_counts(calendar: BusinessHours, sunday: date, *, place: int, minutes: int) -> None:
    """Adding, subtracting and asking from one minute, as the walk does."""
    start, walked = span_of(sunday, calendar.zone).starts_at, assert_agrees(calendar, sunday)
    at = start + place * MINUTE
    assert is_open(calendar, at) == walked[place]
    for move, walk in ((add_working_time, walk_on), (subtract_working_time, walk_back)):
        there = walk(walked, place, minutes)
        if there is not None:
            assert move(calendar, at, minutes=minutes) == start + there * MINUTE
        else:
            with suppress(DomainError):  # never so much
                assert not start <= move(calendar, at, minutes=minutes) <= start + timedelta(days=DAYS)


@pytest.mark.parametrize("name", WEEKS)
@pytest.mark.parametrize(("zone", "sunday"), SUNDAYS)
def test_hours_agree_with_a_naive_walk_through_the_weeks_of_change(zone, sunday, name):
    midnight, week = datetime.combine(sunday, datetime.min.time()), parse_week(WEEKS[name])
    stretches = ((-90, 100, False), (130, 145, False), (100, 160, True))
    special = tuple(
        SpecialHours(midnight + start * MINUTE, midnight + end * MINUTE, is_open) for start, end, is_open in stretches
    )
    flipped = tuple(SpecialHours(one.starts, one.ends, not one.is_open) for one in special)
    closed, half = Holiday(sunday, "Change of time"), Holiday(sunday, "Until breakfast", Period(0, 150))
    for holidays in ((), (closed,), (half,)):
        for exceptions in ((), special, flipped):
            assert_agrees(BusinessHours(ZoneInfo(zone), week, holidays, exceptions), sunday)
    assert_agrees(BusinessHours(ZoneInfo(zone), week, (), special, rules_around(sunday)), sunday)


def rules_around(sunday: date) -> tuple[YearlyHoliday, ...]:
    """Rules that mean the night of the change and the days beside it, whole and in part, and two that mean nothing."""
    eve, monday = (OnDate(day.month, day.day) for day in (sunday - timedelta(days=1), sunday + timedelta(days=1)))
    return (
        YearlyHoliday("Eve", HolidayRule(eve, sunday.year), Period(780, 1440)),
        YearlyHoliday("Night", HolidayRule(OnWeekday((sunday.day + 6) // 7, 6, sunday.month)), Period(30, 150)),
        YearlyHoliday("Late", HolidayRule(NearDate(6, eve, True, False)), Period(1380, 1560)),
        YearlyHoliday("Not now", HolidayRule(monday), except_on=frozenset({sunday + timedelta(days=1)})),
        YearlyHoliday("Not any more", HolidayRule(monday, None, sunday.year - 1)),
    )


@st.composite
def calendars(draw, changes=SUNDAYS):
    """Hours, and the day of a change of the clock around which everything in them lies."""
    zone, sunday = draw(st.sampled_from(changes))
    quarter, midnight = timedelta(minutes=15), datetime.combine(sunday, datetime.min.time())
    halves = st.tuples(st.integers(0, 90), st.integers(1, 96)).map(lambda pair: (pair[0], pair[0] + min(pair[1], 95)))
    parts = st.just((0, 96)) | halves
    holidays = tuple(
        Holiday(sunday + timedelta(days=day), "Closed", Period(start * 15, end * 15))
        for day, (start, end) in draw(st.lists(st.tuples(st.integers(-5, 2), parts), max_size=3))
    )
    exceptions = draw(st.lists(st.tuples(st.integers(-96, 120), st.integers(1, 200), st.booleans()), max_size=4))
    special = tuple(
        SpecialHours(midnight + n * quarter, midnight + (n + length) * quarter, opens)
        for n, length, opens in exceptions
    )
    week = draw(weeks() | st.sampled_from([parse_week(week) for week in WEEKS.values()]))
    yearly = tuple(
        YearlyHoliday("Rule", HolidayRule(rule), Period(start * 15, end * 15))
        for rule, (start, end) in draw(st.lists(st.tuples(rules_near(sunday), parts), max_size=2))
    )
    return BusinessHours(ZoneInfo(zone), week, holidays, special, yearly), sunday


def rules_near(sunday: date):
    """Rules that mean, or nearly mean, a day around the change."""
    near = st.integers(-5, 2).map(lambda day: sunday + timedelta(days=day))
    dates, weekdays = near.map(lambda on: OnDate(on.month, on.day)), st.integers(0, 6)
    return st.one_of(
        dates,
        st.builds(OnWeekday, st.sampled_from([1, 4, 5, LAST]), weekdays, st.just(sunday.month)),
        near.map(lambda on: FromEaster((on - easter(on.year)).days)) if sunday.month < 6 else dates,
        st.builds(NearDate, weekdays, dates, st.booleans(), st.booleans()),
    )


places = st.integers(0, DAYS * 1440 - 1)


@settings(max_examples=20)
@given(calendars(), places, st.integers(1, 4000))
def test_any_hours_agree_with_the_walk(made, place, minutes):
    assert_counts(*made, place=place, minutes=minutes)


@pytest.mark.more
@settings(max_examples=int(os.environ.get("NIGHTDESK_TEST_EXAMPLES", "400")))
@given(calendars(), places, st.integers(1, 4000))
def test_many_hours_agree_with_the_walk(made, place, minutes):
    assert_counts(*made, place=place, minutes=minutes)


@pytest.mark.more
@settings(max_examples=int(os.environ.get("NIGHTDESK_TEST_EXAMPLES", "400")) // 2)
@given(calendars(ODD_DAYS), places, st.integers(1, 4000))
def test_many_hours_agree_with_the_walk_where_the_clocks_change_oddly(made, place, minutes):
    assert_counts(*made, place=place, minutes=minutes)

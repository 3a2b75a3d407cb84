from datetime import date

import pytest
from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter
from hypothesis import given
from hypothesis import strategies as st

from portal.core.errors import DomainError
from portal.core.holiday_rules import (
    LAST,
    FromEaster,
    HolidayRule,
    NearDate,
    OnDate,
    OnWeekday,
    dates_in,
    describe_day_of_year,
    format_day_of_year,
    next_dates,
    parse_day_of_year,
)

THANKSGIVING = OnWeekday(4, 3, 11)


def days(text: str, year: int) -> list[str]:
    return [day.isoformat() for day in dates_in(HolidayRule(parse_day_of_year(text)), year)]


# Reading and writing


@pytest.mark.parametrize(
    ("text", "day", "words"),
    [
        ("12-24", OnDate(12, 24), "24 December"),
        (" 24 December ", OnDate(12, 24), "24 December"),
        ("every year the 24th of Dec.", OnDate(12, 24), "24 December"),
        ("July 4", OnDate(7, 4), "4 July"),
        ("02-29", OnDate(2, 29), "29 February"),
        ("4th thu nov", THANKSGIVING, "the fourth Thursday of November"),
        ("the fourth Thursday of November", THANKSGIVING, "the fourth Thursday of November"),
        ("last mon may", OnWeekday(LAST, 0, 5), "the last Monday of May"),
        ("easter", FromEaster(), "Easter Sunday"),
        ("Easter +1", FromEaster(1), "1 day after Easter"),
        ("easter−2", FromEaster(-2), "2 days before Easter"),
        ("39 days after Easter Sunday", FromEaster(39), "39 days after Easter"),
        ("2 days before Orthodox Easter", FromEaster(-2, True), "2 days before Orthodox Easter"),
        ("wed before 11-23", NearDate(2, OnDate(11, 23), False, False), "the Wednesday before 23 November"),
        ("Monday on or after 1 May", NearDate(0, OnDate(5, 1), True, True), "the Monday on or after 1 May"),
    ],
)
def test_a_day_of_the_year_is_read_as_people_write_it(text, day, words):
    assert parse_day_of_year(text) == day
    assert describe_day_of_year(day) == words
    assert parse_day_of_year(words) == day


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "“” is not a day of the year. Write it like 12-24, 4th thu nov"),
        ("christmas", "“christmas” is not a day of the year"),
        ("12/24", "is not a day of the year"),
        ("24 x", "is not a day of the year"),
        ("6th mon may", "is not a day of the year"),
        ("1st day may", "is not a day of the year"),
        ("day before 11-23", "is not a day of the year"),
        ("mon after 11 11", "is not a day of the year"),
        ("13-01", "There is no month 13."),
        ("00-10", "is not a day of the year"),
        ("02-30", "February has no day 30."),
        ("mon after 06-31", "June has no day 31."),
        ("easter +151", "at most 150 days"),
    ],
)
def test_what_is_no_day_of_the_year_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(DomainError, match=sentence.replace("+", r"\+")):
        parse_day_of_year(text)


def test_a_rule_that_ends_before_it_begins_is_refused():
    with pytest.raises(DomainError, match="The last year lies before the first"):
        HolidayRule(THANKSGIVING, 2027, 2026)


# The dates


@pytest.mark.parametrize(
    ("text", "year", "expected"),
    [
        ("12-24", 2026, ["2026-12-24"]),
        ("02-29", 2026, []),
        ("02-29", 2028, ["2028-02-29"]),
        ("12-31", 2028, ["2028-12-31"]),
        ("4th thu nov", 2026, ["2026-11-26"]),
        ("1st mon sep", 2026, ["2026-09-07"]),
        ("5th sun nov", 2026, ["2026-11-29"]),
        ("5th tue nov", 2026, []),
        ("last mon may", 2027, ["2027-05-31"]),
        ("easter", 2027, ["2027-03-28"]),
        ("easter -2", 2027, ["2027-03-26"]),
        ("orthodox easter +1", 2027, ["2027-05-03"]),
        ("wed before 11-23", 2026, ["2026-11-18"]),
        ("wed before 11-23", 2022, ["2022-11-16"]),  # the 23rd is a Wednesday itself
        ("wed on or before 11-23", 2022, ["2022-11-23"]),
        ("sat on or after 06-20", 2026, ["2026-06-20"]),
        ("sat after 06-20", 2026, ["2026-06-27"]),
        # Counted from the end of December, it falls into the next year: twice, once or not at all.
        ("sun after 12-28", 2028, ["2028-01-02", "2028-12-31"]),
        ("sun after 12-28", 2027, ["2027-01-03"]),
        ("fri before 01-02", 2027, ["2027-01-01", "2027-12-31"]),
        ("mon after 02-29", 2027, []),
        ("12-24", 1, []),
        ("12-24", 9999, []),
    ],
)
def test_a_rule_counts_by_itself_every_year(text, year, expected):
    assert days(text, year) == expected


def test_a_rule_holds_from_its_first_to_its_last_year():
    rule = HolidayRule(OnDate(12, 24), 2026, 2027)
    assert [year for year in range(2024, 2030) if dates_in(rule, year)] == [2026, 2027]


def test_easter_is_the_churches_own_for_two_centuries():
    for year in range(1900, 2200):
        for is_orthodox, method in ((False, EASTER_WESTERN), (True, EASTER_ORTHODOX)):
            assert FromEaster(0, is_orthodox).in_year(year) == easter(year, method)


def test_the_next_dates_begin_today_and_skip_years_without_one():
    leap = HolidayRule(OnDate(2, 29))
    assert next_dates(leap, date(2028, 2, 29), count=2) == (date(2028, 2, 29), date(2032, 2, 29))
    assert next_dates(leap, date(2028, 3, 1), count=1) == (date(2032, 2, 29),)
    assert next_dates(HolidayRule(OnDate(1, 1), 2030, 2031), date(2026, 1, 1), count=5) == (
        date(2030, 1, 1), date(2031, 1, 1),
    )  # fmt: skip
    assert next_dates(HolidayRule(OnDate(1, 1), None, 2020), date(2026, 1, 1), count=5) == ()


dates = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: OnDate(day.month, day.day))
weekdays = st.integers(0, 6)
any_day = st.one_of(
    dates,
    st.builds(OnWeekday, st.sampled_from([1, 2, 3, 4, 5, LAST]), weekdays, st.integers(1, 12)),
    st.builds(FromEaster, st.integers(-150, 150), st.booleans()),
    st.builds(NearDate, weekdays, dates, st.booleans(), st.booleans()),
)


@given(any_day, st.integers(1950, 2199))
def test_any_day_survives_being_written_and_its_dates_lie_in_the_year(day, year):
    assert parse_day_of_year(format_day_of_year(day)) == day == parse_day_of_year(describe_day_of_year(day))
    assert len(format_day_of_year(day)) <= 30
    found = dates_in(HolidayRule(day), year)
    assert len(found) <= 2 and all(one.year == year for one in found)


@given(weekdays, dates, st.booleans(), st.booleans(), st.integers(1950, 2199))
def test_the_weekday_near_a_date_is_within_a_week_of_it(weekday, near, is_after, or_on, year):
    start, found = near.in_year(year), NearDate(weekday, near, is_after, or_on).in_year(year)
    if start is None:
        assert found is None
        return
    distance = (found - start).days if is_after else (start - found).days
    assert found.weekday() == weekday and (0 if or_on else 1) <= distance <= (6 if or_on else 7)

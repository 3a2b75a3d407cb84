from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import WEEKDAYS, BusinessHours, Holiday, Period, SpecialHours, is_open, parse_week
from portal.core.fairness import (
    SHOWN,
    TITLES,
    Night,
    Stretch,
    TimeKind,
    average_load,
    clip_spans,
    define_kinds,
    list_months,
    list_stretches,
    share_load,
    split_time,
    tally,
)
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, Source, SourceKind

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL, DAVE = 2, 3, 4
HOLIDAY, OPEN, WEEKEND, NIGHT, OTHER = TimeKind
WEEK = parse_week(dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "9-17") | {"sat": "10-12"})
HOURS = BusinessHours(
    BERLIN, WEEK, (Holiday(date(2026, 12, 25), "Christmas"), Holiday(date(2026, 12, 31), "Eve", Period(13 * 60, 1440)))
)


def wall(month, day, hour=0, year=2026):
    at = datetime(year, month, day) + timedelta(hours=hour)
    return at.replace(tzinfo=BERLIN).astimezone(UTC)


def span(month, day, hour, length, year=2026):
    starts = datetime(year, month, day) + timedelta(hours=hour)
    both = (starts, starts + timedelta(hours=length))
    return Interval(*(one.replace(tzinfo=BERLIN).astimezone(UTC) for one in both))


def parts_of(held, hours=HOURS, night=Night()):  # noqa: B008 - frozen
    return split_time(held, hours=hours, zone=BERLIN, night=night)


def lengths(held, **more):
    found = tally([held], parts_of(held, **more))
    return {kind: found.hours(kind) for kind in TimeKind if found.hours(kind)}


def duty(person, held, id=1):
    return RosterDuty(person, held.starts_at, held.ends_at, Source(SourceKind.SHIFT, id))


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (span(11, 24, 0, 24), {NIGHT: 8, OPEN: 8, OTHER: 8}),  # a Tuesday
        (span(11, 28, 0, 24), {WEEKEND: 22, OPEN: 2}),  # a Saturday: the weekend comes before its night
        (span(11, 27, 18, 62), {OTHER: 4 + 2, NIGHT: 2 + 6, WEEKEND: 46, OPEN: 2}),  # Friday evening to Monday 08:00
        (span(12, 25, 0, 24), {HOLIDAY: 24}),
        (span(12, 24, 22, 12), {NIGHT: 2, HOLIDAY: 10}),
        (span(12, 31, 0, 24), {NIGHT: 6, OTHER: 3, OPEN: 4, HOLIDAY: 11}),  # a half-day from 13:00
        (span(11, 24, 5.5, 1), {NIGHT: 0.5, OTHER: 0.5}),
    ],
)
def test_every_minute_has_one_kind_and_a_holiday_beats_the_weekend_beats_the_night(held, expected):
    assert lengths(held) == expected


def test_a_special_opening_on_a_holiday_leaves_it_a_holiday_and_a_closure_is_other_time():
    special = (
        SpecialHours(datetime(2026, 12, 25, 10), datetime(2026, 12, 25, 12), is_open=True),
        SpecialHours(datetime(2026, 11, 24, 13), datetime(2026, 11, 24, 17)),
    )
    hours = replace(HOURS, special=special)
    assert lengths(span(12, 25, 0, 24), hours=hours) == {HOLIDAY: 24}
    assert lengths(span(11, 24, 0, 24), hours=hours) == {NIGHT: 8, OPEN: 4, OTHER: 12}


def test_two_holidays_of_one_date_are_one():
    hours = replace(HOURS, holidays=(*HOURS.holidays, Holiday(date(2026, 12, 25), "Half", Period(600, 720))))
    held = span(12, 25, 0, 24)
    found = tally([held], parts_of(held, hours=hours))
    assert (found.hours(HOLIDAY), found.count(HOLIDAY)) == (24, 1)


@pytest.mark.parametrize(("month", "day", "real"), [(3, 28, 8), (10, 24, 10)])
def test_the_nights_of_the_clock_are_real_hours(month, day, real):
    """22:00 to 07:00 on the wall clock; both are weekends."""
    assert lengths(span(month, day, 22, 9)) == {WEEKEND: real}


def test_the_night_of_a_weekday_on_which_the_clock_changes_has_its_real_length():
    cairo = ZoneInfo("Africa/Cairo")  # Thursday 29 October 2026, midnight goes back to 23:00
    held = Interval(*(datetime(2026, 10, day, hour, tzinfo=cairo).astimezone(UTC) for day, hour in ((29, 20), (30, 8))))
    parts = split_time(held, hours=BusinessHours(cairo, parse_week({})), zone=cairo, night=Night())
    assert tally([held], parts).hours("night") == 9


@pytest.mark.parametrize(("night", "hours"), [(Night(0, 5), 5), (Night(22, 6), 8), (Night(20, 20), 24)])
def test_the_night_is_a_setting(night, hours):
    held = span(11, 24, 0, 24)
    assert lengths(held, hours=replace(HOURS, week=parse_week({})), night=night)[NIGHT] == hours
    assert f"{night.starts:02}:00" in define_kinds(night)[NIGHT]


def test_parts_follow_each_other_without_a_gap_and_cover_the_year():
    year = Interval(wall(1, 1), wall(1, 1, year=2027))
    parts = parts_of(year)
    assert parts[0].span.starts_at == year.starts_at
    assert parts[-1].span.ends_at == year.ends_at
    assert all(one.span.ends_at == other.span.starts_at for one, other in pairwise(parts))
    assert tally([year], parts).total == timedelta(days=365)


def test_nights_weekends_and_holidays_are_counted_once_each():
    held = span(12, 21, 18, 14 * 24)  # from Monday before Christmas for two weeks
    found = tally([held], parts_of(held))
    # The nights of Friday and Sunday each begin or end outside the weekend; Christmas takes that of the 25th.
    assert (found.count(WEEKEND), found.count(HOLIDAY), found.count(NIGHT)) == (2, 2, 11)


def test_nobody_counts_twice_for_a_minute():
    both = [duty(BOB, span(11, 24, 18, 10)), duty(BOB, span(11, 24, 20, 12), id=2), duty(CAROL, span(11, 24, 20, 2))]
    assert list_stretches(both) == (Stretch(BOB, span(11, 24, 18, 14)), Stretch(CAROL, span(11, 24, 20, 2)))


def test_everybodys_share_comes_with_the_pages_they_got_the_most_time_first():
    year = Interval(wall(11, 1), wall(12, 1))
    duties = [duty(CAROL, span(11, 24, 18, 4)), duty(BOB, span(11, 24, 22, 8)), duty(BOB, span(11, 25, 22, 8))]
    loads = share_load(duties, parts_of(year), rung=[CAROL, BOB, CAROL, DAVE], answered=[CAROL])
    assert [(load.person_id, load.tally.hours(NIGHT), load.rung, load.answered) for load in loads] == [
        (BOB, 16, 1, 0), (CAROL, 0, 2, 1), (DAVE, 0, 1, 0),
    ]  # fmt: skip
    average = average_load(loads)
    assert average.hours(NIGHT) == pytest.approx(16 / 3)
    assert average.count(NIGHT) == 0
    assert average_load(()).total == timedelta()


def test_months_are_those_of_the_wall_clock_cut_to_the_span():
    months = list_months(Interval(wall(11, 24, 18), wall(1, 2, 8, year=2027)), zone=BERLIN)
    assert months == (
        (date(2026, 11, 1), Interval(wall(11, 24, 18), wall(12, 1))),
        (date(2026, 12, 1), Interval(wall(12, 1), wall(1, 1, year=2027))),
        (date(2027, 1, 1), Interval(wall(1, 1, year=2027), wall(1, 2, 8, year=2027))),
    )
    assert clip_spans([span(11, 30, 18, 14), span(11, 2, 0, 1)], months[0][1]) == (span(11, 30, 18, 6),)


def test_every_kind_is_shown_with_a_title_and_a_definition():
    assert set(SHOWN) == set(TITLES) == set(define_kinds(Night())) == set(TimeKind)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28)),
        ("Europe/Berlin", datetime(2026, 10, 24)),
        ("America/New_York", datetime(2026, 10, 31)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4)),
        ("Africa/Cairo", datetime(2026, 10, 29)),
    ],
)
def test_a_walk_of_every_five_minutes_around_a_change_of_the_clock_counts_the_same(zone, first):
    zone, random = ZoneInfo(zone), Random(first.toordinal())
    for _ in range(4):
        week = parse_week({day: random.choice(("8-18", "4-24", "20-4", "")) for day in WEEKDAYS})
        holidays = tuple(
            Holiday((first + timedelta(days=day)).date(), "Off", closed)
            for day, closed in enumerate((Period(0, 1440), Period(780, 1440), None, Period(0, 720)))
            if closed and random.random() < 0.6
        )
        night = Night(random.choice((20, 22, 0)), random.choice((5, 6)))
        hours = BusinessHours(zone, week, holidays)
        held = Interval(*((first + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC) for days in (0, 4)))
        counted = Counter(kind_at(at, hours, night) for at in iter_minutes(held, step=timedelta(minutes=5)))
        parts = split_time(held, hours=hours, zone=zone, night=night)
        found = tally([held], parts)
        assert {kind: number / 12 for kind, number in counted.items()} == {kind: found.hours(kind) for kind in counted}
        assert found.total == held.ends_at - held.starts_at


def iter_minutes(held, *, step):
    at = held.starts_at
    while at < held.ends_at:
        yield at
        at += step


def kind_at(at, hours, night):
    """Slow and naive, for one instant."""
    shown = at.astimezone(hours.zone)
    minute = shown.hour * 60 + shown.minute
    if any(one.on == shown.date() and one.closed.start <= minute < one.closed.end for one in hours.holidays):
        return HOLIDAY
    if is_open(hours, at):
        return OPEN
    if shown.weekday() >= 5:
        return WEEKEND
    is_night = night.starts <= shown.hour < night.ends
    if night.ends <= night.starts:
        is_night = shown.hour >= night.starts or shown.hour < night.ends
    return NIGHT if is_night else OTHER

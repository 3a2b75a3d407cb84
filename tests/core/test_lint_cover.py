from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import BusinessHours, parse_week
from portal.core.findings import Kind, Limits, Severity
from portal.core.intervals import Interval
from portal.core.lint_cover import find_clock_changes, find_gaps, find_long, list_clock_changes
from portal.core.roster import HolidayDuty, HolidayPolicy, Override, OverrideKind, make_roster
from portal.core.rotations import Rotation, Unit
from tests.core.lint_world import BERLIN, BOB, CAROL, WEEKS, YEAR, held, instant, make_facts, shift, wall

ALWAYS = BusinessHours(BERLIN, parse_week(dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "0-24")))
NIGHTS = parse_week(dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "18-8"))


def gaps(facts):
    return list(find_gaps(facts, make_roster(facts.schedule, YEAR), span=YEAR))


def clock(facts):
    return [one.text for one in find_clock_changes(facts, make_roster(facts.schedule, YEAR), span=YEAR)]


def long(facts):
    return list(find_long(facts, make_roster(facts.schedule, YEAR)))


def test_a_roster_without_a_gap_has_no_finding():
    assert gaps(make_facts(rotations=(WEEKS,))) == []


def test_only_closed_time_without_anybody_is_a_gap():
    off = Override(1, OverrideKind.REMOVE, wall(11, 4, 12), wall(11, 4, 20), BOB)
    (gap,) = gaps(make_facts(rotations=(WEEKS,), overrides=(off,)))
    assert gap.text == (
        "Nobody is on call from Wed 4 Nov 2026 18:00 to Wed 4 Nov 2026 20:00, while the shop is closed."
    )
    assert (gap.severity, gap.span, gap.place.on) == (
        Severity.BAD, held(wall(11, 4, 18), wall(11, 4, 20)), date(2026, 11, 4),
    )  # fmt: skip


def test_a_gap_far_ahead_is_only_a_warning():
    off = Override(1, OverrideKind.REMOVE, wall(12, 5), wall(12, 6), BOB)
    assert [one.severity for one in gaps(make_facts(rotations=(WEEKS,), overrides=(off,)))] == [Severity.WARN]


@pytest.mark.parametrize(
    ("until", "severity"),
    [(wall(11, 7), Severity.BAD), (wall(12, 1), Severity.WARN), (wall(2, 1, year=2027), Severity.INFO)],
)
def test_where_the_roster_ends_is_one_finding_and_not_a_gap_a_night(until, severity):
    found = gaps(make_facts(shifts=(shift(BOB, wall(11, 2), until),)))
    assert [(one.kind, one.severity, one.span) for one in found] == [
        (Kind.ENDS, severity, Interval(instant(until), YEAR.ends_at))
    ]


def test_an_empty_roster_says_so_once_and_a_shop_that_never_closes_needs_none():
    (found,) = gaps(make_facts())
    assert (found.kind, found.severity) == (Kind.ENDS, Severity.BAD)
    assert found.text == "Nobody is on call in the next twelve months, and the shop is closed at times."
    assert gaps(make_facts(hours=ALWAYS)) == []


def test_a_holiday_left_to_the_managers_is_no_gap_and_the_night_before_it_is():
    quiet = HolidayDuty(1, date(2026, 12, 25), HolidayPolicy.NOBODY)
    assert gaps(make_facts(rotations=(WEEKS,), holidays=(quiet,))) == []
    off = Override(1, OverrideKind.REMOVE, wall(12, 24, 22), wall(12, 25, 2), BOB)
    also = Override(2, OverrideKind.REMOVE, wall(12, 24, 22), wall(12, 25, 2), CAROL)
    (gap,) = gaps(make_facts(rotations=(WEEKS,), holidays=(quiet,), overrides=(off, also)))
    assert gap.span == held(wall(12, 24, 22), wall(12, 25))


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("Europe/Berlin", ["2027-03-28 01:00 02:00>03:00", "2027-10-31 01:00 03:00>02:00"]),
        ("America/New_York", ["2027-03-14 07:00 02:00>03:00", "2027-11-07 06:00 02:00>01:00"]),
        ("Australia/Lord_Howe", ["2027-04-03 15:00 02:00>01:30", "2027-10-02 15:30 02:00>02:30"]),
        ("Asia/Tokyo", []),
    ],
)
def test_the_changes_of_a_clock_are_found_to_the_second(zone, changes):
    year = Interval(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    found = list_clock_changes(ZoneInfo(zone), year)
    assert [f"{one.at:%Y-%m-%d %H:%M} {one.before:%H:%M}>{one.after:%H:%M}" for one in found] == changes


@pytest.mark.parametrize("hours", [1, 23, 25])
def test_a_change_at_the_very_end_of_the_time_is_found_too(hours):
    change = datetime(2027, 3, 28, 1, tzinfo=UTC)
    span = Interval(change - timedelta(hours=hours), change + timedelta(minutes=1))
    assert [one.at for one in list_clock_changes(BERLIN, span)] == [change]


def test_whose_night_is_longer_or_shorter_is_told():
    assert clock(make_facts(rotations=(WEEKS,))) == [
        "On Sun 28 Mar 2027 the clock goes from 02:00 to 03:00: the duty of Bob is 1 hour shorter.",
        "On Sun 31 Oct 2027 the clock goes from 03:00 to 02:00: the duty of Carol is 1 hour longer.",
    ]
    assert clock(make_facts()) == []


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (wall(3, 28, 2, year=2027), None),
        (wall(3, 28, 2.5, year=2027), "at 02:30, which is left out that night: it changes at 03:00."),
        (wall(3, 28, 3, year=2027), None),
        (wall(10, 31, 2, year=2027), "at 02:00, which comes twice that night: who leaves and who comes are both"),
        (wall(10, 31, 2.5, year=2027), "at 02:30, which comes twice that night: who leaves and who comes are both"),
        (wall(10, 31, 3, year=2027), None),
    ],
)
def test_a_hand_off_within_the_odd_hour_is_told(at, words):
    day = timedelta(days=1)
    shifts = (shift(BOB, at - day, at), shift(CAROL, at, at + day, id=2))
    for facts in (make_facts(shifts=shifts), make_facts(rotations=(Rotation(1, (BOB, CAROL), at - day, Unit.DAY),))):
        odd = [text for text in clock(facts) if "a shift changes" in text and f"{at:%Y}" in text]
        odd = [text for text in odd if f" {at.day} {at:%b} " in text]
        assert len(odd) == bool(words)
        assert all(words in text for text in odd)


def test_two_weeks_without_a_day_off_are_enough():
    forever = make_facts(rotations=(Rotation(1, (BOB,), wall(11, 2, 9)),))
    (found,) = long(forever)
    assert (found.kind, found.severity, found.people) == (Kind.LONG, Severity.WARN, (BOB,))
    assert found.text.endswith("without a day off. That is 365 days.")
    assert (
        long(make_facts(rotations=(Rotation(1, (BOB, CAROL), wall(11, 2, 9), every=2),), limits=Limits(hours=336)))
        == []
    )
    assert len(long(make_facts(rotations=(Rotation(1, (BOB, CAROL), wall(11, 2, 9), Unit.DAY, every=15),)))) == 24


def test_nights_in_a_row_count_without_a_day_off_too_and_a_free_day_ends_the_row():
    nights = Rotation(1, (BOB,), wall(11, 2, 18), Unit.WEEK, week=NIGHTS)
    (found,) = long(make_facts(rotations=(nights,), limits=Limits(days=300)))
    assert found.people == (BOB,)
    off = tuple(
        Override(
            n, OverrideKind.REMOVE, wall(11, 8, 12) + timedelta(weeks=n), wall(11, 9, 12) + timedelta(weeks=n), BOB
        )
        for n in range(52)
    )
    assert long(make_facts(rotations=(nights,), overrides=off)) == []


def test_more_than_eight_days_without_a_hand_off_are_told_and_a_week_is_normal():
    assert long(make_facts(rotations=(WEEKS,))) == []
    (found,) = long(make_facts(shifts=(shift(BOB, wall(11, 3), wall(11, 13)),)))
    assert (found.severity, found.span) == (Severity.INFO, held(wall(11, 3), wall(11, 13)))
    assert found.text.endswith("without a hand-off for 10 days.")


def test_a_week_in_which_the_clock_changes_is_a_week():
    weeks = Rotation(1, (BOB, CAROL), wall(11, 2, 9))
    assert long(make_facts(rotations=(weeks,), limits=Limits(hours=168))) == []

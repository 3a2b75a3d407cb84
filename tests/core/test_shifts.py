from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import Schedule, make_roster
from portal.core.shifts import Shift, check_years

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL = 2, 3


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute)


def night(shift_id: int, person_id: int, day: int) -> Shift:
    """18:00 to 08:00 the next morning, in a month without a change of the clock."""
    return Shift(shift_id, person_id, wall(day, 18), wall(day + 1, 8))


def persons(shifts, at, zone=BERLIN) -> list[int]:
    """Whoever is on call at `at`, in the order they came."""
    duties = make_roster(Schedule(zone, tuple(shifts)), Interval(at - timedelta(days=2), at + timedelta(days=2)))
    return [duty.person_id for duty in duties if duty.starts_at <= at < duty.ends_at]


# Validation


@pytest.mark.parametrize(
    ("starts", "ends", "sentence"),
    [
        (wall(2, 18), wall(2, 8), "ends before it starts. For a night, give the next day"),
        (wall(2, 18), wall(2, 18), "has no length"),
        (datetime(26, 11, 2), wall(2, 8), "year of a shift"),
        (wall(2, 18), datetime(9999, 12, 31), "year of a shift"),
    ],
)
def test_a_shift_that_makes_no_sense_is_refused_in_one_sentence(starts, ends, sentence):
    with pytest.raises(DomainError, match=sentence):
        Shift(1, BOB, starts, ends)


# Who is on call


def test_bob_is_on_call_from_his_first_minute_to_the_one_before_his_last():
    shifts = [night(1, BOB, 23)]
    assert persons(shifts, utc(2026, 11, 23, 16, 59)) == []
    assert persons(shifts, utc(2026, 11, 23, 17, 0)) == [BOB]
    assert persons(shifts, utc(2026, 11, 24, 6, 59)) == [BOB]
    assert persons(shifts, utc(2026, 11, 24, 7, 0)) == []


def test_several_people_are_on_call_at_once_in_the_order_they_came():
    late = Shift(1, BOB, wall(23, 20), wall(24, 8))
    early = Shift(2, CAROL, wall(23, 18), wall(24, 6))
    assert persons([late, early], utc(2026, 11, 23, 22)) == [CAROL, BOB]


def test_nobody_is_on_call_without_shifts():
    assert persons([], utc(2026, 11, 23)) == []


def test_the_night_of_the_doubled_hour_lasts_an_hour_longer():
    shift = Shift(1, BOB, datetime(2026, 10, 24, 18), datetime(2026, 10, 25, 8))
    (duty,) = make_roster(Schedule(BERLIN, (shift,)), Interval(utc(2026, 10, 20), utc(2026, 10, 30)))
    assert (duty.starts_at, duty.ends_at) == (utc(2026, 10, 24, 16), utc(2026, 10, 25, 7))


def test_in_the_doubled_hour_both_neighbours_are_on_call_rather_than_nobody():
    change = datetime(2026, 10, 25, 2, 30)
    shifts = [Shift(1, BOB, datetime(2026, 10, 24, 18), change), Shift(2, CAROL, change, datetime(2026, 10, 25, 8))]
    assert persons(shifts, utc(2026, 10, 25, 0, 29)) == [BOB]
    assert persons(shifts, utc(2026, 10, 25, 0, 30)) == [BOB, CAROL]
    assert persons(shifts, utc(2026, 10, 25, 1, 29)) == [BOB, CAROL]
    assert persons(shifts, utc(2026, 10, 25, 1, 30)) == [CAROL]


def test_a_hand_over_in_the_missing_hour_happens_at_the_first_instant_after():
    change = datetime(2026, 3, 29, 2, 30)
    shifts = [Shift(1, BOB, datetime(2026, 3, 28, 18), change), Shift(2, CAROL, change, datetime(2026, 3, 29, 8))]
    assert persons(shifts, utc(2026, 3, 29, 0, 59)) == [BOB]
    assert persons(shifts, utc(2026, 3, 29, 1, 0)) == [CAROL]


def test_a_shift_inside_the_missing_hour_covers_nothing():
    shift = Shift(1, BOB, datetime(2026, 3, 29, 2, 10), datetime(2026, 3, 29, 2, 50))
    assert persons([shift], utc(2026, 3, 29, 1, 0)) == []


@pytest.mark.parametrize("year", [1, 1999, 2200, 9999])
def test_a_year_nobody_means_is_refused(year):
    check_years(wall(1, 0), wall(1, 0).date(), None)
    with pytest.raises(DomainError, match="between 2000 and 2199"):
        check_years(wall(1, 0), wall(1, 0).replace(year=year).date())

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.calendars import WEEKDAYS, BusinessHours, Holiday, parse_week
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.oncall import Duty, Shift, coverage_gaps, plan_lanes, shift_interval, who_is_on_call

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL = 2, 3
# (zone, a week that holds its missing hour, a week that holds its doubled hour)
TRANSITIONS = [
    ("America/New_York", date(2026, 3, 5), date(2026, 10, 29)),
    ("Europe/London", date(2026, 3, 26), date(2026, 10, 22)),
    ("Europe/Berlin", date(2026, 3, 26), date(2026, 10, 22)),
    ("Australia/Sydney", date(2026, 10, 1), date(2026, 4, 2)),
    ("Australia/Lord_Howe", date(2026, 10, 1), date(2026, 4, 2)),
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute)


def night(shift_id: int, person_id: int, day: int) -> Shift:
    """18:00 to 08:00 the next morning, in a month without a change of the clock."""
    return Shift(shift_id, person_id, wall(day, 18), wall(day + 1, 8))


def persons(shifts, at, zone=BERLIN) -> list[int]:
    return [duty.person_id for duty in who_is_on_call(shifts, zone=zone, at=at)]


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


def test_a_person_with_two_shifts_is_named_once_with_the_one_that_lasts_longest():
    short = Shift(1, BOB, wall(23, 18), wall(24, 6), "short")
    long = Shift(2, BOB, wall(23, 20), wall(24, 8), "long")
    expected = Duty(BOB, 2, utc(2026, 11, 23, 19), utc(2026, 11, 24, 7), "long")
    assert who_is_on_call([short, long], zone=BERLIN, at=utc(2026, 11, 23, 22)) == (expected,)
    assert who_is_on_call([long, short], zone=BERLIN, at=utc(2026, 11, 23, 22)) == (expected,)


def test_equal_shifts_of_one_person_answer_with_the_older_one_whatever_their_order():
    twins = [night(1, BOB, 23), night(2, BOB, 23)]
    at = utc(2026, 11, 23, 22)
    assert [duty.shift_id for duty in who_is_on_call(twins, zone=BERLIN, at=at)] == [1]
    assert [duty.shift_id for duty in who_is_on_call(twins[::-1], zone=BERLIN, at=at)] == [1]


def test_nobody_is_on_call_without_shifts():
    assert who_is_on_call([], zone=BERLIN, at=utc(2026, 11, 23)) == ()


def test_the_night_of_the_doubled_hour_lasts_an_hour_longer():
    shift = Shift(1, BOB, datetime(2026, 10, 24, 18), datetime(2026, 10, 25, 8))
    assert shift_interval(shift, zone=BERLIN) == Interval(utc(2026, 10, 24, 16), utc(2026, 10, 25, 7))


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
    assert not shift_interval(shift, zone=BERLIN)
    assert persons([shift], utc(2026, 3, 29, 1, 0)) == []


# Coverage gaps


def test_the_time_nobody_covers_is_a_gap():
    span = Interval(utc(2026, 11, 23, 12), utc(2026, 11, 24, 12))
    assert coverage_gaps([night(1, BOB, 23)], zone=BERLIN, span=span) == (
        Interval(utc(2026, 11, 23, 12), utc(2026, 11, 23, 17)),
        Interval(utc(2026, 11, 24, 7), utc(2026, 11, 24, 12)),
    )


def test_with_business_hours_only_closed_time_can_be_a_gap():
    office = parse_week(dict.fromkeys(WEEKDAYS, "08:00-18:00"))
    span = Interval(utc(2026, 11, 23, 12), utc(2026, 11, 25, 6))
    shifts = [night(1, BOB, 23)]
    hours = BusinessHours(BERLIN, office)
    assert coverage_gaps(shifts, zone=BERLIN, span=span, hours=hours) == (
        Interval(utc(2026, 11, 24, 17), utc(2026, 11, 25, 6)),
    )


def test_a_holiday_nobody_covers_is_a_gap():
    office = parse_week(dict.fromkeys(WEEKDAYS, "08:00-18:00"))
    hours = BusinessHours(BERLIN, office, (Holiday(date(2026, 11, 24), "Founders' day"),))
    shifts = [night(1, BOB, 23), night(2, BOB, 24)]
    span = Interval(utc(2026, 11, 23, 17), utc(2026, 11, 25, 7))
    assert coverage_gaps(shifts, zone=BERLIN, span=span, hours=hours) == (
        Interval(utc(2026, 11, 24, 7), utc(2026, 11, 24, 17)),
    )


def test_nights_without_end_have_no_gap_over_either_change_of_the_clock():
    for first in (date(2026, 3, 26), date(2026, 10, 22)):
        starts = [datetime.combine(first, time(2, 30)) + timedelta(days=number) for number in range(8)]
        shifts = [Shift(number, BOB, start, start + timedelta(days=1)) for number, start in enumerate(starts)]
        span = Interval(
            shift_interval(shifts[0], zone=BERLIN).starts_at, shift_interval(shifts[-1], zone=BERLIN).ends_at
        )
        assert coverage_gaps(shifts, zone=BERLIN, span=span) == ()


# Lanes

MONDAY = date(2026, 11, 23)


def bars(lane) -> list[list[tuple[int, int]]]:
    return [[(bar.start, bar.end) for bar in track] for track in lane.tracks]


def test_a_night_past_midnight_is_one_bar():
    (lane,) = plan_lanes([night(1, BOB, 24)], first=MONDAY, days=7)
    assert bars(lane) == [[(1440 + 1080, 2 * 1440 + 480)]]


def test_a_shift_that_reaches_over_the_edges_is_cut_there():
    (lane,) = plan_lanes([Shift(1, BOB, wall(20, 9), wall(24, 9))], first=MONDAY, days=7)
    assert bars(lane) == [[(0, 1440 + 540)]]
    (lane,) = plan_lanes([Shift(1, BOB, wall(29, 18), wall(30, 8))], first=MONDAY, days=7)
    assert bars(lane) == [[(6 * 1440 + 1080, 7 * 1440)]]


def test_a_shift_that_only_touches_the_week_is_not_in_it():
    shifts = [Shift(1, BOB, wall(22, 18), wall(23, 0)), Shift(2, BOB, wall(30, 0), wall(30, 8))]
    assert plan_lanes(shifts, first=MONDAY, days=7) == ()


def test_shifts_of_one_person_that_overlap_lie_on_tracks_of_their_own():
    shifts = [
        Shift(1, BOB, wall(23, 0), wall(23, 12)),
        Shift(2, BOB, wall(23, 6), wall(23, 18)),
        Shift(3, BOB, wall(23, 12), wall(24, 0)),
    ]
    (lane,) = plan_lanes(shifts, first=MONDAY, days=7)
    assert bars(lane) == [[(0, 720), (720, 1440)], [(360, 1080)]]


def test_every_person_asked_for_has_a_lane_and_others_follow_when_they_have_a_shift():
    lanes = plan_lanes([night(1, BOB, 23), night(2, 9, 12)], first=MONDAY, days=7, person_ids=[CAROL])
    assert [lane.person_id for lane in lanes] == [CAROL, BOB]
    assert bars(lanes[0]) == []


# A naive answer, minute by minute, written apart from the engine


def naive_roster(shifts, zone, start: datetime, end: datetime) -> list[set[int]]:
    """Walks every minute. A shift runs from the first minute that shows its start to the last that shows its end; if no
    minute shows it (a missing hour), from or to the first minute that shows more."""
    shown = []
    at = start
    while at < end:
        shown.append(at.astimezone(zone).replace(tzinfo=None))
        at += timedelta(minutes=1)

    def place(moment: datetime, *, last: bool) -> int:
        exact = [number for number, clock in enumerate(shown) if clock == moment]
        if exact:
            return exact[-1 if last else 0]
        return next((number for number, clock in enumerate(shown) if clock > moment), len(shown))

    roster: list[set[int]] = [set() for _ in shown]
    for shift in shifts:
        for number in range(place(shift.starts, last=False), place(shift.ends, last=True)):
            roster[number].add(shift.person_id)
    return roster


def a_shift(first: date):
    """Any shift within a week, on the ten minutes, so that borders often fall into the odd hours."""
    base = datetime.combine(first, time())
    steps = 7 * 144
    return st.tuples(st.integers(0, steps - 2), st.integers(1, 400), st.integers(1, 5)).map(
        lambda made: Shift(
            1,
            made[2],
            base + timedelta(minutes=10 * made[0]),
            base + timedelta(minutes=10 * min(made[0] + made[1], steps)),
        )
    )


@pytest.mark.parametrize("which", [1, 2], ids=["missing hour", "doubled hour"])
@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition[0])
def test_the_engine_agrees_with_a_naive_walk_through_transition_weeks(transition, which):
    zone, first = ZoneInfo(transition[0]), transition[which]
    base = datetime.combine(first, time())
    borders = [base + timedelta(days=3, minutes=minute) for minute in range(30, 240, 30)]
    shifts = [Shift(number, number, base, border) for number, border in enumerate(borders, 1)]
    shifts += [
        Shift(100 + number, 100 + number, border, base + timedelta(days=5)) for number, border in enumerate(borders)
    ]
    assert_agrees_with_naive(shifts, zone, first)


def assert_agrees_with_naive(shifts, zone, first: date) -> None:
    start = datetime.combine(first - timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    roster = naive_roster(shifts, zone, start, start + timedelta(days=9))
    spans = [(shift.person_id, shift_interval(shift, zone=zone)) for shift in shifts]
    for number, expected in enumerate(roster):
        at = start + timedelta(minutes=number)
        assert {person for person, span in spans if at in span} == expected, at
        if number % 10 == 0:
            assert set(persons(shifts, at, zone)) == expected, at


@st.composite
def rosters(draw):
    """A zone, the first day of a week in which its clocks change, and a few shifts in that week."""
    zone, *weeks = draw(st.sampled_from(TRANSITIONS))
    first = draw(st.sampled_from(weeks))
    return ZoneInfo(zone), first, draw(st.lists(a_shift(first), min_size=1, max_size=4))


@settings(max_examples=20)
@given(rosters())
def test_random_rosters_agree_with_a_naive_walk(roster):
    zone, first, shifts = roster
    assert_agrees_with_naive(shifts, zone, first)


@settings(max_examples=30)
@given(rosters())
def test_a_gap_is_exactly_the_time_when_nobody_is_on_call(roster):
    zone, first, shifts = roster
    start = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    gaps = coverage_gaps(shifts, zone=zone, span=Interval(start, start + timedelta(days=6)))
    for step in range(6 * 144):
        at = start + timedelta(minutes=10 * step)
        assert any(at in gap for gap in gaps) == (persons(shifts, at, zone) == [])

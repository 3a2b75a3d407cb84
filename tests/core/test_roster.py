import os
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.calendars import WEEKDAYS, BusinessHours, Holiday, Period, Week, parse_week
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import (
    Absence,
    HolidayDuty,
    HolidayPolicy,
    Override,
    OverrideKind,
    RosterDuty,
    Schedule,
    Source,
    SourceKind,
    coverage_gaps,
    is_left_to_managers,
    list_claims,
    make_roster,
)
from portal.core.rotations import Rotation, Unit
from portal.core.shifts import Shift
from tests.core.naive_roster import MINUTE, walk_roster

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
ALICE, BOB, CAROL, DAVE = 1, 2, 3, 4
MONDAY = datetime(2026, 11, 2, 8)
# The zone, the first day of the three around each change of its clocks.
CHANGES = [
    ("America/New_York", date(2026, 3, 7)),
    ("America/New_York", date(2026, 10, 31)),
    ("Europe/London", date(2026, 3, 28)),
    ("Europe/London", date(2026, 10, 24)),
    ("Europe/Berlin", date(2026, 3, 28)),
    ("Europe/Berlin", date(2026, 10, 24)),
    ("Australia/Sydney", date(2026, 10, 3)),
    ("Australia/Sydney", date(2026, 4, 4)),
    ("Australia/Lord_Howe", date(2026, 10, 3)),
    ("Australia/Lord_Howe", date(2026, 4, 4)),
]


def at(day: int, hour: float = 0) -> datetime:
    """What the clock shows on a day of November 2026."""
    return datetime(2026, 11, day) + timedelta(hours=hour)


def instant(wall: datetime) -> datetime:
    return wall.replace(tzinfo=BERLIN).astimezone(UTC)


def on_call(schedule: Schedule, wall: datetime) -> list[int]:
    start = instant(wall)
    return sorted(duty.person_id for duty in make_roster(schedule, Interval(start, start + timedelta(minutes=1))))


def days(schedule: Schedule, first: int, last: int) -> list[list[int]]:
    return [on_call(schedule, at(day, 12)) for day in range(first, last + 1)]


WEEKLY = Schedule(BERLIN, rotations=(Rotation(1, (ALICE, BOB), MONDAY),), members=(ALICE, BOB, CAROL))


def changed(*overrides: Override, **parts) -> Schedule:
    values = {name: getattr(WEEKLY, name) for name in ("zone", "rotations", "members")}
    return Schedule(**{**values, **parts, "overrides": overrides})


def test_a_roster_is_cut_to_the_span_and_says_why():
    found = make_roster(WEEKLY, Interval(instant(at(6)), instant(at(11))))
    source = Source(SourceKind.ROTATION, 1)
    assert found == (
        RosterDuty(ALICE, instant(at(6)), instant(at(9, 8)), source),
        RosterDuty(BOB, instant(at(9, 8)), instant(at(11)), source),
    )


def test_shifts_and_rotations_of_one_level_are_on_call_together():
    both = changed(shifts=(Shift(7, CAROL, at(3), at(5)),))
    assert days(both, 2, 5) == [[ALICE], [ALICE, CAROL], [ALICE, CAROL], [ALICE]]


def test_of_several_levels_only_the_highest_counts_where_it_has_somebody():
    nights = Rotation(2, (CAROL,), MONDAY, week=parse_week(dict.fromkeys(WEEKDAYS, "18-8")), level=1)
    schedule = changed(rotations=(*WEEKLY.rotations, nights))
    assert [on_call(schedule, at(3, hour)) for hour in (7.9, 8, 17.9, 18, 24)] == [
        [CAROL],
        [ALICE],
        [ALICE],
        [CAROL],
        [CAROL],
    ]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (Override(1, OverrideKind.ADD, at(3), at(4), CAROL), [[ALICE], [ALICE, CAROL], [ALICE]]),
        (Override(1, OverrideKind.ADD, at(3), at(4), ALICE), [[ALICE], [ALICE], [ALICE]]),
        (Override(1, OverrideKind.REMOVE, at(3), at(4), ALICE), [[ALICE], [], [ALICE]]),
        (Override(1, OverrideKind.REMOVE, at(3), at(4), BOB), [[ALICE], [ALICE], [ALICE]]),
        (Override(1, OverrideKind.REPLACE, at(3), at(4), CAROL, ALICE), [[ALICE], [CAROL], [ALICE]]),
        (Override(1, OverrideKind.REPLACE, at(3), at(4), CAROL, BOB), [[ALICE], [ALICE], [ALICE]]),
        (Override(1, OverrideKind.REPLACE, at(3), at(4), CAROL), [[ALICE], [CAROL], [ALICE]]),
    ],
)
def test_an_override_changes_the_roster_in_its_time(override, expected):
    assert days(changed(override), 2, 4) == expected


def test_overrides_that_overlap_count_in_the_order_they_were_made():
    swap = Override(1, OverrideKind.REPLACE, at(3), at(5), CAROL, ALICE)
    back = Override(2, OverrideKind.REPLACE, at(4), at(5), BOB, CAROL)
    assert days(changed(swap, back), 3, 5) == days(changed(back, swap), 3, 5) == [[CAROL], [BOB], [ALICE]]


@pytest.mark.parametrize(
    ("policy", "person", "expected"),
    [
        (HolidayPolicy.NORMAL, None, [ALICE]),
        (HolidayPolicy.NOBODY, None, []),
        (HolidayPolicy.EVERYONE, None, [ALICE, BOB, CAROL]),
        (HolidayPolicy.PERSON, CAROL, [CAROL]),
        (HolidayPolicy.PERSON, None, [ALICE]),
    ],
)
def test_a_holiday_follows_its_policy_from_midnight_to_midnight(policy, person, expected):
    schedule = changed(holidays=(HolidayDuty(1, date(2026, 11, 3), policy, person),))
    walls = [at(2, 23.9), at(3), at(3, 23.9), at(4)]
    assert [on_call(schedule, wall) for wall in walls] == [[ALICE], expected, expected, [ALICE]]


def test_an_override_beats_the_policy_of_a_holiday():
    nobody = HolidayDuty(1, date(2026, 11, 3), HolidayPolicy.NOBODY)
    assert days(changed(Override(1, OverrideKind.ADD, at(3), at(4), BOB), holidays=(nobody,)), 3, 3) == [[BOB]]


def test_nobody_who_is_away_is_on_call_by_whatever_reason():
    everything = changed(
        Override(1, OverrideKind.ADD, at(4), at(5), ALICE),
        shifts=(Shift(1, ALICE, at(5), at(6)),),
        holidays=(HolidayDuty(1, date(2026, 11, 3), HolidayPolicy.EVERYONE),),
        absences=(Absence(ALICE, instant(at(1))),),
    )
    assert days(everything, 2, 5) == [[BOB], [BOB, CAROL], [BOB], [BOB]]


def test_a_person_with_two_reasons_is_named_once_with_the_one_that_lasts_longer():
    schedule = Schedule(BERLIN, shifts=(Shift(1, BOB, at(3), at(5)), Shift(2, BOB, at(3), at(4))))
    assert [duty.source.id for duty in make_roster(schedule, Interval(instant(at(3)), instant(at(5))))] == [1]


def test_an_override_that_ends_before_it_starts_is_refused():
    with pytest.raises(DomainError, match="ends before it starts"):
        Override(1, OverrideKind.ADD, at(4), at(4), BOB)


@pytest.mark.parametrize(
    "make",
    [
        lambda day: Override(1, OverrideKind.ADD, day, day + timedelta(days=1), BOB),
        lambda day: HolidayDuty(1, day.date(), HolidayPolicy.NOBODY),
        lambda day: Rotation(1, (BOB,), day),
        lambda day: Rotation(1, (BOB,), MONDAY, since=day),
        lambda day: Rotation(1, (BOB,), datetime(2000, 1, 1), ends=day),
    ],
)
def test_years_nobody_means_are_refused_and_the_first_and_last_answer(make):
    for day in (datetime(1, 1, 1), datetime(9999, 12, 30)):
        with pytest.raises(DomainError, match=r"year must lie between 2000 and 2199|ends before"):
            make(day)
    assert make(datetime(2000, 1, 2)) and make(datetime(2199, 12, 30))


def test_the_first_and_the_last_hour_of_the_years_have_a_roster():
    forever = Schedule(BERLIN, rotations=(Rotation(1, (BOB,), datetime(2000, 1, 1), Unit.HOUR),))
    for day in (datetime(2000, 1, 1), datetime(2199, 12, 31)):
        span = Interval(instant(day), instant(day + timedelta(days=1)))
        assert coverage_gaps(make_roster(forever, span), span=span) == ()


def test_everyone_of_a_team_that_left_says_nothing():
    gone = (Absence(BOB, instant(at(1))),)
    everyone = HolidayDuty(1, date(2026, 11, 3), HolidayPolicy.EVERYONE)
    assert days(changed(holidays=(everyone,), members=(BOB,), absences=gone), 3, 3) == [[ALICE]]


def test_an_empty_span_has_no_roster():
    assert make_roster(WEEKLY, Interval(instant(at(4)), instant(at(4)))) == ()


# Held against the naive walk


def assert_agrees(schedule: Schedule, first: date, step: timedelta = MINUTE) -> None:
    start = datetime.combine(first, time(), tzinfo=schedule.zone).astimezone(UTC)
    end = start + timedelta(days=3)
    engine: list[set[int]] = [set() for _ in range((end - start) // step)]
    for duty in make_roster(schedule, Interval(start, end)):
        places = [divmod(edge - start, step) for edge in (duty.starts_at, duty.ends_at)]
        assert not any(rest for _, rest in places)
        for number in range(*(place for place, _ in places)):
            assert duty.person_id not in engine[number]
            engine[number].add(duty.person_id)
    expected = walk_roster(schedule, start, end, step)
    wrong = [(start + step * n, a, b) for n, (a, b) in enumerate(zip(engine, expected, strict=True)) if a != b]
    assert not wrong, wrong[:3]


people = st.integers(1, 5)
quarters = st.integers(-3 * 96, 6 * 96)


@st.composite
def week_plans(draw) -> Week:
    marks = sorted(draw(st.sets(st.integers(0, 7 * 48 - 1), min_size=2, max_size=14)))
    found: list[list[Period]] = [[] for _ in WEEKDAYS]
    for start, end in zip(marks[::2], marks[1::2], strict=False):
        day, half = divmod(start, 48)
        found[day].append(Period(half * 30, (half + min(end - start, 47 if half else 48)) * 30))
    return Week(tuple(map(tuple, found)))


@st.composite
def schedules(draw) -> tuple[Schedule, date]:
    """Anything that can be set up, around a change of the clocks; borders fall on quarters of an hour."""
    name, first = draw(st.sampled_from(CHANGES))
    base, quarter = datetime.combine(first, time()), timedelta(minutes=15)

    def span() -> tuple[datetime, datetime]:
        start, length = draw(quarters), draw(st.integers(1, 300))
        return base + start * quarter, base + (start + length) * quarter

    def rotation(id: int) -> Rotation:
        week = draw(st.none() | week_plans())
        starts = base - draw(st.integers(-200, 40 * 96)) * quarter
        since = draw(st.none() | quarters.map(lambda n: base + n * quarter))
        begins = max(starts, since or starts)
        ends = draw(st.none() | st.integers(1, 45 * 96).map(lambda n: begins + n * quarter))
        turns = tuple(draw(st.lists(people, min_size=1, max_size=4)))
        by_shift = week is not None and draw(st.booleans())
        every, level = draw(st.integers(1, 5)), draw(st.integers(0, 2))
        return Rotation(id, turns, starts, draw(st.sampled_from(Unit)), every, ends, week, by_shift, level, since)

    def override(id: int) -> Override:
        kind, other = draw(st.sampled_from(OverrideKind)), draw(st.none() | people)
        return Override(id, kind, *span(), draw(people), other)

    def holiday(id: int) -> HolidayDuty:
        on = first + timedelta(days=draw(st.integers(0, 2)))
        return HolidayDuty(id, on, draw(st.sampled_from(HolidayPolicy)), draw(st.none() | people))

    def absence(id: int) -> Absence:
        starts = datetime.combine(first, time(), tzinfo=UTC) + draw(st.integers(-200, 300)) * quarter
        return Absence(draw(people), starts, draw(st.none() | st.integers(1, 400).map(lambda n: starts + n * quarter)))

    def several(make, most):
        return tuple(make(id) for id in range(draw(st.integers(0, most))))

    holidays = {one.on: one for one in several(holiday, 2)}
    return Schedule(
        zone=ZoneInfo(name),
        shifts=several(lambda id: Shift(id, draw(people), *span(), level=draw(st.integers(0, 2))), 3),
        rotations=several(rotation, 3),
        overrides=several(override, 4),
        holidays=tuple(holidays.values()),
        members=tuple(sorted(draw(st.sets(people)))),
        absences=several(absence, 2),
    ), first


@settings(max_examples=8)
@given(schedules())
def test_any_schedule_agrees_with_a_naive_walk_around_a_change_of_the_clocks(made):
    assert_agrees(*made)


@pytest.mark.more
@pytest.mark.timeout(0)
@settings(max_examples=int(os.environ.get("NIGHTDESK_TEST_EXAMPLES", "400")))
@given(schedules())
def test_many_schedules_agree_with_the_naive_walk(made):
    assert_agrees(*made)


@pytest.mark.more
@pytest.mark.timeout(0)
@pytest.mark.parametrize("share", range(4))
@settings(max_examples=2500)
@given(made=schedules())
def test_ten_thousand_schedules_agree_with_the_walk_by_quarters(share, made):
    assert_agrees(*made, step=QUARTER)


@settings(max_examples=50)
@given(schedules(), st.integers(0, 3 * 1440), st.integers(1, 1440))
def test_a_roster_says_the_same_however_it_is_cut(made, start, length):
    schedule, first = made
    begin = datetime.combine(first, time(), tzinfo=schedule.zone).astimezone(UTC)
    cut = Interval(begin + timedelta(minutes=start), begin + timedelta(minutes=start + length))
    whole = make_roster(schedule, Interval(cut.starts_at - timedelta(days=5), cut.ends_at + timedelta(days=5)))
    clipped = {
        (duty.person_id, duty.source, max(duty.starts_at, cut.starts_at), min(duty.ends_at, cut.ends_at))
        for duty in whole
        if duty.starts_at < cut.ends_at and cut.starts_at < duty.ends_at
    }
    assert {(one.person_id, one.source, one.starts_at, one.ends_at) for one in make_roster(schedule, cut)} == clipped


# Coverage gaps


def at_utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def night(shift_id: int, person_id: int, day: int) -> Shift:
    """18:00 to 08:00 the next morning."""
    return Shift(shift_id, person_id, at(day, 18), at(day + 1, 8))


def gaps_of(shifts, *, span, hours=None):
    return coverage_gaps(make_roster(Schedule(BERLIN, tuple(shifts)), span), span=span, hours=hours)


def test_the_time_nobody_covers_is_a_gap():
    span = Interval(at_utc(2026, 11, 23, 12), at_utc(2026, 11, 24, 12))
    assert gaps_of([night(1, BOB, 23)], span=span) == (
        Interval(at_utc(2026, 11, 23, 12), at_utc(2026, 11, 23, 17)),
        Interval(at_utc(2026, 11, 24, 7), at_utc(2026, 11, 24, 12)),
    )


def test_with_business_hours_only_closed_time_can_be_a_gap():
    office = parse_week(dict.fromkeys(WEEKDAYS, "08:00-18:00"))
    span = Interval(at_utc(2026, 11, 23, 12), at_utc(2026, 11, 25, 6))
    shifts = [night(1, BOB, 23)]
    hours = BusinessHours(BERLIN, office)
    assert gaps_of(shifts, span=span, hours=hours) == (Interval(at_utc(2026, 11, 24, 17), at_utc(2026, 11, 25, 6)),)


def test_a_holiday_nobody_covers_is_a_gap():
    office = parse_week(dict.fromkeys(WEEKDAYS, "08:00-18:00"))
    hours = BusinessHours(BERLIN, office, (Holiday(date(2026, 11, 24), "Founders' day"),))
    shifts = [night(1, BOB, 23), night(2, BOB, 24)]
    span = Interval(at_utc(2026, 11, 23, 17), at_utc(2026, 11, 25, 7))
    assert gaps_of(shifts, span=span, hours=hours) == (Interval(at_utc(2026, 11, 24, 7), at_utc(2026, 11, 24, 17)),)


def test_nights_without_end_have_no_gap_over_either_change_of_the_clock():
    for first in (date(2026, 3, 26), date(2026, 10, 22)):
        starts = [datetime.combine(first, time(2, 30)) + timedelta(days=number) for number in range(8)]
        shifts = [Shift(number, BOB, start, start + timedelta(days=1)) for number, start in enumerate(starts)]
        span = Interval(*(instant(edge) for edge in (shifts[0].starts, shifts[-1].ends)))
        assert gaps_of(shifts, span=span) == ()


@settings(max_examples=30)
@given(schedules())
def test_a_gap_is_exactly_the_time_when_nobody_is_on_call(made):
    schedule, first = made
    start = datetime.combine(first, time(), tzinfo=schedule.zone).astimezone(UTC)
    span = Interval(start, start + timedelta(days=2))
    duties = make_roster(schedule, span)
    gaps = coverage_gaps(duties, span=span)
    # Between two edges nothing changes, so what holds at each edge holds everywhere.
    for at in {start, *(edge for one in (*duties, *gaps) for edge in (one.starts_at, one.ends_at) if edge in span)}:
        assert any(at in gap for gap in gaps) != any(one.starts_at <= at < one.ends_at for one in duties)


# People who leave


def test_a_person_who_left_hides_nobody_below_and_takes_nobodys_place():
    schedule = changed(
        Override(1, OverrideKind.REPLACE, at(4), at(5), CAROL, None),
        shifts=(Shift(1, CAROL, at(3), at(4), level=1),),
        holidays=(HolidayDuty(1, date(2026, 11, 5), HolidayPolicy.PERSON, CAROL),),
        absences=(Absence(CAROL, instant(at(1))),),
    )
    assert days(schedule, 3, 5) == [[ALICE], [ALICE], [ALICE]]


def test_who_leaves_in_the_middle_of_a_turn_keeps_what_has_been_and_comes_back_later():
    left = Absence(ALICE, instant(at(4, 12)), instant(at(6, 12)))
    span = Interval(instant(at(3)), instant(at(8)))
    duties = make_roster(changed(absences=(left,)), span)
    assert [(one.person_id, one.starts_at, one.ends_at) for one in duties] == [
        (ALICE, span.starts_at, left.starts_at),
        (BOB, left.starts_at, left.ends_at),
        (ALICE, left.ends_at, span.ends_at),
    ]


def test_a_duty_goes_on_in_one_piece_when_somebody_else_leaves():
    span = Interval(instant(at(3)), instant(at(8)))
    (duty,) = make_roster(changed(absences=(Absence(CAROL, instant(at(5))),)), span)
    assert (duty.starts_at, duty.ends_at) == (span.starts_at, span.ends_at)


def test_a_holiday_with_nobody_is_left_to_the_managers_from_midnight_to_midnight():
    schedule = changed(holidays=(HolidayDuty(1, date(2026, 11, 3), HolidayPolicy.NOBODY),))
    walls = [at(2, 23.9), at(3), at(3, 23.9), at(4)]
    assert [is_left_to_managers(schedule, instant(wall)) for wall in walls] == [False, True, True, False]


def test_what_shifts_and_rotations_say_is_listed_uncut_and_without_people_who_are_away():
    schedule = Schedule(
        BERLIN,
        shifts=(Shift(1, ALICE, at(3), at(9), level=2), Shift(2, CAROL, at(3), at(9))),
        rotations=(Rotation(7, (BOB, DAVE), MONDAY, ends=MONDAY + timedelta(days=7)),),
    )
    claims = list_claims(schedule, Interval(instant(at(4)), instant(at(5))), frozenset({BOB, CAROL}))
    assert [(one.person_id, one.level, one.source.kind, one.span.starts_at) for one in claims] == [
        (ALICE, 2, SourceKind.SHIFT, instant(at(3))),
        (DAVE, 0, SourceKind.ROTATION, instant(MONDAY)),
    ]

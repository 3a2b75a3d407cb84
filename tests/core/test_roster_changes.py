from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, Schedule, Source, SourceKind, make_roster
from portal.core.roster_changes import RosterChange, change_rotation, close_rotation, compare_rosters, next_change
from portal.core.rotations import Rotation, Unit, reach_back

ALICE, BOB, CAROL = 1, 2, 3


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def wall(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour)


def duty(person: int, start: int, end: int, row: int = 1) -> RosterDuty:
    return RosterDuty(person, at(start), at(end), Source(SourceKind.SHIFT, row))


RUNNING = Rotation(7, (ALICE, BOB), wall(2))


@pytest.mark.parametrize(
    ("rotation", "when", "left"),
    [
        (RUNNING, wall(11), Rotation(7, (ALICE, BOB), wall(2), ends=wall(11))),
        (RUNNING, wall(2), None),
        (Rotation(7, (BOB,), wall(2), since=wall(20)), wall(11), None),
        (Rotation(7, (BOB,), wall(2), ends=wall(5)), wall(11), Rotation(7, (BOB,), wall(2), ends=wall(5))),
    ],
)
def test_a_closed_rotation_keeps_its_past_and_nothing_else(rotation, when, left):
    assert close_rotation(rotation, when) == left


def test_a_change_holds_from_its_time_on_and_touches_no_other_rotation():
    other = Rotation(8, (CAROL,), wall(2), level=-1)
    schedule = Schedule(ZoneInfo("UTC"), rotations=(RUNNING, other))
    new = Rotation(0, (CAROL, BOB), wall(2), since=wall(11))
    changed = change_rotation(schedule, {7}, new=new, wall=wall(11))
    assert other in changed.rotations
    duties = make_roster(changed, Interval(at(2), at(23)))
    assert [(one.person_id, one.starts_at.day, one.ends_at.day) for one in duties] == [
        (ALICE, 2, 9), (BOB, 9, 11), (BOB, 11, 16), (CAROL, 16, 23),
    ]  # fmt: skip
    assert change_rotation(schedule, {7}, new=None, wall=wall(2)).rotations == (other,)


def test_what_differs_is_who_is_on_call_and_not_why():
    before = [duty(ALICE, 2, 9), duty(BOB, 9, 16)]
    after = [duty(ALICE, 2, 5, row=2), duty(ALICE, 5, 9, row=3), duty(BOB, 9, 12), duty(CAROL, 12, 16)]
    assert compare_rosters(before, after) == (
        RosterChange(Interval(at(12), at(16)), BOB, is_on=False),
        RosterChange(Interval(at(12), at(16)), CAROL, is_on=True),
    )
    assert compare_rosters(before, before) == ()


def test_the_next_change_is_when_others_are_on_call():
    duties = [duty(ALICE, 2, 5), duty(ALICE, 5, 9, row=2), duty(BOB, 9, 16)]
    assert next_change(duties, at(3)) == at(9)
    assert next_change(duties, at(9)) == at(16)
    assert next_change(duties, at(16)) is None


orders = some.lists(some.sampled_from([ALICE, BOB, CAROL]), min_size=1, max_size=4).map(tuple)
rotations = some.builds(
    Rotation,
    some.just(7),
    orders,
    some.integers(0, 24 * 40).map(lambda hours: datetime(2026, 10, 12) + timedelta(hours=hours)),
    some.sampled_from(Unit),
    some.integers(1, 3),
)


@settings(max_examples=20)
@given(rotations, rotations, some.integers(0, 24 * 40))
def test_whatever_a_change_says_nothing_before_it_is_another(old, new, hours):
    when = datetime(2026, 10, 12) + timedelta(hours=hours)
    schedule = Schedule(ZoneInfo("UTC"), rotations=(old,))
    new = replace(reach_back(replace(new, id=0), when), since=when)
    changed = change_rotation(schedule, {7}, new=new, wall=when)
    past = Interval(datetime(2026, 10, 1, tzinfo=UTC), when.replace(tzinfo=UTC))
    future = Interval(past.ends_at, past.ends_at + timedelta(days=60))
    assert make_roster(changed, past) == make_roster(schedule, past)
    alone = Schedule(ZoneInfo("UTC"), rotations=(new,))
    assert make_roster(changed, future) == make_roster(alone, future)

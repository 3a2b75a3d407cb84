from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.roster import make_schedule
from portal.core.calendars import parse_week
from portal.core.findings import Kind, LintFacts, Severity
from portal.core.intervals import Interval
from portal.core.lint_clashes import find_hidden, find_idle_overrides, find_overlaps
from portal.core.roster import HolidayDuty, HolidayPolicy, Override, OverrideKind, list_claims, make_roster
from portal.core.rotations import Rotation, Unit
from tests.core.lint_world import ALICE, BOB, CAROL, HOURS, PEOPLE, WEEKS, YEAR, make_facts, shift, wall

ADD, REMOVE, REPLACE = OverrideKind.ADD, OverrideKind.REMOVE, OverrideKind.REPLACE


def claims(facts):
    return list_claims(facts.schedule, YEAR, frozenset())


def overlaps(facts):
    return list(find_overlaps(facts, claims(facts)))


def hidden(facts):
    return [(one.text, one.place.area, one.place.id) for one in find_hidden(facts, claims(facts), span=YEAR)]


def idle(facts, away=frozenset()):
    return [one.place.id for one in find_idle_overrides(facts, span=YEAR, away=away)]


@pytest.mark.parametrize(
    ("first", "second", "minutes"),
    [
        ((18, 32), (31, 42), 60),
        ((18, 32), (32, 42), None),  # a hand-off
        ((18, 32), (30, 42), 120),
        ((18, 32), (29.5, 42), None),  # so long is a plan
        ((18, 32), (20, 21), None),  # an hour within is help
        ((18, 32), (18, 19), None),
    ],
)
def test_two_people_for_a_short_time_at_the_edge_of_their_shifts_look_unintended(first, second, minutes):
    shifts = [
        shift(who, *(wall(11, 4, hour) for hour in hours), id=who) for who, hours in ((BOB, first), (CAROL, second))
    ]
    found = overlaps(make_facts(shifts=tuple(shifts)))
    assert len(found) == bool(minutes)
    for one in found:
        assert one.span.ends_at - one.span.starts_at == timedelta(minutes=minutes)
        assert (one.kind, one.severity, one.people) == (Kind.OVERLAP, Severity.INFO, (BOB, CAROL))
        assert one.text.startswith("Bob and Carol are both on call for ")
        assert one.text.endswith("at the edge of their shifts.")


def test_the_overlap_of_the_doubled_hour_is_intended():
    odd = wall(10, 31, 2.5, year=2027)
    shifts = (shift(BOB, odd - timedelta(days=1), odd), shift(CAROL, odd, odd + timedelta(days=1), id=2))
    assert overlaps(make_facts(shifts=shifts)) == []


def test_rotations_that_meet_overlap_on_their_own_level_only():
    both = [
        Rotation(1, (BOB,), wall(11, 4, 18), week=parse_week({"wed": "18-8"})),
        Rotation(2, (CAROL,), wall(11, 5, 7), week=parse_week({"thu": "7-18"})),
    ]
    found = overlaps(make_facts(rotations=tuple(both)))
    assert len(found) == 52
    assert found[0].text.endswith("Thu 5 Nov 2026 08:00, where two rotations meet.")
    above = Rotation(2, (CAROL,), wall(11, 5, 7), week=parse_week({"thu": "7-18"}), level=1)
    assert overlaps(make_facts(rotations=(both[0], above))) == []


def test_one_person_with_two_shifts_at_a_time_is_told_and_within_their_own_turn_not():
    shifts = (shift(BOB, wall(11, 4), wall(11, 6)), shift(BOB, wall(11, 5), wall(11, 7), id=2))
    (found,) = overlaps(make_facts(shifts=shifts))
    assert found.text == "Bob has two shifts from Thu 5 Nov 2026 00:00 to Fri 6 Nov 2026 00:00."
    assert overlaps(make_facts(shifts=shifts[:1], rotations=(WEEKS,))) == []


def test_a_shift_that_a_higher_level_covers_never_comes_into_play():
    low, high = shift(BOB, wall(11, 4), wall(11, 6)), shift(CAROL, wall(11, 3), wall(11, 7), id=2, level=1)
    assert hidden(make_facts(shifts=(low, high))) == [
        ("The shift of Bob from Wed 4 Nov 2026 00:00 to Fri 6 Nov 2026 00:00 never comes into play: a higher level "
         "covers all of it.", "shift", 1)
    ]  # fmt: skip
    parts = (
        shift(CAROL, wall(11, 3), wall(11, 5), id=2, level=1),
        shift(ALICE, wall(11, 5), wall(11, 7), id=3, level=2),
    )
    assert [one[1:] for one in hidden(make_facts(shifts=(low, *parts)))] == [("shift", 1)]
    assert hidden(make_facts(shifts=(low, shift(CAROL, wall(11, 4), wall(11, 5, 23), id=2, level=1)))) == []


def test_a_rotation_counts_as_hidden_only_when_none_of_its_turns_comes_into_play():
    days = Rotation(1, (BOB, CAROL), wall(11, 2, 9), Unit.DAY)
    always = Rotation(2, (ALICE,), wall(11, 1), level=1)
    (found,) = hidden(make_facts(rotations=(days, always), rotations_named={1: "Days"}))
    assert found[0].startswith("The rotation “Days” never comes into play in the next twelve months")
    ends = Rotation(2, (ALICE,), wall(11, 1), level=1, ends=wall(6, 1, year=2027))
    assert hidden(make_facts(rotations=(days, ends))) == []


def test_exceptions_without_which_the_same_people_would_be_on_call_change_nothing():
    week = wall(11, 3), wall(11, 4)
    overrides = (
        Override(1, ADD, *week, BOB),  # he is already
        Override(2, REMOVE, *week, CAROL),  # she is not
        Override(3, REPLACE, *week, ALICE, CAROL),  # who does not come up
        Override(4, ADD, *week, ALICE),
        Override(5, REPLACE, wall(11, 10), wall(11, 11), ALICE, CAROL),
        Override(6, ADD, wall(10, 1), wall(10, 2), ALICE),  # over
    )
    assert idle(make_facts(rotations=(WEEKS,), overrides=overrides)) == [1, 2, 3]


def test_an_exception_that_a_later_one_undoes_changes_nothing_and_half_a_change_is_one():
    overrides = (
        Override(1, ADD, wall(11, 3), wall(11, 4), CAROL),
        Override(2, REMOVE, wall(11, 3), wall(11, 4), CAROL),
        Override(3, ADD, wall(11, 9, 8), wall(11, 9, 10), CAROL),
    )
    assert idle(make_facts(rotations=(WEEKS,), overrides=overrides)) == [1]


def test_holidays_levels_and_shifts_around_are_seen_when_exceptions_are_compared():
    everyone = HolidayDuty(1, wall(12, 25).date(), HolidayPolicy.EVERYONE)
    facts = make_facts(
        rotations=(WEEKS,),
        holidays=(everyone,),
        shifts=(shift(CAROL, wall(11, 4), wall(11, 5), level=1),),
        overrides=(
            Override(1, ADD, wall(12, 25), wall(12, 26), CAROL),  # everyone is
            Override(2, ADD, wall(11, 4, 3), wall(11, 4, 6), CAROL),  # her shift
            Override(3, ADD, wall(11, 4, 3), wall(11, 4, 6), BOB),
        ),
    )
    assert idle(facts) == [1, 2]


def test_exceptions_of_people_who_are_away_are_another_finding():
    facts = make_facts(
        rotations=(WEEKS,), overrides=(Override(1, ADD, wall(11, 3), wall(11, 4), ALICE),), gone=(ALICE,)
    )
    assert idle(facts, away=frozenset({ALICE})) == []


def test_what_is_said_to_change_nothing_changes_nothing_and_all_else_something():
    """Held against the roster of the whole time, with every exception around."""
    schedule = make_schedule()
    span = Interval(datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 2, 20, tzinfo=UTC))
    schedule = replace(schedule, overrides=schedule.overrides[:26])
    facts = LintFacts(schedule, HOURS, PEOPLE)
    said = {one.place.id for one in find_idle_overrides(facts, span=span, away=frozenset())}
    before = people_at(schedule, span)
    for override in schedule.overrides:
        without = replace(schedule, overrides=tuple(one for one in schedule.overrides if one is not override))
        assert (people_at(without, span) == before) == (override.id in said), override
    assert 0 < len(said) < len(schedule.overrides)


def people_at(schedule, span):
    """Who is on call at each quarter of an hour."""
    found = {}
    for duty in make_roster(schedule, span):
        first, last = ((at - span.starts_at) // timedelta(minutes=15) for at in (duty.starts_at, duty.ends_at))
        for number in range(first, last):
            found.setdefault(number, set()).add(duty.person_id)
    return found

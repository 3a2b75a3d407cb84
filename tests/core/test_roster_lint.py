from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.findings import Kind, Limits, PhoneState, Severity, Worker
from portal.core.intervals import Interval
from portal.core.roster import HolidayDuty, HolidayPolicy, Override, OverrideKind, make_roster
from portal.core.roster_lint import AHEAD, find_holidays, find_people, lint_roster
from portal.core.rotations import Rotation
from tests.core.lint_world import (
    ALICE,
    BOB,
    CAROL,
    MALLORY,
    NOW,
    WEEKS,
    YEAR,
    make_facts,
    shift,
    wall,
    with_phone,
)


def people(facts):
    away = frozenset(one.person_id for one in facts.schedule.absences)
    found = find_people(facts, make_roster(facts.schedule, YEAR), now=NOW, away=away)
    return [(one.kind, one.severity, one.text, one.place.id) for one in found]


def test_a_roster_in_order_has_only_the_nights_of_the_clock_to_tell():
    assert {one.kind for one in lint_roster(make_facts(rotations=(WEEKS,)), now=NOW)} == {Kind.CLOCK}


def test_everything_that_is_found_comes_in_order_of_time():
    facts = make_facts(
        rotations=(WEEKS, Rotation(2, (MALLORY,), wall(11, 2))),
        shifts=(shift(BOB, wall(11, 20), wall(11, 20, 12)), shift(BOB, wall(11, 20, 6), wall(11, 20, 18), id=2)),
        overrides=(Override(1, OverrideKind.ADD, wall(11, 3), wall(11, 4), BOB),),
        gone=(MALLORY,),
        people=with_phone(CAROL, PhoneState.NONE),
        proposals=((date(2026, 12, 25), "Christmas Day"),),
        limits=Limits(hours=100),
    )
    found = lint_roster(facts, now=NOW)
    assert {one.kind for one in found} == set(Kind) - {Kind.ENDS, Kind.GAP, Kind.HIDDEN}
    assert [one.span.starts_at for one in found] == sorted(one.span.starts_at for one in found)


def test_what_is_over_or_further_than_a_year_is_not_told():
    far = NOW + AHEAD + timedelta(days=9)
    overrides = (Override(1, OverrideKind.ADD, far.replace(tzinfo=None), wall(12, 31, year=2028), BOB),)
    past = (shift(BOB, wall(10, 20), wall(10, 21)), shift(BOB, wall(10, 20), wall(10, 21, 2), id=2))
    found = lint_roster(make_facts(rotations=(WEEKS,), overrides=overrides, shifts=past), now=NOW)
    assert {one.kind for one in found} == {Kind.CLOCK}


@pytest.mark.parametrize(
    ("state", "severity", "words"),
    [
        (PhoneState.NONE, Severity.BAD, "has no phone number."),
        (PhoneState.STOPPED, Severity.BAD, "has a phone that refuses our texts, since its owner texted STOP."),
        (PhoneState.UNPROVEN, Severity.INFO, "has never answered a page; a test page would show that it reaches them."),
    ],
)
def test_people_on_the_roster_without_a_ready_phone_are_named_once(state, severity, words):
    facts = make_facts(rotations=(WEEKS,), people=with_phone(BOB, state))
    text = f"Bob is on call from Mon 2 Nov 2026 09:00 and {words}"
    assert people(facts) == [(Kind.PHONE, severity, text, BOB)]


def test_the_phone_of_somebody_who_is_not_on_the_roster_does_not_matter():
    assert people(make_facts(rotations=(WEEKS,), people=with_phone(ALICE, PhoneState.NONE))) == []


def test_people_who_left_are_named_with_all_that_still_names_them():
    facts = make_facts(
        rotations=(Rotation(1, (BOB, MALLORY), wall(11, 2, 9)), Rotation(2, (MALLORY,), wall(9, 1), ends=wall(10, 1))),
        shifts=(shift(MALLORY, wall(11, 5), wall(11, 6)), shift(MALLORY, wall(10, 5), wall(10, 6), id=2)),
        overrides=(
            Override(1, OverrideKind.ADD, wall(11, 7), wall(11, 8), MALLORY),
            Override(2, OverrideKind.REPLACE, wall(11, 9), wall(11, 10), BOB, MALLORY),
        ),
        holidays=(HolidayDuty(1, date(2026, 12, 25), HolidayPolicy.PERSON, MALLORY),),
        gone=(MALLORY,),
    )
    words = "1 shift, 1 rotation, 2 exceptions and 1 holiday"
    text = f"Mallory is disabled and still named in {words}. None of it counts."
    assert people(facts) == [(Kind.GONE, Severity.WARN, text, MALLORY)]
    others = (HolidayDuty(1, date(2026, 12, 25), HolidayPolicy.PERSON, BOB),)
    assert people(make_facts(rotations=(WEEKS,), holidays=others, gone=(MALLORY,))) == []


def test_somebody_whose_role_is_not_put_on_call_any_more_is_named():
    facts = make_facts(rotations=(WEEKS,), people={BOB: Worker("Bob", may_be_on_call=False)})
    (found,) = people(facts)
    assert found[0] is Kind.GONE
    assert found[2].endswith("though people of that role are not put on call any more.")


def test_a_rotation_in_which_everybody_left_is_a_rotation_of_nobody():
    left = Rotation(1, (MALLORY, CAROL), wall(11, 20))
    found = people(make_facts(rotations=(left,), gone=(MALLORY, CAROL), rotations_named={1: "Nights"}))
    text = "The rotation “Nights” has nobody left: everybody in it is disabled."
    assert (Kind.NOBODY, Severity.WARN, text, 1) in found
    assert Kind.NOBODY not in [one[0] for one in people(make_facts(rotations=(left,), gone=(MALLORY,)))]


def test_undecided_holidays_within_twelve_months_are_told():
    proposals = ((date(2026, 12, 25), "Christmas Day"), (date(2027, 12, 25), "Christmas Day"))
    (found,) = find_holidays(make_facts(proposals=proposals), span=YEAR)
    assert found.text == (
        "Christmas Day on Fri 25 Dec 2026 is proposed, and nobody has decided whether the shop is closed."
    )
    assert (found.kind, found.place.area, found.place.on) == (Kind.HOLIDAY, "holidays", date(2026, 12, 25))


def test_proposals_of_the_first_and_the_last_day_count():
    days = [date(2026, 11, day) for day in (1, 2)] + [date(2027, 11, day) for day in (2, 3)]
    found = find_holidays(make_facts(proposals=tuple((day, "Off") for day in days)), span=YEAR)
    assert [one.place.on for one in found] == days[1:3]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
@pytest.mark.parametrize("hour", [0, 8, 16, 23])
def test_what_is_to_be_decided_is_a_day_of_the_schedules_clock(zone, hour):
    now = datetime(2026, 11, 2, hour, 30, tzinfo=ZoneInfo(zone))
    facts = make_facts(year_to_review=2026)
    facts = replace(facts, schedule=replace(facts.schedule, zone=ZoneInfo(zone)))
    (found,) = find_holidays(facts, span=Interval(now, now + AHEAD))
    assert now in found.span


def test_a_year_nobody_looked_through_is_told_unless_its_proposals_say_so_already():
    (found,) = find_holidays(make_facts(year_to_review=2027), span=YEAR)
    assert (found.text, found.place.on) == ("Nobody has looked through the holidays of 2027 yet.", date(2027, 1, 1))
    (found,) = find_holidays(make_facts(year_to_review=2026), span=YEAR)
    assert found.place.on == date(2026, 11, 2)
    proposals = ((date(2027, 1, 1), "New Year"),)
    (found,) = find_holidays(make_facts(year_to_review=2027, proposals=proposals), span=YEAR)
    assert found.text.startswith("New Year")

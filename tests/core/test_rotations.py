from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from portal.core.calendars import WEEKDAYS, Week, parse_week
from portal.core.errors import DomainError
from portal.core.rotations import (
    Rotation,
    Turn,
    Unit,
    closed_periods,
    hand_off,
    list_turns,
    next_hand_off,
    reach_back,
    takes_two_turns,
    turn_begins,
    turn_number,
)

ALICE, BOB, CAROL = 1, 2, 3
NIGHTS = parse_week(dict.fromkeys(WEEKDAYS, "18-8"))


def wall(month: int, day: int, hour: float = 0) -> datetime:
    return datetime(2026, month, day) + timedelta(hours=hour)


def turns(rotation: Rotation, starts: datetime, ends: datetime, **options) -> list[tuple[int, str, str]]:
    found = list_turns(rotation, starts, ends, **options)
    return [(turn.person_id, f"{turn.starts:%m-%d %H:%M}", f"{turn.ends:%m-%d %H:%M}") for turn in found]


def test_weekly_turns_change_at_the_weekday_and_time_of_the_first():
    rotation = Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 8))
    assert turns(rotation, wall(11, 10), wall(11, 24)) == [
        (BOB, "11-09 08:00", "11-16 08:00"),
        (CAROL, "11-16 08:00", "11-23 08:00"),
        (ALICE, "11-23 08:00", "11-30 08:00"),
    ]


@pytest.mark.parametrize(
    ("unit", "every", "hand_offs"),
    [
        (Unit.HOUR, 12, ["01-31 08:00", "01-31 20:00", "02-01 08:00"]),
        (Unit.DAY, 1, ["01-31 08:00", "02-01 08:00", "02-02 08:00"]),
        (Unit.WEEK, 2, ["01-31 08:00", "02-14 08:00", "02-28 08:00"]),
        (Unit.MONTH, 1, ["01-31 08:00", "02-28 08:00", "03-31 08:00", "04-30 08:00"]),
        (Unit.MONTH, 11, ["01-31 08:00", "12-31 08:00", "11-30 08:00"]),
    ],
)
def test_hand_offs_keep_their_time_of_day_and_the_last_day_of_a_short_month(unit, every, hand_offs):
    rotation = Rotation(1, (ALICE,), wall(1, 31, 8), unit, every)
    assert [f"{hand_off(rotation, number):%m-%d %H:%M}" for number in range(len(hand_offs))] == hand_offs


@pytest.mark.parametrize("day", range(1, 29))
@pytest.mark.parametrize("every", [1, 2, 3])
def test_each_instant_of_a_monthly_rotation_belongs_to_one_turn(day, every):
    rotation = Rotation(1, (ALICE, BOB, CAROL), wall(1, 31, 8), Unit.MONTH, every)
    at = wall(2, day, 7.5)
    (turn,) = list_turns(rotation, at, at + timedelta(minutes=1))
    assert turn.starts <= at < turn.ends and turn.person_id == ALICE


@pytest.mark.parametrize("by_shift", [False, True])
def test_what_was_changed_while_it_ran_counts_from_then_and_keeps_its_turns(by_shift):
    rotation = Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 18), Unit.DAY, week=NIGHTS, by_shift=by_shift)
    changed = replace(rotation, since=wall(11, 3, 20))
    assert (rotation.begins, changed.begins) == (wall(11, 2, 18), wall(11, 3, 20))
    assert turns(changed, wall(11, 1), wall(11, 5)) == [
        (BOB, "11-03 20:00", "11-04 08:00"),
        (CAROL, "11-04 18:00", "11-05 08:00"),
    ]


def test_nobody_has_a_turn_before_the_first_hand_off_or_after_the_end():
    rotation = Rotation(1, (ALICE, BOB), wall(11, 2, 8), Unit.DAY, ends=wall(11, 4))
    assert turns(rotation, wall(10, 1), wall(11, 2, 8)) == turns(rotation, wall(11, 4), wall(12, 1)) == []
    assert turns(rotation, wall(10, 1), wall(12, 1)) == [
        (ALICE, "11-02 08:00", "11-03 08:00"),
        (BOB, "11-03 08:00", "11-04 00:00"),
    ]


def test_within_a_turn_only_the_periods_of_the_week_count_cut_at_the_hand_off():
    rotation = Rotation(1, (ALICE, BOB), wall(11, 2, 20), Unit.DAY, 2, week=NIGHTS)
    assert turns(rotation, wall(11, 2), wall(11, 6)) == [
        (ALICE, "11-02 20:00", "11-03 08:00"),
        (ALICE, "11-03 18:00", "11-04 08:00"),
        (ALICE, "11-04 18:00", "11-04 20:00"),
        (BOB, "11-04 20:00", "11-05 08:00"),
        (BOB, "11-05 18:00", "11-06 08:00"),
    ]


def test_a_period_that_began_the_evening_before_is_seen_the_morning_after():
    rotation = Rotation(1, (ALICE,), wall(11, 2), week=NIGHTS)
    assert turns(rotation, wall(11, 5, 3), wall(11, 5, 4)) == [(ALICE, "11-04 18:00", "11-05 08:00")]


def test_turns_by_shift_go_from_one_active_period_to_the_next():
    weekdays = parse_week({"mon": "18-8", "wed": "18-8", "fri": ["6-8", "18-8"]})
    rotation = Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 18), week=weekdays, by_shift=True)
    expected = [
        (ALICE, "11-02 18:00", "11-03 08:00"),
        (BOB, "11-04 18:00", "11-05 08:00"),
        (CAROL, "11-06 06:00", "11-06 08:00"),
        (ALICE, "11-06 18:00", "11-07 08:00"),
        (BOB, "11-09 18:00", "11-10 08:00"),
    ]
    assert turns(rotation, wall(10, 1), wall(11, 10)) == expected
    assert turns(rotation, wall(11, 6, 7), wall(11, 9)) == expected[2:4]


def test_a_shift_that_runs_when_the_rotation_begins_is_not_its_first():
    rotation = Rotation(1, (ALICE, BOB), wall(11, 2, 19), week=NIGHTS, by_shift=True)
    assert turns(rotation, wall(11, 2), wall(11, 4)) == [(ALICE, "11-03 18:00", "11-04 08:00")]


def test_several_shifts_may_make_a_turn():
    rotation = Rotation(1, (ALICE, BOB), wall(11, 2, 18), every=2, week=NIGHTS, by_shift=True)
    assert [turn.person_id for turn in list_turns(rotation, wall(11, 2), wall(11, 8))] == [
        ALICE,
        ALICE,
        BOB,
        BOB,
        ALICE,
        ALICE,
    ]


def test_the_turn_of_somebody_who_left_falls_to_the_next_and_all_others_stay():
    rotation = Rotation(1, (ALICE, BOB, CAROL), wall(11, 2), Unit.DAY)

    def people(*away: int) -> list[int]:
        return [turn.person_id for turn in list_turns(rotation, wall(11, 2), wall(11, 8), away=away)]

    assert people() == [ALICE, BOB, CAROL, ALICE, BOB, CAROL]
    assert people(BOB) == [ALICE, CAROL, CAROL, ALICE, CAROL, CAROL]
    assert people(BOB, CAROL) == [ALICE] * 6
    assert people(ALICE, BOB, CAROL) == []


def test_a_rotation_of_many_years_is_found_without_walking_there():
    rotation = Rotation(1, (ALICE, BOB), datetime(2001, 1, 1), Unit.HOUR)
    assert list_turns(rotation, wall(11, 2), wall(11, 2, 1)) == (Turn(ALICE, wall(11, 2), wall(11, 2, 1)),)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"people": ()}, "Nobody takes turns here. Add at least one person."),
        ({"every": 0}, "between 1 and 366"),
        ({"every": 367}, "between 1 and 366"),
        ({"ends": wall(11, 2)}, "ends before it starts"),
        ({"week": Week()}, "at least one period"),
        ({"by_shift": True}, "need the periods"),
    ],
)
def test_a_rotation_that_makes_no_sense_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(DomainError, match=sentence):
        Rotation(**{"id": 1, "people": (ALICE,), "starts": wall(11, 2), **changes})


BY_NIGHT = Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 8), every=2, week=NIGHTS, by_shift=True)


@pytest.mark.parametrize(
    ("rotation", "at", "number"),
    [
        (Rotation(1, (ALICE, BOB), wall(11, 2, 8)), wall(11, 9, 8), 1),
        (Rotation(1, (ALICE, BOB), wall(11, 2, 8)), wall(11, 9, 7), 0),
        (Rotation(1, (ALICE, BOB), wall(11, 2, 8)), wall(11, 1), -1),
        (Rotation(1, (ALICE, BOB), wall(3, 31), Unit.MONTH), wall(3, 30), -1),
        (Rotation(1, (ALICE, BOB), wall(3, 31), Unit.MONTH), wall(2, 27), -2),
        (BY_NIGHT, wall(11, 2, 18), 0),
        (BY_NIGHT, wall(11, 4, 17), 0),
        (BY_NIGHT, wall(11, 4, 18), 1),
        (BY_NIGHT, wall(11, 2, 17), -1),
    ],
)
def test_every_minute_lies_in_one_numbered_turn(rotation, at, number):
    assert turn_number(rotation, at) == number
    assert turn_begins(rotation, number) <= at < turn_begins(rotation, number + 1)


@pytest.mark.parametrize(
    ("rotation", "at", "found"),
    [
        (Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 8)), wall(11, 10), (wall(11, 16, 8), (CAROL, ALICE, BOB))),
        (Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 8)), wall(11, 9, 8), (wall(11, 9, 8), (BOB, CAROL, ALICE))),
        (Rotation(1, (ALICE, BOB), wall(11, 2, 8)), wall(10, 1), (wall(11, 2, 8), (ALICE, BOB))),
        (Rotation(1, (ALICE, BOB), wall(1, 31), Unit.MONTH), wall(2, 2), (wall(3, 31), (ALICE, BOB))),
        (Rotation(1, (BOB,), datetime(2024, 2, 29), Unit.MONTH, 11), wall(2, 2), (wall(11, 29), (BOB,))),
        (BY_NIGHT, wall(11, 3), (wall(11, 4, 18), (BOB, CAROL, ALICE))),
    ],
)
def test_the_next_hand_off_comes_with_those_whose_turn_it_is_from_then_on(rotation, at, found):
    assert next_hand_off(rotation, at) == found


@pytest.mark.parametrize(
    "rotation",
    [
        Rotation(1, (ALICE, BOB, CAROL), wall(11, 30, 8)),
        Rotation(1, (ALICE, BOB, CAROL), wall(12, 31), Unit.MONTH),
        replace(BY_NIGHT, starts=wall(11, 25)),
    ],
)
def test_turns_counted_from_further_back_are_the_same_turns(rotation):
    further = reach_back(rotation, wall(11, 10))
    assert turn_begins(further, 0) <= wall(11, 10)
    assert reach_back(further, wall(11, 10)) is further
    later = (wall(12, 1), wall(12, 20))
    before = [turn for turn in list_turns(rotation, *later) if turn.starts >= rotation.starts]
    assert [turn for turn in list_turns(further, *later) if turn.starts >= rotation.starts] == before


WEEKLY = Rotation(1, (ALICE, BOB, CAROL), wall(11, 2, 8))


@pytest.mark.parametrize(
    ("new", "at", "person"),
    [
        (Rotation(0, (ALICE, BOB), wall(11, 9, 8)), wall(11, 9, 8), ALICE),
        (Rotation(0, (BOB, CAROL, ALICE), wall(11, 9, 8)), wall(11, 9, 8), None),
        (replace(WEEKLY, since=wall(11, 5)), wall(11, 5), None),
        (Rotation(0, (ALICE, BOB), wall(11, 4, 8), since=wall(11, 5)), wall(11, 5), ALICE),
        (Rotation(0, (BOB, CAROL), wall(11, 5), since=wall(11, 5)), wall(11, 5), None),
        (Rotation(0, (ALICE,), wall(11, 9, 8)), wall(11, 9, 8), None),
        (Rotation(0, (ALICE, BOB), wall(11, 20)), wall(11, 9, 8), None),
    ],
)
def test_who_would_have_two_turns_in_a_row_by_a_change_is_told(new, at, person):
    assert takes_two_turns(WEEKLY, new, at) == person


def test_one_who_stopped_long_ago_has_no_turns_in_a_row():
    assert (
        takes_two_turns(replace(WEEKLY, ends=wall(11, 6)), Rotation(0, (ALICE, BOB), wall(11, 9)), wall(11, 9)) is None
    )


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ({}, dict.fromkeys(WEEKDAYS, "00-24")),
        (dict.fromkeys(WEEKDAYS, "00-24"), {}),
        (dict.fromkeys(WEEKDAYS, "8-12,13-18"), dict.fromkeys(WEEKDAYS, "12-13,18-8")),
        (
            dict.fromkeys(WEEKDAYS[:5], "8-18"),
            dict.fromkeys(WEEKDAYS[:4], "18-8") | {"fri": "18-24", "sat": "00-24", "sun": "00-24", "mon": "00-8,18-8"},
        ),
        ({"sun": "22-2"}, {"mon": "2-24"} | dict.fromkeys(WEEKDAYS[1:6], "00-24") | {"sun": "00-22"}),
    ],
)
def test_closed_periods_are_what_the_open_ones_leave(opened, closed):
    assert closed_periods(parse_week(opened)) == parse_week(closed)

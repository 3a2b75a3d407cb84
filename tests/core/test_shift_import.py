"""Which shifts a calendar file stands for, and what that changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.errors import DomainError
from portal.core.ical_read import ReadEvent
from portal.core.shift_import import (
    Candidate,
    ImportPlan,
    KnownShift,
    describe_import,
    event_key,
    find_people,
    make_shift,
    plan_import,
)
from portal.core.shifts import Shift
from portal.core.wallclock import interval_of

BERLIN = ZoneInfo("Europe/Berlin")
ALICE, BOB, CAROL, ANN, ANN_LEE, SAM, OTHER_SAM = range(1, 8)
NAMES = ("Alice", "Bob", "Carol", "Ann", "Ann Lee", "Sam", "Sam")
PEOPLE = [Candidate(n, name, f"{name.lower().replace(' ', '.')}{n}@a.example") for n, name in enumerate(NAMES, start=1)]
STARTS = datetime(2026, 11, 20, 21, tzinfo=UTC)
EVENT = ReadEvent("u1", "", "Bob", "", STARTS, STARTS + timedelta(hours=8))
NOW = datetime(2026, 11, 15, 12)


def shift(person=BOB, starts="2026-11-20 22:00", ends="2026-11-21 06:00", id=0):
    return Shift(id, person, datetime.fromisoformat(starts), datetime.fromisoformat(ends), note="Bob")


def plan(*events, known=(), wall=NOW, cancelled=()):
    return plan_import(events, zone=BERLIN, candidates=PEOPLE, known=known, wall=wall, cancelled=cancelled)


@pytest.mark.parametrize(
    ("changes", "people"),
    [
        ({"people": ("carol3@a.example",)}, [CAROL]),  # who is invited, whatever the title says
        ({"people": ("alice1@a.example", "carol3@a.example"), "organizer": "alice1@a.example"}, [CAROL]),
        ({"people": ("alice1@a.example", "carol3@a.example")}, [ALICE, CAROL]),
        ({"people": ("alice1@a.example",), "organizer": "alice1@a.example"}, [ALICE]),
        ({"people": ("x@b.example", "carol3@a.example")}, [CAROL]),
        ({"people": ("CAROL",)}, [CAROL]),  # invited without an address
        ({"people": ("x@b.example",)}, [BOB]),
        ({"summary": "On call: bob (night)"}, [BOB]),
        ({"summary": "on-call BOB2@a.example!"}, [BOB]),
        ({"summary": "Bob & Carol"}, [BOB, CAROL]),
        ({"summary": "On call: Bob, Carol and Alice"}, [ALICE, BOB, CAROL]),
        ({"summary": "Ann Lee"}, [ANN_LEE]),
        ({"summary": "Ann"}, [ANN]),
        ({"summary": "Night", "description": "Phone: Carol"}, [CAROL]),
        ({"summary": "Night", "organizer": "alice1@a.example"}, [ALICE]),
        ({"summary": "sam6@a.example"}, [SAM]),
    ],
)
def test_who_is_meant_stands_in_the_event(changes, people):
    assert sorted(find_people(replace(EVENT, **changes), PEOPLE)) == people


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"summary": "Night"}, "names nobody who works here"),
        ({"summary": "Bobby and Scarol"}, "names nobody who works here"),
        ({"summary": "Night", "people": ("x@b.example",)}, "invites x@b.example, and nobody here is that"),
        ({"summary": "Bob instead of Carol"}, "names several people, and it is not clear who is on call"),
        ({"summary": "Sam"}, "names sam, and 2 people here are called that"),
    ],
)
def test_nothing_is_guessed(changes, words):
    with pytest.raises(DomainError, match=words):
        find_people(replace(EVENT, **changes), PEOPLE)


@pytest.mark.parametrize("text", ["a@", "a", "a.", "@", "a@b.c", "."])
def test_a_text_as_long_as_a_file_is_read_in_no_time(text):
    long = replace(EVENT, summary=f"{text * 200_000} bob2@a.example")
    assert find_people(long, PEOPLE) == (BOB,)


def test_a_shift_is_what_the_clock_of_the_schedule_shows_in_whole_minutes():
    assert make_shift(EVENT, BOB, zone=BERLIN) == shift()
    odd = replace(EVENT, starts_at=STARTS + timedelta(seconds=30), ends_at=STARTS + timedelta(seconds=3599))
    assert make_shift(odd, BOB, zone=BERLIN) == shift(ends="2026-11-20 23:00")


@pytest.mark.parametrize(("first", "last"), [("00:30", "01:30"), ("00:45", "01:15"), ("00:59", "01:00")])
def test_an_event_within_a_doubled_hour_is_held_by_its_shift(first, last):
    starts, ends = (datetime.fromisoformat(f"2026-10-25T{text}+00:00") for text in (first, last))
    made = make_shift(replace(EVENT, starts_at=starts, ends_at=ends), BOB, zone=BERLIN)
    held = interval_of(made.starts, made.ends, zone=BERLIN)
    assert held.starts_at == starts and ends <= held.ends_at <= ends + timedelta(hours=1)


def test_a_key_fits_its_column_and_tells_occurrences_apart():
    assert event_key(EVENT) == "u1"
    assert event_key(replace(EVENT, occurrence="20261120")) == "u1/20261120"
    long = [event_key(replace(EVENT, uid="x" * 400, occurrence=day)) for day in ("20261120", "20261121")]
    assert len(set(long)) == 2 and max(map(len, long)) <= 300


def test_a_new_event_adds_its_shifts_once():
    doubled = replace(EVENT, uid="u2")
    both = replace(EVENT, uid="u3", summary="Bob, Carol", occurrence="20261120", starts_at=STARTS + timedelta(hours=1))
    made = plan(EVENT, doubled, both)
    assert made.added == (
        ("u1", shift()),
        ("u3/20261120", replace(shift(BOB, "2026-11-20 23:00"), note="Bob, Carol")),
        ("u3/20261120", replace(shift(CAROL, "2026-11-20 23:00"), note="Bob, Carol")),
    )
    assert (made.kept, made.faults) == (1, ())
    by_hand = plan(EVENT, known=[KnownShift(shift(id=9), "")])
    assert (by_hand.added, by_hand.kept) == ((), 1)


def test_history_is_taken_in_once():
    assert plan(EVENT, wall=OVER).added == (("u1", shift()),)
    assert plan(EVENT, known=[KnownShift(shift(CAROL, id=9), "u1")], wall=OVER).kept == 1


RUNNING = datetime(2026, 11, 21, 1)
OVER = datetime(2026, 11, 21, 6)


@pytest.mark.parametrize(
    ("wall", "stands", "changes", "becomes"),
    [
        (NOW, shift(id=9), {}, None),
        (NOW, shift(id=9), {"ends_at": STARTS + timedelta(hours=9)}, shift(ends="2026-11-21 07:00", id=9)),
        (NOW, shift(id=9), {"summary": "Carol"}, replace(shift(CAROL, id=9), note="Carol")),
        # While it runs, what has been stays: only its rest may change.
        (RUNNING, shift(id=9), {"starts_at": STARTS + timedelta(hours=1)}, None),
        (RUNNING, shift(starts="2026-11-21 00:10", id=9), {}, None),
        (RUNNING, shift(id=9), {"ends_at": STARTS + timedelta(hours=9)}, shift(ends="2026-11-21 07:00", id=9)),
        (RUNNING, shift(starts="2026-11-21 02:00", id=9), {}, shift(starts="2026-11-21 01:00", id=9)),
        (OVER, shift(id=9), {"summary": "Carol"}, None),
    ],
)
def test_a_changed_event_changes_its_shift_and_never_the_past(wall, stands, changes, becomes):
    made = plan(replace(EVENT, **changes), known=[KnownShift(stands, "u1")], wall=wall)
    assert made.changed == (((stands, becomes),) if becomes else ())
    assert (made.added, made.removed, made.missing) == ((), (), ())
    assert made.kept == (0 if becomes else 1)


def test_people_join_and_leave_an_event():
    two = replace(EVENT, summary="Bob, Carol")
    known = [KnownShift(shift(id=9), "u1")]
    assert [one.person_id for _, one in plan(two, known=known).added] == [CAROL]
    known.append(KnownShift(shift(CAROL, id=10), "u1"))
    assert plan(EVENT, known=known).removed == (shift(CAROL, id=10),)


def test_a_new_event_does_not_count_on_a_shift_that_is_moved_away():
    later, new = replace(EVENT, ends_at=STARTS + timedelta(hours=9)), replace(EVENT, uid="u2")
    known = [KnownShift(shift(id=9), "u1")]
    for events in ((later, new), (new, later)):
        made = plan(*events, known=known)
        assert (made.added, made.kept) == ((("u2", shift()),), 0)
    assert plan(EVENT, new, known=known).kept == 2


def test_who_stands_where_another_goes_moves_first_and_a_circle_stays_one():
    day = [replace(shift(id=9), starts=NOW + timedelta(n), ends=NOW + timedelta(n, hours=1)) for n in range(4)]
    known = [KnownShift(replace(one, id=n + 1), f"u{n}") for n, one in enumerate(day[:3])]

    def moved(*places):
        at = [day[place].starts.replace(tzinfo=BERLIN) for place in places]
        events = [replace(EVENT, uid=f"u{n}", starts_at=t, ends_at=t + timedelta(hours=1)) for n, t in enumerate(at)]
        return [before.id for before, _ in plan(*events, known=known).changed]

    assert (moved(1, 2, 3), moved(0, 3, 1)) == ([3, 2, 1], [2, 3])
    assert sorted(moved(1, 2, 0)) == [1, 2, 3]


def test_what_is_not_in_the_file_any_more_is_told_and_stays():
    known = [
        KnownShift(shift(id=9), "gone"),
        KnownShift(shift(CAROL, id=10), ""),
        KnownShift(shift(ALICE, id=11), "u1"),
    ]
    made = plan(replace(EVENT, summary="Alice"), known=known)
    assert (made.missing, made.removed) == ((shift(id=9),), ())
    assert plan(known=known, wall=OVER).missing == ()


@pytest.mark.parametrize(
    ("cancelled", "removed"),
    [(("u1", ""), [1, 2, 3]), (("u1", "20261120"), [2]), (("u1", "20261120T1800"), [3]), (("u", ""), [])],
)
def test_what_the_file_cancels_ends_from_now_on(cancelled, removed):
    keys = {1: "u1", 2: "u1/20261120", 3: "u1/20261120T1800", 4: "u2"}
    known = [KnownShift(shift(id=n), key) for n, key in keys.items()]
    made = plan(known=known, cancelled=[cancelled])
    assert [one.id for one in made.removed] == removed and len(made.missing) == 4 - len(removed)
    assert plan(known=known, cancelled=[cancelled], wall=OVER).removed == ()


def test_an_event_that_is_no_shift_is_a_sentence_and_its_shift_stays():
    made = plan(
        replace(EVENT, summary=""),
        replace(EVENT, uid="u2", ends_at=STARTS),
        known=[KnownShift(shift(id=9), "u1")],
    )
    assert made.faults == (
        "“Without a name” on 20 November 2026 at 22:00 names nobody who works here.",
        "“Bob” on 20 November 2026 at 22:00 cannot be a shift: "
        "The shift has no length: it ends at the minute it starts.",
    )
    assert made.missing == ()


def test_the_plan_is_one_sentence():
    assert describe_import(ImportPlan()) == "Shifts: 0 added."
    assert describe_import(ImportPlan(missing=(shift(),))).endswith(" 1 to come is not in the file any more and stays.")
    full = ImportPlan((("k", shift()),), ((shift(), shift()),), (shift(),), 4, missing=(shift(), shift()))
    assert describe_import(full) == (
        "Shifts: 1 added, 1 changed, 1 removed, 4 already there. 2 to come are not in the file any more and stay."
    )

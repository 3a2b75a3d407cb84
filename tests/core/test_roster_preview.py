from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, Week, parse_week
from portal.core.intervals import Interval
from portal.core.roster import Override, OverrideKind, Schedule
from portal.core.roster_preview import fingerprint_of, name_people, preview_roster, whole_days
from portal.core.shifts import Shift

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL = 2, 3
CLOSED = BusinessHours(BERLIN, Week())


def wall(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour)


def at(day: int, hour: int) -> datetime:
    """An hour on Berlin's wall in winter."""
    return datetime(2026, 11, day, hour, tzinfo=UTC) - timedelta(hours=1)


BOBS = Schedule(BERLIN, (Shift(1, BOB, wall(27, 18), wall(28, 8)),))
SPAN = whole_days(wall(27, 18), wall(28, 8), zone=BERLIN)


def shown(after: Schedule, hours: BusinessHours = CLOSED, before: Schedule = BOBS):
    return preview_roster(before, after, SPAN, hours=hours)


def test_the_days_of_a_time_are_whole_and_end_at_midnight():
    assert whole_days(wall(27, 18), wall(28, 8), zone=BERLIN) == Interval(at(27, 0), at(29, 0))
    assert whole_days(wall(27, 18), wall(28, 0), zone=BERLIN) == Interval(at(27, 0), at(28, 0))


def test_both_rosters_are_cut_where_one_of_them_changes():
    stands_in = Override(1, OverrideKind.REPLACE, wall(27, 22), wall(28, 2), CAROL, BOB)
    preview = shown(replace(BOBS, overrides=(stands_in,)))
    assert [(one.held.starts_at, one.before, one.after) for one in preview.stretches] == [
        (at(27, 0), (), ()),
        (at(27, 18), (BOB,), (BOB,)),
        (at(27, 22), (BOB,), (CAROL,)),
        (at(28, 2), (BOB,), (BOB,)),
        (at(28, 8), (), ()),
    ]
    assert preview.changes_something
    assert not preview.gaps


def test_only_the_time_that_loses_its_last_person_is_a_new_gap():
    takes_out = Override(1, OverrideKind.REMOVE, wall(27, 12), wall(28, 2), BOB)
    preview = shown(replace(BOBS, overrides=(takes_out,)))
    assert preview.gaps == (Interval(at(27, 18), at(28, 2)),)
    opened = BusinessHours(BERLIN, parse_week({"fri": "08:00-20:00"}))
    assert shown(replace(BOBS, overrides=(takes_out,)), opened).gaps == (Interval(at(27, 20), at(28, 2)),)


def test_what_changes_nothing_is_said_so():
    nothing = Override(1, OverrideKind.REPLACE, wall(27, 22), wall(28, 2), BOB, CAROL)
    assert not shown(replace(BOBS, overrides=(nothing,))).changes_something


def test_a_person_who_follows_themselves_is_no_change():
    again = replace(BOBS, shifts=(*BOBS.shifts, Shift(2, BOB, wall(28, 8), wall(28, 20))))
    assert [one.held.ends_at for one in shown(again, before=again).stretches] == [at(27, 18), at(28, 20), at(29, 0)]


def test_the_fingerprint_tells_what_stands_and_not_what_is_planned():
    plan = replace(BOBS, overrides=(Override(1, OverrideKind.ADD, wall(27, 22), wall(28, 2), CAROL),))
    stands = fingerprint_of(shown(plan), hours=CLOSED)
    assert stands == fingerprint_of(shown(BOBS), hours=CLOSED)
    assert stands != fingerprint_of(shown(BOBS, before=plan), hours=CLOSED)
    opened = BusinessHours(BERLIN, parse_week({"fri": "08:00-20:00"}))
    assert stands != fingerprint_of(shown(plan, opened), hours=opened)


def test_people_are_named_in_a_sentence():
    names = {1: "Alice", BOB: "Bob", CAROL: "Carol"}
    assert name_people((1, BOB, CAROL), names) == "Alice, Bob and Carol"
    assert name_people((BOB,), names) == "Bob"
    assert name_people((), names) == "Nobody"

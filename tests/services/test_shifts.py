from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.models import AuditEvent, ShiftRow
from portal.services.audit import Change
from portal.services.shifts import (
    StoredShift,
    add_shift,
    edit_shift,
    find_shift,
    last_shift_change,
    remove_shift,
    repeat_shift,
    undo_shift_change,
)
from tests.services.roster_world import CAROL, MALLORY, NOW, add_shop, disable, night, persons, read, write
from tests.services.ticket_world import BOB


@pytest.fixture
def shop(database):
    return add_shop(database)


def test_a_shift_is_added_edited_and_removed_and_each_leaves_a_trace(shop):
    shift_id = write(shop, add_shift, night(BOB, 23, "Bring the key"))
    stored = read(shop, find_shift, shift_id)
    assert stored.shift == replace(night(BOB, 23, "Bring the key"), id=shift_id)
    write(shop, edit_shift, StoredShift(replace(stored.shift, person_id=CAROL), stored.version))
    assert read(shop, find_shift, shift_id).shift.person_id == CAROL
    write(shop, remove_shift, shift_id)
    assert read(shop, find_shift, shift_id) is None
    with shop.read_session() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [(event.action, event.subject) for event in events] == [
            ("shift.add", "Bob"),
            ("shift.edit", "Carol"),
            ("shift.remove", "Carol"),
        ]
        assert events[1].data["before"] == {
            "person_id": BOB, "starts": "2026-11-23 18:00", "ends": "2026-11-24 08:00", "note": "Bring the key"
        }  # fmt: skip


def test_of_two_people_who_edit_one_shift_the_later_is_told(shop):
    stored = read(shop, find_shift, write(shop, add_shift, night(BOB, 23)))
    write(shop, edit_shift, StoredShift(replace(stored.shift, note="first"), stored.version))
    with pytest.raises(DomainError, match="Somebody else changed this shift"):
        write(shop, edit_shift, StoredShift(replace(stored.shift, note="second"), stored.version))
    assert read(shop, find_shift, stored.shift.id).shift.note == "first"


@pytest.mark.parametrize("person_id", [MALLORY, 99])
def test_only_people_who_can_be_woken_get_a_shift(shop, person_id):
    with pytest.raises(DomainError, match="cannot be on call"):
        write(shop, add_shift, night(person_id, 23))


def test_a_disabled_person_gets_no_shift(shop):
    disable(shop, BOB)
    with pytest.raises(DomainError, match="cannot be on call"):
        write(shop, add_shift, night(BOB, 23))


def test_the_very_same_shift_is_not_added_twice(shop):
    first = write(shop, add_shift, night(BOB, 23))
    with pytest.raises(DomainError, match="Bob has this very shift already"):
        write(shop, add_shift, night(BOB, 23))
    other = write(shop, add_shift, night(BOB, 24))
    with pytest.raises(DomainError, match="has this very shift already"):
        write(shop, edit_shift, StoredShift(replace(night(BOB, 23), id=other), 1))
    write(shop, edit_shift, StoredShift(replace(night(BOB, 23), id=first, note="again"), 1))


def test_a_shift_that_is_gone_cannot_be_changed(shop):
    with pytest.raises(DomainError, match="This shift is gone"):
        write(shop, remove_shift, 99)
    with pytest.raises(DomainError, match="This shift is gone"):
        write(shop, edit_shift, StoredShift(replace(night(BOB, 23), id=99), 1))


def test_a_shift_that_is_over_stays_as_it_was(shop):
    over = write(shop, add_shift, night(BOB, 18))
    with pytest.raises(DomainError, match="This shift is over"):
        write(shop, remove_shift, over)
    with pytest.raises(DomainError, match="This shift is over"):
        write(shop, edit_shift, StoredShift(replace(night(CAROL, 18), id=over), 1))


def test_taking_out_a_shift_that_has_begun_ends_it_now(shop):
    running = write(shop, add_shift, Shift(0, BOB, datetime(2026, 11, 20, 8), datetime(2026, 11, 21, 8)))
    write(shop, remove_shift, running)
    assert read(shop, find_shift, running).shift.ends == datetime(2026, 11, 20, 12)
    assert persons(shop, 2026, 11, 20, 10, 59) == [BOB]
    assert persons(shop, 2026, 11, 20, 11) == []


def test_giving_a_shift_that_has_begun_to_somebody_else_leaves_what_has_been(shop):
    running = write(shop, add_shift, Shift(0, BOB, datetime(2026, 11, 20, 8), datetime(2026, 11, 21, 8)))
    given = Shift(running, CAROL, datetime(2026, 11, 20, 8), datetime(2026, 11, 21, 8))
    write(shop, edit_shift, StoredShift(given, 1))
    assert [persons(shop, 2026, 11, 20, hour) for hour in (10, 11, 23)] == [[BOB], [CAROL], [CAROL]]


def test_a_shift_that_has_begun_may_last_longer_or_shorter_without_being_cut(shop):
    running = write(shop, add_shift, Shift(0, BOB, datetime(2026, 11, 20, 8), datetime(2026, 11, 21, 8)))
    longer = Shift(running, BOB, datetime(2026, 11, 20, 8), datetime(2026, 11, 21, 20), "longer")
    write(shop, edit_shift, StoredShift(longer, 1))
    assert read(shop, find_shift, running).shift == longer


def undo(database, *, minutes: int = 0, event_id: int | None = None) -> None:
    with database.unit_of_work() as uow:
        last = last_shift_change(uow.session, None)
        undo_shift_change(uow, event_id or last.id, change=Change(None, NOW + timedelta(minutes=minutes)))


def rows(database) -> list[tuple]:
    with database.read_session() as session:
        found = session.scalars(select(ShiftRow).order_by(ShiftRow.id))
        return [(row.user_id, f"{row.starts:%d %H:%M}", f"{row.ends:%d %H:%M}", row.note) for row in found]


RUNNING = Shift(0, BOB, datetime(2026, 11, 20, 8), datetime(2026, 11, 21, 8), "day")


def test_a_shift_is_repeated_week_by_week_and_undone_as_one(shop):
    write(shop, repeat_shift, night(BOB, 23), weeks=2)
    assert [row[1] for row in rows(shop)] == ["23 18:00", "30 18:00", "07 18:00"]
    undo(shop)
    assert rows(shop) == []
    with pytest.raises(DomainError, match="at most 52 weeks"):
        write(shop, repeat_shift, night(BOB, 23), weeks=53)


def test_an_edit_is_undone(shop):
    stored = read(shop, find_shift, write(shop, add_shift, night(BOB, 23, "key")))
    before = rows(shop)
    write(shop, edit_shift, StoredShift(replace(night(CAROL, 24), id=stored.shift.id), 1))
    assert rows(shop) != before
    undo(shop)
    assert rows(shop) == before


def test_a_removal_is_undone(shop):
    shift_id = write(shop, add_shift, night(BOB, 23, "key"))
    before = rows(shop)
    write(shop, remove_shift, shift_id)
    undo(shop)
    assert rows(shop) == before


def test_undoing_gives_back_what_is_to_come_and_no_minute_that_has_been(shop):
    running = write(shop, add_shift, RUNNING)
    write(shop, remove_shift, running)
    undo(shop, minutes=5)
    assert rows(shop) == [(BOB, "20 08:00", "20 12:00", "day"), (BOB, "20 12:05", "21 08:00", "day")]


def test_a_running_shift_given_away_comes_back_from_now_on(shop):
    running = write(shop, add_shift, RUNNING)
    write(shop, edit_shift, StoredShift(replace(RUNNING, id=running, person_id=CAROL), 1))
    undo(shop, minutes=5)
    assert [row[:3] for row in rows(shop)] == [
        (BOB, "20 08:00", "20 12:00"), (CAROL, "20 12:00", "20 12:05"), (BOB, "20 12:05", "21 08:00"),
    ]  # fmt: skip


def test_undoing_the_addition_of_a_shift_that_runs_ends_it_now(shop):
    write(shop, add_shift, RUNNING)
    undo(shop, minutes=5)
    assert rows(shop) == [(BOB, "20 08:00", "20 12:05", "day")]


def test_an_undo_is_undone_by_the_next(shop):
    write(shop, add_shift, night(BOB, 23))
    before = rows(shop)
    undo(shop)
    undo(shop)
    assert rows(shop) == before


def test_only_the_last_change_is_undone_and_only_while_nobody_else_changed_it(shop):
    shift_id = write(shop, add_shift, night(BOB, 23))
    with shop.read_session() as session:
        first = last_shift_change(session, None).id
    with shop.unit_of_work() as uow:
        edit_shift(uow, StoredShift(replace(night(CAROL, 23), id=shift_id), 1), change=Change(1, NOW))
    with pytest.raises(DomainError, match="Somebody else changed this shift"):
        undo(shop)
    write(shop, add_shift, night(BOB, 25))
    with pytest.raises(DomainError, match="only your last change"):
        undo(shop, event_id=first)


def test_a_removal_is_not_undone_when_its_time_is_over(shop):
    write(shop, remove_shift, write(shop, add_shift, RUNNING))
    with pytest.raises(DomainError, match="This shift is over"):
        undo(shop, minutes=24 * 60)


def test_a_removal_of_what_somebody_else_changed_meanwhile_is_told(shop):
    shift_id = write(shop, add_shift, night(BOB, 23))
    with pytest.raises(DomainError, match="Somebody else changed this shift"):
        write(shop, remove_shift, shift_id, version=2)


def test_a_shift_to_come_that_is_moved_into_the_past_begins_now(shop):
    shift_id = write(shop, add_shift, night(BOB, 23))
    write(shop, edit_shift, StoredShift(replace(RUNNING, id=shift_id), 1))
    assert rows(shop) == [(BOB, "20 12:00", "21 08:00", "day")]


@pytest.mark.parametrize("shift", [RUNNING, night(BOB, 23)])
def test_no_shift_is_changed_to_end_before_now(shop, shift):
    shift_id = write(shop, add_shift, shift)
    over = Shift(shift_id, CAROL, datetime(2026, 11, 19, 8), datetime(2026, 11, 20, 11))
    with pytest.raises(DomainError, match="It would end before now"):
        write(shop, edit_shift, StoredShift(over, 1))


def test_nobody_else_gets_a_shift_that_ends_this_minute(shop):
    shift_id = write(shop, add_shift, RUNNING)
    over = replace(RUNNING, id=shift_id, person_id=CAROL, ends=datetime(2026, 11, 20, 12))
    with shop.unit_of_work() as uow:
        with pytest.raises(DomainError, match="It would end before now"):
            edit_shift(uow, StoredShift(over, 1), change=Change(None, NOW))
        assert not uow.session.new and not uow.session.dirty

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.oncall import Shift
from portal.models import AuditEvent, Phone, User
from portal.services.audit import Change
from portal.services.oncall import (
    Member,
    StoredShift,
    add_shift,
    edit_shift,
    find_shift,
    list_members,
    load_shifts,
    on_call_at,
    people_on_call_at,
    remove_shift,
)
from tests.services.ticket_world import ALICE, BOB

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
CAROL, MALLORY = 3, 4


@pytest.fixture
def shop(database):
    """Alice and Bob, Carol, and Mallory who only looks. Bob has a phone, Carol's does not want texts any more."""
    with database.unit_of_work() as uow:
        for user_id, name, role in ((CAROL, "Carol", "technician"), (MALLORY, "Mallory", "viewer")):
            email = f"{name.lower()}@a.example"
            uow.session.add(User(id=user_id, email=email, name=name, role=role, created_at=NOW))
        uow.session.flush()
        uow.session.add(Phone(user_id=BOB, number="+4915111111111"))
        uow.session.add(Phone(user_id=CAROL, number="+4915122222222", is_stopped=True))
    return database


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


def disable(database, user_id):
    with database.unit_of_work() as uow:
        uow.session.get(User, user_id).is_active = False


def night(person_id: int, day: int, note: str = "") -> Shift:
    return Shift(0, person_id, datetime(2026, 11, day, 18), datetime(2026, 11, day + 1, 8), note)


def persons(database, *at: int) -> list[int]:
    return [duty.person_id for duty in read(database, on_call_at, datetime(*at, tzinfo=UTC), zone=BERLIN)]


def test_who_is_on_call_follows_the_wall_clock_of_the_site(shop):
    write(shop, add_shift, night(BOB, 23))
    assert persons(shop, 2026, 11, 23, 16, 59) == []
    assert persons(shop, 2026, 11, 23, 17) == [BOB]
    assert persons(shop, 2026, 11, 24, 6, 59) == [BOB]
    assert persons(shop, 2026, 11, 24, 7) == []


def test_the_same_answer_comes_with_names(shop):
    write(shop, add_shift, night(BOB, 23))
    ((duty, name),) = read(shop, people_on_call_at, datetime(2026, 11, 23, 22, tzinfo=UTC), zone=BERLIN)
    assert (duty.person_id, name) == (BOB, "Bob")


def test_a_shift_of_many_weeks_counts_in_its_middle(shop):
    write(shop, add_shift, Shift(0, BOB, datetime(2026, 1, 1), datetime(2026, 12, 31)))
    assert persons(shop, 2026, 7, 1) == [BOB]


def test_a_disabled_person_is_not_on_call(shop):
    write(shop, add_shift, night(BOB, 23))
    write(shop, add_shift, night(CAROL, 23))
    disable(shop, BOB)
    assert persons(shop, 2026, 11, 23, 22) == [CAROL]


def test_shifts_of_a_disabled_person_are_loaded_only_when_asked_for(shop):
    shift_id = write(shop, add_shift, night(BOB, 23))
    disable(shop, BOB)
    window = {"starts": datetime(2026, 11, 1), "ends": datetime(2026, 12, 1)}
    assert read(shop, load_shifts, **window) == []
    assert [shift.id for shift in read(shop, load_shifts, **window, with_disabled=True)] == [shift_id]


def test_shifts_are_loaded_where_they_touch_the_time_asked_for(shop):
    for day in (22, 23, 24):
        write(shop, add_shift, night(BOB, day))
    found = read(shop, load_shifts, starts=datetime(2026, 11, 23, 8), ends=datetime(2026, 11, 24, 18))
    assert [shift.starts.day for shift in found] == [23]


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


def test_members_are_those_who_can_be_on_call_with_the_state_of_their_phone(shop):
    assert read(shop, list_members) == [
        Member(ALICE, "Alice", is_active=True, has_phone=False),
        Member(BOB, "Bob", is_active=True, has_phone=True),
        Member(CAROL, "Carol", is_active=True, has_phone=False),
    ]


def test_a_disabled_person_is_listed_only_while_shifts_stand_in_their_name(shop):
    write(shop, add_shift, night(BOB, 23))
    for user_id in (BOB, CAROL):
        disable(shop, user_id)
    assert [(member.name, member.is_active) for member in read(shop, list_members)] == [("Alice", True), ("Bob", False)]

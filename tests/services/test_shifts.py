from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.models import AuditEvent, Phone, SettingRow, User
from portal.services.audit import Change
from portal.services.schedules import on_call_at
from portal.services.shifts import StoredShift, add_shift, edit_shift, find_shift, remove_shift
from tests.services.ticket_world import BOB

NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)  # 12:00 on the wall
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
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
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
    return [duty.person_id for duty in read(database, on_call_at, datetime(*at, tzinfo=UTC))]


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

"""A shop with a roster: Alice and Bob, Carol, and Mallory who only looks. It is noon in Berlin."""

from datetime import UTC, datetime

from portal.core.shifts import Shift
from portal.models import Phone, SettingRow, User
from portal.services.audit import Change
from portal.services.schedules import on_call_at
from tests.services.ticket_world import BOB

NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)  # 12:00 on the wall
CHANGE = Change(None, NOW)
CAROL, MALLORY = 3, 4


def add_shop(database):
    """Bob has a phone, Carol's does not want texts any more."""
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

"""Shifts out of a calendar file, in the database."""

from datetime import UTC, datetime

import pytest

from portal.core.errors import DomainError
from portal.models import AuditEvent, ScheduleRow, SettingRow, ShiftRow, User
from portal.services.audit import Change
from portal.services.schedules import on_call_at
from portal.services.shift_import import import_shifts, plan_shift_import
from tests.calendar_files import GOOGLE, OUTLOOK, calendar_file
from tests.services.paging_world import rows
from tests.services.ticket_world import ALICE, BOB, counted_statements

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
CAROL = 3


@pytest.fixture
def shop(database):
    with database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).email = "bob@a.example"
        uow.session.get_one(User, ALICE).email = "alice@a.example"
        uow.session.add(User(id=CAROL, email="carol@a.example", name="Carol", role="technician", created_at=NOW))
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
    return database


def take_in(database, data, *, now=NOW, **keywords):
    with database.unit_of_work() as uow:
        return import_shifts(uow, data, change=Change(ALICE, now), **keywords).plan


def counts(plan):
    return len(plan.added), len(plan.changed), len(plan.removed), plan.kept, len(plan.missing)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def names(database, text):
    with database.read_session() as session:
        return sorted(duty.person_id for duty in on_call_at(session, at(text)))


@pytest.mark.parametrize("data", [GOOGLE, OUTLOOK], ids=["google", "outlook"])
def test_importing_again_adds_nothing(shop, data):
    first = take_in(shop, data)
    stand = len(rows(shop, ShiftRow))
    assert counts(first)[0] == stand > 2
    assert counts(take_in(shop, data)) == (0, 0, 0, stand, 0)
    assert [event.action for event in rows(shop, AuditEvent)].count("shift.import") == 1


def test_the_shifts_are_the_events_to_the_minute(shop):
    take_in(shop, GOOGLE)
    for text, people in [
        ("2026-10-19 19:59", []), ("2026-10-19 20:00", [BOB]), ("2026-10-20 03:59", [BOB]), ("2026-10-20 04:00", []),
        ("2026-10-26 20:59", []), ("2026-10-26 21:00", [BOB]),  # the clock changed in between
        ("2026-10-27 23:00", []), ("2026-11-02 19:00", [CAROL]), ("2026-11-23 23:00", []),
    ]:  # fmt: skip
        assert names(shop, text) == people, text


NIGHT = "UID:n1\nSUMMARY:{who}\nDTSTART:20261002T200000Z\nDTEND:20261003T060000Z"


def test_a_changed_event_changes_its_shift_and_the_past_stays(shop):
    take_in(shop, calendar_file(NIGHT.format(who="Bob")))
    halfway = at("2026-10-03 01:00")
    changed = calendar_file(NIGHT.format(who="Carol"))
    assert counts(take_in(shop, changed, now=halfway)) == (0, 1, 0, 0, 0)
    assert (names(shop, "2026-10-03 00:59"), names(shop, "2026-10-03 01:00")) == ([BOB], [CAROL])
    assert counts(take_in(shop, changed, now=halfway)) == (0, 0, 0, 1, 0)
    assert counts(take_in(shop, changed, now=at("2026-10-03 07:00"))) == (0, 0, 0, 1, 0)
    assert names(shop, "2026-10-03 00:59") == [BOB]


def test_a_vanished_event_is_told_and_its_shift_stays(shop):
    take_in(shop, calendar_file(NIGHT.format(who="Bob")))
    plan = take_in(shop, calendar_file(NIGHT.format(who="Carol").replace("n1", "n2")))
    assert counts(plan) == (1, 0, 0, 0, 1)
    assert names(shop, "2026-10-03 00:00") == [BOB, CAROL]


def test_a_cancelled_event_ends_its_shift_and_what_has_been_stays(shop):
    take_in(shop, calendar_file(NIGHT.format(who="Bob")))
    cancelled = calendar_file(f"{NIGHT.format(who='Bob')}\nSTATUS:CANCELLED")
    assert counts(take_in(shop, cancelled, now=at("2026-10-02 22:00"))) == (0, 0, 1, 0, 0)
    assert (names(shop, "2026-10-02 21:59"), names(shop, "2026-10-02 22:00")) == ([BOB], [])
    assert counts(take_in(shop, cancelled, now=at("2026-10-02 22:00"))) == (0, 0, 0, 0, 0)


def test_two_events_that_change_places_end_as_the_file_says(shop):
    other = NIGHT.replace("n1", "n2")
    take_in(shop, calendar_file(NIGHT.format(who="Bob"), other.format(who="Carol")))
    take_in(shop, calendar_file(NIGHT.format(who="Carol"), other.format(who="Bob")))
    assert names(shop, "2026-10-03 00:00") == [BOB, CAROL]


DAY = "UID:{uid}\nSUMMARY:{who}\nDTSTART:202610{day:02}T080000Z\nDTEND:202610{day:02}T180000Z"


@pytest.mark.parametrize("by", [1, -1])
def test_events_that_move_to_where_another_stood_all_arrive(shop, by):
    take_in(shop, calendar_file(*(DAY.format(uid=n, who="Bob", day=5 + n) for n in range(4))))
    plan = take_in(shop, calendar_file(*(DAY.format(uid=n, who="Bob", day=5 + n + by) for n in range(4))))
    assert counts(plan) == (0, 4, 0, 0, 0)
    assert sorted(row.starts.day for row in rows(shop, ShiftRow)) == [5 + n + by for n in range(4)]


def test_changing_many_shifts_works_the_roster_out_once(shop):
    days = range(1, 20)
    take_in(shop, calendar_file(*(DAY.format(uid=day, who="Bob", day=day) for day in days)))
    data = calendar_file(*(DAY.format(uid=day, who="Carol", day=day) for day in days))
    with shop.unit_of_work() as uow, counted_statements(uow.session) as statements:
        import_shifts(uow, data, change=Change(ALICE, datetime(2026, 9, 1, tzinfo=UTC)))
    assert sum("FROM rotation" in statement for statement in statements) <= 1


@pytest.mark.parametrize(
    ("before", "after"), [(("Bob", 5), ("Bob", 6)), (("Bob, Carol", 5), ("Carol", 5)), (("Bob", 5), ("Carol", 5))]
)
def test_a_new_event_takes_the_place_that_another_leaves(shop, before, after):
    who, day = before
    take_in(shop, calendar_file(DAY.format(uid=1, who=who, day=day)))
    who, day = after
    take_in(shop, calendar_file(DAY.format(uid=1, who=who, day=day), DAY.format(uid=2, who="Bob", day=5)))
    assert BOB in names(shop, "2026-10-05 12:00")
    assert len(rows(shop, ShiftRow)) == 2


def test_somebody_who_left_an_event_is_off_from_now_on(shop):
    take_in(shop, calendar_file(NIGHT.format(who="Bob, Carol")))
    assert counts(take_in(shop, calendar_file(NIGHT.format(who="Bob")), now=at("2026-10-02 22:00"))) == (0, 0, 1, 1, 0)
    assert (names(shop, "2026-10-02 21:59"), names(shop, "2026-10-02 22:00")) == ([BOB, CAROL], [BOB])


def test_somebody_who_cannot_be_on_call_is_nobody(shop):
    with shop.unit_of_work() as uow:
        uow.session.get_one(User, BOB).role = "viewer"
        uow.session.get_one(User, CAROL).is_active = False
    with shop.read_session() as session:
        preview = plan_shift_import(
            session, calendar_file(NIGHT.format(who="Bob"), NIGHT.format(who="Carol").replace("n1", "n2")), now=NOW
        )
    assert len(preview.faults) == 2 and preview.plan.added == ()


def test_a_preview_changes_nothing_and_is_refused_when_it_is_old(shop):
    data = calendar_file(NIGHT.format(who="Bob"))
    with shop.read_session() as session, counted_statements(session) as statements:
        preview = plan_shift_import(session, data, now=NOW)
    assert len(preview.plan.added) == 1 and preview.names[BOB] == "Bob"
    assert len(statements) <= 12
    assert rows(shop, ShiftRow) == []
    take_in(shop, calendar_file(NIGHT.format(who="Carol")), version=preview.version)
    with pytest.raises(DomainError, match="changed this schedule meanwhile"):
        take_in(shop, data, version=preview.version)


def test_a_file_of_which_nothing_can_be_read_is_one_sentence(shop):
    with pytest.raises(DomainError, match="This is not a calendar file"):
        take_in(shop, b"<html>")
    assert counts(take_in(shop, calendar_file())) == (0, 0, 0, 0, 0)


def test_what_repeats_without_end_is_read_for_two_years(shop):
    with shop.read_session() as session:
        data = calendar_file(f"{NIGHT.format(who='Bob')}\nRRULE:FREQ=WEEKLY")
        preview = plan_shift_import(session, data, now=NOW)
    assert len(preview.plan.added) == 105
    assert preview.notes == ("Event “Bob” repeats without end. It was read until 1 October 2028.",)


def test_it_goes_into_the_schedule_and_its_zone(shop):
    with shop.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=5, name="Tokyo", zone="Asia/Tokyo", changed_at=NOW, members=[]))
    take_in(shop, calendar_file(NIGHT.format(who="Bob")), schedule_id=5)
    row = rows(shop, ShiftRow)[0]
    assert (row.schedule_id, row.starts, row.uid) == (5, datetime(2026, 10, 3, 5), "n1")

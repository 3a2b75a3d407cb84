"""Who carried how much: the roster as it was, the pages of its queues, and the sheet for pay."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete

from portal.core.errors import DomainError
from portal.core.fairness import TimeKind
from portal.models import Absence, AuditEvent, Notification, Page, Queue, ScheduleRow, ShiftRow
from portal.services.audit import Change
from portal.services.fairness import Days, build_pay_sheet, check_days, load_fairness, note_pay_sheet, today_of
from portal.services.schedules import load_schedule
from tests.core.xlsx import read_xlsx
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, add_ticket, rows
from tests.services.ticket_world import counted_statements

DECEMBER = Days(date(2026, 12, 1), date(2026, 12, 31))
NIGHT, HOLIDAY, WEEKEND, OTHER = TimeKind.NIGHT, TimeKind.HOLIDAY, TimeKind.WEEKEND, TimeKind.OTHER


def load(world, days=DECEMBER, schedule_id=1):
    with world.database.read_session() as session:
        return load_fairness(session, schedule_id, days)


def loads(world, **more):
    return {one.person_id: one for one in load(world, **more).loads}


def add_page(world, *people, state="delivered", kind="ticket", taken_by=None, at=NOW, queue_id=None):
    ticket_id = add_ticket(world.database, queue_id=queue_id) if kind == "ticket" else None
    with world.database.unit_of_work() as uow:
        page = Page(kind=kind, ticket_id=ticket_id, state="resolved", opened_at=at, acknowledged_by=taken_by)
        uow.session.add(page)
        uow.session.flush()
        for person in people:
            for step in range(2):  # asked twice is one page
                uow.session.add(
                    Notification(dedupe_key=f"{page.id}:{person}:{step}", page_id=page.id, user_id=person, kind="page",
                                 number="+1", text="", state=state, created_at=at)
                )  # fmt: skip


def test_the_share_of_each_person_is_that_of_the_roster(world):
    found = load(world)
    assert [(one.person_id, one.tally.total) for one in found.loads] == [
        (BOB, timedelta(days=31)), (CAROL, timedelta(days=31)),
    ]  # fmt: skip
    assert found.loads[0].tally.hours(HOLIDAY) == 24
    assert (found.average.hours(HOLIDAY), found.calendar, found.names[BOB]) == (24, "Business hours", "Bob")


def test_time_in_which_somebody_was_away_is_not_theirs(world):
    with world.database.unit_of_work() as uow:
        gone, back = datetime(2026, 12, 10, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC)
        uow.session.add(Absence(user_id=BOB, starts_at=gone, ends_at=back))
    assert loads(world)[BOB].tally.total == timedelta(days=21)
    assert loads(world)[CAROL].tally.total == timedelta(days=31)


def test_the_night_is_the_settings(world):
    before = loads(world)[BOB].tally.hours(NIGHT)
    world.set(oncall__night_starts=0, oncall__night_ends=1)
    assert loads(world)[BOB].tally.hours(NIGHT) < before / 7


def test_pages_count_once_for_each_person_they_reached_and_for_who_took_them(world):
    add_page(world, BOB, CAROL, taken_by=BOB)
    add_page(world, BOB, state="cancelled")
    add_page(world, BOB, kind="test", taken_by=BOB)
    add_page(world, CAROL, kind="digest", taken_by=CAROL)
    add_page(world, BOB, at=NOW + timedelta(days=30), taken_by=BOB)
    add_page(world, ALICE, taken_by=None)
    assert {person: (one.rung, one.answered) for person, one in loads(world).items()} == {
        BOB: (1, 1), CAROL: (2, 1), ALICE: (1, 0),
    }  # fmt: skip


def test_pages_of_another_schedules_queue_are_its_own(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Servers", changed_at=NOW))
        uow.session.flush()
        uow.session.add(Queue(id=9, name="Racks", schedule_id=2))
    add_page(world, BOB, queue_id=9)
    assert loads(world)[BOB].rung == 0
    assert [(one.person_id, one.rung, one.tally.total) for one in load(world, schedule_id=2).loads] == [
        (BOB, 1, timedelta())
    ]
    with pytest.raises(DomainError, match="gone"):
        load(world, schedule_id=3)


def test_it_takes_three_statements_while_nothing_changes(world):
    load(world)
    with world.database.read_session() as session, counted_statements(session) as statements:
        load_fairness(session, 1, DECEMBER)
    assert len(statements) == 3


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (None, None, Days(date(2025, 12, 26), date(2026, 12, 25))),
        (date(2026, 12, 1), None, Days(date(2026, 12, 1), date(2026, 12, 25))),
        (None, date(2024, 2, 29), Days(date(2023, 3, 1), date(2024, 2, 29))),
        (date(2027, 1, 1), date(2027, 12, 31), Days(date(2027, 1, 1), date(2027, 12, 31))),
    ],
)
def test_without_days_it_is_the_twelve_months_up_to_today(first, last, days):
    assert check_days(first, last, today=date(2026, 12, 25)) == days


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 12, 2), date(2026, 12, 1), "ends before it starts"),
        (date(2020, 1, 1), date(2026, 12, 1), "at most three years"),
        (date(1900, 1, 1), date(1900, 2, 1), "between 2000 and 2199"),
        (date(9999, 1, 1), date(9999, 12, 31), "between 2000 and 2199"),
        (None, date(1, 5, 5), "between 2000 and 2199"),
    ],
)
def test_days_nobody_means_are_refused(first, last, words):
    with pytest.raises(DomainError, match=words):
        check_days(first, last, today=date(2026, 12, 25))


def test_days_are_those_of_the_schedules_clock(world):
    with world.database.read_session() as session:
        assert today_of(session, 1, now=datetime(2026, 12, 25, 23, 30, tzinfo=UTC)) == date(2026, 12, 26)
        zone = load_schedule(session).roster.zone
    span = Days(date(2026, 3, 29), date(2026, 3, 29)).span(zone)
    assert span.ends_at - span.starts_at == timedelta(hours=23)


def test_the_sheet_says_what_the_page_says_and_who_took_it_is_noted(world):
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(ShiftRow))
        uow.session.add(ShiftRow(user_id=BOB, starts=datetime(2026, 12, 24, 18), ends=datetime(2026, 12, 26, 8)))
    with world.database.read_session() as session:
        name, data = build_pay_sheet(session, 1, DECEMBER, now=NOW)
    with world.database.unit_of_work() as uow:
        note_pay_sheet(uow, 1, DECEMBER, change=Change(ALICE, NOW))
    assert name == "on-call-2026-12-01-to-2026-12-31.xlsx"
    found = read_xlsx(data)
    tally = loads(world)[BOB].tally
    assert found["Totals"][-1][2:] == [tally.hours(kind) for kind in (NIGHT, WEEKEND, HOLIDAY, OTHER)] + [0, 38]
    (event,) = [one for one in rows(world.database, AuditEvent) if one.action == "schedule.pay"]
    assert (event.actor_id, event.data) == (ALICE, {"first": "2026-12-01", "last": "2026-12-31"})

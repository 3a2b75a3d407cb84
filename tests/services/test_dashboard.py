"""The figures of the dashboard."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.models import Job, JobRun, Page, SettingRow, ShiftRow, Ticket
from portal.services import tickets
from portal.services.dashboard import load_activity, load_jobs_state, load_on_call, load_open_pages, load_open_tickets
from portal.services.tickets import Actor, NewMessage, NewTicket
from tests.services.ticket_world import ALICE, BOB, NOW, add_tickets, counted_statements, make_database, ticket_values

ZONE = ZoneInfo("Europe/Berlin")
WALL = datetime(2026, 11, 21, 3, 10)


@pytest.fixture
def database(tmp_path):
    database = make_database(tmp_path)
    yield database
    database.dispose()


def create(database, **values):
    with database.unit_of_work() as uow:
        new = NewTicket("Printer", NewMessage("request", "It burns"), "mail", 1, NOW, values)
        return tickets.create_ticket(uow, new, actor=Actor("Dana"), now=NOW)[0].id


def test_open_tickets_are_counted_by_priority_status_and_queue(database):
    for priority, queue_id in ((1, 1), (3, 1), (3, 2), (3, None)):
        create(database, priority=priority, queue_id=queue_id)
    closed = create(database, queue_id=2)
    with database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, closed)
        tickets.set_status(uow, ticket, "resolved", actor=Actor("Bob", BOB), now=NOW, resolution="Water")
    with database.read_session() as session, counted_statements(session) as seen:
        found = load_open_tickets(session)
    assert (found.total, dict(found.by_priority)) == (4, {1: 1, 2: 0, 3: 3, 4: 0})
    assert (found.by_status["new"], found.by_status["on hold"], "resolved" in found.by_status) == (4, 0, False)
    assert found.by_queue == ((1, "Desktop", 2), (0, "No queue", 1), (2, "Servers", 1))
    assert len(seen) == 1


def test_on_call_is_who_the_roster_names_at_this_minute(database):
    with database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.zone", value=f'"{ZONE.key}"'))
        uow.session.add(ShiftRow(user_id=BOB, starts=WALL - timedelta(hours=1), ends=WALL + timedelta(hours=5)))
        uow.session.add(ShiftRow(user_id=ALICE, starts=WALL + timedelta(hours=5), ends=WALL + timedelta(hours=9)))
    with database.read_session() as session:
        (person,) = load_on_call(session, now=NOW)
        assert load_on_call(session, now=NOW + timedelta(days=9)) == ()
    assert (person.name, person.ends_at) == ("Bob", NOW + timedelta(hours=5))


def test_pages_that_wait_come_before_those_that_were_taken(database):
    add_tickets(database, ticket_values(1), ticket_values(2, priority=1))
    with database.unit_of_work() as uow:
        taken = {"acknowledged_by": BOB, "acknowledged_at": NOW}
        uow.session.add(Page(kind="ticket", ticket_id=1, state="acknowledged", opened_at=NOW, **taken))
        uow.session.add(Page(kind="ticket", ticket_id=2, state="open", opened_at=NOW))
        uow.session.add(Page(kind="digest", state="open", text="3 late tickets", opened_at=NOW))
        uow.session.add(Page(kind="ticket", ticket_id=2, state="resolved", opened_at=NOW))
        uow.session.add(Page(kind="ticket", ticket_id=2, state="expired", opened_at=NOW))
        uow.session.add(Page(kind="test", state="expired", opened_at=NOW))
    with database.read_session() as session:
        pages = load_open_pages(session)
    assert [(page.state, page.subject, page.holder) for page in pages] == [
        ("open", "Ticket 2", ""),
        ("open", "3 late tickets", ""),
        ("expired", "Ticket 2", ""),
        ("acknowledged", "Ticket 1", "Bob"),
    ]
    assert [page.is_asking for page in pages] == [True, True, True, False]


def test_a_job_is_in_trouble_while_its_last_finished_run_failed(database):
    with database.unit_of_work() as uow:
        for name, is_enabled in (("a", True), ("b", False)):
            uow.session.add(Job(name=name, interval_s=60, next_at=NOW, is_enabled=is_enabled))
        for job, error in (("a", ""), ("a", "no mail server"), ("b", "broken"), ("b", "")):
            uow.session.add(JobRun(job=job, started_at=NOW, finished_at=NOW, error=error))
            uow.session.flush()
        uow.session.add(JobRun(job="a", started_at=NOW))
    with database.read_session() as session:
        state = load_jobs_state(session)
    assert (state.total, state.switched_off) == (2, 1)
    assert [(job.name, job.error) for job in state.failing] == [("a", "no mail server")]


def test_recent_activity_is_newest_first(database):
    first, second = create(database), create(database)
    with database.read_session() as session:
        assert [(event.ticket_id, event.kind, event.actor) for event in load_activity(session)] == [
            (second, "created", "Dana"),
            (first, "created", "Dana"),
        ]

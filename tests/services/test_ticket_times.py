from datetime import UTC, datetime

from sqlalchemy import select

from portal.models import Calendar, Customer, Page, PageTicket, Queue, ScheduleRow, Ticket
from portal.services.ticket_times import (
    calendar_of_queue,
    deadline_hours,
    has_deadlines_in,
    hours_of_queue,
    pages_of_schedule,
    schedule_of_queue,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICKET = {"subject": "x", "status": "new", "is_open": True, "priority": 1, "source": "mail",
          "received_at": NOW, "created_at": NOW, "changed_at": NOW}  # fmt: skip


def given_hours(uow):
    """Queue 7 goes by calendar and schedule 2, queue 8 by nothing; customer 5 by calendar 3, customer 6 by nothing."""
    for id, zone in ((2, "America/New_York"), (3, "Asia/Tokyo")):
        uow.session.add(Calendar(id=id, name=zone, zone=zone, changed_at=NOW))
    uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
    uow.session.flush()
    uow.session.add_all([Queue(id=7, name="Network", calendar_id=2, schedule_id=2), Queue(id=8, name="Desks")])
    uow.session.add_all([Customer(id=5, name="Acme", calendar_id=3), Customer(id=6, name="Bolt")])
    uow.session.flush()


WHOSE = [
    (7, 5, 3), (8, 5, 3), (None, 5, 3),  # the customer's own before all
    (7, 6, 2), (7, None, 2),  # else the queue's
    (8, 6, 1), (8, None, 1), (None, 6, 1), (None, None, 1),  # else the site's
]  # fmt: skip


def test_deadlines_count_in_the_hours_of_the_customer_else_of_the_queue_else_of_the_site(database):
    with database.unit_of_work() as uow:
        given_hours(uow)
        for id, (queue_id, customer_id, _) in enumerate(WHOSE, 1):
            uow.session.add(Ticket(id=id, queue_id=queue_id, customer_id=customer_id, **TICKET))
    zones = {1: "UTC", 2: "America/New_York", 3: "Asia/Tokyo"}
    with database.read_session() as session:
        for id, (*_, calendar_id) in enumerate(WHOSE, 1):
            assert deadline_hours(session, session.get_one(Ticket, id)).zone.key == zones[calendar_id]
        for calendar_id in zones:
            found = session.scalars(
                select(Ticket.id).where(has_deadlines_in(session, calendar_id)).order_by(Ticket.id)
            ).all()
            assert found == [id for id, (*_, whose) in enumerate(WHOSE, 1) if whose == calendar_id]


def test_a_queue_has_hours_and_a_roster_of_its_own_or_those_of_the_site(database):
    with database.unit_of_work() as uow:
        given_hours(uow)
    with database.read_session() as session:
        queues = (7, 8, 9, None)
        assert [schedule_of_queue(session, queue) for queue in queues] == [2, 1, 1, 1]
        assert [calendar_of_queue(session, queue) for queue in queues] == [2, 1, 1, 1]
        zones = ["America/New_York", "UTC", "UTC", "UTC"]
        assert [hours_of_queue(session, queue).zone.key for queue in queues] == zones


def test_a_change_of_a_customer_is_seen_within_the_same_transaction(database):
    with database.unit_of_work() as uow:
        given_hours(uow)
        ticket = Ticket(queue_id=7, customer_id=6)
        assert deadline_hours(uow.session, ticket).zone.key == "America/New_York"
        uow.session.get_one(Customer, 6).calendar_id = 3
        uow.session.flush()
        assert deadline_hours(uow.session, ticket).zone.key == "Asia/Tokyo"


def test_a_change_of_the_queue_is_seen_within_the_same_transaction(database):
    with database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
        uow.session.flush()
        assert schedule_of_queue(uow.session, 7) == 1
        uow.session.add(Queue(id=7, name="Network", schedule_id=2))
        uow.session.flush()
        assert schedule_of_queue(uow.session, 7) == 2


def test_pages_belong_to_the_schedule_of_the_queue_of_their_tickets(database):
    with database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
        uow.session.flush()
        uow.session.add_all([Queue(id=7, name="Network", schedule_id=2), Queue(id=8, name="Desks")])
        uow.session.flush()
        uow.session.add_all([Ticket(id=id, queue_id=queue, **TICKET) for id, queue in ((1, 7), (2, 8), (3, None))])
        uow.session.flush()
        page = {"state": "open", "opened_at": NOW}
        uow.session.add_all([Page(id=id, kind="ticket", ticket_id=id, **page) for id in (1, 2, 3)])
        uow.session.add_all([Page(id=4, kind="digest", **page), Page(id=5, kind="test", **page)])
        uow.session.add(Page(id=6, kind="digest", **page))
        uow.session.flush()
        uow.session.add_all([PageTicket(page_id=6, ticket_id=1), PageTicket(page_id=4, ticket_id=3)])
    with database.read_session() as session:
        for schedule_id, expected in ((1, [2, 3, 4]), (2, [1, 6])):
            query = pages_of_schedule(select(Page.id), schedule_id).order_by(Page.id)
            assert session.scalars(query).all() == expected

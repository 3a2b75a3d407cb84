from datetime import UTC, datetime

from sqlalchemy import select

from portal.models import Calendar, Page, Queue, ScheduleRow, Ticket
from portal.services.queue_times import hours_of_queue, pages_of_schedule, schedule_of_queue

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_queue_has_its_own_hours_and_roster_or_those_of_the_site(database):
    with database.unit_of_work() as uow:
        uow.session.add(Calendar(id=2, name="Network", zone="America/New_York", changed_at=NOW))
        uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
        uow.session.flush()
        own = {"calendar_id": 2, "schedule_id": 2}
        uow.session.add_all([Queue(id=7, name="Both", **own), Queue(id=8, name="Hours", calendar_id=2)])
    with database.read_session() as session:
        assert [hours_of_queue(session, queue).zone.key for queue in (7, 8, 9, None)] == [
            "America/New_York",
            "America/New_York",
            "UTC",
            "UTC",
        ]
        assert [schedule_of_queue(session, queue) for queue in (7, 8, 9, None)] == [2, 1, 1, 1]


def test_a_change_of_the_queue_is_seen_within_the_same_transaction(database):
    with database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
        uow.session.flush()
        assert schedule_of_queue(uow.session, 7) == 1
        uow.session.add(Queue(id=7, name="Network", schedule_id=2))
        uow.session.flush()
        assert schedule_of_queue(uow.session, 7) == 2


def test_pages_belong_to_the_schedule_of_the_queue_and_digests_to_the_sites(database):
    with database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
        uow.session.flush()
        uow.session.add_all([Queue(id=7, name="Network", schedule_id=2), Queue(id=8, name="Desks")])
        uow.session.flush()
        ticket = {"subject": "x", "status": "new", "is_open": True, "priority": 1, "source": "mail",
                  "received_at": NOW, "created_at": NOW, "changed_at": NOW}  # fmt: skip
        uow.session.add_all([Ticket(id=id, queue_id=queue, **ticket) for id, queue in ((1, 7), (2, 8), (3, None))])
        uow.session.flush()
        page = {"state": "open", "opened_at": NOW}
        uow.session.add_all([Page(id=id, kind="ticket", ticket_id=id, **page) for id in (1, 2, 3)])
        uow.session.add_all([Page(id=4, kind="digest", **page), Page(id=5, kind="test", **page)])
    with database.read_session() as session:
        for schedule_id, expected in ((1, [2, 3, 4]), (2, [1])):
            query = pages_of_schedule(select(Page.id), schedule_id).order_by(Page.id)
            assert session.scalars(query).all() == expected

from datetime import UTC, datetime

from portal.models import Calendar, Queue, ScheduleRow
from portal.services.queue_times import hours_of_queue, schedule_of_queue

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

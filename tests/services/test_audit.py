from datetime import UTC, datetime

from sqlalchemy import select

from portal.models import AuditEvent
from portal.services.audit import Change, record_change

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_change_is_kept_with_who_when_and_what(database):
    with database.unit_of_work() as uow:
        record_change(uow, Change(None, NOW), "hours.edit", "x" * 300, before={"mon": []})
    with database.read_session() as session:
        event = session.scalars(select(AuditEvent)).one()
        assert (event.at, event.actor_id, event.action, event.data) == (
            NOW,
            None,
            "hours.edit",
            {"before": {"mon": []}},
        )
        assert event.subject == "x" * 200


def test_a_change_that_is_not_committed_leaves_no_trace(database):
    class RefusedError(Exception):
        pass

    try:
        with database.unit_of_work() as uow:
            record_change(uow, Change(None, NOW), "hours.edit")
            raise RefusedError
    except RefusedError:
        pass
    with database.read_session() as session:
        assert session.scalars(select(AuditEvent)).all() == []

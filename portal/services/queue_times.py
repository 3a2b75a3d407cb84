"""The hours and the roster of a queue: its own where it has some, the site's otherwise."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select, func
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.models import SITE_CALENDAR, SITE_SCHEDULE, Page, Queue, Ticket
from portal.models.versions import load_site_state
from portal.services.calendars import load_hours

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


def hours_of_queue(session: Session, queue_id: int | None) -> BusinessHours:
    """When the people behind a queue are at work."""
    own = load_site_state(session).queues.get(queue_id or 0)
    return load_hours(session, (own and own.calendar_id) or SITE_CALENDAR)


def schedule_of_queue(session: Session, queue_id: int | None) -> int:
    """The id of the schedule that rings for a queue."""
    own = load_site_state(session).queues.get(queue_id or 0)
    return (own and own.schedule_id) or SITE_SCHEDULE


def pages_of_schedule(query: Query, schedule_id: int) -> Query:
    """Of a query of pages, those that ring this schedule, by the queue of their ticket; digests ring the site's. Tests
    and alarms ring none."""
    own = func.coalesce(Queue.schedule_id, SITE_SCHEDULE) == schedule_id
    joined = query.outerjoin(Ticket, Ticket.id == Page.ticket_id).outerjoin(Queue, Queue.id == Ticket.queue_id)
    return joined.where(Page.kind.in_(("ticket", "digest")), own)

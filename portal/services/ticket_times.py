"""Whose hours and whose roster count for a ticket.

When somebody is at work, and who is on call, is the business of its queue, or of the site. The hours of a customer say
in which hours its deadlines count: one that is served round the clock puts nobody at a desk at night.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.models import SITE_CALENDAR, SITE_SCHEDULE, Page, PageTicket, Queue, Ticket
from portal.models.versions import load_site_state
from portal.services.calendars import load_hours

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


def calendar_of_queue(session: Session, queue_id: int | None) -> int:
    """The id of the calendar that says when the people behind a queue are at work."""
    own = load_site_state(session).queues.get(queue_id or 0)
    return (own and own.calendar_id) or SITE_CALENDAR


def hours_of_queue(session: Session, queue_id: int | None) -> BusinessHours:
    """When the people behind a queue are at work."""
    return load_hours(session, calendar_of_queue(session, queue_id))


def deadline_hours(session: Session, ticket: Ticket) -> BusinessHours:
    """The hours in which the deadlines of a ticket count: its customer's, else those of its queue."""
    own = load_site_state(session).customers.get(ticket.customer_id or 0)
    return load_hours(session, own or calendar_of_queue(session, ticket.queue_id))


def has_deadlines_in(session: Session, calendar_id: int) -> ColumnElement[bool]:
    """Of a query of tickets, those whose deadlines count in the hours of this calendar."""
    state = load_site_state(session)
    customers, queues = state.customers, {key: one.calendar_id for key, one in state.queues.items() if one.calendar_id}
    has_none = or_(Ticket.customer_id.is_(None), Ticket.customer_id.not_in(customers))
    by_queue: ColumnElement[bool] = Ticket.queue_id.in_([key for key, one in queues.items() if one == calendar_id])
    if calendar_id == SITE_CALENDAR:
        by_queue = or_(Ticket.queue_id.is_(None), Ticket.queue_id.not_in(queues))
    return or_(
        Ticket.customer_id.in_([key for key, one in customers.items() if one == calendar_id]), and_(has_none, by_queue)
    )


def schedule_of_queue(session: Session, queue_id: int | None) -> int:
    """The id of the schedule that rings for a queue."""
    own = load_site_state(session).queues.get(queue_id or 0)
    return (own and own.schedule_id) or SITE_SCHEDULE


def pages_of_schedule(query: Query, schedule_id: int) -> Query:
    """Of a query of pages, those that ring this schedule, by the queue of their ticket; all tickets of a digest have
    the same. Tests and alarms ring none."""
    first = select(func.min(PageTicket.ticket_id)).where(PageTicket.page_id == Page.id).correlate(Page)
    own = func.coalesce(Queue.schedule_id, SITE_SCHEDULE) == schedule_id
    joined = query.outerjoin(Ticket, Ticket.id == func.coalesce(Page.ticket_id, first.scalar_subquery()))
    joined = joined.outerjoin(Queue, Queue.id == Ticket.queue_id)
    return joined.where(Page.kind.in_(("ticket", "digest")), own)

"""Whose hours and whose roster count for a ticket: the hours of its customer, its queue or the site; the roster of its
queue or the site."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.models import SITE_CALENDAR, SITE_SCHEDULE, Page, PageTicket, Queue, Ticket
from portal.models.versions import load_site_state
from portal.services.calendars import load_hours

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


def calendar_of(session: Session, *, queue_id: int | None, customer_id: int | None) -> int:
    """The id of the calendar that a ticket of this queue and customer goes by."""
    state = load_site_state(session)
    queue = state.queues.get(queue_id or 0)
    return state.customers.get(customer_id or 0) or (queue and queue.calendar_id) or SITE_CALENDAR


def hours_of_ticket(session: Session, ticket: Ticket) -> BusinessHours:
    """The business hours that a ticket goes by."""
    return load_hours(session, calendar_of(session, queue_id=ticket.queue_id, customer_id=ticket.customer_id))


def goes_by(session: Session, calendar_id: int) -> ColumnElement[bool]:
    """Of a query of tickets, those that go by this calendar."""
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

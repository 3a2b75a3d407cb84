"""Deadlines of tickets, worked out when asked: nothing is stored that a changed calendar could make wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.core.sla import ResponseDeadline, plan_response
from portal.core.tickets import PRIORITIES
from portal.models import Ticket
from portal.services.calendars import load_hours
from portal.services.settings import load_settings
from portal.services.ticket_times import deadline_hours, has_deadlines_in

MOST = 1000  # open tickets a preview looks at

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MovedDeadline:
    """A ticket whose first answer would be due at another time. None: without a deadline."""

    ticket_id: int
    subject: str
    priority: int
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True)
class MovedDeadlines:
    """Those that would move, the soonest first; `is_cut`: only the newest MOST tickets were looked at."""

    tickets: tuple[MovedDeadline, ...] = ()
    is_cut: bool = False


def load_targets(session: Session) -> dict[int, int]:
    """What the shop has set: minutes of working time by priority, 0 for no deadline."""
    settings = load_settings(session)
    return {priority: getattr(settings, f"sla_answer_p{priority}") for priority in PRIORITIES}


def response_deadline(session: Session, ticket: Ticket) -> ResponseDeadline | None:
    """When the first answer of a ticket is or was due; None where it has no deadline. No statement of its own while no
    calendar changes. A broken calendar must not take the ticket's page with it: then there is none, and the log says
    why."""
    if ticket.is_imported:
        return None
    try:
        return _plan(ticket, load_targets(session), deadline_hours(session, ticket))
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("a deadline could not be worked out", ticket_id=ticket.id)
        return None


def load_moved_deadlines(session: Session, after: BusinessHours, *, calendar_id: int, now: datetime) -> MovedDeadlines:
    """Which first answers that are still to come would be due at another time if a calendar were that of `after`."""
    waits = (Ticket.is_open, Ticket.first_response_at.is_(None), Ticket.is_imported.is_(False))
    query = (
        select(Ticket).where(*waits, has_deadlines_in(session, calendar_id)).order_by(Ticket.id.desc()).limit(MOST + 1)
    )
    tickets = session.scalars(query).all()
    return MovedDeadlines(
        tuple(_moved(session, tickets[:MOST], load_hours(session, calendar_id), after, now=now)), len(tickets) > MOST
    )


def _moved(
    session: Session, tickets: Iterable[Ticket], before: BusinessHours, after: BusinessHours, *, now: datetime
) -> list[MovedDeadline]:
    targets, found = load_targets(session), []
    for ticket in tickets:
        was, becomes = _plan(ticket, targets, before), _plan(ticket, targets, after)
        ends = [one.due_at for one in (was, becomes) if one]
        if was != becomes and max(ends) > now:
            due = [one.due_at if one else None for one in (was, becomes)]
            found.append(MovedDeadline(ticket.id, ticket.subject, ticket.priority, *due))
    return sorted(found, key=lambda one: (one.before or one.after or now, one.ticket_id))


def _plan(ticket: Ticket, targets: Mapping[int, int], hours: BusinessHours) -> ResponseDeadline | None:
    return plan_response(
        ticket.received_at,
        priority=ticket.priority,
        targets=targets,
        hours=hours,
        answered_at=ticket.first_response_at,
    )

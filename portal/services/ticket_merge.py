"""Two tickets that are one: merged, taken apart again, or said to be two.

The messages of a merged ticket stay where they are, and the page of the ticket it went into shows them among its own.
So nothing is moved, and taking apart moves nothing back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.tickets import CLOSED, OPEN, format_number, is_open_status
from portal.models import Message, Requester, Ticket, TicketCopy, TicketEvent, UnitOfWork, User
from portal.services.merged import current_ticket
from portal.services.page_endings import end_ticket_pages
from portal.services.paging_rules import load_paging_rules
from portal.services.settings import load_settings
from portal.services.tickets import NOTE, Actor, count_ticket, record_event, set_status, sort_ticket


def merge_ticket(uow: UnitOfWork, ticket: Ticket, into_id: int, *, actor: Actor, now: datetime) -> Ticket:
    """Put a ticket into another, which is open then if either was. Its pages end, its requester is copied on answers,
    mail for it goes to the other. Returns the other: where `into_id` itself was merged, the end of that chain.

    Raises DomainError with a sentence for the person who asked.
    """
    target = _target(uow.session, ticket, into_id)
    was = _remember(uow.session, ticket, target)
    was_open = ticket.is_open
    _set_end(uow.session, ticket, CLOSED, closed_at=now, now=now)
    ticket.merged_into_id, ticket.maybe_of_id, ticket.maybe_reason = target.id, None, ""
    if target.maybe_of_id == ticket.id:
        target.maybe_of_id, target.maybe_reason = None, ""
    for other in _merged_rows(uow.session, was["carried"]):
        other.merged_into_id = target.id
    uow.session.add_all(TicketCopy(ticket_id=target.id, address=one, at=now) for one in was["copies"])
    target.changed_at, target.version = now, target.version + 1
    record_event(uow, ticket, "merged", actor=actor, now=now, other=target.id, was=was)
    record_event(uow, target, "merged_here", actor=actor, now=now, other=ticket.id)
    if was_open:
        sort_ticket(uow, target, actor=actor, now=now, priority=min(ticket.priority, target.priority))
        if not target.is_open:
            set_status(uow, target, OPEN, actor=actor, now=now)
    by = uow.session.get(User, actor.user_id) if actor.user_id else None
    end_ticket_pages(uow, ticket.id, by=by, rules=load_paging_rules(uow.session, now=now))
    return target


def unmerge_ticket(uow: UnitOfWork, ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Take a merged ticket out again, with the status it had. Pages that ended stay ended.

    Raises DomainError when something was said since: nobody can tell to which of the two it belongs.
    """
    session = uow.session
    target = session.get(Ticket, ticket.merged_into_id) if ticket.merged_into_id else None
    event = _last_event(session, ticket, "merged")
    if target is None or event is None:
        raise DomainError("This ticket is not part of another.")
    was = event.data["was"]
    said = _said_since(session, target, was["last_message"])
    if said:
        number = _number(session, target.id)
        what = "A message" if said == 1 else f"{said} messages"
        raise DomainError(
            f"{what} came to {number} since they were merged, and may belong to either. "
            "Copy what matters into a new ticket instead."
        )
    closed_at = datetime.fromisoformat(was["closed_at"]) if was["closed_at"] else None
    ticket.merged_into_id = None
    _set_end(session, ticket, was["status"], closed_at=closed_at, now=now)
    for other in _merged_rows(session, was["carried"]):
        other.merged_into_id = ticket.id
    gone = (TicketCopy.ticket_id == target.id, TicketCopy.address.in_(was["copies"]))
    session.execute(delete(TicketCopy).where(*gone))
    target.changed_at, target.version = now, target.version + 1
    record_event(uow, ticket, "unmerged", actor=actor, now=now, other=target.id)
    record_event(uow, target, "unmerged", actor=actor, now=now, other=ticket.id)


def accept_suggestion(uow: UnitOfWork, ticket: Ticket, *, actor: Actor, now: datetime) -> Ticket:
    """ "It does belong there": merge into the ticket that it was offered for. Raises DomainError when that was decided
    already."""
    if ticket.maybe_of_id is None:
        raise DomainError("This was decided already.")
    return merge_ticket(uow, ticket, ticket.maybe_of_id, actor=actor, now=now)


def refuse_suggestion(uow: UnitOfWork, ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """ "They are two": not offered again. Twice is once."""
    if ticket.maybe_of_id is None:
        return
    record_event(uow, ticket, "kept_apart", actor=actor, now=now, other=ticket.maybe_of_id)
    ticket.maybe_of_id, ticket.maybe_reason = None, ""
    ticket.version += 1


def _target(session: Session, ticket: Ticket, into_id: int) -> Ticket:
    if ticket.merged_into_id is not None:
        raise DomainError(f"This ticket is part of {_number(session, ticket.merged_into_id)} already.")
    named = session.get(Ticket, into_id) if 0 < into_id < 2**53 else None
    if named is None:
        raise DomainError(f"There is no ticket {_number(session, into_id)}.")
    target = current_ticket(session, named)
    if target.id == ticket.id:
        same = "A ticket cannot be merged into itself."
        raise DomainError(same if into_id == ticket.id else f"{_number(session, into_id)} is part of this one already.")
    return target


def _remember(session: Session, ticket: Ticket, target: Ticket) -> dict[str, Any]:
    """What taking apart needs to know."""
    last = session.scalar(select(func.max(Message.id)).where(Message.ticket_id == target.id))
    return {
        "status": ticket.status,
        "closed_at": ticket.closed_at.isoformat() if ticket.closed_at else "",
        "last_message": last or 0,
        "carried": list(session.scalars(select(Ticket.id).where(Ticket.merged_into_id == ticket.id))),
        "copies": _new_copies(session, ticket, target),
    }


def _new_copies(session: Session, ticket: Ticket, target: Ticket) -> list[str]:
    """Who takes part in the ticket and not yet in the other: its requester, unless a machine wrote it, and whom they
    copied."""
    requester = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    other = session.get(Requester, target.requester_id) if target.requester_id else None
    wanted = [requester.email] if requester and not ticket.is_automatic else []
    wanted += session.scalars(select(TicketCopy.address).where(TicketCopy.ticket_id == ticket.id))
    known = set(session.scalars(select(TicketCopy.address).where(TicketCopy.ticket_id == target.id)))
    known |= {other.email if other else "", ""}
    return [one for one in dict.fromkeys(wanted) if one not in known]


def _set_end(session: Session, ticket: Ticket, status: str, *, closed_at: datetime | None, now: datetime) -> None:
    """Another status outside the table: merging is no work on the ticket, and taking apart restores what was."""
    count_ticket(session, ticket, -1)
    ticket.status, ticket.is_open, ticket.closed_at = status, is_open_status(status), closed_at
    ticket.changed_at, ticket.version = now, ticket.version + 1
    count_ticket(session, ticket, +1)


def _merged_rows(session: Session, ids: Sequence[int]) -> Sequence[Ticket]:
    return session.scalars(select(Ticket).where(Ticket.id.in_(ids))).all() if ids else ()


def _last_event(session: Session, ticket: Ticket, kind: str) -> TicketEvent | None:
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == kind)
    return session.scalar(query.order_by(TicketEvent.id.desc()).limit(1))


def _said_since(session: Session, target: Ticket, last_message: int) -> int:
    said = (Message.ticket_id == target.id, Message.id > last_message, Message.kind != NOTE)
    return session.scalar(select(func.count()).select_from(Message).where(*said)) or 0


def _number(session: Session, ticket_id: int) -> str:
    return format_number(ticket_id, prefix=load_settings(session).site_prefix)

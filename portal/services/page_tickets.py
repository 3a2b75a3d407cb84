"""What answering a page does to its ticket, through the ticket's own use cases."""

from __future__ import annotations

from typing import Any

from portal.core import tickets as statuses
from portal.models import Ticket, UnitOfWork, User
from portal.services.context import Context
from portal.services.paging_rules import PagingRules
from portal.services.ticket_work import move_ticket
from portal.services.tickets import NOTE, Actor, NewMessage, add_message, assign_ticket, record_event, set_status

Before = dict[str, Any]


def give_ticket(uow: UnitOfWork, ticket_id: int, user: User, *, rules: PagingRules) -> Before:
    """Whoever takes the page works on the ticket; one that is somebody's already stays theirs. Returns what was."""
    ticket, actor = uow.session.get_one(Ticket, ticket_id), Actor(user.name, user.id)
    before = {"status": ticket.status, "assignee_id": ticket.assignee_id}
    record_event(uow, ticket, "acknowledged", actor=actor, now=rules.now)
    if ticket.assignee_id is None:
        assign_ticket(uow, ticket, user, actor=actor, now=rules.now)
    if ticket.status == statuses.NEW:
        set_status(uow, ticket, statuses.OPEN, actor=actor, now=rules.now)
    return before


def take_ticket_back(uow: UnitOfWork, ticket_id: int, user: User, *, before: Before, rules: PagingRules) -> None:
    """UNDO: the assignee as before, and a ticket that was resolved is open again. Nothing becomes new again."""
    ticket, actor = uow.session.get_one(Ticket, ticket_id), Actor(user.name, user.id)
    record_event(uow, ticket, "undone", actor=actor, now=rules.now)
    if not ticket.is_open:
        set_status(uow, ticket, statuses.OPEN, actor=actor, now=rules.now)
    previous = before.get("assignee_id")
    if ticket.assignee_id == user.id:
        assign_ticket(uow, ticket, uow.session.get(User, previous) if previous else None, actor=actor, now=rules.now)


def add_note(uow: UnitOfWork, ticket_id: int, user: User, text: str, *, rules: PagingRules) -> None:
    """Words from a phone, kept inside."""
    ticket = uow.session.get_one(Ticket, ticket_id)
    note = NewMessage(NOTE, text, author=user.name, author_id=user.id, is_public=False)
    add_message(uow, ticket, note, now=rules.now)


def resolve_ticket(
    context: Context, uow: UnitOfWork, ticket_id: int, user: User, *, note: str, minutes: int | None, rules: PagingRules
) -> Before:
    """C by text: the words go out to the requester, the minutes stay in the history. Returns what was.

    Raises DomainError when the status table refuses.
    """
    ticket, actor = uow.session.get_one(Ticket, ticket_id), Actor(user.name, user.id)
    before = {"status": ticket.status, "assignee_id": ticket.assignee_id}
    resolution = note or f"Solved by {user.name}."
    move_ticket(context, uow, ticket, statuses.RESOLVED, actor=actor, resolution=resolution)
    if minutes is not None:
        record_event(uow, ticket, "time", actor=actor, now=rules.now, minutes=minutes)
    return before

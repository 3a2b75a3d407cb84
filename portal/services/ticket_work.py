"""What a member does with a ticket, and what it means to others: mail to the requester, pages that ring or end.

Each is one call inside the caller's unit of work. What was answered, solved or raised leaves by the outboxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.core import tickets as statuses
from portal.core.errors import DomainError
from portal.core.paging import Cause
from portal.core.uploads import Upload
from portal.models import Category, Customer, Message, Queue, Ticket, UnitOfWork, User
from portal.services.context import Context
from portal.services.mail_out import add_answer, add_resolved, add_update
from portal.services.page_endings import end_ticket_pages
from portal.services.paging import Event, decide_for_ticket
from portal.services.paging_rules import load_paging_rules
from portal.services.settings import load_settings
from portal.services.tickets import (
    ANSWER,
    NOTE,
    REQUEST,
    Actor,
    NewMessage,
    NewTicket,
    add_message,
    assign_ticket,
    create_ticket,
    find_or_add_requester,
    record_event,
    set_status,
    sort_ticket,
)
from portal.services.uploads import add_uploads


@dataclass(frozen=True)
class Arrangement:
    """Where a ticket belongs and how urgent it is. Ids None: none."""

    priority: int
    queue_id: int | None
    category_id: int | None
    assignee_id: int | None
    customer_id: int | None = None


@dataclass(frozen=True)
class CalledIn:
    """A request that a member enters for somebody who called. `email` may be empty; without a customer it is the one
    that the address belongs to."""

    subject: str
    body: str
    name: str
    email: str
    phone: str
    arrangement: Arrangement
    files: tuple[Upload, ...] = ()


def open_called_in(context: Context, uow: UnitOfWork, call: CalledIn, *, actor: Actor) -> Ticket:
    """A ticket on a caller's behalf. It does not page: whoever enters it is awake, and the page offers "Page now"."""
    now, wanted = context.clock.now(), call.arrangement
    _check(uow.session, wanted)
    requester = find_or_add_requester(uow, call.email, now=now, name=call.name, phone=call.phone)
    author = f"{call.name} <{call.email}>" if call.name and call.email else call.name or call.email
    first = NewMessage(REQUEST, call.body, author=author)
    values = {
        "priority": statuses.check_priority(wanted.priority),
        "queue_id": wanted.queue_id,
        "category_id": wanted.category_id,
        "assignee_id": wanted.assignee_id,
        "phone": call.phone.strip()[:40],
        **({"customer_id": wanted.customer_id} if wanted.customer_id else {}),
    }
    new = NewTicket(call.subject, first, "staff", requester.id, now, values)
    ticket, message = create_ticket(uow, new, actor=actor, now=now)
    add_uploads(uow, message, call.files)
    return ticket


def answer_ticket(
    context: Context,
    uow: UnitOfWork,
    ticket: Ticket,
    body: str,
    *,
    actor: Actor,
    files: Sequence[Upload] = (),
    status: str = "",
) -> Message:
    """A public reply, which goes out by mail. `status` is what the ticket becomes with it; "" opens a new one.

    Raises DomainError for an empty text or a status the table refuses. Resolving is `move_ticket`.
    """
    now = context.clock.now()
    if not body.strip():
        raise DomainError("Write a few words first.")
    new = NewMessage(ANSWER, body, author=actor.name, author_id=actor.user_id)
    message = add_message(uow, ticket, new, now=now)
    add_uploads(uow, message, files)
    if ticket.first_response_at is None:
        ticket.first_response_at = now
    record_event(uow, ticket, "answered", actor=actor, now=now)
    wanted = status or (statuses.OPEN if ticket.status == statuses.NEW else ticket.status)
    if wanted in (statuses.RESOLVED, statuses.CLOSED) and wanted != ticket.status:
        raise DomainError("Resolve the ticket with a note of how it was solved.")
    if wanted != ticket.status:
        set_status(uow, ticket, wanted, actor=actor, now=now)
    add_answer(context, uow, ticket, message, settings=load_settings(uow.session))
    return message


def note_ticket(
    context: Context, uow: UnitOfWork, ticket: Ticket, body: str, *, actor: Actor, files: Sequence[Upload] = ()
) -> Message:
    """Words for the team only. Raises DomainError for an empty text."""
    if not body.strip():
        raise DomainError("Write a few words first.")
    new = NewMessage(NOTE, body, author=actor.name, author_id=actor.user_id, is_public=False)
    message = add_message(uow, ticket, new, now=context.clock.now())
    add_uploads(uow, message, files)
    return message


def move_ticket(
    context: Context,
    uow: UnitOfWork,
    ticket: Ticket,
    status: str,
    *,
    actor: Actor,
    resolution: str = "",
    tell: bool = False,
) -> None:
    """Change the status. Resolving sends the note to the requester and, like closing, ends the ticket's pages; `tell`
    tells the requester of any other change.

    Raises DomainError when the status table refuses.
    """
    now = context.clock.now()
    change = set_status(uow, ticket, status, actor=actor, now=now, resolution=resolution)
    if change.is_resolved:
        add_resolved(context, uow, ticket, settings=load_settings(uow.session))
    elif tell:
        add_update(context, uow, ticket, settings=load_settings(uow.session))
    if not ticket.is_open:
        by = uow.session.get(User, actor.user_id) if actor.user_id else None
        end_ticket_pages(uow, ticket.id, by=by, rules=load_paging_rules(uow.session, now=now))


def arrange_ticket(context: Context, uow: UnitOfWork, ticket: Ticket, wanted: Arrangement, *, actor: Actor) -> None:
    """Priority, queue, category, customer and assignee at once. Raising to P1 asks anew whether to page.

    Raises DomainError for what is not there any more.
    """
    now = context.clock.now()
    _check(uow.session, wanted)
    changed = sort_ticket(
        uow,
        ticket,
        actor=actor,
        now=now,
        priority=wanted.priority,
        queue_id=wanted.queue_id,
        category_id=wanted.category_id,
        customer_id=wanted.customer_id,
    )
    person = uow.session.get(User, wanted.assignee_id) if wanted.assignee_id else None
    assign_ticket(uow, ticket, person, actor=actor, now=now)
    if changed.get("priority", (0, 0))[1] == 1 and ticket.is_open:
        rules = load_paging_rules(uow.session, now=now)
        # By day it paged nobody perhaps; raised once more at night it is another question.
        event = Event(Cause.RAISED, occurrence=str(ticket.version), at=now, asked_by=actor.name)
        decide_for_ticket(uow, ticket, event, rules=rules)


def take_ticket(context: Context, uow: UnitOfWork, ticket: Ticket, *, actor: Actor) -> None:
    """The member who asks becomes the assignee; a new ticket is open then."""
    now = context.clock.now()
    assign_ticket(uow, ticket, uow.session.get_one(User, actor.user_id), actor=actor, now=now)
    if ticket.status == statuses.NEW:
        set_status(uow, ticket, statuses.OPEN, actor=actor, now=now)


def _check(session: Session, wanted: Arrangement) -> None:
    if wanted.queue_id is not None and session.get(Queue, wanted.queue_id) is None:
        raise DomainError("This queue is not there any more. Please choose another.")
    if wanted.category_id is not None and session.get(Category, wanted.category_id) is None:
        raise DomainError("This category is not there any more. Please choose another.")
    if wanted.customer_id is not None and session.get(Customer, wanted.customer_id) is None:
        raise DomainError("This customer is not there any more. Please choose another.")
    person = session.get(User, wanted.assignee_id) if wanted.assignee_id is not None else None
    if wanted.assignee_id is not None and (person is None or not person.is_active):
        raise DomainError("This person does not work here any more. Please choose another.")

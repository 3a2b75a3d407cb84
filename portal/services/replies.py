"""What a requester's further words do to a ticket, whatever way they came."""

from __future__ import annotations

from datetime import datetime

from portal.core.mail_commands import CLOSE, RATE, MailCommand
from portal.core.paging import Cause, confirms_emergency
from portal.core.tickets import RESOLVED, status_after_reply
from portal.models import Message, Ticket, UnitOfWork
from portal.services.page_endings import end_ticket_pages, tell_owner
from portal.services.paging import Event, decide_for_ticket
from portal.services.paging_rules import PagingRules
from portal.services.tickets import Actor, NewMessage, add_message, record_event, set_status

SOLVED = "The requester says that it is solved."


def take_reply(
    uow: UnitOfWork,
    ticket: Ticket,
    new: NewMessage,
    *,
    rules: PagingRules,
    is_quiet: bool = False,
    command: MailCommand | None = None,
    may_declare: bool = True,
) -> Message:
    """Add a requester's reply. What waited for them, or had ended, is open again; what had ended asks anew whether to
    page. The owner of an acknowledged page gets the words as a text; a reply to an open ticket does not page,
    unless its first line is the word URGENT, which declares an emergency where `may_declare`. The commands CLOSE and
    RATE open nothing.
    """
    message = add_message(uow, ticket, new, now=rules.now)
    if command is not None and command.kind in (CLOSE, RATE):
        _obey(uow, ticket, command, actor=Actor(new.author), rules=rules)
        return message
    wanted = status_after_reply(ticket.status)
    change = None
    if wanted != ticket.status:
        change = set_status(uow, ticket, wanted, actor=Actor(new.author), now=rules.now)
    if change is not None and change.is_reopened:
        event = Event(
            Cause.REOPENED, occurrence=str(message.id), at=message.at, mail_verdict="reply", is_quiet=is_quiet
        )
        decide_for_ticket(uow, ticket, event, rules=rules)
    elif not is_quiet:
        tell_owner(uow, message, rules=rules)
    if may_declare and confirms_emergency(new.body) and ticket.emergency != "declared":
        ticket.emergency = "declared"
        record_event(uow, ticket, "emergency", actor=Actor(new.author), now=rules.now, answer="declared")
        event = Event(Cause.EMERGENCY, at=message.at, mail_verdict="reply", is_quiet=is_quiet)
        decide_for_ticket(uow, ticket, event, rules=rules)
    return message


def rate_ticket(uow: UnitOfWork, ticket: Ticket, rating: int, *, text: str, actor: Actor, now: datetime) -> None:
    """How content the requester is, 1 (bad) to 5, with their words. A later rating takes the place of the first."""
    ticket.rating, ticket.rating_text, ticket.rated_at = rating, text.strip()[:2000], now
    record_event(uow, ticket, "rated", actor=actor, now=now, rating=rating, note=text.strip()[:500])


def _obey(uow: UnitOfWork, ticket: Ticket, command: MailCommand, *, actor: Actor, rules: PagingRules) -> None:
    if command.kind == RATE:
        rate_ticket(uow, ticket, command.rating, text=command.rest, actor=actor, now=rules.now)
    elif ticket.is_open:
        set_status(uow, ticket, RESOLVED, actor=actor, now=rules.now, resolution=SOLVED)
        end_ticket_pages(uow, ticket.id, by=None, rules=rules)

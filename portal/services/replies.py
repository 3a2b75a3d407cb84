"""What a requester's further words do to a ticket, whatever way they came."""

from __future__ import annotations

from portal.core.paging import Cause, confirms_emergency
from portal.core.tickets import status_after_reply
from portal.models import Message, Ticket, UnitOfWork
from portal.services.page_endings import tell_owner
from portal.services.paging import Event, decide_for_ticket
from portal.services.paging_rules import PagingRules
from portal.services.tickets import Actor, NewMessage, add_message, record_event, set_status


def take_reply(
    uow: UnitOfWork, ticket: Ticket, new: NewMessage, *, rules: PagingRules, is_quiet: bool = False
) -> Message:
    """Add a requester's reply. What waited for them, or had ended, is open again; what had ended asks anew whether to
    page. The owner of an acknowledged page gets the words as a text; a reply to an open ticket does not page,
    unless its first line is the word URGENT, which declares an emergency.
    """
    message = add_message(uow, ticket, new, now=rules.now)
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
    if confirms_emergency(new.body) and ticket.emergency != "declared":
        ticket.emergency = "declared"
        record_event(uow, ticket, "emergency", actor=Actor(new.author), now=rules.now)
        event = Event(Cause.EMERGENCY, at=message.at, mail_verdict="reply", is_quiet=is_quiet)
        decide_for_ticket(uow, ticket, event, rules=rules)
    return message

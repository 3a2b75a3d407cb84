"""The people whom a requester copied, kept with the ticket and copied on our answers."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.copies import MOST, find_copies
from portal.core.mail import ParsedMail
from portal.models import Requester, Ticket, TicketCopy, UnitOfWork
from portal.services.context import Context
from portal.services.mail_suspensions import find_suspended
from portal.services.mailboxes import own_addresses


def keep_copies(context: Context, uow: UnitOfWork, ticket: Ticket, mail: ParsedMail) -> int:
    """Remember whom a requester's mail was copied to, at most ten people a ticket. Returns how many are new.

    Only the requester and those who are copied already bring others in: the answers will go to them.
    """
    session = uow.session
    if len(mail.to) + len(mail.cc) < 2:
        return 0
    wanted = find_copies(mail, own=own_addresses(session))
    known = set(session.scalars(select(TicketCopy.address).where(TicketCopy.ticket_id == ticket.id)))
    requester = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    if mail.sender is None or mail.sender.key not in {requester.email if requester else "", *known}:
        return 0
    new = [one for one in wanted if one not in known][: max(0, MOST - len(known))]
    session.add_all(TicketCopy(ticket_id=ticket.id, address=one, at=context.clock.now()) for one in new)
    session.flush()
    return len(new)


def list_copies(session: Session, ticket: Ticket) -> tuple[str, ...]:
    """Who is copied now, in the order they came: not the requester, no suspended address, no mailbox of ours."""
    query = select(TicketCopy.address).where(TicketCopy.ticket_id == ticket.id)
    found = list(session.scalars(query.order_by(TicketCopy.at, TicketCopy.address)))
    if not found:
        return ()
    requester = session.scalar(select(func.lower(Requester.email)).where(Requester.id == ticket.requester_id))
    left_out = {requester, *find_suspended(session, found), *own_addresses(session)}
    return tuple(one for one in found if one not in left_out)


def drop_copy(uow: UnitOfWork, ticket: Ticket, address: str) -> bool:
    """Copy somebody no longer. False when they were not."""
    row = uow.session.get(TicketCopy, (ticket.id, address.lower()))
    if row is None:
        return False
    uow.session.delete(row)
    uow.session.flush()
    return True

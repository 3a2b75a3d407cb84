"""The requester's private link: a ticket's number with our signature, so that nobody can guess another's."""

from __future__ import annotations

import base64
import hmac
import re
from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from portal.core.ports import SecretBox
from portal.models import Ticket, UnitOfWork
from portal.services.tickets import Actor, record_event

PURPOSE = "private link"
_MAC_BYTES = 15  # 120 bits, 24 letters without padding
_MARK = re.compile(r"([1-9]\d{0,17})-([a-z2-7]{24})", re.ASCII)


def private_mark(ticket: Ticket, *, box: SecretBox) -> str:
    """The last part of the link's path. It dies when `link_version` goes up."""
    mac = box.mac(PURPOSE, f"{ticket.id}.{ticket.link_version}".encode())[:_MAC_BYTES]
    return f"{ticket.id}-{base64.b32encode(mac).decode().lower()}"


def private_link(ticket: Ticket, *, box: SecretBox, site_url: str) -> str:
    """The whole address for mails; "" where people cannot reach us from outside."""
    return f"{site_url}/r/{private_mark(ticket, box=box)}" if site_url else ""


def find_by_link(session: Session, mark: str, *, box: SecretBox) -> Ticket | None:
    """The ticket of a mark; None when it is wrong, forged or revoked. Compared in constant time."""
    match = _MARK.fullmatch(mark)
    ticket = session.get(Ticket, int(match[1])) if match else None
    if ticket is None or not hmac.compare_digest(private_mark(ticket, box=box), mark):
        return None
    return ticket


def revoke_link(uow: UnitOfWork, ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Every link to this ticket sent so far leads nowhere, also those of the tickets merged into it; the next mail
    carries a new one."""
    both = or_(Ticket.id == ticket.id, Ticket.merged_into_id == ticket.id)
    uow.session.execute(update(Ticket).where(both).values(link_version=Ticket.link_version + 1))
    record_event(uow, ticket, "link_revoked", actor=actor, now=now)

"""A ticket's whole way, in the order it went: mail, triage, decisions, claims, what the provider said, answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.models import (
    InboundText,
    MailLedger,
    Message,
    Notification,
    OutgoingMail,
    Page,
    PageDecisionRow,
    PageTicket,
    Ticket,
    TicketEvent,
    User,
)

Line = tuple[datetime, str]


def explain_ticket(session: Session, ticket_id: int, *, zone: Any) -> list[str] | None:
    """Lines for the terminal, oldest first, times in `zone`. None when there is no such ticket.

    Numbers of phones are shown by their last four digits: the output is made to be passed on.
    """
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        return None
    lines: list[Line] = []
    for source in _SOURCES:
        lines.extend(source(session, ticket))
    head = f"#{ticket.id} {ticket.subject}: {ticket.status}, P{ticket.priority}, from {ticket.source}"
    stamp = "%Y-%m-%d %H:%M:%S"
    return [head, *(f"{at.astimezone(zone):{stamp}}  {text}" for at, text in sorted(lines, key=lambda line: line[0]))]


def _mails(session: Session, ticket: Ticket) -> Iterator[Line]:
    for row in session.scalars(select(MailLedger).where(MailLedger.ticket_id == ticket.id).order_by(MailLedger.id)):
        yield row.received_at, f"mail      {row.provider_id} from {row.sender}: received"
        yield row.listed_at, f"mail      {row.provider_id}: original stored ({row.size} bytes)"
        if row.verdict_at:
            yield row.verdict_at, f"mail      {row.provider_id}: {row.verdict}. {row.reason}".rstrip()


def _ticket(session: Session, ticket: Ticket) -> Iterator[Line]:
    yield ticket.created_at, f"ticket    created (received {ticket.received_at:%Y-%m-%d %H:%M:%S} UTC)"
    for message in session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)):
        yield message.at, f"message   {message.kind} by {message.author or 'us'}"
    if ticket.triaged_at:
        yield ticket.triaged_at, f"triage    {json.dumps(ticket.triage or {}, ensure_ascii=False, sort_keys=True)}"
    events = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
    for event in session.scalars(events):
        data = f" {json.dumps(event.data, ensure_ascii=False, sort_keys=True)}" if event.data else ""
        yield event.at, f"history   {event.kind} by {event.actor or 'Nightdesk'}{data}"


def _decisions(session: Session, ticket: Ticket) -> Iterator[Line]:
    query = select(PageDecisionRow).where(PageDecisionRow.ticket_id == ticket.id).order_by(PageDecisionRow.id)
    for row in session.scalars(query):
        yield row.decided_at, f"decision  {row.cause}: {row.verdict}. {' '.join(map(str, row.reasons))}"


def _pages(session: Session, ticket: Ticket) -> Iterator[Line]:
    listed = select(PageTicket.page_id).where(PageTicket.ticket_id == ticket.id)
    for page in session.scalars(select(Page).where(or_(Page.ticket_id == ticket.id, Page.id.in_(listed)))).all():
        yield page.opened_at, f"page {page.id}    {page.kind} opened"
        if page.acknowledged_at:
            yield page.acknowledged_at, f"page {page.id}    taken by {_name(session, page.acknowledged_by)}"
        if page.closed_at:
            yield page.closed_at, f"page {page.id}    ended"
        yield from _texts(session, page)


def _texts(session: Session, page: Page) -> Iterator[Line]:
    for row in session.scalars(select(Notification).where(Notification.page_id == page.id).order_by(Notification.id)):
        who = f"text {row.id}    {row.kind} to {_name(session, row.user_id)} (...{row.number[-4:]})"
        yield row.created_at, f"{who}: written as {row.dedupe_key}"
        if row.sending_at:
            yield row.sending_at, f"{who}: claimed, try {row.tries}"
        if row.accepted_at:
            yield row.accepted_at, f"{who}: {row.provider} took it as {row.provider_id}"
        if row.delivered_at:
            yield row.delivered_at, f"{who}: delivered"
        if row.state in ("failed", "undelivered", "cancelled", "pending", "sending"):
            at = row.due_at or row.checked_at or row.accepted_at or row.sending_at or row.created_at
            yield (
                at,
                f"{who}: {row.state}. {' '.join(filter(None, (row.last_error, row.error_code)))}".rstrip(". ") + ".",
            )
    for text in session.scalars(select(InboundText).where(InboundText.page_id == page.id).order_by(InboundText.id)):
        said = f"answer {text.id}  {_name(session, text.user_id)} wrote {text.text!r}"
        yield text.handled_at or text.stored_at, f"{said} ({text.provider} {text.provider_id}). {text.outcome}".rstrip()


def _outgoing(session: Session, ticket: Ticket) -> Iterator[Line]:
    for row in session.scalars(
        select(OutgoingMail).where(OutgoingMail.ticket_id == ticket.id).order_by(OutgoingMail.id)
    ):
        at = row.sent_at or row.created_at
        yield at, f"mail out  {row.event}: {row.state}. {row.last_error}".rstrip()


def _name(session: Session, user_id: int | None) -> str:
    user = session.get(User, user_id) if user_id else None
    return user.name if user else "nobody"


_SOURCES: tuple[Callable[[Session, Ticket], Iterator[Line]], ...] = (_mails, _ticket, _decisions, _pages, _outgoing)

"""A ticket's whole way, in the order it went: mail, triage, decisions, claims, what the provider said, answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.core.tickets import format_number
from portal.models import (
    InboundText,
    MailboxRow,
    MailLedger,
    Message,
    Notification,
    OutgoingMail,
    Page,
    PageDecisionRow,
    PageTicket,
    Ticket,
    User,
)
from portal.services.choices import load_choices
from portal.services.settings import load_settings
from portal.services.ticket_history import describe_event
from portal.services.ticket_view import load_history
from portal.services.triage_view import load_triage_view

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
    query = select(MailLedger, MailboxRow.name).join(MailboxRow, MailboxRow.id == MailLedger.mailbox_id)
    for row, mailbox in session.execute(query.where(MailLedger.ticket_id == ticket.id).order_by(MailLedger.id)):
        yield row.received_at, f"mail      {row.provider_id} from {row.sender} to {mailbox}, {row.folder}: received"
        yield row.listed_at, f"mail      {row.provider_id}: original stored ({row.size} bytes)"
        if row.verdict_at:
            yield row.verdict_at, f"mail      {row.provider_id}: {row.verdict}. {row.reason}".rstrip()


def _ticket(session: Session, ticket: Ticket) -> Iterator[Line]:
    yield ticket.created_at, f"ticket    created (received {ticket.received_at:%Y-%m-%d %H:%M:%S} UTC)"
    for message in session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)):
        yield message.at, f"message   {message.kind} by {message.author or 'us'}"
    if ticket.triaged_at:
        yield from ((ticket.triaged_at, f"triage    {text}") for text in _triage(session, ticket))
    number = partial(format_number, prefix=load_settings(session).site_prefix)
    choices = load_choices(session)
    for event in reversed(load_history(session, ticket.id, most=None)):
        line = describe_event(event, choices, number=number)
        yield event.at, f"history   {line.text}{f' ({line.detail})' if line.detail else ''}"


def _triage(session: Session, ticket: Ticket) -> Iterator[str]:
    view = load_triage_view(session, ticket)
    if view is None:
        yield "passed over"
        return
    other = f", else {view.runner_up}" if view.runner_up else ""
    yield f"{view.category or 'no category'}, {view.confidence} percent sure{other}: {'; '.join(view.category_signs)}"
    yield f"P{view.priority}: {'; '.join(view.priority_signs)}"
    yield from (f"rule: {text}" for text in view.rules)
    changed = ("".join(_MARKS[part.kind].format(part.text) for part in line) for line in view.diff)
    yield from (f"spelling: {text}" for text in changed)


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
        what = f"mail out  {row.event} to {', '.join(map(str, row.to))}"
        yield row.created_at, f"{what}: written as {row.message_id}"
        if row.state != "pending" or row.last_error:
            yield row.sent_at or row.due_at or row.created_at, f"{what}: {row.state}. {row.last_error}".rstrip()
        if row.delivery and row.delivery_at:
            yield row.delivery_at, f"{what}: {row.delivery}. {row.delivery_text}".rstrip()


def _name(session: Session, user_id: int | None) -> str:
    user = session.get(User, user_id) if user_id else None
    return user.name if user else "nobody"


_MARKS = {"equal": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}  # as git diff --word-diff
_SOURCES: tuple[Callable[[Session, Ticket], Iterator[Line]], ...] = (_mails, _ticket, _decisions, _pages, _outgoing)

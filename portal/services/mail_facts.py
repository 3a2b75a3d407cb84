"""What the database knows about a mail that was just parsed: twins, parents, participants."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.core import intake
from portal.core.intake import IntakeFacts
from portal.core.mail import ParsedMail
from portal.core.mail_kinds import BOUNCE, MailKind
from portal.core.threading import (
    ThreadDecision,
    ThreadEvidence,
    decide_thread,
    parent_ids,
    subject_numbers,
)
from portal.core.tickets import CLOSED
from portal.models import KnownMessageId, MailLedger, Message, OutgoingMail, Requester, Ticket, User
from portal.services.mail_monitors import find_monitor_ticket
from portal.services.mail_rules import decide_for_mail
from portal.services.settings import load_settings

TOKEN_PURPOSE = "mail token"  # noqa: S105 - the name of a purpose

Mac = Callable[[bytes], bytes]


def load_facts(
    session: Session, row: MailLedger, mail: ParsedMail, *, kind: MailKind, mac: Mac, now: datetime
) -> IntakeFacts:
    """Everything the verdict depends on. A handful of indexed lookups."""
    twins = _twins(session, row, mail)
    twin = next((one for one in twins if one.content_hash == mail.content_hash), None)
    thread = _thread(session, mail, kind, mac)
    ticket = session.get(Ticket, thread.ticket_id) if thread.ticket_id else None
    rule = decide_for_mail(session, row, mail, kind=kind, is_reply=ticket is not None)
    return IntakeFacts(
        kind=kind,
        thread=thread,
        is_over=ticket is not None and _is_over(session, ticket, now),
        twin_id=twin.id if twin else None,
        twin_ticket=twin.ticket_id if twin else None,
        has_id_twin=twin is None and bool(twins),
        is_cut=row.is_cut,
        rule=rule,
        monitor_ticket=find_monitor_ticket(session, rule, received_at=row.received_at),
        is_released=row.is_released,
        is_text=row.as_text,
    )


def _is_over(session: Session, ticket: Ticket, now: datetime) -> bool:
    if ticket.status != CLOSED or ticket.closed_at is None:
        return False
    return now - ticket.closed_at > timedelta(days=load_settings(session).mail_reopen_days)


def _twins(session: Session, row: MailLedger, mail: ParsedMail) -> list[MailLedger]:
    """Earlier rows of the same content or id that were really taken in, the first first.

    State and verdict are looked at here: asked in SQL, they would lead SQLite away from the two indexes that answer
    this at any size.
    """
    same = MailLedger.content_hash == mail.content_hash
    if mail.message_id:
        same = or_(same, MailLedger.message_id == mail.message_id)
    found = session.scalars(select(MailLedger).where(same).limit(200)).all()
    untaken = (intake.DUPLICATE, intake.QUARANTINED)
    taken = [one for one in found if one.id != row.id and one.state == "done" and one.verdict not in untaken]
    # What a rule of one mailbox ignored is taken in by another that has no such rule.
    taken = [one for one in taken if not (one.verdict == intake.IGNORED and one.rule_id is not None)]
    return sorted(taken, key=lambda one: one.id)


def _thread(session: Session, mail: ParsedMail, kind: MailKind, mac: Mac) -> ThreadDecision:
    ids = [*parent_ids(mail), *(mail.returned_ids if kind.kind == BOUNCE else ())]
    known = _known(session, ids)
    if kind.kind == BOUNCE:
        returned = next((one for one in mail.returned_ids if one in known), None)
        if returned:
            return ThreadDecision(known[returned], f"returns {returned}")
    evidence = ThreadEvidence(known, _participants(session, subject_numbers(mail.subject)[:5]))
    decision = decide_thread(mail, evidence=evidence, mac=mac)
    if decision.ticket_id is not None and session.get(Ticket, decision.ticket_id) is None:
        # A valid token of a ticket that is gone: a restored backup, or another installation with our key.
        return ThreadDecision(None, f"new ticket: it points at #{decision.ticket_id}, which is not here")
    return decision


def _known(session: Session, ids: Collection[str]) -> dict[str, int]:
    if not ids:
        return {}
    query = select(KnownMessageId.message_id, KnownMessageId.ticket_id).where(KnownMessageId.message_id.in_(ids))
    return {row.message_id: row.ticket_id for row in session.execute(query)}


def _participants(session: Session, numbers: Collection[int]) -> dict[int, set[str]]:
    """Requester, everybody who wrote, everybody we wrote to, and our own people: by ticket."""
    found: dict[int, set[str]] = {}
    staff: set[str] | None = None
    for number in numbers:
        ticket = session.get(Ticket, number)
        if ticket is None:
            continue
        requester = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
        staff = staff if staff is not None else {one.lower() for one in session.scalars(select(User.email))}
        authors = session.scalars(select(Message.author).where(Message.ticket_id == number)).all()
        written = session.execute(select(OutgoingMail.to, OutgoingMail.cc).where(OutgoingMail.ticket_id == number))
        addresses = {one for to, cc in written for one in (*to, *cc)} | {_address_in(author) for author in authors}
        found[number] = {one.lower() for one in addresses if one} | staff | ({requester.email} if requester else set())
    return found


def _address_in(author: str) -> str:
    """A message's author is kept as `Name <address>`."""
    return author.rpartition("<")[2].rstrip(">") if "@" in author else ""

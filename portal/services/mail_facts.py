"""What the database knows about a mail that was just parsed: twins, parents, participants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from portal.core import intake
from portal.core.intake import IntakeFacts
from portal.core.mail import ParsedMail
from portal.core.mail_kinds import PERSON, MailKind
from portal.core.mail_trust import why_distrusted
from portal.core.mail_voices import Writer, returns_ours
from portal.core.threading import read_tokens
from portal.core.tickets import CLOSED
from portal.models import MailboxRow, MailLedger, OutgoingMail, Ticket
from portal.services.mail_monitors import find_monitor_ticket
from portal.services.mail_rules import decide_for_mail
from portal.services.mail_threads import load_thread, load_writer
from portal.services.settings import load_settings

TOKEN_PURPOSE = "mail token"  # noqa: S105 - the name of a purpose

# Built once: asked for each mail.
_HAS_CONTENT = MailLedger.content_hash == bindparam("content")
_SAME_CONTENT = select(MailLedger).where(_HAS_CONTENT).limit(200)
_SAME_CONTENT_OR_ID = select(MailLedger).where(or_(_HAS_CONTENT, MailLedger.message_id == bindparam("id"))).limit(200)

Mac = Callable[[bytes], bytes]


def load_facts(
    session: Session, row: MailLedger, mail: ParsedMail, *, kind: MailKind, mac: Mac, now: datetime
) -> IntakeFacts:
    """Everything the verdict depends on. A handful of indexed lookups."""
    distrust = why_distrusted(mail)
    thread = load_thread(session, row, mail, kind=kind, mac=mac, distrust=distrust)
    ticket = session.get(Ticket, thread.ticket_id) if thread.ticket_id else None
    is_over = ticket is not None and _is_over(session, ticket, now)
    later = _successor(session, ticket) if ticket is not None and is_over else None
    if later is not None:
        ticket, is_over = later, False
        thread = replace(thread, ticket_id=later.id, reason=f"{thread.reason}; its ticket goes on in #{later.id}")
    twins = _twins(session, row, mail)
    same = [one for one in twins if one.content_hash == mail.content_hash]
    twin = next((one for one in same if _counts(session, row, one, ticket)), None)
    other = None if same else next(iter(twins), None)
    writer = Writer(is_sent=row.is_sent)
    if ticket is not None:
        writer = load_writer(session, row, mail, ticket=ticket, distrust=distrust)
    rule = None if row.is_sent else decide_for_mail(session, row, mail, kind=kind, is_reply=ticket is not None)
    return IntakeFacts(
        kind=kind,
        thread=thread,
        is_over=is_over,
        twin_id=twin.id if twin else None,
        twin_ticket=twin.ticket_id if twin else None,
        has_id_twin=other is not None,
        id_twin_ticket=other.ticket_id if other else None,
        writer=writer,
        is_cut=row.is_cut,
        rule=rule,
        monitor_ticket=find_monitor_ticket(session, rule, received_at=row.received_at),
        is_released=row.is_released,
        is_text=row.as_text,
        is_echo=kind.kind == PERSON and thread.is_proof and _is_echo(session, mail, mac),
    )


def _is_echo(session: Session, mail: ParsedMail, mac: Mac) -> bool:
    tokens = read_tokens(mail.text, mac=mac) if "nd." in mail.text.lower() and not mail.attachments else ()
    ours = session.get(OutgoingMail, tokens[-1].row_id) if tokens else None
    return ours is not None and returns_ours(mail.text, ours.text)


def _is_over(session: Session, ticket: Ticket, now: datetime) -> bool:
    if ticket.status != CLOSED or ticket.closed_at is None:
        return False
    return now - ticket.closed_at > timedelta(days=load_settings(session).mail_reopen_days)


def _successor(session: Session, ticket: Ticket) -> Ticket | None:
    """The open ticket that a later reply to a closed one began: the next reply belongs there too."""
    query = select(Ticket).where(Ticket.follows_id == ticket.id, Ticket.is_open, Ticket.merged_into_id.is_(None))
    return session.scalar(query.order_by(Ticket.id.desc()).limit(1))


def _counts(session: Session, row: MailLedger, twin: MailLedger, joins: Ticket | None) -> bool:
    """Whether a mail of the same content makes this one a duplicate. A mailbox that takes duplicates has tickets of its
    own for what another mailbox had too, but no ticket gets the same words twice."""
    if twin.mailbox_id == row.mailbox_id or (joins is not None and twin.ticket_id == joins.id):
        return True
    return not session.get_one(MailboxRow, row.mailbox_id).takes_duplicates


def _twins(session: Session, row: MailLedger, mail: ParsedMail) -> list[MailLedger]:
    """Earlier rows of the same content or id that were really taken in, the first first.

    State and verdict are looked at here: asked in SQL, they would lead SQLite away from the two indexes that answer
    this at any size.
    """
    query = _SAME_CONTENT_OR_ID if mail.message_id else _SAME_CONTENT
    found = session.scalars(query, {"content": mail.content_hash, "id": mail.message_id}).all()
    untaken = (intake.DUPLICATE, intake.QUARANTINED)
    taken = [one for one in found if one.id != row.id and one.state == "done" and one.verdict not in untaken]
    # What a rule of one mailbox ignored is taken in by another that has no such rule.
    taken = [one for one in taken if not (one.verdict == intake.IGNORED and one.rule_id is not None)]
    # A copy of what was sent by hand that came to the inbox first was ignored as our own: it still is our answer.
    taken = [one for one in taken if not (row.is_sent and not one.is_sent and one.verdict == intake.IGNORED)]
    return sorted(taken, key=lambda one: one.id)

"""What the database knows of the things a mail points at, for `core/threading.py`; merged tickets are followed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from sqlalchemy import bindparam, select, union_all
from sqlalchemy.orm import Session

from portal.core.mail import ParsedMail
from portal.core.mail_domains import PUBLIC_DOMAINS
from portal.core.mail_kinds import BOUNCE, MailKind
from portal.core.mail_voices import Writer
from portal.core.permissions import WORKING
from portal.core.threading import (
    CONVERSATION,
    ID,
    TOKEN,
    UNSEEN,
    Circle,
    KnownId,
    ThreadDecision,
    ThreadEvidence,
    decide_thread,
    parent_ids,
    read_tokens,
    subject_numbers,
)
from portal.models import KnownMessageId, MailLedger, Message, OutgoingMail, Requester, Ticket, TicketCopy, User
from portal.services.merged import find_merged, with_merged
from portal.services.settings import load_settings
from portal.services.tickets import ANSWER, REPLY, REQUEST

_KNOWN = select(KnownMessageId.message_id, KnownMessageId.ticket_id, KnownMessageId.is_seen).where(
    KnownMessageId.message_id.in_(bindparam("ids", expanding=True))
)
_MOST = 5  # tickets that are looked at on weak signs
_SAID = 10  # answers that a technician's next one is held against

Mac = Callable[[bytes], bytes]


def load_thread(
    session: Session, row: MailLedger, mail: ParsedMail, *, kind: MailKind, mac: Mac, distrust: str
) -> ThreadDecision:
    """Which ticket a mail belongs to. A few indexed lookups, fewer the stronger the sign."""
    decision = _decide_bounce(session, mail, mac) if kind.kind == BOUNCE else None
    if decision is None:
        decision = decide_thread(mail, evidence=_evidence(session, row, mail, distrust), mac=mac)
    named = {decision.ticket_id, decision.maybe} - {None}
    if not named or decision.strength in (ID, UNSEEN, CONVERSATION):
        return decision
    final = find_merged(session, [one for one in named if one is not None])
    return _followed(decision, final)


def _followed(decision: ThreadDecision, final: Mapping[int, int]) -> ThreadDecision:
    if decision.ticket_id is None:
        return replace(decision, maybe=final.get(decision.maybe or 0))
    if decision.ticket_id not in final:
        # A valid token of a ticket that is gone: a restored backup, or another installation with our key.
        return ThreadDecision(None, f"new ticket: it points at #{decision.ticket_id}, which is not here")
    ticket_id = final[decision.ticket_id]
    return replace(decision, ticket_id=ticket_id, also=tuple(one for one in decision.also if one != ticket_id))


def load_writer(session: Session, row: MailLedger, mail: ParsedMail, *, ticket: Ticket, distrust: str) -> Writer:
    """Who wrote a mail that joins `ticket`. Two lookups, and one more for our own people."""
    requester = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    address = requester.email.lower() if requester else ""
    sender = mail.sender.key if mail.sender else ""
    is_requester = bool(address) and sender == address
    member = None
    if sender and not is_requester and not row.is_sent:
        query = select(User.id, User.name).where(User.email == sender, User.is_active, User.role.in_(WORKING))
        member = session.execute(query).one_or_none()
    return Writer(
        staff_id=member.id if member else None,
        staff_name=member.name if member else "",
        is_requester=is_requester,
        reaches_requester=bool(address) and address in (one.key for one in (*mail.to, *mail.cc)),
        is_colleague=_company(sender) == _company(address) != "",
        is_sent=row.is_sent,
        distrust=distrust,
        said=_said_by_mail(session, ticket, member.id) if member else (),
    )


def _company(address: str) -> str:
    domain = address.rpartition("@")[2]
    return "" if domain in PUBLIC_DOMAINS else domain


def _said_by_mail(session: Session, ticket: Ticket, staff_id: int) -> tuple[str, ...]:
    mine = (Message.ticket_id == ticket.id, Message.kind == ANSWER, Message.author_id == staff_id)
    query = select(Message.body).where(*mine, Message.ledger_id.is_not(None))
    return tuple(session.scalars(query.order_by(Message.id.desc()).limit(_SAID)))


def _decide_bounce(session: Session, mail: ParsedMail, mac: Mac) -> ThreadDecision | None:
    """By what it returns: the id of a mail of ours, or our token in the returned text."""
    known = _known(session, mail.returned_ids)
    for returned in mail.returned_ids:
        if returned in known:
            final = find_merged(session, [known[returned].ticket_id])
            return ThreadDecision(final[known[returned].ticket_id], f"returns {returned}", strength=ID)
    tokens = read_tokens("\n".join((*mail.returned_ids, mail.report)), mac=mac)
    if tokens:
        return ThreadDecision(tokens[0].ticket_id, "returns our signed reference", strength=TOKEN)
    return None


def _evidence(session: Session, row: MailLedger, mail: ParsedMail, distrust: str) -> ThreadEvidence:
    parents = parent_ids(mail)
    known = _known(session, [*parents, mail.message_id])
    if mail.message_id in known and known[mail.message_id].is_seen:
        del known[mail.message_id]  # another mail has this id already: that says nothing of where this one belongs
    final = find_merged(session, {one.ticket_id for one in known.values()}) if known else {}
    known = {key: KnownId(final[one.ticket_id], one.is_seen) for key, one in known.items()}
    if any(known[one].is_seen for one in parents if one in known):
        return ThreadEvidence(known)  # nothing weaker will be asked
    has_number = any(letter.isdigit() for letter in mail.subject)
    prefix = load_settings(session).site_prefix if has_number else "#"
    conversation = _conversation(session, row)
    numbers = list(subject_numbers(mail.subject, prefix=prefix))[:_MOST] if has_number else []
    final = find_merged(session, [*conversation, *numbers]) if conversation or numbers else {}
    wanted = dict.fromkeys([*(one.ticket_id for one in known.values()), *final.values()])
    circles = _circles(session, list(wanted)[: 2 * _MOST])
    return ThreadEvidence(
        known=known,
        # A merged ticket is still named by its own number.
        circles={**circles, **{one: circles[final[one]] for one in numbers if final.get(one) in circles}},
        conversation=tuple(dict.fromkeys(final[one] for one in conversation if one in final)),
        prefix=prefix,
        is_sent=row.is_sent,
        distrust=distrust,
    )


def _known(session: Session, ids: Collection[str]) -> dict[str, KnownId]:
    wanted = [one for one in ids if one]
    if not wanted:
        return {}
    found = session.execute(_KNOWN, {"ids": wanted})
    return {row.message_id: KnownId(row.ticket_id, row.is_seen) for row in found}


def _conversation(session: Session, row: MailLedger) -> list[int]:
    """Tickets of the same Graph conversation in this mailbox, the newest mail first."""
    if not row.conversation_id:
        return []
    same = (MailLedger.mailbox_id == row.mailbox_id, MailLedger.conversation_id == row.conversation_id)
    query = select(MailLedger.ticket_id, MailLedger.verdict).where(*same, MailLedger.id != row.id)
    found = session.execute(query.order_by(MailLedger.id.desc()).limit(50))
    taken = [one.ticket_id for one in found if one.ticket_id is not None and one.verdict in ("ticket", "reply")]
    return list(dict.fromkeys(taken))[:_MOST]


def _circles(session: Session, numbers: Collection[int]) -> dict[int, Circle]:
    """Requester, who wrote on it, who was written to or copied, of the ticket and what was merged into it; and our own
    people, who take part in everything. Two statements a ticket, and one."""
    if not numbers:
        return {}
    staff = frozenset(session.scalars(select(User.email).where(User.is_active)))
    found: dict[int, Circle] = {}
    for number in numbers:
        ids = with_merged(number)
        asked = select(Requester.email).join(Ticket, Ticket.requester_id == Requester.id).where(Ticket.id.in_(ids))
        spoken = select(Message.author).where(Message.ticket_id.in_(ids), Message.kind.in_((REQUEST, REPLY)))
        copied = select(TicketCopy.address).where(TicketCopy.ticket_id.in_(ids))
        sent = select(OutgoingMail.to, OutgoingMail.cc).where(OutgoingMail.ticket_id.in_(ids))
        named = {_address_in(one) for one in session.scalars(union_all(asked, spoken, copied))}
        named |= {one for to, cc in session.execute(sent) for one in (*to, *cc)}
        people = frozenset(one.lower() for one in named if one)
        found[number] = Circle(people - staff, staff)
    return found


def _address_in(author: str) -> str:
    """A message's author is kept as `Name <address>`."""
    return author.rpartition("<")[2].rstrip(">") if "@" in author else ""

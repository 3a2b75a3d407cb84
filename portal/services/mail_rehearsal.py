"""What other mail rules would have made of the last mails, before anybody saves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core import intake, mail_kinds
from portal.core.mail_heads import parse_head, read_headers
from portal.core.mail_rules import Action, MailRule, RuleMail, RuleOutcome, decide_rule
from portal.models import BlobChunk, MailLedger, User
from portal.services.mail_rules import list_mail_rules, rule_mail
from portal.services.mailboxes import own_addresses

MOST = 500
_HEAD = 16 * 1024
_RULED = (intake.TICKET, intake.REPLY, intake.AUTOMATIC, intake.IGNORED, intake.QUARANTINED)


@dataclass(frozen=True)
class Difference:
    """A mail that would have been decided otherwise. `before` and `after` are phrases: "ignored"."""

    ledger_id: int
    received_at: datetime
    sender: str
    subject: str
    before: str
    after: str


@dataclass(frozen=True)
class Rehearsal:
    """How many mails were looked at, and those that differ, newest first."""

    looked_at: int
    differences: tuple[Difference, ...]


def rehearse_rules(session: Session, proposed: Sequence[MailRule], *, most: int = MOST) -> Rehearsal:
    """Ask the rules as they are and as proposed about the last mails that rules decide on. Four statements; nothing is
    changed. Bounces, our own mail, duplicates and what a person let in are no matter of rules."""
    rules = list_mail_rules(session)
    mails = _load_mails(session, most)
    found = []
    for row, mail in mails:
        before, after = (_phrase(decide_rule(one, mail), mail) for one in (rules, proposed))
        if before != after:
            found.append(Difference(row.id, row.received_at, row.sender, row.subject, before, after))
    return Rehearsal(len(mails), tuple(found))


def with_rule(rules: Sequence[MailRule], rule: MailRule) -> list[MailRule]:
    """The rules with one changed in its place, or a new one at the end."""
    if rule.id:
        return [rule if one.id == rule.id else one for one in rules]
    return [*rules, rule]


def _load_mails(session: Session, most: int) -> list[tuple[MailLedger, RuleMail]]:
    wanted = (
        MailLedger.verdict.in_(_RULED),
        MailLedger.kind.not_in((mail_kinds.OWN, mail_kinds.BOUNCE)),
        MailLedger.is_sent.is_(False),
        MailLedger.is_released.is_(False),
    )
    rows = session.scalars(select(MailLedger).where(*wanted).order_by(MailLedger.id.desc()).limit(most)).all()
    heads = _load_heads(session, [row.sha256 for row in rows if row.sha256])
    staff = {address.lower() for address in session.scalars(select(User.email).where(User.is_active))}
    own = own_addresses(session)
    return [(row, _seen(row, heads.get(row.sha256 or "", b""), own, staff)) for row in rows]


def _load_heads(session: Session, digests: Sequence[str]) -> dict[str, bytes]:
    query = select(BlobChunk.sha256, func.substr(BlobChunk.data, 1, _HEAD))
    query = query.where(BlobChunk.sha256.in_(digests), BlobChunk.n == 0)
    return {row[0]: row[1] for row in session.execute(query)}


def _seen(row: MailLedger, head: bytes, own: frozenset[str], staff: set[str]) -> RuleMail:
    mail = rule_mail(parse_head(head), row, own=own, headers=read_headers(head), is_staff=row.sender.lower() in staff)
    is_reply = row.verdict == intake.REPLY or (row.verdict == intake.AUTOMATIC and row.ticket_id is not None)
    return RuleMail(
        **{**vars(mail), "is_machine": row.kind not in ("", mail_kinds.PERSON), "is_reply": is_reply},
    )


def _phrase(outcome: RuleOutcome | None, mail: RuleMail) -> str:
    """What becomes of the mail by this outcome; letting in what comes in anyway changes nothing."""
    if outcome is None or (outcome.action is Action.TAKE and (mail.is_reply or not mail.is_machine)):
        return "taken in as usual"
    if outcome.monitor is not None:
        return f"{'resolves' if outcome.monitor.is_clear else 'opens or joins'} “{outcome.monitor.key}”"
    return {
        Action.TAKE: "let in", Action.IGNORE: "ignored", Action.QUARANTINE: "put into quarantine",
    }.get(outcome.action, "kept as a note")  # fmt: skip

"""What a person decides about a mail of the ledger: try it again, import it as plain text, set it aside, let it in.

Each decision names the mail as it was shown (`mark_of`). Where it is not so any more, somebody else was faster, and
nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.intake import AUTOMATIC, IGNORED, QUARANTINED
from portal.core.mail_kinds import OWN
from portal.core.work import MAIL_INTAKE
from portal.models import AuditEvent, MailLedger, UnitOfWork, User
from portal.services.audit import Change, record_change
from portal.services.mail_ledger import LedgerLine

MOST = 100  # at once: one transaction stays short
_RECENT = 500


class Decision(StrEnum):
    """What may be done with a mail."""

    RETRY = "retry"
    TEXT = "text"
    IGNORE = "ignore"
    RELEASE = "release"


@dataclass(frozen=True)
class Outcome:
    """How many mails were decided, how many somebody else had decided before (`faster` are their names), and to how
    many the decision does not apply."""

    done: int
    late: int
    faster: tuple[str, ...] = ()
    unfit: int = 0


def offered_decisions(mail: MailLedger | LedgerLine) -> tuple[Decision, ...]:
    """What may be done with a mail as it stands, the likeliest first.

    Released is what a rule or a person kept out, and what was kept as a machine's mail without a ticket. Our own mail
    never is: it would answer itself.
    """
    if mail.verdict == QUARANTINED:
        rest = (Decision.RETRY, Decision.TEXT, Decision.IGNORE)
        return (Decision.RELEASE, *rest) if mail.rule_id is not None else rest
    is_kept_out = mail.verdict == IGNORED or (mail.verdict == AUTOMATIC and mail.ticket_id is None)
    return (Decision.RELEASE,) if is_kept_out and mail.kind != OWN and not mail.is_sent else ()


def mark_of(mail: MailLedger | LedgerLine) -> str:
    """The mail as it is shown: its number and when it got its verdict."""
    at = mail.verdict_at
    return f"{mail.id}.{int(at.timestamp() * 1000) if at else 0}"


def decide_mails(uow: UnitOfWork, marks: Sequence[str], decision: Decision, *, change: Change) -> Outcome:
    """Decide mails as they were shown, at most 100. What changed since is left as it is."""
    done: list[int] = []
    late: list[int] = []
    unfit = 0
    by = uow.session.get(User, change.actor_id) if change.actor_id else None
    for mark in dict.fromkeys(marks[:MOST]):
        number = mark.partition(".")[0]
        row = uow.session.get(MailLedger, int(number)) if number.isascii() and number.isdigit() else None
        if row is None:
            continue
        if mark != mark_of(row):
            late.append(row.id)
            continue
        if decision not in offered_decisions(row):
            unfit += 1
            continue
        _decide(row, decision, by=by.name if by else "hand", now=change.at)
        record_change(uow, change, f"mail.{decision}", _subject(row.id))
        done.append(row.id)
    if done and decision is not Decision.IGNORE:
        uow.wake(MAIL_INTAKE)
    return Outcome(len(done), len(late), _who_decided(uow.session, late), unfit)


def _decide(row: MailLedger, decision: Decision, *, by: str, now: datetime) -> None:
    if decision is Decision.IGNORE:
        row.reason, row.verdict, row.verdict_at = f"set aside by {by}; before: {row.reason}", IGNORED, now
        return
    row.is_released = row.is_released or decision in (Decision.RELEASE, Decision.TEXT)
    row.as_text = row.as_text or decision is Decision.TEXT
    row.state, row.verdict, row.reason, row.verdict_at = "stored", "", "", None
    row.rule_id, row.tries, row.last_error, row.due_at = None, 0, "", now


def _who_decided(session: Session, ids: Collection[int]) -> tuple[str, ...]:
    """The people whose decisions came before: those of the last few hundred changes."""
    if not ids:
        return ()
    newest = select(AuditEvent.id).order_by(AuditEvent.id.desc()).limit(_RECENT)
    query = (
        select(User.name)
        .join(AuditEvent, AuditEvent.actor_id == User.id)
        .where(AuditEvent.id.in_(newest), AuditEvent.subject.in_(map(_subject, ids)))
        .where(AuditEvent.action.in_([f"mail.{one}" for one in Decision]))
        .distinct()
    )
    return tuple(sorted(session.scalars(query)))


def _subject(ledger_id: int) -> str:
    return f"mail {ledger_id}"

"""The ledger of mail as a page shows it: every message that ever came, with its verdict."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.core import intake
from portal.core.errors import DomainError
from portal.models import MailboxRow, MailLedger, SessionBlobStore, Ticket, UnitOfWork
from portal.services.audit import Change, record_change

PAGE_SIZE = 50
WAITING = "waiting"
FILTERS = (*intake.VERDICTS, WAITING)


@dataclass(frozen=True)
class LedgerFilter:
    """`verdict` is one of FILTERS, "" for all. `before` and `after` are ids: the page of rows older or newer."""

    verdict: str = ""
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class LedgerPage:
    """Rows, newest first, with their mailbox's name. `older` and `newer` are the ids to go on from, None at the end."""

    rows: tuple[tuple[MailLedger, str], ...]
    older: int | None
    newer: int | None


def load_ledger_page(session: Session, wanted: LedgerFilter) -> LedgerPage:
    """One page by keyset: the same cost wherever it lies. One statement."""
    query = select(MailLedger, MailboxRow.name).join(MailboxRow, MailboxRow.id == MailLedger.mailbox_id)
    condition = _condition(wanted.verdict)
    if condition is not None:
        query = query.where(condition)
    if wanted.after is not None:
        query = query.where(MailLedger.id > wanted.after).order_by(MailLedger.id)
    else:
        query = query.order_by(MailLedger.id.desc())
        query = query.where(MailLedger.id < wanted.before) if wanted.before is not None else query
    found = [(row, name) for row, name in session.execute(query.limit(PAGE_SIZE + 1))]
    has_more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    if wanted.after is not None:
        found.reverse()
    is_first = wanted.before is None and (wanted.after is None or not has_more)
    is_last = not has_more if wanted.after is None else False
    return LedgerPage(
        tuple(found),
        older=found[-1][0].id if found and not is_last else None,
        newer=found[0][0].id if found and not is_first else None,
    )


def count_quarantined(session: Session) -> int:
    """Mails that wait for a person."""
    return _count(session, MailLedger.verdict == intake.QUARANTINED)


def count_waiting(session: Session) -> int:
    """Mails stored and not taken in yet."""
    return _count(session, MailLedger.state == "stored")


def load_ledger_row(session: Session, ledger_id: int) -> tuple[MailLedger, str] | None:
    """One row with its mailbox's name, None when there is none."""
    query = select(MailLedger, MailboxRow.name).join(MailboxRow, MailboxRow.id == MailLedger.mailbox_id)
    found = session.execute(query.where(MailLedger.id == ledger_id)).one_or_none()
    return (found[0], found[1]) if found else None


def load_original(session: Session, ledger_id: int) -> bytes | None:
    """The mail as it came, None when there is no such row. Only the header for one that was too large."""
    sha256 = session.scalar(select(MailLedger.sha256).where(MailLedger.id == ledger_id))
    return SessionBlobStore(session).get(sha256) if sha256 else None


def ignore_quarantined(uow: UnitOfWork, ledger_id: int, *, change: Change) -> None:
    """A person looked at it: it needs no ticket. Raises DomainError when it is in quarantine no more."""
    row = uow.session.get(MailLedger, ledger_id)
    if row is None or row.state != "done" or row.verdict != intake.QUARANTINED:
        raise DomainError("This mail is not in quarantine any more.")
    row.reason, row.verdict, row.verdict_at = f"set aside by hand; before: {row.reason}", intake.IGNORED, change.at
    record_change(uow, change, "mail.ignore", f"mail {row.id}")


def load_ticket_subject(session: Session, ticket_id: int | None) -> str:
    """What the mail's ticket is called now, "" for none."""
    return session.scalar(select(Ticket.subject).where(Ticket.id == ticket_id)) or "" if ticket_id else ""


def _condition(verdict: str) -> ColumnElement[bool] | None:
    if verdict == WAITING:
        return MailLedger.state == "stored"
    return MailLedger.verdict == verdict if verdict in intake.VERDICTS else None


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(MailLedger).where(condition)) or 0

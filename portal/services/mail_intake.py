"""Stage 2 of mail in (work kind `mail_intake`): ledger rows to verdicts, each in one transaction.

Everything slow (reading the original, parsing, sanitising, hashing) happens before that transaction. Taking the row and
what became of it are one commit, so two workers cannot both make a ticket of it, and a crash leaves it untaken.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import structlog
from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from portal.core import intake, retry
from portal.core.mail import ParsedMail
from portal.core.mail_heads import plain_mail
from portal.core.mail_kinds import AUTOMATIC, MailKind, decide_kind, real_sender
from portal.core.retry import RetryPolicy
from portal.core.threading import read_tokens
from portal.models import MailLedger, SessionBlobStore, UtcDateTime, is_unavailable
from portal.services.context import Context
from portal.services.mail_apply import apply_plan
from portal.services.mail_facts import TOKEN_PURPOSE, load_facts
from portal.services.mail_monitors import follow_monitor
from portal.services.mail_reader import SMALL, ReadMail, TooCostlyError, read_mail
from portal.services.mailboxes import own_addresses

# Nobody knows who wrote what cannot be parsed: nothing answers it by itself.
AS_TEXT = MailKind(AUTOMATIC, "imported as plain text by hand", opens_ticket=True)
_NEEDED = ("id", "sha256", "tries", "is_quiet", "as_text", "is_sent")
_RETRY = RetryPolicy(waits=(2, 10, 60, 300), give_up_after=intake.MAX_TRIES)
_LONGEST = timedelta(seconds=_RETRY.waits[-1])
# Mails above this are noted before they are taken: one that kills the process must not be tried for ever.
_LARGE = 1_000_000

log = structlog.get_logger(__name__)

Pause = Callable[[float], None]


@dataclass(frozen=True)
class Stored:
    """A row that waits, with its original."""

    ledger_id: int
    raw: bytes
    tries: int
    is_quiet: bool
    own_addresses: frozenset[str]
    as_text: bool = False
    is_sent: bool = False


@dataclass(frozen=True)
class Ready:
    """A row with its mail read, before anything is written."""

    ledger_id: int
    mail: ParsedMail
    html: str
    kind: MailKind
    is_quiet: bool


def count_due_mails(session: Session, *, now: datetime) -> int:
    """Rows whose verdict should be given now."""
    return session.scalar(select(func.count()).select_from(MailLedger).where(_due(now, now + _LONGEST))) or 0


def count_unexplained(session: Session, *, now: datetime) -> int:
    """Messages that were listed and have had no verdict for ten minutes. The number that must be zero."""
    since = now - timedelta(minutes=intake.UNEXPLAINED_AFTER_MINUTES)
    waiting = (MailLedger.state == "stored", MailLedger.listed_at < since)
    return session.scalar(select(func.count()).select_from(MailLedger).where(*waiting)) or 0


def take_next(context: Context, *, mailbox_id: int | None = None, pause: Pause = time.sleep) -> bool:
    """Give one stored mail its verdict, night mail before imported mail. False: none waits.

    `mailbox_id` takes from one mailbox only. Imported mail leaves half of the database's time to everybody else: it
    pauses for as long as its commit took, less the time it read without the lock.
    """
    started = time.monotonic()
    ledger_id = 0
    try:
        with context.database.read_session() as session:
            row = _next_row(session, mailbox_id, now=context.clock.now())
            if row is None:
                return False
            ledger_id = row.id
            stored = _load(session, row)
        ready = _read(context, stored)
        began = time.monotonic()
        if ready is not None:
            _take(context, ready)
    except Exception as error:  # whatever one mail breaks, it ends in quarantine and the next is taken
        if not ledger_id or is_unavailable(error):
            raise  # the database's trouble and not the mail's: the row stays as it is
        log.exception("a mail could not be taken in", ledger=ledger_id)
        _record_failure(context, ledger_id, error)
        return True
    if ready is not None and ready.is_quiet:
        pause(max(0.0, (time.monotonic() - began) - (began - started)))
    return True


def _due(now: Any, furthest: Any) -> ColumnElement[bool]:
    # Further off than any try is planned: it was stored, or failed, before the clock went back.
    is_time = or_(MailLedger.due_at <= now, MailLedger.due_at > furthest)
    return and_(MailLedger.state == "stored", is_time)


def _next_row(session: Session, mailbox_id: int | None, *, now: datetime) -> Row[Any] | None:
    values = {"now": now, "furthest": now + _LONGEST, "mailbox": mailbox_id}
    return session.execute(_next_query(mailbox_id is not None), values).one_or_none()


@cache  # building the statement costs as much as running it
def _next_query(is_of_one_mailbox: bool) -> Select[Any]:
    query = select(*(getattr(MailLedger, name) for name in _NEEDED)).where(
        _due(bindparam("now", type_=UtcDateTime), bindparam("furthest", type_=UtcDateTime))
    )
    if is_of_one_mailbox:
        query = query.where(MailLedger.mailbox_id == bindparam("mailbox"))
    return query.order_by(MailLedger.is_quiet, MailLedger.id).limit(1)


def _load(session: Session, row: Row[Any]) -> Stored:
    """Raises KeyError, or another error, where the original is not whole any more."""
    raw = SessionBlobStore(session).get(row.sha256 or "")
    return Stored(row.id, raw, row.tries, row.is_quiet, own_addresses(session), row.as_text, row.is_sent)


def _read(context: Context, stored: Stored) -> Ready | None:
    if stored.as_text:
        return Ready(stored.ledger_id, plain_mail(stored.raw), "", AS_TEXT, stored.is_quiet)
    try:
        read = _read_marked(context.data_dir / "reading" / str(stored.ledger_id), stored.raw)
    except TooCostlyError as error:
        _set_aside(context, stored.ledger_id, f"it was not read: {error}")
        return None
    # Noted only now: reading happens in another process, and whoever ends this one meanwhile means the program.
    if len(stored.raw) > _LARGE and not _note_try(context, stored.ledger_id, stored.tries):
        return None
    mail = replace(read.mail, sender=real_sender(read.mail, own_addresses=stored.own_addresses))
    # What lies among the sent is ours anyway: there the question is whether a person or a program wrote it.
    own = frozenset() if stored.is_sent else stored.own_addresses
    kind = decide_kind(mail, own_addresses=own, is_own_id=lambda one: bool(read_tokens(one, mac=_mac(context))))
    return Ready(stored.ledger_id, mail, read.html, kind, stored.is_quiet)


def _read_marked(mark: Path, raw: bytes) -> ReadMail:
    """A file stands while a small mail is read in this process. Where it stands already, reading that mail ended a
    process: it goes to the one for large mails, whose end is counted, or it would end every worker after us."""
    if len(raw) > SMALL:
        return read_mail(raw)
    apart = _has_ended_its_reader(mark)
    if not apart:
        with suppress(OSError):  # a full disk stops no mail
            _write(mark, str(os.getpid()))
    read = read_mail(raw, apart=True) if apart else read_mail(raw)
    with suppress(OSError):
        mark.unlink(missing_ok=True)
    return read


def _write(mark: Path, text: str) -> None:
    try:
        mark.write_text(text)
    except FileNotFoundError:
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(text)


def _has_ended_its_reader(mark: Path) -> bool:
    """Another process may be at the same mail just now: that is no sign of an end."""
    try:
        reader = int(mark.read_text() or 0)
    except (OSError, ValueError):
        return False
    return reader == os.getpid() or not psutil.pid_exists(reader)


def _mac(context: Context) -> Callable[[bytes], bytes]:
    return lambda message: context.box.mac(TOKEN_PURPOSE, message)


def _take(context: Context, ready: Ready) -> None:
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(MailLedger, ready.ledger_id)
        if row.state != "stored":
            return  # another worker was faster: there is one writer at a time, so this look is enough
        facts = load_facts(uow.session, row, ready.mail, kind=ready.kind, mac=_mac(context), now=context.clock.now())
        plan = intake.decide_intake(ready.mail, facts=facts)
        ticket_id = apply_plan(context, uow, row, ready.mail, plan=plan, html=ready.html)
        follow_monitor(uow, row, plan, facts.rule, ticket_id=ticket_id, now=context.clock.now())
        row.state, row.ticket_id = "done", ticket_id
        row.message_id, row.content_hash = ready.mail.message_id, ready.mail.content_hash
        row.sender, row.subject = ready.mail.from_email[:300], ready.mail.subject[:300]
        row.kind, row.rule_id = ready.kind.kind, plan.rule_id
        row.verdict, row.reason, row.verdict_at = plan.verdict, plan.reason, context.clock.now()


def _note_try(context: Context, ledger_id: int, tries: int) -> bool:
    """Commit that a large mail is about to be taken. False: it ended the process too often and is put aside."""
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(MailLedger, ledger_id)
        if row.state != "stored":
            return False
        if tries >= intake.MAX_TRIES:
            _quarantine(row, f"taking it in ended the program {tries} times", context.clock.now())
            return False
        row.tries += 1
        return True


def _record_failure(context: Context, ledger_id: int, error: Exception) -> None:
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(MailLedger, ledger_id)
        if row.state != "stored":
            return
        row.tries += 1
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        plan = retry.plan_retry(_RETRY, tries=row.tries, now=now)
        row.due_at = plan.due_at
        if plan.due_at is None:
            _quarantine(row, f"it could not be taken in, tried {row.tries} times ({row.last_error})", now)


def _set_aside(context: Context, ledger_id: int, reason: str) -> None:
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(MailLedger, ledger_id)
        if row.state == "stored":
            _quarantine(row, reason, context.clock.now())


def _quarantine(row: MailLedger, reason: str, now: datetime) -> None:
    row.state, row.verdict, row.reason, row.verdict_at = "done", intake.QUARANTINED, reason, now

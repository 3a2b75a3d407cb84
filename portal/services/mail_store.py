"""Originals and ledger rows of what was listed: each message once, whatever its server calls it meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, insert, select, update
from sqlalchemy.orm import Session

from portal.core.intake import IGNORED
from portal.core.mail import ParsedMail
from portal.core.ports import FetchedMail
from portal.models import Database, MailboxRow, MailLedger, SessionBlobStore, UnitOfWork

BATCH_MAILS = 50
BATCH_BYTES = 10_000_000
MAX_MAIL_BYTES = 40_000_000

_CLOCKS = timedelta(days=1)
_AT_ONCE = 200

IsRenumbered = Callable[[str], bool]


@dataclass(frozen=True)
class Arrival:
    """How mails came to be stored. `is_quiet` pages nothing; `is_found_late` was missed at first; `is_sent` lay in the
    folder of sent mail. `is_renumbered` is given while a folder is read anew: whether an id of a row is of the old
    numbering. `old_ones`: heads, by id, of mail from before the folder is read, which gets its row and nothing else.
    `checks_content`: a row with this id and other bytes is of another message, whose number was given anew."""

    is_quiet: bool = False
    is_found_late: bool = False
    is_sent: bool = False
    is_renumbered: IsRenumbered | None = None
    old_ones: Mapping[str, ParsedMail] = field(default_factory=dict)
    checks_content: bool = False


_Key = tuple[str, str]


def store_mails(
    uow: UnitOfWork,
    mailbox: MailboxRow,
    mails: Sequence[FetchedMail],
    *,
    now: datetime,
    arrival: Arrival = Arrival(),
) -> int:
    """Originals and ledger rows of mails not known yet, in the caller's transaction. Gives how many were new."""
    if arrival.checks_content:
        _retire_others(uow.session, mailbox.id, mails)
    known = _known_ids(uow.session, mailbox.id, mails)
    if arrival.is_renumbered is not None:
        known |= _known_by_content(uow.session, mailbox.id, [one for one in mails if _key(one) not in known], arrival)
    blobs = SessionBlobStore(uow.session)
    rows = []
    for mail in mails:
        if _key(mail) not in known:
            known.add(_key(mail))
            sha256 = blobs.put(_original(mail))
            row = _row(mailbox, mail, sha256=sha256, now=now, arrival=arrival)
            rows.append(row | _left_alone(arrival.old_ones.get(mail.provider_id), now))
    if rows:
        uow.session.execute(insert(MailLedger), rows)
    return len(rows)


def retire_ids(database: Database, mailbox_id: int, folder: str, *, is_reused: IsRenumbered) -> int:
    """Take the ids from rows whose folder begins anew and may give them to other messages, which would count as known
    and be lost. The rows are found again by their content. Returns how many; in transactions of its own."""
    with database.read_session() as session:
        query = select(MailLedger.id, MailLedger.provider_id).where(
            MailLedger.mailbox_id == mailbox_id, MailLedger.folder == folder
        )
        ids = [row_id for row_id, provider_id in session.execute(query) if is_reused(provider_id)]
    for start in range(0, len(ids), _AT_ONCE):
        with database.unit_of_work() as uow:
            rows = update(MailLedger).where(MailLedger.id.in_(ids[start : start + _AT_ONCE]))
            uow.session.execute(
                rows.values(provider_id=MailLedger.provider_id + "~" + cast(MailLedger.id, String)),
                execution_options={"synchronize_session": False},
            )
    return len(ids)


def cut_mail(mail: FetchedMail) -> FetchedMail:
    """The mail by its header only, where it is over the size that is taken in."""
    if mail.raw is None or len(mail.raw) <= MAX_MAIL_BYTES:
        return mail
    header = mail.raw.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
    return FetchedMail(
        mail.provider_id, mail.folder, mail.received_at, mail.size, None, header, mail.conversation_id
    )  # fmt: skip


def _row(
    mailbox: MailboxRow, mail: FetchedMail, *, sha256: str, now: datetime, arrival: Arrival
) -> dict[str, Any]:  # fmt: skip
    received_at = min(mail.received_at, now)
    quiet_before = mailbox.quiet_before_at
    return {
        "mailbox_id": mailbox.id,
        "folder": mail.folder,
        "provider_id": mail.provider_id,
        "size": mail.size,
        "received_at": received_at,
        "listed_at": now,
        "sha256": sha256,
        "due_at": now,
        "is_cut": mail.raw is None,
        "is_quiet": arrival.is_quiet or (quiet_before is not None and received_at < quiet_before),
        "is_found_late": arrival.is_found_late,
        "is_sent": arrival.is_sent,
        "conversation_id": mail.conversation_id[:300],
    }


def _left_alone(old: ParsedMail | None, now: datetime) -> dict[str, Any]:
    """What lay there before we came: shown, and let in by hand only."""
    columns = {"state": "stored", "sender": "", "subject": "", "verdict": "", "reason": "", "verdict_at": None}
    if old is None:
        return columns
    reason = "it came before this mailbox was read, and lay among new mail when its folder was read again"
    return columns | {
        "state": "done", "sender": old.from_email[:300], "subject": old.subject[:300], "verdict": IGNORED,
        "reason": reason, "verdict_at": now,
    }  # fmt: skip


def _key(mail: FetchedMail) -> _Key:
    return mail.folder, mail.provider_id


def _original(mail: FetchedMail) -> bytes:
    return mail.header if mail.raw is None else mail.raw


def _known_ids(session: Session, mailbox_id: int, mails: Sequence[FetchedMail]) -> set[_Key]:
    ids = [mail.provider_id for mail in mails]
    query = select(MailLedger.folder, MailLedger.provider_id).where(
        MailLedger.mailbox_id == mailbox_id, MailLedger.provider_id.in_(ids)
    )
    return {(folder, provider_id) for folder, provider_id in session.execute(query)} if ids else set()


def _retire_others(session: Session, mailbox_id: int, mails: Sequence[FetchedMail]) -> None:
    hashes = {_key(mail): hashlib.sha256(_original(mail)).hexdigest() for mail in mails}
    query = select(MailLedger).where(
        MailLedger.mailbox_id == mailbox_id, MailLedger.provider_id.in_([mail.provider_id for mail in mails])
    )
    for row in session.scalars(query).all():
        if hashes.get((row.folder, row.provider_id), row.sha256) != row.sha256:
            row.provider_id = f"{row.provider_id}~{row.id}"
    session.flush()


def _known_by_content(
    session: Session, mailbox_id: int, mails: Sequence[FetchedMail], arrival: Arrival
) -> set[_Key]:  # fmt: skip
    """Messages that only got another number: same bytes, same time of arrival. Their rows learn the new one.

    Without it a mail that names neither itself nor a date would become a second ticket. A row was listed after its
    mail arrived, give or take a clock, which keeps the search short.
    """
    if not mails or arrival.is_renumbered is None:
        return set()
    hashes = [hashlib.sha256(_original(mail)).hexdigest() for mail in mails]
    query = select(MailLedger).where(
        MailLedger.mailbox_id == mailbox_id,
        MailLedger.folder == mails[0].folder,
        MailLedger.listed_at >= min(mail.received_at for mail in mails) - _CLOCKS,
        MailLedger.sha256.in_(hashes),
    )
    waiting = [row for row in session.scalars(query.order_by(MailLedger.id)) if arrival.is_renumbered(row.provider_id)]
    known: set[_Key] = set()
    for mail, sha256 in zip(mails, hashes, strict=True):
        row = next((one for one in waiting if one.sha256 == sha256 and _arrived_alike(one, mail)), None)
        if row is not None:
            waiting.remove(row)
            row.provider_id = mail.provider_id
            known.add(_key(mail))
    session.flush()
    return known


def _arrived_alike(row: MailLedger, mail: FetchedMail) -> bool:
    """A time to come was stored as that of the listing."""
    return row.received_at == min(mail.received_at, row.listed_at)

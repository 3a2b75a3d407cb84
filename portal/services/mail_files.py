"""Mails from files: `.eml`, mbox and folders of them, into the same ledger as mail from a mailbox."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from portal.core.mail import parse_mail, received_at
from portal.core.mbox import is_mbox, split_mbox
from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailLedger
from portal.services.context import Context
from portal.services.mail_intake import take_next
from portal.services.mail_store import BATCH_BYTES, BATCH_MAILS, MAX_MAIL_BYTES, Arrival, store_mails
from portal.services.mailboxes import FILES

_LOOK = 4096
_HEADER_START = (
    b"from",
    b"received",
    b"return-path",
    b"date",
    b"to",
    b"subject",
    b"message-id",
    b"delivered-to",
    b"mime",
)

Pause = Callable[[float], None]


@dataclass
class ImportReport:
    """What an import did. `skipped` names each file that is no mail, and why."""

    found: int = 0
    stored: int = 0
    known: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _FileMail:
    raw: bytes
    source: str


def import_mails(
    context: Context, paths: Sequence[Path], *, may_page: bool = False, pause: Pause = time.sleep
) -> ImportReport:
    """Store every mail below the paths, then give each its verdict. The same mail again is known and left alone.

    Pages nothing unless `may_page`. After each commit it pauses for as long as that one held the database, so that
    people and night mail get their turn (decisions.md 5).
    """
    report = ImportReport()
    mailbox_id = _files_mailbox(context)
    batch: list[FetchedMail] = []
    last_id = _last_row(context)
    for mail in _all_mails(paths, report):
        report.found += 1
        batch.append(_fetched(context, mail))
        if len(batch) >= BATCH_MAILS or sum(one.size for one in batch) >= BATCH_BYTES:
            _store(context, mailbox_id, batch, report, may_page=may_page, pause=pause)
            batch = []
    _store(context, mailbox_id, batch, report, may_page=may_page, pause=pause)
    while take_next(context, mailbox_id=mailbox_id, pause=pause):
        continue
    report.verdicts = _verdicts(context, mailbox_id, last_id)
    return report


def find_mails(path: Path) -> Iterator[tuple[Path, str]]:
    """Every file below a path and what it is: `eml`, `mbox`, or "" with no mail in it. Links are not followed."""
    if path.is_file():
        yield path, _kind_of(path)
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file() and not file.is_symlink():
                yield file, _kind_of(file)


def _kind_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_LOOK)
    if is_mbox(start) and path.suffix.lower() != ".eml":
        return "mbox"
    looks_right = start.lstrip().lower().startswith(_HEADER_START) or b"\nfrom:" in start.lower()
    return "eml" if path.suffix.lower() == ".eml" or looks_right or is_mbox(start) else ""


def _all_mails(paths: Sequence[Path], report: ImportReport) -> Iterator[_FileMail]:
    for path in paths:
        if not path.exists():
            report.skipped.append((str(path), "there is no such file or folder"))
            continue
        for file, kind in find_mails(path):
            try:
                yield from _mails_of(file, kind, report)
            except OSError as error:
                report.skipped.append((str(file), error.strerror or "cannot be read"))


def _mails_of(file: Path, kind: str, report: ImportReport) -> Iterator[_FileMail]:
    if not kind:
        report.skipped.append((str(file), "holds no mail"))
        return
    with file.open("rb") as source:
        if kind == "eml":
            yield _FileMail(source.read(), file.name)
        else:
            yield from (_FileMail(raw, file.name) for raw in split_mbox(source))


def _fetched(context: Context, mail: _FileMail) -> FetchedMail:
    is_large = len(mail.raw) > MAX_MAIL_BYTES
    header = mail.raw[: 512 * 1024].split(b"\r\n\r\n")[0].split(b"\n\n")[0] + b"\n\n" if is_large else b""
    return FetchedMail(
        provider_id=hashlib.sha256(mail.raw).hexdigest(),
        folder="files",
        received_at=received_at(parse_mail(header or mail.raw), now=context.clock.now()),
        size=len(mail.raw),
        raw=None if is_large else mail.raw,
        header=header,
    )


def _store(
    context: Context,
    mailbox_id: int,
    batch: list[FetchedMail],
    report: ImportReport,
    *,
    may_page: bool,
    pause: Pause,
) -> None:
    if not batch:
        return
    began = time.monotonic()
    with context.database.unit_of_work() as uow:
        mailbox = uow.session.get_one(MailboxRow, mailbox_id)
        stored = store_mails(uow, mailbox, batch, now=context.clock.now(), arrival=Arrival(is_quiet=not may_page))
    report.stored += stored
    report.known += len(batch) - stored
    pause(time.monotonic() - began)


def _files_mailbox(context: Context) -> int:
    """The mailbox that stands for files; made at the first import."""
    with context.database.unit_of_work() as uow:
        row = uow.session.scalar(select(MailboxRow).where(MailboxRow.kind == FILES))
        if row is None:
            now = context.clock.now()
            row = MailboxRow(
                name="Files", kind=FILES, address="", is_enabled=False, next_at=now, options={}, secrets={}
            )
            uow.session.add(row)
            uow.session.flush()
        return row.id


def _last_row(context: Context) -> int:
    with context.database.read_session() as session:
        return session.scalar(select(func.max(MailLedger.id))) or 0


def _verdicts(context: Context, mailbox_id: int, after: int) -> dict[str, int]:
    query = select(MailLedger.verdict, func.count().label("mails")).where(
        MailLedger.mailbox_id == mailbox_id, MailLedger.id > after, MailLedger.state == "done"
    )
    with context.database.read_session() as session:
        return {row.verdict: row.mails for row in session.execute(query.group_by(MailLedger.verdict))}

"""Holds a mailbox against the ledger: whatever lies there and has no row is taken in, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError, GatewayError
from portal.core.ports import Mailbox
from portal.core.work import MAIL_FETCH, MAIL_INTAKE
from portal.models import MailboxRow, MailLedger, UnitOfWork
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.context import Context
from portal.services.mail_claims import Claimed, FolderPlace, load_places, own_mailbox
from portal.services.mail_store import MAX_MAIL_BYTES, Arrival, cut_mail, store_mails
from portal.services.mail_tokens import open_account
from portal.services.mailboxes import list_mailboxes

RECONCILE_DAYS = 2
NOT_READ_YET = "not read yet"
_AT_ONCE, _TROUBLES = 500, 3
_IN_TURN = timedelta(minutes=15)
_LANES = 8  # mailboxes compared beside each other

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MailboxCheck:
    """What a look at one mailbox found: `missing` were taken in now, `stuck` are listed but not handed over. `error` is
    one sentence, "" when it could be read."""

    name: str
    listed: int = 0
    missing: int = 0
    stuck: int = 0
    error: str = ""

    @property
    def words(self) -> str:
        """The result as people read it."""
        if self.error:
            return f"Could not be compared: {self.error}"
        found = f"{self.missing:,} had been missed and came in now" if self.missing else "none was missed"
        stuck = f"; {self.stuck:,} cannot be fetched from the server" if self.stuck else ""
        return f"{self.listed:,} message{'' if self.listed == 1 else 's'} compared, {found}{stuck}."


def ask_reconcile(uow: UnitOfWork, *, now: datetime, mailbox_id: int | None = None) -> int:
    """Let the lane of each mailbox that is read, or of one, compare it. Returns how many were asked for.

    The lane does it because a slow server must hold up nothing but its own mailbox.
    """
    rows = [row for row in list_mailboxes(uow.session) if row.is_enabled and mailbox_id in (None, row.id)]
    for row in rows:
        row.reconcile_asked_at = now
    if rows:
        uow.wake(MAIL_FETCH)
    return len(rows)


def reconcile_claimed(context: Context, claimed: Claimed, mailbox: Mailbox) -> MailboxCheck:
    """Compare the mailbox that this lane has in hand. Raises GatewayError."""
    check = _compare(context, claimed.id, claimed.name, mailbox, days=RECONCILE_DAYS)
    with context.database.unit_of_work() as uow:
        row = own_mailbox(uow, claimed)
        if row is not None:
            _save(uow, row, check, now=context.clock.now())
            row.lease_until = None
    return check


def check_mailboxes(context: Context, *, days: int) -> list[MailboxCheck]:
    """Compare every mailbox that is read, beside each other. One that cannot be reached is named and delays none."""
    with context.database.read_session() as session:
        rows = [row for row in list_mailboxes(session) if row.is_enabled]
    with ThreadPoolExecutor(_LANES, "reconcile") as lanes:
        return list(lanes.map(lambda row: check_mailbox(context, row, days=days), rows))


def check_mailbox(context: Context, row: MailboxRow, *, days: int) -> MailboxCheck:
    """Take in what arrived since the mailbox is read, at most `days` ago, and has no row."""
    try:
        mailbox = context.mail.mailbox(open_account(row, context))
        check = _compare(context, row.id, row.name, mailbox, days=days)
    except (GatewayError, DomainError) as error:
        check = MailboxCheck(row.name, error=str(error))
    with context.database.unit_of_work() as uow:
        _save(uow, uow.session.get_one(MailboxRow, row.id), check, now=context.clock.now())
    return check


def _save(uow: UnitOfWork, row: MailboxRow, check: MailboxCheck, *, now: datetime) -> None:
    """What stays unexplained is told: a message that lies there and cannot be had."""
    row.reconcile_asked_at, row.reconcile_result = None, check.words
    if check.error:
        return
    row.reconciled_at = now
    key = f"mail-stuck:{row.id}"
    if check.stuck:
        many = "1 message lies" if check.stuck == 1 else f"{check.stuck:,} messages lie"
        raise_alarm(uow, key, f"{many} in the mailbox {row.name} and cannot be fetched. Please look there.", now=now)
    else:
        end_alarm(uow, key, now=now)


def _compare(context: Context, mailbox_id: int, name: str, mailbox: Mailbox, *, days: int) -> MailboxCheck:
    with context.database.read_session() as session:
        places = [place for place in load_places(session, mailbox_id) if place.cursor]
        row = session.get_one(MailboxRow, mailbox_id)
    if row.read_from_at is None or not any(not place.is_sent for place in places):
        return MailboxCheck(name, error=NOT_READ_YET)
    since = max(context.clock.now() - timedelta(days=days), row.read_from_at)
    total, gone = MailboxCheck(name), []
    for place in places:
        # What was sent by hand before we came is none of ours, nor what lay in a folder before it joined.
        floors = (since, place.read_from_at, row.quiet_before_at if place.is_sent else None)
        try:
            found = _compare_folder(context, mailbox_id, place, mailbox, max(filter(None, floors)))
        except GatewayError as error:
            if error.code != "folder":
                raise
            gone.append(error.message)
            continue
        listed, missing, stuck = total.listed + found.listed, total.missing + found.missing, total.stuck + found.stuck
        total = MailboxCheck(name, listed, missing, stuck)
    if total.missing:
        log.warning("mails had been missed", mailbox=mailbox_id, count=total.missing)
    return replace(total, error=" ".join(gone))


def _compare_folder(
    context: Context, mailbox_id: int, place: FolderPlace, mailbox: Mailbox, since: datetime
) -> MailboxCheck:  # fmt: skip
    found = mailbox.list_ids(place.name, since)
    passed = [pair for pair in found if _is_passed(mailbox, place, pair)]
    outcomes = _take_in_all(context, mailbox_id, place, mailbox, _missing(context, mailbox_id, place, passed))
    stuck = 0
    if None in outcomes.values():  # moved or deleted meanwhile, or really not handed over?
        stuck = sum(outcomes.get(one, True) is None for one, _ in mailbox.list_ids(place.name, since))
    return MailboxCheck("", len(found), sum(bool(one) for one in outcomes.values()), stuck)


def _is_passed(mailbox: Mailbox, place: FolderPlace, pair: tuple[str, datetime]) -> bool:
    """What lies ahead is read in its turn. But where reading came to the end after it was there, it was hidden: unless
    the folder is numbered anew, and then everything in it is read again soon and known by its content."""
    one, at = pair
    if not mailbox.is_ahead(one, place.cursor):
        return True
    is_late = place.caught_up_at is not None and at < place.caught_up_at - _IN_TURN
    return is_late and mailbox.is_reused(one, place.cursor)


def _missing(
    context: Context, mailbox_id: int, place: FolderPlace, passed: Sequence[tuple[str, datetime]]
) -> list[str]:  # fmt: skip
    """What reading has passed and the ledger does not know, oldest first."""
    pairs = sorted(passed, key=lambda pair: pair[1])
    known: set[str] = set()
    with context.database.read_session() as session:
        for start in range(0, len(pairs), _AT_ONCE):
            known |= _known(session, mailbox_id, place.name, pairs[start : start + _AT_ONCE])
    return [one for one, _ in pairs if one not in known]


def _known(
    session: Session, mailbox_id: int, folder: str, pairs: Sequence[tuple[str, datetime]]
) -> set[str]:  # fmt: skip
    """By id, and by when it came: a server put back from a backup gives numbers of lost messages to others."""
    at = dict(pairs)
    query = select(MailLedger.provider_id, MailLedger.received_at, MailLedger.listed_at).where(
        MailLedger.mailbox_id == mailbox_id, MailLedger.folder == folder, MailLedger.provider_id.in_(list(at))
    )
    return {one for one, received_at, listed_at in session.execute(query) if received_at == min(at[one], listed_at)}


def _take_in_all(
    context: Context, mailbox_id: int, place: FolderPlace, mailbox: Mailbox, ids: Sequence[str]
) -> dict[str, bool | None]:  # fmt: skip
    """Trouble with one message holds up no other; so many in a row are trouble with the server."""
    outcomes: dict[str, bool | None] = {}
    troubles = 0
    for one in ids:
        try:
            outcomes[one] = _take_in(context, mailbox_id, place, mailbox, one)
            troubles = 0
        except GatewayError as error:
            outcomes[one], troubles = None, troubles + 1
            if error.permanent or troubles == _TROUBLES:
                raise
    return outcomes


def _take_in(
    context: Context, mailbox_id: int, place: FolderPlace, mailbox: Mailbox, provider_id: str
) -> bool | None:  # fmt: skip
    """True: it had been missed. False: it only got another number. None: the server does not hand it over."""
    mail = mailbox.fetch_one(place.name, provider_id, max_size=MAX_MAIL_BYTES)
    if mail is None:
        return None
    arrival = Arrival(
        is_found_late=True,
        is_sent=place.is_sent,
        is_renumbered=lambda one: mailbox.is_ahead(one, place.cursor),
        checks_content=True,
    )
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, mailbox_id)
        new = store_mails(uow, row, [cut_mail(mail)], now=context.clock.now(), arrival=arrival)
        if new:
            uow.wake(MAIL_INTAKE)
        return bool(new)

"""Stage 1 of mail in (work kind `mail_fetch`): list a due mailbox, store the originals and their ledger rows.

The position is saved in the transaction that stores what was read, so a crash at any statement reads again and never
past. The unique key of the ledger makes reading twice harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from portal.core import retry
from portal.core.errors import GatewayError
from portal.core.mail import ParsedMail
from portal.core.mail_heads import parse_head
from portal.core.ports import MailBatch, Mailbox
from portal.core.work import MAIL_FETCH, MAIL_INTAKE
from portal.models import MailFolder, is_unavailable
from portal.services.context import Context
from portal.services.mail_claims import (
    CHECK,
    RECONCILE,
    Claimed,
    FolderPlace,
    claim_mailbox,
    keeping_mailbox,
    own_mailbox,
)
from portal.services.mail_reconcile import reconcile_claimed
from portal.services.mail_store import (
    BATCH_BYTES,
    BATCH_MAILS,
    MAX_MAIL_BYTES,
    Arrival,
    retire_ids,
    store_mails,
)
from portal.services.mailbox_checks import MailboxFindings, check_account, save_findings

_RESET_OVERLAP = timedelta(days=1)
_CLOCKS = timedelta(days=1)  # how far a server's clock may be wrong

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MailboxRead:
    """What one turn with a mailbox brought: `task` is check, reconcile or read. `error` is one sentence, "" for
    none."""

    name: str
    task: str
    new: int = 0
    has_more: bool = False
    error: str = ""


def fetch_next(context: Context) -> bool:
    """Read one batch of one due mailbox, compare it, or test it. False: none is due."""
    return read_next(context) is not None


def read_next(context: Context) -> MailboxRead | None:
    """As `fetch_next`, and says what happened. None: no mailbox is due."""
    claimed = claim_mailbox(context)
    if claimed is None:
        return None
    try:
        with keeping_mailbox(context, claimed):
            return _do(context, claimed, context.mail.mailbox(claimed.account))
    except GatewayError as error:
        return _save_failure(context, claimed, error)
    except Exception as error:
        if is_unavailable(error):
            _release(context, claimed)
            raise
        log.exception("a mailbox could not be read", mailbox=claimed.id)
        words = f"Reading failed with {type(error).__name__}. The log says more."
        return _save_failure(context, claimed, GatewayError(words))


def _do(context: Context, claimed: Claimed, mailbox: Mailbox) -> MailboxRead:
    if claimed.task == CHECK:
        _save_check(context, claimed, check_account(context, claimed, mailbox))
        return MailboxRead(claimed.name, CHECK)
    if claimed.task == RECONCILE:
        check = reconcile_claimed(context, claimed, mailbox)
        return MailboxRead(claimed.name, RECONCILE, check.missing)
    return _read(context, claimed, mailbox)


def _read(context: Context, claimed: Claimed, mailbox: Mailbox) -> MailboxRead:
    """One batch of each folder; one that is gone holds up no other. The lease is given back with the last."""
    result = MailboxRead(claimed.name, claimed.task)
    gone: list[str] = []
    is_inbox_read = True
    for place in claimed.folders:
        try:
            batch, is_anew = _read_batch(context, claimed, place, mailbox)
        except GatewayError as error:
            if error.code != "folder":
                raise
            gone.append(error.message)
            is_inbox_read = is_inbox_read and place.is_sent
            continue
        if is_anew:
            retire_ids(context.database, claimed.id, place.name, is_reused=_reused_after(mailbox, batch.cursor))
        new = _save_batch(context, claimed, place, batch, is_anew=is_anew, mailbox=mailbox)
        if new is None:
            return result
        result = replace(result, new=result.new + new, has_more=result.has_more or batch.has_more)
    result = replace(result, error=" ".join(gone))
    _finish(context, claimed, result, is_read=is_inbox_read)
    return result


def _read_batch(
    context: Context, claimed: Claimed, place: FolderPlace, mailbox: Mailbox
) -> tuple[MailBatch, bool]:  # fmt: skip
    """What comes next, and whether reading of this folder begins anew with it."""
    if not place.cursor:
        # A folder that joined a mailbox in use is not looked back into.
        since = _floor(claimed, place) if place.is_catching_up else None
        return MailBatch((), mailbox.start(place.name, since), has_more=True), True
    batch = mailbox.fetch(place.name, place.cursor, limit=BATCH_MAILS, byte_limit=BATCH_BYTES, max_size=MAX_MAIL_BYTES)
    if not batch.was_reset:
        return batch, False
    # The server numbered the folder anew. What we have is recognised by its content; older mail stays left alone. Where
    # the end had not been reached, mail of any age may still wait.
    overlap = (place.caught_up_at or claimed.at) - _RESET_OVERLAP
    floor = _floor(claimed, place) or overlap
    since = floor if place.is_catching_up else max(floor, overlap)
    log.warning("a mailbox was renumbered", mailbox=claimed.id, folder=place.name)
    # Once again before its end was reached: a server that forgets all the time is not asked without a pause.
    return MailBatch((), mailbox.start(place.name, since), has_more=not place.is_catching_up), True


def _floor(claimed: Claimed, place: FolderPlace) -> datetime | None:
    """Mail from before is left alone; None: nothing is known of this folder yet. Mail that was sent by hand before we
    came answers nothing that we know."""
    return place.read_from_at or (None if place.is_sent else claimed.read_from_at)


def _reused_after(mailbox: Mailbox, cursor: str) -> Callable[[str], bool]:
    return lambda provider_id: mailbox.is_reused(provider_id, cursor)


def _old_ones(batch: MailBatch, claimed: Claimed, place: FolderPlace) -> Mapping[str, ParsedMail]:
    """The heads of mail from before, by id. In a folder that is read anew it may lie behind what is new: a server that
    was moved keeps no order."""
    floor = _floor(claimed, place) if place.is_catching_up else None
    if floor is None:
        return {}
    old = [mail for mail in batch.mails if mail.received_at < floor - _CLOCKS]
    return {mail.provider_id: parse_head(mail.header if mail.raw is None else mail.raw) for mail in old}


def _save_batch(
    context: Context, claimed: Claimed, place: FolderPlace, batch: MailBatch, *, is_anew: bool, mailbox: Mailbox
) -> int | None:
    """How many mails were new. None: the lease was lost, or the mailbox was changed to another place meanwhile."""
    now = context.clock.now()
    old_ones = _old_ones(batch, claimed, place)
    with context.database.unit_of_work() as uow:
        row, folder = own_mailbox(uow, claimed), uow.session.get(MailFolder, place.id)
        if row is None or folder is None or folder.cursor != place.cursor:
            return None
        # From before the connection: what arrives while it is made pages like any other. Servers know seconds.
        since = claimed.at.replace(microsecond=0)
        if not place.cursor and not place.is_sent:
            row.quiet_before_at = row.quiet_before_at or since
            row.read_from_at = row.read_from_at or since
        folder.read_from_at = folder.read_from_at or _floor(claimed, place) or since
        folder.cursor = batch.cursor
        if is_anew:
            folder.caught_up_at = None
        elif not batch.has_more:
            folder.caught_up_at = now
        is_renumbered = (lambda one: mailbox.is_ahead(one, batch.cursor)) if place.is_catching_up else None
        arrival = Arrival(is_sent=place.is_sent, is_renumbered=is_renumbered, old_ones=old_ones)
        new = store_mails(uow, row, batch.mails, now=now, arrival=arrival)
        if new:
            uow.wake(MAIL_INTAKE)
        return new


def _finish(context: Context, claimed: Claimed, result: MailboxRead, *, is_read: bool) -> None:
    """`is_read`: every folder that requests arrive in was. A missing one counts as failing until it is back."""
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = own_mailbox(uow, claimed)
        if row is None:
            return
        row.last_error, row.lease_until = result.error, None
        row.last_ok_at, row.tries = (now, 0) if is_read else (row.last_ok_at, row.tries + 1)
        row.failing_since_at = None if is_read else row.failing_since_at or now
        row.next_at = now if result.has_more else now + timedelta(seconds=row.interval_s)


def _save_failure(context: Context, claimed: Claimed, error: GatewayError) -> MailboxRead:
    """Shown on the mailbox; asked again soon, or less often when only a person can mend it."""
    now = context.clock.now()
    log.warning("a mailbox could not be read", mailbox=claimed.id, code=error.code, error=error.message)
    result = MailboxRead(claimed.name, claimed.task, error=error.message)
    with context.database.unit_of_work() as uow:
        row = own_mailbox(uow, claimed)
        if row is None:
            return result
        row.lease_until = None
        if claimed.task == CHECK:
            row.check_asked_at, row.check_result, row.check_ok = None, error.message, False
            return result
        if claimed.task == RECONCILE:
            row.reconcile_asked_at, row.reconcile_result = None, f"Could not be compared: {error.message}"
            return result
        row.tries, row.last_error = row.tries + 1, error.message
        row.failing_since_at = row.failing_since_at or now
        plan = retry.plan_retry(retry.MAILBOX, tries=row.tries, now=now, retry_after=error.retry_after)
        slow = now + timedelta(seconds=retry.MAILBOX.waits[-1])
        row.next_at = slow if error.permanent or plan.due_at is None else plan.due_at
    return result


def _save_check(context: Context, claimed: Claimed, found: MailboxFindings) -> None:
    with context.database.unit_of_work() as uow:
        row = own_mailbox(uow, claimed)
        if row is not None:
            save_findings(row, found)
            row.lease_until = None
            row.next_at = min(row.next_at, context.clock.now())
            uow.wake(MAIL_FETCH)


def _release(context: Context, claimed: Claimed) -> None:
    """The database refused what was read (a full disk): the mailbox is free again at once, its position unchanged."""
    with context.database.unit_of_work() as uow:
        row = own_mailbox(uow, claimed)
        if row is not None:
            row.lease_until = None
            row.next_at = context.clock.now() + timedelta(seconds=retry.MAILBOX.waits[1])

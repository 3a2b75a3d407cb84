"""The OAuth tokens of mailboxes: sealed in the database, renewed by one process at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from portal.core.errors import DomainError, GatewayError
from portal.core.ports import MailAccount
from portal.models import MailboxRow, MailToken
from portal.services.context import Context
from portal.services.mailboxes import load_account

# Three network time-outs of a renewal.
LEASE = timedelta(seconds=60)
# How long somebody else's renewal is waited for: it takes one request.
PATIENCE_S = 20.0
_LOOK_EVERY_S = 0.1


def open_account(row: MailboxRow, context: Context) -> MailAccount:
    """As `load_account`, able to renew its tokens. Raises DomainError when the key file is another one."""
    account = load_account(row, context.box)
    return replace(account, tokens=MailTokens(context, row.id)) if account.oauth else account


class MailTokens:
    """The TokenStore port on the table `mail_token`.

    Saving inside `refreshing` is a compare-and-set: whoever lost the lease, to a person who signed in or to another
    process after it ended, has nothing to say any more. Saving outside is a person's sign-in and always stands.
    """

    def __init__(self, context: Context, mailbox_id: int, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._context, self._mailbox_id, self._wait = context, mailbox_id, wait
        self._owner = ""

    def load(self) -> str:
        """See TokenStore.load."""
        sealed = self._sealed()
        try:
            return self._context.box.open(sealed) if sealed else ""
        except DomainError as error:
            raise GatewayError(str(error), permanent=True, code="login") from error

    def save(self, tokens: str) -> None:
        """See TokenStore.save."""
        now, sealed = self._context.clock.now(), self._context.box.seal(tokens)
        with self._context.database.unit_of_work() as uow:
            row = self._row(uow.session)
            if self._owner and row.lease_owner != self._owner:
                raise GatewayError("Somebody signed in for this mailbox meanwhile.", retry_after=5)
            row.sealed, row.changed_at = sealed, now
            if not self._owner:
                row.authorized_at, row.lease_owner, row.lease_until = now, "", None

    @contextmanager
    def refreshing(self) -> Iterator[bool]:
        """See TokenStore.refreshing. Waits while another process renews; False once it did, or takes too long."""
        before, owner = self._sealed(), self._context.random.token(8).hex()
        until = time.monotonic() + PATIENCE_S
        while not self._take(owner):
            if self._sealed() != before or time.monotonic() > until:
                yield False
                return
            self._wait(_LOOK_EVERY_S)
        self._owner = owner
        try:
            yield True
        finally:
            self._owner = ""
            self._give_back(owner)

    def _sealed(self) -> str:
        with self._context.database.read_session() as session:
            row = session.get(MailToken, self._mailbox_id)
            return row.sealed if row else ""

    def _take(self, owner: str) -> bool:
        clock = self._context.clock
        with self._context.database.unit_of_work() as uow:
            row = self._row(uow.session)
            if row.lease_until is not None and (row.lease_until > clock.lease_now() or not clock.may_take_over()):
                return False
            row.lease_owner, row.lease_until = owner, clock.lease_now() + LEASE
            return True

    def _give_back(self, owner: str) -> None:
        with self._context.database.unit_of_work() as uow:
            row = uow.session.get(MailToken, self._mailbox_id)
            if row is not None and row.lease_owner == owner:
                row.lease_owner, row.lease_until = "", None

    def _row(self, session: Session) -> MailToken:
        row = session.get(MailToken, self._mailbox_id)
        if row is None:
            row = MailToken(mailbox_id=self._mailbox_id, sealed="", changed_at=self._context.clock.now())
            session.add(row)
        return row

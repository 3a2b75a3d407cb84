"""Signing in for a mailbox by OAuth: a person begins, a worker asks the provider, the person finishes.

No web request calls outside: each half is a check that a worker tries (`services/checks.py`). What must be kept in
between lies on the mailbox: the link and the code where the page sees them, the rest sealed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.core.errors import DomainError, GatewayError
from portal.core.ports import SecretBox, SignInStep
from portal.core.work import MAIL_FETCH, MAIL_OUT
from portal.models import MailboxRow, MailToken, UnitOfWork
from portal.services.audit import Change, record_change
from portal.services.checks import CheckView, ask_check, load_check
from portal.services.context import Context
from portal.services.mail_tokens import open_account
from portal.services.mailboxes import READ_KINDS, list_mailboxes

SIGN_IN = "sign_in"
APP = "app"
STILL_WAITING = "The code has not been entered yet. Enter it on that page, then look again."


@dataclass(frozen=True)
class SignInView:
    """How signing in for a mailbox stands. `url` and `code`: what a person does next; `last`: what came of the last
    step; `needs_person` is False for an application that signs in by its own right."""

    needs_person: bool
    url: str = ""
    code: str = ""
    expires_at: datetime | None = None
    signed_in_at: datetime | None = None
    last: CheckView | None = None

    @property
    def is_busy(self) -> bool:
        """A worker is asking."""
        return self.last is not None and self.last.is_busy


def load_sign_in(session: Session, row: MailboxRow) -> SignInView | None:
    """None for a mailbox that signs in by a password."""
    oauth = row.options.get("oauth")
    if not oauth:
        return None
    step, token = row.options.get(SIGN_IN, {}), session.get(MailToken, row.id)
    return SignInView(
        needs_person=oauth.get("flow", APP) != APP,
        url=step.get("url", ""),
        code=step.get("code", ""),
        expires_at=datetime.fromisoformat(step["expires_at"]) if step.get("expires_at") else None,
        signed_in_at=token.authorized_at if token else None,
        last=load_check(session, check_name(row.id)),
    )


def find_by_name(session: Session, name: str) -> MailboxRow:
    """The mailbox that signs in by OAuth and has this name, in any case. Raises DomainError, naming those there are."""
    rows = [row for row in list_mailboxes(session) if row.options.get("oauth")]
    for row in rows:
        if row.name.lower() == name.strip().lower():
            return row
    names = ", ".join(row.name for row in rows) or "none yet"
    raise DomainError(f"No mailbox named {name} signs in by OAuth. Those that do: {names}.")


def check_name(mailbox_id: int) -> str:
    """The check by which a worker is asked."""
    return f"{SIGN_IN}:{mailbox_id}"


def begin_sign_in(uow: UnitOfWork, mailbox_id: int, *, change: Change) -> None:
    """Ask for a link, or a code. What was begun before is dropped; a sign-in that works goes on working."""
    row = _existing(uow.session, mailbox_id)
    _keep(row, None)
    ask_check(uow, check_name(row.id), change=change)


def finish_sign_in(uow: UnitOfWork, mailbox_id: int, *, answer: str, box: SecretBox, change: Change) -> None:
    """Hand in the address that the browser ended on; "" when a code was typed elsewhere."""
    row = _existing(uow.session, mailbox_id)
    if SIGN_IN not in row.secrets:
        raise DomainError("Please begin to sign in first.")
    if not answer.strip() and not row.options.get(SIGN_IN, {}).get("code"):
        raise DomainError("Please paste the address your browser ended on.")
    kept = json.loads(box.open(row.secrets[SIGN_IN]))
    row.secrets = {**row.secrets, SIGN_IN: box.seal(json.dumps({**kept, "answer": answer.strip()}))}
    ask_check(uow, check_name(row.id), change=change)


def try_sign_in(context: Context, name: str) -> tuple[bool, str]:
    """A worker's half of either step: whether it worked, and one line for the page. Raises GatewayError."""
    mailbox_id = int(name.partition(":")[2])
    with context.database.read_session() as session:
        row = _existing(session, mailbox_id)
        account = open_account(row, context)
        sealed = row.secrets.get(SIGN_IN, "")
    kept: dict[str, Any] = json.loads(context.box.open(sealed)) if sealed else {}
    sign_in = context.mail.sign_in(account)
    if "answer" not in kept:
        step = sign_in.begin()
        if step.url:
            _save_step(context, mailbox_id, step)
            return True, ""
        kept = {"state": "", "answer": ""}
    try:
        who = sign_in.finish(kept["state"], kept["answer"])
    except GatewayError as error:
        if error.permanent and error.code != "answer":  # another paste may be the right one; nothing else will be
            _drop(context, mailbox_id)
        raise
    if who is None:
        return False, STILL_WAITING
    record_signed_in(context, mailbox_id, who)
    return True, f"Signed in as {who}." if who else "Signed in."


def record_signed_in(context: Context, mailbox_id: int, who: str) -> None:
    """The mailbox is read again at once, and what waits for it is sent."""
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = _existing(uow.session, mailbox_id)
        _keep(row, None)
        row.next_at, row.tries, row.last_error = now, 0, ""
        record_change(uow, Change(None, now), "mailbox.signed_in", row.name, who=who)
        uow.wake(MAIL_FETCH)
        uow.wake(MAIL_OUT)


def _save_step(context: Context, mailbox_id: int, step: SignInStep) -> None:
    sealed = context.box.seal(json.dumps({"state": step.state}))
    with context.database.unit_of_work() as uow:
        row = _existing(uow.session, mailbox_id)
        _keep(row, step)
        row.secrets = {**row.secrets, SIGN_IN: sealed}


def _drop(context: Context, mailbox_id: int) -> None:
    with context.database.unit_of_work() as uow:
        _keep(_existing(uow.session, mailbox_id), None)


def _keep(row: MailboxRow, step: SignInStep | None) -> None:
    """What the page shows of a step; without one nothing is left of any."""
    options = {key: value for key, value in row.options.items() if key != SIGN_IN}
    if step is not None:
        expires_at = step.expires_at.isoformat() if step.expires_at else ""
        options[SIGN_IN] = {"url": step.url, "code": step.code, "expires_at": expires_at}
    row.options = options
    row.secrets = {key: value for key, value in row.secrets.items() if key != SIGN_IN}


def _existing(session: Session, mailbox_id: int) -> MailboxRow:
    row = session.get(MailboxRow, mailbox_id)
    if row is None or row.kind not in READ_KINDS or not row.options.get("oauth"):
        raise DomainError("This mailbox does not sign in by OAuth.")
    return row

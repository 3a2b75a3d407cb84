"""A test mail from a mailbox to whoever asks for one: a worker sends it, the page shows what the server said."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ports import OutgoingMessage
from portal.models import MailboxRow, UnitOfWork, User
from portal.services.audit import Change
from portal.services.checks import CheckView, ask_check, load_check
from portal.services.context import Context
from portal.services.mail_tokens import open_account
from portal.services.mailboxes import READ_KINDS
from portal.services.settings import load_settings

TEST_MAIL = "test_mail"


def load_test_mail(session: Session, mailbox_id: int, user_id: int) -> CheckView | None:
    """How the test mail to this member stands; None when they asked for none."""
    return load_check(session, _name(mailbox_id, user_id))


def ask_test_mail(uow: UnitOfWork, mailbox_id: int, *, change: Change) -> None:
    """Ask for a test mail to the member who acts. Watch mode does not hold it back: it was asked for by hand."""
    if change.actor_id is None:
        raise DomainError("Sign in first: the test mail goes to you.")
    _load_mailbox(uow.session, mailbox_id)
    ask_check(uow, _name(mailbox_id, change.actor_id), change=change)


def try_test_mail(context: Context, name: str) -> tuple[bool, str]:
    """Send the test mail that a check's name asks for. Raises GatewayError or DomainError with what went wrong."""
    mailbox_id, user_id = (int(part) for part in name.split(":")[1:])
    with context.database.read_session() as session:
        mailbox, user = _load_mailbox(session, mailbox_id), session.get(User, user_id)
        if user is None or not user.is_active:
            raise DomainError("Whoever asked does not work here any more.")
        account, site_name = open_account(mailbox, context), load_settings(session).site_name
        message = OutgoingMessage(
            message_id=f"<nd.test.{context.random.token(10).hex()}@{mailbox.address.rpartition('@')[2]}>",
            sender=mailbox.address,
            sender_name=mailbox.sender_name,
            to=(user.email,),
            subject=f"Test mail from {site_name}",
            text=f"Sending from {mailbox.address} works.\n\n{mailbox.signature.strip() or site_name}\n",
            date=context.clock.now(),
        )
    context.mail.sender(account).send(message)
    return True, f"A test mail is on its way to {user.email}. If it does not arrive, look into the spam folder."


def _load_mailbox(session: Session, mailbox_id: int) -> MailboxRow:
    row = session.get(MailboxRow, mailbox_id)
    if row is None or row.kind not in READ_KINDS:
        raise DomainError("This mailbox is gone.")
    return row


def _name(mailbox_id: int, user_id: int) -> str:
    return f"{TEST_MAIL}:{mailbox_id}:{user_id}"

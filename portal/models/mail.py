"""Mailboxes, the ledger of everything ever listed in them, and what we send."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Pk, UtcDateTime
from portal.models.claims import Claim


def _index_where(name: str, *columns: str, where: str) -> Index:
    """An index of few rows among many: it costs the others nothing."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class MailboxRow(Base):
    """A mailbox we read and send from. `kind` is imap, graph, or files for what `portal mail import` brought.

    `options` holds, as its adapter names them, where the servers are and which folders are read; `secrets` the sealed
    passwords and client secrets. `secret_expires_on` is entered by an administrator: no server says it. Who is let in
    stands in the rules (models/mail_rules.py).
    """

    __tablename__ = "mailbox"
    id: Mapped[Pk]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(254))
    sender_name: Mapped[str] = mapped_column(String(200), default="")
    signature: Mapped[str] = mapped_column(Text, default="")
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    interval_s: Mapped[int] = mapped_column(default=20)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secrets: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secret_expires_on: Mapped[date | None]
    takes_duplicates: Mapped[bool] = mapped_column(default=False)  # also of mail another mailbox had
    read_from_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # mail from before is left alone
    quiet_before_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # mail from before pages nothing
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    last_ok_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    failing_since_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the first failure after the last good read
    check_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the test button
    check_result: Mapped[str] = mapped_column(Text, default="")
    check_ok: Mapped[bool] = mapped_column(default=False)
    reconcile_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the button, or portal mail check
    reconciled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reconcile_result: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)


class MailFolder(Base):
    """Where reading stands in one folder of a mailbox. `role` is inbox, or sent for what was answered by hand.

    `cursor` is what the adapter gave last, opaque to everybody else; "" means never read. `read_from_at`: mail from
    before is left alone. `caught_up_at` is when reading last came to the end of the folder.
    """

    __tablename__ = "mail_folder"
    id: Mapped[Pk]
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(10), default="inbox")
    cursor: Mapped[str] = mapped_column(Text, default="")
    read_from_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    caught_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)


class MailToken(Base):
    """The sealed OAuth tokens of a mailbox. Whoever holds the lease refreshes; the others wait and read again."""

    __tablename__ = "mail_token"
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authorized_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when a person last signed in for it
    lease_owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MailLedger(Claim, Base):
    """One row for each message ever listed. `state` is stored (original kept, verdict due) or done.

    `verdict` is ticket, reply, automatic, bounce, ignored, duplicate or quarantined; `reason` says why. `kind` is what
    `core/mail_kinds.py` took it for. `is_sent` came from the folder of sent mail. `as_text` asks for the plain import
    of a mail that could not be parsed.
    """

    __tablename__ = "mail_ledger"
    id: Mapped[Pk]
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id"))
    folder: Mapped[str] = mapped_column(String(200))
    provider_id: Mapped[str] = mapped_column(String(300))
    conversation_id: Mapped[str] = mapped_column(String(300), default="")
    message_id: Mapped[str] = mapped_column(String(500), default="", index=True)
    content_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    sender: Mapped[str] = mapped_column(String(300), default="")
    subject: Mapped[str] = mapped_column(String(300), default="")
    kind: Mapped[str] = mapped_column(String(20), default="")
    size: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    listed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    verdict: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    verdict_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("mail_rule.id"))
    is_quiet: Mapped[bool] = mapped_column(default=False)  # import or first connection: pages nothing
    is_found_late: Mapped[bool] = mapped_column(default=False)
    is_cut: Mapped[bool] = mapped_column(default=False)  # over the size limit: only its header was fetched
    is_sent: Mapped[bool] = mapped_column(default=False)
    is_released: Mapped[bool] = mapped_column(default=False)  # by a person: no filter looks at it again
    as_text: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (
        UniqueConstraint("mailbox_id", "folder", "provider_id"),
        Index("ix_mail_ledger_due", "state", "is_quiet", "id"),
        Index("ix_mail_ledger_verdict", "verdict", "id"),
        Index("ix_mail_ledger_mailbox", "mailbox_id", "id"),
        Index("ix_mail_ledger_conversation", "mailbox_id", "conversation_id"),
        Index("ix_mail_ledger_received", "received_at", "id", "verdict"),  # the last column serves the counts alone
        _index_where("ix_mail_ledger_late", "id", where="is_found_late"),
        _index_where("ix_mail_ledger_rule", "rule_id", "id", where="rule_id IS NOT NULL"),
    )


class KnownMessageId(Base):
    """Every Message-ID that belongs to a ticket: of mail we took in, sent, or (not `is_seen`) only saw referred to."""

    __tablename__ = "known_message_id"
    message_id: Mapped[str] = mapped_column(String(500), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    is_ours: Mapped[bool] = mapped_column(default=False)
    is_seen: Mapped[bool] = mapped_column(default=True)


class OutgoingMail(Claim, Base):
    """One mail to go out. `state` is pending, sending, sent, failed or cancelled.

    `event` is confirmation, answer, resolved ...; the Message-ID is made before the first try and kept.
    UNIQUE(dedupe_key): one confirmation a ticket, one mail a message. `delivery` is "", delayed or failed, as the
    report that came back says in `delivery_text`.
    """

    __tablename__ = "outgoing_mail"
    id: Mapped[Pk]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    message_row_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailbox.id"))
    event: Mapped[str] = mapped_column(String(30))
    dedupe_key: Mapped[str] = mapped_column(String(100), unique=True)
    to: Mapped[list[Any]] = mapped_column(default=list)
    cc: Mapped[list[Any]] = mapped_column(default=list)
    subject: Mapped[str] = mapped_column(String(400))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    message_id: Mapped[str] = mapped_column(String(500), index=True)
    in_reply_to: Mapped[str] = mapped_column(String(500), default="")
    references: Mapped[list[Any]] = mapped_column(default=list)
    is_automatic: Mapped[bool] = mapped_column(default=True)
    attachment_ids: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivery: Mapped[str] = mapped_column(String(10), default="")
    delivery_text: Mapped[str] = mapped_column(Text, default="")
    delivery_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (Index("ix_outgoing_mail_due", "state", "due_at"),)

"""One mailbox: its name, the server to read from, the server to send by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, PasswordField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.models import MailboxRow
from portal.services.mailboxes import MAX_INTERVAL_S, MIN_INTERVAL_S, MailboxForm, Server

_SECURITY = [
    SelectChoice("tls", "TLS"),
    SelectChoice("starttls", "STARTTLS"),
    SelectChoice("plain", "None (only inside your own network)"),
]
_LOOK_BACK = [
    SelectChoice("0", "Only what comes from now on"),
    SelectChoice("1", "The last day"),
    SelectChoice("7", "The last week"),
    SelectChoice("30", "The last 30 days"),
]
_PORT = NumberRange(1, 65535, "A port is a number from 1 to 65535.")


class EditMailbox(FlaskForm):  # type: ignore[misc]
    """Empty passwords keep what is stored."""

    name = StringField("Name", [InputRequired("Give the mailbox a name."), Length(max=90)])
    address = StringField("Mail address", [InputRequired("Give its mail address."), Length(max=254)])
    sender_name = StringField(
        "Name of the sender", [Length(max=200)], description="Stands before the address in what we send."
    )
    queue = SelectField("Queue of its tickets", coerce=int, description="Rules may move a ticket on.")
    is_enabled = BooleanField("Read this mailbox", default=True)
    interval_s = IntegerField(
        "Seconds between looks",
        [
            InputRequired("Give the seconds."),
            NumberRange(MIN_INTERVAL_S, MAX_INTERVAL_S, f"From {MIN_INTERVAL_S} to {MAX_INTERVAL_S}."),
        ],
        default=20,
    )
    imap_host = StringField("Server for reading (IMAP)", [InputRequired("Give the server.")])
    imap_port = IntegerField("Port", [InputRequired("Give the port."), _PORT], default=993)
    imap_security = SelectField("Encryption", choices=_SECURITY, default="tls")
    imap_user = StringField("User", [InputRequired("Give the user.")])
    imap_password = PasswordField("Password")
    folder = StringField("Folder", [InputRequired("Give the folder.")], default="INBOX")
    look_back = SelectField(
        "First connection",
        choices=_LOOK_BACK,
        default="0",
        description="What lies there already pages nobody and is not answered.",
    )
    smtp_host = StringField("Server for sending (SMTP)", description="Empty: this mailbox sends nothing.")
    smtp_port = IntegerField("Port", [Optional(), _PORT], default=587)
    smtp_security = SelectField("Encryption", choices=_SECURITY, default="starttls")
    smtp_user = StringField("User", description="Empty: no login.")
    smtp_password = PasswordField("Password")

    def offer_queues(self, queues: Sequence[tuple[int, str]]) -> None:
        """Fill the list of queues."""
        self.queue.choices = [SelectChoice(0, "None"), *(SelectChoice(id, name) for id, name in queues)]

    def fill(self, row: MailboxRow) -> None:
        """Show what is stored, but no password."""
        imap, smtp = row.options.get("imap", {}), row.options.get("smtp", {})
        self.name.data, self.address.data, self.sender_name.data = row.name, row.address, row.sender_name
        self.queue.data, self.is_enabled.data, self.interval_s.data = row.queue_id or 0, row.is_enabled, row.interval_s
        self.folder.data = row.options.get("folder", "INBOX")
        self.imap_host.data, self.imap_port.data = imap.get("host", ""), imap.get("port", 993)
        self.imap_security.data, self.imap_user.data = imap.get("security", "tls"), imap.get("user", "")
        self.smtp_host.data, self.smtp_port.data = smtp.get("host", ""), smtp.get("port", 587)
        self.smtp_security.data, self.smtp_user.data = smtp.get("security", "starttls"), smtp.get("user", "")

    def as_mailbox(self, *, now: datetime) -> MailboxForm:
        """What the service saves."""
        days = int(self.look_back.data or 0)
        return MailboxForm(
            name=self.name.data or "",
            address=self.address.data or "",
            sender_name=self.sender_name.data or "",
            queue_id=self.queue.data or None,
            folder=(self.folder.data or "INBOX").strip(),
            interval_s=self.interval_s.data,
            is_enabled=bool(self.is_enabled.data),
            read_from_at=now - timedelta(days=days) if days else None,
            imap=Server(
                self.imap_host.data or "", self.imap_port.data, self.imap_security.data,
                self.imap_user.data or "", self.imap_password.data or "",
            ),
            smtp=Server(
                self.smtp_host.data or "", self.smtp_port.data or 0, self.smtp_security.data,
                self.smtp_user.data or "", self.smtp_password.data or "",
            ),
        )  # fmt: skip

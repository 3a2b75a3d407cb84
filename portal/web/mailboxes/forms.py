"""One mailbox: its name, the server to read from, the server to send by."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.models import MailboxRow
from portal.services.mailboxes import MAX_INTERVAL_S, MIN_INTERVAL_S, MailboxForm, Server, inbox_folders, is_started

_SECURITY = [
    SelectChoice("tls", "TLS"),
    SelectChoice("starttls", "STARTTLS"),
    SelectChoice("plain", "None (only inside your own network)"),
]
_SIGN_IN = [
    SelectChoice("", "With a password"),
    SelectChoice("google", "With Google (OAuth)"),
    SelectChoice("microsoft", "With Microsoft (OAuth)"),
]
_FLOWS = [
    SelectChoice("code", "A person, by a link and the address it ends on"),
    SelectChoice("device", "A person, by a code typed elsewhere (Microsoft)"),
    SelectChoice("app", "The application itself (Microsoft)"),
]
_FROM_NOW, _ASK = "0", "ask"
_LOOK_BACK = [
    SelectChoice(_FROM_NOW, "Only what comes from now on"),
    SelectChoice(_ASK, "Older mail too: count it first, then ask me"),
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
    sign_in = SelectField("Sign in", choices=_SIGN_IN, default="", description="For reading and for sending.")
    client_id = StringField("Client ID", [Length(max=200)], description="Of the application you registered there.")
    client_secret = PasswordField("Client secret")
    tenant = StringField("Tenant", [Length(max=200)], description="Microsoft only: the directory’s ID or domain.")
    flow = SelectField("Who signs in", choices=_FLOWS, default="code")
    folders = TextAreaField("Folders", default="INBOX", description="One a line.")
    sent_folder = StringField(
        "Folder of sent mail",
        [Length(max=200)],
        description="What is answered there by hand joins its ticket. Empty: not read. The test finds its name.",
    )
    secret_expires_on = DateField(
        "Password expires on", [Optional()], description="You are warned 30, 14, 7 and 1 day before."
    )
    look_back = SelectField(
        "First connection",
        choices=_LOOK_BACK,
        default="0",
        description="What lies there already pages nobody and is not answered.",
    )
    signature = TextAreaField("Signature", [Length(max=2000)], description="Stands below what we send from it.")
    takes_duplicates = BooleanField(
        "Own tickets for mail that another mailbox had too",
        description="Off: mail to two of your addresses makes one ticket.",
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
        oauth = row.options.get("oauth", {})
        self.sign_in.data, self.client_id.data = oauth.get("provider", ""), oauth.get("client_id", "")
        self.tenant.data, self.flow.data = oauth.get("tenant", ""), oauth.get("flow", "code")
        self.signature.data, self.takes_duplicates.data = row.signature, row.takes_duplicates
        self.folders.data, self.sent_folder.data = "\n".join(inbox_folders(row)), row.options.get("sent_folder", "")
        self.secret_expires_on.data = row.secret_expires_on
        self.imap_host.data, self.imap_port.data = imap.get("host", ""), imap.get("port", 993)
        self.imap_security.data, self.imap_user.data = imap.get("security", "tls"), imap.get("user", "")
        self.smtp_host.data, self.smtp_port.data = smtp.get("host", ""), smtp.get("port", 587)
        self.smtp_security.data, self.smtp_user.data = smtp.get("security", "starttls"), smtp.get("user", "")

    def as_mailbox(self, row: MailboxRow | None) -> MailboxForm:
        """What the service saves. A new mailbox may wait for "from when?"; one that waits goes on waiting."""
        waits = self.look_back.data == _ASK if row is None else not is_started(row)
        return MailboxForm(
            name=self.name.data or "",
            address=self.address.data or "",
            sender_name=self.sender_name.data or "",
            queue_id=self.queue.data or None,
            signature=self.signature.data or "",
            oauth=self._oauth(),
            client_secret=self.client_secret.data or "",
            folders=tuple(filter(None, map(str.strip, (self.folders.data or "INBOX").splitlines()))),
            sent_folder=(self.sent_folder.data or "").strip(),
            secret_expires_on=self.secret_expires_on.data,
            takes_duplicates=bool(self.takes_duplicates.data),
            interval_s=self.interval_s.data,
            is_enabled=bool(self.is_enabled.data),
            waits=waits,
            imap=Server(
                self.imap_host.data or "", self.imap_port.data, self.imap_security.data,
                self.imap_user.data or "", self.imap_password.data or "",
            ),
            smtp=Server(
                self.smtp_host.data or "", self.smtp_port.data or 0, self.smtp_security.data,
                self.smtp_user.data or "", self.smtp_password.data or "",
            ),
        )  # fmt: skip

    def _oauth(self) -> dict[str, str]:
        """As `integrations/oauth` names it; empty for a password."""
        if not self.sign_in.data:
            return {}
        found = {
            "provider": self.sign_in.data, "client_id": self.client_id.data, "tenant": self.tenant.data,
            "flow": self.flow.data, "user": self.imap_user.data,
        }  # fmt: skip
        return {"protocol": "imap", **{key: (value or "").strip() for key, value in found.items() if value}}

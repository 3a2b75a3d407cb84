"""One mailbox at Microsoft 365: its address, the registered application, the folders."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.models import MailboxRow
from portal.services.mailboxes import MAX_INTERVAL_S, MIN_INTERVAL_S, MailboxForm, inbox_folders, is_started
from portal.services.mailboxes_graph import INBOX_FOLDER, SENT_FOLDER, GraphPlace, load_place

_FLOWS = [
    SelectChoice("app", "The application by its own right (recommended)"),
    SelectChoice("code", "A person, by a link"),
    SelectChoice("device", "A person, by a code typed in any browser"),
]
_CLOUDS = [
    SelectChoice("global", "Microsoft 365"),
    SelectChoice("us", "US government (GCC High)"),
    SelectChoice("us_dod", "US government (DoD)"),
    SelectChoice("china", "China (21Vianet)"),
]
_ASK = "ask"
_LOOK_BACK = [
    SelectChoice("0", "Only what comes from now on"),
    SelectChoice(_ASK, "Older mail too: count it first, then ask me"),
]


class EditGraphMailbox(FlaskForm):  # type: ignore[misc]
    """An empty client secret keeps what is stored."""

    name = StringField("Name", [InputRequired("Give the mailbox a name."), Length(max=90)])
    address = StringField(
        "Mail address", [InputRequired("Give its mail address."), Length(max=254)],
        description="A shared mailbox is as good as any.",
    )  # fmt: skip
    sender_name = StringField(
        "Name of the sender", [Length(max=200)], description="Stands before the address in what we send."
    )
    signature = TextAreaField("Signature", [Length(max=2000)], description="Stands below what we send from it.")
    queue = SelectField("Queue of its tickets", coerce=int, description="Rules may move a ticket on.")
    is_enabled = BooleanField("Read this mailbox", default=True)
    takes_duplicates = BooleanField(
        "Own tickets for mail that another mailbox had too",
        description="Off: mail to two of your addresses makes one ticket.",
    )
    tenant = StringField(
        "Directory (tenant) ID", [InputRequired("Give the tenant."), Length(max=255)],
        description="On the overview of the app registration in Microsoft Entra.",
    )  # fmt: skip
    client_id = StringField("Application (client) ID", [InputRequired("Give the client ID."), Length(max=64)])
    client_secret = PasswordField("Client secret")
    secret_expires_on = DateField(
        "Client secret expires on", [Optional()],
        description="Shown beside it in Microsoft Entra. You are warned 30, 14, 7 and 1 day before.",
    )  # fmt: skip
    flow = SelectField("Who signs in", choices=_FLOWS, default="app")
    folders = TextAreaField(
        "Folders", default=INBOX_FOLDER, description="One a line, with slashes for folders within: Inbox/Support."
    )
    sent_folder = StringField(
        "Folder of sent mail", [Length(max=200)], default=SENT_FOLDER,
        description="What is answered there by hand joins its ticket. Empty: not read.",
    )  # fmt: skip
    interval_s = IntegerField(
        "Seconds between looks",
        [
            InputRequired("Give the seconds."),
            NumberRange(MIN_INTERVAL_S, MAX_INTERVAL_S, f"From {MIN_INTERVAL_S} to {MAX_INTERVAL_S}."),
        ],
        default=20,
    )
    look_back = SelectField(
        "First connection", choices=_LOOK_BACK, default="0",
        description="What lies there already pages nobody and is not answered.",
    )  # fmt: skip
    cloud = SelectField("Cloud", choices=_CLOUDS, default="global")
    graph_url = StringField("Address of Graph", [Length(max=200)], description="Only for a proxy or a test.")
    login_url = StringField("Address to sign in", [Length(max=200)], description="Only for a proxy or a test.")

    def offer_queues(self, queues: Sequence[tuple[int, str]]) -> None:
        """Fill the list of queues."""
        self.queue.choices = [SelectChoice(0, "None"), *(SelectChoice(id, name) for id, name in queues)]

    @property
    def has_own_place(self) -> bool:
        """Something other than the usual cloud is set, or wrong."""
        fields = (self.cloud, self.graph_url, self.login_url)
        return self.cloud.data != "global" or any(field.errors for field in fields) or bool(self.graph_url.data)

    def fill(self, row: MailboxRow) -> None:
        """Show what is stored, but no secret."""
        self.name.data, self.address.data, self.sender_name.data = row.name, row.address, row.sender_name
        self.queue.data, self.is_enabled.data, self.interval_s.data = row.queue_id or 0, row.is_enabled, row.interval_s
        self.signature.data, self.takes_duplicates.data = row.signature, row.takes_duplicates
        self.folders.data, self.sent_folder.data = "\n".join(inbox_folders(row)), row.options.get("sent_folder", "")
        self.secret_expires_on.data = row.secret_expires_on
        for name, value in vars(load_place(row)).items():
            self[name].data = value

    def as_place(self) -> GraphPlace:
        """The application and its cloud."""
        names = ("tenant", "client_id", "flow", "cloud", "graph_url", "login_url")
        return GraphPlace(**{name: self[name].data or "" for name in names})

    def as_mailbox(self, row: MailboxRow | None) -> MailboxForm:
        """What every mailbox has. A new one may wait for "from when?"; one that waits goes on waiting."""
        return MailboxForm(
            name=self.name.data or "",
            address=self.address.data or "",
            sender_name=self.sender_name.data or "",
            signature=self.signature.data or "",
            queue_id=self.queue.data or None,
            client_secret=self.client_secret.data or "",
            folders=tuple(filter(None, map(str.strip, (self.folders.data or INBOX_FOLDER).splitlines()))),
            sent_folder=(self.sent_folder.data or "").strip(),
            secret_expires_on=self.secret_expires_on.data,
            takes_duplicates=bool(self.takes_duplicates.data),
            interval_s=self.interval_s.data,
            is_enabled=bool(self.is_enabled.data),
            waits=self.look_back.data == _ASK if row is None else not is_started(row),
        )

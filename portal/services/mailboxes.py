"""Mailboxes as administrators set them up: loaded, saved with a trace, and asked for a test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ports import MailAccount, SecretBox
from portal.models import MailboxRow, MailFolder, MailToken, UnitOfWork
from portal.services.audit import Change, record_change

IMAP, GRAPH, FILES = "imap", "graph", "files"
READ_KINDS = (IMAP, GRAPH)
_OWN_ADDRESSES = select(MailboxRow.address).where(MailboxRow.kind.in_(READ_KINDS))  # built once: asked for each mail
INBOX, SENT = "inbox", "sent"  # roles of folders
SECURITY = ("tls", "starttls", "plain")
MIN_INTERVAL_S, MAX_INTERVAL_S = 5, 3600
_MAX_FOLDER = 200
# Where the mail of our address goes to another server, some may have arrived there before anybody told us.
_MOVED_OVERLAP = timedelta(days=7)
_CLOCKS = timedelta(hours=1)
_ADDRESS = re.compile(r"[^\s@<>\"(),;:]+@[^\s@<>\"(),;:]+")


@dataclass(frozen=True)
class Server:
    """One server of a mailbox. An empty host means there is none; an empty password keeps the stored one."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class MailboxForm:
    """What the mailbox page and the settings file set. `read_from_at` counts for the first connection only; `waits`
    leaves the mailbox alone until somebody says from when to read it. `oauth` and `graph` hold what their adapters
    name; an empty `client_secret` keeps the stored one."""

    name: str
    address: str
    imap: Server = Server("", 0, "tls")
    smtp: Server = Server("", 0, "tls")
    kind: str = IMAP
    sender_name: str = ""
    signature: str = ""
    queue_id: int | None = None
    folders: tuple[str, ...] = ("INBOX",)
    sent_folder: str = ""
    interval_s: int = 20
    is_enabled: bool = True
    waits: bool = False
    read_from_at: datetime | None = None
    secret_expires_on: date | None = None
    takes_duplicates: bool = False
    oauth: Mapping[str, Any] = field(default_factory=dict)
    graph: Mapping[str, Any] = field(default_factory=dict)
    client_secret: str = field(default="", repr=False)


def list_mailboxes(session: Session) -> Sequence[MailboxRow]:
    """Every mailbox that is read, by name."""
    return session.scalars(select(MailboxRow).where(MailboxRow.kind.in_(READ_KINDS)).order_by(MailboxRow.name)).all()


def load_account(row: MailboxRow, box: SecretBox) -> MailAccount:
    """What the adapters need, with opened secrets. Raises DomainError when the key file is another one."""
    secret = row.secrets.get("oauth", "")
    oauth = dict(row.options.get("oauth", {}))
    return MailAccount(
        key=str(row.id),
        kind=row.kind,
        imap=_server(row, "imap", box),
        smtp=_server(row, "smtp", box),
        graph=dict(row.options.get("graph", {})),
        oauth={**oauth, "client_secret": box.open(secret)} if oauth and secret else oauth,
    )


def inbox_folders(row: MailboxRow) -> tuple[str, ...]:
    """The folders that requests arrive in."""
    return tuple(row.options.get("folders") or ("INBOX",))


def is_started(row: MailboxRow) -> bool:
    """False until somebody said from when to read it."""
    return not row.options.get("waits")


def save_mailbox(
    uow: UnitOfWork, form: MailboxForm, *, box: SecretBox, change: Change, mailbox_id: int | None = None
) -> MailboxRow:
    """Add a mailbox, or change one; it is read again at once. Raises DomainError with what is wrong with the form."""
    row = uow.session.get(MailboxRow, mailbox_id) if mailbox_id else None
    if mailbox_id and row is None:
        raise DomainError("This mailbox is gone.")
    _check(uow.session, form, row)
    if row is None:
        row = MailboxRow(kind=form.kind, options={}, secrets={}, read_from_at=form.read_from_at)
        uow.session.add(row)
    is_moved = _is_moved(row, form)
    if is_moved:
        uow.session.execute(delete(MailFolder).where(MailFolder.mailbox_id == row.id))
    if is_moved and row.address.lower() != form.address.strip().lower():
        # Somebody else's mailbox: what was read says nothing about it. Its first connection is quiet again.
        row.quiet_before_at, row.read_from_at, row.last_ok_at = None, form.read_from_at, None
    before = row.options.get("oauth", {}), row.options.get("graph", {})
    _fill(row, form, box)
    row.next_at, row.tries, row.last_error, row.check_result = change.at, 0, "", ""
    uow.session.flush()
    is_new_secret = bool(form.client_secret) and form.oauth.get("flow") == "app"
    if is_new_secret or before != (row.options.get("oauth", {}), row.options.get("graph", {})):
        _forget_sign_in(uow.session, row.id)
    wanted = {**dict.fromkeys(form.folders, INBOX), form.sent_folder: SENT}
    _keep_folders(uow.session, row, wanted, now=change.at, is_moved=is_moved)
    record_change(uow, change, "mailbox.edit" if mailbox_id else "mailbox.add", row.name, options=row.options)
    if not is_started(row):
        row.check_asked_at = change.at
    uow.wake("mail_fetch")
    return row


def _fill(row: MailboxRow, form: MailboxForm, box: SecretBox) -> None:
    row.name, row.address, row.sender_name = form.name.strip(), form.address.strip(), form.sender_name.strip()
    row.signature, row.queue_id, row.interval_s = form.signature.strip(), form.queue_id, form.interval_s
    row.secret_expires_on, row.takes_duplicates = form.secret_expires_on, form.takes_duplicates
    options: dict[str, Any] = {"folders": list(form.folders), "sent_folder": form.sent_folder}
    options |= {"imap": _public(form.imap), "smtp": _public(form.smtp)}
    options |= {name: dict(found) for name, found in (("oauth", form.oauth), ("graph", form.graph)) if found}
    row.is_enabled = form.is_enabled and not form.waits
    row.options = {**options, "waits": True} if form.waits else options
    given = {"imap": form.imap.password, "smtp": form.smtp.password, "oauth": form.client_secret}
    sealed = {name: box.seal(secret) if secret else row.secrets.get(name, "") for name, secret in given.items()}
    row.secrets = {name: secret for name, secret in sealed.items() if secret}


def start_mailbox(uow: UnitOfWork, mailbox_id: int, *, read_from_at: datetime | None, change: Change) -> None:
    """Begin to read a mailbox that waited for "from when?"; None takes only what comes from now on."""
    row = _existing(uow, mailbox_id)
    if is_started(row):
        raise DomainError("This mailbox is being read already.")
    row.options = {key: value for key, value in row.options.items() if key != "waits"}
    row.is_enabled, row.read_from_at, row.next_at = True, read_from_at, change.at
    since = read_from_at.isoformat() if read_from_at else ""
    record_change(uow, change, "mailbox.start", row.name, read_from=since)
    uow.wake("mail_fetch")


def set_sent_folder(uow: UnitOfWork, mailbox_id: int, *, folder: str, change: Change) -> None:
    """Read this folder of sent mail too, as the test button offers; "" reads none."""
    row = _existing(uow, mailbox_id)
    if folder in inbox_folders(row):
        raise DomainError(f"Requests are read from {folder} already.")
    row.options = {**row.options, "sent_folder": folder}
    wanted = {**dict.fromkeys(inbox_folders(row), INBOX), folder: SENT}
    _keep_folders(uow.session, row, wanted, now=change.at)
    record_change(uow, change, "mailbox.edit", row.name, sent_folder=folder)


def delete_mailbox(uow: UnitOfWork, mailbox_id: int, *, change: Change) -> None:
    """Stop reading a mailbox for good. Its row stays, because the ledger refers to it; its secrets go."""
    row = _existing(uow, mailbox_id)
    record_change(uow, change, "mailbox.delete", row.name)
    row.name, row.kind, row.is_enabled = f"{row.name[:70]} (removed {row.id})", "removed", False
    row.options, row.secrets, row.lease_until = {}, {}, None
    _forget_sign_in(uow.session, row.id)


def ask_check(uow: UnitOfWork, mailbox_id: int, *, change: Change) -> None:
    """The test button: a worker looks at both servers, since no web request calls outside."""
    row = _existing(uow, mailbox_id)
    row.check_asked_at, row.check_result, row.check_ok = change.at, "", False
    uow.wake("mail_fetch")


def ask_read(uow: UnitOfWork, *, now: datetime) -> int:
    """Let every mailbox that is switched on be read at once. Returns how many there are."""
    rows = [row for row in list_mailboxes(uow.session) if row.is_enabled]
    for row in rows:
        row.next_at = now
    if rows:
        uow.wake("mail_fetch")
    return len(rows)


def can_send(options: Mapping[str, Any]) -> bool:
    """Whether mail goes out through the mailbox with these options: at Microsoft 365, or by a server for it."""
    return bool(options.get("graph") or options.get("smtp", {}).get("host"))


def own_addresses(session: Session) -> frozenset[str]:
    """The addresses we send from, in lower case."""
    addresses = session.scalars(_OWN_ADDRESSES)
    return frozenset(address.lower() for address in addresses)


def _existing(uow: UnitOfWork, mailbox_id: int) -> MailboxRow:
    row = uow.session.get(MailboxRow, mailbox_id)
    if row is None or row.kind not in READ_KINDS:
        raise DomainError("This mailbox is gone.")
    return row


def _forget_sign_in(session: Session, mailbox_id: int) -> None:
    """Tokens are of the account and the application they were given to; of another they would open the wrong door."""
    session.execute(delete(MailToken).where(MailToken.mailbox_id == mailbox_id))


def _keep_folders(
    session: Session, row: MailboxRow, wanted: Mapping[str, str], *, now: datetime, is_moved: bool = False
) -> None:
    """A row for each folder that is read; what was read of a folder that stays is not forgotten.

    One that takes another's place, or lies on another server now, is looked back into as far as mail may have been
    missed. One that only joins a mailbox in use has its end behind it: what comes from now on is read.
    """
    query = select(MailFolder).where(MailFolder.mailbox_id == row.id)
    known = {one.name: one for one in session.scalars(query)}
    gone = [one for name, one in known.items() if wanted.get(name) != one.role]
    since = _last_read(row, now)
    for one in gone:
        session.delete(one)
    session.flush()
    for name, role in wanted.items():
        if not name or (name in known and known[name].role == role):
            continue
        folder = MailFolder(mailbox_id=row.id, name=name, role=role)
        if row.quiet_before_at is None:
            folder.read_from_at = None
        elif is_moved or (role == INBOX and any(one.role == INBOX for one in gone)):
            back = min(since, now - _MOVED_OVERLAP) if is_moved else since
            floor = row.quiet_before_at if role == SENT else row.read_from_at
            folder.read_from_at = max(back, floor or back)
        else:
            folder.read_from_at = folder.caught_up_at = now
        session.add(folder)
    session.flush()


def _last_read(row: MailboxRow, now: datetime) -> datetime:
    """Mail from before was taken in, give or take a server's clock."""
    return min(row.last_ok_at or now, now) - _CLOCKS


def _server(row: MailboxRow, name: str, box: SecretBox) -> Mapping[str, Any]:
    server = dict(row.options.get(name, {}))
    sealed = row.secrets.get(name, "")
    return {**server, "password": box.open(sealed)} if server and sealed else server


def _public(server: Server) -> dict[str, Any]:
    if not server.host.strip():
        return {}
    return {
        "host": server.host.strip(), "port": server.port, "security": server.security, "user": server.user.strip(),
    }  # fmt: skip


def _is_moved(row: MailboxRow, form: MailboxForm) -> bool:
    """Another server or user than before."""
    before, imap = row.options.get("imap", {}), form.imap
    is_same_user = (before.get("host", ""), before.get("user", "")) == (imap.host.strip(), imap.user.strip())
    is_same_graph = row.options.get("graph", {}).get("address") == form.graph.get("address")
    return bool(row.options) and not (is_same_user and is_same_graph)


def _check(session: Session, form: MailboxForm, row: MailboxRow | None) -> None:
    if not form.name.strip() or len(form.name) > 90:
        raise DomainError("Please give the mailbox a name of at most 90 letters.")
    twin = session.scalar(select(MailboxRow.id).where(MailboxRow.name == form.name.strip()))
    if twin is not None and (row is None or row.id != twin):
        raise DomainError(f"There is a mailbox named {form.name.strip()} already.")
    if not _ADDRESS.fullmatch(form.address.strip()):
        raise DomainError("Please enter the mail address of the mailbox, such as help@example.com.")
    if not MIN_INTERVAL_S <= form.interval_s <= MAX_INTERVAL_S:
        raise DomainError(f"The interval must be {MIN_INTERVAL_S} to {MAX_INTERVAL_S} seconds.")
    if not any(form.folders) or form.sent_folder in form.folders:
        raise DomainError("Please give a folder that requests arrive in, and another one for sent mail.")
    if max(map(len, (*form.folders, form.sent_folder))) > _MAX_FOLDER:
        raise DomainError(f"The name of a folder has at most {_MAX_FOLDER} letters.")
    if form.kind == IMAP:
        _check_servers(form, row)


def _check_servers(form: MailboxForm, row: MailboxRow | None) -> None:
    if not form.imap.host.strip() or not form.imap.user.strip():
        raise DomainError("Please enter the server and the user name for reading.")
    for server in (form.imap, form.smtp):
        if server.host.strip() and (server.security not in SECURITY or not 0 < server.port < 65536):
            raise DomainError(f"Please check the port and the security of {server.host.strip()}.")
    if form.oauth and not form.oauth.get("client_id"):
        raise DomainError("Please enter the client ID of the application that signs in.")
    if not form.oauth:
        for name, server in (("imap", form.imap), ("smtp", form.smtp)):
            _check_password(name, server, row)


def _check_password(name: str, server: Server, row: MailboxRow | None) -> None:
    """A stored password goes to the server it was entered for and to no other."""
    if not server.host.strip() or not server.user.strip() or server.password:
        return
    before = row.options.get(name, {}) if row else {}
    if not (row and row.secrets.get(name)):
        raise DomainError(f"Please enter the password for {server.host.strip()}.")
    if (before.get("host"), before.get("user")) != (server.host.strip(), server.user.strip()):
        raise DomainError(f"Please enter the password for {server.host.strip()} again: server or user changed.")

"""What Nightdesk asks of the world outside, as Protocols. Adapters live in `portal.integrations`.

Every adapter raises `GatewayError` and nothing else for a failure of the other side, and sets an explicit time-out
on every network call. All datetimes are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """Two clocks (decisions.md 2): product time can be moved by tests, machine time never."""

    def now(self) -> datetime:
        """Product time: everything that is shown or due."""
        ...

    def lease_now(self) -> datetime:
        """Machine time: leases only."""
        ...

    def may_take_over(self) -> bool:
        """False for one lease length after the machine's clock jumped: an expired lease may belong to the living."""
        ...


class Randomness(Protocol):
    """Where tokens and jitter come from."""

    def token(self, size: int) -> bytes:
        """`size` unguessable bytes."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1)."""
        ...


class SecretBox(Protocol):
    """Encrypts what is stored, signs what is handed out."""

    def seal(self, plain: str) -> str:
        """Encrypt for the database."""
        ...

    def open(self, sealed: str) -> str:
        """Decrypt. Raises DomainError when the key is not the one it was sealed with."""
        ...

    def mac(self, purpose: str, message: bytes) -> bytes:
        """A 32-byte keyed digest (HMAC-SHA-256 with a key derived for `purpose`)."""
        ...


class JobQueue(Protocol):
    """Wake-ups only: they carry no work and may be lost, doubled or merged (decisions.md 3)."""

    def wake(self, kind: str) -> None:
        """Ask a worker to run `drain(kind)` soon. Never raises: the ticker wakes again what is due."""
        ...

    def is_empty(self, kind: str) -> bool:
        """False while a wake-up for this kind waits."""
        ...


@dataclass(frozen=True)
class SentSms:
    """What the provider says of a text we handed to it. `state` is accepted, delivered, undelivered or failed."""

    provider_id: str
    state: str
    to: str
    text: str
    created_at: datetime
    error_code: str = ""
    error_text: str = ""


@dataclass(frozen=True)
class InboundSms:
    """A text that somebody sent to us. `provider_id` is unique per provider and number."""

    provider_id: str
    sender: str
    text: str
    received_at: datetime


class SmsGateway(Protocol):
    """One SMS provider account. Numbers are E.164."""

    name: str

    def send(self, ref: str, to: str, text: str) -> SentSms:
        """Hand one text over. `ref` is our unique reference for this notification.

        Raises GatewayError; `maybe_done` is set when the provider may have accepted it all the same.
        """
        ...

    def find_sent(self, to: str, since: datetime, ref: str, text: str) -> SentSms | None:
        """The text `send` was asked for, if the provider has it.

        A provider without a reference of its own (Twilio) is searched by receiver, time and exact text.
        """
        ...

    def fetch_status(self, provider_id: str) -> SentSms:
        """The state of one text now."""
        ...

    def list_inbound(self, since: datetime) -> Sequence[InboundSms]:
        """Texts received at or after `since`, oldest first."""
        ...

    def check_account(self) -> str:
        """One line that says the account works, for the settings page. Raises GatewayError with the reason."""
        ...


@dataclass(frozen=True)
class FetchedMail:
    """One message as listed. `provider_id` is unique in its folder and never used again: `uidvalidity:uid` for IMAP,
    the immutable id for Graph. `raw` is None when it is over the size limit, or (with `size` 0) not handed over;
    `conversation_id` is Graph's, else ""."""

    provider_id: str
    folder: str
    received_at: datetime
    size: int
    raw: bytes | None
    header: bytes = b""
    conversation_id: str = ""


@dataclass(frozen=True)
class MailBatch:
    """Some messages in mailbox order, where reading stands after them, and whether more wait.

    `was_reset`: the server forgot what `cursor` meant (another UIDVALIDITY, 410 Gone): nothing was read.
    """

    mails: tuple[FetchedMail, ...]
    cursor: str
    has_more: bool
    was_reset: bool = False


class Mailbox(Protocol):
    """One mailbox at a mail server. Reading never marks, moves or deletes. A cursor is opaque to everybody but its
    adapter; a folder that is gone raises GatewayError with code `folder`."""

    def fetch(self, folder: str, cursor: str, *, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        """The messages after `cursor`, at most `limit` and about `byte_limit` bytes; single ones over `max_size`
        bytes come with `raw=None` and their header only."""
        ...

    def start(self, folder: str, since: datetime | None) -> str:
        """The cursor from which reading sees what arrived since then; None: only what comes from now on."""
        ...

    def is_ahead(self, provider_id: str, cursor: str) -> bool:
        """Whether reading on from `cursor` will surely bring this message. Asks nobody."""
        ...

    def is_reused(self, provider_id: str, cursor: str) -> bool:
        """Whether this id is of the numbering of `cursor` and not given yet: a folder begun anew there may give it to
        another message than the one it is known for. Asks nobody."""
        ...

    def list_ids(self, folder: str, since: datetime) -> Sequence[tuple[str, datetime]]:
        """(provider_id, received_at) of what lies in the folder since that time: for the reconcile."""
        ...

    def fetch_one(self, folder: str, provider_id: str, *, max_size: int | None = None) -> FetchedMail | None:
        """One message again, None when it is gone; over `max_size` bytes by its header only."""
        ...

    def count(self, folder: str) -> int:
        """How many messages lie there: for the test button."""
        ...

    def find_sent(self) -> str:
        """The folder that holds what was sent by hand, "" where there is none: the test button offers to read it."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...


@dataclass(frozen=True)
class OutgoingAttachment:
    filename: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class OutgoingMessage:
    """One mail, ready to go. `message_id` is stored before the first try and reused on every retry."""

    message_id: str
    sender: str
    sender_name: str
    to: tuple[str, ...]
    subject: str
    text: str = field(repr=False)
    cc: tuple[str, ...] = ()
    html: str = field(default="", repr=False)
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    is_automatic: bool = True
    attachments: tuple[OutgoingAttachment, ...] = ()
    date: datetime | None = None


class MailSender(Protocol):
    """Hands mail to a server for delivery."""

    def send(self, message: OutgoingMessage) -> None:
        """Returns once the server took it. Raises GatewayError."""
        ...

    def was_sent(self, message_id: str) -> bool | None:
        """Whether a mail whose answer got lost went out; None where the server cannot be asked (SMTP)."""
        ...

    def check(self) -> str:
        """Log in and out again, for the test button. One line, or GatewayError."""
        ...


class TokenStore(Protocol):
    """The OAuth tokens of one mailbox, as its adapter serialises them; sealed where they lie."""

    def load(self) -> str:
        """What was saved last, by whichever process; "" for nothing."""
        ...

    def save(self, tokens: str) -> None:
        """Committed when it returns, so that a rotated refresh token is stored before it is used.

        Within `refreshing` it raises GatewayError when somebody signed in meanwhile: theirs are newer.
        """
        ...

    def refreshing(self) -> AbstractContextManager[bool]:
        """Around a refresh: one process at a time. True: it is ours to do; False: somebody else did it, load again."""
        ...


@dataclass(frozen=True)
class SignInStep:
    """What a person does next: open `url`, and type `code` there; without a code, paste back the address it ends on.

    `state` is secret and handed back to `finish`. `expires_at`: until when the code may be typed.
    """

    url: str
    code: str = ""
    state: str = field(default="", repr=False)
    expires_at: datetime | None = None


class MailSignIn(Protocol):
    """A person lets us into a mailbox by OAuth; or, without a person, the application is tried out."""

    def begin(self) -> SignInStep:
        """The first half. An application that signs in by its own right has no url: go on with `finish`."""
        ...

    def finish(self, state: str, answer: str) -> str | None:
        """The second half: tokens are saved in the account's store. `answer` is the pasted address.

        Who signed in, "" for the application itself; None while the person has not typed the code yet.
        """
        ...


@dataclass(frozen=True)
class MailAccount:
    """How to reach one mailbox, known by its `key`. `kind` is imap or graph.

    `imap` and `smtp` hold host, port, security (tls, starttls, plain), user and password, as the adapters' settings
    name them; an empty `smtp` means that an IMAP mailbox sends nothing. `oauth` holds what signing in by OAuth needs
    (`integrations/oauth`), for graph and for IMAP servers that take no passwords; `graph` the rest of Graph's.
    """

    key: str
    kind: str = "imap"
    imap: Mapping[str, Any] = field(default_factory=dict, repr=False)
    smtp: Mapping[str, Any] = field(default_factory=dict, repr=False)
    graph: Mapping[str, Any] = field(default_factory=dict, repr=False)
    oauth: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tokens: TokenStore | None = field(default=None, repr=False, compare=False)


class MailTransport(Protocol):
    """Opens mailboxes. Threads may share one: its calls happen one after another."""

    def mailbox(self, account: MailAccount) -> Mailbox:
        """The mailbox, with the connection kept from the last time where the account is still the same."""
        ...

    def sender(self, account: MailAccount) -> MailSender:
        """Where its mail is handed over. Raises GatewayError when nothing is set up."""
        ...

    def sign_in(self, account: MailAccount) -> MailSignIn:
        """Where a person lets us in. Raises GatewayError when the account is none of OAuth."""
        ...

    def close(self) -> None:
        """Drop every kept connection. A call that is under way in another thread breaks off."""
        ...


@dataclass(frozen=True)
class FetchedCalendar:
    """An iCal file from the web. `data` is None when it is the one whose `etag` was sent along."""

    data: bytes | None
    etag: str = ""


class CalendarFetcher(Protocol):
    """Fetches iCal files that others publish, from an address that an administrator typed. From one within our own
    network only where they typed that: nobody outside can redirect us there."""

    def fetch(self, url: str, *, etag: str = "") -> FetchedCalendar:
        """Raises GatewayError, also for an answer that is too large. Send back the `etag` of the last time."""
        ...


class BlobStore(Protocol):
    """Raw mails and attachments. Writes happen in the caller's transaction."""

    def put(self, data: bytes) -> str:
        """Store once; returns the SHA-256 in hexadecimal."""
        ...

    def get(self, sha256: str) -> bytes:
        """The whole content. Raises KeyError."""
        ...

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The content in pieces of at most 1 MiB."""
        ...

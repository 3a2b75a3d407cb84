"""The Mailbox port on IMAP4rev1 (RFC 3501). Reads with EXAMINE and BODY.PEEK: nothing in the mailbox changes."""

from __future__ import annotations

import binascii
import contextlib
import imaplib
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from portal.core.errors import GatewayError
from portal.core.ports import FetchedMail, MailBatch

SECURITY = ("tls", "starttls", "plain")
_LONGEST_LINE = 50_000_000  # a SEARCH answer over a million messages; imaplib stops at 1 MB
_LINES_AT_ONCE = 500
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE ("[^"]+")')
_GONE = re.compile(r"nonexistent|not found|does.?n.t exist|no such|unknown mailbox|invalid mailbox", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True)
class ImapSettings:
    """One account. `security` is tls, starttls or plain; `ca_file` replaces the system's certificates."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: str = "tls"
    timeout: float = 30.0
    ca_file: str | None = None


class _LongLines:
    """imaplib refuses lines over 1 MB; a big mailbox answers SEARCH with more."""

    def readline(self) -> bytes:
        return self.file.readline(_LONGEST_LINE)  # type: ignore[attr-defined,no-any-return]


class _Plain(_LongLines, imaplib.IMAP4):
    pass


class _Tls(_LongLines, imaplib.IMAP4_SSL):
    pass


@dataclass(frozen=True)
class _Listed:
    uid: int
    size: int
    received_at: datetime


class ImapMailbox:
    """One kept connection, opened at the first call and again after it broke. One call at a time: a second thread
    waits."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._connection: imaplib.IMAP4 | None = None
        self._folder = ""
        self._uidvalidity = 0
        self._uidnext = 0

    def fetch(self, folder: str, cursor: str, *, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        """See Mailbox.fetch."""
        return self._run(lambda: self._fetch(folder, cursor, limit, byte_limit, max_size))

    def start(self, folder: str, since: datetime | None) -> str:
        """See Mailbox.start."""
        return self._run(lambda: self._start(folder, since))

    def is_ahead(self, provider_id: str, cursor: str) -> bool:
        """See Mailbox.is_ahead. With another UIDVALIDITY the ids say nothing."""
        uidvalidity, uid = _read_id(provider_id)
        place, last = _read_id(cursor)
        return uidvalidity != place or uid > last

    def list_ids(self, folder: str, since: datetime) -> Sequence[tuple[str, datetime]]:
        """See Mailbox.list_ids."""
        return self._run(lambda: [(self._id(one.uid), one.received_at) for one in self._since(folder, since)])

    def fetch_one(self, folder: str, provider_id: str) -> FetchedMail | None:
        """See Mailbox.fetch_one."""
        return self._run(lambda: self._fetch_one(folder, provider_id))

    def count(self, folder: str) -> int:
        """See Mailbox.count."""
        return self._run(lambda: self._examine(folder))

    def close(self) -> None:
        """See Mailbox.close."""
        with self._lock:
            connection, self._connection, self._folder = self._connection, None, ""
        if connection is not None:
            try:
                connection.logout()
            except (imaplib.IMAP4.error, OSError):
                _shut(connection)

    def _run(self, work: Callable[[], T]) -> T:
        """A kept connection may have died since: then once more on a new one. Reading twice harms nothing."""
        with self._lock:
            had_connection = self._connection is not None
            try:
                return self._translated(work)
            except GatewayError as error:
                if not had_connection or error.permanent:
                    raise
            return self._translated(work)

    def _translated(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (imaplib.IMAP4.abort, OSError, ValueError) as error:
            self._drop()
            raise GatewayError(f"The mail server {self._settings.host} broke off: {_words(error)}") from error
        except imaplib.IMAP4.error as error:
            self._drop()
            raise GatewayError(f"The mail server {self._settings.host} refused: {_words(error)}") from error

    def _drop(self) -> None:
        connection, self._connection, self._folder = self._connection, None, ""
        if connection is not None:
            _shut(connection)

    def _connect(self) -> imaplib.IMAP4:
        settings = self._settings
        context = ssl.create_default_context(cafile=settings.ca_file)
        try:
            if settings.security == "tls":
                return self._logged_in(
                    _Tls(settings.host, settings.port, ssl_context=context, timeout=settings.timeout), None
                )
            plain = _Plain(settings.host, settings.port, timeout=settings.timeout)
            return self._logged_in(plain, context if settings.security == "starttls" else None)
        except ssl.SSLCertVerificationError as error:
            raise GatewayError(
                f"The certificate of {settings.host} cannot be trusted: {error.verify_message}",
                permanent=True,
                code="certificate",
            ) from error

    def _logged_in(self, connection: imaplib.IMAP4, starttls: ssl.SSLContext | None) -> imaplib.IMAP4:
        try:
            if starttls:
                connection.starttls(starttls)
            self._login(connection)
        except (imaplib.IMAP4.error, OSError, GatewayError):
            _shut(connection)
            raise
        return connection

    def _login(self, connection: imaplib.IMAP4) -> None:
        try:
            connection.login(self._settings.user, self._settings.password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            # "[UNAVAILABLE]" (RFC 5530) is the server's trouble, not a wrong password.
            is_down = "UNAVAILABLE" in str(error) or "INUSE" in str(error)
            message = f"The mail server {self._settings.host} refused the login: {_words(error)}"
            raise GatewayError(message, permanent=not is_down, code="login") from error

    def _examine(self, folder: str) -> int:
        """Open the folder for reading; gives the number of messages. Always asked anew: it brings UIDNEXT."""
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        connection.untagged_responses.clear()
        status, data = connection.select(_quoted(folder), readonly=True)
        if status != "OK":
            message = _words(data[0] if data else b"")
            self._folder = ""
            raise GatewayError(
                f"The folder {folder} cannot be opened: {message}", permanent=bool(_GONE.search(message)), code="folder"
            )
        self._folder = folder
        self._uidvalidity = _number(connection.response("UIDVALIDITY")[1])
        self._uidnext = _number(connection.response("UIDNEXT")[1])
        return _number(data)

    def _start(self, folder: str, since: datetime | None) -> str:
        self._examine(folder)
        newest = self._uidnext - 1 if self._uidnext else max(self._search("ALL"), default=0)
        if since is None:
            return self._id(newest)
        uids = [one.uid for one in self._since(folder, since)]
        return self._id(min(uids) - 1 if uids else newest)

    def _fetch(self, folder: str, cursor: str, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        self._examine(folder)
        uidvalidity, start = _read_id(cursor)
        if uidvalidity != self._uidvalidity:
            return MailBatch((), "", has_more=True, was_reset=True)
        if self._uidnext and start >= self._uidnext - 1:
            return MailBatch((), self._id(start), has_more=False)
        # "n:*" always answers the last message, also when it is older than n.
        uids = sorted(uid for uid in self._search(f"UID {start + 1}:*") if uid > start)
        listed = self._list(uids[:limit])
        chosen = _within(listed, byte_limit, max_size)
        mails = self._read(folder, chosen, max_size)
        # Read up to here also when a message vanished between listing and reading.
        last = chosen[-1].uid if chosen else (uids[limit - 1] if len(uids) >= limit else uids[-1] if uids else start)
        return MailBatch(mails, self._id(last), bool(uids) and uids[-1] > last)

    def _fetch_one(self, folder: str, provider_id: str) -> FetchedMail | None:
        self._examine(folder)
        uidvalidity, uid = _read_id(provider_id)
        if uidvalidity != self._uidvalidity:
            return None
        found = self._read(folder, self._list([uid]), None)
        return found[0] if found else None

    def _since(self, folder: str, since: datetime) -> list[_Listed]:
        """SEARCH SINCE knows whole days in the server's zone only: ask from the day before, then look closely."""
        self._examine(folder)
        day = (since - timedelta(days=1)).strftime("%d-%b-%Y")
        return [one for one in self._list(sorted(self._search(f"SINCE {day}"))) if one.received_at >= since]

    def _search(self, criteria: str) -> list[int]:
        status, data = self._live().uid("SEARCH", criteria)
        if status != "OK":
            raise imaplib.IMAP4.error(_words(data[0] if data else b""))
        return [int(uid) for line in data if line for uid in line.split()]

    def _list(self, uids: Sequence[int]) -> list[_Listed]:
        found = []
        for start in range(0, len(uids), _LINES_AT_ONCE):
            chosen = uids[start : start + _LINES_AT_ONCE]
            for line, _ in self._fetch_items(chosen, "(UID RFC822.SIZE INTERNALDATE)"):
                uid, size = _UID.search(line), _SIZE.search(line)
                if uid and size:
                    found.append(_Listed(int(uid.group(1)), int(size.group(1)), _internal_date(line)))
        return sorted({one.uid: one for one in found}.values(), key=lambda one: one.uid)

    def _read(self, folder: str, listed: Sequence[_Listed], max_size: int | None) -> tuple[FetchedMail, ...]:
        is_large = {one.uid: max_size is not None and one.size > max_size for one in listed}
        contents: dict[int, bytes] = {}
        for large, item in ((False, "(UID BODY.PEEK[])"), (True, "(UID BODY.PEEK[HEADER])")):
            uids = [one.uid for one in listed if is_large[one.uid] is large]
            for line, data in self._fetch_items(uids, item) if uids else ():
                uid = _UID.search(line)
                if uid and b"BODY[" in line.upper():
                    contents[int(uid.group(1))] = data
        return tuple(
            FetchedMail(
                provider_id=self._id(one.uid),
                folder=folder,
                received_at=one.received_at,
                size=one.size,
                raw=None if is_large[one.uid] else contents[one.uid],
                header=contents[one.uid] if is_large[one.uid] else b"",
            )
            for one in listed
            if one.uid in contents
        )

    def _fetch_items(self, uids: Sequence[int], items: str) -> Iterator[tuple[bytes, bytes]]:
        """(the words of one FETCH answer, its literal) for each message. The order of the words is the server's."""
        status, data = self._live().uid("FETCH", ",".join(map(str, uids)), items)
        if status != "OK":
            raise imaplib.IMAP4.error(_words(data[0] if data else b""))
        words, literal = b"", b""
        for piece in data:
            if isinstance(piece, tuple):
                if words:
                    yield words, literal
                words, literal = piece[0], piece[1]
            elif isinstance(piece, bytes):
                if piece[:1].isdigit() and words:
                    yield words, literal
                    words, literal = piece, b""
                else:
                    words += b" " + piece
        if words:
            yield words, literal

    def _live(self) -> imaplib.IMAP4:
        if self._connection is None:
            raise imaplib.IMAP4.abort("not connected")
        return self._connection

    def _id(self, uid: int) -> str:
        return f"{self._uidvalidity}:{uid}"


def _shut(connection: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown()


def _within(listed: Sequence[_Listed], byte_limit: int, max_size: int) -> list[_Listed]:
    """As many as fit, at least one."""
    chosen: list[_Listed] = []
    total = 0
    for one in listed:
        total += one.size if one.size <= max_size else 0
        if chosen and total > byte_limit:
            break
        chosen.append(one)
    return chosen


def _internal_date(line: bytes) -> datetime:
    """RFC 3501 date-time, with its own zone. imaplib's reader goes over local time and loses an hour twice a year."""
    found = _DATE.search(line)
    text = found.group(1).decode("ascii").strip('"').strip() if found else ""
    return datetime.strptime(text, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)


def _number(data: Sequence[object]) -> int:
    value = data[-1] if data else None
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def _quoted(folder: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3), in quotes."""
    encoded = re.sub(r"[^\x20-\x7e]+", _modified_base64, folder.replace("&", "&-"))
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _modified_base64(match: re.Match[str]) -> str:
    data = binascii.b2a_base64(match.group().encode("utf-16-be"), newline=False).decode("ascii")
    return "&" + data.rstrip("=").replace("/", ",") + "-"


def _words(what: object) -> str:
    """The server's words on one line, never long."""
    if isinstance(what, BaseException) and what.args and isinstance(what.args[0], bytes):
        what = what.args[0]
    text = what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)
    return " ".join(text.split())[:200] or "no reason given"


def _read_id(text: str) -> tuple[int, int]:
    """UIDVALIDITY and uid of `uidvalidity:uid`; zeros for what is none of ours."""
    uidvalidity, _, uid = text.partition(":")
    return (int(uidvalidity), int(uid)) if uidvalidity.isdecimal() and uid.isdecimal() else (0, 0)

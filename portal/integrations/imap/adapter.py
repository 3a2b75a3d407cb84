"""The Mailbox port on IMAP4rev1 (RFC 3501). Reads with EXAMINE and BODY.PEEK: nothing in the mailbox changes.

Servers break off, hang, and say what was not asked. What was read before a break is handed on, so that each connection,
however short, brings the mailbox further; answers about other messages than those asked for are not believed.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from portal.core.errors import GatewayError
from portal.core.ports import FetchedMail, MailBatch
from portal.integrations.imap import wire
from portal.integrations.imap.client import Client, ImapSettings, connect, shut
from portal.integrations.server_words import words_of

__all__ = ["ImapMailbox", "ImapSettings"]

SECURITY = ("tls", "starttls", "plain")
_LINES_AT_ONCE = 500
_MAILS_AT_ONCE, _BYTES_AT_ONCE = 25, 2_000_000
# A mail at which this many connections ended may be taken by its header, so that it does not hold up those behind it.
_BREAKS = 4
# One whose header did not come either is passed over for those behind it; the reconcile says that it lies there.
_HOPELESS = 2 * _BREAKS
_GUESSED_SIZE = 1000  # where the server cannot say
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_GONE = re.compile(r"nonexistent|not found|does.?n.t exist|no such|unknown mailbox|invalid mailbox", re.IGNORECASE)
_BROKEN = (imaplib.IMAP4.abort, OSError)

T = TypeVar("T")


@dataclass(frozen=True)
class _Listed:
    uid: int
    size: int
    received_at: datetime


class ImapMailbox:
    """One kept connection, opened at the first call and again after it broke. One call at a time: a second thread
    waits. No call lasts longer than the deadline."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._connection: Client | None = None
        self._socket: socket.socket | None = None
        self._folder = ""
        self._uidvalidity = 0
        self._uidnext = 0
        self._at_once = _MAILS_AT_ONCE
        self._breaks: Counter[str] = Counter()  # by folder and id

    def fetch(self, folder: str, cursor: str, *, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        """See Mailbox.fetch."""
        return self._run(lambda: self._fetch(folder, cursor, limit, byte_limit, max_size))

    def start(self, folder: str, since: datetime | None) -> str:
        """See Mailbox.start."""
        return self._run(lambda: self._start(folder, since))

    def is_ahead(self, provider_id: str, cursor: str) -> bool:
        """See Mailbox.is_ahead. With another UIDVALIDITY the ids say nothing."""
        uidvalidity, uid = wire.read_id(provider_id)
        place, last = wire.read_id(cursor)
        return uidvalidity != place or uid > last

    def is_reused(self, provider_id: str, cursor: str) -> bool:
        """See Mailbox.is_reused. A folder put back from a backup, or one at another server, counts anew; some servers
        give every folder the same UIDVALIDITY."""
        uidvalidity, uid = wire.read_id(provider_id)
        place, last = wire.read_id(cursor)
        return uidvalidity == place and uid > last

    def list_ids(self, folder: str, since: datetime) -> Sequence[tuple[str, datetime]]:
        """See Mailbox.list_ids."""
        return self._run(lambda: [(self._id(one.uid), one.received_at) for one in self._since(folder, since)])

    def fetch_one(self, folder: str, provider_id: str, *, max_size: int | None = None) -> FetchedMail | None:
        """See Mailbox.fetch_one. At its header only also where the server breaks off at the rest."""
        return self._run(lambda: self._fetch_one(folder, provider_id, max_size))

    def count(self, folder: str) -> int:
        """See Mailbox.count."""
        return self._run(lambda: self._examine(folder))

    def find_sent(self) -> str:
        """See Mailbox.find_sent. RFC 6154, or by its name."""
        return self._run(self._find_sent)

    def close(self) -> None:
        """See Mailbox.close. A call that is under way in another thread breaks off."""
        if not self._lock.acquire(blocking=False):
            self._cut()
            return
        try:
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    connection.logout()
                except (imaplib.IMAP4.error, OSError):
                    shut(connection)
        finally:
            self._lock.release()

    def _run(self, work: Callable[[], T]) -> T:
        settings = self._settings
        if not self._lock.acquire(timeout=settings.deadline):
            raise GatewayError(f"The mail server {settings.host} still has not answered another question.")
        watch = threading.Timer(settings.deadline, self._cut)
        watch.daemon = True
        watch.start()
        try:
            return work()
        except (*_BROKEN, ValueError) as error:
            self._drop()
            raise GatewayError(f"The mail server {settings.host} broke off: {self._words(error)}") from error
        except imaplib.IMAP4.error as error:
            self._drop()
            raise GatewayError(f"The mail server {settings.host} refused: {self._words(error)}") from error
        finally:
            watch.cancel()
            self._lock.release()

    def _words(self, error: Exception) -> str:
        return words_of(error, user=self._settings.user, secret=self._settings.password)

    def _cut(self) -> None:
        """End whatever the other thread waits for. Not `ssl`'s own shutdown: it would wait for the server as well."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            shut(connection)

    def _note_socket(self, opened: socket.socket) -> None:
        self._socket = opened

    def _examine(self, folder: str) -> int:
        """Open the folder for reading; gives the number of messages. Always asked anew: it brings UIDNEXT.

        A kept connection may have died since it was used: then once more on a new one.
        """
        if self._connection is not None:
            try:
                return self._select(self._connection, folder)
            except TimeoutError:
                raise
            except _BROKEN:
                self._drop()
        self._connection = connect(self._settings, self._note_socket)
        return self._select(self._connection, folder)

    def _select(self, connection: Client, folder: str) -> int:
        connection.untagged_responses.clear()
        status, data = connection.select(wire.quoted(folder), readonly=True)
        if status != "OK":
            words = words_of(data[0] if data else b"")
            is_gone = bool(_GONE.search(words))
            raise GatewayError(f"The folder {folder} cannot be opened: {words}", permanent=is_gone, code="folder")
        self._folder = folder
        self._uidvalidity = wire.number(connection.response("UIDVALIDITY")[1])
        self._uidnext = wire.number(connection.response("UIDNEXT")[1])
        return wire.number(data)

    def _ask(self, *command: str) -> list[object]:
        """One UID command. Some servers hang up after each: then once more on a new connection. Asking twice harms
        nothing, and a server that is silent is not asked twice."""
        try:
            return self._command(*command)
        except TimeoutError:
            raise
        except _BROKEN:
            uidvalidity = self._uidvalidity
            self._drop()
            self._examine(self._folder)
            if self._uidvalidity != uidvalidity:
                raise
            return self._command(*command)

    def _command(self, *command: str) -> list[object]:
        if self._connection is None:
            raise imaplib.IMAP4.abort("not connected")
        status, data = self._connection.uid(*command)
        if status != "OK":
            raise imaplib.IMAP4.error(words_of(data[0] if data else b""))
        return data

    def _start(self, folder: str, since: datetime | None) -> str:
        self._examine(folder)
        newest = self._uidnext - 1 if self._uidnext else max(self._search("ALL"), default=0)
        if since is None:
            return self._id(newest)
        uids = [one.uid for one in self._since(folder, since)]
        return self._id(min(uids) - 1 if uids else newest)

    def _fetch(self, folder: str, cursor: str, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        self._examine(folder)
        uidvalidity, start = wire.read_id(cursor)
        # A folder whose next uid was given out already was put back from a backup, whatever its UIDVALIDITY says.
        if uidvalidity != self._uidvalidity or 0 < self._uidnext <= start:
            return MailBatch((), "", has_more=True, was_reset=True)
        if self._uidnext == start + 1:
            return MailBatch((), self._id(start), has_more=False)
        # "n:*" always answers the last message, also when it is older than n.
        uids = sorted({uid for uid in self._search(f"UID {start + 1}:*") if uid > start})
        chosen = _within(self._list(uids[:limit]), byte_limit, max_size)
        mails, last = self._read(folder, chosen, max_size)
        # Read up to here also when a message vanished between listing and reading.
        if not chosen and uids:
            last = uids[limit - 1] if len(uids) >= limit else uids[-1]
        last = last or start
        return MailBatch(mails, self._id(last), bool(uids) and uids[-1] > last)

    def _fetch_one(self, folder: str, provider_id: str, max_size: int | None) -> FetchedMail | None:
        self._examine(folder)
        uidvalidity, uid = wire.read_id(provider_id)
        listed = self._list([uid]) if uidvalidity == self._uidvalidity else []
        while listed:
            try:
                found, _ = self._read(folder, listed, max_size)
            except TimeoutError:
                raise
            except (*_BROKEN, imaplib.IMAP4.error):
                if self._breaks[self._mark(uid)] > _BREAKS:
                    raise
                self._drop()
                continue
            return found[0] if found else None
        return None

    def _find_sent(self) -> str:
        self._examine("INBOX")
        if self._connection is None:
            return ""
        status, data = self._connection.list('""', '"*"')
        return wire.choose_sent(wire.read_list(data)) if status == "OK" else ""

    def _since(self, folder: str, since: datetime) -> list[_Listed]:
        """SEARCH SINCE knows whole days in the server's zone only: ask from the day before, then look closely."""
        self._examine(folder)
        day = (since - timedelta(days=1)).strftime("%d-%b-%Y")
        return [one for one in self._list(sorted(self._search(f"SINCE {day}"))) if one.received_at >= since]

    def _search(self, criteria: str) -> list[int]:
        lines = [line for line in self._ask("SEARCH", criteria) if isinstance(line, bytes)]
        return [int(uid) for line in lines for uid in line.split() if uid.isdigit()]

    def _list(self, uids: Sequence[int]) -> list[_Listed]:
        found: dict[int, _Listed] = {}
        for start in range(0, len(uids), _LINES_AT_ONCE):
            chosen = uids[start : start + _LINES_AT_ONCE]
            for uid, line in self._fetch_lines(chosen):
                size = _SIZE.search(line)
                found[uid] = _Listed(uid, int(size.group(1)) if size else _GUESSED_SIZE, wire.internal_date(line))
        return [found[uid] for uid in sorted(found)]

    def _fetch_lines(self, uids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Size and date of each. A server may refuse a whole list for one message that it cannot read: then by halves,
        and that one without its size, or without anything."""
        try:
            found = [(uid, line) for uid, line, _ in self._fetch_items(uids, "(UID RFC822.SIZE INTERNALDATE)")]
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            if len(uids) > 1:
                half = len(uids) // 2
                yield from self._fetch_lines(uids[:half])
                yield from self._fetch_lines(uids[half:])
                return
            found = self._fetch_date(uids[0])
        yield from ((uid, line) for uid, line in found if b"INTERNALDATE" in line.upper())

    def _fetch_date(self, uid: int) -> list[tuple[int, bytes]]:
        try:
            return [(uid, line) for _, line, _ in self._fetch_items([uid], "(UID INTERNALDATE)")]
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            return [(uid, b"INTERNALDATE unknown")]

    def _read(
        self, folder: str, listed: Sequence[_Listed], max_size: int | None
    ) -> tuple[tuple[FetchedMail, ...], int]:
        """The mails in order, and the uid up to which all were read: less than asked for where the server broke off."""
        hopeful = [one for one in listed if self._breaks[self._mark(one.uid)] < _HOPELESS]
        mails, last = self._read_parts(folder, hopeful or listed, max_size)
        for one in listed:
            # It was given up perhaps because the server was in trouble, and now it answers.
            if one.uid < last and one not in hopeful:
                with contextlib.suppress(*_BROKEN, imaplib.IMAP4.error):
                    mails += self._read_suspect(folder, one, max_size)
        return tuple(sorted(mails, key=lambda mail: wire.read_id(mail.provider_id))), last

    def _read_parts(
        self, folder: str, listed: Sequence[_Listed], max_size: int | None
    ) -> tuple[list[FetchedMail], int]:  # fmt: skip
        mails: list[FetchedMail] = []
        last = 0
        for part in self._parts(listed, max_size):
            try:
                is_suspect = self._breaks[self._mark(part[0].uid)] >= _BREAKS
                mails += (
                    self._read_suspect(folder, part[0], max_size)
                    if is_suspect
                    else self._read_part(folder, part, max_size)
                )
            except (*_BROKEN, imaplib.IMAP4.error):
                self._note_break(part)
                if not last:
                    raise
                self._drop()
                return mails, last
            last = part[-1].uid
        self._at_once = _MAILS_AT_ONCE
        return mails, last

    def _read_suspect(self, folder: str, one: _Listed, max_size: int | None) -> list[FetchedMail]:
        """A mail at which connections ended: once more in whole, then by its header."""
        try:
            found = self._read_part(folder, [one], max_size)
        except (*_BROKEN, imaplib.IMAP4.error):
            self._drop()
            found = self._read_part(folder, [one], -1)
        self._breaks.pop(self._mark(one.uid), None)
        return found

    def _parts(self, listed: Sequence[_Listed], max_size: int | None) -> Iterator[list[_Listed]]:
        """What is asked for at once: some small ones, or a single large one."""
        part: list[_Listed] = []
        for one in listed:
            total = one.size + sum(other.size for other in part)
            is_alone = any(self._is_alone(other, max_size) for other in (one, *part))
            if part and (len(part) >= self._at_once or total > _BYTES_AT_ONCE or is_alone):
                yield part
                part = []
            part.append(one)
        if part:
            yield part

    def _is_alone(self, one: _Listed, max_size: int | None) -> bool:
        return (max_size is not None and one.size > max_size) or self._breaks[self._mark(one.uid)] >= _BREAKS

    def _note_break(self, part: Sequence[_Listed]) -> None:
        """From now on one by one; who is alone at a break is suspected."""
        self._at_once = 1
        if len(part) == 1:
            self._breaks[self._mark(part[0].uid)] += 1

    def _read_part(self, folder: str, part: Sequence[_Listed], max_size: int | None) -> list[FetchedMail]:
        header_only = max_size is not None and part[0].size > max_size
        item = "(UID BODY.PEEK[HEADER])" if header_only else "(UID BODY.PEEK[])"
        by_uid = {one.uid: one for one in part}
        mails: dict[int, FetchedMail] = {}
        for uid, line, data in self._fetch_items(list(by_uid), item):
            listed = by_uid[uid]
            if b"BODY[" not in line.upper() or (b"BODY[] NIL" in line.upper() and listed.size > 2):
                continue
            raw = None if header_only or (max_size is not None and len(data) > max_size) else data
            header = b"" if raw is not None else data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            size = listed.size if header_only else len(data)
            mails[uid] = FetchedMail(self._id(uid), folder, listed.received_at, size, raw, header)
        return [mails[uid] for uid in sorted(mails)]

    def _fetch_items(self, uids: Sequence[int], items: str) -> Iterator[tuple[int, bytes, bytes]]:
        """(uid, the words of its FETCH answer, its literal) of those asked for, and of no others."""
        if not uids:
            return
        asked = set(uids)
        for words, literal in _answers(self._ask("FETCH", ",".join(map(str, uids)), items)):
            uid = _UID.search(words)
            if uid and int(uid.group(1)) in asked:
                yield int(uid.group(1)), words, literal

    def _mark(self, uid: int) -> str:
        return f"{self._folder} {self._id(uid)}"

    def _id(self, uid: int) -> str:
        return f"{self._uidvalidity}:{uid}"


def _answers(data: Sequence[object]) -> Iterator[tuple[bytes, bytes]]:
    """(words, literal) of each FETCH answer. The order of the words is the server's."""
    words, literal = b"", b""
    for piece in data:
        is_new = isinstance(piece, tuple) or (isinstance(piece, bytes) and piece[:1].isdigit())
        if is_new and words:
            yield words, literal
        if isinstance(piece, tuple):
            words, literal = piece[0], piece[1]
        elif isinstance(piece, bytes):
            words, literal = (piece, b"") if is_new else (words + b" " + piece, literal)
    if words:
        yield words, literal


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

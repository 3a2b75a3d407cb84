"""The Mailbox port on Microsoft Graph: a delta query per folder with immutable ids, and each mail's MIME original.

Nothing is ever marked, moved or deleted: only GET is used. Reference:
https://learn.microsoft.com/en-us/graph/delta-query-messages
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from portal.core.errors import GatewayError
from portal.core.ports import FetchedMail, MailBatch
from portal.integrations.graph.connection import FOLDER_GONE, UNREADABLE, GraphConnection
from portal.integrations.graph.cursor import Cursor, digest, read_cursor
from portal.integrations.graph.rebuild import header_lines, rebuild_mail

# https://learn.microsoft.com/en-us/graph/api/resources/mailfolder: names that every mailbox has, in any language.
WELL_KNOWN = frozenset(
    ("archive", "clutter", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail", "msgfolderroot",
     "outbox", "recoverableitemsdeletions", "scheduled", "sentitems")
)  # fmt: skip
INBOX, SENT = "inbox", "sentitems"
_HEADER_FIELDS = "internetMessageHeaders,internetMessageId"
_FIELDS = "receivedDateTime,internetMessageId,conversationId,isDraft"
_LIST_PAGE = 500
# Delivered is not yet listed: a mail this much older than the link may still be on its way into the delta query.
_SLACK = timedelta(minutes=5)

# With a filter the delta query lists 5,000 messages at most; a folder with more is listed whole, and passed over here.
_MOST_FILTERED = 4_000

_EVER = datetime(1970, 1, 1, tzinfo=UTC)

# A message that cannot be had is tried for this long before it comes by its header alone; so many at once.
_PATIENCE = timedelta(minutes=10)
_MOST_STUCK = 3
# Trouble that is none of a single message's.
_OF_ALL = frozenset(("", "busy", "login", "certificate", "garbage", "resync"))

T = TypeVar("T")


class _Gone(Exception):
    """The message was moved or deleted."""


@dataclass
class _Taken:
    """What came of a page: mails, digests of what is done with, entries that Graph does not hand over, the first
    trouble."""

    mails: list[FetchedMail] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    stuck: list[dict[str, Any]] = field(default_factory=list)
    error: GatewayError | None = None

    def add(self, entry: Mapping[str, Any], mail: FetchedMail | None) -> None:
        """Done with it."""
        self.read.append(_digest_of(entry))
        if mail is not None:
            self.mails.append(mail)


class GraphMailbox:
    """One mailbox, also a shared one. Threads may share it; their calls wait for one another."""

    def __init__(self, connection: GraphConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._folders: dict[str, str] = {}
        self._listed: dict[str, datetime] = {}  # when what was listed last had come

    def fetch(self, folder: str, cursor: str, *, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        """See Mailbox.fetch."""
        place = read_cursor(cursor)
        if place is None:
            return MailBatch((), "", has_more=True, was_reset=True)
        try:
            return self._run(folder, lambda: self._fetch(folder, place, limit, byte_limit, max_size))
        except GatewayError as error:
            if error.code != "resync":
                raise
            return MailBatch((), "", has_more=True, was_reset=True)

    def start(self, folder: str, since: datetime | None) -> str:
        """See Mailbox.start. A delta query that begins now is one that lists mail received from now on."""
        return self._run(folder, lambda: self._start(folder, since))

    def is_ahead(self, provider_id: str, cursor: str) -> bool:
        """See Mailbox.is_ahead. Ids say nothing of time; known are the times of what was listed last."""
        place = read_cursor(cursor)
        if place is None or place.is_first:
            return place is not None
        received_at = self._listed.get(provider_id)
        return received_at is not None and place.at is not None and received_at > place.at - _SLACK

    def is_reused(self, provider_id: str, cursor: str) -> bool:
        """See Mailbox.is_reused. An immutable id means one message for ever."""
        return False

    def list_ids(self, folder: str, since: datetime) -> Sequence[tuple[str, datetime]]:
        """See Mailbox.list_ids."""
        return self._run(folder, lambda: self._list_ids(folder, since))

    def fetch_one(self, folder: str, provider_id: str, *, max_size: int | None = None) -> FetchedMail | None:
        """See Mailbox.fetch_one."""
        return self._run(folder, lambda: self._fetch_one(folder, provider_id, max_size))

    def count(self, folder: str) -> int:
        """See Mailbox.count."""
        return self._run(folder, lambda: int(self._connection.get(self._path(folder))["totalItemCount"]))

    def find_sent(self) -> str:
        """See Mailbox.find_sent. Every mailbox has this one, whatever it is called there."""
        return SENT

    def close(self) -> None:
        """See Mailbox.close."""
        with self._lock:
            self._connection.close()

    def _run(self, folder: str, work: Callable[[], T]) -> T:
        with self._lock:
            try:
                return work()
            except GatewayError as error:
                if error.code not in FOLDER_GONE:
                    raise
                self._folders.pop(folder, None)
                words = f"The folder {folder} does not exist in this mailbox."
                raise GatewayError(words, permanent=True, code="folder") from error
            except (KeyError, TypeError, ValueError) as error:
                raise GatewayError("Microsoft 365 answered something else than expected.", code="garbage") from error

    def _start(self, folder: str, since: datetime | None) -> str:
        path = self._path(folder)
        self._connection.get(path, params={"$select": "displayName,totalItemCount"})
        now = self._connection.asked_at
        link = f"{path}/messages/delta?$select={_FIELDS}"
        if since is None:
            begin, old = self._newest(path)
        else:
            begin, old = since.replace(microsecond=0), ()
        if begin > _EVER and (since is None or self._count_since(path, begin) <= _MOST_FILTERED):
            link += "&$filter=" + quote(f"receivedDateTime ge {_stamp(begin)}")
        return Cursor(link, begin, old, at=now).write()

    def _newest(self, path: str) -> tuple[datetime, tuple[str, ...]]:
        """When the newest message came, and digests of those that came in that second. Whatever comes from now on came
        no earlier; no clock is asked, because what was received is delivered seconds later."""
        params = {"$select": "receivedDateTime", "$orderby": "receivedDateTime desc", "$top": "1"}
        page = self._connection.get(f"{path}/messages", params=params)["value"]
        if not page:
            return _EVER, ()
        begin = _moment(page[0]["receivedDateTime"])
        return begin, tuple(digest(one) for one, _ in self._listing(path, begin))

    def _count_since(self, path: str, since: datetime) -> int:
        condition = f"receivedDateTime ge {_stamp(since)}"
        params = {"$filter": condition, "$count": "true", "$top": "1", "$select": "receivedDateTime"}
        return int(self._connection.get(f"{path}/messages", params=params).get("@odata.count", 0))

    def _fetch(self, folder: str, place: Cursor, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        page = self._page(place, limit)
        entries = {one["id"]: one for one in page["value"] if "@removed" not in one and not one.get("isDraft")}
        known = [one for one in entries.values() if digest(one["id"]) not in (*place.old, *place.done)]
        waiting = [one for one in self._completed(folder, known) if _moment(one["receivedDateTime"]) >= place.since]
        waiting.sort(key=lambda one: (str(one.get("receivedDateTime", "")), one["id"]))
        taken = self._take(folder, waiting[:limit], byte_limit, max_size)
        self._give_up(folder, place, taken)
        if len(taken.read) < len(waiting):
            now = self._connection.asked_at or place.since
            stuck = {_digest_of(one): now for one in taken.stuck} | dict(place.stuck)
            if taken.error is not None and not taken.read and stuck.keys() == place.stuck.keys():
                raise taken.error
            after = replace(place, done=(*place.done, *taken.read), stuck=stuck)
            return MailBatch(tuple(taken.mails), after.write(), has_more=True)
        is_over = "@odata.deltaLink" in page
        link = page["@odata.deltaLink" if is_over else "@odata.nextLink"]
        after = Cursor(
            str(link), place.since, place.old, is_first=place.is_first and not is_over, at=self._connection.asked_at
        )
        return MailBatch(tuple(taken.mails), after.write(), has_more=not is_over)

    def _page(self, place: Cursor, limit: int) -> dict[str, Any]:
        """A link that Graph itself gave and refuses now, in whatever words, is one it has forgotten: else the mailbox
        would be asked for it for ever."""
        try:
            return self._connection.get(place.link, page_size=limit)
        except GatewayError as error:
            is_given = "://" in place.link
            if is_given and error.permanent and error.code not in ("login", "certificate", *FOLDER_GONE):
                raise GatewayError("Microsoft 365 has forgotten where reading stood.", code="resync") from error
            raise

    def _take(self, folder: str, entries: Sequence[dict[str, Any]], byte_limit: int, max_size: int) -> _Taken:
        """Read what can be read. Trouble with one message holds up no other; trouble with all ends the round, and what
        was read before is kept all the same: a server that makes us wait may do so in the middle of every page."""
        taken, size = _Taken(), 0
        for entry in entries:
            if (taken.read and size >= byte_limit) or len(taken.stuck) == _MOST_STUCK:
                break
            try:
                mail = self._read(folder, entry, max_size)
            except GatewayError as error:
                taken.error = taken.error or error
                if error.code in _OF_ALL:
                    break
                taken.stuck.append(entry)
                continue
            taken.add(entry, mail)
            size += len(mail.raw or mail.header) if mail else 0
        return taken

    def _give_up(self, folder: str, place: Cursor, taken: _Taken) -> None:
        """A message that Graph does not hand over, for minutes in which it hands over others, comes by its header."""
        now = self._connection.asked_at
        over = [one for one in taken.stuck if now and now - place.stuck.get(_digest_of(one), now) >= _PATIENCE]
        if not over or not self._hands_over(folder, over):
            return
        for entry in over:
            taken.stuck.remove(entry)
            taken.add(entry, self._by_header(folder, entry))

    def _hands_over(self, folder: str, stuck: Sequence[dict[str, Any]]) -> bool:
        """Whether any other message of the folder can be read."""
        params = {"$select": "receivedDateTime", "$orderby": "receivedDateTime desc", "$top": str(_MOST_STUCK + 2)}
        page = self._connection.get(f"{self._path(folder)}/messages", params=params)["value"]
        ids = {str(one["id"]) for one in page} - {str(one["id"]) for one in stuck}
        for provider_id in ids:
            with contextlib.suppress(GatewayError):
                self._connection.read(f"messages/{quote(provider_id, safe='')}/$value", limit=0)
                return True
        return False

    def _completed(self, folder: str, entries: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Of a message that was only touched Graph may name the change alone, and also where the filter does not fit:
        https://learn.microsoft.com/en-us/graph/api/message-delta (read and unread are told of in any case)."""
        for entry in entries:
            if "receivedDateTime" in entry:
                yield entry
            else:
                with contextlib.suppress(_Gone):
                    yield self._entry(folder, str(entry["id"]))

    def _read(self, folder: str, entry: Mapping[str, Any], max_size: int | None) -> FetchedMail | None:
        """The original. None when it was moved or deleted since it was listed: then it is listed again elsewhere."""
        provider_id = str(entry["id"])
        try:
            data, size = self._connection.read(f"messages/{quote(provider_id, safe='')}/$value", limit=max_size)
        except GatewayError as error:
            if error.code in UNREADABLE:
                return self._rebuilt(folder, entry, max_size) or self._by_header(folder, entry)
            if error.code not in FOLDER_GONE:
                raise
            with contextlib.suppress(_Gone):
                self._entry(folder, provider_id)
                raise GatewayError("Microsoft 365 does not hand over a message.", code="withheld") from error
            return None
        mail = _mail(folder, entry)
        if max_size is not None and size > max_size:
            return replace(mail, size=size, header=_header(data))
        return replace(mail, size=size, raw=data)

    def _rebuilt(self, folder: str, entry: Mapping[str, Any], max_size: int | None) -> FetchedMail | None:
        path = f"messages/{quote(str(entry['id']), safe='')}"
        found = self._connection.get(path, params={"$select": _HEADER_FIELDS})
        data = rebuild_mail(found, self._connection.get(f"{path}/attachments")["value"])
        if data is None or (max_size is not None and len(data) > max_size):
            return None
        return replace(_mail(folder, entry), size=len(data), raw=data)

    def _by_header(self, folder: str, entry: Mapping[str, Any]) -> FetchedMail | None:
        """None when there is not even that: the comparison with the mailbox then says that it lies there."""
        try:
            return replace(_mail(folder, entry), header=self._headers(str(entry["id"])))
        except GatewayError as error:
            if error.code in _OF_ALL:
                raise
            return None

    def _headers(self, provider_id: str) -> bytes:
        """The header lines as Graph knows them, for a mail whose original it cannot give."""
        path = f"messages/{quote(provider_id, safe='')}"
        entry = self._connection.get(path, params={"$select": _HEADER_FIELDS})
        return "\r\n".join([*header_lines(entry), "", ""]).encode()

    def _list_ids(self, folder: str, since: datetime) -> list[tuple[str, datetime]]:
        found = self._listing(self._path(folder), since)
        self._listed = dict(found)
        return found

    def _listing(self, path: str, since: datetime) -> list[tuple[str, datetime]]:
        params = {
            "$select": "receivedDateTime,isDraft",
            "$filter": f"receivedDateTime ge {_stamp(since)}",
            "$orderby": "receivedDateTime",
            "$top": str(_LIST_PAGE),
        }
        found: dict[str, datetime] = {}
        page = self._connection.get(f"{path}/messages", params=params)
        while True:
            found |= {one["id"]: _moment(one["receivedDateTime"]) for one in page["value"] if not one.get("isDraft")}
            if "@odata.nextLink" not in page:
                break
            page = self._connection.get(page["@odata.nextLink"])
        return list(found.items())

    def _fetch_one(self, folder: str, provider_id: str, max_size: int | None) -> FetchedMail | None:
        try:
            entry = self._entry(folder, provider_id)
        except _Gone:
            return None
        try:
            return self._read(folder, entry, max_size)
        except GatewayError as error:
            if error.code in _OF_ALL:
                raise
            return None  # it lies there and cannot be had: the comparison says so

    def _entry(self, folder: str, provider_id: str) -> dict[str, Any]:
        """Raises _Gone when it lies there no more."""
        path = self._path(folder)
        try:
            return self._connection.get(f"{path}/messages/{quote(provider_id, safe='')}", params={"$select": _FIELDS})
        except GatewayError as error:
            if error.code not in FOLDER_GONE:
                raise
        self._connection.get(path)  # raises when it is the folder that is gone
        raise _Gone

    def _path(self, folder: str) -> str:
        """Where a folder is: a well-known name, or the names that people see, with slashes between."""
        name = folder.strip().lower().replace(" ", "")
        if name in WELL_KNOWN:
            return f"mailFolders/{name}"
        if folder not in self._folders:
            self._folders[folder] = self._find(folder)
        return f"mailFolders/{quote(self._folders[folder], safe='')}"

    def _find(self, folder: str) -> str:
        found, path = "", "mailFolders"
        for name in filter(None, (part.strip() for part in folder.split("/"))):
            key = name.lower().replace(" ", "")
            if not found and key in WELL_KNOWN:
                found = key
            else:
                condition = f"displayName eq '{name.replace(chr(39), chr(39) * 2)}'"
                page = self._connection.get(path, params={"$filter": condition, "$select": "displayName"})
                found = next((str(one["id"]) for one in page["value"]), "")
            if not found:
                raise GatewayError("no such folder", permanent=True, code="ErrorFolderNotFound")
            path = f"mailFolders/{quote(found, safe='')}/childFolders"
        return found


def _mail(folder: str, entry: Mapping[str, Any]) -> FetchedMail:
    """What the listing says of it."""
    received_at, conversation = _moment(entry["receivedDateTime"]), str(entry.get("conversationId") or "")
    return FetchedMail(str(entry["id"]), folder, received_at, size=0, raw=None, conversation_id=conversation)


def _digest_of(entry: Mapping[str, Any]) -> str:
    return digest(str(entry["id"]))


def _header(data: bytes) -> bytes:
    """Up to the empty line."""
    for end in (b"\r\n\r\n", b"\n\n"):
        if end in data:
            return data.split(end, 1)[0] + end
    return data


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

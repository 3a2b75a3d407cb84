"""Our own small Microsoft 365 on loopback: sign-in and Graph mail, with faults on demand.

It answers what the vendor's own description says it answers: `tests/graph_spec.py` holds every exchange against it.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests import graph_drafts
from tests.graph_mailboxes import Box, Item, shown
from tests.login_simulator import Login

ADDRESS = "help@shop.example"
MAX_BODY = 4_000_000  # Graph refuses larger requests
MAX_JSON = 4 * 1024 * 1024
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Fault:
    """One thing that goes wrong, once: for the next request whose "METHOD /path?query" holds `on`.

    `kind`: a status, or "reset" (no answer, nothing done), "hang" (done, but no answer comes), "cut" (half an answer),
    "garbage" (a page of some proxy), "twice" (the page comes again on the next link), "idle" (200 and nothing done),
    "none" (all is well this time).
    """

    kind: int | str
    on: str = "/v1.0/"
    retry_after: str = ""
    code: str = ""
    location: str = ""


@dataclass
class Exchange:
    """One request and what was answered."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    content_type: str
    answer: bytes


@dataclass
class Round:
    """A round of a delta query: what is left of it, and what a later round begins with."""

    folder: str
    fields: list[str]
    since: datetime | None
    end: int
    waiting: list[int] = field(default_factory=list)


@dataclass
class Graph:
    """The whole service. `now` is its clock; `page_size` its own idea of a page, at most what was asked for."""

    login: Login = field(default_factory=Login)
    boxes: dict[str, Box] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    rounds: dict[str, Round] = field(default_factory=dict)
    outside: list[bytes] = field(default_factory=list)  # mail that left
    released: threading.Event = field(default_factory=threading.Event)
    now: datetime = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
    page_size: int = 1000
    denied: set[str] = field(default_factory=set)  # addresses that the application may not touch
    withheld: dict[int, tuple[int, str]] = field(default_factory=dict)  # by number: what $value answers for ever
    may_write: bool = True  # Mail.ReadWrite
    sessions: list[graph_drafts.Session] = field(default_factory=list)
    upload_place: str = ""  # another host that upload sessions name
    base: str = ""

    def __post_init__(self) -> None:
        self.box = self.add_box(ADDRESS)

    def add_box(self, address: str) -> Box:
        self.boxes[address.lower()] = box = Box(address.lower())
        return box

    def fail(self, kind: int | str, *, on: str = "/v1.0/", **more: str) -> None:
        """The next request that `on` fits goes wrong; `more` as in Fault."""
        self.faults.append(Fault(kind, on, **more))

    def date_in(self, seconds: int) -> str:
        """A moment on this server's clock, as an HTTP date."""
        return format_datetime(self.now + timedelta(seconds=seconds), usegmt=True)

    def forget(self) -> None:
        """Every delta link becomes worthless: 410."""
        self.rounds.clear()

    def asked(self, part: str) -> list[Exchange]:
        """The requests whose path or query holds this."""
        return [one for one in self.exchanges if part in f"{one.method} {one.path}?{one.query}"]

    def answer(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        """What Graph says, without faults."""
        if not self.login.knows(headers.get("Authorization", "")):
            return refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        found = re.fullmatch(r"/v1\.0/users/([^/]+)(/.*)", path)
        if not found:
            return refusal(400, "BadRequest", "Resource not found for the segment.")
        address, rest = unquote(found[1]).lower(), found[2]
        if address in self.denied:
            return refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        box = self.boxes.get(address)
        if box is None:
            return refusal(404, "ErrorInvalidUser", f"The requested user '{address}' is invalid.")
        try:
            return Asked(self, box, query, headers, body).answer(method, rest)
        except graph_drafts.Trouble as trouble:
            return refusal(*trouble.args)

    def upload(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """At the address of an upload session, which lets in whoever knows it."""
        session = self.sessions[int(path.removeprefix("/upload/"))]
        try:
            expected = graph_drafts.take_piece(session, headers, body)
        except graph_drafts.Trouble as trouble:
            return refusal(*trouble.args)
        return reply(expected) if expected else (201, {"Location": f"{self.base}/Attachments('AAMk')"}, b"")


@dataclass
class Asked:
    """One request to one mailbox."""

    graph: Graph
    box: Box
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def immutable(self) -> bool:
        return 'IdType="ImmutableId"' in self.headers.get("Prefer", "")

    @property
    def fields(self) -> list[str]:
        return [name for name in self.query.get("$select", "").split(",") if name]

    def answer(self, method: str, rest: str) -> Answer:
        parts = [unquote(part) for part in rest.strip("/").split("/")]
        match (method, parts):
            case ("POST", ["sendMail"]):
                return self.send()
            case ("POST", ["messages", *tail]) | ("DELETE", ["mailFolders", "drafts", "messages", *tail]):
                return self.write(method, tail)
            case ("GET", ["mailFolders"]):
                return self.folders("")
            case ("GET", ["messages"]):
                return self.list(list(self.box.items.values()))
            case ("GET", ["messages", item_id]):
                item = self.box.find(item_id, immutable=self.immutable)
                return reply(self.shown(item)) if item else gone()
            case ("GET", ["messages", item_id, "attachments"]):
                item = self.box.find(item_id, immutable=self.immutable)
                return reply({"value": attachments(item.parsed)}) if item else gone()
            case ("GET", ["messages", item_id, "$value"]):
                item = self.box.find(item_id, immutable=self.immutable)
                if item and item.number in self.graph.withheld:
                    return refusal(*self.graph.withheld[item.number], "scripted")
                return (200, {"Content-Type": "text/plain"}, item.raw) if item else gone()
            case ("GET", ["mailFolders", name, *tail]):
                folder = self.box.folder(name)
                return self.in_folder(folder, tail) if folder else gone()
        return refusal(400, "BadRequest", f"The simulator knows no {method} {rest}")

    def in_folder(self, folder: str, tail: list[str]) -> Answer:
        match tail:
            case []:
                return reply(self.folder(folder))
            case ["childFolders"]:
                return self.folders(folder)
            case ["messages"]:
                return self.list([item for item in self.box.items.values() if item.folder == folder])
            case ["messages", "delta" | "delta()"]:
                return self.delta(folder)
            case ["messages", item_id]:
                item = self.box.find(item_id, immutable=self.immutable)
                return reply(self.shown(item)) if item and item.folder == folder else gone()
        return refusal(400, "BadRequest", f"The simulator knows no folder path {tail}")

    def folder(self, folder: str) -> dict[str, Any]:
        count = sum(item.folder == folder for item in self.box.items.values())
        return {"id": folder, "displayName": self.box.folders[folder], "totalItemCount": count, "childFolderCount": 0}

    def folders(self, parent: str) -> Answer:
        names = [key for key in self.box.folders if self.box.parents[key] == parent]
        wanted = re.fullmatch(r"displayName eq '(.*)'", self.query.get("$filter", ""))
        if wanted:
            names = [key for key in names if self.box.folders[key].lower() == wanted[1].replace("''", "'").lower()]
        return reply({"value": [self.folder(key) for key in names]})

    def list(self, items: list[Item]) -> Answer:
        """Filtered by internetMessageId or receivedDateTime, oldest first, in pages."""
        condition = self.query.get("$filter", "")
        if by_id := re.fullmatch(r"internetMessageId eq '(.*)'", condition):
            wanted = by_id[1].replace("''", "'")
            items = [item for item in items if item.parsed["Message-ID"] == wanted]
        elif condition:
            items = [item for item in items if item.received_at >= since(condition)]
        is_newest_first = self.query.get("$orderby", "").endswith(" desc")
        items = sorted(items, key=lambda item: item.received_at, reverse=is_newest_first)
        start, size = int(self.query.get("$skip", 0)), min(int(self.query.get("$top", 10)), self.graph.page_size)
        answer: dict[str, Any] = {"value": [self.shown(item) for item in items[start : start + size]]}
        answer |= {"@odata.count": len(items)} if self.query.get("$count") == "true" else {}
        if len(items) > start + size:
            rest = "&".join(f"{quote(k)}={quote(v)}" for k, v in self.query.items() if k != "$skip")
            answer["@odata.nextLink"] = f"{self.graph.base}{self.headers['Path']}?{rest}&%24skip={start + size}"
        return reply(answer)

    def shown(self, item: Item) -> dict[str, Any]:
        return shown(item, self.fields, immutable=self.immutable)

    def delta(self, folder: str) -> Answer:
        """Tokens stay good, so that asking again for a page brings the same page."""
        token = self.query.get("$skiptoken") or self.query.get("$deltatoken")
        if token is None:
            after = since(self.query["$filter"]) if "$filter" in self.query else None
            there = [item for item in self.box.items.values() if item.folder == folder]
            numbers = [item.number for item in there if after is None or item.received_at >= after]
            numbers = numbers[: 5000 if after else None]
            current = Round(folder, self.fields, after, len(self.box.log), sorted(numbers, reverse=True))
        else:
            known = self.graph.rounds.get(token)
            if known is None:
                return refusal(410, "SyncStateNotFound", "The sync state generation is not found; resync is required.")
            current = known
            if "$deltatoken" in self.query:
                changed = [number for place, number in self.box.log[known.end :] if place == folder]
                waiting = list(dict.fromkeys(changed))
                current = Round(folder, known.fields, known.since, len(self.box.log), waiting)
        return self.delta_page(current)

    def delta_page(self, current: Round) -> Answer:
        preferred = re.search(r"odata\.maxpagesize=(\d+)", self.headers.get("Prefer", ""))
        size = min(int(preferred[1]) if preferred else 10, self.graph.page_size)
        value = []
        for number in current.waiting[:size]:
            item = self.box.items.get(number)
            if item is None or item.folder != current.folder:
                ghost = Item(number, b"", self.graph.now, current.folder, "")
                value.append({"id": ghost.id(immutable=self.immutable), "@removed": {"reason": "deleted"}})
            elif current.since is None or item.received_at >= current.since:
                value.append(shown(item, current.fields, immutable=self.immutable))
            elif item.is_read:  # told of in any case, whatever the filter says
                value.append({"id": item.id(immutable=self.immutable), "isRead": True})
        skip = 0 if self.headers.get("Twice") else size
        left = Round(current.folder, current.fields, current.since, current.end, current.waiting[skip:])
        token = secrets.token_urlsafe(12)
        self.graph.rounds[token] = left
        kind = "nextLink" if left.waiting else "deltaLink"
        name = "skiptoken" if left.waiting else "deltatoken"
        link = f"{self.graph.base}{self.headers['Path']}?%24{name}={token}"
        return reply({"value": value, f"@odata.{kind}": link})

    def send(self) -> Answer:
        """MIME in base64. The copy in Sent Items lacks the headers that Exchange drops."""
        if len(self.body) > MAX_BODY:
            return refusal(413, "RequestEntityTooLarge", "The request body is too large.")
        return self.leave(graph_drafts.read_mime(self.body))

    def write(self, method: str, tail: list[str]) -> Answer:
        """Drafts, and what becomes of them. Only `send` goes without the right to write."""
        is_send = tail[1:] == ["send"]
        if not (self.graph.may_write or is_send):
            return refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if len(self.body) > MAX_JSON:
            return refusal(413, "RequestEntityTooLarge", "The request body is too large.")
        if not tail:
            return reply(self.shown(graph_drafts.make_draft(self.box, self.body, self.graph.now)), 201)
        item = self.box.find(tail[0], immutable=self.immutable)
        if item is None or not item.is_draft:
            return gone()
        match tail[1:]:
            case []:
                self.box.delete(item)
                return 204, {}, b""
            case ["attachments"]:
                return reply(graph_drafts.attach_whole(item, self.body), 201)
            case ["attachments", "createUploadSession"]:
                self.graph.sessions.append(graph_drafts.begin_session(item, self.body))
                address = (
                    f"{self.graph.upload_place or self.graph.base}/upload/{len(self.graph.sessions) - 1}?authtoken=x"
                )
                value = {
                    "uploadUrl": address,
                    "nextExpectedRanges": ["0-"],
                    "expirationDateTime": "2026-12-26T01:09:30Z",
                }
                return reply(value, 201)
            case ["send"]:
                answer = self.leave(item.raw)
                if answer[0] == 202:
                    del self.box.items[item.number]
                return answer
        return refusal(400, "BadRequest", f"The simulator knows no {method} {tail}")

    def leave(self, raw: bytes) -> Answer:
        """Out, and a copy into Sent Items."""
        mail = message_from_bytes(raw)
        if self.box.address not in str(mail["From"]).lower():
            return refusal(403, "ErrorSendAsDenied", "The user account may not send as this address.")
        for name in {name for name in mail if name.lower().startswith("x-")}:
            del mail[name]
        self.graph.outside.append(mail.as_bytes())
        sent = self.box.deliver(mail.as_bytes(), at=self.graph.now, folder="sentitems")
        sent.is_read = True
        return 202, {}, b""


def attachments(mail: Message) -> list[dict[str, Any]]:
    """As Graph lists them: the whole content of an S/MIME mail is one."""
    parts = [part for part in mail.walk() if part.get_filename()]
    return [
        {"@odata.type": "#microsoft.graph.fileAttachment", "id": str(number), "name": part.get_filename(),
         "contentType": part.get_content_type(), "isInline": False,
         "contentBytes": base64.b64encode(part.get_payload(decode=True) or b"").decode()}
        for number, part in enumerate(parts)
    ]  # fmt: skip


def since(condition: str) -> datetime:
    found = re.fullmatch(r"receivedDateTime (ge|gt) (\S+)", condition)
    assert found, f"Graph would refuse the filter {condition}"
    moment = datetime.fromisoformat(found[2].replace("Z", "+00:00"))
    return moment + timedelta(seconds=1) if found[1] == "gt" else moment


def reply(value: dict[str, Any], status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def refusal(status: int, code: str, message: str) -> Answer:
    inner = {"date": "2026-12-25T02:10:00", "request-id": "r", "client-request-id": "c"}
    error = {"error": {"code": code, "message": message, "innerError": inner}}
    return status, {"Content-Type": "application/json"}, json.dumps(error).encode()


def gone() -> Answer:
    return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")


CODES = {
    401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied", 404: "ErrorItemNotFound", 410: "SyncStateNotFound",
    429: "ApplicationThrottled", 500: "ErrorInternalServerError", 503: "ServiceUnavailable", 504: "GatewayTimeout",
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    graph: Graph
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a head and its body are two writes: 40 ms else

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_PUT = do_DELETE = do_POST

    def _fault(self) -> Fault | None:
        line = f"{self.command} {unquote(self.path)}"
        for fault in self.graph.faults:
            if fault.on in line:
                self.graph.faults.remove(fault)
                return fault
        return None

    def _serve(self, body: bytes) -> None:
        url, fault = urlsplit(self.path), self._fault()
        if fault and fault.kind == "reset":
            self.close_connection = True
            self.connection.close()
            return
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        headers = {**self.headers, "Path": url.path} | ({"Twice": "1"} if fault and fault.kind == "twice" else {})
        if fault and fault.kind == "idle":
            status, more, answer = 200, {}, b""
        elif fault and isinstance(fault.kind, int):
            status, more, answer = refusal(fault.kind, fault.code or CODES.get(fault.kind, "Other"), "scripted")
            more |= {"Retry-After": fault.retry_after} if fault.retry_after else {}
            more |= {"Location": fault.location} if fault.location else {}
        elif url.path.startswith("/v1.0/"):
            status, more, answer = self.graph.answer(self.command, url.path, query, headers, body)
        elif url.path.startswith("/upload/"):
            status, more, answer = self.graph.upload(self.command, url.path, headers, body)
        else:
            form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            signed = self.graph.login.answer(self.command, url.path, form)
            signed = signed or (404, {"error": "no such page"})
            status, more, answer = signed[0], *reply(signed[1])[1:]
        if fault and fault.kind == "hang":
            self.graph.released.wait(30)
            self.close_connection = True
            return
        if fault and fault.kind == "garbage":
            more, answer = {"Content-Type": "text/html; charset=utf-8"}, b"<html>not json</html>"
        self._answer(Exchange(
            self.command, url.path, url.query, dict(self.headers), body, status, more.get("Content-Type", ""), answer
        ), more, is_cut=bool(fault and fault.kind == "cut"))  # fmt: skip

    def _answer(self, exchange: Exchange, more: dict[str, str], *, is_cut: bool) -> None:
        # Before the answer leaves: whoever has it may look here at once.
        self.graph.exchanges.append(exchange)
        self.send_response_only(exchange.status)
        self.send_header("Date", format_datetime(self.graph.now, usegmt=True))
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(exchange.answer)))
        self.end_headers()
        self.wfile.write(exchange.answer[: len(exchange.answer) // 2] if is_cut else exchange.answer)
        if is_cut:
            self.close_connection = True
            self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that cut the line is one of the faults."""


@contextmanager
def running_graph() -> Iterator[Graph]:
    """The service on a free port; `graph.base` is where."""
    graph = Graph()
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"graph": graph}))
    graph.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield graph
    finally:
        graph.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

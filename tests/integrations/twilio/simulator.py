"""Our own small Twilio on loopback: keeps texts, pages its lists, and can be told to go wrong."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

SID = "AC" + "1" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
SENDER = "+15005550006"
ROOT = f"/2010-04-01/Accounts/{SID}"


@dataclass
class Exchange:
    """One request and what was answered, to be held against the vendor's description."""

    method: str
    path: str
    query: str
    headers: dict
    body: str
    status: int
    content_type: str
    answer: str


@dataclass
class Twilio:
    """The provider's memory. `faults` are used up one a request: a status, "garbage", "reset" or "hang-after"."""

    messages: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    exchanges: list = field(default_factory=list)
    account: dict = field(default_factory=lambda: {"status": "active", "type": "Full"})
    released: threading.Event = field(default_factory=threading.Event)
    now: datetime = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)

    def receive(self, sender, text, *, at=None, to=SENDER):
        """A phone texts us."""
        return self.add(to, text, sender=sender, direction="inbound", status="received", at=at)

    def add(self, to, text, *, sender=SENDER, direction="outbound-api", status="queued", at=None, service=None):
        at = at or self.now
        sid = f"SM{len(self.messages) + 1:032x}"
        stamp = format_datetime(at)
        self.messages.append(
            {
                "account_sid": SID,
                "api_version": "2010-04-01",
                "body": text,
                "date_created": stamp,
                "date_sent": None if status == "queued" else stamp,
                "date_updated": stamp,
                "direction": direction,
                "error_code": None,
                "error_message": None,
                "from": sender,
                "messaging_service_sid": service,
                "num_media": "0",
                "num_segments": "1",
                "price": None,
                "price_unit": "USD",
                "sid": sid,
                "status": status,
                "subresource_uris": {"media": f"{ROOT}/Messages/{sid}/Media.json"},
                "to": to,
                "uri": f"{ROOT}/Messages/{sid}.json",
                "_at": at,
            }
        )
        return self.messages[-1]


def shown(message):
    return {key: value for key, value in message.items() if not key.startswith("_")}


def refusal(status, code, message):
    return status, {"code": code, "message": message, "more_info": "", "status": status}


class Handler(BaseHTTPRequestHandler):
    twilio: Twilio

    def log_message(self, *args):
        """Quiet."""

    def do_GET(self):
        self._serve("")

    def do_POST(self):
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _serve(self, body):
        url = urlsplit(self.path)
        fault = self.twilio.faults.pop(0) if self.twilio.faults else None
        if fault == "reset":
            self.connection.close()
            return
        if isinstance(fault, int):
            status, answer = refusal(fault, 20429 if fault == 429 else 20500, "scripted")
        else:
            status, answer = self._answer(url, parse_qs(body), parse_qs(url.query))
        if fault == "hang-after":
            self.twilio.released.wait(30)
            return
        text = (
            "<html>not json</html>" if fault == "garbage" else json.dumps(fault if isinstance(fault, dict) else answer)
        )
        # Before the answer leaves: whoever has it may look here at once.
        self.twilio.exchanges.append(
            Exchange(self.command, url.path, url.query, dict(self.headers), body, status, "application/json", text)
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 429:
            self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _answer(self, url, form, query):
        expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            return refusal(401, 20003, "Authenticate")
        if url.path == f"{ROOT}.json":
            dates = dict.fromkeys(("date_created", "date_updated"), format_datetime(self.twilio.now))
            return 200, {
                "sid": SID,
                "friendly_name": "Acme IT",
                "owner_account_sid": SID,
                **dates,
                **self.twilio.account,
            }
        if url.path == f"{ROOT}/Messages.json":
            return self._create(form) if self.command == "POST" else self._list(query)
        sid = url.path.removeprefix(f"{ROOT}/Messages/").removesuffix(".json")
        for message in self.twilio.messages:
            if message["sid"] == sid:
                return 200, shown(message)
        return refusal(404, 20404, "not found")

    def _create(self, form):
        to, service = form["To"][0], form.get("MessagingServiceSid", [None])[0]
        if not to.startswith("+"):
            return refusal(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if to.endswith("0010"):
            return refusal(400, 21610, "unsubscribed recipient")
        return 201, shown(self.twilio.add(to, form["Body"][0], service=service))

    def _list(self, query):
        found = list(reversed(self.twilio.messages))
        if "To" in query:
            found = [message for message in found if message["to"] == query["To"][0]]
        if "DateSent>" in query:
            since = datetime.fromisoformat(query["DateSent>"][0].replace("Z", "+00:00"))
            found = [message for message in found if message["date_sent"] and message["_at"] >= since]
        size, page = int(query.get("PageSize", ["50"])[0]), int(query.get("Page", ["0"])[0])
        part = found[page * size : (page + 1) * size]
        kept = {key: values[0] for key, values in query.items()}

        def uri(number):
            return f"{ROOT}/Messages.json?" + urlencode({**kept, "Page": number, "PageToken": f"PA{number}"})

        return 200, {
            "end": page * size + max(len(part) - 1, 0),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
            "page": page,
            "page_size": size,
            "previous_page_uri": uri(page - 1) if page else None,
            "messages": [shown(message) for message in part],
            "start": page * size,
            "uri": uri(page),
        }


class Simulator:
    """Serve a `Twilio` on a free loopback port: `with Simulator() as (twilio, url)`."""

    def __enter__(self):
        self.twilio = Twilio()
        handler = type("Bound", (Handler,), {"twilio": self.twilio})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self.twilio, f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *args):
        self.twilio.released.set()
        self.server.shutdown()
        self.server.server_close()


HOUR = timedelta(hours=1)

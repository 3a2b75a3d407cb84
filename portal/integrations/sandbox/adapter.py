"""A pretended SMS provider with its own ids, states, lists and faults, in a file of its own.

It knows nothing of Nightdesk's tables: chaos tests count texts here (decisions.md 6).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portal.core.errors import DomainError, GatewayError
from portal.core.ports import InboundSms, SentSms

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (seq INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL, receiver TEXT NOT NULL,
  body TEXT NOT NULL, created_at INTEGER NOT NULL, error_code TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS received (seq INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, body TEXT NOT NULL,
  received_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fault (seq INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL,
  remaining INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sent_ref ON sent (ref);
CREATE INDEX IF NOT EXISTS received_at ON received (received_at);
CREATE INDEX IF NOT EXISTS received_sender ON received (sender);
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_DELIVERED_AFTER = timedelta(seconds=1)
_TIMEOUT = 5.0

# What a scripted code does. The numbers are those of the Twilio error list, so that the plain words fit both.
_REFUSED = {
    "20003": "The account refuses our user name or password.",
    "21211": "This is not a phone number a text can be sent to.",
    "21408": "The account may not send to this country.",
    "21610": "The owner of this phone texted STOP. They must text START to get pages again.",
    "21614": "This number cannot receive texts.",
}
_BUSY = {"429": 2.0, "20429": 2.0, "500": None, "503": None}
_UNDELIVERED = {
    "30003": "The phone is switched off or out of reach.",
    "30004": "The phone's owner or carrier blocks our texts.",
    "30005": "The number does not exist.",
    "30006": "A landline, or a carrier that cannot be reached.",
    "30007": "The carrier took the text for spam.",
    "30008": "The carrier could not deliver the text and gives no reason.",
}
_LOST = "timeout"
_LOST_AFTER = "timeout-after-accept"
_BLIND = "lookup"
FAULT_CODES = (*_REFUSED, *_BUSY, *_UNDELIVERED, _LOST, _LOST_AFTER, _BLIND)


@dataclass(frozen=True)
class PhoneText:
    """One text as the phone shows it. `is_from_phone` tells the two directions apart."""

    phone: str
    text: str
    at: datetime
    is_from_phone: bool
    state: str = ""


class SandboxGateway:
    """The provider as Nightdesk sees it (`SmsGateway`), plus what only a pretended provider offers.

    Args:
        path: the provider's own database file; made when missing.
        now: the provider's clock.
    """

    name = "sandbox"

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now

    def send(self, ref: str, to: str, text: str) -> SentSms:
        """Accept one text, unless a scripted fault or the number stands against it."""
        with self._change() as db:
            code = _take_fault(db, lookups=False)
            if not _E164.fullmatch(to):
                code = "21211"
            elif _is_stopped(db, to):
                code = "21610"
            if code in _REFUSED or code in _BUSY or code == _LOST:
                failure: GatewayError | None = _failure(code)
            else:
                row = (ref, to, text, _micros(self._now()), code if code in _UNDELIVERED else "")
                insert = "INSERT INTO sent (ref, receiver, body, created_at, error_code) VALUES (?, ?, ?, ?, ?)"
                seq = db.execute(insert, row).lastrowid
                failure = _failure(code) if code == _LOST_AFTER else None
        if failure:
            raise failure
        return self.fetch_status(f"SB{seq:08d}")

    def find_sent(self, to: str, since: datetime, ref: str, text: str) -> SentSms | None:
        """By our reference: this provider keeps it."""
        with self._change() as db:
            fault = _take_fault(db, lookups=True)
            row = db.execute(f"{_SELECT_SENT} WHERE ref = ? ORDER BY seq LIMIT 1", (ref,)).fetchone()
        if fault:
            raise GatewayError("The sandbox does not answer (scripted).", code=fault)
        return self._to_sent(row) if row else None

    def fetch_status(self, provider_id: str) -> SentSms:
        """Accepted at first, a second later delivered or undelivered."""
        with self._read() as db:
            seq = int(provider_id[2:]) if re.fullmatch(r"SB\d{8,}", provider_id) else -1
            row = db.execute(f"{_SELECT_SENT} WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise GatewayError("The provider does not know this text.", permanent=True, code="20404")
        return self._to_sent(row)

    def list_inbound(self, since: datetime) -> Sequence[InboundSms]:
        """Everything phones sent us since then, oldest first."""
        with self._read() as db:
            query = (
                "SELECT seq, sender, body, received_at FROM received WHERE received_at >= ? ORDER BY received_at, seq"
            )
            rows = db.execute(query, (_micros(since),)).fetchall()
        return [InboundSms(f"SR{seq:08d}", sender, body, _from_micros(at)) for seq, sender, body, at in rows]

    def check_account(self) -> str:
        """Always well, once the file can be opened."""
        with self._read() as db:
            (count,) = db.execute("SELECT count(*) FROM sent").fetchone()
        return f"The sandbox works. It has taken {count} texts; none reaches a real phone."

    def list_texts(self) -> list[SentSms]:
        """Every text the provider accepted, oldest first."""
        with self._read() as db:
            return [self._to_sent(row) for row in db.execute(f"{_SELECT_SENT} ORDER BY seq").fetchall()]

    def list_phone_texts(self, phone: str, *, limit: int) -> list[PhoneText]:
        """Both directions of one phone, oldest first, the latest `limit`. Undelivered texts never arrived."""
        with self._read() as db:
            sent = db.execute(f"{_SELECT_SENT} WHERE receiver = ? ORDER BY seq DESC LIMIT ?", (phone, limit)).fetchall()
            query = "SELECT seq, body, received_at FROM received WHERE sender = ? ORDER BY seq DESC LIMIT ?"
            received = db.execute(query, (phone, limit)).fetchall()
        arrived = [text for text in map(self._to_sent, sent) if text.state != "undelivered"]
        texts = [PhoneText(phone, text.text, text.created_at, False, text.state) for text in arrived]
        texts += [PhoneText(phone, body, _from_micros(at), True) for _, body, at in received]
        return sorted(texts, key=lambda text: text.at)[-limit:]

    def reply(self, sender: str, text: str) -> InboundSms:
        """A phone answers. Raises DomainError for what is no phone number."""
        if not _E164.fullmatch(sender):
            raise DomainError("A phone number is written +, country code, number: +15550100.")
        at = self._now()
        with self._change() as db:
            query = "INSERT INTO received (sender, body, received_at) VALUES (?, ?, ?)"
            seq = db.execute(query, (sender, text, _micros(at))).lastrowid
        return InboundSms(f"SR{seq:08d}", sender, text, at)

    def fail(self, code: str, *, next_k: int) -> None:
        """Script the next `next_k` sends (look-ups for "lookup") to go wrong.

        Raises DomainError for an unknown code.
        """
        if code not in FAULT_CODES:
            raise DomainError(f"Unknown fault {code}. Known: {', '.join(FAULT_CODES)}.")
        if next_k < 1:
            raise DomainError("The number of failures must be at least 1.")
        with self._change() as db:
            db.execute("INSERT INTO fault (code, remaining) VALUES (?, ?)", (code, next_k))

    def _to_sent(self, row: tuple[int, str, str, int, str]) -> SentSms:
        seq, to, text, created, error = row
        created_at = _from_micros(created)
        final = "undelivered" if error else "delivered"
        state = final if self._now() - created_at >= _DELIVERED_AFTER else "accepted"
        shown = error if state == "undelivered" else ""
        return SentSms(f"SB{seq:08d}", state, to, text, created_at, shown, _UNDELIVERED.get(shown, ""))

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=_TIMEOUT, isolation_level=None)) as db:
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(_SCHEMA)
                yield db
        except sqlite3.Error as error:
            raise GatewayError(f"The sandbox file cannot be used: {error}.", maybe_done=True) from error

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._read() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")


_SELECT_SENT = "SELECT seq, receiver, body, created_at, error_code FROM sent"


def _take_fault(db: sqlite3.Connection, *, lookups: bool) -> str:
    """The code of the next scripted fault, used up by one; empty when none is left."""
    query = f"SELECT seq, code FROM fault WHERE remaining > 0 AND (code = '{_BLIND}') = ? ORDER BY seq LIMIT 1"  # noqa: S608
    row = db.execute(query, (lookups,)).fetchone()
    if row is None:
        return ""
    db.execute("UPDATE fault SET remaining = remaining - 1 WHERE seq = ?", (row[0],))
    return str(row[1])


def _is_stopped(db: sqlite3.Connection, phone: str) -> bool:
    """As carriers do it: the last of STOP and START counts."""
    query = "SELECT upper(trim(body)) FROM received WHERE sender = ? AND upper(trim(body)) IN (?, ?) ORDER BY seq DESC"
    row = db.execute(query, (phone, "STOP", "START")).fetchone()
    return bool(row) and row[0] == "STOP"


def _failure(code: str) -> GatewayError:
    if code in _REFUSED:
        return GatewayError(_REFUSED[code], permanent=True, code=code)
    if code in _BUSY:
        return GatewayError("The provider is busy.", retry_after=_BUSY[code], code=code)
    return GatewayError("The provider did not answer in time.", maybe_done=True, code=code)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _from_micros(value: int) -> datetime:
    return _EPOCH + value * _MICROSECOND

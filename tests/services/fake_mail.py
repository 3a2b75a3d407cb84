"""Mail servers that do as they are told and remember what they were asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.core.errors import GatewayError
from portal.core.ports import (
    FetchedMail,
    MailAccount,
    MailBatch,
    OutgoingMessage,
)
from portal.models import is_writing


class FakeMailServers:
    """The MailTransport port. `mailboxes` by host; what was handed to a sender is in `sent`."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, FakeMailbox] = {}
        self.sent: list[OutgoingMessage] = []
        self.tried: list[str] = []
        self.knows_sent = False
        self.asked: list[str] = []
        self._failures: list[GatewayError] = []

    def add(self, host: str) -> FakeMailbox:
        """A mailbox that accounts with this host open."""
        return self.mailboxes.setdefault(host, FakeMailbox())

    def fail_next_send(self, error: GatewayError) -> None:
        """The next mail is not taken; with `maybe_done` it is, but nobody says so."""
        self._failures.append(error)

    def mailbox(self, account: MailAccount) -> FakeMailbox:
        return self.mailboxes[account.imap["host"]]

    def sender(self, account: MailAccount) -> FakeMailServers:
        return self

    def send(self, message: OutgoingMessage) -> None:
        assert not is_writing(), "a mail was sent inside a transaction"
        self.tried.append(message.message_id)
        if self._failures:
            error = self._failures.pop(0)
            if error.maybe_done:
                self.sent.append(message)
            raise error
        self.sent.append(message)

    def was_sent(self, message_id: str) -> bool | None:
        assert not is_writing(), "a mail server was asked inside a transaction"
        self.asked.append(message_id)
        return any(one.message_id == message_id for one in self.sent) if self.knows_sent else None

    def close(self) -> None:
        return

    def check(self) -> str:
        return "Logged in at smtp.shop.example."


class FakeMailbox:
    """A folder of mails with uids from 1."""

    def __init__(self) -> None:
        self.uidvalidity = 7
        self.mails: list[tuple[int, datetime, bytes]] = []
        self._failures: list[GatewayError] = []
        self.fetches = 0
        self.sent_folder = ""
        self.gone: set[str] = set()

    def deliver(self, raw: bytes, *, at: datetime) -> None:
        self.mails.append((len(self.mails) + 1, at, raw))

    def fail_next(self, error: GatewayError) -> None:
        self._failures.append(error)

    def renumber(self) -> None:
        """The server made the folder anew: same mails, other uids."""
        self.uidvalidity += 1

    def start(self, folder: str, since: datetime | None) -> str:
        self._called(folder)
        uids = [uid for uid, at, _ in self.mails if since is not None and at >= since]
        return f"{self.uidvalidity}:{min(uids) - 1 if uids else len(self.mails)}"

    def is_ahead(self, provider_id: str, cursor: str) -> bool:
        place, _, last = cursor.partition(":")
        uidvalidity, _, uid = provider_id.partition(":")
        return uidvalidity != place or not uid.isdigit() or int(uid) > int(last)

    def is_reused(self, provider_id: str, cursor: str) -> bool:
        return provider_id.partition(":")[0] == cursor.partition(":")[0] and self.is_ahead(provider_id, cursor)

    def fetch(self, folder: str, cursor: str, *, limit: int, byte_limit: int, max_size: int) -> MailBatch:
        self._called(folder)
        self.fetches += 1
        place, _, last_uid = cursor.partition(":")
        if place != str(self.uidvalidity):
            return MailBatch((), "", has_more=True, was_reset=True)
        start = int(last_uid)
        waiting = [one for one in self.mails if one[0] > start]
        chosen = tuple(
            FetchedMail(
                f"{self.uidvalidity}:{uid}", folder, at, len(raw), raw if len(raw) <= max_size else None, raw[:100]
            )
            for uid, at, raw in waiting[:limit]
        )
        last = waiting[:limit][-1][0] if waiting else start
        return MailBatch(chosen, f"{self.uidvalidity}:{last}", len(waiting) > limit)

    def list_ids(self, folder: str, since: datetime) -> Sequence[tuple[str, datetime]]:
        self._called(folder)
        return [(f"{self.uidvalidity}:{uid}", at) for uid, at, _ in self.mails if at >= since]

    def fetch_one(self, folder: str, provider_id: str, *, max_size: int | None = None) -> FetchedMail | None:
        self._called(folder)
        for uid, at, raw in self.mails:
            if f"{self.uidvalidity}:{uid}" == provider_id:
                kept = raw if max_size is None or len(raw) <= max_size else None
                return FetchedMail(provider_id, folder, at, len(raw), kept, raw[:100])
        return None

    def count(self, folder: str) -> int:
        self._called(folder)
        return len(self.mails)

    def find_sent(self) -> str:
        self._called()
        return self.sent_folder

    def close(self) -> None:
        return

    def _called(self, folder: str = "") -> None:
        assert not is_writing(), "a mail server was called inside a transaction"
        if self._failures:
            raise self._failures.pop(0)
        if folder in self.gone:
            raise GatewayError(f"The folder {folder} cannot be opened: nonexistent", permanent=True, code="folder")

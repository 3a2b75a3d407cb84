"""Which ticket a mail belongs to, and the token by which our own mails are known again."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from portal.core.mail import ParsedMail

RANDOM_BYTES = 5
_MAC_BYTES = 10
_TOKEN = re.compile(
    r"\bnd\.([1-9][0-9]{0,17})\.([0-9]{1,18})\.([a-z2-7]{8})\.([a-z2-7]{16})(?![a-z0-9])", re.IGNORECASE
)
_NUMBER = re.compile(r"\[#([1-9][0-9]{0,17})\]")

Mac = Callable[[bytes], bytes]


@dataclass(frozen=True)
class MailToken:
    """What a valid token says: the ticket, and the row of ours (message or outgoing mail) it was made for."""

    ticket_id: int
    row_id: int


@dataclass(frozen=True)
class ThreadEvidence:
    """What the database knows of the things a mail points at.

    `known_ids` maps Message-IDs (in brackets) to tickets. `participants` maps tickets named in the subject to the
    lower-case addresses that take part in them; a ticket that is absent does not exist.
    """

    known_ids: Mapping[str, int] = field(default_factory=dict)
    participants: Mapping[int, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadDecision:
    """The ticket, None for a new one, and why. `maybe` is a ticket it may belong to by weak evidence."""

    ticket_id: int | None
    reason: str
    maybe: int | None = None


def make_token(ticket_id: int, *, row_id: int, random: bytes, mac: Mac) -> str:
    """`nd.{ticket}.{row}.{random}.{mac}` (decisions.md 6): base32 in lower case, because clients change case."""
    head = f"nd.{ticket_id}.{row_id}.{_base32(random[:RANDOM_BYTES])}"
    return f"{head}.{_sign(head, mac)}"


def make_message_id(token: str, *, domain: str) -> str:
    """The Message-ID that is the token."""
    return f"<{token}@{domain}>"


def read_tokens(text: str, *, mac: Mac) -> tuple[MailToken, ...]:
    """The valid tokens in a text or header, in their order. Forged and damaged ones are passed over."""
    found = []
    for match in _TOKEN.finditer(text):
        head = match.group()[: match.start(4) - match.start() - 1].lower()
        if hmac.compare_digest(_sign(head, mac), match.group(4).lower()):
            found.append(MailToken(int(match.group(1)), int(match.group(2))))
    return tuple(found)


def parent_ids(mail: ParsedMail) -> tuple[str, ...]:
    """The Message-IDs a mail answers, the nearest first: In-Reply-To, then References from the end."""
    return tuple(dict.fromkeys((*mail.in_reply_to, *reversed(mail.references))))[:200]


def subject_numbers(subject: str) -> tuple[int, ...]:
    """Ticket numbers written as `[#1234]` in a subject."""
    return tuple(dict.fromkeys(int(number) for number in _NUMBER.findall(subject)))


def decide_thread(mail: ParsedMail, *, evidence: ThreadEvidence, mac: Mac) -> ThreadDecision:
    """Which ticket a mail joins, strongest sign first (product.md 1); a subject alone never joins.

    1. In-Reply-To and References against all known ids. 2. Our signed token, in those headers or in the text.
    3. A ticket number in the subject, only from somebody who takes part in that ticket.
    """
    for parent in parent_ids(mail):
        if parent in evidence.known_ids:
            return ThreadDecision(evidence.known_ids[parent], f"answers {parent}")
    for text, where in ((" ".join(parent_ids(mail)), "in its headers"), (f"{mail.text}\n{mail.html}", "in its text")):
        tokens = read_tokens(text, mac=mac)
        if tokens:
            return ThreadDecision(tokens[0].ticket_id, f"carries our signed reference {where}")
    return _by_subject(mail, evidence)


def _by_subject(mail: ParsedMail, evidence: ThreadEvidence) -> ThreadDecision:
    weak: int | None = None
    for number in subject_numbers(mail.subject):
        if number not in evidence.participants:
            continue
        if mail.sender and mail.sender.key in evidence.participants[number]:
            return ThreadDecision(number, f"names #{number} in the subject and comes from somebody in that ticket")
        weak = weak or number
    if weak:
        why = f"names #{weak} in the subject, but its sender takes no part in that ticket"
        return ThreadDecision(None, f"new ticket: {why}", maybe=weak)
    return ThreadDecision(None, "new ticket: points at nothing we know")


def _sign(head: str, mac: Mac) -> str:
    return _base32(mac(head.encode("ascii"))[:_MAC_BYTES])


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()

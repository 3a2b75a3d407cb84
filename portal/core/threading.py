"""Which ticket a mail belongs to, and the token by which our own mails are known again."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from portal.core.mail import ParsedMail
from portal.core.mail_domains import PUBLIC_DOMAINS

RANDOM_BYTES = 5
_MAC_BYTES = 10
_TOKEN = re.compile(
    r"\bnd\.([1-9][0-9]{0,17})\.([0-9]{1,18})\.([a-z2-7]{8})\.([a-z2-7]{16})(?![a-z0-9])", re.IGNORECASE
)
# The parts have fixed lengths but for the two numbers, so a token is found also where a client broke the line in it.
_WRAPPED = re.compile(r"nd\.([1-9][0-9]{0,17})\.([0-9]{1,18})\.([a-z2-7]{8})\.([a-z2-7]{16})", re.IGNORECASE)
_BREAK = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff]|=?[ \t]*\r?\n[ \t>|]*")
_TAG = re.compile(r"<[^<>]{0,500}>")
_ANSWER = re.compile(
    r"\s*(re|aw|antw|antwort|sv|vs|rif|ré|ref|odp|res|betr)\s*(\[\d+\]|\(\d+\))?\s*[:：]", re.IGNORECASE
)
_FORWARD = re.compile(r"\s*(fwd?|wg|tr|rv|enc|doorst|vl|i)\s*[:：]", re.IGNORECASE)
_NAMED = re.compile(
    r"(ticket|case|request|issue|ref|anfrage|vorgang|demande|solicitud|aanvraag|nr|no|number)\W*$", re.IGNORECASE
)
ID, TOKEN, UNSEEN, CONVERSATION, SUBJECT = "id", "token", "unseen", "conversation", "subject"

Mac = Callable[[bytes], bytes]


@dataclass(frozen=True)
class MailToken:
    """What a valid token says: the ticket, and the row of ours (message or outgoing mail) it was made for."""

    ticket_id: int
    row_id: int


@dataclass(frozen=True)
class KnownId:
    """A Message-ID that belongs to a ticket. Not `is_seen`: no mail of that id came, one only referred to it."""

    ticket_id: int
    is_seen: bool = True


@dataclass(frozen=True)
class Circle:
    """Who takes part in a ticket, in lower case: `people` from outside, and our own `staff`."""

    people: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset()

    def holds(self, addresses: Collection[str]) -> bool:
        """One of these takes part."""
        return any(one in self.people or one in self.staff for one in addresses)

    def is_near(self, addresses: Collection[str]) -> bool:
        """One of these takes part, or works where a requester does."""
        domains = {one.rpartition("@")[2] for one in self.people} - PUBLIC_DOMAINS
        return self.holds(addresses) or any(one.rpartition("@")[2] in domains for one in addresses)


@dataclass(frozen=True)
class ThreadEvidence:
    """What the database knows of the things a mail points at. Merged tickets are followed already.

    `known` maps Message-IDs (in brackets) to tickets, `circles` the tickets that may be joined on weaker signs; a
    ticket named in the subject that is absent there does not exist. `conversation` are the tickets of the same
    conversation id, the newest first. `prefix` stands before our numbers. `is_sent`: a mail from our own folder of
    sent mail, so its receivers count and not its sender. `distrust` says why the sender is in doubt, "" for no doubt.
    """

    known: Mapping[str, KnownId] = field(default_factory=dict)
    circles: Mapping[int, Circle] = field(default_factory=dict)
    conversation: Sequence[int] = ()
    prefix: str = "#"
    is_sent: bool = False
    distrust: str = ""


@dataclass(frozen=True)
class ThreadDecision:
    """The ticket, None for a new one, and why. `strength` names the sign: id, token, unseen, conversation, subject.

    `maybe` is a ticket it may belong to by weak evidence; `also` are further tickets of the same thread.
    """

    ticket_id: int | None
    reason: str
    maybe: int | None = None
    strength: str = ""
    also: tuple[int, ...] = ()

    @property
    def is_proof(self) -> bool:
        """The writer had a mail of this ticket in hand: its id or our signed token cannot be guessed."""
        return self.strength in (ID, TOKEN)


def make_token(ticket_id: int, *, row_id: int, random: bytes, mac: Mac) -> str:
    """`nd.{ticket}.{row}.{random}.{mac}` (decisions.md 6): base32 in lower case, because clients change case."""
    head = f"nd.{ticket_id}.{row_id}.{_base32(random[:RANDOM_BYTES])}"
    return f"{head}.{_sign(head, mac)}"


def make_message_id(token: str, *, domain: str) -> str:
    """The Message-ID that is the token."""
    return f"<{token}@{domain}>"


def read_tokens(text: str, *, mac: Mac) -> tuple[MailToken, ...]:
    """The valid tokens in a text or header, in their order; in any case, quoted, and broken over lines by a client.
    Forged and damaged ones are passed over."""
    found = _valid_tokens(_TOKEN, text, mac)
    if not found and "nd." in text.lower():
        joined = _BREAK.sub("", text)
        found = _valid_tokens(_WRAPPED, joined, mac) if joined != text else ()
    return found


def parent_ids(mail: ParsedMail) -> tuple[str, ...]:
    """The Message-IDs a mail answers, the nearest first: In-Reply-To, then References from the end."""
    return tuple(dict.fromkeys((*mail.in_reply_to, *reversed(mail.references))))[:200]


def subject_numbers(subject: str, *, prefix: str = "#") -> dict[int, bool]:
    """Ticket numbers in a subject: `[#12]`, and the prefix of the site before a number, in their order.

    True: it is surely meant as a number of ours, in brackets, after a word like ticket, at the beginning, or because
    our prefix holds letters. "Printer #7" only may be meant so.
    """
    found: dict[int, bool] = {}
    for match in _number_pattern(prefix).finditer(subject[:500]):
        number, before = int(match.group(2)), subject[: match.start()]
        is_sure = bool(match.group(1).startswith("[") or any(letter.isalpha() for letter in match.group(1)))
        is_sure = is_sure or bool(_NAMED.search(before)) or not _ANSWER.sub("", before).strip()
        found[number] = found.get(number, False) or is_sure
    return found


def is_answer(mail: ParsedMail) -> bool:
    """Whether a mail presents itself as an answer."""
    return bool(mail.in_reply_to or mail.references or _ANSWER.match(mail.subject))


def is_forward(mail: ParsedMail) -> bool:
    """Whether a mail presents itself as one passed on."""
    return _FORWARD.match(mail.subject) is not None


def follow_merges(ticket_id: int, *, merged: Mapping[int, int | None]) -> int:
    """Where a ticket went, over any number of merges. In a ring, which should not be, the smallest number is the end,
    so that everybody arrives at the same one."""
    seen: list[int] = []
    while (into := merged.get(ticket_id)) is not None:
        if ticket_id in seen:
            return min(seen[seen.index(ticket_id) :])
        seen.append(ticket_id)
        ticket_id = into
    return ticket_id


def decide_thread(mail: ParsedMail, *, evidence: ThreadEvidence, mac: Mac) -> ThreadDecision:
    """Which ticket a mail joins, strongest sign first (product.md 1); a subject alone never joins.

    1. In-Reply-To and References, or the mail's own id where others came before it, against all known ids. 2. Our
    signed token, in those headers or in the text. 3. The conversation id of Graph, with the same customer. 4. A ticket
    number in the subject, only from somebody who takes part in that ticket.

    An id that nobody of ours ever saw joins only among people of the same customer: two strangers may well answer the
    same newsletter. Exchange makes conversations of equal subjects too, so there a colleague must be answering.
    """
    weak: list[tuple[int, str]] = []
    for find in (_by_seen_ids, _by_unseen_ids, _by_token, _by_conversation, _by_subject):
        decision = find(mail, evidence, mac, weak)
        if decision is not None:
            return _with_others(mail, evidence, decision)
    if weak:
        maybe, why = weak[0]
        return ThreadDecision(None, f"new ticket: {why}", maybe=maybe)
    return ThreadDecision(None, "new ticket: points at nothing we know")


_Weak = list[tuple[int, str]]


def _with_others(mail: ParsedMail, evidence: ThreadEvidence, decision: ThreadDecision) -> ThreadDecision:
    ids = [one for one in (*parent_ids(mail), mail.message_id) if one in evidence.known]
    others = dict.fromkeys(evidence.known[one].ticket_id for one in ids)
    return replace(decision, also=tuple(one for one in others if one != decision.ticket_id))


def _by_seen_ids(mail: ParsedMail, evidence: ThreadEvidence, mac: Mac, weak: _Weak) -> ThreadDecision | None:
    for parent in parent_ids(mail):
        known = evidence.known.get(parent)
        if known and known.is_seen:
            return ThreadDecision(known.ticket_id, f"answers {parent}", strength=ID)
    return None


def _by_unseen_ids(mail: ParsedMail, evidence: ThreadEvidence, mac: Mac, weak: _Weak) -> ThreadDecision | None:
    """Siblings whose parent never came, and the parent that comes after its answers."""
    around = {*_writers(mail, evidence), *(one.key for one in (*mail.to, *mail.cc))}
    for one in (mail.message_id, *parent_ids(mail)):
        known = evidence.known.get(one)
        if known is None or known.is_seen:
            continue
        is_parent = one == mail.message_id
        if evidence.circles.get(known.ticket_id, Circle()).is_near(around):
            why = "a mail that came before it answers it" if is_parent else f"answers {one}, as others do"
            return ThreadDecision(known.ticket_id, why, strength=UNSEEN)
        why = "a mail there answers it" if is_parent else "a mail there answers the same one"
        weak.append((known.ticket_id, f"{why}, but nobody of that ticket is named in it"))
    return None


def _by_token(mail: ParsedMail, evidence: ThreadEvidence, mac: Mac, weak: _Weak) -> ThreadDecision | None:
    texts = {
        "in its headers": (" ".join(parent_ids(mail)),),
        "in its text": (mail.text, _TAG.sub("", mail.html) if "nd." in mail.html.lower() else ""),
    }
    for where, pieces in texts.items():
        for piece in pieces:
            tokens = read_tokens(piece, mac=mac)
            if tokens:
                return ThreadDecision(tokens[0].ticket_id, f"carries our signed reference {where}", strength=TOKEN)
    return None


def _by_conversation(mail: ParsedMail, evidence: ThreadEvidence, mac: Mac, weak: _Weak) -> ThreadDecision | None:
    writers = _writers(mail, evidence)
    for ticket_id in evidence.conversation:
        circle = evidence.circles.get(ticket_id, Circle())
        if not evidence.distrust and (circle.holds(writers) or (circle.is_near(writers) and is_answer(mail))):
            return ThreadDecision(ticket_id, "belongs to the same conversation (Exchange)", strength=CONVERSATION)
        reason = evidence.distrust or "comes from somebody else"
        weak.append((ticket_id, f"belongs to the same conversation (Exchange), but {reason}"))
    return None


def _by_subject(mail: ParsedMail, evidence: ThreadEvidence, mac: Mac, weak: _Weak) -> ThreadDecision | None:
    writers = _writers(mail, evidence)
    for number, is_sure in subject_numbers(mail.subject, prefix=evidence.prefix).items():
        circle = evidence.circles.get(number)
        if circle is None:
            continue
        takes_part = circle.holds(writers)
        if takes_part and not evidence.distrust and (is_sure or is_answer(mail)):
            why = f"names #{number} in the subject and comes from somebody in that ticket"
            return ThreadDecision(number, why, strength=SUBJECT)
        if takes_part or is_sure:
            doubt = (
                "its sender takes no part in that ticket" if not takes_part
                else evidence.distrust or "may mean something else by it"
            )  # fmt: skip
            weak.append((number, f"names #{number} in the subject, but {doubt}"))
    return None


def _writers(mail: ParsedMail, evidence: ThreadEvidence) -> tuple[str, ...]:
    if evidence.is_sent:
        return tuple(one.key for one in (*mail.to, *mail.cc))
    return (mail.sender.key,) if mail.sender and mail.sender.email else ()


@cache
def _number_pattern(prefix: str) -> re.Pattern[str]:
    """`[#12]` always; the site's prefix, or the plain #, before a number that stands alone."""
    bare = rf"{re.escape(prefix)}|#" if prefix.strip() else "#"
    return re.compile(rf"(?<![\w/&#])(\[\s*(?:{bare})|{bare})\s?([1-9][0-9]{{0,17}})(?![\w-]|\.\d)", re.IGNORECASE)


def _valid_tokens(pattern: re.Pattern[str], text: str, mac: Mac) -> tuple[MailToken, ...]:
    found = []
    for match in pattern.finditer(text):
        head = match.group()[: match.start(4) - match.start() - 1].lower()
        if hmac.compare_digest(_sign(head, mac), match.group(4).lower()):
            found.append(MailToken(int(match.group(1)), int(match.group(2))))
    return tuple(found)


def _sign(head: str, mac: Mac) -> str:
    return _base32(mac(head.encode("ascii"))[:_MAC_BYTES])


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()

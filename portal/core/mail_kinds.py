"""Is a mail from a person or from a machine, and by which sign. Machines are never answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from portal.core.mail import ParsedMail

PERSON = "person"
AUTOMATIC = "automatic"
BOUNCE = "bounce"
LIST = "list"
OWN = "own"
CALENDAR = "calendar"

_ROBOT_LOCAL = re.compile(
    r"(no-?_?\.?reply|do-?_?not-?_?reply|donotreply|mailer-daemon|postmaster|bounces?|autoreply|auto-reply|nobody)"
    r"([+._=-].*)?",
)
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon", "double-bounce"})
_SUPPRESS = frozenset({"all", "autoreply", "oof", "dr", "rn", "nrn"})
_REPORT_FIELD = re.compile(
    r"^(Final-Recipient|Original-Recipient|Action|Status|Diagnostic-Code):[ \t]*(.*)$", re.I | re.M
)


@dataclass(frozen=True)
class MailKind:
    """What a mail is, and the sign that said so, as a person reads it on the ledger page.

    `opens_ticket`: it may be the start of something: a person, or a machine that reports and does not answer.
    """

    kind: str
    reason: str
    opens_ticket: bool = False

    @property
    def may_be_answered(self) -> bool:
        """Only people get automatic mail from us (RFC 3834 section 2)."""
        return self.kind == PERSON


@dataclass(frozen=True)
class DeliveryReport:
    """One recipient of a delivery status notification (RFC 3464)."""

    recipient: str
    action: str
    status: str
    diagnostic: str

    @property
    def is_permanent(self) -> bool:
        """The address is dead: `failed` with a class 5 status."""
        return self.action == "failed" and self.status.startswith("5")


def decide_kind(mail: ParsedMail, *, own_addresses: Collection[str], is_own_id: Callable[[str], bool]) -> MailKind:
    """The kind of a mail, strongest sign first: ours, bounce, calendar answer, mailing list, automatic, person.

    `own_addresses` are the addresses our mailboxes send from, in lower case; `is_own_id` says whether a Message-ID
    carries our valid token. Sources: RFC 3834, RFC 3464, RFC 2369, RFC 2919, MS-OXCMAIL (X-Auto-Response-Suppress).
    """
    return (
        _bounce(mail)
        or _own(mail, own_addresses, is_own_id)
        or _calendar(mail)
        or _list(mail)
        or _automatic(mail)
        or MailKind(PERSON, "no sign of a machine", opens_ticket=True)
    )


def parse_report(report: str) -> tuple[DeliveryReport, ...]:
    """The recipients of a message/delivery-status part, in their order."""
    found = []
    for block in re.split(r"\n[ \t]*\n", report):
        fields = {name.lower(): value.strip() for name, value in reversed(_REPORT_FIELD.findall(block))}
        recipient = fields.get("final-recipient") or fields.get("original-recipient") or ""
        if recipient or "action" in fields:
            found.append(
                DeliveryReport(
                    recipient=recipient.partition(";")[2].strip().strip("<>") or recipient,
                    action=fields.get("action", "").split(" ")[0].lower(),
                    status=fields.get("status", "").split(" ")[0],
                    diagnostic=fields.get("diagnostic-code", "")[:300],
                )
            )
    return tuple(found)


def _own(mail: ParsedMail, own_addresses: Collection[str], is_own_id: Callable[[str], bool]) -> MailKind | None:
    if mail.message_id and is_own_id(mail.message_id):
        return MailKind(OWN, "its Message-ID is one of ours")
    if mail.sender and mail.sender.key in own_addresses:
        return MailKind(OWN, f"sent from our own address {mail.sender.key}")
    return None


def _bounce(mail: ParsedMail) -> MailKind | None:
    if mail.content_type == "multipart/report":
        kind = mail.content_params.get("report-type", "").lower()
        if kind == "delivery-status" or mail.report:
            return MailKind(BOUNCE, "a delivery report (multipart/report)")
        if kind == "disposition-notification":
            return MailKind(AUTOMATIC, "a read receipt (disposition-notification)")
    if mail.report:
        return MailKind(BOUNCE, "holds a delivery report")
    if "x-failed-recipients" in mail.headers:
        return MailKind(BOUNCE, "header X-Failed-Recipients")
    local = mail.sender.key.partition("@")[0] if mail.sender else ""
    if local in _DAEMONS and _return_path(mail) in ("<>", None):
        return MailKind(BOUNCE, f"sent by {local}")
    return None


def _calendar(mail: ParsedMail) -> MailKind | None:
    if mail.calendar_method in ("REPLY", "COUNTER", "REQUEST", "CANCEL", "REFRESH"):
        word = {"REQUEST": "an invitation", "CANCEL": "a cancellation"}.get(mail.calendar_method, "an answer")
        return MailKind(CALENDAR, f"{word} from a calendar (METHOD:{mail.calendar_method})")
    return None


def _list(mail: ParsedMail) -> MailKind | None:
    for name in ("list-id", "list-post", "mailing-list"):
        if name in mail.headers:
            return MailKind(LIST, f"header {name.title()}")
    precedence = mail.headers.get("precedence", "").strip().lower()
    return MailKind(LIST, "header Precedence: list") if precedence == "list" else None


def _automatic(mail: ParsedMail) -> MailKind | None:
    headers = mail.headers
    submitted = headers.get("auto-submitted", "").split(";")[0].split("(")[0].strip().lower()
    if submitted and submitted != "no":
        return MailKind(AUTOMATIC, f"header Auto-Submitted: {submitted}", opens_ticket=submitted == "auto-generated")
    precedence = headers.get("precedence", "").strip().lower()
    if precedence in ("bulk", "junk", "auto_reply", "auto-reply"):
        return MailKind(AUTOMATIC, f"header Precedence: {precedence}")
    suppress = {word.strip().lower() for word in headers.get("x-auto-response-suppress", "").split(",")} & _SUPPRESS
    if suppress & {"all", "autoreply", "oof"}:
        return MailKind(AUTOMATIC, "header X-Auto-Response-Suppress", opens_ticket=not mail.in_reply_to)
    for name in ("x-autoreply", "x-autorespond", "x-autoresponse", "x-autoreply-from", "x-auto-reply", "x-loop"):
        if headers.get(name, "no").strip().lower() not in ("no", "false", ""):
            return MailKind(AUTOMATIC, f"header {name.title()}")
    if "feedback-id" in headers or ("list-unsubscribe" in headers and "list-id" not in headers):
        name = "Feedback-ID" if "feedback-id" in headers else "List-Unsubscribe"
        return MailKind(AUTOMATIC, f"bulk mail (header {name})")
    if _return_path(mail) == "<>":
        return MailKind(AUTOMATIC, "empty Return-Path")
    local = mail.sender.key.partition("@")[0] if mail.sender else ""
    if _ROBOT_LOCAL.fullmatch(local):
        return MailKind(AUTOMATIC, f"sender {local}@ takes no replies", opens_ticket=True)
    return None


def _return_path(mail: ParsedMail) -> str | None:
    value = mail.headers.get("return-path")
    return None if value is None else (value.strip() or "<>")

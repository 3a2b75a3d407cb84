"""What a bounce says: which address, for good or only for now, and why. RFC 3464, and the words of servers older than
that."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from portal.core.mail import ParsedMail

FAILED, DELAYED = "failed", "delayed"
_FIELD = re.compile(r"^(Final-Recipient|Original-Recipient|Action|Status|Diagnostic-Code):[ \t]*(.*)$", re.I | re.M)
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
# Words of delay, as Exim, Postfix, sendmail, qmail and Exchange put them before they give up.
_DELAY = re.compile(
    r"delayed|warning: (message|could not send)|still (being retried|trying)|will (be retried|retry|continue to try)"
    r"|has not yet been delivered|need not (resend|take any)|temporar(y|ily)|verzögert|différé|vertraagd|retrasad",
    re.IGNORECASE,
)
# What follows is the returned mail and not the server's word.
_RETURNED = re.compile(
    r"^\W*(below this line is a copy|this is a copy of|original message|included is a copy|ursprüngliche nachricht"
    r"|undelivered message|message headers? follow)",
    re.IGNORECASE | re.MULTILINE,
)
_AROUND = 600  # characters of the server's words that are read around an address


@dataclass(frozen=True)
class DeliveryReport:
    """One recipient of a delivery status notification (RFC 3464). `action` is failed, delayed, delivered, relayed or
    expanded."""

    recipient: str
    action: str
    status: str
    diagnostic: str

    @property
    def is_permanent(self) -> bool:
        """The address is dead: `failed` with a class 5 status."""
        return self.action == FAILED and self.status.startswith("5")

    @property
    def words(self) -> str:
        """What went wrong, on one line."""
        return " ".join(f"{self.action} {self.status} {self.diagnostic}".split())


def parse_report(report: str) -> tuple[DeliveryReport, ...]:
    """The recipients of a message/delivery-status part, in their order."""
    found = []
    for block in re.split(r"\n[ \t]*\n", report):
        fields = {name.lower(): value.strip() for name, value in reversed(_FIELD.findall(block))}
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


def read_bounce(mail: ParsedMail, *, recipients: Collection[str]) -> tuple[DeliveryReport, ...]:
    """What a bounce says of `recipients` (lower case), those of the mail it answers; of others nothing.

    A machine-readable report decides. Without one (qmail, Exim, Domino) the server's own words are read near each
    address that they name, or that X-Failed-Recipients names. A report about another address that stands for our only
    recipient (an alias, a forwarding) is told of that recipient, but never as permanent: who is dead is not known.
    """
    reports = parse_report(mail.report)
    if reports:
        named = tuple(one for one in reports if one.recipient.lower() in recipients)
        if named or len(recipients) != 1:
            return named
        (only,) = recipients
        first = reports[0]
        return (DeliveryReport(only, first.action, _softened(first.status), f"{first.recipient}: {first.diagnostic}"),)
    return _read_words(mail, recipients)


def _softened(status: str) -> str:
    return f"4{status[1:]}" if status.startswith("5") else status


def _read_words(mail: ParsedMail, recipients: Collection[str]) -> tuple[DeliveryReport, ...]:
    cut = _RETURNED.search(mail.text)
    words = mail.text[: cut.start()] if cut else mail.text[:4000]
    named_in_header = {one.strip().lower() for one in mail.headers.get("x-failed-recipients", "").split(",")}
    is_delay = bool(_DELAY.search(f"{mail.subject}\n{words}"))
    found = []
    for address in sorted(recipients):
        at = words.lower().find(address)
        if at < 0 and address not in named_in_header:
            continue
        near = words[at : at + _AROUND] if at >= 0 else words[:_AROUND]
        found.append(DeliveryReport(address, DELAYED if is_delay else FAILED, _status_in(near), _one_line(near)))
    if not found and len(recipients) == 1:
        (only,) = recipients
        status = _softened(_status_in(words))
        return (DeliveryReport(only, DELAYED if is_delay else FAILED, status, _one_line(words)),)
    return tuple(found)


def _status_in(words: str) -> str:
    enhanced = _ENHANCED.search(words)
    if enhanced:
        return enhanced.group()
    code = _REPLY_CODE.search(words)
    return f"{code.group(1)}.0.0" if code else ""


def _one_line(words: str) -> str:
    return " ".join(words.split())[:300]

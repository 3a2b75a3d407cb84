"""What can be had of a mail without parsing its body: its header as it came, and all of it as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from portal.core.charsets import decode_raw
from portal.core.mail import MailAttachment, ParsedMail, parse_mail
from portal.core.mail_headers import Address, clean_header
from portal.core.mime import MimeLimits, parse_mime

MAX_HEAD = 64 * 1024
MAX_PLAIN = 100_000
_LONGEST_VALUE = 2000


def cut_head(raw: bytes) -> bytes:
    """The header of a mail, at most 64 KiB of it, with the empty line that ends it."""
    head = raw[:MAX_HEAD]
    ends = [at + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (at := head.find(mark)) >= 0]
    return head[: min(ends, default=len(head))]


def read_headers(head: bytes) -> Mapping[str, tuple[str, ...]]:
    """Every header of a cut head by its lower-case name, decoded, each with all its values in their order."""
    root, _ = parse_mime(cut_head(head), limits=MimeLimits(parts=1))
    return {
        name: tuple(clean_header(decode_raw(value[:_LONGEST_VALUE])) for value in values)
        for name, values in root.headers.items()
    }


def parse_head(head: bytes) -> ParsedMail:
    """Sender, recipients, subject and ids alone; the body is empty."""
    return parse_mail(cut_head(head))


def plain_mail(raw: bytes) -> ParsedMail:
    """A mail that cannot be parsed, as it stands: its bytes are the text, cut at 100,000 characters, and all of it is
    attached. Subject and sender are what stands behind their names at the start of a line; nothing is decoded, no id
    is read, so that nothing can break again."""
    text = raw[: 4 * MAX_PLAIN].decode("utf-8", "replace").replace("\x00", "").replace("\r\n", "\n")[:MAX_PLAIN]
    lines = cut_head(raw).decode("utf-8", "replace").replace("\x00", "").splitlines()
    address = _plain_address(_line(lines, "from:"))
    original = MailAttachment("original.eml", "message/rfc822", raw)
    return replace(
        parse_mail(b""),
        sender=Address(address) if address else None,
        subject=_line(lines, "subject:")[:300] or "Mail imported as plain text",
        text=text,
        attachments=(original,),
        defects=("imported as plain text",),
        content_hash=original.sha256,
    )


def _line(lines: list[str], name: str) -> str:
    return next((line[len(name) :].strip() for line in lines if line.lower().startswith(name)), "")


def _plain_address(value: str) -> str:
    """The first word with an @ inside, out of its brackets."""
    words = value.replace("<", " ").replace(">", " ").replace('"', " ").replace(",", " ").split()
    return next((word for word in words if 0 < word.find("@") < len(word) - 1 and len(word) <= 254), "")

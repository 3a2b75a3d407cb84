"""From the bytes of a mail to what the desk works with. Pure, and no bytes make it raise."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape

from portal.core.charsets import decode_raw, decode_text
from portal.core.mail_headers import (
    Address,
    clean_header,
    decode_words,
    parse_addresses,
    parse_date,
    parse_ids,
    parse_message_id,
)
from portal.core.mail_text import html_to_text
from portal.core.mime import MimeLimits, MimePart, decode_body, decode_uu, parse_mime, parse_params

_KIND_HEADERS = (
    "auto-submitted", "precedence", "x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-autoresponse",
    "x-autoreply-from", "x-auto-reply", "list-id", "list-unsubscribe", "list-post", "list-help", "list-archive",
    "return-path", "x-loop", "feedback-id", "x-failed-recipients", "x-nightdesk", "content-class", "mailing-list",
)  # fmt: skip
_UU_BLOCK = re.compile(
    rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?\n(?:[ -`]{1,90}[ \t]*\r?\n)*?(?:`| )?\r?\n?end[ \t]*\r?$", re.M
)
_CID_MARK = re.compile(r"\[cid:[^\]\s]{1,200}\]")
_LONG_HEADER = 16 * 1024


@dataclass(frozen=True)
class MailLimits:
    """The budget of one mail. `text` is in characters: a longer body is cut for the page and kept as an attachment."""

    mime: MimeLimits = field(default_factory=MimeLimits)
    text: int = 200_000
    html: int = 1_000_000


@dataclass(frozen=True)
class MailAttachment:
    """A file that came with a mail. `content_id` is without brackets, for `cid:` links."""

    filename: str
    content_type: str
    data: bytes = field(repr=False)
    is_inline: bool = False
    content_id: str = ""

    @property
    def sha256(self) -> str:
        """Digest of the content, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class ParsedMail:
    """What a mail says. Ids are in brackets; dates are UTC; `sender` is None where no header names anybody.

    `trace_at` is the time of the top-most readable Received header: when the mail reached its last server.
    `headers` holds, decoded, the headers that tell machines from people (`core/mail_kinds.py`).
    `report` is the machine-readable part of a delivery report, `returned_ids` the Message-IDs of what it returns.
    """

    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    date: datetime | None
    trace_at: datetime | None
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str = field(repr=False)
    html: str = field(repr=False)
    attachments: tuple[MailAttachment, ...]
    headers: Mapping[str, str] = field(repr=False)
    content_type: str
    content_params: Mapping[str, str]
    calendar_method: str
    report: str = field(repr=False)
    returned_ids: tuple[str, ...]
    defects: tuple[str, ...]
    content_hash: str

    @property
    def from_email(self) -> str:
        """The sender's address as written, "" for none."""
        return self.sender.email if self.sender else ""


@dataclass
class _Piece:
    """A stretch of the visible body: one text or HTML part, or all the alternatives for one thing."""

    text: str = ""
    html: str = ""


@dataclass
class _Body:
    """What the parts of one mail add up to."""

    raw: bytes
    charset: str
    pieces: list[_Piece] = field(default_factory=list)
    attachments: list[MailAttachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    calendar_method: str = ""
    report: str = ""
    returned_ids: tuple[str, ...] = ()

    def attach_text(self, filename: str, content_type: str, text: str) -> None:
        """Keep a body that is too long to show as a file."""
        self.attachments.append(MailAttachment(filename, content_type, text.encode("utf-8", "replace")))
        self.defects.append("body longer than is shown; all of it is attached")


def parse_mail(raw: bytes, *, limits: MailLimits | None = None) -> ParsedMail:
    """Read one mail (RFC 5322, MIME) from its original bytes.

    Never raises: what is broken is repaired where its meaning is clear, and named in `defects` either way.
    """
    budget = limits or MailLimits()
    root, defects = parse_mime(raw, limits=budget.mime)
    header = _HeaderReader(root)
    body = _Body(raw, _first_charset(root), defects=list(defects))
    _collect(root, body, None)
    text, html = _finish_body(body, budget)
    sender = _sender(header)
    if sender is None or "@" not in sender.email:
        body.defects.append("no sender address")
    subject, message_id = header.text("subject"), parse_message_id(header.text("message-id"))
    return ParsedMail(
        sender=sender,
        to=header.addresses("to"),
        cc=header.addresses("cc"),
        reply_to=header.addresses("reply-to"),
        subject=subject,
        date=parse_date(header.text("date")),
        trace_at=header.trace_at(),
        message_id=message_id,
        in_reply_to=parse_ids(header.text("in-reply-to")),
        references=parse_ids(header.text("references")),
        text=text,
        html=html,
        attachments=tuple(body.attachments),
        headers={name: header.text(name) for name in _KIND_HEADERS if name in root.headers},
        content_type=root.content_type,
        content_params=dict(root.params),
        calendar_method=body.calendar_method,
        report=body.report,
        returned_ids=body.returned_ids,
        defects=tuple(dict.fromkeys(body.defects)),
        content_hash=_content_hash(header, message_id, subject, body),
    )


def received_at(mail: ParsedMail, *, now: datetime) -> datetime:
    """When a mail from a file arrived (decisions.md 6): top-most Received, then Date, then now; never in the future."""
    found = mail.trace_at or mail.date or now
    return min(found, now)


class _HeaderReader:
    """Header values of the root part, decoded."""

    def __init__(self, root: MimePart) -> None:
        self._root = root
        self._charset = _first_charset(root)

    def text(self, name: str) -> str:
        """The first value, decoded and on one line."""
        return clean_header(self._raw(name))

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses of all headers of that name."""
        found: list[Address] = []
        for value in self._root.headers.get(name, ()):
            text = decode_raw(value[: 4 * _LONG_HEADER], fallback=self._charset)
            found += [address for address in parse_addresses(text) if address.email]
        return tuple(found)

    def trace_at(self) -> datetime | None:
        """The time of the top-most Received header that has one."""
        for value in self._root.headers.get("received", ())[:20]:
            found = parse_date(value.rpartition(b";")[2].decode("latin-1"))
            if found:
                return found
        return None

    def first_sender(self, name: str) -> Address | None:
        """The first address of a header, else whatever name stands there."""
        text = decode_raw(self._root.header(name)[:_LONG_HEADER], fallback=self._charset)
        found = parse_addresses(text)
        return next((one for one in found if "@" in one.email), found[0] if found else None)

    def _raw(self, name: str) -> str:
        return decode_raw(self._root.header(name)[:_LONG_HEADER], fallback=self._charset)


def _first_charset(root: MimePart) -> str:
    return next((part.params["charset"] for part in root.walk() if part.params.get("charset")), "")


def _sender(header: _HeaderReader) -> Address | None:
    nameless: Address | None = None
    for name in ("from", "sender", "reply-to", "return-path"):
        found = header.first_sender(name)
        if found and "@" in found.email:
            return found if nameless is None else Address(found.email, found.name or nameless.name)
        nameless = nameless or found
    return nameless


def _collect(part: MimePart, body: _Body, piece: _Piece | None) -> None:
    if part.parts:
        if part.content_type == "multipart/alternative" and piece is None:
            piece = _Piece()
            body.pieces.append(piece)
        for child in part.parts:
            _collect(child, body, piece)
        return
    data = decode_body(body.raw, part)
    if _is_body(part):
        if piece is None:
            piece = _Piece()
            body.pieces.append(piece)
        _take_body(part, data, body, piece)
        return
    if part.content_type == "text/calendar":
        body.calendar_method = body.calendar_method or part.params.get("method", "").upper() or _method_in(data)
    _take_report(part, data, body)
    body.attachments.append(_attachment(part, data, body))


def _is_body(part: MimePart) -> bool:
    if part.content_type not in ("text/plain", "text/html"):
        return False
    disposition = part.header("content-disposition").strip().lower()
    return not disposition.startswith(b"attachment") and not _named(part)


def _take_body(part: MimePart, data: bytes, body: _Body, piece: _Piece) -> None:
    charset = part.params.get("charset", "") or body.charset
    if part.content_type == "text/html":
        piece.html += decode_text(data, charset=charset or _charset_in(data)).replace("\x00", "")
        return
    text = decode_text(_without_uu(data, body), charset=charset)
    text = _CID_MARK.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", ""))
    text = _unflow(text, part.params) if part.params.get("format", "").lower() == "flowed" else text
    piece.text = f"{piece.text}\n\n{text}" if piece.text.strip() else text


def _without_uu(data: bytes, body: _Body) -> bytes:
    """Files uuencoded in the text become attachments."""
    if b"\nend" not in data:
        return data
    kept, position = [], 0
    for match in _UU_BLOCK.finditer(data):
        name = _safe_name(decode_raw(match.group(1)))
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        body.attachments.append(MailAttachment(name or "file", guessed, decode_uu(match.group())))
        kept.append(data[position : match.start()])
        position = match.end()
    return b"".join([*kept, data[position:]])


def _finish_body(body: _Body, limits: MailLimits) -> tuple[str, str]:
    """The text to work with (from HTML where there is no other) and the HTML to show."""
    for piece in body.pieces:
        if len(piece.html) > limits.html:
            body.attach_text("message.html", "text/html", piece.html)
            piece.html = piece.html[: limits.html]
    texts = [piece.text if piece.text.strip() else html_to_text(piece.html) for piece in body.pieces]
    text = "\n\n".join(one.strip("\n") for one in texts if one.strip())
    if len(text) > limits.text:
        body.attach_text("message.txt", "text/plain", text)
        text = text[: limits.text]
    html = ""
    if any(piece.html.strip() for piece in body.pieces):
        html = "\n".join(piece.html or f"<pre>{escape(piece.text)}</pre>" for piece in body.pieces)
    return text.strip(), html[: limits.html]


def _unflow(text: str, params: Mapping[str, str]) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676)."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        content = content[1:] if content.startswith(" ") else content
        is_soft = content.endswith(" ") and content != "-- "
        kept = content[:-1] if is_soft and params.get("delsp", "").lower() == "yes" else content
        if open_depth == depth and lines:
            lines[-1] += kept
        else:
            lines.append((">" * depth + " " if depth else "") + kept)
        open_depth = depth if is_soft else -1
    return "\n".join(lines)


def _charset_in(html: bytes) -> str:
    found = re.search(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,30})", html[:2048])
    return found.group(1).decode("ascii") if found else ""


def _method_in(calendar: bytes) -> str:
    found = re.search(rb"^METHOD:([A-Za-z]+)", calendar[:4096], re.MULTILINE)
    return found.group(1).decode("ascii").upper() if found else ""


def _named(part: MimePart) -> str:
    disposition = decode_raw(part.header("content-disposition"), fallback=part.params.get("charset", ""))
    return parse_params(disposition)[1].get("filename", "") or part.params.get("name", "")


def _attachment(part: MimePart, data: bytes, body: _Body) -> MailAttachment:
    name = _named(part)
    if name.isascii() is False:
        name = decode_raw(name.encode("latin-1", "ignore"), fallback=body.charset) if _was_latin(name) else name
    content_id = clean_header(part.header("content-id").decode("latin-1")).strip("<>")[:200]
    disposition = part.header("content-disposition").strip().lower()
    is_inline = not disposition.startswith(b"attachment") and (bool(content_id) or disposition.startswith(b"inline"))
    filename = _safe_name(decode_words(name)) or _name_for(part, data)
    return MailAttachment(filename, part.content_type, data, is_inline=is_inline, content_id=content_id)


def _was_latin(name: str) -> bool:
    return all(ord(letter) < 256 for letter in name)


def _safe_name(name: str) -> str:
    """A file name without folders, control characters and overlength (the ending is kept)."""
    base = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rpartition("/")[2]).strip().strip(".").strip()
    if len(base) <= 150:
        return base
    stem, dot, ending = base.rpartition(".")
    return stem[: 149 - len(ending)] + dot + ending if dot and len(ending) < 20 else base[:150]


def _name_for(part: MimePart, data: bytes) -> str:
    if part.content_type in ("message/rfc822", "text/rfc822-headers"):
        inner, _ = parse_mime(data[: 64 * 1024], limits=MimeLimits(parts=1))
        subject = _safe_name(clean_header(decode_raw(inner.header("subject"))).replace("/", "-"))
        return f"{subject or 'message'}.eml"
    if part.content_type == "message/delivery-status":
        return "delivery-status.txt"
    if part.content_type == "text/calendar":
        return "invitation.ics"
    return f"file{mimetypes.guess_extension(part.content_type) or ''}"


def _take_report(part: MimePart, data: bytes, body: _Body) -> None:
    if part.content_type == "message/delivery-status" and not body.report:
        body.report = decode_text(data[:65536]).replace("\r\n", "\n").replace("\x00", "")
    if part.content_type in ("message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers"):
        inner, _ = parse_mime(data[: 64 * 1024], limits=MimeLimits(parts=1))
        found = parse_message_id(decode_raw(inner.header("message-id")))
        if found:
            body.returned_ids = (*body.returned_ids, found)


def _content_hash(header: _HeaderReader, message_id: str, subject: str, body: _Body) -> str:
    """Decisions.md 6: never trace headers, so that two deliveries of one mail have one hash."""
    digest = hashlib.sha256()
    for piece in _hash_pieces(header, message_id, subject, body):
        data = piece.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _hash_pieces(header: _HeaderReader, message_id: str, subject: str, body: _Body) -> Iterator[str]:
    yield message_id
    yield header.text("from")
    yield header.text("date")
    yield subject
    yield from (text for piece in body.pieces for text in (piece.text, piece.html) if text.strip())
    yield from sorted(one.sha256 for one in body.attachments)

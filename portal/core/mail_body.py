"""What the parts of a mail add up to: the text to work with, the HTML to show, files, reports."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

from portal.core.charsets import decode_raw, decode_text
from portal.core.mail_attachments import MailAttachment, named_file, part_file, part_name, take_embedded
from portal.core.mail_headers import parse_message_id
from portal.core.mail_text import html_to_text, markup_to_text
from portal.core.mime import MimeLimits, MimePart, decode_body, parse_mime
from portal.core.smime import signed_content
from portal.core.tnef import read_tnef

_MOST_FILES, _DEEPEST_SIGNED = 500, 3
_CID_MARK = re.compile(r"\[cid:[^\]\s]{1,200}\]")
_NO_LETTERS = str.maketrans("", "", "\x00\ufeff")
_WORD = re.compile(r"\w+")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers")
_MARKUP = ("text/enriched", "text/richtext")
# A second view of what the other alternatives say, for mail programs that run it.
_OTHER_VIEWS = ("text/x-amp-html", "text/watch-html")
_NO_WORDS = ("text/calendar", "text/csv", "text/rfc822-headers", "text/vcard", "text/x-vcard", "text/directory")
_OPAQUE = ("application/pkcs7-mime", "application/x-pkcs7-mime")


@dataclass
class Piece:
    """A stretch of the visible body: one text or HTML part, or all the alternatives for one thing."""

    text: str = ""
    html: str = ""


@dataclass
class Body:
    """Collects what `raw` says, part by part. `charset` is the first one that any part names."""

    raw: bytes
    charset: str
    pieces: list[Piece] = field(default_factory=list)
    attachments: list[MailAttachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    calendar_method: str = ""
    report: str = ""
    returned_ids: tuple[str, ...] = ()
    is_from_html: bool = False
    depth: int = 0  # of signed mails within signed mails
    packed: Piece = field(default_factory=Piece)  # the body in a winmail.dat: used where there is no other

    def finish(self, *, most_text: int, most_html: int) -> tuple[str, str]:
        """The text to work with and the HTML to show, each at most that many characters."""
        if len(self.attachments) > _MOST_FILES:
            del self.attachments[_MOST_FILES:]
            self.defects.append(f"more than {_MOST_FILES} files; the rest is in the original only")
        if self.packed.text or self.packed.html:
            self._show_packed()
        for piece in self.pieces:
            if len(piece.html) > most_html:
                self._attach("message.html", "text/html", piece.html)
                piece.html = piece.html[:most_html]
        text = "\n\n".join(one.strip("\n") for piece in self.pieces if (one := self._best_text(piece)).strip())
        if len(text) > most_text:
            self._attach("message.txt", "text/plain", text)
            text = text[:most_text]
        html = ""
        if any(piece.html.strip() for piece in self.pieces):
            html = "\n".join(piece.html or f"<pre>{escape(piece.text)}</pre>" for piece in self.pieces)
        return text.strip(), html[:most_html]

    def _show_packed(self) -> None:
        if not any(piece.text.strip() or html_to_text(piece.html) for piece in self.pieces):
            self.pieces.append(self.packed)

    def _attach(self, filename: str, content_type: str, text: str) -> None:
        """Keep a body that is too long to show as a file."""
        self.attachments.append(MailAttachment(filename, content_type, text.encode("utf-8", "replace")))
        self.defects.append("body longer than is shown; all of it is attached")

    def _best_text(self, piece: Piece) -> str:
        """The plain alternative, unless the HTML says more: a sender sees the HTML, and many a program's plain text
        is a shortened copy or a note that one should look at the other."""
        if not piece.html.strip():
            return piece.text
        from_html = html_to_text(piece.html)
        shown = set(_WORD.findall(from_html.lower()))
        missing = shown.difference(_WORD.findall(piece.text.lower()))
        if piece.text.strip() and (len(missing) < 3 or len(missing) <= 0.1 * len(shown)):
            return piece.text
        self.is_from_html = True
        return from_html


def collect_parts(part: MimePart, body: Body, *, piece: Piece | None = None) -> None:
    """Add a part and all below it. `piece` is the alternative it belongs to."""
    if part.parts:
        if part.content_type == "multipart/alternative" and piece is None:
            piece = Piece()
            body.pieces.append(piece)
        for child in part.parts:
            collect_parts(child, body, piece=piece)
        return
    if piece is not None and part.content_type in _OTHER_VIEWS:
        return
    data = decode_body(body.raw, part)
    if _is_body(part, body):
        if piece is None:
            piece = Piece()
            body.pieces.append(piece)
        _take_body(part, data, body, piece)
        return
    if part.content_type == "text/calendar":
        body.calendar_method = body.calendar_method or part.params.get("method", "").upper() or _method_in(data)
    _take_report(part, data, body)
    file = part_file(part, data, charset=body.charset)
    if not _take_tnef(file, body):
        _take_signed(file, body)
        body.attachments.append(file)


def _is_body(part: MimePart, body: Body) -> bool:
    is_text = part.content_type in ("text/plain", "text/html") or _is_all_and_words(part)
    if not is_text and not (part.content_type in _MARKUP and not body.pieces):
        return False
    disposition = part.header("content-disposition").strip().lower()
    # A name makes a file of a part, but not of the one part of a mail that has no other.
    return not disposition.startswith(b"attachment") and (part.head_start == 0 or not part_name(part))


def _is_all_and_words(part: MimePart) -> bool:
    """A whole mail in some text that we do not know (text/markdown) is words all the same."""
    return part.head_start == 0 and part.content_type.startswith("text/") and part.content_type not in _NO_WORDS


def _take_body(part: MimePart, data: bytes, body: Body, piece: Piece) -> None:
    charset = part.params.get("charset", "") or body.charset
    if part.content_type == "text/html":
        piece.html += decode_text(data, charset=charset or _charset_in(data)).replace("\x00", "")
        return
    data, files = take_embedded(data)
    body.attachments += files
    text = decode_text(data, charset=charset)
    text = _CID_MARK.sub("", text.replace("\r\n", "\n").replace("\r", "\n").translate(_NO_LETTERS))
    if part.content_type in _MARKUP:
        text = markup_to_text(text)
    elif part.params.get("format", "").lower() == "flowed":
        text = unflow(text, delsp=part.params.get("delsp", "").lower() == "yes")
    elif "content-type" not in part.headers and _is_html(text):
        piece.html += text
        return
    piece.text = f"{piece.text}\n\n{text}" if piece.text.strip() else text


def unflow(text: str, *, delsp: bool = False) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676); `delsp`: the blank before the break is no blank."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        content = content[1:] if content.startswith(" ") else content
        is_soft = content.endswith(" ") and content != "-- "
        kept = content[:-1] if is_soft and delsp else content
        if open_depth == depth and lines and content != "-- ":
            lines[-1] += kept
        else:
            lines.append((">" * depth + " " if depth else "") + kept)
        open_depth = depth if is_soft else -1
    return "\n".join(lines)


def _is_html(text: str) -> bool:
    return text[:200].lstrip().lower().startswith(("<!doctype html", "<html"))


def _charset_in(html: bytes) -> str:
    found = re.search(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,30})", html[:2048])
    return found.group(1).decode("ascii") if found else ""


def _method_in(calendar: bytes) -> str:
    found = re.search(rb"^METHOD:([A-Za-z]+)", calendar[:4096], re.MULTILINE)
    return found.group(1).decode("ascii").upper() if found else ""


def _take_report(part: MimePart, data: bytes, body: Body) -> None:
    if part.content_type == "message/delivery-status" and not body.report:
        body.report = decode_text(data[:65536]).replace("\r\n", "\n").replace("\x00", "")
    if part.content_type in _RETURNED:
        inner, _ = parse_mime(data[: 64 * 1024], limits=MimeLimits(parts=1))
        found = parse_message_id(decode_raw(inner.header("message-id")))
        if found:
            body.returned_ids = (*body.returned_ids, found)


def _take_tnef(file: MailAttachment, body: Body) -> bool:
    """The files in a winmail.dat instead of it, and its body. False: it is none, or cannot be read."""
    if file.content_type not in _TNEF and file.filename.lower() != "winmail.dat":
        return False
    found = read_tnef(file.data)
    if found is None:
        return False
    body.packed = Piece(found.text, found.html)
    for one in found.files:
        body.attachments.append(
            named_file(one.name, one.data, content_type=_known_type(one.content_type), content_id=one.content_id[:200])
        )
    return True


def _known_type(content_type: str) -> str:
    return content_type if re.fullmatch(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,80}", content_type) else ""


def _take_signed(file: MailAttachment, body: Body) -> None:
    """The mail inside an opaque signature (RFC 8551 section 3.5.2) is shown; the signed original stays attached."""
    inner = signed_content(file.data) if file.content_type in _OPAQUE and body.depth < _DEEPEST_SIGNED else b""
    if not inner:
        return
    root, defects = parse_mime(inner, limits=MimeLimits(parts=50, depth=10))
    signed = Body(inner, body.charset, depth=body.depth + 1)
    collect_parts(root, signed)
    body.pieces += signed.pieces
    body.attachments += signed.attachments
    body.defects += defects

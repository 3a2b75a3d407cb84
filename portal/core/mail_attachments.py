"""Files of a mail: how they are named, and those that hide in the text (uuencode, yEnc)."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote, urlsplit

from portal.core.charsets import decode_raw
from portal.core.mail_headers import clean_header, decode_words
from portal.core.mime import MimeLimits, MimePart, decode_uu, parse_mime, parse_params

_UU_BLOCK = re.compile(
    rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?\n(?:[ -`]{1,90}[ \t]*\r?\n)*?(?:`| )?\r?\n?end[ \t]*\r?$", re.M
)
_YENC_BEGIN = re.compile(rb"^=ybegin [^\r\n]{0,200}?name=([^\r\n]{1,200})\r?\n(?:=ypart [^\r\n]*\r?\n)?", re.M)
_YENC = bytes((byte - 42) & 255 for byte in range(256))
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_FILE_NAME = re.compile(r"[^/\\:*?\"<>|]{1,100}\.[A-Za-z0-9]{2,5}")
_MOST_EMBEDDED = 100
_ENDINGS = {
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "read-receipt.txt",
    "text/calendar": "invitation.ics",
    "application/pkcs7-mime": "smime.p7m",
    "application/x-pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pgp-signature": "signature.asc",
}


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


def named_file(name: str, data: bytes, *, content_type: str = "", content_id: str = "") -> MailAttachment:
    """A file of which only the name is known for sure."""
    filename = safe_name(name)
    kind = content_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return MailAttachment(filename or "file", kind, data, is_inline=bool(content_id), content_id=content_id)


def part_file(part: MimePart, data: bytes, *, charset: str) -> MailAttachment:
    """A part of a mail as a file. `charset` is that of the mail, for names in raw bytes."""
    content_id = clean_header(part.header("content-id").decode("latin-1")).strip("<>")[:200]
    disposition = part.header("content-disposition").strip().lower()
    is_inline = not disposition.startswith(b"attachment") and (bool(content_id) or disposition.startswith(b"inline"))
    name = safe_name(decode_words(part_name(part, charset=charset))) or _name_for(part, data)
    if part.content_type == "application/applefile":
        name = f"._{name.removeprefix('._')}"  # the resource fork, as archives name it
    return MailAttachment(name, part.content_type, data, is_inline=is_inline, content_id=content_id)


def part_name(part: MimePart, *, charset: str = "") -> str:
    """The name a part gives itself, "" for none."""
    for header, param in (("content-disposition", "filename"), ("content-type", "name")):
        value = part.header(header)
        if param.encode() not in value.lower():
            continue
        name = parse_params(decode_raw(value, fallback=part.params.get("charset", "") or charset))[1].get(param, "")
        if name:
            return name
    return ""


def safe_name(name: str) -> str:
    """A file name without folders, control characters, signs that turn its ending round, and overlength (the ending is
    kept)."""
    base = _UNSEEN.sub("", name.replace("\\", "/").rpartition("/")[2]).strip().strip(".").strip()
    if len(base) <= 150:
        return base
    stem, dot, ending = base.rpartition(".")
    return stem[: 149 - len(ending)] + dot + ending if dot and len(ending) < 20 else base[:150]


def take_embedded(data: bytes) -> tuple[bytes, tuple[MailAttachment, ...]]:
    """The bytes of a text without the uuencoded and yEnc files in it, and those files: at most 100, what comes behind
    them stays text."""
    files: list[MailAttachment] = []
    if b"\nend" in data:
        data = _cut_uu(data, files)
    if b"\n=yend" in data:
        data = _cut_yenc(data, files)
    return data, tuple(files)


def _cut_uu(data: bytes, files: list[MailAttachment]) -> bytes:
    kept, position = [], 0
    for match in islice(_UU_BLOCK.finditer(data), _MOST_EMBEDDED):
        files.append(named_file(decode_raw(match.group(1)), decode_uu(match.group())))
        kept.append(data[position : match.start()])
        position = match.end()
    return b"".join([*kept, data[position:]])


def _cut_yenc(data: bytes, files: list[MailAttachment]) -> bytes:
    kept, position = [], 0
    while (
        len(files) < _MOST_EMBEDDED
        and (match := _YENC_BEGIN.search(data, position))
        and (end := data.find(b"\n=yend", match.end() - 1)) >= 0
    ):
        files.append(named_file(decode_raw(match.group(1)), _decode_yenc(data[match.end() : end])))
        kept.append(data[position : match.start()])
        after = data.find(b"\n", end + 1)
        position = len(data) if after < 0 else after
    return b"".join([*kept, data[position:]])


def _decode_yenc(body: bytes) -> bytes:
    plain = re.sub(rb"=(.)", lambda match: bytes([(match.group(1)[0] - 64) & 255]), body, flags=re.S)
    return plain.replace(b"\r", b"").replace(b"\n", b"").translate(_YENC)


def _name_for(part: MimePart, data: bytes) -> str:
    if part.content_type in ("message/rfc822", "text/rfc822-headers"):
        inner, _ = parse_mime(data[: 64 * 1024], limits=MimeLimits(parts=1))
        subject = safe_name(clean_header(decode_raw(inner.header("subject"))).replace("/", "-"))
        return f"{subject or 'message'}.eml"
    if part.content_type in _ENDINGS:
        return _ENDINGS[part.content_type]
    location = clean_header(decode_raw(part.header("content-location")[:2000]))
    found = safe_name(unquote(_path(location), errors="replace")) if location else ""
    if not found and _FILE_NAME.fullmatch(said := clean_header(decode_raw(part.header("content-description")[:500]))):
        found = safe_name(said)
    return found or f"file{mimetypes.guess_extension(part.content_type) or ''}"


def _path(location: str) -> str:
    try:
        return urlsplit(location).path
    except ValueError:
        return ""

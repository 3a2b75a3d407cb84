"""The skeleton of a mail: header lines and nested parts, from any bytes at all.

Our own reader instead of `email.parser`, because that one reads line by line (seconds for a 50 MB mail), recurses
without a limit and drops broken header lines. Parts hold offsets into the one original, so nothing is copied twice.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from portal.core.charsets import decode_raw, decode_text, percent_bytes

_HEADER = re.compile(rb"([!-9;-~]{1,1000})[ \t]*:(.*)", re.DOTALL)
_GUESSED_BOUNDARY = re.compile(rb"^--([^\s-][^\r\n]{0,200}|-[^\r\n]{1,200})\r?\n(?=[A-Za-z-]{4,40}:)", re.MULTILINE)
_PARAM = re.compile(r";\s*([^\s=;]{1,80})\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^;]*)")
_ESCAPED = re.compile(r"\\([\"\\])")  # and no other sign: some programs send C:\\folder\\file.txt as it is
_UNSTARRED = re.compile(r"\"?(utf-8|iso-8859-\d\d?|windows-125\d)'[a-z-]{0,10}'.*%[0-9a-f]{2}", re.IGNORECASE)
_SURE_HEADER = re.compile(
    rb"^(From|To|Cc|Subject|Date|Received|Message-ID|MIME-Version|Content-[A-Za-z-]+|Return-Path|Reply-To|X-[A-Za-z-]+):",
    re.MULTILINE | re.IGNORECASE,
)
_EMPTY_LINE = re.compile(rb"\n[ \t]*\r?\n")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,50}/[a-z0-9!#$&^_.+-]{1,99}(?![^\s,])")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_NOT_WORD = re.compile(rb"[^A-Za-z0-9]")
_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_WORDS = re.compile(rb"[A-Za-z0-9,.!?'\"-]+ [A-Za-z0-9,.!?'\"-]+ [A-Za-z0-9]")
_SHORT_TYPES = {"html": "text/html", "text": "text/plain", "plain": "text/plain", "text/text": "text/plain"}
_LONGEST_LINE = 384 * 1024  # of the 512 KB for all of them
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class MimeLimits:
    """How much of one mail is looked at. What lies beyond stays in the original and becomes a defect."""

    parts: int = 500
    depth: int = 25
    header_bytes: int = 512 * 1024
    header_lines: int = 3000


@dataclass(frozen=True)
class MimePart:
    """One part. `start` and `end` are offsets of its still encoded body in the original."""

    headers: Mapping[str, tuple[bytes, ...]]
    content_type: str
    params: Mapping[str, str]
    start: int
    end: int
    head_start: int
    parts: tuple[MimePart, ...] = ()

    def header(self, name: str) -> bytes:
        """The first value of a header (lower-case name), unfolded, b"" where there is none."""
        return self.headers.get(name, (b"",))[0]

    def walk(self) -> Iterator[MimePart]:
        """This part and all below it, in the order of the mail."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass
class _Reading:
    raw: bytes
    limits: MimeLimits
    count: int = 0
    defects: list[str] = field(default_factory=list)

    def note(self, defect: str) -> None:
        if defect not in self.defects:
            self.defects.append(defect)


def parse_mime(raw: bytes, *, limits: MimeLimits) -> tuple[MimePart, tuple[str, ...]]:
    """The tree of parts and what was wrong with it. Never raises, whatever the bytes (RFC 2045, 2046, 5322)."""
    reading = _Reading(raw, limits)
    root = _read_part(reading, 0, len(raw), "text/plain", 0)
    return root, tuple(reading.defects)


def normalize(raw: bytes) -> tuple[bytes, str]:
    """The mail as bytes that can be read line by line, and what was done to it: line ends of old Macs, a mail kept as
    UTF-16, a byte order mark or empty lines before the header."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").encode("utf-8", "replace"), "stored as UTF-16"
    if b"\r" in raw and b"\n" not in raw:
        return raw.replace(b"\r", b"\n"), "lines end in CR only"
    start = raw[3:] if raw.startswith(_BOM) else raw
    if start[:1] in (b"\r", b"\n"):
        header = start.lstrip(b"\r\n")
        start = header if _SURE_HEADER.match(header) else start
    return start, "" if start is raw else "something stood before the header"


def decode_body(raw: bytes, part: MimePart) -> bytes:
    """The part's content without its transfer encoding. Damaged encodings give what can be saved."""
    body = raw[part.start : part.end]
    encoding = _NOT_WORD.sub(b"", re.split(rb"[;(]", part.header("content-transfer-encoding"), maxsplit=1)[0]).lower()
    if encoding == b"base64":
        return _decode_base64(body)
    if encoding == b"quotedprintable":
        return binascii.a2b_qp(_SOFT_BREAK.sub(b"=", body))
    if encoding in (b"xuuencode", b"uuencode", b"xuue", b"uue"):
        return decode_uu(body)
    return body


def decode_uu(body: bytes) -> bytes:
    """The file in a uuencoded block; `begin` and `end` lines and damaged lines are passed over."""
    pieces = []
    for line in body.splitlines():
        if line.startswith(b"begin "):
            continue
        if line.strip() in (b"end", b"`", b""):
            continue
        try:
            pieces.append(binascii.a2b_uu(line))
        except binascii.Error:
            size = (((line[0] - 32) & 63) * 4 + 5) // 3
            pieces.append(_uu_or_nothing(line[:size]))
    return b"".join(pieces)


def parse_params(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; name="a"` to ("text/plain", {"name": "a"}); RFC 2231 pieces and charsets are put together."""
    head, _, rest = value.partition(";")
    found: dict[str, str] = {}
    for match in _PARAM.finditer(";" + rest):
        name, text = match.group(1).lower(), match.group(2).strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = _ESCAPED.sub(r"\1", text[1:-1])
        if _UNSTARRED.match(text):
            name, text = f"{name}*", text.strip('"')
        found.setdefault(name, text.strip('"'))
    return head.strip().lower(), _join_continuations(found)


def _uu_or_nothing(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""


def _decode_base64(body: bytes) -> bytes:
    try:
        if not _WORDS.match(body[:200].lstrip()):
            return binascii.a2b_base64(body)
    except binascii.Error:
        pass
    if _WORDS.match(body.lstrip()):
        return body  # plain words under a false name
    clean = _NOT_BASE64.sub(b"", body)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _join_continuations(found: dict[str, str]) -> dict[str, str]:
    joined: dict[str, str] = {name: text for name, text in found.items() if "*" not in name}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, text in found.items():
        base, star, number = name.partition("*")
        if star:
            digits = number.rstrip("*")
            order = int(digits) if digits.isdecimal() and len(digits) < 4 else 0
            pieces.setdefault(base, []).append((order, name.endswith("*"), text))
    for base, parts in pieces.items():
        charset, data = "utf-8", b""
        for order, is_encoded, text in sorted(parts):
            if is_encoded and order == 0 and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            data += percent_bytes(text) if is_encoded else text.encode("utf-8", "replace")
        joined[base] = decode_text(data, charset=charset)
    return joined


def _read_part(reading: _Reading, start: int, end: int, default_type: str, depth: int) -> MimePart:
    reading.count += 1
    headers, body_start = _read_headers(reading, start, end)
    value = headers.get("content-type", (b"",))[0]
    named, params = parse_params(decode_raw(value))
    known = _TYPE.match(named)
    content_type = known.group() if known else "text/plain" if value else default_type
    content_type = _SHORT_TYPES.get(named, content_type)
    if value and not known:
        reading.note("unreadable Content-Type")
    parts: tuple[MimePart, ...] = ()
    if content_type.startswith("multipart/"):
        parts = _read_parts(reading, body_start, end, content_type, params.get("boundary", ""), depth)
        if not parts:
            content_type = "text/plain"
    return MimePart(headers, content_type, params, body_start, end, start, parts)


def _read_parts(
    reading: _Reading, start: int, end: int, content_type: str, boundary: str, depth: int
) -> tuple[MimePart, ...]:
    if depth >= reading.limits.depth:
        reading.note(f"nested deeper than {reading.limits.depth} levels; the rest is in the original only")
        return ()
    default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
    parts = []
    for part_start, part_end in _find_slices(reading, start, end, boundary):
        if reading.count >= reading.limits.parts:
            reading.note(f"more than {reading.limits.parts} parts; the rest is in the original only")
            break
        parts.append(_read_part(reading, part_start, part_end, default, depth + 1))
    if not parts:
        reading.note("no parts found in a multipart mail")
    return tuple(parts)


def _find_slices(reading: _Reading, start: int, end: int, boundary: str) -> Iterator[tuple[int, int]]:
    raw = reading.raw
    mark = b"--" + boundary.rstrip().encode("latin-1", "replace")
    if not boundary or raw.find(mark, start, end) < 0:
        guess = _GUESSED_BOUNDARY.search(raw, start, min(end, start + 64 * 1024))
        if guess is None:
            return
        reading.note("boundary did not match and was guessed")
        mark = b"--" + guess.group(1).rstrip()
    open_at = -1
    position = start
    while (found := raw.find(mark, position, end)) >= 0:
        position = found + len(mark)
        if found > start and raw[found - 1] not in b"\r\n":
            continue
        line_end = raw.find(b"\n", position, end)
        tail = raw[position : end if line_end < 0 else line_end].strip()
        if tail not in (b"", b"--"):
            continue
        if open_at >= 0:
            yield open_at, _without_newline(raw, open_at, found)
        open_at = -1 if tail else (end if line_end < 0 else line_end + 1)
    if open_at >= 0:
        reading.note("closing boundary missing")
        yield open_at, end


def _without_newline(raw: bytes, start: int, end: int) -> int:
    if end > start and raw[end - 1 : end] == b"\n":
        end -= 1
    if end > start and raw[end - 1 : end] == b"\r":
        end -= 1
    return end


def _read_headers(reading: _Reading, start: int, end: int) -> tuple[dict[str, tuple[bytes, ...]], int]:
    raw, limits = reading.raw, reading.limits
    headers: dict[str, tuple[bytes, ...]] = {}
    lines: list[tuple[str, list[bytes]]] = []
    position, kept = start, 0
    last_sure: int | None = None
    while position < end:
        line_end = raw.find(b"\n", position, end)
        after = end if line_end < 0 else line_end + 1
        line = raw[position : min(after, position + _LONGEST_LINE)].rstrip(b"\r\n")
        if not line.strip(b" \t"):
            if line and _SURE_HEADER.match(raw, after):
                position = after  # a blank within the header that somebody folded badly
                continue
            position = after
            break
        if after - position > _LONGEST_LINE:  # what stands below such a line is read all the same
            reading.note("header longer than can be read")
        kept += len(line)
        if kept > limits.header_bytes or len(lines) >= limits.header_lines:
            reading.note("header longer than can be read")
            position = _after_header(raw, position, end)
            break
        if not _take_line(line, lines):
            last_sure = _last_sure_header(raw, position, end) if last_sure is None else last_sure
            if position > last_sure:
                reading.note("no empty line after the header" if lines else "no header")
                break
            if not line.startswith((b"From ", b">From ")):
                reading.note("broken header line")
                if lines:
                    lines[-1][1].extend((b" ", line))
        position = after
    for name, pieces in lines:
        headers[name] = (*headers.get(name, ()), b"".join(pieces).strip())
    return headers, position


def _take_line(line: bytes, lines: list[tuple[str, list[bytes]]]) -> bool:
    if line[:1] in (b" ", b"\t") and lines:
        lines[-1][1].append(line)
        return True
    match = _HEADER.fullmatch(line)
    if match is None or (not lines and line.startswith(b"From ") and match.group(1) != b"From"):
        return False
    lines.append((match.group(1).decode("ascii").lower(), [match.group(2)]))
    return True


def _last_sure_header(raw: bytes, start: int, end: int) -> int:
    """Where the last unmistakable header line before the first empty line begins, -1 for none: a broken line before
    it is joined to the line above, one after it begins the body."""
    empty = _EMPTY_LINE.search(raw, max(0, start - 1), end)
    stop = min(empty.start() + 1 if empty else end, start + 65536)
    return max((match.start() for match in _SURE_HEADER.finditer(raw, start, stop)), default=-1)


def _after_header(raw: bytes, start: int, end: int) -> int:
    ends = [
        found + size for mark, size in ((b"\n\n", 2), (b"\r\n\r\n", 4)) if (found := raw.find(mark, start, end)) >= 0
    ]
    return min(ends, default=end)

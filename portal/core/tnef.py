"""winmail.dat, in which Outlook hides a body and files from everybody else (MS-OXTNEF). Never raises."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.core.charsets import decode_text
from portal.core.rtf import read_rtf, unpack_rtf

_SIGNATURE = b"\x78\x9f\x3e\x22"
_MOST_FILES, _MOST_PROPERTIES, _MOST_RTF, _DEEPEST = 200, 5000, 4_000_000, 4
_BODY, _CODEPAGE, _PROPERTIES = 0x2800C, 0x69007, 0x69003
_NEW_FILE, _FILE_DATA, _FILE_TITLE, _FILE_PROPERTIES = 0x69002, 0x6800F, 0x18010, 0x69005
_SIZES = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_STRING, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102

Properties = dict[int, bytes | str]


@dataclass(frozen=True)
class TnefFile:
    """A file from a winmail.dat. `content_id` is that of a picture in its HTML body."""

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""


@dataclass(frozen=True)
class TnefMail:
    """What a winmail.dat holds. `text` and `html` are "" where it has no such body."""

    text: str
    html: str
    files: tuple[TnefFile, ...]


def read_tnef(data: bytes) -> TnefMail | None:
    """Body and files of a winmail.dat; None when it is none or holds nothing that can be read."""
    return _read(data, 0)


def _read(data: bytes, depth: int) -> TnefMail | None:
    if not data.startswith(_SIGNATURE) or depth > _DEEPEST:
        return None
    body: Properties = {}
    plain, codepage = b"", "cp1252"
    files: list[Properties] = []
    for name, value in _attributes(data):
        if name == _CODEPAGE and len(value) >= 4:
            codepage = _codec(int.from_bytes(value[:4], "little"))
        elif name == _BODY:
            plain = value
        elif name == _PROPERTIES:
            body |= _properties(value, codepage)
        elif name == _NEW_FILE and len(files) < _MOST_FILES:
            files.append({})
        elif files and name == _FILE_DATA:
            files[-1].setdefault(0x3701, value)
        elif files and name == _FILE_TITLE:
            files[-1].setdefault(0x3704, decode_text(value.rstrip(b"\x00"), charset=codepage))
        elif files and name == _FILE_PROPERTIES:
            files[-1] |= _properties(value, codepage)
    text, html = _bodies(body, plain, codepage)
    found = TnefMail(text, html, tuple(file for one in files for file in _files(one, depth)))
    return found if found.files or text.strip() or html.strip() else None


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, value) of each attribute; a length that points past the end is cut."""
    position = 6
    while position + 9 <= len(data):
        _, tag, size = struct.unpack_from("<BII", data, position)
        yield tag, data[position + 9 : position + 9 + size]
        position += 9 + size + 2


def _codec(number: int) -> str:
    return "utf-8" if number == 65001 else "ascii" if number == 20127 else f"cp{number}"


class _Cursor:
    """Reads little-endian numbers and padded strings. `is_over` once something was not there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.is_over = False

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")

    def take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        self.is_over = self.is_over or len(found) < size
        self._at += size
        return found

    def padded(self) -> bytes:
        size = self.number()
        found = self.take(size)
        self._at += -size % 4
        return found


def _properties(data: bytes, codepage: str) -> Properties:
    """The MAPI properties of one block that are text or bytes, by their number."""
    cursor, found = _Cursor(data), Properties()
    for _ in range(min(cursor.number(), _MOST_PROPERTIES)):
        kind, number = cursor.number(2), cursor.number(2)
        if number >= 0x8000:
            cursor.take(16)
            if cursor.number() == 0:
                cursor.take(4)
            else:
                cursor.padded()
        values = _values(cursor, kind)
        if cursor.is_over or values is None:
            break
        if values:
            found[number] = _value(kind & 0xFFF, values[0], codepage)
    return found


def _values(cursor: _Cursor, kind: int) -> list[bytes] | None:
    """The values of one property; None for a type that nobody knows, after which nothing can be read."""
    base = kind & 0xFFF
    if base in (_STRING, _UNICODE, _OBJECT, _BINARY):
        return [cursor.padded() for _ in range(min(cursor.number(), 1000)) if not cursor.is_over]
    if base not in _SIZES:
        return None
    count = min(cursor.number(), 10_000) if kind & 0x1000 else 1
    return [cursor.take(_SIZES[base]) for _ in range(count) if not cursor.is_over]


def _value(base: int, value: bytes, codepage: str) -> bytes | str:
    if base == _UNICODE:
        return value.decode("utf-16-le", "replace").encode("utf-8", "replace").decode("utf-8").rstrip("\x00")
    if base == _STRING:
        return decode_text(value.rstrip(b"\x00"), charset=codepage)
    return value[16:] if base == _OBJECT else value


def _bodies(body: Properties, plain: bytes, codepage: str) -> tuple[str, str]:
    text, html = _text(body.get(0x1000)), body.get(0x1013, "")
    if isinstance(html, bytes):
        cpid = body.get(0x3FDE, b"")
        html = decode_text(html, charset=_codec(int.from_bytes(cpid, "little")) if isinstance(cpid, bytes) else "")
    packed = body.get(0x1009, b"")
    if not html and isinstance(packed, bytes):
        rtf_text, html = read_rtf(unpack_rtf(packed, most=_MOST_RTF))
        text = text or rtf_text
    text = text or decode_text(plain.rstrip(b"\x00"), charset=codepage)
    return text.replace("\r\n", "\n").replace("\x00", ""), html.replace("\x00", "")


def _text(value: bytes | str | None) -> str:
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _files(found: Properties, depth: int) -> Iterator[TnefFile]:
    data = found.get(0x3701)
    if not isinstance(data, bytes):
        return
    inner = _read(data, depth + 1)
    if inner is not None:  # a mail attached to the mail
        if inner.text.strip() or inner.html.strip():
            shown = inner.html or inner.text
            kind, ending = ("text/html", "html") if inner.html else ("text/plain", "txt")
            yield TnefFile(f"{_text(found.get(0x3001)) or 'message'}.{ending}", kind, shown.encode("utf-8", "replace"))
        yield from inner.files
        return
    name = _text(found.get(0x3707)) or _text(found.get(0x3704)) or _text(found.get(0x3001))
    yield TnefFile(name, _text(found.get(0x370E)).lower(), data, _text(found.get(0x3712)).strip("<>"))

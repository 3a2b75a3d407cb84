"""Bytes to text with the charsets that mails name, name wrongly, or do not name."""

from __future__ import annotations

import codecs
import re

_ALIASES = {
    "ansi_x3.4-1968": "ascii",
    "default": "ascii",
    "unknown-8bit": "ascii",
    "x-unknown": "ascii",
    "8bit": "ascii",
    "us-ascii": "ascii",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "big5": "big5hkscs",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "cp-850": "cp850",
}
_TEXT_CODECS_ONLY = re.compile(r"[a-z0-9][a-z0-9_.:\-]{0,40}")
_JIS = re.compile(rb"\x1b(\([BJHI]|\$[@B]|\$\([DC])")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def decode_text(data: bytes, *, charset: str = "") -> str:
    """Text of a body or header in the charset it claims. Never raises: a false claim is repaired (UTF-8 if it is
    valid UTF-8, else Windows-1252), and what no charset explains becomes U+FFFD."""
    name = _codec_name(charset)
    if name == "iso2022_jp":
        return _decode_jis(data)
    if name not in ("", "ascii"):
        try:
            return _storable(data.decode(name))
        except (UnicodeDecodeError, ValueError):
            pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if name == "utf-8":
        salvaged = data.decode("utf-8", "replace")
        if any(letter > "\x7f" and letter != "\ufffd" for letter in salvaged):
            return salvaged
    return _storable(data.decode(name if name not in ("", "ascii", "utf-8") else "cp1252", "replace"))


def decode_raw(data: bytes, *, fallback: str = "") -> str:
    """A header value with unencoded 8-bit bytes: UTF-8, else the charset the mail names elsewhere, else
    Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode_text(data, charset=fallback)


def percent_bytes(text: str) -> bytes:
    """`%C3%A4` to its bytes (RFC 2231); a stray percent sign stays."""
    return _PERCENT.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode("utf-8", "replace"))


def _storable(text: str) -> str:
    """UTF-7 can spell half a surrogate pair, which no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _codec_name(charset: str) -> str:
    name = charset.strip().strip("\"'").lower()
    name = _ALIASES.get(name, name)
    if not _TEXT_CODECS_ONLY.fullmatch(name):
        return ""
    try:
        info = codecs.lookup(name)
    except LookupError:
        return ""
    # Codecs such as "zip" or "rot13" turn bytes into bytes: a mail naming them would be a bomb.
    return info.name if info._is_text_encoding else ""


def _decode_jis(data: bytes) -> str:
    """ISO-2022-JP as it is really sent: with the NEC and IBM characters that Python's codec refuses."""
    pieces, mode, position = [], b"(B", 0
    for match in [*_JIS.finditer(data), None]:
        end = match.start() if match else len(data)
        pieces.append(_jis_piece(data[position:end], mode))
        if match:
            mode, position = match.group(1), match.end()
    return "".join(pieces)


def _jis_piece(data: bytes, mode: bytes) -> str:
    if mode in (b"$@", b"$B"):
        return bytes(byte | 0x80 for byte in data).decode("euc_jp", "strict") if _is_plain(data) else _from_sjis(data)
    if mode == b"(I":
        return bytes(byte | 0x80 for byte in data).decode("cp932", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp932", "replace")  # Shift_JIS under a wrong name is common


def _is_plain(data: bytes) -> bool:
    try:
        bytes(byte | 0x80 for byte in data).decode("euc_jp")
    except UnicodeDecodeError:
        return False
    return True


def _from_sjis(data: bytes) -> str:
    out = bytearray()
    for high, low in zip(data[::2], data[1::2], strict=False):
        first = ((high - 0x21) >> 1) + 0x81
        first = first if first <= 0x9F else first + 0x40
        if high & 1:
            second = low + 0x1F + (1 if low >= 0x60 else 0)
        else:
            second = low + 0x7E
        out += bytes((first & 0xFF, second & 0xFF))
    return out.decode("cp932", "replace")

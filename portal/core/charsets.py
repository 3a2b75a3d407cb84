"""Bytes to text with the charsets that mails name, name wrongly, or do not name."""

from __future__ import annotations

import codecs
import re

from portal.core.charset_guess import guess_charset

# Named by mails that are in something else often enough to look at the bytes first.
_VAGUE = ("", "ascii", "utf-8", "cp1252", "iso8859-15")
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_WINDOWS = re.compile(r"(?:x-)?(?:windows|win|cp|ms|ibm)[-_ ]?(125[0-8]|874|932|936|949|950|85\d|866)")
_ISO = re.compile(r"(?:x-)?_?iso[-_ ]?8859[-_ ]?(1[0-6]|[1-9])(?:[-_](?:[ie]|visual|logical))?")
_ALIASES = {
    "ansi_x3.4-1968": "ascii",
    "default": "ascii",
    "unknown-8bit": "ascii",
    "x-unknown": "ascii",
    "8bit": "ascii",
    "us-ascii": "ascii",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "ansi": "cp1252",
    "x-ansi": "cp1252",
    "utf8mb4": "utf-8",
    "x-unicode-2-0-utf-7": "utf-7",
    "unicode-2-0-utf-8": "utf-8",
    "x-gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "cp936": "gb18030",
    "cp950": "big5hkscs",
    "x-big5": "big5hkscs",
    "x-euc-jp": "euc_jp",
    "windows-31j": "cp932",
    "ms_kanji": "cp932",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "iso-2022-jp-1": "iso2022_jp",
    "iso-2022-jp-2": "iso2022_jp",
    "iso-2022-jp-ms": "iso2022_jp",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "x-koi8-r": "koi8-r",
    "koi8": "koi8-r",
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
    "x-mac-ce": "mac-latin2",
    "macintosh": "mac-roman",
    "tis-620": "cp874",
}
_TEXT_CODECS_ONLY = re.compile(r"[a-z0-9][a-z0-9_.:\-]{0,40}")
# Text in them that happens to be valid UTF-8 is UTF-8: no alphabet but the Thai has letters that look so.
_ONE_BYTE = re.compile(r"cp125\d|iso8859-(?!11)\d\d?|koi8-[ru]")
_JIS = re.compile(rb"\x1b(\([BJHI]|\$[@B]|\$\([DC])")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def decode_text(data: bytes, *, charset: str = "") -> str:
    """Text of a body or header in the charset it claims. Never raises: a false claim is repaired (UTF-8 if it is
    valid UTF-8, else what its bytes look like), and what no charset explains becomes U+FFFD."""
    if data.isascii() and b"\x1b" not in data and charset[:5].lower() in ("", "utf-8", "us-as", "iso-8"):
        return data.decode("ascii")
    name = _codec_name(charset)
    if name == "iso2022_jp" or (name in _VAGUE and b"\x1b$" in data):
        return _decode_jis(data)
    if name in _VAGUE:
        return _decode_vague(data, name)
    if name.startswith(("utf-16", "utf-32")) and data.isascii() and b"\x00" not in data:
        return data.decode("ascii")
    for codec in ("utf-8", name) if _ONE_BYTE.fullmatch(name) else (name, "utf-8"):
        try:
            return _storable(data.decode(codec))
        except (UnicodeDecodeError, ValueError):
            continue
    return _storable(data.decode(name, "replace"))


def decode_raw(data: bytes, *, fallback: str = "") -> str:
    """A header value with unencoded 8-bit bytes: UTF-8, else the charset the mail names elsewhere, else
    Windows-1252."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return decode_text(data, charset=fallback)
    return text if "\x1b$" not in text else decode_text(data, charset=fallback)


def percent_bytes(text: str) -> bytes:
    """`%C3%A4` to its bytes (RFC 2231); a stray percent sign stays."""
    return _PERCENT.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode("utf-8", "replace"))


def _decode_vague(data: bytes, name: str) -> str:
    try:
        return _storable(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _storable(data.decode("utf-16", "replace"))
    if b"\xed\xa0" in data or b"\xed\xb0" in data:
        halves = _decode_halves(data)
        if halves:
            return halves
    guessed = guess_charset(data, is_named=name in ("cp1252", "iso8859-15"))
    # Pairs of the Asian charsets are valid UTF-8 by chance, one in four.
    at_least = (0.25 if name == "utf-8" else 1) if guessed == "cp1252" else 3
    mixed = _decode_mixed(data, at_least=at_least)
    if mixed:
        return mixed
    if guessed == "cp1252" and name == "iso8859-15":
        guessed = name
    return _storable(data.decode(guessed, "replace"))


def _decode_halves(data: bytes) -> str:
    """Surrogate pairs written as if they were letters (CESU-8), "" when it is something else."""
    try:
        halves = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return ""
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _decode_mixed(data: bytes, *, at_least: float) -> str:
    """UTF-8 into which something in Windows-1252 was pasted; "" when too few of the high bytes are UTF-8."""
    pieces, good, bad, position = [], 0, 0, 0
    for match in [*_UTF8.finditer(data), None]:
        between = data[position : match.start() if match else len(data)]
        bad += len(_HIGH.findall(between))
        pieces.append(between.decode("cp1252", "replace"))
        if match:
            good += 1
            pieces.append(match.group().decode("utf-8", "replace"))
            position = match.end()
    return "".join(pieces) if good and good >= at_least * bad else ""


def _storable(text: str) -> str:
    """UTF-7 can spell half a surrogate pair, which no database takes; a byte order mark is no letter."""
    return text if text.isascii() else text.removeprefix("\ufeff").encode("utf-8", "replace").decode("utf-8")


def _codec_name(charset: str) -> str:
    name = charset.strip().strip("\"'").lower()
    if found := _WINDOWS.match(name):
        name = f"cp{found.group(1)}"
    elif found := _ISO.match(name):
        name = f"iso-8859-{found.group(1)}" if found.group(1) != "1" else "cp1252"
    name = _ALIASES.get(name, name.removeprefix("x-") if name.startswith("x-mac-") else name)
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

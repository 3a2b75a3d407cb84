"""Rich text as Outlook packs it into winmail.dat: unpacked (MS-OXRTFCP), to text, or back to the HTML it was made of
(MS-OXRTFEX). Never raises; what cannot be read gives less text."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from portal.core.charsets import decode_text

_PRELOAD = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab"
    rb"\tx"
)
_WINDOW = 4096
_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)", re.DOTALL)
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer themedata listtable listoverridetable rsidtbl "
    b"generator xmlnstbl datastore latentstyles fldinst".split()
)
_BREAKS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"row": "\n", b"cell": " ", b"sect": "\n", b"page": "\n"}
_SIGNS = {
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•", b"endash": "–",
    b"emdash": "—", b"emspace": " ", b"enspace": " ",
}  # fmt: skip


def unpack_rtf(data: bytes, *, most: int) -> bytes:
    """The RTF in a PR_RTF_COMPRESSED property, at most `most` bytes of it; b"" when it is none."""
    if len(data) < 16:
        return b""
    _, raw_size, mark, _ = struct.unpack_from("<4I", data)
    if mark == 0x414C454D:  # MELA: stored as it is
        return data[16 : 16 + min(raw_size, most)]
    return _inflate(data, min(raw_size, most)) if mark == 0x75465A4C else b""


def _inflate(data: bytes, wanted: int) -> bytes:
    window = bytearray(_PRELOAD.ljust(_WINDOW, b"\x00"))
    write, position, out = len(_PRELOAD), 16, bytearray()
    while position < len(data) and len(out) < wanted:
        flags = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data) or len(out) >= wanted:
                break
            if not flags & 1 << bit:
                window[write] = data[position]
                out.append(data[position])
                write, position = (write + 1) % _WINDOW, position + 1
                continue
            token = int.from_bytes(data[position : position + 2], "big")
            position += 2
            if token >> 4 == write:
                return bytes(out[:wanted])
            for step in range((token & 15) + 2):
                window[write] = window[((token >> 4) + step) % _WINDOW]
                out.append(window[write])
                write = (write + 1) % _WINDOW
    return bytes(out[:wanted])


@dataclass
class _State:
    """What a brace opens and the next one closes again."""

    is_skipped: bool = False
    is_tag: bool = False
    is_double: bool = False  # \htmlrtf: written a second time, for readers that know only RTF
    width: int = 1


@dataclass
class _Reading:
    is_html: bool
    codepage: str = "cp1252"
    states: list[_State] = field(default_factory=lambda: [_State()])
    pieces: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    to_skip: int = 0

    @property
    def state(self) -> _State:
        return self.states[-1]

    def say(self, text: str) -> None:
        self.flush()
        if not self.state.is_skipped and not self.state.is_double:
            self.pieces.append(text)

    def say_bytes(self, data: bytes) -> None:
        data, self.to_skip = data[self.to_skip :], max(0, self.to_skip - len(data))
        if not self.state.is_skipped and not self.state.is_double:
            self.pending += data

    def flush(self) -> None:
        if self.pending:
            self.pieces.append(decode_text(bytes(self.pending), charset=self.codepage))
            self.pending.clear()


def read_rtf(data: bytes) -> tuple[str, str]:
    """(text, HTML) of an RTF document: HTML where it was made from HTML, text where it was not; the other is ""."""
    reading = _Reading(is_html=b"\\fromhtml" in data[:2000])
    is_star = False
    for match in _TOKEN.finditer(data):
        word, number, hexes, sign, brace, text = match.groups()
        if brace == b"{":
            if len(reading.states) < 1000:
                state = reading.state
                reading.states.append(_State(state.is_skipped, state.is_tag, state.is_double, state.width))
        elif brace == b"}":
            reading.flush()
            if len(reading.states) > 1:
                reading.states.pop()
        elif word:
            _take_word(reading, word, int(number) if number else None, is_star=is_star)
        elif hexes:
            reading.say_bytes(bytes([int(hexes, 16)]))
        elif text:
            reading.say_bytes(text)
        elif sign in (b"\\", b"{", b"}"):
            reading.say_bytes(sign)
        elif sign == b"~":
            reading.say("\xa0")
        is_star = sign == b"*"
    reading.flush()
    found = "".join(reading.pieces).replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return ("", found) if reading.is_html else (found.strip(), "")


def _take_word(reading: _Reading, word: bytes, number: int | None, *, is_star: bool) -> None:
    state = reading.state
    if word == b"htmltag":
        state.is_skipped, state.is_tag = not reading.is_html, True
    elif word == b"htmlrtf":
        reading.flush()
        state.is_double = number != 0
    elif word in _SKIPPED or (is_star and word != b"fldrslt"):
        reading.flush()
        state.is_skipped = True
    elif word in _BREAKS:
        reading.say(_BREAKS[word] if not reading.is_html or state.is_tag else "\n")
    elif word in _SIGNS:
        reading.say(_SIGNS[word])
    elif word == b"u" and number is not None:
        reading.say(chr(number % 65536) if not 0xD800 <= number % 65536 < 0xE000 else "\ufffd")
        reading.to_skip = state.width
    elif word == b"uc" and number is not None:
        state.width = min(max(number, 0), 8)
    elif word == b"ansicpg" and number:
        reading.codepage = "utf-8" if number == 65001 else f"cp{number}"

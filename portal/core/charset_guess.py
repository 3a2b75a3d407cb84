"""Which charset bytes are in that name none, or a wrong one. Rough on purpose: only unmistakable patterns count."""

from __future__ import annotations

import re

_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]", re.DOTALL)
_UMLAUTS = frozenset("äöüÄÖÜß".encode("latin-1"))
_LOOK = 4096


def guess_charset(data: bytes, *, is_named: bool = False) -> str:
    """The codec of 8-bit text that is not UTF-8, judged by its first 4 KB: Cyrillic, Chinese, Japanese and Korean by
    the shape of their bytes, else "cp1252". Text in a Latin alphabet has its high bytes one by one, these have them
    in runs. `is_named`: it claims to be in a Latin alphabet, so more of it is wanted before that is disbelieved."""
    data = data[:_LOOK]
    runs = _HIGH_RUN.findall(data)
    high = b"".join(runs)
    if len(high) < (24 if is_named else 4) or set(high) <= _UMLAUTS:
        return "cp1252"
    if sum(len(run) for run in runs if len(run) > 1) < 0.8 * len(high):
        return "cp932" if _is_shift_jis(data) else "cp1252"
    if sum(byte >= 0xC0 for byte in high) >= 0.95 * len(high):
        return _cyrillic(high)
    if _is_shift_jis(data):
        return "cp932"
    return _double_byte(data, high)


def _cyrillic(high: bytes) -> str:
    """KOI8-R has small letters below 0xE0, Windows-1251 above; running text is mostly small letters."""
    return "koi8_r" if sum(byte < 0xE0 for byte in high) > len(high) / 2 else "cp1251"


def _is_shift_jis(data: bytes) -> bool:
    pairs = _PAIR.findall(data)
    kana = sum(pair[0] in (0x82, 0x83) for pair in pairs)
    return kana >= 2 and kana >= 0.3 * len(pairs) and _decodes(data, "cp932")


def _double_byte(data: bytes, high: bytes) -> str:
    leads = [pair[0] for pair in _PAIR.findall(data)]
    if not leads:
        return "cp1252"
    kana = sum(lead in (0xA4, 0xA5) for lead in leads)
    if kana >= 0.25 * len(leads) and _decodes(data, "euc_jp") and len(high) % 2 == 0:
        return "euc_jp"
    if len(leads) >= 3 and all(0xA1 <= lead <= 0xC8 for lead in leads) and _decodes(data, "cp949"):
        return "cp949"
    common = sum(0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3) for lead in leads)
    if common >= 0.7 * len(leads) and _decodes(data, "gbk") and len(high) % 2 == 0:
        return "gb18030"
    return "big5hkscs" if _decodes(data, "big5hkscs") else "cp1252"


def _decodes(data: bytes, codec: str) -> bool:
    """A character may be cut at the end of what is looked at."""
    try:
        data[:-1].decode(codec)
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 3 and len(data) > 8
    return True

"""Which charset bytes are in that name none, or a wrong one. Rough on purpose: only unmistakable patterns count."""

from __future__ import annotations

import codecs
import re

_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_IN_WORD = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]+(?=[A-Za-z])")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]", re.DOTALL)
_UMLAUTS = frozenset("äöüÄÖÜß".encode("latin-1"))
# Dashes, quotation marks, the number sign and the like of Windows charsets: they tell nothing of the alphabet.
_SIGNS = bytes([0x85, 0x93, 0x94, 0x96, 0x97, 0xA0, 0xA8, 0xAB, 0xB8, 0xB9, 0xBB])
_LONG_VOWEL, _LONG_VOWEL_SJIS = "ー".encode("euc_jp"), "ー".encode("cp932")
_LOOK = 4096
# The most frequent letters of what is written in a charset of one byte a letter.
_FREQUENT = {
    "cp1251": "оеаинтсрвлкм",
    "koi8_r": "оеаинтсрвлкм",
    "iso8859-5": "оеаинтсрвлкм",
    "cp1253": "αοιετνσηρπκυςλμίά",
    "cp1255": "יוהלאמרתבשנםד",
    "cp1256": "المينوترهبةع",
}


def guess_charset(data: bytes, *, is_named: bool = False) -> str:
    """The codec of 8-bit text that is not UTF-8, judged by its first 4 KB: Cyrillic, Greek, Hebrew, Arabic, Chinese,
    Japanese and Korean by the shape of their bytes, else "cp1252". Text in a Latin alphabet has its high bytes one by
    one and within words, these have them in runs. `is_named`: it claims to be in a Latin alphabet, so more of it is
    wanted before that is disbelieved."""
    is_cut, data = len(data) > _LOOK, data[:_LOOK]
    runs = _HIGH_RUN.findall(data)
    high = b"".join(runs)
    if len(high) < (14 if is_named else 4) or set(high) <= _UMLAUTS or len(set(high)) < 3:
        return "cp1252"
    pairs = _PAIR.findall(data)
    joined = sum(len(run) for run in runs if len(run) > 1)
    if _is_shift_jis(data, pairs):
        return "cp932"
    if joined >= 0.4 * len(high) and _is_big5(data, pairs):
        return "big5hkscs"
    if joined < 0.8 * len(high) or 2 * len(_IN_WORD.findall(data)) > len(runs):
        return "cp1252"
    letters = high.translate(None, _SIGNS)
    if sum(byte >= 0xC0 for byte in letters) >= 0.95 * len(letters) >= 0.7 * len(high):
        return _one_byte(letters)
    if letters and min(letters) >= 0xB0 and max(letters) <= 0xF1 and _share(letters, "iso8859-5") > 0.5:
        return "iso8859-5"
    return _double_byte(data, pairs, runs, is_cut=is_cut)


def _one_byte(letters: bytes) -> str:
    """The alphabet of which most letters are frequent ones; a list of accented letters is in none."""
    best = max(_FREQUENT, key=lambda codec: _share(letters, codec))
    return best if _share(letters, best) > 0.45 else "cp1252"


def _share(letters: bytes, codec: str) -> float:
    text = letters.decode(codec, "replace").lower()
    return sum(letter in _FREQUENT[codec] for letter in text) / len(text)


def _is_shift_jis(data: bytes, pairs: list[bytes]) -> bool:
    kana = sum(pair[0] in (0x82, 0x83) or pair == _LONG_VOWEL_SJIS for pair in pairs)
    return kana >= 2 and kana >= 0.3 * len(pairs) and _decodes(data, "cp932")


def _is_big5(data: bytes, pairs: list[bytes]) -> bool:
    """Its second bytes may be letters, which those of the other double-byte charsets seldom are."""
    leads = [pair[0] for pair in pairs]
    common = sum(0xA4 <= lead <= 0xC6 or lead == 0xA1 for lead in leads)
    is_other = all(pair[1] >= 0x80 for pair in pairs) or len(set(leads)) < 3
    return not is_other and common >= 0.9 * len(leads) and _decodes(data, "big5hkscs")


def _double_byte(data: bytes, pairs: list[bytes], runs: list[bytes], *, is_cut: bool) -> str:
    leads = [pair[0] for pair in pairs]
    if not leads:
        return "cp1252"
    is_even = all(len(run) % 2 == 0 for run in (runs[:-1] if is_cut else runs))
    kana = sum(pair[0] in (0xA4, 0xA5) or pair == _LONG_VOWEL for pair in pairs)
    if is_even and kana >= 0.25 * len(leads) and _decodes(data, "euc_jp"):
        return "euc_jp"
    if is_even and len(leads) >= 3 and all(0xA1 <= lead <= 0xC8 for lead in leads) and _decodes(data, "cp949"):
        return "cp949"
    common = sum(0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3) for lead in leads)
    if common >= 0.7 * len(leads) and _decodes(data, "gbk"):
        return "gb18030"
    return "big5hkscs" if _decodes(data, "big5hkscs") else "cp1252"


def _decodes(data: bytes, codec: str) -> bool:
    """A character may be cut at the end of what is looked at."""
    try:
        codecs.getincrementaldecoder(codec)().decode(data)
    except UnicodeDecodeError:
        return False
    return True

"""What a text costs and what fits: GSM-7 and UCS-2 (3GPP TS 23.038), segments (TS 23.040)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛`´′", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("•·●▪", "*"),
        **dict.fromkeys("đð", "d"),
        **dict.fromkeys("ĐÐ", "D"),
        "…": "...", "→": "->", "←": "<-", "×": "x", "÷": "/", "©": "(c)", "®": "(R)", "™": "(TM)",
        "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "ı": "i", "þ": "th", "Þ": "Th", "ẞ": "SS", "¢": "c", "\t": " ",
    }
)  # fmt: skip
_LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_LEAST_GIST = 40
_LONGEST_GIST = 400


@dataclass(frozen=True)
class Segments:
    """How a text travels: "GSM-7" or "UCS-2", its length in septets or 16-bit units, and the billed segments."""

    encoding: str
    units: int
    count: int


def is_gsm7(text: str) -> bool:
    """Whether every character is in the GSM 7-bit alphabet or its extension table."""
    return all(char in _BASIC or char in _EXTENDED for char in text)


def count_segments(text: str) -> Segments:
    """What a carrier bills. An escape pair or a surrogate pair is never split over two segments."""
    if is_gsm7(text):
        encoding, sizes = "GSM-7", [2 if char in _EXTENDED else 1 for char in text]
    else:
        encoding, sizes = "UCS-2", [2 if ord(char) > 0xFFFF else 1 for char in text]
    single, joined = _LIMITS[encoding]
    units = sum(sizes)
    return Segments(encoding, units, 1 if units <= single else _fill(sizes, joined))


def _fill(sizes: Sequence[int], room: int) -> int:
    count, used = 1, 0
    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count


def to_plain(text: str) -> str:
    """The text in GSM-7 where its meaning survives it: straight quotes, no accents GSM-7 lacks, no pictures.

    Letters of another script stay, and then the whole text stays as it was, apart from pictures and control characters.
    """
    kept = "".join(char for char in unicodedata.normalize("NFC", text) if not _is_dropped(char))
    plain = "".join(chain.from_iterable(_to_gsm7(char) for char in kept))
    return plain if is_gsm7(plain) else kept


def one_line(text: str) -> str:
    """The words with single spaces, on one line, in GSM-7 where possible."""
    return " ".join(to_plain(" ".join(text.split())).split())


def _is_dropped(char: str) -> bool:
    """Pictures, their modifiers, joiners and controls: nothing is lost that was said in words."""
    if is_gsm7(_to_gsm7(char)):
        return False
    category = unicodedata.category(char)
    is_modifier = category == "Sk" and ord(char) > 0xFFFF
    return category in ("So", "Cc", "Cf", "Cs", "Co", "Me") or is_modifier or char == "\ufe0f"


def _to_gsm7(char: str) -> str:
    if is_gsm7(char):
        return char
    if ord(char) in _PLAIN:
        return char.translate(_PLAIN)
    if char.isspace():
        return " "
    base = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    base = base.translate(_PLAIN)
    return base if base and is_gsm7(base) else char


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words where that keeps most of it, with "..." where something is gone."""
    if len(text) <= limit:
        return text
    cut = text[: max(limit - 3, 0)]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip(" ,;:.-") + "..."


def fit_gist(head: str, gist: str, tail: str) -> str:
    """Head, gist and tail in the fewest segments that show at least the first 40 characters of the gist.

    Once a segment is paid for it is filled.
    """
    gist = gist[:_LONGEST_GIST]
    budget = count_segments(head + shorten(gist, _LEAST_GIST) + tail).count
    low, high = min(len(gist), _LEAST_GIST), len(gist)
    while low < high:
        middle = (low + high + 1) // 2
        if count_segments(head + shorten(gist, middle) + tail).count <= budget:
            low = middle
        else:
            high = middle - 1
    return head + shorten(gist, low) + tail


def fit_items(head: str, items: Iterable[str], tail: str, *, segments: int = 3) -> str:
    """Head, as many items as fit into that many segments (at least one), "+3 more" for the rest, then the tail."""
    rest = list(items)
    shown: list[str] = []
    while rest:
        candidate = _join(head, [*shown, rest[0]], len(rest) - 1, tail)
        if shown and count_segments(candidate).count > segments:
            break
        shown.append(rest.pop(0))
    return _join(head, shown, len(rest), tail)


def _join(head: str, shown: Sequence[str], missing: int, tail: str) -> str:
    more = [f"+{missing} more"] if missing else []
    return head + "; ".join([*shown, *more]) + tail

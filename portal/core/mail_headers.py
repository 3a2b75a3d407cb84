"""Single header values of a mail: encoded words, addresses, dates, message ids."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from portal.core.charsets import decode_text

MAX_ADDRESSES = 2000
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?((?:[^?]|\?(?!=)){0,4000})\?=", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[(),;:<>"\\]|[^(),;:<>"\\]+', re.DOTALL)
_BARE = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:]+")
_ID = re.compile(r"<[^<>\s]{1,490}>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Address:
    """One mailbox. `email` keeps its spelling; compare with `key`."""

    email: str
    name: str = ""

    @property
    def key(self) -> str:
        """The form in which two addresses are the same person's."""
        return self.email.strip().lower()

    @property
    def domain(self) -> str:
        """What stands behind the last @, in lower case."""
        return self.key.rpartition("@")[2]


def decode_words(text: str) -> str:
    """Encoded words to text (RFC 2047), also inside quotes and broken over words in the middle of a character."""
    if "=?" not in text or "?=" not in text:
        return text
    pieces: list[str] = []
    pending: list[bytes] = []
    charset, position = "", 0
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        if pending and (between.strip() or match.group(1).partition("*")[0].lower() != charset):
            pieces.append(decode_text(b"".join(pending), charset=charset))
            pending = []
        if between.strip() or position == 0:
            pieces.append(between)
        charset = match.group(1).partition("*")[0].lower()
        pending.append(_word_bytes(match.group(2), match.group(3)))
        position = match.end()
    if pending:
        pieces.append(decode_text(b"".join(pending), charset=charset))
    return "".join([*pieces, text[position:]])


def parse_addresses(text: str) -> tuple[Address, ...]:
    """The mailboxes of an address header, before decoding: names may hold encoded commas. Groups are flattened,
    unquoted commas in a name are forgiven, what holds no @ is kept as a name without address. At most 2,000."""
    found: list[Address] = []
    carried = ""
    for piece in _split_addresses(text):
        address = _read_address(carried + piece)
        if not address.email and not carried and "@" not in piece and "<" not in piece and piece.strip():
            carried = piece + ","
            continue
        carried = ""
        if address.email or address.name:
            found.append(address)
        if len(found) >= MAX_ADDRESSES:
            break
    if carried and len(found) < MAX_ADDRESSES:
        found.append(Address("", _clean(carried[:-1])))
    return tuple(found)


def parse_date(text: str) -> datetime | None:
    """An RFC 5322 date in UTC; None when it is none. A date without zone is taken as UTC."""
    try:
        parsed = parsedate_to_datetime(text)
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def parse_ids(text: str) -> tuple[str, ...]:
    """All message ids of a References or In-Reply-To header, in brackets, in their order, each once."""
    return tuple(dict.fromkeys(_ID.findall(text)))


def parse_message_id(text: str) -> str:
    """The one id of a Message-ID header in brackets; an id sent without them is given some; "" for none."""
    found = _ID.search(text)
    if found:
        return found.group()
    bare = "".join(text.split()).strip("<>")[:490]
    return f"<{bare}>" if bare else ""


def clean_header(text: str) -> str:
    """Decoded, without control characters and outer blanks. Line breaks hidden in encoded words become blanks."""
    return _CONTROL.sub(" ", decode_words(text).replace("\n", " ")).strip()


def _word_bytes(encoding: str, data: str) -> bytes:
    raw = data.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b"\r", b"").replace(b"\n", b""), header=True)
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _split_addresses(text: str) -> list[str]:
    pieces: list[str] = []
    current: list[str] = []
    depth, in_angle = 0, False
    for mark in _TOKEN.findall(text):
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and mark == "<":
            in_angle = True
        elif depth == 0 and mark == ">":
            in_angle = False
        if depth == 0 and not in_angle and mark in (",", ";"):
            pieces.append("".join(current))
            current = []
        elif depth == 0 and not in_angle and mark == ":" and "@" not in "".join(current):
            current = []
        else:
            current.append(mark)
    return [*pieces, "".join(current)]


def _read_address(piece: str) -> Address:
    opened = piece.rfind("<")
    if opened >= 0:
        closed = piece.find(">", opened)
        inner = piece[opened + 1 : closed if closed >= 0 else len(piece)].strip().strip("'\"")
        inner = inner.rpartition(":")[2] if inner.startswith("@") else inner
        name = piece[:opened]
        if "@" in inner or not _BARE.search(name):
            return Address(
                _CONTROL.sub("", "".join(inner.split()))[:254], _clean(_without_comment(name) or _comment(piece))
            )
        piece = name
    plain = _without_comment(piece)
    found = _BARE.search(plain) or _BARE.search(piece)
    if not found:
        return Address("", _clean(plain if opened < 0 else ""))
    name = plain.replace(found.group(), "")
    return Address(_CONTROL.sub("", found.group().strip("'\""))[:254], _clean(name) or _clean(_comment(piece)))


def _comment(piece: str) -> str:
    opened, closed = piece.find("("), piece.rfind(")")
    inside = piece[opened + 1 : closed] if 0 <= opened < closed else ""
    return "" if "@" in inside else inside


def _without_comment(text: str) -> str:
    opened = text.find("(")
    if opened < 0 or text.lstrip().startswith('"'):
        return text
    closed = text.rfind(")")
    return text[:opened] + text[closed + 1 :] if closed > opened else text


def _clean(name: str) -> str:
    text = decode_words(re.sub(r"\\(.)", r"\1", " ".join(name.split())).replace('"', ""))
    return _CONTROL.sub("", text).replace('"', "").strip().strip("'").strip()

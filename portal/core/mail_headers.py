"""Single header values of a mail: encoded words, addresses, dates, message ids."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from portal.core.charsets import decode_text

MAX_ADDRESSES = 2000
_WORD = re.compile(r"=\?\s?([^?\s]{1,60})\s?\?([bBqQ])\?((?:[^?]|\?(?!=)){0,4000})(?:\?=|\?$|$)", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[(),;:<>"\\]|[^(),;:<>"\\]+', re.DOTALL)
_BARE = re.compile(r"[^\s<>\"(),;:]{1,200}@[^\s<>\"(),;:]+")
_LEFT_OVER = re.compile(r"[\[<](?:mailto:)?[\]>]?|>|:\s*$", re.IGNORECASE)
_QUOTED_LOCAL = re.compile(r'"[^"\\<>]{1,64}"@[^\s<>"(),;:]+')
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
    """Encoded words to text (RFC 2047), also inside quotes, broken over words in the middle of a character, and the
    last one without its end."""
    if "=?" not in text:
        return text
    pieces: list[str] = []
    pending: list[tuple[str, str]] = []
    charset, position = "", 0
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        if pending and (between.strip() or match.group(1).partition("*")[0].lower() != charset):
            pieces.append(decode_text(_words_bytes(pending), charset=charset))
            pending = []
        if between.strip() or position == 0:
            pieces.append(between)
        charset = match.group(1).partition("*")[0].lower()
        is_open = not match.group().endswith("?=")
        pending.append((match.group(2).lower(), match.group(3).rstrip("?") if is_open else match.group(3)))
        position = match.end()
    if pending:
        pieces.append(decode_text(_words_bytes(pending), charset=charset))
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
    """An RFC 5322 or ISO 8601 date in UTC; None when it is none. A date without zone is taken as UTC."""
    try:
        parsed = datetime.fromisoformat(text.strip()) if text[:2].isdigit() and "-" in text[:5] else None
        parsed = parsed or parsedate_to_datetime(text)
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


def _words_bytes(words: list[tuple[str, str]]) -> bytes:
    """The bytes of neighbouring words of one charset. Base64 cut in the middle of a group goes on in the next."""
    found, carried = [], ""
    for encoding, data in words:
        if encoding == "b":
            carried += re.sub(r"[^A-Za-z0-9+/=]", "", data)
            if len(carried) % 4 == 0 or carried.endswith("="):
                found.append(_base64_bytes(carried))
                carried = ""
        else:
            raw = data.replace("\r", "").replace("\n", "").encode("utf-8", "replace")
            found += [_base64_bytes(carried), binascii.a2b_qp(raw, header=True)]
            carried = ""
    return b"".join([*found, _base64_bytes(carried)])


def _base64_bytes(data: str) -> bytes:
    clean = data.encode("ascii").partition(b"=")[0]
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _split_addresses(text: str) -> list[str]:
    pieces: list[str] = []
    current: list[str] = []
    depth, in_angle, groups = 0, False, text.count(";")
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
            groups -= mark == ";"
            pieces.append("".join(current))
            current = []
        elif depth == 0 and not in_angle and mark == ":" and _is_group(current, groups):
            current = []
        else:
            current.append(mark)
    return [*pieces, "".join(current)]


def _is_group(name: list[str], semicolons: int) -> bool:
    """A colon after a name opens a group where a semicolon closes it, and is part of the name elsewhere."""
    text = "".join(name)
    return "@" not in text and (semicolons > 0 or text.strip().lower() == "mailto")


def _read_address(piece: str) -> Address:
    opened = piece.rfind("<")
    if opened >= 0:
        closed = piece.find(">", opened)
        inner = _bare_address(piece[opened + 1 : closed if closed >= 0 else len(piece)])
        name = piece[:opened].rstrip("< \t")
        name = name.strip("<> \t") if name.lstrip().startswith("<") else name
        after = piece[closed + 1 :] if closed >= 0 else ""
        if "@" not in inner and "@" in after:
            return _read_address(f"{name} {inner} {after}")
        if "@" in inner or not _BARE.search(name):
            return Address(inner, _clean(_without_comment(name) or _comment(piece) or after.strip("<> ")))
        piece = name
    plain = _without_comment(piece)
    found = None
    if "@" in piece:
        found = _QUOTED_LOCAL.search(plain) or _BARE.search(plain) or _BARE.search(piece)
    if not found:
        decoded = decode_words(piece)
        if "@" in decoded and decoded != piece:
            return _read_address(decoded)
        return Address("", _clean(plain if opened < 0 else ""))
    name = _LEFT_OVER.sub("", plain.replace(found.group(), ""))
    return Address(_bare_address(found.group()), _clean(name) or _clean(_comment(piece)))


def _bare_address(text: str) -> str:
    """Without blanks, quotes around it, a source route and `mailto:`."""
    inner = _CONTROL.sub("", "".join(text.split())) if '"' not in text else _CONTROL.sub("", text.strip())
    inner = inner.strip("'")
    inner = inner[1:-1] if inner[:1] == inner[-1:] == '"' else inner
    inner = inner.rpartition(":")[2] if inner.startswith("@") else inner
    inner = inner[7:] if inner[:7].lower() == "mailto:" else inner
    return inner.rstrip("\\]>").lstrip("[<")[:254] if not inner.endswith("]") or "@[" not in inner else inner[:254]


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
    return _CONTROL.sub("", text).replace('"', "").strip().strip("'").strip(" ,;")

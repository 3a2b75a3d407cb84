"""How IMAP writes dates, folder names and ids (RFC 3501)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime

# Where the server gives no date that can be read. To come, so it counts as the moment of listing.
UNKNOWN = datetime(9999, 1, 1, tzinfo=UTC)
_OLDEST = datetime(1970, 1, 2, tzinfo=UTC)
_DATE = re.compile(rb'\bINTERNALDATE ("[^"]+")')
_LISTED = re.compile(rb'\(([^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) ?(.*)', re.DOTALL)
# The folder of sent mail by the names that mail programs give it, where the server does not say (RFC 6154).
_SENT_NAMES = (
    "sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete elemente", "gesendete objekte",
    "envoyés", "éléments envoyés", "enviados", "elementos enviados", "verzonden", "verzonden items",
)  # fmt: skip


def internal_date(line: bytes) -> datetime:
    """RFC 3501 date-time, with its own zone. imaplib's reader goes over local time and loses an hour twice a year."""
    found = _DATE.search(line)
    text = found.group(1).decode("ascii", "replace").strip('"').strip() if found else ""
    try:
        return max(datetime.strptime(text, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC), _OLDEST)
    except (ValueError, OverflowError):
        return UNKNOWN


def number(data: Sequence[object]) -> int:
    """The number that is the last of these answers, 0 for none."""
    value = data[-1] if data else None
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0


def quoted(folder: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3), in quotes."""
    encoded = re.sub(r"[^\x20-\x7e]+", _modified_base64, folder.replace("&", "&-"))
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _modified_base64(match: re.Match[str]) -> str:
    data = binascii.b2a_base64(match.group().encode("utf-16-be"), newline=False).decode("ascii")
    return "&" + data.rstrip("=").replace("/", ",") + "-"


def unquoted(name: bytes) -> str:
    """A folder's name as people know it."""
    text = name.strip().decode("utf-8", "replace")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return re.sub(r"&([^-]*)-", _plain, text)


def _plain(match: re.Match[str]) -> str:
    coded = match.group(1).replace(",", "/")
    if not coded:
        return "&"
    try:
        return binascii.a2b_base64(coded + "=" * (-len(coded) % 4)).decode("utf-16-be")
    except ValueError:
        return match.group()


def read_list(data: Sequence[object]) -> list[tuple[str, str]]:
    """(flags in lower case, name) of each folder in the answer to LIST. A name may come as a literal."""
    found = []
    for line in data:
        head, literal = (line[0], line[1]) if isinstance(line, tuple) else (line, None)
        match = _LISTED.match(head) if isinstance(head, bytes) else None
        if match:
            name = literal if isinstance(literal, bytes) else match.group(2)
            found.append((match.group(1).decode("ascii", "replace").lower(), unquoted(name)))
    return found


def choose_sent(folders: Sequence[tuple[str, str]]) -> str:
    """The folder of sent mail among those listed, "" for none."""
    flagged = [name for flags, name in folders if "\\sent" in flags.split()]
    named = [
        (_SENT_NAMES.index(last), name)
        for flags, name in folders
        if (last := re.split(r"[/.\\]", name)[-1].lower()) in _SENT_NAMES and "\\noselect" not in flags.split()
    ]
    return flagged[0] if flagged else min(named)[1] if named else ""


def read_id(text: str) -> tuple[int, int]:
    """UIDVALIDITY and uid of `uidvalidity:uid`; zeros for what is none of ours."""
    uidvalidity, _, uid = text.partition(":")
    return (int(uidvalidity), int(uid)) if uidvalidity.isdecimal() and uid.isdecimal() else (0, 0)

"""How the body of a mail is shown: its own pictures, pictures from elsewhere, and what is said about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape, unescape
from urllib.parse import unquote

SIGNED = "signed"
ENCRYPTED = "encrypted"

_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_CID = re.compile(r"\bsrc=\"cid:([^\"]{1,300})\"", re.IGNORECASE)
_SRC = re.compile(r"\bsrc=\"", re.IGNORECASE)
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PGP_BEGIN, _PGP_SIGNED = "-----BEGIN PGP MESSAGE-----", "-----BEGIN PGP SIGNED MESSAGE-----"
# The first bytes of what a browser may show in our pages; SVG is not among them: it holds scripts.
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def picture_ids(html: str) -> frozenset[str]:
    """The content ids of the mail's own pictures that its HTML (made safe by `services/sanitize.py`) shows."""
    return frozenset(_content_id(match) for match in _CID.finditer(html))


def point_pictures(html: str, *, urls: Mapping[str, str]) -> str:
    """The HTML with its own pictures at these addresses, by content id; one that did not come along has none."""

    def point(match: re.Match[str]) -> str:
        url = urls.get(_content_id(match), "")
        return f'src="{escape(url)}"' if url else ""

    return _CID.sub(point, html)


def has_remote_pictures(html: str) -> bool:
    """Whether pictures from the internet were left out of this HTML, made safe by `services/sanitize.py`."""
    return any(not _SRC.search(match.group()) for match in _IMG.finditer(html))


def protection_of(content_types: Iterable[str], *, text: str) -> str:
    """Signed, encrypted or "", by the files of a mail and its text. Nothing is checked: only named.

    An opaque signature and an encrypted mail are of one type; a mail with words in it was not encrypted.
    """
    kinds = set(content_types)
    if "application/pgp-encrypted" in kinds or text.lstrip().startswith(_PGP_BEGIN):
        return ENCRYPTED
    if kinds & _SMIME:
        return SIGNED if text.strip() else ENCRYPTED
    return SIGNED if kinds & _SIGNATURES or text.lstrip().startswith(_PGP_SIGNED) else ""


def picture_type(start: bytes) -> str:
    """The type of a picture by its first 16 bytes; "" for what no page of ours shows."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for mark, kind in _PICTURES if start.startswith(mark)), "")


def _content_id(match: re.Match[str]) -> str:
    return unquote(unescape(match.group(1))).strip("<>")

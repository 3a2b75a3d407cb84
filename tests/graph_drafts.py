"""Drafts at the Graph simulator: made of MIME, files attached in one piece or in many, then sent."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.graph_mailboxes import Box, Item

MAX_PIECE = 4_000_000
MIN_SESSION = 2_097_152  # measured: https://github.com/microsoftgraph/msgraph-sdk-java/pull/52


@dataclass
class Session:
    """An upload session, and what has come so far."""

    item: Item
    name: str
    kind: str
    size: int
    data: bytes = b""


class Trouble(Exception):
    """Status, Graph's code, its words."""


def read_mime(body: bytes) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise Trouble(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.") from None


def make_draft(box: Box, body: bytes, at: Any) -> Item:
    item = box.deliver(read_mime(body), at=at, folder="drafts")
    item.is_draft = item.is_read = True
    return item


def attach(item: Item, name: str, kind: str, data: bytes) -> dict[str, Any]:
    """The attachment as Graph answers it."""
    mail = message_from_bytes(item.raw, policy=policy.SMTP.clone(max_line_length=998))
    assert isinstance(mail, EmailMessage)
    main, _, sub = kind.partition("/")
    mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    item.raw = mail.as_bytes()
    return {"@odata.type": "#microsoft.graph.fileAttachment", "id": f"AAMkAttachment{len(item.raw)}", "name": name,
            "contentType": kind, "size": len(data), "isInline": False}  # fmt: skip


def attach_whole(item: Item, body: bytes) -> dict[str, Any]:
    wanted = json.loads(body)
    if wanted.get("@odata.type") != "#microsoft.graph.fileAttachment" or wanted["isInline"]:
        raise Trouble(400, "RequestBodyRead", "The simulator knows files only.")
    return attach(item, wanted["name"], wanted["contentType"], base64.b64decode(wanted["contentBytes"], validate=True))


def begin_session(item: Item, body: bytes) -> Session:
    wanted = json.loads(body)["AttachmentItem"]
    if wanted["attachmentType"] != "file" or wanted["size"] < MIN_SESSION:
        raise Trouble(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "Attachment size is too small.")
    return Session(item, wanted["name"], wanted["contentType"], wanted["size"])


def take_piece(session: Session, headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
    """What the session expects next; None when the file is attached."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers.get("Content-Range", ""))
    if "Authorization" in headers or not found or len(body) > MAX_PIECE:
        raise Trouble(400, "BadRequest", "No such piece.")
    start, end, total = map(int, found.groups())
    is_last = end + 1 == total
    if (start, total) != (len(session.data), session.size) or len(body) != end + 1 - start:
        raise Trouble(416, "InvalidContentRange", "Out of order.")
    if not is_last and len(body) % (320 * 1024):
        raise Trouble(400, "BadRequest", "Not a multiple of 320 KiB.")
    session.data += body
    if not is_last:
        return {"ExpirationDateTime": "2026-12-26T01:09:30Z", "nextExpectedRanges": [str(end + 1)]}
    attach(session.item, session.name, session.kind, session.data)
    return None

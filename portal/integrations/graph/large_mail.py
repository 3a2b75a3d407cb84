"""A mail over the 4 MB of one request: a draft of its own MIME, then its files one by one, then the draft is sent.

Until the last step nothing has left. Reference: https://learn.microsoft.com/en-us/graph/api/user-post-messages (MIME),
https://learn.microsoft.com/en-us/graph/outlook-large-attachments. All of it needs the right Mail.ReadWrite.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Callable
from urllib.parse import quote

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from portal.core.errors import GatewayError
from portal.core.ports import OutgoingAttachment, OutgoingMessage
from portal.integrations.graph.connection import (
    FOLDER_GONE,
    MAIL_CODES,
    GraphConnection,
    GraphSettings,
    NotAllowed,
    garbage,
)
from portal.integrations.smtp.adapter import media_type

# In base64 they become 34 MB, and Exchange takes mails up to 35 MB unless its administrator says otherwise.
MAX_FILES = 25_000_000
# A request takes files of at most 3,145,611 bytes, a session of at least 2,097,152
# (https://github.com/microsoftgraph/msgraph-sdk-java/pull/52).
SESSION_FROM = 3_000_000
PIECE = 6 * 320 * 1024  # a slow line has half a minute for each
# The outbox takes a mail for dead after three minutes and tries again: by then `send` must be over.
SECONDS = 90.0

# Where upload sessions live, beside Graph's own host. No customer gets a name below these.
_HOSTS = {
    "global": ("office.com", "office365.com", "outlook.com"),
    "us": ("office365.us",),
    "us_dod": ("office365.us",),
    "china": ("outlook.cn",),
}
_NO_RIGHT = (
    "Mails over 2.9 MB need the right Mail.ReadWrite (also Mail.ReadWrite.Shared, where a person signs in for a shared "
    "mailbox): add it to the application in Microsoft Entra, or make the files smaller."
)


class LargeMail:
    """One try to send one mail. `mime` is the mail without its files."""

    def __init__(
        self, connection: GraphConnection, message: OutgoingMessage, mime: bytes, now: Callable[[], float]
    ) -> None:
        self._connection, self._message, self._mime = connection, message, mime
        self._now, self._end = now, now() + SECONDS

    def send(self) -> None:
        """See MailSender.send."""
        try:
            self._send(self._prepare())
        except GatewayError as error:
            if error.permanent and error.code in FOLDER_GONE:  # somebody has deleted the draft
                raise GatewayError("The draft of this mail is gone from the mailbox.", code="draft") from error
            raise

    def _send(self, draft_id: str) -> None:
        self._connection.close()  # over a kept one that died, nobody knows whether it went
        try:
            self._connection.post(f"messages/{draft_id}/send")
        except GatewayError as error:
            # Where it may have gone after all, its id is that of the copy in Sent Items: it must stay.
            if error.permanent and not error.maybe_done:
                self._discard(draft_id)
            raise

    def _prepare(self) -> str:
        """The draft with all its files; its id."""
        try:
            draft_id = self._begin()
            self._fill(draft_id)
        except NotAllowed as error:
            raise GatewayError(_NO_RIGHT, permanent=True, code="right") from error
        return draft_id

    def _begin(self) -> str:
        draft = self._connection.create("messages", base64.b64encode(self._mime).decode("ascii"))
        draft_id = quote(str(draft.get("id") or ""), safe="")
        if not draft_id:
            raise garbage()
        if draft.get("internetMessageId", self._message.message_id) != self._message.message_id:
            self._discard(draft_id)
            words = "Microsoft 365 would give this mail another Message-ID: it was not sent. Make the files smaller."
            raise GatewayError(words, permanent=True, code="id")
        return draft_id

    def _fill(self, draft_id: str) -> None:
        try:
            for file in self._message.attachments:
                self._attach(f"messages/{draft_id}/attachments", file)
            self._check_time()
        except GatewayError:
            self._discard(draft_id)
            raise

    def _discard(self, draft_id: str) -> None:
        """As well as it goes: one that stays is in nobody's way. Looked for among the drafts alone."""
        with contextlib.suppress(GatewayError):
            self._connection.delete(f"mailFolders/drafts/messages/{draft_id}")

    def _attach(self, path: str, file: OutgoingAttachment) -> None:
        self._check_time()
        kind = "/".join(media_type(file))
        if len(file.data) >= SESSION_FROM:
            item = {"attachmentType": "file", "name": file.filename, "size": len(file.data), "contentType": kind}
            session = self._connection.create(f"{path}/createUploadSession", {"AttachmentItem": item})
            self._upload(str(session.get("uploadUrl") or ""), file.data)
            return
        content = {"name": file.filename, "contentType": kind, "contentBytes": base64.b64encode(file.data).decode()}
        self._connection.create(path, {"@odata.type": "#microsoft.graph.fileAttachment", "isInline": False} | content)

    def _upload(self, url: str, data: bytes) -> None:
        if not is_microsofts(url, self._connection.settings):
            raise garbage()
        total = len(data)
        for start in range(0, total, PIECE):
            self._check_time()
            end = min(start + PIECE, total)
            following = self._put(url, data[start:end], f"bytes {start}-{end - 1}/{total}")
            if following != (end if end < total else None):
                raise garbage()

    def _put(self, url: str, data: bytes, content_range: str) -> int | None:
        """A refusal is the session's, and the next try has another one."""
        try:
            return self._connection.put(url, data, content_range)
        except GatewayError as error:
            if not error.permanent and error.code != "token":
                raise
            if error.code == "certificate" or error.code in MAIL_CODES:
                raise
            raise GatewayError("Microsoft 365 does not take a file of this mail.", code="upload") from error

    def _check_time(self) -> None:
        if self._now() > self._end:
            words = f"Microsoft 365 did not take the files of this mail within {SECONDS:.0f} seconds."
            raise GatewayError(f"{words} Smaller ones would help.", code="slow")


def send_large(
    connection: GraphConnection, message: OutgoingMessage, mime: bytes, *, now: Callable[[], float] = time.monotonic
) -> None:
    """See MailSender.send. `mime` is the mail without its files."""
    size = sum(len(file.data) for file in message.attachments)
    if size > MAX_FILES:
        words = f"Microsoft 365 takes mails with up to {MAX_FILES / 1e6:.0f} MB of files; this one has"
        raise GatewayError(f"{words} {size / 1e6:.1f} MB.", permanent=True, code="size")
    LargeMail(connection, message, mime, now).send()


def is_microsofts(url: str, settings: GraphSettings) -> bool:
    """Whether a file may go to this address: the place where Graph is, or a mail server of its cloud over https. Read
    by the same code that will connect."""
    try:
        link, root = parse_url(url), parse_url(settings.root)
    except LocationParseError:
        return False
    host = link.host or ""
    if link.auth or not host:
        return False
    if (link.scheme, host, link.port) == (root.scheme, root.host, root.port):
        return True
    is_known = any(f".{host}".endswith(f".{known}") for known in _HOSTS.get(settings.cloud, _HOSTS["global"]))
    return is_known and link.scheme == "https" and link.port in (None, 443)

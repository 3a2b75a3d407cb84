"""The MailSender port on Microsoft Graph: the mail goes as MIME, so that its Message-ID and its headers are ours. One
that is too large for a request goes in parts.

Reference: https://learn.microsoft.com/en-us/graph/outlook-send-mime-message
Exchange drops headers that begin with X-; the standard ones (Auto-Submitted, In-Reply-To, References) stay.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from email.errors import MessageError

from portal.core.errors import GatewayError
from portal.core.ports import OutgoingMessage
from portal.integrations.graph.connection import GraphConnection
from portal.integrations.graph.large_mail import send_large
from portal.integrations.graph.mailbox import SENT
from portal.integrations.smtp.adapter import build_message

# Graph takes requests up to 4 MB, and the mail is in base64 there.
MAX_BYTES = 3_900_000 // 4 * 3


class GraphSender:
    """Sends from one mailbox; a copy lies in its Sent Items afterwards."""

    def __init__(self, connection: GraphConnection) -> None:
        self._connection = connection

    def send(self, message: OutgoingMessage) -> None:
        """See MailSender.send. `maybe_done` is set when only the answer got lost: `was_sent` knows."""
        try:
            data = _mime(message)
            if data is None:
                send_large(self._connection, message, _mime_alone(message))
            else:
                self._connection.post("sendMail", base64.b64encode(data).decode("ascii"))
        finally:  # a connection that was kept may be dead, and then nobody knows whether the mail went over it
            self._connection.close()

    def was_sent(self, message_id: str) -> bool | None:
        """See MailSender.was_sent: looked up in Sent Items. Right after sending, the copy may not be there yet."""
        quoted = message_id.replace("'", "''")
        params = {"$filter": f"internetMessageId eq '{quoted}'", "$select": "internetMessageId", "$top": "1"}
        return bool(self._connection.get(f"mailFolders/{SENT}/messages", params=params).get("value"))

    def check(self) -> str:
        """See MailSender.check."""
        self._connection.get(f"mailFolders/{SENT}", params={"$select": "displayName,totalItemCount"})
        return f"Signed in at Microsoft 365 as {self._connection.address}."


def _mime(message: OutgoingMessage) -> bytes | None:
    """The whole mail; None when a request cannot hold it."""
    if sum(len(file.data) for file in message.attachments) > MAX_BYTES:
        return None
    data = _write(message)
    return data if len(data) <= MAX_BYTES else None


def _mime_alone(message: OutgoingMessage) -> bytes:
    """The mail without its files."""
    data = _write(replace(message, attachments=()))
    if len(data) > MAX_BYTES:
        words = f"Microsoft 365 takes texts up to {MAX_BYTES / 1e6:.1f} MB; this one has {len(data) / 1e6:.1f} MB."
        raise GatewayError(words, permanent=True, code="size")
    return data


def _write(message: OutgoingMessage) -> bytes:
    try:
        return build_message(message).as_bytes()
    except (ValueError, MessageError) as error:  # tried again it would be no better
        raise GatewayError(f"This mail cannot be written: {error}", permanent=True, code="content") from error

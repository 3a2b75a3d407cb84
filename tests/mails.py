"""Mails for tests, written by ourselves. Dana is the requester, help@ our mailbox."""

from __future__ import annotations

from collections.abc import Mapping

CRLF = b"\r\n"


def mail_bytes(
    text: str | bytes = "The printer on floor 2 is on fire.\n",
    *,
    sender: str = "Dana Reyes <dana@customer.example>",
    to: str = "help@shop.example",
    subject: str = "Printer on fire",
    message_id: str = "<one@customer.example>",
    date: str = "Fri, 21 Nov 2025 10:00:00 +0100",
    extra: Mapping[str, str] | None = None,
) -> bytes:
    """A small plain mail; an empty string leaves a header out."""
    headers = {"From": sender, "To": to, "Subject": subject, "Message-ID": message_id, "Date": date, **(extra or {})}
    lines = [f"{name}: {value}".encode() for name, value in headers.items() if value]
    body = text.encode() if isinstance(text, str) else text
    return CRLF.join(lines) + CRLF + CRLF + body.replace(b"\r\n", b"\n").replace(b"\n", CRLF)


def multipart(parts: list[bytes], *, kind: str = "mixed", boundary: str = "frontier", **headers: str) -> bytes:
    """A multipart mail from ready parts (each with its own headers)."""
    body = b"".join(b"--" + boundary.encode() + CRLF + part + CRLF for part in parts)
    body += b"--" + boundary.encode() + b"--" + CRLF
    head = mail_bytes("", **headers).rstrip(CRLF)
    return head + CRLF + f'Content-Type: multipart/{kind}; boundary="{boundary}"'.encode() + CRLF + CRLF + body


def part(content_type: str, body: bytes, **headers: str) -> bytes:
    """One part; header names with underscores for hyphens."""
    lines = [f"Content-Type: {content_type}".encode()]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in headers.items()]
    return CRLF.join(lines) + CRLF + CRLF + body


DELIVERY_REPORT = multipart(
    [
        part("text/plain", b"I could not deliver your mail."),
        part(
            "message/delivery-status",
            b"Reporting-MTA: dns; mx.shop.example\r\n\r\n"
            b"Final-Recipient: rfc822; dana@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            b"Diagnostic-Code: smtp; 550 no such user\r\n",
        ),
        part("text/rfc822-headers", b"Message-ID: <nd.7@shop.example>\r\nSubject: [#7] Printer on fire\r\n"),
    ],
    kind="report; report-type=delivery-status",
    sender="MAILER-DAEMON@mx.shop.example",
    subject="Undelivered Mail Returned to Sender",
)

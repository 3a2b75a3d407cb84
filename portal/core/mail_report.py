"""What the parser makes of a mail, as plain data: for `portal mail parse` and for people who look into a case."""

from __future__ import annotations

from typing import Any

from portal.core.mail import ParsedMail
from portal.core.mail_kinds import MailKind
from portal.core.quoting import mark_quotes


def describe_mail(mail: ParsedMail, *, kind: MailKind) -> dict[str, Any]:
    """Everything that is shown of a mail, ready for JSON.

    `body_text` is all the visible text, quotes and signature included. Where it was made from HTML it is without the
    "> " that `core/mail_text.py` puts before quoted lines; `body_parts` are its stretches, each `text`, `quote` or
    `signature`. `date` is ISO 8601 in UTC or None; `to`, `cc` and `reply_to` are addresses without names.
    """
    parts = mark_quotes(mail.text, subject=mail.subject, for_page=True)
    return {
        "from_email": mail.from_email,
        "from_display_name": mail.sender.name if mail.sender else "",
        "to": [one.email for one in mail.to],
        "cc": [one.email for one in mail.cc],
        "reply_to": [one.email for one in mail.reply_to],
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": mail.message_id,
        "references": list(mail.references),
        "body_text": _unmarked(mail.text) if mail.is_from_html else mail.text,
        "body_parts": [{"kind": part.kind, "text": part.text} for part in parts],
        "attachments": [
            {
                "filename": one.filename,
                "content_type": one.content_type,
                "size": len(one.data),
                "sha256": one.sha256,
                "inline": one.is_inline,
            }
            for one in mail.attachments
        ],
        "kind": kind.kind,
        "kind_reason": kind.reason,
        "defects": list(mail.defects),
    }


def describe_failure(reason: str) -> dict[str, Any]:
    """The same shape for a file that could not be read: all empty, the reason in `defects`."""
    lists: dict[str, list[Any]] = {
        name: [] for name in ("to", "cc", "reply_to", "references", "body_parts", "attachments")
    }
    words = dict.fromkeys(("from_email", "from_display_name", "subject", "message_id", "body_text"), "")
    return {**words, **lists, "date": None, "kind": "", "kind_reason": "", "defects": [f"error: {reason}"]}


def _unmarked(text: str) -> str:
    return "\n".join(line.lstrip(">").removeprefix(" ") if line.startswith(">") else line for line in text.split("\n"))

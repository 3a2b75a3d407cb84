"""One message as it was sent, with its pictures and colours, and the invitations that came with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.invitations import Invitation, read_invitation
from portal.core.mail_display import has_remote_pictures, picture_ids
from portal.models import Attachment, MailLedger, Message, SessionBlobStore
from portal.services.mail_reader import TooCostlyError, read_mail
from portal.services.merged import with_merged
from portal.services.sanitize import sanitize_as_sent

_LARGEST_INVITATION = 200_000
_MOST_INVITATIONS = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SentMessage:
    """A message as its sender laid it out. `html` is safe on a page whose policy lets nothing run; its own pictures are
    still `cid:`, and `pictures` are their attachments by content id. `has_remote`: some were left out."""

    author: str
    subject: str
    at: datetime
    html: str
    pictures: Mapping[str, int]
    has_remote: bool


def load_as_sent(session: Session, ticket_id: int, message_id: int, *, with_remote: bool) -> SentMessage | None:
    """The HTML of a message of this ticket, or of one merged into it. None: there is none, or it has no HTML.

    It is read from the original mail, as colours and remote pictures are not kept anywhere else.
    """
    query = select(Message, MailLedger.sha256).outerjoin(MailLedger, MailLedger.id == Message.ledger_id)
    belongs = Message.ticket_id.in_(with_merged(ticket_id))
    found = session.execute(query.where(Message.id == message_id, belongs)).one_or_none()
    if found is None or not found.Message.html:
        return None
    message: Message = found.Message
    source = _original_html(session, found.sha256) or message.html
    html = sanitize_as_sent(source, with_remote=with_remote)
    shown = picture_ids(html)
    files = select(Attachment.content_id, Attachment.id).where(Attachment.message_id == message.id)
    pictures = {row.content_id: row.id for row in session.execute(files) if row.content_id in shown}
    has_remote = not with_remote and has_remote_pictures(html)
    return SentMessage(message.author, message.subject, message.at, html, pictures, has_remote)


def load_invitations(session: Session, attachment_ids: Iterable[int]) -> dict[int, Invitation]:
    """What the calendar files among these attachments ask for, at most ten. No statement where there are none."""
    ids = list(attachment_ids)[:_MOST_INVITATIONS]
    if not ids:
        return {}
    query = select(Attachment.id, Attachment.sha256).where(
        Attachment.id.in_(ids), Attachment.size <= _LARGEST_INVITATION
    )
    blobs = SessionBlobStore(session)
    read = {row.id: read_invitation(blobs.get(row.sha256)) for row in session.execute(query).all()}
    return {file_id: found for file_id, found in read.items() if found is not None}


def _original_html(session: Session, sha256: str | None) -> str:
    try:
        return read_mail(SessionBlobStore(session).get(sha256)).mail.html if sha256 else ""
    except (KeyError, TooCostlyError) as error:
        log.warning("an original could not be shown, only what was kept of it", reason=str(error))
        return ""

"""Files of a form, stored with the message they came with."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert

from portal.core.uploads import Upload, clean_filename
from portal.models import Attachment, Message, SessionBlobStore, UnitOfWork


def add_uploads(uow: UnitOfWork, message: Message, uploads: Sequence[Upload]) -> None:
    """Store the files and hang them on the message. Check them first (core/uploads.py)."""
    blobs = SessionBlobStore(uow.session)
    rows = [
        {
            "message_id": message.id,
            "filename": clean_filename(upload.filename),
            "content_type": upload.content_type[:100],
            "size": len(upload.data),
            "sha256": blobs.put(upload.data, sha256=upload.sha256),
            "is_inline": False,
            "content_id": "",
        }
        for upload in uploads
    ]
    if rows:
        uow.session.execute(insert(Attachment), rows)

"""Forms that anybody may send: each counts once, and nobody sends too many."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.core.errors import DomainError
from portal.core.uploads import Upload
from portal.models import FormPost, Ticket, UnitOfWork

# A whole office may stand behind one address, and on a bad morning all of them write.
WINDOW = timedelta(minutes=10)
MOST = 60


class TooManyPostsError(DomainError):
    """More forms from one address than people would send."""


def once_key(key: str, *words: str, files: Sequence[Upload] = ()) -> str:
    """What makes two posts the same: the form's hidden key and everything in it.

    Somebody who goes back and writes something else has sent something else.
    """
    parts = [key, *words, *(f"{upload.filename} {upload.sha256}" for upload in files)]
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()


def find_earlier_post(uow: UnitOfWork, key: str, *, sender: str, now: datetime) -> int | None:
    """The ticket of an earlier post that was the same. One statement.

    Raises TooManyPostsError when this one would be new and there were too many from its sender.
    """
    earlier = select(FormPost.ticket_id).where(FormPost.key == key).scalar_subquery()
    recent = select(func.count()).where(FormPost.sender == sender, FormPost.at > now - WINDOW).scalar_subquery()
    row = uow.session.execute(select(earlier, recent)).one()
    ticket_id: int | None = row[0]
    if ticket_id is None and row[1] >= MOST:
        raise TooManyPostsError("Many requests came from your network just now. Please send this again in ten minutes.")
    return ticket_id


def note_post(uow: UnitOfWork, ticket: Ticket, key: str, *, sender: str, now: datetime) -> None:
    """Remember that it was sent. `tidy` forgets it after a week."""
    uow.session.add(FormPost(key=key, ticket_id=ticket.id, sender=sender[:64], at=now))

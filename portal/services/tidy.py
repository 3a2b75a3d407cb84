"""Housekeeping: what nobody needs any more goes, and the database looks after its indexes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_, text

from portal.models import FormPost, OneTimeLink, SignInAttempt
from portal.services.context import Context

_FORM_POSTS = timedelta(days=7)
_ATTEMPTS = timedelta(days=2)
_LINKS = timedelta(days=30)


def tidy(context: Context) -> str:
    """Remove old sign-in attempts, notes of posted forms and dead one-time links. Returns a line about it."""
    now = context.clock.now()
    dead_links = or_(OneTimeLink.expires_at < now - _LINKS, OneTimeLink.used_at < now - _LINKS)
    removed = 0
    for statement in (
        delete(SignInAttempt).where(SignInAttempt.at < now - _ATTEMPTS),
        delete(FormPost).where(FormPost.at < now - _FORM_POSTS),
        delete(OneTimeLink).where(dead_links),
    ):
        with context.database.unit_of_work() as uow:  # one short transaction each (decisions.md 5)
            removed += uow.session.execute(statement).rowcount
    if context.database.is_sqlite:
        with context.database.unit_of_work() as uow:
            uow.session.execute(text("PRAGMA optimize"))
    return f"{removed} old row{'' if removed == 1 else 's'} removed."

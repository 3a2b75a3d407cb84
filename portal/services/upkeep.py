"""Upkeep: scheduled jobs that close, count and tidy up. Each returns the line its page shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, or_, select, text

from portal.core.tickets import CLOSED, RESOLVED
from portal.models import FormPost, OneTimeLink, SignInAttempt, Ticket, TicketCount
from portal.services.breaker import prune_automatic
from portal.services.context import Context
from portal.services.settings import load_settings
from portal.services.tickets import Actor, recount, set_status

_PROGRAM = Actor("Nightdesk")

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
            removed += cast("CursorResult[Any]", uow.session.execute(statement)).rowcount
    with context.database.unit_of_work() as uow:
        removed += prune_automatic(uow, now=now)
    if context.database.is_sqlite:
        with context.database.unit_of_work() as uow:
            uow.session.execute(text("PRAGMA optimize"))
    return f"{removed} old row{'' if removed == 1 else 's'} removed."


def close_resolved(context: Context) -> str:
    """Close what has been resolved for as many days as the setting says (0: never), one short transaction a ticket."""
    now = context.clock.now()
    with context.database.read_session() as session:
        days = load_settings(session).tickets_close_days
        is_old = (Ticket.status == RESOLVED, Ticket.resolved_at <= now - timedelta(days=days))
        ids = list(session.scalars(select(Ticket.id).where(*is_old).order_by(Ticket.id))) if days else []
    closed = 0
    for ticket_id in ids:
        with context.database.unit_of_work() as uow:
            ticket = uow.session.get_one(Ticket, ticket_id)
            if ticket.status == RESOLVED:  # nobody reopened it in the meantime
                set_status(uow, ticket, CLOSED, actor=_PROGRAM, now=now)
                closed += 1
    return f"{closed} ticket{'' if closed == 1 else 's'} closed."


def check_counters(context: Context) -> str:
    """Hold the counters against the tickets. Counting needs no write lock; only mending does."""
    key = (Ticket.queue_id, Ticket.status, Ticket.priority)
    with context.database.read_session() as session:
        true = {
            (queue or 0, *rest): n for queue, *rest, n in session.execute(select(*key, func.count()).group_by(*key))
        }
        kept = {
            (row.queue_id, row.status, row.priority): row.n for row in session.scalars(select(TicketCount)) if row.n
        }
    if true == kept:
        return "All counters are right."
    with context.database.unit_of_work() as uow:
        wrong = recount(uow)
    return f"{wrong} counter{'' if wrong == 1 else 's'} mended."

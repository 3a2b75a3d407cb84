"""Many pages at once for one person: after the first ones, what waits goes out as one text (product.md 4, "Bursts")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.core import sms_words as words
from portal.core.paging import BurstPolicy, plan_burst
from portal.core.work import NOTIFY
from portal.models import Notification, Page, Ticket, UnitOfWork
from portal.services.page_texts import PAGE, code_of, load_body
from portal.services.paging_rules import PagingRules

POLICY = BurstPolicy()
CARRIED = "In one text with notification"


def burst_due_at(session: Session, row: Notification, *, now: datetime) -> datetime:
    """When this text may leave. Everything but an ordinary page in the middle of a burst: now."""
    if not _is_ordinary(session, row):
        return now
    return plan_burst(_recent(session, row, now=now), policy=POLICY, now=now)


def put_off(uow: UnitOfWork, row: Notification, *, until: datetime) -> None:
    """This text and every other ordinary one that waits for the same person leave together."""
    for waiting in _waiting(uow.session, row):
        if _is_ordinary(uow.session, waiting):
            waiting.due_at = until
    row.due_at = until


def companions(session: Session, row: Notification, *, now: datetime) -> list[Notification]:
    """The rows that should leave in one text with this one.

    In a burst everything ordinary that waits for this person. Otherwise only repeats, and only with repeats: many pages
    that ask again at the same moment (after an outage, say) are one text, never a storm.
    """
    if not _is_ordinary(session, row):
        return []
    waiting = [other for other in _waiting(session, row) if _is_ordinary(session, other)]
    if len(_recent(session, row, now=now)) >= POLICY.free:
        return waiting
    return [other for other in waiting if is_repeat(other)] if is_repeat(row) else []


def is_repeat(row: Notification) -> bool:
    """Whether this text is not the first of its page."""
    return row.dedupe_key.split("/")[0].split(":")[3:] != ["0", "0"]


def bundle(uow: UnitOfWork, row: Notification, others: Sequence[Notification], *, rules: PagingRules) -> None:
    """Put the others into this text. Their rows name it, and share its fate."""
    items = []
    for part in (row, *others):
        page = uow.session.get_one(Page, part.page_id)
        code = code_of(uow.session, part.user_id or 0, page.id)
        items.append(load_body(uow.session, page, rules).item(code))
    for other in others:
        other.state, other.due_at, other.last_error = "cancelled", None, _mark(row)
    row.text = words.bundle_text(items)


def bundled_rows(session: Session, row: Notification) -> Sequence[Notification]:
    """The rows whose page this text carries besides its own."""
    query = select(Notification).where(Notification.user_id == row.user_id, Notification.last_error == _mark(row))
    return session.scalars(query.where(Notification.state.in_(("cancelled", "accepted")))).all()


def release(uow: UnitOfWork, row: Notification, *, at: datetime) -> None:
    """This text did not get through: the pages it carried besides its own leave by themselves, if they still ask."""
    for part in bundled_rows(uow.session, row):
        part.provider_id, part.last_error = "", ""
        if uow.session.get_one(Page, part.page_id).state in ("open", "expired"):
            part.state, part.due_at = "pending", at
            uow.wake(NOTIFY)
        else:
            part.state, part.last_error = "cancelled", "The page was answered before it left."


def _recent(session: Session, row: Notification, *, now: datetime) -> list[datetime]:
    """When this person's latest page texts left."""
    query = select(Notification.sending_at).where(Notification.user_id == row.user_id, Notification.kind == PAGE)
    query = query.where(Notification.sending_at > now - POLICY.window, Notification.id != row.id)
    return [at for at in session.scalars(query) if at]


def _mark(row: Notification) -> str:
    return f"{CARRIED} {row.id}."


def _waiting(session: Session, row: Notification) -> Sequence[Notification]:
    query = select(Notification).where(Notification.user_id == row.user_id, Notification.kind == PAGE)
    query = query.where(Notification.state == "pending", Notification.number == row.number, Notification.id != row.id)
    return session.scalars(query.order_by(Notification.id)).all()


def _is_ordinary(session: Session, row: Notification) -> bool:
    """A page that may wait a minute: no P1, no emergency, no test, and no page that is about more than one ticket."""
    if row.kind != PAGE or row.is_requested:
        return False
    query = select(Ticket.id).join(Page, Page.ticket_id == Ticket.id).where(Page.id == row.page_id)
    urgent = or_(Ticket.priority == 1, Ticket.emergency == "declared")
    return session.scalar(query.where(~urgent)) is not None

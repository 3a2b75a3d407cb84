"""The auditors: scheduled jobs that hold what should have happened against what did, and raise the banner."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.models import Notification, Page, Ticket, UnitOfWork
from portal.services.alarms import alarm_silent_pages, end_alarm, raise_alarm
from portal.services.context import Context
from portal.services.paging_rules import load_paging_rules

# A decided page reaches a phone, or a person is told that it did not, within two minutes (docs/product.md, promise 3).
_LATE = timedelta(minutes=2)
_CLOCKS = timedelta(minutes=1)


def audit_pages(context: Context) -> str:
    """Is there a ticket nobody looked at, or a text that should have left two minutes ago? Returns a line about it."""
    with context.database.unit_of_work() as uow:
        now = context.clock.now()
        _bring_back(uow.session, now)
        late = now - _LATE
        untriaged = _count_untriaged(uow.session, late)
        unsent = _count_unsent(uow.session, late)
        _show(uow, "audit-triage", _many(untriaged, "new ticket waits", "new tickets wait"), untriaged, now)
        alarm_silent_pages(uow, rules=load_paging_rules(uow.session, now=now))
        _show(uow, "audit-texts", _many(unsent, "text waits", "texts wait") + " to be sent", unsent, now)
    return f"{untriaged} late tickets, {unsent} late texts."


def _bring_back(session: Session, now: datetime) -> None:
    """What was written while the clock ran ahead is due as long from now as it was then: a phone that should ring does
    not wait until a wrong clock would have been right."""
    ahead = now + _CLOCKS
    written = or_(Notification.created_at > ahead, Notification.sending_at > ahead)
    for row in session.scalars(select(Notification).where(Notification.state == "pending", written)):
        last = max(row.created_at, row.sending_at or row.created_at)
        row.due_at = row.due_at and row.due_at - (last - now)
        row.created_at, row.sending_at = min(row.created_at, now), row.sending_at and min(row.sending_at, now)
    for page in session.scalars(select(Page).where(Page.state == "open", Page.opened_at > ahead)):
        page.due_at, page.opened_at = page.due_at and page.due_at - (page.opened_at - now), now


def _show(uow: UnitOfWork, key: str, text: str, count: int, now: datetime) -> None:
    if count:
        raise_alarm(uow, key, f"{text}. The jobs page and the log say more.", now=now)
    else:
        end_alarm(uow, key, now=now)


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _count_untriaged(session: Session, before: datetime) -> int:
    waiting = (Ticket.triaged_at.is_(None), Ticket.is_imported.is_(False), Ticket.created_at < before)
    return session.scalar(select(func.count()).select_from(Ticket).where(*waiting)) or 0


def _count_unsent(session: Session, before: datetime) -> int:
    """Texts of open pages that are due and have not left."""
    waiting = (Notification.state.in_(("pending", "sending")), Notification.due_at < before, Page.state == "open")
    query = select(func.count()).select_from(Notification).join(Page, Page.id == Notification.page_id).where(*waiting)
    return session.scalar(query) or 0

"""Open pages that got no answer (work kind `pages`): the step that is due, and the late tickets' digest."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.core.escalation import MAX_WAIT, plan_next
from portal.models import DatabaseBusyError, Page, UnitOfWork
from portal.services.alarms import raise_alarm
from portal.services.context import Context
from portal.services.page_steps import carry_out, policy_of, position_of
from portal.services.paging import digest_due_at, open_digests
from portal.services.paging_rules import load_paging_rules

_AFTER_TROUBLE = timedelta(minutes=1)

log = structlog.get_logger(__name__)


def count_due_pages(session: Session, *, now: datetime) -> int:
    """Pages with a due step, and one more when a digest is due."""
    due = session.scalar(select(func.count()).select_from(Page).where(_is_due(now))) or 0
    digest = digest_due_at(session)
    return due + (digest is not None and digest <= now)


def step_next(context: Context) -> bool:
    """One page moves one step, or the digest opens. Returns False when nothing is due."""
    now = context.clock.now()
    with context.database.read_session() as session:
        if not count_due_pages(session, now=now):
            return False
        page_id = session.scalar(select(Page.id).where(_is_due(now)).order_by(Page.due_at, Page.id).limit(1))
    if page_id is None:
        with context.database.unit_of_work() as uow:
            return open_digests(uow, rules=load_paging_rules(uow.session, now=now))
    try:
        with context.database.unit_of_work() as uow:
            _step(uow, page_id, now=now)
    except DatabaseBusyError:
        raise
    except Exception:  # one page with a bug behind it must not hold up the pages behind it
        log.exception("a page could not go on", page=page_id)
        with context.database.unit_of_work() as uow:
            page = uow.session.get_one(Page, page_id)
            page.due_at = now + _AFTER_TROUBLE
            raise_alarm(
                uow, f"page-step:{page_id}", "A page could not go on to its next step. Look at it now.", now=now
            )
    return True


def _step(uow: UnitOfWork, page_id: int, *, now: datetime) -> None:
    page = uow.session.scalar(select(Page).where(Page.id == page_id, _is_due(now)))
    if page is not None:  # nobody answered, and no other worker was quicker
        rules = load_paging_rules(uow.session, now=now)
        carry_out(uow, page, plan_next(policy_of(page), position_of(page), now=now), rules=rules)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, or due so far ahead that only a clock that went back can have put it there."""
    return and_(Page.state == "open", or_(Page.due_at <= now, Page.due_at > now + timedelta(minutes=MAX_WAIT)))

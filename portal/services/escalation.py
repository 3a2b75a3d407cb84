"""Open pages that got no answer (work kind `pages`): the step that is due, and the late tickets' digest."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.core.escalation import MAX_WAIT, plan_next
from portal.models import Page
from portal.services.context import Context
from portal.services.page_steps import carry_out, policy_of, position_of
from portal.services.paging import digest_due_at, open_digests
from portal.services.paging_rules import load_paging_rules


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
    with context.database.unit_of_work() as uow:
        rules = load_paging_rules(uow.session, now=context.clock.now())
        due = select(Page).where(_is_due(rules.now)).order_by(Page.due_at, Page.id).limit(1)
        page = uow.session.scalar(due)
        if page is None:
            return open_digests(uow, rules=rules)
        carry_out(uow, page, plan_next(policy_of(page), position_of(page), now=rules.now), rules=rules)
        return True


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, or due so far ahead that only a clock that went back can have put it there."""
    return and_(Page.state == "open", or_(Page.due_at <= now, Page.due_at > now + timedelta(minutes=MAX_WAIT)))

"""Alarms: the red banner, and the texts that carry it to a person when no page could."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core import sms_words as words
from portal.models import Alarm, Notification, Page, PageDecisionRow, UnitOfWork
from portal.services.alarm_mail import add_alarm_mail
from portal.services.page_texts import PAGE, Text, add_text, code_of, load_body
from portal.services.paging_rules import PagingRules
from portal.services.recipients import Recipient, load_managers, load_recipients
from portal.services.settings import load_settings

DIGEST_ALARM = "digest"
_TOLD_WITHIN = timedelta(minutes=2)


def open_alarms(session: Session) -> Sequence[Alarm]:
    """What the banner shows, newest first."""
    return session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.id.desc())).all()


def raise_alarm(uow: UnitOfWork, key: str, text: str, *, now: datetime) -> bool:
    """Show the banner until somebody ends it, and mail it. Returns False when an alarm of this key shows already."""
    if uow.session.scalar(select(Alarm.id).where(Alarm.key == key, Alarm.ended_at.is_(None))) is not None:
        return False
    alarm = Alarm(key=key, text=text, raised_at=now)
    uow.session.add(alarm)
    uow.session.flush()
    add_alarm_mail(uow, alarm, site_name=load_settings(uow.session).site_name, now=now)
    return True


def end_alarm(uow: UnitOfWork, key: str, *, now: datetime, by: str = "") -> None:
    """The reason is gone, or a person has seen it."""
    for alarm in uow.session.scalars(select(Alarm).where(Alarm.key == key, Alarm.ended_at.is_(None))):
        alarm.ended_at, alarm.ended_by = now, by


def page_key(page: Page) -> str:
    """The alarm that belongs to one page."""
    return f"page:{page.id}"


def raise_page_alarm(uow: UnitOfWork, page: Page, reason: str, *, rules: PagingRules) -> bool:
    """Banner and texts about a page that reached nobody or got no answer: to every manager, admin and the fallback.

    The text carries a code, so that whoever gets it can take the page. Returns False when they know already.
    """
    body = load_body(uow.session, page, rules)
    if not raise_alarm(uow, page_key(page), f"{body.number}: {reason}", now=rules.now):
        return False
    for person in _alarm_people(uow.session, rules):
        if person.numbers:
            code = code_of(uow.session, person.user_id, page.id)
            text = words.alarm_text(body.item(code), reason)
            key = f"alarm:{page.id}:{person.user_id}:{int(rules.now.timestamp())}"
            add_text(uow, rules, person, Text(key, PAGE, person.numbers[0], text, page.id))
    return True


def _alarm_people(session: Session, rules: PagingRules) -> list[Recipient]:
    managers = load_managers(session)
    known = {person.user_id for person in managers}
    fallback = load_recipients(session, [rules.fallback] if rules.fallback else [])
    return managers + [person for person in fallback if person.user_id not in known]


def alarm_silent_pages(uow: UnitOfWork, *, rules: PagingRules) -> int:
    """Compare what should have rung with what did (product.md 4). Returns how many alarms are new.

    A page that no provider has accepted a text of for two minutes is told to people, and so is a late ticket that
    waits for its digest for that long.
    """
    since = rules.now - _TOLD_WITHIN
    rang = select(Notification.id).where(Notification.page_id == Page.id, Notification.kind == PAGE)
    rang = rang.where(Notification.state.in_(("accepted", "delivered")))
    silent = select(Page).where(Page.state == "open", Page.opened_at <= since, ~rang.exists()).order_by(Page.id)
    new = 0
    for page in uow.session.scalars(silent).all():
        new += raise_page_alarm(uow, page, "No phone has got this page for two minutes.", rules=rules)
    waiting = (
        select(func.count())
        .select_from(PageDecisionRow)
        .where(
            PageDecisionRow.verdict == "digest", PageDecisionRow.page_id.is_(None), PageDecisionRow.decided_at <= since
        )
    )
    if count := uow.session.scalar(waiting):
        new += raise_alarm(uow, DIGEST_ALARM, f"{count} late requests wait to be paged.", now=rules.now)
    else:
        end_alarm(uow, DIGEST_ALARM, now=rules.now)
    return new

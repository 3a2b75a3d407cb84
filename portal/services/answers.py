"""Texts that come back (work kind `texts`): fetched or posted, stored once, handled once.

The effect of a text, the answer to it and the mark that it is handled are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from portal.core.answers import (
    UNDO_WITHIN,
    AnswerPlan,
    Effect,
    Kind,
    LastAct,
    PersonPage,
    Sender,
    decide_answer,
    parse_answer,
)
from portal.core.errors import DomainError, GatewayError
from portal.core.ports import InboundSms
from portal.core.sms_words import not_done_text
from portal.core.work import TEXTS
from portal.models import InboundText, Lease, Page, PageCode, Phone, UnitOfWork, User, is_unavailable
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.context import Context
from portal.services.page_changes import Closing, close_page, give_back, reopen_page, take_page
from portal.services.page_texts import REPLY, Text, add_text, load_body
from portal.services.page_tickets import add_note
from portal.services.paging import live_page
from portal.services.paging_rules import PagingRules, load_paging_rules, provider_of
from portal.services.recipients import Recipient, find_by_number
from portal.services.swaps import hear_text

POLL_LEASE = "poll-texts"
_POLL_OPEN = timedelta(seconds=10)
_POLL_IDLE = timedelta(seconds=60)
# The sandbox costs nothing and lies on the same disk.
_POLL_SANDBOX = (timedelta(seconds=1), timedelta(seconds=5))
_OVERLAP = timedelta(minutes=10)
_LATELY = timedelta(hours=24)
_REMEMBERED = 20
_BROKEN = "This text could not be handled. Please look at the page yourself."
_HELP_OUTCOME = "Answered with help."

log = structlog.get_logger(__name__)


def count_due_texts(session: Session, context: Context) -> int:
    """Stored texts that nobody has handled, and one more when the provider is to be asked."""
    waiting = session.scalar(select(func.count()).select_from(InboundText).where(InboundText.handled_at.is_(None)))
    return (waiting or 0) + _is_poll_due(session, context)


def handle_next(context: Context) -> bool:
    """Handle one stored text, else ask the provider if it is time. Returns False when there was nothing to do."""
    with context.database.read_session() as session:
        waiting = session.scalar(select(InboundText.id).where(InboundText.handled_at.is_(None)).limit(1))
        if waiting is None and not _is_poll_due(session, context):
            return False
    return _handle(context) if waiting is not None else _poll(context)


def store_inbound(uow: UnitOfWork, provider: str, texts: Iterable[InboundSms], *, now: datetime) -> int:
    """Keep what came in before it is understood; the provider's id makes it once. Returns how many are new."""
    new = 0
    for text in texts:
        known = select(InboundText.id).where(
            InboundText.provider == provider, InboundText.provider_id == text.provider_id
        )
        if uow.session.scalar(known) is None:
            uow.session.add(
                InboundText(
                    provider=provider,
                    provider_id=text.provider_id,
                    sender=text.sender,
                    text=text.text,
                    received_at=text.received_at,
                    stored_at=now,
                )
            )
            uow.session.flush()
            new += 1
    if new:
        uow.wake(TEXTS)
    return new


def ask_provider_soon(uow: UnitOfWork) -> None:
    """Have the provider asked at once, whatever the interval: somebody just answered on a sandbox phone."""
    uow.session.execute(delete(Lease).where(Lease.name == POLL_LEASE))
    uow.wake(TEXTS)


def _is_poll_due(session: Session, context: Context) -> bool:
    provider = provider_of(session)
    if not provider:
        return False
    row = session.get(Lease, POLL_LEASE)
    lease_now = context.clock.lease_now()
    # `until` is the time of the last look; one that lies ahead was written before the clock went back.
    return row is None or row.until > lease_now or lease_now - row.until >= _interval(session, context, provider)


def _interval(session: Session, context: Context, provider: str) -> timedelta:
    quick, idle = _POLL_SANDBOX if provider == "sandbox" else (_POLL_OPEN, _POLL_IDLE)
    now = context.clock.now()
    fresh = or_(Page.closed_at > now - UNDO_WITHIN, Page.state != "resolved")
    recent = or_(Page.state == "open", Page.opened_at > now - _LATELY)
    is_busy = session.scalar(select(Page.id).where(fresh, recent).limit(1)) is not None
    return quick if is_busy else idle


def _poll(context: Context) -> bool:
    """Ask the provider, no transaction open. The mark is set first, so that one process asks at a time."""
    with context.database.unit_of_work() as uow:
        if not _is_poll_due(uow.session, context):
            return False
        uow.session.merge(Lease(name=POLL_LEASE, owner="texts", until=context.clock.lease_now()))
        since = _read_since(uow.session, context)
    gateway = context.sms()
    try:
        texts = gateway.list_inbound(since)
    except GatewayError as error:
        log.warning("inbound texts could not be listed", code=error.code, reason=error.message)
        return False
    with context.database.read_session() as session:
        query = select(InboundText.provider_id).where(InboundText.provider == gateway.name)
        known = set(session.scalars(query.where(InboundText.received_at >= since)))
    fresh = [text for text in texts if text.provider_id not in known]
    if fresh:
        with context.database.unit_of_work() as uow:
            store_inbound(uow, gateway.name, fresh, now=context.clock.now())
    return bool(fresh)


def _read_since(session: Session, context: Context) -> datetime:
    """From a little before the last text we know, by the provider's clock; else from before the oldest live page."""
    provider = provider_of(session)
    last = session.scalar(select(func.max(InboundText.received_at)).where(InboundText.provider == provider))
    if last is not None:
        return last - _OVERLAP
    oldest = session.scalar(select(func.min(Page.opened_at)).where(Page.state.in_(("open", "acknowledged"))))
    now = context.clock.now()
    return context.clock.lease_now() - (now - min(oldest, now) if oldest else timedelta(0)) - _OVERLAP


def _handle(context: Context) -> bool:
    now = context.clock.now()
    with context.database.read_session() as session:
        waiting = select(InboundText.id).where(InboundText.handled_at.is_(None)).order_by(InboundText.id).limit(1)
        row_id = session.scalar(waiting)
    if row_id is None:
        return False
    try:
        with context.database.unit_of_work() as uow:
            _handle_row(context, uow, row_id)
    except Exception as error:  # one text with a bug behind it must not keep the answers behind it from being heard
        if is_unavailable(error):
            raise  # the database's trouble and not the text's: it is heard when the database is back
        log.exception("a text could not be handled", inbound=row_id)
        with context.database.unit_of_work() as uow:
            row = uow.session.get_one(InboundText, row_id)
            row.handled_at, row.outcome = now, _BROKEN
            raise_alarm(uow, f"inbound:{row_id}", f"A text from a phone was not understood: {_BROKEN}", now=now)
    return True


@dataclass(frozen=True)
class _Heard:
    """One text in the middle of being handled."""

    context: Context
    uow: UnitOfWork
    row: InboundText
    user: User
    phone: Phone
    rules: PagingRules


def _handle_row(context: Context, uow: UnitOfWork, row_id: int) -> None:
    row = uow.session.get_one(InboundText, row_id)
    if row.handled_at is not None:
        return
    row.handled_at = now = context.clock.now()
    found = find_by_number(uow.session, row.sender)
    if found is None:
        row.outcome = "Not from a member's phone: nothing was answered."
        return
    user, phone = found
    row.user_id = user.id
    heard = _Heard(context, uow, row, user, phone, load_paging_rules(uow.session, now=now))
    sender = _sender(heard)
    is_page_first = sender.is_stopped or any(
        page.asks or (page.is_mine and not page.is_closed) for page in sender.pages
    )
    swap = hear_text(context, uow, user, row.text, is_page_first=is_page_first)
    if swap is not None and swap.is_done:
        row.outcome = f"Answered: {swap.reply}"
        _send_back(heard, swap.reply)
        return
    plan = decide_answer(parse_answer(row.text), sender, now=now)
    reply = ". ".join(filter(None, (_apply(heard, plan), swap.reply if swap else "")))
    _send_back(heard, reply, page_id=plan.page.page_id if plan.page else None)


def _send_back(heard: _Heard, reply: str, *, page_id: int | None = None) -> None:
    if reply:
        user, number = heard.user, heard.phone.number
        person = Recipient(user.id, user.name, user.role, (number,))
        text = Text(f"answer:{heard.row.id}", REPLY, number, reply, page_id, is_requested=True)
        add_text(heard.uow, heard.rules, person, text)


def _sender(heard: _Heard) -> Sender:
    session, user, rules = heard.uow.session, heard.user, heard.rules
    codes = (
        select(PageCode.code, Page)
        .join(Page, Page.id == PageCode.page_id)
        .where(PageCode.user_id == user.id)
        .where(or_(Page.state != "resolved", Page.closed_at > rules.now - _LATELY))
        .order_by(Page.opened_at, Page.id)
    )
    rows = session.execute(codes).all()
    names = dict(session.execute(select(User.id, User.name)).all())
    pages = {page.id: _person_page(session, page, code, user, names, rules=rules) for code, page in rows}
    helps = session.scalar(
        select(func.count())
        .select_from(InboundText)
        .where(InboundText.user_id == user.id, InboundText.outcome.startswith(_HELP_OUTCOME))
        .where(InboundText.handled_at > rules.now - UNDO_WITHIN)
    )
    return Sender(tuple(pages.values()), _last_act(session, user, pages), heard.phone.is_stopped, helps or 0)


def _person_page(
    session: Session, page: Page, code: int, user: User, names: dict[int, str], *, rules: PagingRules
) -> PersonPage:
    since = rules.clock_time(page.acknowledged_at) if page.acknowledged_at else ""
    return PersonPage(
        page_id=page.id,
        item=load_body(session, page, rules).item(code),
        state=page.state,
        holder=names.get(page.acknowledged_by or 0, ""),
        since=since,
        is_mine=page.acknowledged_by == user.id,
        ticket_id=page.ticket_id or 0,
        is_test=page.kind == "test",
    )


def _last_act(session: Session, user: User, pages: dict[int, PersonPage]) -> LastAct | None:
    """The person's last text that changed a page, as long as nobody has changed that page since."""
    row = _last_change(session, user)
    page = pages.get(row.page_id or 0) if row else None
    if row is None or row.handled_at is None or page is None:
        return None
    kind = Kind(row.undo["kind"])
    is_as_left = page.is_mine and page.state == ("acknowledged" if kind is Kind.TAKE else "resolved")
    if is_as_left and kind is not Kind.TAKE and page.ticket_id:
        is_as_left = live_page(session, page.ticket_id) is None  # else it has been opened and paged again meanwhile
    return LastAct(kind, page, row.handled_at) if is_as_left else None


def _last_change(session: Session, user: User) -> InboundText | None:
    query = select(InboundText).where(InboundText.user_id == user.id, InboundText.page_id.is_not(None))
    latest = session.scalars(query.order_by(InboundText.id.desc()).limit(_REMEMBERED))
    return next((row for row in latest if row.undo), None)


def _apply(heard: _Heard, plan: AnswerPlan) -> str:
    """Make the effect true. Returns the text that goes back."""
    row, phone = heard.row, heard.phone
    row.outcome = _HELP_OUTCOME if plan.is_help else f"Answered: {plan.reply}" if plan.reply else "Not answered."
    if plan.effect in (Effect.STOP, Effect.START):
        phone.is_stopped = plan.effect is Effect.STOP
        row.outcome = "This phone gets no more texts." if phone.is_stopped else "This phone gets texts again."
        _show_stopped(heard)
        return plan.reply
    if plan.page is None or plan.effect is Effect.NONE:
        return plan.reply
    try:
        _change(heard, plan, heard.uow.session.get_one(Page, plan.page.page_id))
    except DomainError as error:
        row.outcome = f"Refused: {error}"
        return not_done_text(plan.page.item.number, str(error))
    return plan.reply


def _show_stopped(heard: _Heard) -> None:
    """A member without a phone is a hole in the roster, so everybody sees it."""
    key, name, now = f"stopped:{heard.phone.id}", heard.user.name, heard.rules.now
    if heard.phone.is_stopped:
        text = f"{name} texted STOP, so that phone gets no pages. Texting START brings them back."
        raise_alarm(heard.uow, key, text, now=now)
    else:
        end_alarm(heard.uow, key, now=now)


def _change(heard: _Heard, plan: AnswerPlan, page: Page) -> None:
    uow, row, user, rules = heard.uow, heard.row, heard.user, heard.rules
    if plan.effect is Effect.TAKE:
        row.undo = take_page(uow, page, user, rules=rules)
    elif plan.effect is Effect.CLOSE:
        row.undo = close_page(heard.context, uow, page, user, Closing(plan.note, plan.minutes), rules=rules)
    elif plan.effect in (Effect.UNDO_TAKE, Effect.UNDO_CLOSE):
        last = _last_change(uow.session, user)
        change = give_back if plan.effect is Effect.UNDO_TAKE else reopen_page
        change(uow, page, user, undo=last.undo if last else {}, rules=rules)
        if last:
            last.undo = {}
    row.page_id = page.id
    if plan.note and plan.effect in (Effect.NOTE, Effect.TAKE) and page.ticket_id is not None:
        add_note(uow, page.ticket_id, user, plan.note, rules=rules)

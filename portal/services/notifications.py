"""The outbox of texts (work kind `notify`): claim, send, record; look up before anything is sent again.

The row is `sending` on disk before the provider is called, so a crash at any statement leaves a row that says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from portal.core import retry
from portal.core import sms_words as words
from portal.core.errors import GatewayError
from portal.core.ports import SentSms, SmsGateway
from portal.core.sms_trouble import SETUP, Trouble, sort_trouble
from portal.models import Notification, Page, Phone, UnitOfWork
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.bursts import CARRIED, bundle, bundled_rows, burst_due_at, companions, put_off, release
from portal.services.context import Context
from portal.services.page_steps import is_step_lost, skip_step
from portal.services.page_texts import PAGE, Text, add_text
from portal.services.paging_rules import PagingRules, load_paging_rules
from portal.services.recipients import load_recipients

LEASE = timedelta(seconds=60)
ACCOUNT_ALARM = "sms-account"
_LOOK_UP_AFTER = timedelta(seconds=5)
_LOOK_UP_AGAIN = timedelta(seconds=10)
_BLIND_AFTER = timedelta(seconds=45)
_KEEP_TRYING = timedelta(seconds=60)
# Age of an accepted text, and how long until its delivery state is asked for again.
_CHECKS = ((60, 10), (600, 60), (3600, 300))

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A row that is ours until the lease ends. `task` is send, look_up or check; `since` is machine time."""

    id: int
    task: str
    owner: str
    key: str
    number: str
    text: str
    provider_id: str
    since: datetime


def count_due_notifications(session: Session, *, now: datetime, lease_now: datetime) -> int:
    """Rows that a worker should take up now."""
    due = _due(now=now, lease_now=lease_now)
    return session.scalar(select(func.count()).select_from(Notification).where(due)) or 0


def send_next(context: Context) -> bool:
    """Do one due row: hand a text over, find out about one that may have left, or ask for a delivery state."""
    claimed = _claim(context)
    if claimed is None:
        return False
    try:
        gateway = context.sms()
    except GatewayError as error:
        _record_failure(context, claimed, GatewayError(error.message, code=SETUP))
        return True
    if claimed.task == "check":
        _check(context, gateway, claimed)
        return True
    to_send = claimed if claimed.task == "send" else _look_up(context, gateway, claimed)
    if to_send is not None:
        _send(context, gateway, to_send)
    return True


def _due(*, now: datetime, lease_now: datetime) -> ColumnElement[bool]:
    is_free = or_(Notification.lease_until.is_(None), Notification.lease_until <= lease_now)
    waits = and_(Notification.state.in_(("pending", "accepted")), Notification.due_at <= now, is_free)
    return or_(waits, and_(Notification.state == "sending", Notification.lease_until <= lease_now))


def _next_id(session: Session, context: Context) -> int | None:
    """Pages before everything else, texts before questions about texts."""
    due = _due(now=context.clock.now(), lease_now=context.clock.lease_now())
    if not context.clock.may_take_over():
        due = and_(due, Notification.state != "sending")  # whose it is cannot be known now; what waits goes on
    rank = case((Notification.state == "accepted", 2), (Notification.kind == PAGE, 0), else_=1)
    query = select(Notification.id).where(due).order_by(rank, Notification.due_at, Notification.id)
    return session.scalar(query.limit(1))


def _claim(context: Context) -> Claimed | None:
    """Compare and set: two workers never get the same row. The first look costs no write lock."""
    with context.database.read_session() as session:
        if _next_id(session, context) is None:
            return None
    with context.database.unit_of_work() as uow:
        while (row_id := _next_id(uow.session, context)) is not None:
            row = uow.session.get_one(Notification, row_id)
            if row.state != "pending" or _may_leave(uow, row, now=context.clock.now()):
                return _take(row, context)
    return None


def _may_leave(uow: UnitOfWork, row: Notification, *, now: datetime) -> bool:
    """False when it waits for others in a burst; when its turn comes they leave with it."""
    due_at = burst_due_at(uow.session, row, now=now)
    if due_at > now:
        put_off(uow, row, until=due_at)
        uow.session.flush()
        return False
    if others := companions(uow.session, row, now=now):
        bundle(uow, row, others, rules=load_paging_rules(uow.session, now=now))
    return True


def _take(row: Notification, context: Context) -> Claimed:
    lease_now = context.clock.lease_now()
    task = {"pending": "send", "sending": "look_up", "accepted": "check"}[row.state]
    since = (row.lease_until - LEASE) if task == "look_up" and row.lease_until else lease_now
    row.lease_owner, row.lease_until = context.random.token(8).hex(), lease_now + LEASE
    if task == "send":
        row.state, row.sending_at, row.tries = "sending", context.clock.now(), row.tries + 1
    return Claimed(row.id, task, row.lease_owner, row.dedupe_key, row.number, row.text, row.provider_id, since)


def _own(uow: UnitOfWork, claimed: Claimed) -> Notification | None:
    """The row, unless the lease was lost to another worker in the meantime."""
    row = uow.session.get_one(Notification, claimed.id)
    return row if row.lease_owner == claimed.owner else None


def _send(context: Context, gateway: SmsGateway, claimed: Claimed) -> None:
    try:
        sent = gateway.send(claimed.key, claimed.number, claimed.text)
    except GatewayError as error:
        _record_failure(context, claimed, error)
    else:
        _record_sent(context, claimed, sent, gateway.name)


def _look_up(context: Context, gateway: SmsGateway, claimed: Claimed) -> Claimed | None:
    """A row found in `sending`: ask the provider first. Returns the claim when it must be sent (again), by us, now."""
    try:
        found = gateway.find_sent(claimed.number, claimed.since, claimed.key, claimed.text)
    except GatewayError as error:
        return _stay_blind(context, claimed, error)
    if found is not None:
        _record_sent(context, claimed, found, gateway.name)
        return None
    return _stamp_again(context, claimed)


def _stay_blind(context: Context, claimed: Claimed, error: GatewayError) -> Claimed | None:
    """The provider does not answer the question. After a while the text goes out all the same, and says so."""
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return None
        if context.clock.now() - (row.sending_at or row.created_at) < _BLIND_AFTER:
            row.lease_until, row.last_error = context.clock.lease_now() + _LOOK_UP_AGAIN, error.message
            return None
    return _stamp_again(context, replace(claimed, text=words.maybe_repeat(claimed.text)))


def _stamp_again(context: Context, claimed: Claimed) -> Claimed | None:
    """Commit that this text is about to leave (again): its words, its time, a fresh lease. None: not needed now."""
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return None
        page = uow.session.get(Page, row.page_id) if row.page_id and row.kind == PAGE else None
        if page is not None and page.state not in ("open", "expired"):
            row.state, row.lease_until, row.last_error = "cancelled", None, "The page was answered before it left."
            release(uow, row, at=context.clock.now())
            return None
        row.text, row.tries, row.sending_at = claimed.text, row.tries + 1, context.clock.now()
        row.lease_until = context.clock.lease_now() + LEASE
        return replace(claimed, task="send")


def _record_sent(context: Context, claimed: Claimed, sent: SentSms, provider: str) -> None:
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return
        row.state, row.provider, row.provider_id = "accepted", provider, sent.provider_id
        row.accepted_at, row.lease_until, row.last_error, row.error_code = now, None, "", ""
        row.due_at = now + timedelta(seconds=_CHECKS[0][1]) if row.kind == PAGE else None
        for part in bundled_rows(uow.session, row):
            part.state, part.provider, part.provider_id, part.accepted_at = "accepted", provider, sent.provider_id, now
        end_alarm(uow, ACCOUNT_ALARM, now=now)
        _apply_state(uow, row, sent, now=now)


def _apply_state(uow: UnitOfWork, row: Notification, sent: SentSms, *, now: datetime) -> None:
    """What the provider says of the text now: a delivery receipt, or the carrier's refusal."""
    if sent.state == "delivered":
        for one in (row, *bundled_rows(uow.session, row)):
            one.state, one.delivered_at, one.due_at = "delivered", now, None
    elif sent.state in ("undelivered", "failed"):
        row.state, row.due_at = "undelivered", None
        row.error_code, row.last_error = sent.error_code, sent.error_text or "The carrier did not deliver it."
        _go_on_without(uow, row, rules=load_paging_rules(uow.session, now=now))


def _record_failure(context: Context, claimed: Claimed, error: GatewayError) -> None:
    now, lease_now = context.clock.now(), context.clock.lease_now()
    trouble = sort_trouble(error.code, permanent=error.permanent)
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None:
            return
        log.warning("a text was not taken", notification=row.id, code=error.code, trouble=str(trouble))
        row.last_error, row.error_code = error.message, error.code[:20]
        if error.maybe_done or claimed.task != "send":
            row.lease_until = lease_now + _LOOK_UP_AFTER
            return
        rules = load_paging_rules(uow.session, now=context.clock.now())
        row.lease_until = None
        if trouble is Trouble.ACCOUNT:
            raise_alarm(uow, ACCOUNT_ALARM, f"No text can be sent: {error.message}", now=rules.now)
        if trouble in (Trouble.WAIT, Trouble.ACCOUNT):
            plan = retry.plan_retry(retry.SMS, tries=row.tries, now=now, retry_after=error.retry_after)
            # A page is not given up while somebody should still get it: only its answer or its end cancels it.
            due_at = plan.due_at or (now + _KEEP_TRYING if row.kind == PAGE else None)
            row.state, row.due_at = ("pending", due_at) if due_at else ("failed", None)
            release(uow, row, at=due_at or now)
            return
        row.state, row.due_at = "failed", None
        _go_on_without(uow, row, rules=rules)


def _go_on_without(uow: UnitOfWork, row: Notification, *, rules: PagingRules) -> None:
    """This number will not get it: the person's next number, else the next step of the page, at once."""
    if sort_trouble(row.error_code, permanent=True) is Trouble.STOPPED:
        for phone in uow.session.scalars(select(Phone).where(Phone.number == row.number)):
            phone.is_stopped = True
            text = "A phone refuses our texts because its owner texted STOP. Texting START brings the pages back."
            raise_alarm(uow, f"stopped:{phone.id}", text, now=rules.now)
    release(uow, row, at=rules.now)
    page = uow.session.get(Page, row.page_id) if row.page_id else None
    if row.kind != PAGE or page is None or page.state != "open":
        return
    if not _try_next_number(uow, row, page, rules=rules) and is_step_lost(uow.session, page):
        skip_step(uow, page, rules=rules)


def _try_next_number(uow: UnitOfWork, row: Notification, page: Page, *, rules: PagingRules) -> bool:
    same_step = row.dedupe_key.split("/")[0]
    tried = uow.session.scalars(
        select(Notification.number).where(
            or_(
                Notification.dedupe_key == same_step,
                Notification.dedupe_key.startswith(f"{same_step}/", autoescape=True),
            )
        )
    ).all()
    for person in load_recipients(uow.session, [row.user_id] if row.user_id else []):
        for number in person.numbers:
            if number not in tried:
                text = Text(f"{same_step}/{len(tried)}", PAGE, number, row.text, page.id, row.is_requested)
                return add_text(uow, rules, person, text)
    return False


def _check(context: Context, gateway: SmsGateway, claimed: Claimed) -> None:
    """Ask for the delivery state, less often the older the text is, and not for ever."""
    try:
        sent = gateway.fetch_status(claimed.provider_id)
    except GatewayError as error:
        log.info("a delivery state was not told", notification=claimed.id, code=error.code)
        sent = None
    with context.database.unit_of_work() as uow:
        row = _own(uow, claimed)
        if row is None or row.state != "accepted":
            return
        age = (context.clock.now() - (row.accepted_at or row.created_at)).total_seconds()
        wait = next((wait for limit, wait in _CHECKS if age < limit), None)
        row.due_at = context.clock.now() + timedelta(seconds=wait) if wait else None
        row.checked_at, row.lease_until = context.clock.now(), None
        if sent is not None:
            _apply_state(uow, row, sent, now=context.clock.now())


def record_receipt(context: Context, *, provider: str, sent: SentSms) -> bool:
    """A delivery state the provider posted to us. Returns False when the text is not one of ours."""
    with context.database.unit_of_work() as uow:
        query = select(Notification).where(Notification.provider_id == sent.provider_id)
        query = query.where(~Notification.last_error.startswith(CARRIED))  # those share the fate of their carrier
        row = uow.session.scalar(query.where(Notification.provider == provider).order_by(Notification.id))
        if row is not None and row.state == "accepted":
            row.checked_at = context.clock.now()
            _apply_state(uow, row, sent, now=context.clock.now())
        return row is not None

"""Trying out what is set up (work kind `checks`): a person asks, a worker tries, the page shows the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError, GatewayError
from portal.core.work import CHECKS
from portal.models import Check, UnitOfWork
from portal.services.audit import Change, record_change
from portal.services.context import Context

SMS = "sms"
_LEASE = timedelta(seconds=60)

# Tries what a name stands for: whether it works, and one line about it. Raises GatewayError or DomainError.
Try = Callable[[Context, str], tuple[bool, str]]


@dataclass(frozen=True)
class CheckView:
    """How a check stands. `is_busy`: it was asked for and has no answer yet."""

    is_busy: bool
    is_ok: bool
    result: str
    at: datetime | None


def load_check(session: Session, name: str) -> CheckView | None:
    """None when nobody has asked yet."""
    row = session.get(Check, name)
    return CheckView(row.state != "done", row.is_ok, row.result, row.done_at) if row else None


def ask_check(uow: UnitOfWork, name: str, *, change: Change) -> None:
    """Ask a worker to try this. Asked again while one waits, it stays one."""
    row = uow.session.get(Check, name)
    if row is None:
        row = Check(name=name)
        uow.session.add(row)
    row.state, row.result, row.is_ok, row.lease_until = "asked", "", False, None
    row.asked_at, row.done_at = change.at, None
    record_change(uow, change, "check.ask", name)
    uow.wake(CHECKS)


def count_due_checks(session: Session, *, lease_now: datetime) -> int:
    """Checks that wait for a worker."""
    return session.scalar(select(func.count()).select_from(Check).where(_due(lease_now))) or 0


def check_next(context: Context, tries: Mapping[str, Try] | None = None) -> bool:
    """Try one thing that was asked for; False when nothing was. What fails is the answer, not an error.

    `tries` by the part of the name before a colon; whatever is not among them is the SMS account.
    """
    name = _claim(context)
    if name is None:
        return False
    try:
        is_ok, result = (tries or {}).get(name.partition(":")[0], _try_sms)(context, name)
    except (GatewayError, DomainError) as error:
        is_ok, result = False, str(error)
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(Check, name)
        if row.state == "running":  # otherwise it was asked again meanwhile, for other settings perhaps
            row.state, row.is_ok, row.result = "done", is_ok, result
            row.done_at, row.lease_until = context.clock.now(), None
    return True


def _try_sms(context: Context, name: str) -> tuple[bool, str]:
    return True, context.sms().check_account()


def _due(lease_now: datetime) -> ColumnElement[bool]:
    return or_(Check.state == "asked", and_(Check.state == "running", Check.lease_until <= lease_now))


def _claim(context: Context) -> str | None:
    lease_now = context.clock.lease_now()
    due = select(Check).where(_due(lease_now)).order_by(Check.asked_at).limit(1)
    with context.database.read_session() as session:
        if session.scalar(due) is None:
            return None
    with context.database.unit_of_work() as uow:
        row = uow.session.scalar(due)
        if row is None or (row.state == "running" and not context.clock.may_take_over()):
            return None
        row.state, row.lease_until = "running", lease_now + _LEASE
        return row.name

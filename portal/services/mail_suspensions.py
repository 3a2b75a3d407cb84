"""Addresses that nothing is sent to: mail to them came back, or a person said so."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.models import MailSuspension, UnitOfWork
from portal.services.audit import Change, record_change

_ADDRESS = re.compile(r"[^\s@<>\"(),;:]+@[^\s@<>\"(),;:]+\.[^\s@<>\"(),;:]+")


def suspend(uow: UnitOfWork, address: str, *, reason: str, now: datetime, ticket_id: int | None = None) -> bool:
    """Send nothing there any more. False: it was so already."""
    key = address.lower()[:254]
    if uow.session.get(MailSuspension, key) is not None:
        return False
    uow.session.add(MailSuspension(address=key, at=now, reason=reason, ticket_id=ticket_id))
    uow.session.flush()
    return True


def suspend_by_hand(uow: UnitOfWork, address: str, *, reason: str, change: Change) -> None:
    """A person says that nothing goes there. Raises DomainError for what is no address, or is held back already."""
    key = address.strip().lower()
    if not _ADDRESS.fullmatch(key) or len(key) > 254:
        raise DomainError("Please enter a mail address, such as dana@customer.example.")
    if not suspend(uow, key, reason=reason.strip()[:500] or "Stopped by hand.", now=change.at):
        raise DomainError(f"Mail to {key} is held back already.")
    record_change(uow, change, "mail.suspend", key, reason=reason.strip()[:500])


def count_suspended(session: Session) -> int:
    """How many addresses are held back."""
    return session.scalar(select(func.count()).select_from(MailSuspension)) or 0


def find_suspended(session: Session, addresses: Collection[str]) -> frozenset[str]:
    """Which of these addresses are suspended, in lower case."""
    wanted = {one.lower() for one in addresses if one}
    if not wanted:
        return frozenset()
    return frozenset(session.scalars(select(MailSuspension.address).where(MailSuspension.address.in_(wanted))))


def list_suspended(session: Session, *, most: int = 50) -> Sequence[MailSuspension]:
    """The newest first."""
    return session.scalars(select(MailSuspension).order_by(MailSuspension.at.desc()).limit(most)).all()


def resume_address(uow: UnitOfWork, address: str, *, change: Change) -> None:
    """Send mail there again, because a person knows better. Raises DomainError when nothing was held back."""
    row = uow.session.get(MailSuspension, address.lower())
    if row is None:
        raise DomainError(f"Mail to {address} is not held back.")
    uow.session.delete(row)
    record_change(uow, change, "mail.resume", row.address)

"""The trace every change leaves: who, when, what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.models import AuditEvent, UnitOfWork


@dataclass(frozen=True)
class Change:
    """Who changes something now. `actor_id` is None for the program itself and the command line."""

    actor_id: int | None
    at: datetime


def record_change(uow: UnitOfWork, change: Change, action: str, subject: str = "", **data: Any) -> None:
    """Add an audit event to the transaction. `action` is `noun.verb`; `data` must fit JSON and hold no secret."""
    uow.session.add(AuditEvent(at=change.at, actor_id=change.actor_id, action=action, subject=subject[:200], data=data))

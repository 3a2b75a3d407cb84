"""The web restart: a row that each machine's supervisor obeys (decisions.md 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.models import RestartRequest, UnitOfWork
from portal.services.audit import Change, record_change
from portal.services.context import Context

RUNNING = ("asked", "running")


@dataclass(frozen=True)
class RestartState:
    """How far a request is. `state` is asked, running, done or failed; `text` is shown."""

    id: int
    state: str
    text: str
    asked_at: datetime
    asked_by: str
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state not in RUNNING


def ask_restart(uow: UnitOfWork, *, change: Change, actor: str) -> int:
    """Ask for a restart. Returns its id; while one is under way, that one's."""
    running = uow.session.scalar(select(RestartRequest.id).where(RestartRequest.state.in_(RUNNING)))
    if running is not None:
        return running
    row = RestartRequest(asked_at=change.at, asked_by=actor)
    uow.session.add(row)
    record_change(uow, change, "system.restart")
    uow.session.flush()
    return row.id


def find_restart(session: Session, restart_id: int) -> RestartState:
    """How far one request is. Raises DomainError when there is none."""
    row = session.get(RestartRequest, restart_id)
    if row is None:
        raise DomainError("There is no such restart.")
    return _state_of(row)


def last_restart(session: Session) -> RestartState | None:
    """The newest request."""
    row = session.scalar(select(RestartRequest).order_by(RestartRequest.id.desc()).limit(1))
    return _state_of(row) if row else None


def newest_restart_id(context: Context) -> int:
    """The newest request's id, 0 when there is none: what a supervisor compares with what it has obeyed."""
    with context.database.read_session() as session:
        return session.scalar(select(func.max(RestartRequest.id))) or 0


def note_restart(context: Context, restart_id: int, *, state: str, text: str) -> None:
    """What the supervisor reports about a request. It may report twice; what is over stays as it is."""
    finished_at = context.clock.now() if state not in RUNNING else None
    with context.database.unit_of_work() as uow:
        uow.session.execute(
            update(RestartRequest)
            .where(RestartRequest.id == restart_id, RestartRequest.state.in_(RUNNING))
            .values(state=state, data={"text": text}, finished_at=finished_at)
        )


def settle_restarts(context: Context) -> int:
    """A fresh start obeys every request made before it. Returns the newest id, as the supervisor's starting point."""
    with context.database.unit_of_work() as uow:
        uow.session.execute(
            update(RestartRequest)
            .where(RestartRequest.state.in_(RUNNING))
            .values(state="done", data={"text": "Nightdesk was started anew."}, finished_at=context.clock.now())
        )
    return newest_restart_id(context)


def _state_of(row: RestartRequest) -> RestartState:
    return RestartState(row.id, row.state, row.data.get("text", ""), row.asked_at, row.asked_by, row.finished_at)

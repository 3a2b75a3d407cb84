"""What the dashboard shows. Every figure comes from counters or small indexed reads: its cost does not grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.core.tickets import PRIORITIES, STATUSES, is_open_status
from portal.models import Job, JobRun, Page, Queue, Ticket, TicketCount, TicketEvent, User
from portal.services.page_endings import ASKING
from portal.services.schedules import people_on_call_at

PAGES = 10
EVENTS = 10


@dataclass(frozen=True)
class OpenTickets:
    """Open tickets, counted three ways; each adds up to `total`. Queues as (id, name, number), 0 for no queue."""

    total: int
    by_priority: Mapping[int, int]
    by_status: Mapping[str, int]
    by_queue: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True)
class OnCallPerson:
    """Somebody on call now, until `ends_at`."""

    name: str
    ends_at: datetime


@dataclass(frozen=True)
class OpenPage:
    """A page that is not over. `state` is open, expired (its steps ended, nobody answered) or acknowledged; `holder`
    took it."""

    id: int
    kind: str
    state: str
    ticket_id: int | None
    subject: str
    priority: int | None
    opened_at: datetime
    holder: str

    @property
    def is_asking(self) -> bool:
        """True while an answer is wanted, also after the last step."""
        return self.state in ASKING


@dataclass(frozen=True)
class JobTrouble:
    """A job whose last run failed."""

    name: str
    error: str
    at: datetime


@dataclass(frozen=True)
class JobsState:
    """Jobs at a glance."""

    total: int
    switched_off: int
    failing: tuple[JobTrouble, ...]


@dataclass(frozen=True)
class Activity:
    """One recent event of a ticket."""

    ticket_id: int
    subject: str
    at: datetime
    actor: str
    kind: str
    data: Mapping[str, object]


def load_open_tickets(session: Session) -> OpenTickets:
    """From the counters. One statement."""
    query = select(TicketCount.queue_id, Queue.name, TicketCount.status, TicketCount.priority, TicketCount.n)
    rows = session.execute(query.outerjoin(Queue, Queue.id == TicketCount.queue_id).where(TicketCount.n > 0)).all()
    priorities: Counter[int] = Counter(dict.fromkeys(PRIORITIES, 0))
    statuses: Counter[str] = Counter({status: 0 for status in STATUSES if is_open_status(status)})
    queues: Counter[tuple[int, str]] = Counter()
    for queue_id, name, status, priority, n in rows:
        if is_open_status(status):
            priorities[priority] += n
            statuses[status] += n
            queues[queue_id, name or "No queue"] += n
    ordered = sorted(((id, name, n) for (id, name), n in queues.items()), key=lambda entry: (-entry[2], entry[1]))
    return OpenTickets(priorities.total(), priorities, statuses, tuple(ordered))


def load_on_call(session: Session, *, now: datetime) -> tuple[OnCallPerson, ...]:
    """Who would be woken now. One statement."""
    people = people_on_call_at(session, now)
    return tuple(OnCallPerson(name, duty.ends_at) for duty, name in people)


def load_open_pages(session: Session) -> tuple[OpenPage, ...]:
    """The pages that wait for an answer, also in vain, and those that were taken, oldest first, at most ten. A test
    that nobody answered is over. One statement."""
    query = (
        select(Page, Ticket.subject, Ticket.priority, User.name)
        .outerjoin(Ticket, Ticket.id == Page.ticket_id)
        .outerjoin(User, User.id == Page.acknowledged_by)
        .where(or_(Page.state.in_(("open", "acknowledged")), and_(Page.state == "expired", Page.kind != "test")))
        .order_by(Page.state.desc(), Page.id)
        .limit(PAGES)
    )
    return tuple(
        OpenPage(
            page.id, page.kind, page.state, page.ticket_id, subject or page.text, priority, page.opened_at, name or ""
        )
        for page, subject, priority, name in session.execute(query)
    )


def load_jobs_state(session: Session) -> JobsState:
    """One statement: each job with its newest finished run."""
    runs = aliased(JobRun)
    newest = select(func.max(runs.id)).where(runs.job == Job.name, runs.finished_at.is_not(None)).scalar_subquery()
    query = select(Job.name, Job.is_enabled, JobRun.error, JobRun.started_at).outerjoin(JobRun, JobRun.id == newest)
    rows = session.execute(query.order_by(Job.name)).all()
    failing = tuple(JobTrouble(row.name, row.error, row.started_at) for row in rows if row.error)
    return JobsState(len(rows), sum(not row.is_enabled for row in rows), failing)


def load_activity(session: Session) -> tuple[Activity, ...]:
    """The ten newest events of tickets. One statement."""
    newest = select(TicketEvent.id).order_by(TicketEvent.id.desc()).limit(EVENTS)
    query = (
        select(TicketEvent, Ticket.subject)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(TicketEvent.id.in_(newest.scalar_subquery()))
        .order_by(TicketEvent.id.desc())
    )
    return tuple(
        Activity(row.ticket_id, subject, row.at, row.actor, row.kind, row.data or {})
        for row, subject in session.execute(query)
    )

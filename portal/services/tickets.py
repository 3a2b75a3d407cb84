"""Tickets as rows: created, spoken on, moved. Counters, history and search change in the same transaction.

What a change means to others (mail to the requester, pages) is decided one floor up, in `ticket_work`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from portal.core import tickets as rules
from portal.core.search import tokenise
from portal.core.tickets import StatusChange, check_priority, clean_subject, decide_status_change, is_open_status
from portal.core.work import TRIAGE
from portal.models import Message, Requester, SearchDocument, Ticket, TicketCount, TicketEvent, UnitOfWork, User
from portal.services.customers import customer_of

REQUEST, REPLY, ANSWER, NOTE, AUTOMATIC, BOUNCE = "request", "reply", "answer", "note", "automatic", "bounce"
_NOTHING = object()
_REQUESTER = select(Requester).where(Requester.email == bindparam("email"))


@dataclass(frozen=True)
class Actor:
    """Who does it: a member (id and name), or only a name (a requester, a rule, the program)."""

    name: str
    user_id: int | None = None


@dataclass(frozen=True)
class NewMessage:
    """What somebody said. `body` is kept as it came."""

    kind: str
    body: str
    author: str = ""
    author_id: int | None = None
    is_public: bool = True
    subject: str = ""
    html: str = ""
    at: datetime | None = None
    ledger_id: int | None = None


@dataclass(frozen=True)
class NewTicket:
    """A request as it came in. `values` are further columns of the ticket row, `events` further lines of history."""

    subject: str
    first: NewMessage
    source: str
    requester_id: int | None
    received_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)


def create_ticket(uow: UnitOfWork, new: NewTicket, *, actor: Actor, now: datetime) -> tuple[Ticket, Message]:
    """A ticket with its first message, counted, searchable, waiting for triage. `received_at` ahead of now is now; the
    customer is the requester's unless `values` names another."""
    person = uow.session.get(Requester, new.requester_id) if new.requester_id is not None else None
    values = {
        "status": rules.NEW,
        "priority": rules.DEFAULT_PRIORITY,
        "changed_at": now,
        "customer_id": person.customer_id if person else None,
        **new.values,
    }
    ticket = Ticket(
        subject=clean_subject(new.subject, body=new.first.body),
        source=new.source,
        requester_id=new.requester_id,
        received_at=min(new.received_at, now),
        created_at=now,
        is_open=is_open_status(values["status"]),
        **values,
    )
    uow.session.add(ticket)
    uow.session.flush()
    message = add_message(uow, ticket, new.first, now=now, touch=False, title=ticket.subject)
    line = {"ticket_id": ticket.id, "at": now, "actor_id": actor.user_id, "actor": actor.name[:200]}
    history = {"created": {"source": new.source}, **new.events}
    uow.session.execute(insert(TicketEvent), [{**line, "kind": kind, "data": data} for kind, data in history.items()])
    count_ticket(uow.session, ticket, +1)
    if ticket.triaged_at is None:
        uow.wake(TRIAGE)
    return ticket, message


def add_message(
    uow: UnitOfWork, ticket: Ticket, new: NewMessage, *, now: datetime, touch: bool = True, title: str = ""
) -> Message:
    """Something said on a ticket, searchable at once. `touch` moves the ticket to the top of "last change"."""
    message = Message(
        ticket_id=ticket.id,
        kind=new.kind,
        is_public=new.is_public,
        author_id=new.author_id,
        author=new.author[:300],
        subject=new.subject[:300],
        body=new.body.replace("\x00", ""),
        html=new.html.replace("\x00", ""),
        at=min(new.at or now, now),
        ledger_id=new.ledger_id,
        corrections=[],
    )
    uow.session.add(message)
    uow.session.flush()
    tokens = tokenise("\n".join((title, new.subject if new.subject != title else "", new.author, message.body)))
    uow.session.add(SearchDocument(message_id=message.id, ticket_id=ticket.id, tokens=tokens))
    if touch:
        ticket.changed_at = now
    return message


def record_event(uow: UnitOfWork, ticket: Ticket, kind: str, *, actor: Actor, now: datetime, **data: Any) -> None:
    """A line of the ticket's history. `data` must fit JSON."""
    uow.session.add(
        TicketEvent(ticket_id=ticket.id, at=now, actor_id=actor.user_id, actor=actor.name[:200], kind=kind, data=data)
    )


def set_status(
    uow: UnitOfWork, ticket: Ticket, status: str, *, actor: Actor, now: datetime, resolution: str = ""
) -> StatusChange:
    """Change the status by the table of core/tickets.py. Raises DomainError when the table refuses."""
    change = decide_status_change(ticket.status, status, resolution=resolution)
    count_ticket(uow.session, ticket, -1)
    ticket.status, ticket.is_open = status, is_open_status(status)
    ticket.changed_at, ticket.version = now, ticket.version + 1
    if change.is_resolved:
        ticket.resolution, ticket.resolved_at = resolution.strip(), now
    ticket.closed_at = now if status == rules.CLOSED else None
    if change.is_reopened:
        ticket.resolved_at = None
    count_ticket(uow.session, ticket, +1)
    data = {"before": change.before, "after": status, **({"note": resolution.strip()} if change.is_resolved else {})}
    record_event(uow, ticket, "status", actor=actor, now=now, **data)
    return change


def sort_ticket(
    uow: UnitOfWork,
    ticket: Ticket,
    *,
    actor: Actor,
    now: datetime,
    priority: int | None = None,
    queue_id: Any = _NOTHING,
    category_id: Any = _NOTHING,
    customer_id: Any = _NOTHING,
) -> dict[str, tuple[Any, Any]]:
    """Change priority, queue, category or customer. Returns what changed as name -> (before, after)."""
    wanted: dict[str, Any] = {}
    if priority is not None:
        wanted["priority"] = check_priority(priority)
    if queue_id is not _NOTHING:
        wanted["queue_id"] = queue_id
    if category_id is not _NOTHING:
        wanted["category_id"] = category_id
    if customer_id is not _NOTHING:
        wanted["customer_id"] = customer_id
    changed = {name: (getattr(ticket, name), value) for name, value in wanted.items() if getattr(ticket, name) != value}
    if not changed:
        return {}
    count_ticket(uow.session, ticket, -1)
    for name, (_, value) in changed.items():
        setattr(ticket, name, value)
    ticket.changed_at, ticket.version = now, ticket.version + 1
    count_ticket(uow.session, ticket, +1)
    record_event(uow, ticket, "sorted", actor=actor, now=now, **{name: list(pair) for name, pair in changed.items()})
    return changed


def assign_ticket(uow: UnitOfWork, ticket: Ticket, user: User | None, *, actor: Actor, now: datetime) -> bool:
    """Give the ticket to a member, or to nobody. False when it was so already."""
    before = ticket.assignee_id
    if before == (user.id if user else None):
        return False
    ticket.assignee_id = user.id if user else None
    ticket.changed_at, ticket.version = now, ticket.version + 1
    record_event(uow, ticket, "assigned", actor=actor, now=now, before=before, after=ticket.assignee_id)
    return True


def count_ticket(session: Session, ticket: Ticket, by: int) -> None:
    """Keep `ticket_count` in step: -1 before a change of queue, status or priority, +1 after it."""
    upsert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    key = {"queue_id": ticket.queue_id or 0, "status": ticket.status, "priority": ticket.priority}
    statement = upsert(TicketCount).values(n=by, **key)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_={"n": TicketCount.n + by}))


def recount(uow: UnitOfWork) -> int:
    """Make every counter anew from the tickets. Returns how many were wrong."""
    query = select(Ticket.queue_id, Ticket.status, Ticket.priority, func.count()).group_by(
        Ticket.queue_id, Ticket.status, Ticket.priority
    )
    true: dict[tuple[int, str, int], int] = {}
    for queue_id, status, priority, n in uow.session.execute(query):
        true[(queue_id or 0, status, priority)] = n
    rows = {(row.queue_id, row.status, row.priority): row for row in uow.session.scalars(select(TicketCount))}
    wrong = 0
    for key in sorted({*true, *rows}):
        n = true.get(key, 0)
        row = rows.get(key)
        if row is None:
            uow.session.add(TicketCount(queue_id=key[0], status=key[1], priority=key[2], n=n))
            wrong += 1
        elif row.n != n:
            row.n = n
            wrong += 1
    return wrong


def find_or_add_requester(
    uow: UnitOfWork, email: str, *, now: datetime, name: str = "", phone: str = "", department: str = ""
) -> Requester:
    """The requester of an address, made when new. What was given fills what was not known; what is known stays: anybody
    may write any address into a form."""
    email = email.strip().lower()[:254]
    row = uow.session.scalar(_REQUESTER, {"email": email}) if email else None
    if row is None:
        row = Requester(email=email, customer_id=customer_of(uow.session, email), created_at=now)
        uow.session.add(row)
    row.name = row.name or name.strip()[:200]
    row.phone = row.phone or phone.strip()[:40]
    row.department = row.department or department.strip()[:100]
    uow.session.flush()
    return row

"""A database with the fixed cast and a few tickets, for the tests of lists, search and counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from portal.core.search import tokenise
from portal.models import Category, Database, Message, Queue, Requester, SearchDocument, Ticket, UnitOfWork, User
from tests.databases import fresh_database

NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
ALICE, BOB = 1, 2


def make_database(folder: Path) -> Database:
    """A database with Alice, Bob, two queues, a category and Dana, but no ticket yet."""
    return fresh_database(folder, _fill)


def _fill(uow: UnitOfWork) -> None:
    for id, name, role in ((ALICE, "Alice", "admin"), (BOB, "Bob", "technician")):
        uow.session.add(User(id=id, email=f"{name.lower()}@a.example", name=name, role=role, created_at=NOW))
    uow.session.add_all([Queue(id=1, name="Desktop", position=1), Queue(id=2, name="Servers", position=0)])
    uow.session.add(Category(id=1, name="Printer"))
    uow.session.add(Requester(id=1, email="dana@c.example", name="Dana Diaz", created_at=NOW))


def ticket_values(id: int, **changes: Any) -> dict[str, Any]:
    at = NOW + timedelta(minutes=id)
    values = {
        "id": id, "subject": f"Ticket {id}", "status": "new", "is_open": True, "priority": 3, "queue_id": 1,
        "category_id": None, "requester_id": 1, "assignee_id": None, "source": "mail", "emergency": "",
        "received_at": at, "created_at": at, "changed_at": at,
    }  # fmt: skip
    values.update(changes)
    values["is_open"] = values["status"] not in ("resolved", "closed")
    return values


def add_tickets(database: Database, *rows: dict[str, Any]) -> None:
    with database.unit_of_work() as uow:
        uow.session.execute(insert(Ticket), list(rows))


def add_message(database: Database, ticket_id: int, body: str, *, id: int | None = None) -> int:
    """A message that the search knows."""
    with database.unit_of_work() as uow:
        message = Message(id=id, ticket_id=ticket_id, kind="request", is_public=True, body=body, at=NOW)
        uow.session.add(message)
        uow.session.flush()
        tokens = tokenise(body)
        uow.session.add(SearchDocument(message_id=message.id, ticket_id=ticket_id, tokens=tokens))
        return message.id


@contextmanager
def counted_statements(session: Session) -> Iterator[list[str]]:
    """The SQL that the session's engine runs inside the block."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement != "BEGIN":
            seen.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)

"""A database with many tickets, written in bulk: through the services 1M would take hours."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from portal.core.search import tokenise
from portal.models import (
    Category,
    Customer,
    Database,
    KnownMessageId,
    Message,
    Queue,
    Requester,
    SearchDocument,
    Ticket,
)  # fmt: skip
from portal.models.schema import upgrade
from portal.services import people, tickets
from portal.services.audit import Change

BASE = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 5000
CUSTOMERS = 100
WORDS = [
    "printer",
    "toner",
    "paper",
    "network",
    "cable",
    "switch",
    "router",
    "server",
    "backup",
    "disk",
    "screen",
    "laptop",
    "docking",
    "password",
    "login",
    "mail",
    "calendar",
    "phone",
    "headset",
    "licence",
    "update",
    "install",
    "driver",
    "error",
    "slow",
    "noise",
    "broken",
    "missing",
    "access",
    "folder",
    "share",
]


def seed(path: Path, count: int) -> Database:
    """`count` tickets with two messages each; a fifth is open; one word in 500 tickets is rare."""
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    rng = random.Random(7)
    _people(database)
    requesters = max(50, count // 50)
    with database.unit_of_work() as uow:
        rows = [
            {"id": n, "email": f"r{n}@c.example", "name": f"Person {n}", "created_at": BASE}
            for n in range(1, requesters + 1)
        ]
        uow.session.execute(insert(Customer), [{"id": n, "name": f"Customer {n}"} for n in range(1, CUSTOMERS + 1)])
        uow.session.execute(insert(Requester), rows)
    for start in range(1, count + 1, BATCH):
        _batch(database, range(start, min(start + BATCH, count + 1)), requesters, rng)
    with database.unit_of_work() as uow:
        tickets.recount(uow)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    return database


def _people(database: Database) -> None:
    change = Change(None, BASE)
    with database.unit_of_work() as uow:
        for name, role in (("alice", "admin"), ("bob", "technician"), ("carol", "technician")):
            people.add_person(
                uow, people.Profile(f"{name}@acme.example", name.title(), role, ("+4915112345678",)), change=change
            )
        uow.session.execute(insert(Queue), [{"name": f"Team {n}", "position": n} for n in range(5)])
        uow.session.execute(insert(Category), [{"name": f"Category {n}", "position": n} for n in range(10)])


def _batch(database: Database, ids: range, requesters: int, rng: random.Random) -> None:
    made, messages, documents, known = [], [], [], []
    for n in ids:
        at = BASE + timedelta(minutes=n % 400_000, seconds=n // 400_000)
        is_open = rng.random() < 0.2
        subject = " ".join(rng.choices(WORDS, k=4))
        made.append(
            {
                "id": n, "subject": subject,
                "status": rng.choice(("new", "open", "in progress")) if is_open else "closed",
                "is_open": is_open, "priority": rng.choice((1, 2, 3, 3, 3, 4)), "queue_id": rng.randint(1, 5),
                "category_id": rng.randint(1, 10), "requester_id": rng.randint(1, requesters),
                "customer_id": rng.randint(1, CUSTOMERS),
                "assignee_id": rng.choice((None, 1, 2, 3)), "source": rng.choice(("mail", "mail", "form")),
                "received_at": at, "created_at": at, "changed_at": at, "triaged_at": at, "triage": {"reasons": []},
            }
        )  # fmt: skip
        for k in (0, 1):
            body = " ".join(rng.choices(WORDS, k=25)) + (" zephyr" if n % 500 == 0 and k == 0 else "")
            kind = ("request", "answer")[k]
            messages.append(
                {
                    "id": 2 * n + k,
                    "ticket_id": n,
                    "kind": kind,
                    "is_public": True,
                    "author": "x",
                    "body": body,
                    "at": at,
                    "corrections": [],
                }
            )
            documents.append({"message_id": 2 * n + k, "ticket_id": n, "tokens": tokenise(f"{subject} {body}")})
        known.append({"message_id": f"<{n}@c.example>", "ticket_id": n})
    with database.unit_of_work() as uow:
        for model, rows in ((Ticket, made), (Message, messages), (SearchDocument, documents), (KnownMessageId, known)):
            uow.session.execute(insert(model), rows)

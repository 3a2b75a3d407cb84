"""Tickets from a CSV or JSON-lines file. Pages nobody, mails nobody, and names each row it could not take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from portal.core.ticket_rows import RefusedRow, TicketRow, parse_ticket_rows
from portal.core.tickets import CLOSED, RESOLVED
from portal.models import UnitOfWork
from portal.services.context import Context
from portal.services.settings import load_settings
from portal.services.tickets import (
    ANSWER,
    REQUEST,
    Actor,
    NewMessage,
    NewTicket,
    add_message,
    create_ticket,
    find_or_add_requester,
)

# Rows in one commit: about 20 ms of the database's time (decisions.md 5).
BATCH = 5
ACTOR = Actor("Import")

Pause = Callable[[float], None]


@dataclass
class TicketImport:
    """What an import did."""

    taken: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    first_id: int | None = None
    last_id: int | None = None


def import_tickets(context: Context, lines: Iterable[str], *, is_json: bool, pause: Pause = time.sleep) -> TicketImport:
    """Take every row that can be taken. After each commit it pauses for as long as that one held the database.

    Args:
        lines: the text lines of the file.
        is_json: one JSON object a line instead of CSV.
    """
    report = TicketImport()
    with context.database.read_session() as session:
        zone = load_settings(session).zone
    batch: list[TicketRow] = []
    for row in parse_ticket_rows(lines, is_json=is_json, zone=zone):
        if isinstance(row, RefusedRow):
            report.refused.append(row)
            continue
        batch.append(row)
        if len(batch) == BATCH:
            _store(context, batch, report, pause)
            batch = []
    _store(context, batch, report, pause)
    return report


def _store(context: Context, batch: list[TicketRow], report: TicketImport, pause: Pause) -> None:
    if not batch:
        return
    began = time.monotonic()
    with context.database.unit_of_work() as uow:
        ids = [_create(context, uow, row) for row in batch]
    report.taken += len(ids)
    report.first_id, report.last_id = report.first_id or ids[0], ids[-1]
    pause(time.monotonic() - began)


def _create(context: Context, uow: UnitOfWork, row: TicketRow) -> int:
    now = context.clock.now()
    created_at = min(row.created_at or now, now)
    requester_id = None
    if row.requester or row.requester_name:
        requester_id = find_or_add_requester(uow, row.requester, now=now, name=row.requester_name).id
    values = {
        "status": row.status,
        "priority": row.priority,
        "is_imported": True,
        "changed_at": created_at,
        "resolution": row.reply if row.status in (RESOLVED, CLOSED) else "",
        "resolved_at": created_at if row.status in (RESOLVED, CLOSED) else None,
        "closed_at": created_at if row.status == CLOSED else None,
    }
    author = f"{row.requester_name} <{row.requester}>" if row.requester and row.requester_name else ""
    author = author or row.requester or row.requester_name
    first = NewMessage(kind=REQUEST, body=row.body, author=author, at=created_at)
    new = NewTicket(row.title, first, "import", requester_id, created_at, values)
    ticket, _ = create_ticket(uow, new, actor=ACTOR, now=now)
    if row.reply:
        answer = NewMessage(kind=ANSWER, body=row.reply, author=ACTOR.name, at=created_at)
        add_message(uow, ticket, answer, now=now, touch=False)
        ticket.first_response_at = created_at
    return ticket.id

"""Where tickets went that were merged into others."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import CompoundSelect, literal, select, union_all
from sqlalchemy.orm import Session

from portal.core.threading import follow_merges
from portal.models import Ticket


def find_merged(session: Session, ticket_ids: Iterable[int]) -> dict[int, int]:
    """Where each of these tickets is now: itself, or the one it was merged into, over any chain. A ticket that does
    not exist is absent. One statement for each link of the longest chain."""
    wanted = set(ticket_ids)
    merged: dict[int, int | None] = {}
    missing = set(wanted)
    while missing:
        query = select(Ticket.id, Ticket.merged_into_id).where(Ticket.id.in_(missing))
        merged.update((row.id, row.merged_into_id) for row in session.execute(query))
        missing = {into for into in merged.values() if into is not None and into not in merged}
    return {one: follow_merges(one, merged=merged) for one in wanted if one in merged}


def with_merged(ticket_id: int) -> CompoundSelect[int]:
    """The ids of a ticket and of what was merged into it, to be asked for within a statement. No OR: SQLite would read
    the whole index for one."""
    return union_all(select(literal(ticket_id)), select(Ticket.id).where(Ticket.merged_into_id == ticket_id))


def current_ticket(session: Session, ticket: Ticket) -> Ticket:
    """The ticket that words for this one go to. No statement unless it was merged."""
    if ticket.merged_into_id is None:
        return ticket
    return session.get_one(Ticket, find_merged(session, [ticket.id])[ticket.id])


def ticket_for_link(session: Session, ticket: Ticket) -> Ticket:
    """What the private link of a ticket shows: the one it was merged into, but only when that is the same requester's.
    What others say is not theirs to read."""
    current = current_ticket(session, ticket)
    return current if current.requester_id == ticket.requester_id else ticket

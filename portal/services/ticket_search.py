"""The full-text search of the ticket list: newest matching message first, one row a ticket (decisions.md 5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, cast, column, func, literal, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from portal.core.search import SearchTerm, parse_query, to_fts5, to_tsquery
from portal.models import SearchDocument, Ticket
from portal.services.ticket_list import (
    FIRST,
    PAGE_SIZE,
    SCAN_LIMIT,
    Place,
    TicketFilter,
    TicketPage,
    filter_conditions,
    load_lines,
)

HITS = 200  # matching messages read for one page of 50 tickets; what is left is on the next page
MOST_COUNTED = 1000

_FTS = table("message_search", column("rowid"))


def search_tickets(session: Session, wanted: TicketFilter, place: Place = FIRST) -> TicketPage:
    """The tickets with a message in which every one of `wanted.words` occurs, within the other filters.

    Goes from the newest message on; `place` is first or older. Words without a letter or digit find nothing.
    At most four statements.
    """
    terms = parse_query(wanted.words)
    if not terms:
        return TicketPage(())
    hits = session.execute(_hits(session, terms, wanted, place)).all()
    newest = {hit.ticket_id: hit.message_id for hit in reversed(hits)}
    in_order = sorted(newest, key=newest.__getitem__, reverse=True)
    candidates = in_order[: 2 * PAGE_SIZE]
    seen = _seen_before(session, terms, candidates, place)
    fresh = [ticket_id for ticket_id in candidates if ticket_id not in seen]
    shown = fresh[:PAGE_SIZE]
    lines = load_lines(session, shown) if shown else {}
    if len(in_order) > len(shown) + len(seen):
        end, is_cut = newest[shown[-1] if len(fresh) > PAGE_SIZE else candidates[-1]], False
    else:
        end = _end(session, terms, wanted, place, [hit.message_id for hit in hits])
        is_cut = end is not None
    return TicketPage(tuple(lines[id] for id in shown), older=(end,) if end else None, is_cut=is_cut)


def count_found(session: Session, wanted: TicketFilter) -> tuple[int, bool]:
    """How many tickets the words find, the other filters left aside, and whether there are more than were counted.

    Counts over at most 1,000 matching messages.
    """
    terms = parse_query(wanted.words)
    if not terms:
        return 0, False
    some = _scan(session, terms, FIRST, MOST_COUNTED + 1).subquery("scanned")
    documents = select(SearchDocument.ticket_id).join(some, some.c.message_id == SearchDocument.message_id).subquery()
    query = select(func.count(), func.count(documents.c.ticket_id.distinct())).select_from(documents)
    messages, tickets = session.execute(query).one()
    return int(tickets), messages > MOST_COUNTED


def _matching(session: Session, terms: tuple[SearchTerm, ...]) -> tuple[Any, Any]:
    """The column of message ids to read, and the condition that every word occurs. SQLite reads the FTS index."""
    if session.get_bind().dialect.name == "sqlite":
        return _FTS.c.rowid, text("message_search MATCH :words").bindparams(words=to_fts5(terms))
    tokens = func.array_to_tsvector(func.string_to_array(SearchDocument.tokens, " "))
    return SearchDocument.message_id, tokens.op("@@")(cast(literal(to_tsquery(terms)), TSQUERY))


def _scan(session: Session, terms: tuple[SearchTerm, ...], place: Place, limit: int) -> Select[Any]:
    """The ids of matching messages, newest first."""
    message_id, matches = _matching(session, terms)
    query = select(message_id.label("message_id")).where(matches).order_by(message_id.desc()).limit(limit)
    return query.where(message_id < place.key[0]) if place.key else query


def _hits(session: Session, terms: tuple[SearchTerm, ...], wanted: TicketFilter, place: Place) -> Select[Any]:
    conditions = filter_conditions(wanted).values()
    found = _scan(session, terms, place, SCAN_LIMIT if conditions else HITS).subquery("scanned")
    query = select(found.c.message_id, SearchDocument.ticket_id).join(
        SearchDocument, SearchDocument.message_id == found.c.message_id
    )
    if conditions:
        query = query.join(Ticket, Ticket.id == SearchDocument.ticket_id).where(*conditions)
    return query.order_by(found.c.message_id.desc()).limit(HITS)


def _seen_before(session: Session, terms: tuple[SearchTerm, ...], ids: list[int], place: Place) -> set[int]:
    """Those of the tickets that an earlier page has shown, by a newer matching message."""
    if not place.key or not ids:
        return set()
    message_id, matches = _matching(session, terms)
    newer = select(SearchDocument.message_id).where(
        SearchDocument.ticket_id.in_(ids), SearchDocument.message_id >= place.key[0]
    )
    matching = select(message_id).where(matches, message_id.in_(newer))
    query = select(SearchDocument.ticket_id).distinct().where(SearchDocument.message_id.in_(matching))
    return set(session.scalars(query))


def _end(
    session: Session, terms: tuple[SearchTerm, ...], wanted: TicketFilter, place: Place, read: list[int]
) -> int | None:
    """The message after which looking goes on when this page could not be filled; None at the end of the list."""
    if len(read) == HITS:
        return read[-1]
    if not filter_conditions(wanted):
        return None
    end: int | None = session.scalar(_scan(session, terms, place, 1).offset(SCAN_LIMIT - 1))
    return end

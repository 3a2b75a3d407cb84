"""The full-text search of the ticket list: newest matching message first, one row a ticket (decisions.md 5)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, cast, column, func, select, table, text
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
    dialect = _dialect(session)
    words = {"words": _words(dialect, terms)}
    limit = SCAN_LIMIT if filter_conditions(wanted) else HITS
    hits = session.execute(_hits(dialect, replace(wanted, words=""), place, limit), words).all()
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
    dialect = _dialect(session)
    messages, tickets = session.execute(_count_select(dialect), {"words": _words(dialect, terms)}).one()
    return int(tickets), messages > MOST_COUNTED


@cache  # building a statement costs as much as running this one
def _count_select(dialect: str) -> Select[int, int]:
    some = _scan(dialect, FIRST, MOST_COUNTED + 1).subquery("scanned")
    documents = select(SearchDocument.ticket_id).join(some, some.c.message_id == SearchDocument.message_id).subquery()
    return select(func.count(), func.count(documents.c.ticket_id.distinct())).select_from(documents)


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def _words(dialect: str, terms: tuple[SearchTerm, ...]) -> str:
    """The value of the parameter `words` of every statement here."""
    return to_fts5(terms) if dialect == "sqlite" else to_tsquery(terms)


def _matching(dialect: str) -> tuple[Any, Any]:
    """The column of message ids to read, and the condition that every word occurs. SQLite reads the FTS index."""
    if dialect == "sqlite":
        return _FTS.c.rowid, text("message_search MATCH :words")
    tokens = func.array_to_tsvector(func.string_to_array(SearchDocument.tokens, " "))
    return SearchDocument.message_id, tokens.op("@@")(cast(bindparam("words"), TSQUERY))


def _scan(dialect: str, place: Place, limit: int) -> Select[Any]:
    """The ids of matching messages, newest first."""
    message_id, matches = _matching(dialect)
    query = select(message_id.label("message_id")).where(matches).order_by(message_id.desc()).limit(limit)
    return query.where(message_id < place.key[0]) if place.key else query


@lru_cache(maxsize=100)
def _hits(dialect: str, wanted: TicketFilter, place: Place, limit: int) -> Select[Any]:
    conditions = filter_conditions(wanted).values()
    found = _scan(dialect, place, limit).subquery("scanned")
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
    dialect = _dialect(session)
    message_id, matches = _matching(dialect)
    newer = select(SearchDocument.message_id).where(
        SearchDocument.ticket_id.in_(ids), SearchDocument.message_id >= place.key[0]
    )
    matching = select(message_id).where(matches, message_id.in_(newer))
    query = select(SearchDocument.ticket_id).distinct().where(SearchDocument.message_id.in_(matching))
    return set(session.scalars(query, {"words": _words(dialect, terms)}))


def _end(
    session: Session, terms: tuple[SearchTerm, ...], wanted: TicketFilter, place: Place, read: list[int]
) -> int | None:
    """The message after which looking goes on when this page could not be filled; None at the end of the list."""
    if len(read) == HITS:
        return read[-1]
    if not filter_conditions(wanted):
        return None
    dialect = _dialect(session)
    query = _scan(dialect, place, 1).offset(SCAN_LIMIT - 1)
    end: int | None = session.scalar(query, {"words": _words(dialect, terms)})
    return end

"""The ticket list: filters, two sorts, pages by keyset. Each page costs the same wherever it lies (decisions.md 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    Subquery,
    bindparam,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from portal.models import Page, Requester, Ticket, TicketCount

PAGE_SIZE = 50
SCAN_LIMIT = 5000  # rows looked at for one page of a combined filter; then "keep looking" is offered
SORTS = ("newest", "changed")
ACTIVE = "active"

Key = tuple[Any, ...]


@dataclass(frozen=True)
class TicketFilter:
    """What the list shows.

    `status`: ACTIVE for everything not resolved or closed, "" for all, or one status. Ids: None is any, 0 is none
    (no queue, nobody). `words` is for the search (services/ticket_search.py). `sort`: newest or changed.
    """

    status: str = ACTIVE
    queue_id: int | None = None
    category_id: int | None = None
    priority: int | None = None
    assignee_id: int | None = None
    source: str = ""
    requester_id: int | None = None
    customer_id: int | None = None
    words: str = ""
    sort: str = "newest"


@dataclass(frozen=True)
class Place:
    """Where a page begins. `way`: first, older (after `key`), newer (before `key`) or last."""

    way: str = "first"
    key: Key = ()


FIRST = Place()


@dataclass(frozen=True)
class TicketLine:
    """One row of the list. `page_state` is open or acknowledged while a page of the ticket runs."""

    id: int
    subject: str
    status: str
    priority: int
    queue_id: int | None
    category_id: int | None
    assignee_id: int | None
    customer_id: int | None
    source: str
    emergency: str
    received_at: datetime
    changed_at: datetime
    requester: str
    page_state: str


@dataclass(frozen=True)
class TicketPage:
    """At most 50 lines, newest first, and the keys of the neighbours (None: there is none).

    `is_cut` says that the scan stopped at its limit: `older` (or `newer`) then goes on looking.
    """

    lines: tuple[TicketLine, ...]
    newer: Key | None = None
    older: Key | None = None
    is_cut: bool = False


_DRIVERS = ("assignee_id", "customer_id", "category_id", "queue_id", "priority", "source")  # most selective first
_COLUMNS = (
    Ticket.id, Ticket.subject, Ticket.status, Ticket.priority, Ticket.queue_id, Ticket.category_id, Ticket.assignee_id,
    Ticket.customer_id, Ticket.source, Ticket.emergency, Ticket.received_at, Ticket.changed_at, Ticket.requester_id,
    Ticket.is_open,
)  # fmt: skip


def list_tickets(session: Session, wanted: TicketFilter, place: Place = FIRST) -> TicketPage:
    """One page of the list, without the search words (`wanted.words` is not read here).

    One statement; two when the scan of a combined filter ended at its limit or the way back met the first page.
    """
    wanted = _sortable(wanted)
    driver, rest = _split(wanted)
    is_up = place.way in ("newer", "last")
    rows = list(session.execute(_page_select(wanted, driver, rest, place)))
    has_more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    end = _scan_end(session, wanted, driver, place) if rest and not has_more else None
    if place.way == "newer" and not has_more and end is None:
        return list_tickets(session, wanted, FIRST)
    onward = key_of(_line(rows[-1]), wanted.sort) if has_more else end
    lines = tuple(_line(row) for row in (reversed(rows) if is_up else rows))
    back = key_of(lines[-1 if is_up else 0], wanted.sort) if lines else place.key
    came_from = back if place.way in ("older", "newer") else None
    newer, older = (onward, came_from) if is_up else (came_from, onward)
    return TicketPage(lines, newer, older, is_cut=end is not None)


def count_tickets(session: Session, wanted: TicketFilter) -> int | None:
    """How many tickets the filter holds, from the counters; None where only a scan could tell."""
    if wanted.words or wanted.source or wanted.requester_id is not None:
        return None
    if any(one is not None for one in (wanted.category_id, wanted.assignee_id, wanted.customer_id)):
        return None
    query = select(func.coalesce(func.sum(TicketCount.n), 0))
    if wanted.status:
        is_open = TicketCount.status.not_in(("resolved", "closed"))
        query = query.where(is_open if wanted.status == ACTIVE else TicketCount.status == wanted.status)
    if wanted.queue_id is not None:
        query = query.where(TicketCount.queue_id == wanted.queue_id)
    if wanted.priority is not None:
        query = query.where(TicketCount.priority == wanted.priority)
    return int(session.scalar(query) or 0)


def load_lines(session: Session, ids: list[int]) -> dict[int, TicketLine]:
    """The lines of these tickets, for lists that were found another way."""
    return {row.id: _line(row) for row in session.execute(_lines_select(), {"ids": ids})}


def key_of(line: TicketLine, sort: str) -> Key:
    """Where this line stands in a sort: what the next page starts after."""
    return (line.changed_at, line.id) if sort == "changed" else (line.id,)


def filter_conditions(wanted: TicketFilter, columns: Any = Ticket) -> dict[str, ColumnElement[bool]]:
    """The conditions of a filter by the column they are about. `columns`: Ticket, or a subquery's `c`."""
    conditions: dict[str, ColumnElement[bool]] = {}
    if wanted.status == ACTIVE:
        conditions["is_open"] = columns.is_open == true()
    elif wanted.status:
        conditions["status"] = columns.status == wanted.status
    for name in ("queue_id", "category_id", "assignee_id", "customer_id"):
        value = getattr(wanted, name)
        if value is not None:
            conditions[name] = getattr(columns, name) == value if value else getattr(columns, name).is_(None)
    for name in ("priority", "source", "requester_id"):
        value = getattr(wanted, name)
        if value:
            conditions[name] = getattr(columns, name) == value
    return conditions


def _sortable(wanted: TicketFilter) -> TicketFilter:
    """A requester's tickets are indexed by newest only."""
    return replace(wanted, sort="newest") if wanted.requester_id else wanted


def _split(wanted: TicketFilter) -> tuple[str, list[str]]:
    """The condition an index serves in the order of the sort, and those that are checked row by row."""
    names = list(filter_conditions(wanted))
    order = (
        "requester_id",
        "is_open",
        *(("status",) if wanted.status not in ("", "closed") else ()),
        *_DRIVERS,
        "status",
    )
    driver = next((name for name in order if name in names), "")
    return driver, [name for name in names if name != driver]


def _sort_key(wanted: TicketFilter, columns: Any = Ticket) -> tuple[ColumnElement[Any], ...]:
    return (columns.changed_at, columns.id) if wanted.sort == "changed" else (columns.id,)


def _scan(wanted: TicketFilter, driver: str, place: Place, *columns: Any) -> Select[Any]:
    """The walk along one index, from where the page begins."""
    key, is_up = _sort_key(wanted), place.way in ("newer", "last")
    query = select(*columns).order_by(*(part.asc() if is_up else part.desc() for part in key))
    if driver:
        query = query.where(filter_conditions(wanted)[driver])
    if place.key:
        here = tuple_(*key)
        there = tuple_(*(literal(value, part.type) for value, part in zip(place.key, key, strict=True)))
        query = query.where(here > there if is_up else here < there)
    return query


def _page_select(wanted: TicketFilter, driver: str, rest: list[str], place: Place) -> Select[Any]:
    """Scan at most 5,000 rows in order, keep the first 51 that fit, then add the names: each step limits the next."""
    scan = _scan(wanted, driver, place, *_COLUMNS)
    if rest:
        scanned = scan.limit(SCAN_LIMIT).subquery("scanned")
        fitting = filter_conditions(wanted, scanned.c)
        scan = select(scanned).where(*(fitting[name] for name in rest))
    found = scan.limit(PAGE_SIZE + 1).subquery("t")
    is_up = place.way in ("newer", "last")
    return _with_names(found).order_by(*(p.asc() if is_up else p.desc() for p in _sort_key(wanted, found.c)))


def _with_names(found: Subquery) -> Select[Any]:
    """Adds the requester and whether a page is open; both are at most one row a ticket."""
    return (
        select(found, Requester.name, Requester.email, Page.state)
        .outerjoin(Requester, Requester.id == found.c.requester_id)
        .outerjoin(Page, (Page.ticket_id == found.c.id) & Page.state.in_(("open", "acknowledged")))
    )


@cache  # building a statement costs more than running this one
def _lines_select() -> Select[Any]:
    ids: BindParameter[list[int]] = bindparam("ids", expanding=True)
    return _with_names(select(*_COLUMNS).where(Ticket.id.in_(ids)).subquery("t"))


def _scan_end(session: Session, wanted: TicketFilter, driver: str, place: Place) -> Key | None:
    """The last row the scan looked at when its limit ended it; None when it came to the end of the list."""
    query = _scan(wanted, driver, place, *_sort_key(wanted)).offset(SCAN_LIMIT - 1).limit(1)
    row = session.execute(query).one_or_none()
    return tuple(row) if row else None


def _line(row: Row[Any]) -> TicketLine:
    return TicketLine(
        id=row.id,
        subject=row.subject,
        status=row.status,
        priority=row.priority,
        queue_id=row.queue_id,
        category_id=row.category_id,
        assignee_id=row.assignee_id,
        customer_id=row.customer_id,
        source=row.source,
        emergency=row.emergency,
        received_at=row.received_at,
        changed_at=row.changed_at,
        requester=row.name or row.email or "",
        page_state=row.state or "",
    )

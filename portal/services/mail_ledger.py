"""The ledger of mail as pages show it: every message that ever came, with its verdict, filtered and counted.

Each page costs the same wherever it lies: one index is walked in the order of the list, what it does not serve is
checked row by row for at most 5,000 rows, and then "keep looking" is offered (as in services/ticket_list.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import Session

from portal.core import intake
from portal.models import MailboxRow, MailLedger, SessionBlobStore, Ticket

PAGE_SIZE = 50
SCAN_LIMIT = 5000
MOST_COUNTED = 1000
WAITING = "waiting"
UNEXPLAINED = "unexplained"
FILTERS = (*intake.VERDICTS, WAITING, UNEXPLAINED)

Key = tuple[Any, ...]


@dataclass(frozen=True)
class LedgerFilter:
    """What the ledger shows; "", None and False are any.

    `verdict` is one of FILTERS. `sender` is a whole address, `words` stand somewhere in sender or subject, or are a
    whole Message-ID in its brackets. `since` and `until` are the ends of a day, by when mails were received.
    """

    verdict: str = ""
    mailbox_id: int | None = None
    kind: str = ""
    is_late: bool = False
    rule_id: int | None = None
    sender: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class LedgerPlace:
    """Where a page begins: the first, or older or newer than `key`."""

    way: str = "first"
    key: Key = ()


@dataclass(frozen=True)
class LedgerLine:
    """One row of the list. `verdict` is "" while it waits."""

    id: int
    received_at: datetime
    sender: str
    subject: str
    verdict: str
    reason: str
    kind: str
    mailbox_id: int
    ticket_id: int | None
    rule_id: int | None
    is_found_late: bool
    is_sent: bool
    verdict_at: datetime | None


@dataclass(frozen=True)
class LedgerPage:
    """At most 50 lines, newest first, and the keys of the neighbours (None: there is none). `is_cut`: the scan stopped
    at its limit, and `older` or `newer` goes on looking."""

    lines: tuple[LedgerLine, ...]
    newer: Key | None = None
    older: Key | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class LedgerCounts:
    """Mails that somebody should look at. Each is counted up to 1,000."""

    unexplained: int
    waiting: int
    quarantined: int


_FIRST = LedgerPlace()
_COLUMNS = (
    MailLedger.id, MailLedger.received_at, MailLedger.sender, MailLedger.subject, MailLedger.verdict,
    MailLedger.reason, MailLedger.kind, MailLedger.mailbox_id, MailLedger.ticket_id, MailLedger.rule_id,
    MailLedger.is_found_late, MailLedger.is_sent, MailLedger.verdict_at,
)  # fmt: skip
_DRIVERS = ("message_id", "day", "late", "rule", "verdict", "mailbox")  # what an index serves, most selective first


def list_ledger(session: Session, wanted: LedgerFilter, place: LedgerPlace = _FIRST, *, now: datetime) -> LedgerPage:
    """One page. One statement; two when the scan ended at its limit or the way back met the first page."""
    conditions = _conditions(wanted, now)
    driver = next((name for name in _DRIVERS if name in conditions), "")
    rest = [name for name in conditions if name != driver]
    is_up = place.way == "newer"
    rows = list(session.execute(_page_select(conditions, driver, rest, place)))
    has_more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    end = _scan_end(session, conditions, driver, place) if rest and not has_more else None
    if is_up and not has_more and end is None:
        return list_ledger(session, wanted, _FIRST, now=now)
    lines = tuple(LedgerLine(*row) for row in (reversed(rows) if is_up else rows))
    onward = _key(LedgerLine(*rows[-1]), driver) if has_more else end
    back = _key(lines[-1 if is_up else 0], driver) if lines else place.key
    came_from = back if place.way in ("older", "newer") else None
    newer, older = (onward, came_from) if is_up else (came_from, onward)
    return LedgerPage(lines, newer, older, is_cut=end is not None)


def count_ledger(session: Session, *, now: datetime) -> LedgerCounts:
    """What waits for somebody. One statement."""
    conditions = (_unexplained(now), MailLedger.verdict == "", MailLedger.verdict == intake.QUARANTINED)
    counts = [
        select(func.count()).select_from(select(literal(1)).where(one).limit(MOST_COUNTED).subquery()).scalar_subquery()
        for one in conditions
    ]
    return LedgerCounts(*session.execute(select(*counts)).one())


def list_ledger_mailboxes(session: Session) -> Sequence[MailboxRow]:
    """Every mailbox that mail of the ledger may be from, by name: files and removed ones too."""
    return session.scalars(select(MailboxRow).order_by(MailboxRow.name)).all()


def count_days(session: Session, starts: Sequence[datetime]) -> list[dict[str, int]]:
    """Mails received between each two neighbours of `starts`, by verdict ("" for those that wait). One statement along
    one index."""
    days = list(pairwise(starts))
    counts: list[dict[str, int]] = [{} for _ in days]
    if not days:
        return counts
    queries = [
        select(literal(number), MailLedger.verdict, func.count())
        .where(MailLedger.received_at >= since, MailLedger.received_at < until)
        .group_by(MailLedger.verdict)
        for number, (since, until) in enumerate(days)
    ]
    for number, verdict, n in session.execute(union_all(*queries)):
        counts[number][verdict] = n
    return counts


def load_ledger_row(session: Session, ledger_id: int) -> MailLedger | None:
    """One row, None when there is none."""
    return session.get(MailLedger, ledger_id)


def list_twins(session: Session, row: MailLedger, *, most: int = 10) -> Sequence[MailLedger]:
    """Other rows with the same content or Message-ID, oldest first."""
    same = []
    if row.content_hash:
        same.append(MailLedger.content_hash == row.content_hash)
    if row.message_id:
        same.append(MailLedger.message_id == row.message_id)
    if not same:
        return ()
    # Two halves, each by its own index: asked as one, SQLite walks the table.
    ids = union(*(select(MailLedger.id).where(one).limit(most + 1).subquery().select() for one in same))
    found = session.scalars(select(MailLedger).where(MailLedger.id.in_(ids)).order_by(MailLedger.id))
    return [one for one in found if one.id != row.id][:most]


def load_original(session: Session, ledger_id: int) -> bytes | None:
    """The mail as it came, None when there is no such row. Only the header for one that was too large."""
    sha256 = session.scalar(select(MailLedger.sha256).where(MailLedger.id == ledger_id))
    return SessionBlobStore(session).get(sha256) if sha256 else None


def load_ticket_subject(session: Session, ticket_id: int | None) -> str:
    """What the mail's ticket is called now, "" for none."""
    return session.scalar(select(Ticket.subject).where(Ticket.id == ticket_id)) or "" if ticket_id else ""


def _unexplained(now: datetime, columns: Any = MailLedger) -> ColumnElement[bool]:
    since = now - timedelta(minutes=intake.UNEXPLAINED_AFTER_MINUTES)
    is_old: ColumnElement[bool] = (columns.verdict == "") & (columns.listed_at < since)
    return is_old


def _conditions(wanted: LedgerFilter, now: datetime) -> dict[str, ColumnElement[bool]]:
    """The conditions of a filter, by the index that may serve them."""
    found: dict[str, ColumnElement[bool]] = {}
    if wanted.since is not None and wanted.until is not None:
        found["day"] = (MailLedger.received_at >= wanted.since) & (MailLedger.received_at < wanted.until)
    if wanted.is_late:
        # As the partial index has it: SQLite takes no other words for the same.
        found["late"] = cast("ColumnElement[bool]", text("mail_ledger.is_found_late"))
    if wanted.rule_id is not None:
        found["rule"] = MailLedger.rule_id == wanted.rule_id
    if wanted.verdict == UNEXPLAINED:
        found["verdict"] = _unexplained(now)
    elif wanted.verdict in FILTERS:
        found["verdict"] = MailLedger.verdict == ("" if wanted.verdict == WAITING else wanted.verdict)
    if wanted.mailbox_id is not None:
        found["mailbox"] = MailLedger.mailbox_id == wanted.mailbox_id
    if wanted.kind:
        found["kind"] = MailLedger.kind == wanted.kind
    if wanted.sender:
        found["sender"] = func.lower(MailLedger.sender) == wanted.sender.lower()
    if wanted.words.startswith("<") and wanted.words.endswith(">"):
        found["message_id"] = MailLedger.message_id == wanted.words
    elif wanted.words:
        words = (MailLedger.sender, MailLedger.subject)
        found["words"] = or_(*(column.icontains(wanted.words, autoescape=True) for column in words))
    return found


def _sort(driver: str, columns: Any = MailLedger) -> tuple[ColumnElement[Any], ...]:
    return (columns.received_at, columns.id) if driver == "day" else (columns.id,)


def _key(line: LedgerLine, driver: str) -> Key:
    return (line.received_at, line.id) if driver == "day" else (line.id,)


def _scan(conditions: dict[str, ColumnElement[bool]], driver: str, place: LedgerPlace, *columns: Any) -> Select[Any]:
    """The walk along one index, from where the page begins."""
    sort, is_up = _sort(driver), place.way == "newer"
    query = select(*columns).order_by(*(part.asc() if is_up else part.desc() for part in sort))
    if driver:
        query = query.where(conditions[driver])
    if len(place.key) == len(sort):
        here = tuple_(*sort)
        there = tuple_(*(literal(value, part.type) for value, part in zip(place.key, sort, strict=True)))
        query = query.where(here > there if is_up else here < there)
    return query


def _page_select(
    conditions: dict[str, ColumnElement[bool]], driver: str, rest: list[str], place: LedgerPlace
) -> Select[Any]:
    """Look at no more than 5,000 rows in order, and keep the first 51 that fit."""
    if not rest:
        return _scan(conditions, driver, place, *_COLUMNS).limit(PAGE_SIZE + 1)
    scanned: Subquery = _scan(conditions, driver, place, MailLedger.id).limit(SCAN_LIMIT).subquery("scanned")
    is_up = place.way == "newer"
    order = (part.asc() if is_up else part.desc() for part in _sort(driver))
    fitting = (conditions[name] for name in rest)
    query: Any = select(*_COLUMNS).join(scanned, scanned.c.id == MailLedger.id).where(*fitting)
    found: Select[Any] = query.order_by(*order).limit(PAGE_SIZE + 1)
    return found


def _scan_end(
    session: Session, conditions: dict[str, ColumnElement[bool]], driver: str, place: LedgerPlace
) -> Key | None:
    """The last row the scan looked at when its limit ended it; None when it came to the end of the list."""
    query = _scan(conditions, driver, place, *_sort(driver)).offset(SCAN_LIMIT - 1).limit(1)
    row = session.execute(query).one_or_none()
    return tuple(row) if row else None

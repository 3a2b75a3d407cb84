"""The circuit breaker's memory: each automatic mail is counted in the transaction that writes it (core/breaker.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.core import breaker
from portal.core.breaker import Counts, Earlier, Said, Trip, decide_breaker, find_sign
from portal.core.errors import DomainError
from portal.core.mail_domains import PUBLIC_DOMAINS
from portal.models import AutomaticMail, BreakerTrip, Message, OutgoingMail, Ticket, TicketEvent, UnitOfWork
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.audit import Change, record_change
from portal.services.tickets import REQUEST

HELD_BACK = "Circuit breaker: "  # how `last_error` of a mail begins that it held back
_COMPARED = 10
_DEEP = 2  # nobody resends a mail from somebody else's address
_REMEMBERED = 40
_READ_CHARACTERS = 4000


@dataclass(frozen=True)
class BreakerView:
    """For the panel: what is stopped, what it held back lately, and how much automatic mail went in a day."""

    trips: Sequence[BreakerTrip]
    held_back: Sequence[OutgoingMail]
    in_an_hour: int
    in_a_day: int


@dataclass(frozen=True)
class _Memory:
    """What went before: to this address, to its company, and to whoever wrote the very same words."""

    same: list[AutomaticMail]
    company: list[AutomaticMail]
    alike: list[AutomaticMail]


def pass_breaker(uow: UnitOfWork, ticket: Ticket, address: str, *, now: datetime) -> str:
    """Count one automatic mail that is about to be written; "" when it may go, else why it is held back.

    Only for mail that no person here asked for: technicians' own words are never stopped. Raises an alarm when it is
    the first that is stopped.
    """
    session, address = uow.session, breaker.base_address(address)
    domain = address.rpartition("@")[2]
    said = _load_said(session, {ticket.id}).get(ticket.id)
    words = breaker.fingerprint(said) if said else ""
    scopes = {breaker.THREAD: str(ticket.id), breaker.ADDRESS: address, breaker.DOMAIN: domain, breaker.TOTAL: ""}
    if words:
        scopes[breaker.WORDS] = words
    trips = _load_trips(session, scopes, now=now)
    stopped = next((one for one in trips if one.resumed_at is None), None)
    if stopped is not None:
        stopped.held_back += 1
        return HELD_BACK + stopped.reason
    resumed = {one.scope: one.resumed_at for one in reversed(trips) if one.resumed_at}
    memory = _load_memory(session, scopes, since=now - breaker.WINDOW)
    sign, counts = _judge(session, ticket, said, memory, resumed, now=now)
    trip = decide_breaker(counts, sign=sign)
    if trip is not None:
        _trip(uow, trip, scopes[trip.scope], now=now)
        return HELD_BACK + trip.reason
    depth = _depth(sign, counts, is_first=not memory.same)
    session.add(
        AutomaticMail(at=now, ticket_id=ticket.id, address=address, domain=domain, words=words, sign=sign, depth=depth)
    )
    return ""


def stop_ticket(uow: UnitOfWork, ticket_id: int, *, reason: str, now: datetime) -> None:
    """Stop automatic mail about a ticket for another reason than the counts of mail to requesters; once, loudly."""
    known = (BreakerTrip.scope == breaker.THREAD, BreakerTrip.value == str(ticket_id), BreakerTrip.resumed_at.is_(None))
    stopped = uow.session.scalar(select(BreakerTrip).where(*known))
    if stopped is None:
        _trip(uow, Trip(breaker.THREAD, reason), str(ticket_id), now=now)
    else:
        stopped.held_back += 1


def last_resumed(session: Session, ticket_id: int) -> datetime | None:
    """When somebody last let automatic mail about a ticket go out again."""
    known = (BreakerTrip.scope == breaker.THREAD, BreakerTrip.value == str(ticket_id))
    return session.scalar(select(func.max(BreakerTrip.resumed_at)).where(*known))


def load_breaker(session: Session, *, now: datetime) -> BreakerView:
    """The panel's facts."""
    trips = session.scalars(
        select(BreakerTrip).where(BreakerTrip.resumed_at.is_(None)).order_by(BreakerTrip.id.desc())
    ).all()
    held_back = select(OutgoingMail).where(
        OutgoingMail.state == "cancelled", OutgoingMail.last_error.startswith(HELD_BACK)
    )
    return BreakerView(
        trips,
        session.scalars(held_back.order_by(OutgoingMail.id.desc()).limit(20)).all() if trips else (),
        _count_since(session, now - timedelta(hours=1)),
        _count_since(session, now - breaker.DAY),
    )


def count_trips(session: Session) -> int:
    """How many scopes are stopped now."""
    query = select(func.count()).select_from(BreakerTrip).where(BreakerTrip.resumed_at.is_(None))
    return session.scalar(query) or 0


def resume_trip(uow: UnitOfWork, trip_id: int, *, change: Change) -> str:
    """Automatic mail goes out again for what was stopped, counted anew from here. Returns the scope's name for people.

    Raises DomainError when it was resumed already. What was held back stays so.
    """
    row = uow.session.get(BreakerTrip, trip_id)
    if row is None or row.resumed_at is not None:
        raise DomainError("Automatic mail goes out there already.")
    row.resumed_at, row.resumed_by = change.at, change.actor_id
    end_alarm(uow, _alarm_key(row), now=change.at)
    record_change(uow, change, "mail_breaker.resume", scope_name(row.scope, row.value))
    return scope_name(row.scope, row.value)


def scope_name(scope: str, value: str) -> str:
    """What is stopped, as people say it."""
    names = {
        breaker.THREAD: f"ticket #{value}",
        breaker.ADDRESS: value,
        breaker.WORDS: "everybody who writes the same words",
        breaker.DOMAIN: f"everybody at {value}",
    }
    return names.get(scope, "everybody")


def prune_automatic(uow: UnitOfWork, *, now: datetime) -> int:
    """Forget what the breaker does not count any more. Returns how many rows went."""
    done = uow.session.execute(delete(AutomaticMail).where(AutomaticMail.at < now - breaker.WINDOW))
    return done.rowcount  # type: ignore[attr-defined, no-any-return]


def _depth(sign: str, counts: Counts, *, is_first: bool) -> int:
    if sign == breaker.QUICK:
        return _DEEP if is_first else counts.quick + 1
    return 1 if sign and is_first else 0


def _judge(
    session: Session,
    ticket: Ticket,
    said: Said | None,
    memory: _Memory,
    resumed: dict[str, datetime],
    *,
    now: datetime,
) -> tuple[str, Counts]:
    floor = now - breaker.WINDOW

    def count(rows: Sequence[AutomaticMail], scope: str, since: datetime, *signs: str) -> int:
        after = max(since, resumed.get(scope, floor))
        return sum(row.at > after and (not signs or row.sign in signs) for row in rows)

    alike = count(memory.alike, breaker.WORDS, _last_touched(session, memory.alike))
    if not memory.same and not memory.company:
        return breaker.NO_SIGN, Counts(words=alike)
    sign = _find_sign(session, ticket, said, memory)
    touched = _last_touched(session, (*memory.same, *memory.company))
    here = [row for row in memory.same if row.ticket_id == ticket.id]
    counts = Counts(
        thread=count(here, breaker.THREAD, floor),
        quick=count(memory.same, breaker.ADDRESS, touched, breaker.QUICK),
        alike=count(memory.same, breaker.ADDRESS, touched, breaker.QUICK, breaker.SLOW),
        address=count(memory.same, breaker.ADDRESS, touched),
        words=alike,
        domain=count(
            [row for row in memory.company if row.depth >= _DEEP], breaker.DOMAIN, max(touched, now - breaker.DAY)
        ),
        company=count(
            [row for row in memory.company if row.depth >= (1 if row.sign == breaker.SLOW else _DEEP)],
            breaker.DOMAIN,
            touched,
        ),
    )
    if sign == breaker.QUICK:
        counts = replace(counts, total=_count_deep(session, max(now - breaker.DAY, resumed.get(breaker.TOTAL, floor))))
    return sign, counts


def _find_sign(session: Session, ticket: Ticket, said: Said | None, memory: _Memory) -> str:
    if said is None:
        return breaker.NO_SIGN
    rows = [row for row in memory.same[:_COMPARED] or memory.company[:_COMPARED] if row.ticket_id != ticket.id]
    before = _load_said(session, {row.ticket_id for row in rows})
    earlier = [Earlier(row.at, bool(memory.same), before[row.ticket_id]) for row in rows if row.ticket_id in before]
    return find_sign(said, at=ticket.received_at, earlier=earlier)


def _load_trips(session: Session, scopes: dict[str, str], *, now: datetime) -> list[BreakerTrip]:
    """Those of these scopes that are stopped, or were resumed lately, newest first."""
    known = tuple_(BreakerTrip.scope, BreakerTrip.value).in_(scopes.items())
    lately = or_(BreakerTrip.resumed_at.is_(None), BreakerTrip.resumed_at > now - breaker.WINDOW)
    return list(session.scalars(select(BreakerTrip).where(known, lately).order_by(BreakerTrip.id.desc())))


def _load_memory(session: Session, scopes: Mapping[str, str], *, since: datetime) -> _Memory:
    newest = select(AutomaticMail).order_by(AutomaticMail.at.desc(), AutomaticMail.id.desc()).limit(_REMEMBERED)

    def load(column: InstrumentedAttribute[str], value: str) -> list[AutomaticMail]:
        return list(session.scalars(newest.where(column == value, AutomaticMail.at > since))) if value else []

    domain = scopes[breaker.DOMAIN]
    return _Memory(
        load(AutomaticMail.address, scopes[breaker.ADDRESS]),
        [] if domain in PUBLIC_DOMAINS else load(AutomaticMail.domain, domain),
        load(AutomaticMail.words, scopes.get(breaker.WORDS, "")),
    )


def _load_said(session: Session, ticket_ids: set[int]) -> dict[int, Said]:
    if not ticket_ids:
        return {}
    body = func.substr(Message.body, 1, _READ_CHARACTERS)
    query = select(Message.ticket_id, Message.subject, body).where(Message.kind == REQUEST)
    rows = session.execute(query.where(Message.ticket_id.in_(ticket_ids)).order_by(Message.id.desc()))
    return {ticket_id: Said(subject, text) for ticket_id, subject, text in rows}


def _last_touched(session: Session, rows: Sequence[AutomaticMail]) -> datetime:
    """When one of our people last did something on one of these tickets: a loop has no people in it."""
    ids = {row.ticket_id for row in rows}
    query = select(func.max(TicketEvent.at)).where(TicketEvent.ticket_id.in_(ids), TicketEvent.actor_id.is_not(None))
    return (session.scalar(query) if ids else None) or datetime.min.replace(tzinfo=UTC)


def _count_deep(session: Session, since: datetime) -> int:
    query = (
        select(func.count()).select_from(AutomaticMail).where(AutomaticMail.at > since, AutomaticMail.depth >= _DEEP)
    )
    return session.scalar(query) or 0


def _count_since(session: Session, since: datetime) -> int:
    return session.scalar(select(func.count()).select_from(AutomaticMail).where(AutomaticMail.at > since)) or 0


def _trip(uow: UnitOfWork, trip: Trip, value: str, *, now: datetime) -> None:
    row = BreakerTrip(scope=trip.scope, value=value, reason=trip.reason, tripped_at=now, held_back=1)
    uow.session.add(row)
    name = scope_name(trip.scope, value)
    text = f"Automatic mail to {name} is stopped. {trip.reason} The Mail page shows it and can resume it."
    raise_alarm(uow, _alarm_key(row), text, now=now)


def _alarm_key(row: BreakerTrip) -> str:
    return f"breaker:{row.scope}:{row.value}"[:100]

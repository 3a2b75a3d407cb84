"""Customers: added, changed, removed, and found by the mail address of whoever asks for help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from portal.core.customers import LONGEST_NAME, list_keys, list_spellings
from portal.core.errors import DomainError
from portal.core.names import check_name
from portal.models import (
    SITE_CALENDAR,
    Customer,
    CustomerAddress,
    Requester,
    Ticket,
    TicketEvent,
    UnitOfWork,
)
from portal.models.versions import load_site_state
from portal.services.audit import Change, record_change
from portal.services.calendars import GONE as CALENDAR_GONE

GONE = "This customer is gone: somebody removed it meanwhile."
MOVED = "Somebody else changed this customer meanwhile. Please look at it again."


@dataclass(frozen=True)
class CustomerProfile:
    """What is known of a customer. `calendar_id` None: the hours of the queue, or the site's. `addresses` are in the
    form of core/customers.py."""

    name: str
    calendar_id: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class CustomerEntry:
    """A customer as the pages show it. `people` have written so far; `version` guards an edit."""

    id: int
    profile: CustomerProfile
    version: int
    people: int = 0


def list_customers(session: Session) -> list[CustomerEntry]:
    """Every customer by name. Two statements."""
    people = select(func.count()).where(Requester.customer_id == Customer.id).correlate(Customer).scalar_subquery()
    rows = session.execute(select(Customer, people)).all()
    addresses: dict[int, list[str]] = {}
    for one in session.scalars(select(CustomerAddress).order_by(CustomerAddress.id)):
        addresses.setdefault(one.customer_id, []).append(one.address)
    found = [_entry(row, addresses.get(row.id, []), n) for row, n in rows]
    return sorted(found, key=lambda one: one.profile.name.casefold())


def load_customer(session: Session, customer_id: int) -> CustomerEntry | None:
    """One customer; None when there is none. Two statements."""
    row = session.get(Customer, customer_id)
    return _entry(row, _addresses(session, customer_id), 0) if row else None


def find_customer(session: Session, name: str) -> int | None:
    """The id of the customer with this name, in whatever case."""
    wanted = " ".join(name.split()).casefold()
    rows = session.execute(select(Customer.id, Customer.name))
    return next((row.id for row in rows if row.name.casefold() == wanted), None)


def customer_of(session: Session, email: str) -> int | None:
    """The customer that a mail address belongs to: the closest of what customers have written down wins."""
    keys = list_keys(email)
    if not keys:
        return None
    rows = session.execute(_OF_KEYS.where(CustomerAddress.address.in_(keys)))
    return max(((len(row.address), row.customer_id) for row in rows), default=(0, None))[1]


_OF_KEYS = select(CustomerAddress.address, CustomerAddress.customer_id)


def add_customer(uow: UnitOfWork, profile: CustomerProfile, *, change: Change) -> int:
    """A new customer. Returns its id. Raises DomainError for a name that is missing, too long or taken, an address of
    another customer, or a calendar that is gone."""
    row = Customer(name=_checked_name(uow.session, profile.name), calendar_id=_checked_calendar(uow.session, profile))
    uow.session.add(row)
    uow.session.flush()
    _set_addresses(uow, row, profile.addresses, change=change)
    record_change(uow, change, "customer.add", row.name, **_plain(profile))
    return row.id


def edit_customer(
    uow: UnitOfWork, customer_id: int, profile: CustomerProfile, *, change: Change, seen: int | None = None
) -> bool:
    """Returns whether anything changed. Raises DomainError as `add_customer` does, when the customer is gone, or when
    its version is not the one that was `seen`."""
    row = _existing(uow.session, customer_id)
    name, calendar_id = _checked_name(uow.session, profile.name, but=row.id), _checked_calendar(uow.session, profile)
    before = CustomerProfile(row.name, row.calendar_id, tuple(_addresses(uow.session, row.id)))
    if before == CustomerProfile(name, calendar_id, profile.addresses):
        return False
    if seen is not None and seen != row.version:
        raise DomainError(MOVED)
    row.name, row.calendar_id, row.version = name, calendar_id, row.version + 1
    _set_addresses(uow, row, profile.addresses, change=change)
    record_change(uow, change, "customer.edit", name, before=_plain(before), **_plain(profile))
    return True


def remove_customer(uow: UnitOfWork, customer_id: int, *, change: Change) -> None:
    """Its requesters and tickets stay, without a customer. Raises DomainError when it is gone already."""
    row = _existing(uow.session, customer_id)
    for table in (Requester, Ticket):
        uow.session.execute(update(table).where(table.customer_id == row.id).values(customer_id=None))
    uow.session.execute(delete(CustomerAddress).where(CustomerAddress.customer_id == row.id))
    record_change(uow, change, "customer.remove", row.name)
    uow.session.delete(row)


def _set_addresses(uow: UnitOfWork, row: Customer, wanted: tuple[str, ...], *, change: Change) -> None:
    """Write them down anew, and take along the requesters that go from one customer to another by it, with their open
    tickets."""
    session, before = uow.session, set(_addresses(uow.session, row.id))
    if before == set(wanted):
        return
    taken = select(CustomerAddress.address, Customer.name).join(Customer, Customer.id == CustomerAddress.customer_id)
    other = session.execute(taken.where(CustomerAddress.address.in_(wanted), Customer.id != row.id)).first()
    if other is not None:
        raise DomainError(f"{other.address} belongs to {other.name} already.")
    session.execute(delete(CustomerAddress).where(CustomerAddress.customer_id == row.id))
    if wanted:
        session.execute(insert(CustomerAddress), [{"customer_id": row.id, "address": one} for one in wanted])
    for person in session.scalars(select(Requester).where(_is_of(before ^ set(wanted)))).all():
        _move(session, person, customer_of(session, person.email), change=change)


def _is_of(addresses: Iterable[str]) -> ColumnElement[bool]:
    """Of requesters, those whose customer these addresses may decide."""
    known = [spelling for one in addresses for spelling in list_spellings(one)]
    whole = [one for one in known if "@" in one]
    ends = [end for one in known if "@" not in one for end in (f"@{one}", f".{one}")]
    found = [Requester.email.in_(whole), *(Requester.email.endswith(end, autoescape=True) for end in ends)]
    return or_(*found)


def _move(session: Session, person: Requester, customer_id: int | None, *, change: Change) -> None:
    """Open tickets for which nobody had chosen another customer go along; closed ones keep what they had."""
    before, person.customer_id = person.customer_id, customer_id
    if before == customer_id:
        return
    same = Ticket.customer_id.is_(None) if before is None else Ticket.customer_id == before
    ids = session.scalars(select(Ticket.id).where(Ticket.requester_id == person.id, Ticket.is_open, same)).all()
    if not ids:
        return
    values = {"customer_id": customer_id, "version": Ticket.version + 1}
    session.execute(update(Ticket).where(Ticket.id.in_(ids)).values(values))
    line = {"at": change.at, "actor_id": None, "actor": "", "kind": "sorted"}
    data = {"customer_id": [before, customer_id]}
    session.execute(insert(TicketEvent), [{"ticket_id": ticket_id, **line, "data": data} for ticket_id in ids])


def _entry(row: Customer, addresses: list[str], people: int) -> CustomerEntry:
    return CustomerEntry(row.id, CustomerProfile(row.name, row.calendar_id, tuple(addresses)), row.version, people)


def _addresses(session: Session, customer_id: int) -> list[str]:
    own = select(CustomerAddress.address).where(CustomerAddress.customer_id == customer_id)
    return list(session.scalars(own.order_by(CustomerAddress.id)))


def _existing(session: Session, customer_id: int) -> Customer:
    row = session.get(Customer, customer_id)
    if row is None:
        raise DomainError(GONE)
    return row


def _checked_name(session: Session, name: str, *, but: int = 0) -> str:
    others = session.scalars(select(Customer.name).where(Customer.id != but))
    return check_name(name, noun="customer", longest=LONGEST_NAME, taken=others)


def _checked_calendar(session: Session, profile: CustomerProfile) -> int | None:
    """The site's own is what everybody has who names none."""
    if profile.calendar_id in (None, SITE_CALENDAR):
        return None
    if profile.calendar_id not in load_site_state(session).calendars:
        raise DomainError(CALENDAR_GONE)
    return profile.calendar_id


def _plain(profile: CustomerProfile) -> dict[str, object]:
    return {"name": profile.name, "calendar_id": profile.calendar_id, "addresses": list(profile.addresses)}

"""Members of the shop: accounts, roles, phones, invitations, sign-in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, selectinload
from werkzeug.security import check_password_hash, generate_password_hash

from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.permissions import Role
from portal.core.phones import parse_phone
from portal.core.ports import Randomness
from portal.core.roster import make_roster
from portal.core.tickets import format_number
from portal.core.wallclock import wall_of
from portal.models import (
    SITE_SCHEDULE,
    Absence,
    EscalationStepRow,
    OneTimeLink,
    Page,
    Phone,
    SignInAttempt,
    UnitOfWork,
    User,
)
from portal.services.audit import Change, record_change
from portal.services.schedules import list_schedules, load_schedule
from portal.services.settings import load_settings

INVITE, RESET = "invite", "reset"
LINK_LIFE = timedelta(days=3)
MIN_PASSWORD = 10
_SOON = timedelta(days=14)
# Five wrong passwords for an account, or thirty from an address, in a quarter of an hour: then wait.
WINDOW = timedelta(minutes=15)
MOST_PER_ACCOUNT, MOST_PER_ADDRESS = 5, 30
_HASH = "scrypt:16384:8:1"  # 16 MiB and about 50 ms a try
_NOBODY = "scrypt:16384:8:1$nobodynobodynobo$" + "0" * 128


@dataclass(frozen=True)
class Profile:
    """What the people page and the settings file set. Phones in the order they are tried."""

    email: str
    name: str
    role: str
    phones: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewPassword:
    """A password that is to be set, and its hash."""

    text: str = field(repr=False)
    hash: str = field(repr=False)


class ThrottledError(DomainError):
    """Too many wrong passwords."""


def list_people(session: Session) -> Sequence[User]:
    """Everybody with their phones, active members first. Two statements."""
    query = select(User).options(selectinload(User.phones)).order_by(User.is_active.desc(), func.lower(User.name))
    return session.scalars(query).all()


def find_person(session: Session, user_id: int) -> User | None:
    """One member with phones."""
    return session.scalar(select(User).options(selectinload(User.phones)).where(User.id == user_id))


def find_by_email(session: Session, email: str) -> User | None:
    """The member with this address, disabled or not, with phones."""
    query = select(User).options(selectinload(User.phones)).where(User.email == email.strip().lower())
    return session.scalar(query)


def add_person(uow: UnitOfWork, profile: Profile, *, change: Change) -> User:
    """A new member without a password: an invitation link sets it. Raises DomainError for what cannot be."""
    email = _check_email(profile.email)
    if find_by_email(uow.session, email):
        raise DomainError(f"{email} is here already.")
    user = User(email=email, name=_check_name(profile.name), role=_check_role(profile.role), created_at=change.at)
    user.phones = [Phone(number=number, position=n) for n, number in enumerate(_check_phones(profile.phones))]
    uow.session.add(user)
    uow.session.flush()
    record_change(uow, change, "person.add", email, role=user.role)
    return user


def edit_person(uow: UnitOfWork, user_id: int, profile: Profile, *, change: Change) -> User:
    """Change address, name, role and phones. The last administrator stays one."""
    user = _get(uow.session, user_id)
    email, role = _check_email(profile.email), _check_role(profile.role)
    other = find_by_email(uow.session, email)
    if other is not None and other.id != user.id:
        raise DomainError(f"{email} belongs to {other.name}.")
    if user.role == Role.ADMIN and role != Role.ADMIN:
        _keep_an_admin(uow.session, user)
    before = _facts(user)
    user.email, user.name, user.role = email, _check_name(profile.name), role
    _set_phones(uow, user, _check_phones(profile.phones))
    if before != _facts(user):
        record_change(uow, change, "person.edit", email, before=before, after=_facts(user))
    return user


def warn_of_disabling(session: Session, user_id: int, *, now: datetime, zone: ZoneInfo) -> list[str]:
    """What would be missing without this person, each as a sentence: duty within two weeks, being asked by name, pages
    they have taken."""
    found = []
    for head in list_schedules(session):
        roster = load_schedule(session, head.id).roster
        duties = [one for one in make_roster(roster, Interval(now, now + _SOON)) if one.person_id == user_id]
        where = "" if head.id == SITE_SCHEDULE else f" ({head.name})"
        if duties and duties[0].starts_at == now:
            found.append(f"On call now{where}, until {wall_of(duties[0].ends_at, zone=zone):%a %d %b %H:%M}.")
        elif duties:
            found.append(f"On call next{where} on {wall_of(duties[0].starts_at, zone=zone):%a %d %b %H:%M}.")
        if len(duties) > 1:
            found.append(f"{len(duties)} turns within two weeks{where} would fall to others, or to nobody.")
    if load_settings(session).paging_fallback == user_id:
        found.append("Is the fallback person, who is paged when nobody is on call.")
    if session.scalar(select(EscalationStepRow.id).where(EscalationStepRow.user_id == user_id).limit(1)) is not None:
        found.append("Is named in a step of the escalation.")
    taken = select(Page.ticket_id).where(Page.acknowledged_by == user_id, Page.state == "acknowledged")
    for ticket_id in session.scalars(taken.order_by(Page.id)):
        what = format_number(ticket_id, prefix=load_settings(session).site_prefix) if ticket_id else "late requests"
        found.append(f"Has taken the page about {what}, and nobody else is asked.")
    return found


def disable_person(uow: UnitOfWork, user_id: int, *, change: Change, since: datetime | None = None) -> None:
    """No sign-in and no pages any more; signed out everywhere. Their history stays; `since` says that they never were
    on call from then on, else from now."""
    user = _get(uow.session, user_id)
    if not user.is_active:
        return
    if user.role == Role.ADMIN:
        _keep_an_admin(uow.session, user)
    user.is_active, user.session_epoch = False, user.session_epoch + 1
    uow.session.add(Absence(user_id=user.id, starts_at=since or change.at))
    uow.session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
    record_change(uow, change, "person.disable", user.email)


def enable_person(uow: UnitOfWork, user_id: int, *, change: Change) -> None:
    """Let somebody in again."""
    user = _get(uow.session, user_id)
    if not user.is_active:
        user.is_active = True
        gone = select(Absence).where(Absence.user_id == user.id, Absence.ends_at.is_(None))
        for absence in uow.session.scalars(gone):
            absence.ends_at = change.at
        record_change(uow, change, "person.enable", user.email)


def make_link(uow: UnitOfWork, user: User, purpose: str, *, random: Randomness, change: Change) -> str:
    """The token of a new one-time link; earlier ones of the same purpose end. Shown once, kept as a hash."""
    uow.session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id, OneTimeLink.purpose == purpose))
    token = base64.b32encode(random.token(20)).decode().lower()
    row = OneTimeLink(user_id=user.id, purpose=purpose, token_hash=_hash(token), expires_at=change.at + LINK_LIFE)
    uow.session.add(row)
    record_change(uow, change, f"person.{purpose}", user.email)
    return token


def find_link(session: Session, token: str, *, now: datetime) -> OneTimeLink | None:
    """The link of a token that is neither used nor too old."""
    link = session.scalar(select(OneTimeLink).where(OneTimeLink.token_hash == _hash(token.strip().lower())))
    return link if link and link.used_at is None and link.expires_at > now else None


def use_link(uow: UnitOfWork, token: str, password: NewPassword, *, change_at: datetime) -> User:
    """Set the password by a one-time link. Raises DomainError when the link was used, is wrong or too old."""
    link = find_link(uow.session, token, now=change_at)
    if link is None:
        raise DomainError("This link was used already or is too old. Ask an administrator for a new one.")
    user = _get(uow.session, link.user_id)
    if not user.is_active:
        raise DomainError("This account is disabled.")
    link.used_at = change_at
    set_password(uow, user, password, change=Change(user.id, change_at))
    return user


def make_password(text: str) -> NewPassword:
    """Hash it, which takes about 50 ms: before the unit of work, so that nobody else's write waits for it."""
    return NewPassword(text, generate_password_hash(text, method=_HASH))


def set_password(uow: UnitOfWork, user: User, password: NewPassword, *, change: Change) -> None:
    """Store a new password and end every other session. Raises DomainError for one that is too easy."""
    check_password(password.text, user=user)
    user.password_hash = password.hash
    user.session_epoch += 1
    uow.session.execute(delete(SignInAttempt).where(SignInAttempt.subject == f"account:{user.email}"))
    record_change(uow, change, "person.password", user.email)


def check_password(password: str, *, user: User) -> None:
    """Length is what counts (NIST SP 800-63B 3.1.1). Raises DomainError."""
    if len(password) < MIN_PASSWORD:
        raise DomainError(f"Use at least {MIN_PASSWORD} characters.")
    if len(password) > 200:
        raise DomainError("Use at most 200 characters.")
    if password.lower() in (user.email, user.name.lower()):
        raise DomainError("Your own name is too easy to guess.")


def verify_sign_in(session: Session, email: str, password: str) -> User | None:
    """The member whose password this is. Takes as long for an address nobody has."""
    user = session.scalar(select(User).where(User.email == email.strip().lower()))
    is_right = check_password_hash(user.password_hash if user and user.password_hash else _NOBODY, password)
    return user if user and is_right and user.is_active and user.password_hash else None


def begin_sign_in(uow: UnitOfWork, email: str, address: str, *, now: datetime) -> None:
    """Count the try before its password is looked at: of a hundred at the same moment five are looked at.

    Raises ThrottledError after too many tries for an account or from an address within the window.
    """
    uow.session.execute(delete(SignInAttempt).where(SignInAttempt.at <= now - WINDOW))
    for subject, most in _subjects(email, address):
        query = select(func.count()).select_from(SignInAttempt).where(SignInAttempt.subject == subject)
        if (uow.session.scalar(query) or 0) >= most:
            raise ThrottledError("Too many wrong passwords. Please wait a quarter of an hour.")
        uow.session.add(SignInAttempt(subject=subject, at=now))


def note_sign_in(uow: UnitOfWork, user_id: int, address: str, *, now: datetime) -> None:
    """A right password: the account's count starts again, and this try does not count for the address."""
    user = _get(uow.session, user_id)
    user.last_seen_at = now
    uow.session.execute(delete(SignInAttempt).where(SignInAttempt.subject == f"account:{user.email}"))
    last = select(func.max(SignInAttempt.id)).where(SignInAttempt.subject == f"address:{address}").scalar_subquery()
    uow.session.execute(delete(SignInAttempt).where(SignInAttempt.id == last))


def _subjects(email: str, address: str) -> tuple[tuple[str, int], ...]:
    return (f"account:{email.strip().lower()[:254]}", MOST_PER_ACCOUNT), (f"address:{address}", MOST_PER_ADDRESS)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _get(session: Session, user_id: int) -> User:
    user = find_person(session, user_id)
    if user is None:
        raise DomainError("This person is not here any more.")
    return user


def _keep_an_admin(session: Session, leaving: User) -> None:
    others = select(User.id).where(User.role == Role.ADMIN, User.is_active, User.id != leaving.id)
    if session.scalar(others.limit(1)) is None:
        raise DomainError("Somebody must stay administrator. Make another one first.")


def _set_phones(uow: UnitOfWork, user: User, numbers: Sequence[str]) -> None:
    """Keep the rows of numbers that stay, with what is known of them."""
    known = {phone.number: phone for phone in user.phones}
    user.phones = [known.get(number) or Phone(number=number) for number in numbers]
    for position, phone in enumerate(user.phones):
        phone.position = position
    uow.session.flush()


def _facts(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "phones": [phone.number for phone in user.phones],
    }


def _check_email(text: str) -> str:
    email = text.strip().lower()
    local, _, domain = email.partition("@")
    if not local or "." not in domain.strip(".") or any(c.isspace() for c in email) or len(email) > 254:
        raise DomainError("Give a mail address like bob@example.com.")
    return email


def _check_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > 200:
        raise DomainError("Give a name.")
    return name


def _check_role(text: str) -> str:
    if text not in tuple(Role):
        raise DomainError(f"A role is one of {', '.join(Role)}.")
    return text


def _check_phones(numbers: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(parse_phone(number) for number in numbers if number.strip()))

"""The people a page can reach, and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.escalation import FALLBACK, MANAGERS, ON_CALL, person_of
from portal.models import Phone, User

MANAGER_ROLES = ("admin", "manager")


@dataclass(frozen=True)
class Recipient:
    """A member and the numbers that may be texted, best first. No numbers: cannot be reached by text."""

    user_id: int
    name: str
    role: str
    numbers: tuple[str, ...]


def load_recipients(session: Session, user_ids: Iterable[int]) -> list[Recipient]:
    """Active members in the order asked for. Numbers whose owner texted STOP are left out."""
    wanted = list(dict.fromkeys(user_ids))
    people = select(User.id, User.name, User.role).where(User.id.in_(wanted), User.is_active)
    phones = select(Phone.user_id, Phone.number).where(Phone.user_id.in_(wanted), ~Phone.is_stopped)
    numbers: dict[int, list[str]] = {user_id: [] for user_id in wanted}
    for user_id, number in session.execute(phones.order_by(Phone.position, Phone.id)):
        numbers[user_id].append(number)
    found = {row.id: Recipient(row.id, row.name, row.role, tuple(numbers[row.id])) for row in session.execute(people)}
    return [found[user_id] for user_id in wanted if user_id in found]


def load_managers(session: Session) -> list[Recipient]:
    """Admins and managers: whom an alarm reaches."""
    query = select(User.id).where(User.role.in_(MANAGER_ROLES), User.is_active).order_by(User.id)
    return load_recipients(session, session.scalars(query))


def resolve_targets(
    session: Session, targets: Sequence[str], *, on_call: Sequence[int], fallback: int | None
) -> list[Recipient]:
    """The people behind the targets of an escalation step, each once, whether or not they have a phone."""
    ids: list[int] = []
    for target in targets:
        if target == ON_CALL:
            ids += on_call
        elif target == FALLBACK:
            ids += [fallback] if fallback else []
        elif target == MANAGERS:
            ids += [person.user_id for person in load_managers(session)]
        elif (person := person_of(target)) is not None:
            ids.append(person)
    return load_recipients(session, ids)


def find_by_number(session: Session, number: str) -> tuple[User, Phone] | None:
    """Whose number this is; None for a stranger or a disabled member."""
    query = select(User, Phone).join(Phone, Phone.user_id == User.id).where(Phone.number == number, User.is_active)
    row = session.execute(query.order_by(Phone.position, Phone.id).limit(1)).first()
    return (row[0], row[1]) if row else None

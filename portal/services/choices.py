"""The menus of the ticket pages: queues, categories, customers, members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, literal_column, select, union_all
from sqlalchemy.orm import Session

from portal.models import Category, Customer, Queue, User


@dataclass(frozen=True)
class Choice:
    """An entry of a menu. A disabled member keeps a name but is not offered."""

    id: int
    name: str
    is_offered: bool = True


@dataclass(frozen=True)
class Choices:
    """What tickets are sorted into, in the order the menus show."""

    queues: tuple[Choice, ...]
    categories: tuple[Choice, ...]
    people: tuple[Choice, ...]
    customers: tuple[Choice, ...] = ()

    def queue(self, id: int | None) -> str:
        """The name of a queue, "" when there is none."""
        return _name(self.queues, id)

    def category(self, id: int | None) -> str:
        """The name of a category, "" when there is none."""
        return _name(self.categories, id)

    def customer(self, id: int | None) -> str:
        """The name of a customer, "" for none."""
        return _name(self.customers, id)

    def person(self, id: int | None) -> str:
        """The name of a member, "" for nobody."""
        return _name(self.people, id)


def load_choices(session: Session) -> Choices:
    """Queues, categories, customers and members in one statement."""
    is_off = case((User.is_active, 0), else_=1)
    parts: tuple[Any, ...] = (
        select(literal_column("'queue'").label("kind"), Queue.id, Queue.name, Queue.position, literal_column("0")),
        select(literal_column("'category'"), Category.id, Category.name, Category.position, literal_column("0")),
        select(literal_column("'customer'"), Customer.id, Customer.name, literal_column("0"), literal_column("0")),
        select(literal_column("'person'"), User.id, User.name, literal_column("0"), is_off),
    )
    rows = sorted(session.execute(union_all(*parts)), key=lambda row: (row[3], row[2].casefold()))

    def of(kind: str) -> tuple[Choice, ...]:
        return tuple(Choice(row[1], row[2], not row[4]) for row in rows if row[0] == kind)

    return Choices(of("queue"), of("category"), of("person"), of("customer"))


def _name(choices: tuple[Choice, ...], id: int | None) -> str:
    return next((choice.name for choice in choices if choice.id == id), "")

"""What tickets are sorted into: queues (the teams' piles) and categories, each with the queue it goes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.names import check_name
from portal.core.triage import Aspect
from portal.models import Category, LexiconTerm, Queue, RuleRow, Ticket, UnitOfWork
from portal.services.audit import Change, record_change


@dataclass(frozen=True)
class QueueEntry:
    """A queue as the page shows it."""

    id: int
    name: str


@dataclass(frozen=True)
class CategoryEntry:
    """A category, its queue ("" for none) and how many words speak for it."""

    id: int
    name: str
    queue_id: int | None
    queue: str
    terms: int


def list_queues(session: Session) -> list[QueueEntry]:
    """Every queue in the order of the menus."""
    rows = session.execute(select(Queue.id, Queue.name).order_by(Queue.position, Queue.name))
    return [QueueEntry(row.id, row.name) for row in rows]


def list_categories(session: Session) -> list[CategoryEntry]:
    """Every category in the order of the menus."""
    counted = select(LexiconTerm.target, func.count().label("n")).where(LexiconTerm.aspect == str(Aspect.CATEGORY))
    terms = counted.group_by(LexiconTerm.target).subquery()
    query = (
        select(Category.id, Category.name, Category.queue_id, Queue.name.label("queue"), terms.c.n)
        .outerjoin(Queue, Queue.id == Category.queue_id)
        .outerjoin(terms, terms.c.target == Category.name)
        .order_by(Category.position, Category.name)
    )
    return [CategoryEntry(r.id, r.name, r.queue_id, r.queue or "", r.n or 0) for r in session.execute(query)]


def add_queue(uow: UnitOfWork, name: str, *, change: Change) -> int:
    """A new queue at the end. Returns its id. Raises DomainError when the name is missing, too long or taken."""
    name = _checked(uow.session, Queue, name)
    row = Queue(name=name, position=_next_position(uow.session, Queue))
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "queue.add", name)
    return row.id


def rename_queue(uow: UnitOfWork, queue_id: int, name: str, *, change: Change) -> None:
    """Rules that name the queue follow. Raises DomainError as `add_queue` does, or when the queue is gone."""
    row = _existing(uow.session, Queue, queue_id, "queue")
    before, row.name = row.name, _checked(uow.session, Queue, name, but=queue_id)
    if before != row.name:
        _rename_in_rules(uow.session, "queue", before, row.name)
        record_change(uow, change, "queue.rename", before, name=row.name)


def remove_queue(uow: UnitOfWork, queue_id: int, *, change: Change) -> None:
    """Raises DomainError while tickets, categories or rules still need the queue."""
    row = _existing(uow.session, Queue, queue_id, "queue")
    if uow.session.scalar(select(Ticket.id).where(Ticket.queue_id == queue_id).limit(1)) is not None:
        raise DomainError(f"There are tickets in {row.name}. A queue can be removed when it is empty.")
    used = uow.session.scalar(select(Category.name).where(Category.queue_id == queue_id).limit(1))
    if used is not None:
        raise DomainError(f"The category {used} goes to {row.name}. Choose another queue for it first.")
    _refuse_when_ruled(uow.session, row.name)
    record_change(uow, change, "queue.remove", row.name)
    uow.session.delete(row)


def add_category(uow: UnitOfWork, name: str, *, queue_id: int | None, change: Change) -> int:
    """A new category at the end. Returns its id. Raises DomainError for a bad name or a queue that is gone."""
    name = _checked(uow.session, Category, name)
    _check_queue(uow.session, queue_id)
    row = Category(name=name, queue_id=queue_id, position=_next_position(uow.session, Category))
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "category.add", name)
    return row.id


def edit_category(uow: UnitOfWork, category_id: int, *, name: str, queue_id: int | None, change: Change) -> None:
    """Rename it or send it to another queue; its words and the rules that name it follow. Tickets stay where they are.

    Raises DomainError as `add_category` does, or when the category is gone.
    """
    row = _existing(uow.session, Category, category_id, "category")
    name = _checked(uow.session, Category, name, but=category_id)
    _check_queue(uow.session, queue_id)
    before = {"name": row.name, "queue_id": row.queue_id}
    if before == {"name": name, "queue_id": queue_id}:
        return
    terms = update(LexiconTerm).where(LexiconTerm.aspect == str(Aspect.CATEGORY), LexiconTerm.target == row.name)
    uow.session.execute(terms.values(target=name))
    _rename_in_rules(uow.session, "category", row.name, name)
    row.name, row.queue_id = name, queue_id
    record_change(uow, change, "category.edit", name, before=before)


def remove_category(uow: UnitOfWork, category_id: int, *, change: Change) -> None:
    """Its words go with it. Raises DomainError while tickets or rules still need it."""
    row = _existing(uow.session, Category, category_id, "category")
    if uow.session.scalar(select(Ticket.id).where(Ticket.category_id == category_id).limit(1)) is not None:
        raise DomainError(f"There are tickets in {row.name}. A category can be removed when no ticket has it.")
    _refuse_when_ruled(uow.session, row.name)
    is_its = (LexiconTerm.aspect == str(Aspect.CATEGORY), LexiconTerm.target == row.name)
    uow.session.execute(delete(LexiconTerm).where(*is_its))
    record_change(uow, change, "category.remove", row.name)
    uow.session.delete(row)


def _checked(session: Session, table: type[Queue] | type[Category], name: str, *, but: int = 0) -> str:
    others = session.scalars(select(table.name).where(table.id != but))
    return check_name(name, noun=table.__tablename__, longest=100, taken=others)


def _check_queue(session: Session, queue_id: int | None) -> None:
    if queue_id is not None and session.get(Queue, queue_id) is None:
        raise DomainError("This queue is gone: somebody removed it meanwhile.")


def _next_position(session: Session, table: type[Queue] | type[Category]) -> int:
    last = session.scalar(select(func.max(table.position)))
    return 0 if last is None else last + 1


def _existing(session: Session, table: Any, row_id: int, noun: str) -> Any:
    row = session.get(table, row_id)
    if row is None:
        raise DomainError(f"This {noun} is gone: somebody removed it meanwhile.")
    return row


def _rename_in_rules(session: Session, action: str, before: str, after: str) -> None:
    for rule in session.scalars(select(RuleRow)):
        if rule.actions.get(action) == before:
            rule.actions = {**rule.actions, action: after}
        items = rule.conditions.get("items", [])
        if action == "category" and any(_names_category(item, before) for item in items):
            renamed = [{**item, "value": after} if _names_category(item, before) else item for item in items]
            rule.conditions = {**rule.conditions, "items": renamed}


def _names_category(item: dict[str, Any], name: str) -> bool:
    return bool(item.get("kind") == "category_is" and item.get("value") == name)


def _refuse_when_ruled(session: Session, name: str) -> None:
    for rule in session.scalars(select(RuleRow)):
        named = {rule.actions.get("queue"), rule.actions.get("category")}
        named |= {item.get("value") for item in rule.conditions.get("items", []) if item.get("kind") == "category_is"}
        if name in named:
            raise DomainError(f"The rule “{rule.name}” names {name}. Change the rule first.")

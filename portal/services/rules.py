"""Routing rules in the database: loaded as core values, edited on a page. core/rules.py says what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.permissions import WORKING
from portal.core.rules import Rule, RuleChoices, check_rule, parse_rule, rule_actions, rule_conditions
from portal.models import Category, MailboxRow, Queue, RuleRow, UnitOfWork, User
from portal.services.audit import Change, record_change


@dataclass(frozen=True)
class RuleEntry:
    """A rule and its row."""

    id: int
    rule: Rule


def list_rules(session: Session) -> list[RuleEntry]:
    """Every rule in the order they are applied, disabled ones too."""
    rows = session.scalars(select(RuleRow).order_by(RuleRow.position, RuleRow.id))
    return [_entry(row) for row in rows]


def find_rule(session: Session, rule_id: int) -> RuleEntry | None:
    """One rule, None when it is gone."""
    row = session.get(RuleRow, rule_id)
    return _entry(row) if row else None


def load_rule_choices(session: Session) -> RuleChoices:
    """What a rule may name. People by their mail address."""
    return RuleChoices(
        categories=frozenset(session.scalars(select(Category.name))),
        queues=frozenset(session.scalars(select(Queue.name))),
        mailboxes=frozenset(session.scalars(select(MailboxRow.name))),
        people=frozenset(email for email, _ in list_assignees(session)),
    )


def list_assignees(session: Session) -> list[tuple[str, str]]:
    """(mail address, name) of everyone a rule may assign tickets to, by name."""
    rows = session.execute(
        select(User.email, User.name).where(User.is_active, User.role.in_(WORKING)).order_by(User.name)
    )
    return [(row.email, row.name) for row in rows]


def save_rule(uow: UnitOfWork, rule: Rule, *, rule_id: int | None = None, change: Change) -> int:
    """Store a rule, a new one at the end. Returns its id. Raises DomainError: what is wrong, one sentence a line."""
    problems = check_rule(rule, load_rule_choices(uow.session))
    if problems:
        raise DomainError("\n".join(problems))
    row = _existing(uow.session, rule_id) if rule_id else RuleRow(position=_next_position(uow.session))
    row.name, row.is_enabled = rule.name, rule.is_enabled
    row.conditions, row.actions = rule_conditions(rule), rule_actions(rule)
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "rule.save", rule.name, conditions=row.conditions, actions=row.actions)
    return row.id


def switch_rule(uow: UnitOfWork, rule_id: int, *, on: bool, change: Change) -> None:
    """Raises DomainError when the rule is gone."""
    row = _existing(uow.session, rule_id)
    if row.is_enabled != on:
        row.is_enabled = on
        record_change(uow, change, "rule.on" if on else "rule.off", row.name)


def move_rule(uow: UnitOfWork, rule_id: int, *, up: bool, change: Change) -> None:
    """One place earlier or later; at the end of the list it stays. Raises DomainError when the rule is gone."""
    row = _existing(uow.session, rule_id)
    rows = list(uow.session.scalars(select(RuleRow).order_by(RuleRow.position, RuleRow.id)))
    here = rows.index(row)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(rows):
        return
    rows[here], rows[there] = rows[there], rows[here]
    for position, each in enumerate(rows):
        each.position = position
    record_change(uow, change, "rule.move", row.name, position=there + 1)


def remove_rule(uow: UnitOfWork, rule_id: int, *, change: Change) -> None:
    """Raises DomainError when the rule is gone already."""
    row = _existing(uow.session, rule_id)
    record_change(uow, change, "rule.remove", row.name, conditions=row.conditions, actions=row.actions)
    uow.session.delete(row)


def _existing(session: Session, rule_id: int) -> RuleRow:
    row = session.get(RuleRow, rule_id)
    if row is None:
        raise DomainError("This rule is gone: somebody removed it meanwhile.")
    return row


def _next_position(session: Session) -> int:
    last = session.scalar(select(func.max(RuleRow.position)))
    return 0 if last is None else last + 1


def _entry(row: RuleRow) -> RuleEntry:
    return RuleEntry(row.id, parse_rule(row.name, row.conditions, row.actions, is_enabled=row.is_enabled))

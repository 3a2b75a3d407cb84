"""What people do to a page: take it, close it, take that back; and what the ticket's end does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core import sms_words as words
from portal.core.answers import next_code
from portal.core.errors import DomainError
from portal.core.escalation import resume
from portal.models import Page, PageCode, UnitOfWork, User
from portal.services.alarms import end_alarm, page_key
from portal.services.context import Context
from portal.services.page_endings import ASKING, end_for_all, stamp
from portal.services.page_steps import end_page, place, policy_of, position_of
from portal.services.page_texts import asked_people, cancel_pending, code_of, load_body, mark_answered, tell
from portal.services.page_tickets import give_ticket, resolve_ticket, take_ticket_back
from portal.services.paging_rules import PagingRules
from portal.services.recipients import load_recipients


def take_page(uow: UnitOfWork, page: Page, user: User, *, rules: PagingRules) -> dict[str, Any]:
    """Acknowledge: escalation stops, the others are told, the ticket is the taker's. Returns what UNDO needs.

    Raises DomainError with who has it already.
    """
    session = uow.session
    if page.state not in ASKING:
        raise DomainError(_held_by(session, page, rules))
    page.state, page.due_at = "acknowledged", None
    page.acknowledged_at, page.acknowledged_by = rules.now, user.id
    mark_answered(session, page.id, user.id, at=rules.now)
    end_alarm(uow, page_key(page), now=rules.now, by=user.name)
    cancel_pending(session, page.id, reason=f"{user.name} took the page.")
    body = load_body(session, page, rules)
    others = [person for person in asked_people(session, page.id) if person != user.id]
    text, event = words.told_text(user.name, body.number), f"told:{page.id}:{stamp(rules)}"
    tell(uow, rules, load_recipients(session, others), event=event, page_id=page.id, text=text)
    undo: dict[str, Any] = {"kind": "take", "page_id": page.id}
    if page.kind == "test":
        end_page(uow, page, rules=rules, reason="The test was answered.")
        return {}
    if page.ticket_id is not None:
        undo["ticket"] = give_ticket(uow, page.ticket_id, user, rules=rules)
    return undo


def _held_by(session: Session, page: Page, rules: PagingRules) -> str:
    if page.state == "resolved" or page.acknowledged_by is None:
        return "This page is already closed."
    holder = session.get_one(User, page.acknowledged_by)
    return f"{holder.name} has it since {rules.clock_time(page.acknowledged_at or page.opened_at)}."


def give_back(uow: UnitOfWork, page: Page, user: User, *, undo: dict[str, Any], rules: PagingRules) -> None:
    """UNDO of a take: the page asks again after a full wait, the ticket is as before, the others are told."""
    session = uow.session
    page.state, page.acknowledged_at, page.acknowledged_by = "open", None, None
    place(page, resume(policy_of(page), position_of(page), now=rules.now))
    if page.ticket_id is not None:
        take_ticket_back(uow, page.ticket_id, user, before=undo.get("ticket", {}), rules=rules)
    body = load_body(session, page, rules)
    others = [person for person in asked_people(session, page.id) if person != user.id]
    for person in load_recipients(session, others):
        text = words.given_back_text(user.name, body.item(code_of(session, person.user_id, page.id)))
        event = f"back:{page.id}:{stamp(rules)}"
        tell(uow, rules, [person], event=event, page_id=page.id, text=text)


@dataclass(frozen=True)
class Closing:
    """The words and minutes that came with a C."""

    note: str = ""
    minutes: int | None = None


def close_page(
    context: Context, uow: UnitOfWork, page: Page, user: User, closing: Closing, *, rules: PagingRules
) -> dict[str, Any]:
    """C by text: resolve the ticket with these words, which ends the page. Returns what UNDO needs.

    A digest is only put aside: its tickets stay open at the desk. Raises DomainError when the ticket refuses.
    """
    undo: dict[str, Any] = {"kind": "close", "page_id": page.id}
    if page.ticket_id is not None:
        undo["ticket"] = resolve_ticket(
            context, uow, page.ticket_id, user, note=closing.note, minutes=closing.minutes, rules=rules
        )
    if page.acknowledged_by is None:
        page.acknowledged_at, page.acknowledged_by = rules.now, user.id
        mark_answered(uow.session, page.id, user.id, at=rules.now)
    if page.state != "resolved":
        end_for_all(uow, page, by=user, rules=rules)
    return undo


def reopen_page(uow: UnitOfWork, page: Page, user: User, *, undo: dict[str, Any], rules: PagingRules) -> None:
    """UNDO of a close: the ticket is open again and the page is the sender's, whoever had it before."""
    if page.ticket_id is not None:
        take_ticket_back(uow, page.ticket_id, user, before=undo.get("ticket", {}), rules=rules)
    page.state, page.closed_at, page.due_at = "acknowledged", None, None
    page.acknowledged_at, page.acknowledged_by = rules.now, user.id
    for row in uow.session.scalars(select(PageCode).where(PageCode.page_id == page.id)).all():
        query = select(PageCode.code).where(PageCode.user_id == row.user_id, PageCode.is_open)
        used = set(uow.session.scalars(query))
        row.code, row.is_open = next_code(used) if row.code in used else row.code, True
        uow.session.flush()

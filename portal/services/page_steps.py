"""One move of a page: who is asked now, and what follows when nobody can be."""

from __future__ import annotations

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.core.escalation import (
    FALLBACK,
    MANAGERS,
    ON_CALL,
    EscalationPolicy,
    Move,
    NextMove,
    Position,
    plan_unreachable,
    policy_from_json,
)
from portal.models import Notification, Page, PageTicket, Ticket, UnitOfWork, User
from portal.services.alarms import end_alarm, page_key, raise_alarm, raise_page_alarm
from portal.services.bursts import CARRIED
from portal.services.page_texts import HELD, PAGE, asked_people, cancel_pending, free_codes, write_page_texts
from portal.services.paging_rules import PagingRules
from portal.services.recipients import Recipient, resolve_targets

NOBODY_ON_CALL = "nobody-on-call"
_MAX_NAMES = 2


def policy_of(page: Page) -> EscalationPolicy:
    """The policy the page was frozen with."""
    return policy_from_json(page.policy)


def position_of(page: Page) -> Position:
    """Where the page stands. One that is not due any more counts as due at its opening."""
    return Position(page.step, page.round, page.due_at or page.opened_at)


def place(page: Page, position: Position) -> None:
    """Store where the page stands."""
    page.step, page.round, page.due_at = position.step, position.repeat, position.due_at


def carry_out(uow: UnitOfWork, page: Page, move: NextMove, *, rules: PagingRules) -> None:
    """Make the move. A step that reaches nobody is left at once for the next, and the last one raises the alarm."""
    rules = rules.of_queue(_queue_of(uow.session, page))
    notice = _notice(uow.session, page, move)
    while move.move in (Move.ADVANCE, Move.REPEAT):
        place(page, move.position)
        people = resolve_targets(uow.session, move.targets, on_call=rules.on_call, fallback=rules.fallback)
        if ON_CALL in move.targets and not rules.on_call:
            people, notice = _stand_in(uow, people, rules=rules)
        if write_page_texts(uow, rules, page, people, notice=notice):
            return
        move = plan_unreachable(policy_of(page), position_of(page), now=rules.now)
    place(page, move.position)
    if move.move is Move.EXPIRE:
        _expire(uow, page, rules=rules)


def _stand_in(uow: UnitOfWork, people: list[Recipient], *, rules: PagingRules) -> tuple[list[Recipient], str]:
    """Nobody is on call: the managers are asked where the shop decided so for a holiday, else the fallback person, and
    everybody sees why."""
    if rules.cover.has_managers:
        target, notice = MANAGERS, "Holiday, nobody is on call"
    else:
        target, notice = FALLBACK, "Nobody is on call"
        raise_alarm(uow, NOBODY_ON_CALL, "A page found nobody on call. The fallback person was asked.", now=rules.now)
    others = resolve_targets(uow.session, [target], on_call=(), fallback=rules.fallback)
    return people + [person for person in others if person not in people], notice


def _queue_of(session: Session, page: Page) -> int | None:
    """Whose roster rings: that of the ticket's queue. All tickets of a digest have the same."""
    query = select(Ticket.queue_id)
    if page.ticket_id is not None:
        return session.scalar(query.where(Ticket.id == page.ticket_id))
    first = query.join(PageTicket, PageTicket.ticket_id == Ticket.id).where(PageTicket.page_id == page.id)
    return session.scalar(first.order_by(PageTicket.ticket_id).limit(1))


def _notice(session: Session, page: Page, move: NextMove) -> str:
    if move.move is Move.REPEAT:
        return "Again"
    if move.position.step == 0:
        return ""
    names = session.scalars(
        select(User.name).where(User.id.in_(asked_people(session, page.id))).order_by(User.id)
    ).all()
    return f"No answer from {' and '.join(names)}" if 0 < len(names) <= _MAX_NAMES else "No answer"


def _expire(uow: UnitOfWork, page: Page, *, rules: PagingRules) -> None:
    page.state, page.due_at = "expired", None
    cancel_pending(uow.session, page.id, reason="The page ran out of steps.")
    if page.kind == "test":
        return
    was_asked = asked_people(uow.session, page.id)
    reason = "Nobody answered the page." if was_asked else "The page reached nobody."
    raise_page_alarm(uow, page, reason, rules=rules)


def skip_step(uow: UnitOfWork, page: Page, *, rules: PagingRules) -> None:
    """Every text of this step failed for good: on to the next one at once."""
    carry_out(uow, page, plan_unreachable(policy_of(page), position_of(page), now=rules.now), rules=rules)


def end_page(uow: UnitOfWork, page: Page, *, rules: PagingRules, reason: str) -> None:
    """Close a page for good: nothing more leaves, its codes are free, its alarm ends."""
    page.state, page.due_at, page.closed_at = "resolved", None, rules.now
    cancel_pending(uow.session, page.id, reason=reason)
    free_codes(uow.session, page.id)
    end_alarm(uow, page_key(page), now=rules.now)


def end_if_held(uow: UnitOfWork, page: Page, *, rules: PagingRules) -> None:
    """In watch mode a page whose texts were all held back is over: it shows what would have happened."""
    states = set(
        uow.session.execute(
            select(Notification.state, Notification.last_error).where(
                Notification.page_id == page.id, Notification.kind == PAGE
            )
        )
    )
    if states == {("cancelled", HELD)}:
        end_page(uow, page, rules=rules, reason=HELD)


def is_step_lost(session: Session, page: Page) -> bool:
    """Whether no text of the page's present step is on its way, by itself or within another, or has arrived."""
    alive = Notification.state.in_(("pending", "sending", "accepted", "delivered"))
    is_carried = and_(Notification.state == "cancelled", Notification.last_error.startswith(CARRIED))
    query = select(Notification.dedupe_key).where(Notification.page_id == page.id, Notification.kind == PAGE)
    keys = session.scalars(query.where(or_(alive, is_carried)))
    return not any(key.split(":")[3:4] == [str(page.step)] for key in keys)

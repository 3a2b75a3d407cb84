"""From an event to ringing phones: the decision, the page, the digest, each inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.escalation import EscalationPolicy, Step, person_target, policy_to_json, start
from portal.core.paging import Cause, PageFacts, Verdict, cause_key, decide_page
from portal.core.work import PAGES
from portal.models import Page, PageDecisionRow, PageTicket, Ticket, UnitOfWork, User
from portal.services.page_steps import carry_out, end_if_held, end_page
from portal.services.paging_rules import PagingRules
from portal.services.ticket_times import schedule_of_queue

LIVE = ("open", "acknowledged")
_QUIET = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(seconds=60)
_TEST_WAIT = 10


@dataclass(frozen=True)
class Event:
    """What happened to a ticket. `at` is when the words came in (default: when the ticket was received);
    the other fields are those of core PageFacts."""

    cause: Cause
    occurrence: str = ""
    at: datetime | None = None
    mail_verdict: str = ""
    is_quiet: bool = False
    rule: str = ""
    rule_pages: bool | None = None
    asked_by: str = ""


def decide_for_ticket(uow: UnitOfWork, ticket: Ticket, event: Event, *, rules: PagingRules) -> PageDecisionRow:
    """Decide once per cause and, where it pages, open the page and write its texts; asked again, the first row.

    To be called inside the transaction that made the event true, after triage.
    """
    facts = _facts(uow.session, ticket, event)
    key = cause_key(facts)
    known = select(PageDecisionRow).where(PageDecisionRow.ticket_id == ticket.id, PageDecisionRow.cause == key)
    row = uow.session.scalar(known)
    if row is not None:
        return row
    hours = rules.of_queue(ticket.queue_id).hours
    decision = decide_page(facts, policy=rules.policy, hours=hours, now=rules.now)
    row = PageDecisionRow(ticket_id=ticket.id, cause=key, verdict=str(decision.verdict), decided_at=rules.now)
    row.reasons = list(decision.reasons)
    uow.session.add(row)
    if decision.verdict is Verdict.PAGE:
        row.page_id = _open_ticket_page(uow, ticket, rules=rules).id
    elif decision.verdict is Verdict.DIGEST:
        uow.wake(PAGES)
    uow.session.flush()
    return row


def _facts(session: Session, ticket: Ticket, event: Event) -> PageFacts:
    return PageFacts(
        cause=event.cause,
        occurrence=event.occurrence,
        priority=ticket.priority,
        received_at=event.at or ticket.received_at,
        source=ticket.source,
        emergency={"declared": True, "declined": False}.get(ticket.emergency),
        mail_verdict=event.mail_verdict or ("automatic" if ticket.is_automatic else ""),
        is_quiet=event.is_quiet or ticket.is_imported,
        rule=event.rule,
        rule_pages=event.rule_pages,
        is_over=not ticket.is_open,
        has_open_page=live_page(session, ticket.id) is not None,
        asked_by=event.asked_by,
    )


def live_page(session: Session, ticket_id: int) -> Page | None:
    """The one open or acknowledged page of a ticket."""
    return session.scalar(select(Page).where(Page.ticket_id == ticket_id, Page.state.in_(LIVE)))


def page_now(uow: UnitOfWork, ticket: Ticket, *, rules: PagingRules, asked_by: User) -> PageDecisionRow:
    """The button "Page now": a cause of its own each time it is pressed."""
    presses = select(func.count()).select_from(PageDecisionRow).where(PageDecisionRow.ticket_id == ticket.id)
    count = uow.session.scalar(presses.where(PageDecisionRow.cause.startswith(f"{Cause.MANUAL}:"))) or 0
    event = Event(Cause.MANUAL, occurrence=str(count + 1), at=rules.now, asked_by=asked_by.name)
    return decide_for_ticket(uow, ticket, event, rules=rules)


def page_test(uow: UnitOfWork, person: User, *, rules: PagingRules) -> Page:
    """A page to one person that is only a test. Watch mode does not hold it back, and nobody else is asked."""
    policy = EscalationPolicy((Step((person_target(person.id),), wait=_TEST_WAIT, repeats=0),))
    return _open(uow, Page(kind="test", user_id=person.id), policy, rules=rules)


def _open_ticket_page(uow: UnitOfWork, ticket: Ticket, *, rules: PagingRules) -> Page:
    expired = select(Page).where(Page.ticket_id == ticket.id, Page.state == "expired")
    for old in uow.session.scalars(expired).all():
        end_page(uow, old, rules=rules, reason="A new page took its place.")
    return _open(uow, Page(kind="ticket", ticket_id=ticket.id), rules.escalation, rules=rules)


def _open(
    uow: UnitOfWork, page: Page, policy: EscalationPolicy, *, rules: PagingRules, tickets: Sequence[int] = ()
) -> Page:
    move = start(policy, now=rules.now)
    page.policy, page.state, page.opened_at = policy_to_json(policy), "open", rules.now
    page.step, page.round, page.due_at = 0, 0, move.position.due_at
    uow.session.add(page)
    uow.session.flush()
    uow.session.add_all(PageTicket(page_id=page.id, ticket_id=ticket_id) for ticket_id in tickets)
    uow.session.flush()
    carry_out(uow, page, move, rules=rules)
    end_if_held(uow, page, rules=rules)
    return page


def digest_due_at(session: Session) -> datetime | None:
    """When the late tickets that wait are told: once none has joined for 5 s, after a minute at the latest."""
    waiting = select(func.min(PageDecisionRow.decided_at), func.max(PageDecisionRow.decided_at))
    first, last = session.execute(waiting.where(*_WAITING)).one()
    return min(last + _QUIET, first + _LONGEST_WAIT) if first else None


_WAITING = (PageDecisionRow.verdict == str(Verdict.DIGEST), PageDecisionRow.page_id.is_(None))


def open_digests(uow: UnitOfWork, *, rules: PagingRules) -> bool:
    """One page for everything late that rings on one roster, one text for each person on call; acknowledged and
    escalated like any other.

    Returns False when nothing is due. Tickets resolved in the meantime are left out.
    """
    due_at = digest_due_at(uow.session)
    if due_at is None or due_at > rules.now:
        return False
    rows = uow.session.scalars(select(PageDecisionRow).where(*_WAITING)).all()
    ids = [row.ticket_id for row in rows]
    late: dict[int, list[int]] = {}
    for ticket in uow.session.scalars(select(Ticket).where(Ticket.id.in_(ids), Ticket.is_open).order_by(Ticket.id)):
        late.setdefault(schedule_of_queue(uow.session, ticket.queue_id), []).append(ticket.id)
    page_of: dict[int, int] = {}
    for tickets in late.values():
        page = _open(uow, Page(kind="digest"), rules.escalation, rules=rules, tickets=tickets)
        page_of |= dict.fromkeys(tickets, page.id)
    for row in rows:
        row.page_id = page_of.get(row.ticket_id)
        if row.page_id is None:
            row.verdict, row.reasons = str(Verdict.NONE), [*row.reasons, "It was resolved before the page went out."]
    return True

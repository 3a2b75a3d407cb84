"""Tickets that a monitoring system opens and resolves by mail: which one is open for what, and what its words do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.intake import TICKET, IntakePlan
from portal.core.mail_rules import RuleOutcome
from portal.core.tickets import RESOLVED
from portal.models import MailLedger, MonitorKey, Ticket, UnitOfWork
from portal.services.page_endings import end_ticket_pages
from portal.services.paging_rules import load_paging_rules
from portal.services.tickets import Actor, set_status

_MERGES = 20


def find_monitor_ticket(session: Session, outcome: RuleOutcome | None, *, received_at: datetime) -> int | None:
    """The ticket that is open for what a monitor's mail is about. None: there is none, it has ended, or the mail is an
    all-clear from before the problem (it came late and means the one before)."""
    if outcome is None or outcome.monitor is None:
        return None
    known = _key(session, outcome)
    if known is None or (outcome.monitor.is_clear and received_at < known.opened_at):
        return None
    ticket = session.get(Ticket, known.ticket_id)
    for _ in range(_MERGES):
        if ticket is None or ticket.merged_into_id is None:
            break
        ticket = session.get(Ticket, ticket.merged_into_id)
    return ticket.id if ticket is not None and ticket.is_open else None


def follow_monitor(
    uow: UnitOfWork,
    row: MailLedger,
    plan: IntakePlan,
    outcome: RuleOutcome | None,
    *,
    ticket_id: int | None,
    now: datetime,
) -> None:
    """After a monitor's mail was taken in: remember the ticket it opened, or resolve the one it clears. Nothing is sent
    to anybody: a monitoring system reads no answers."""
    if outcome is None or outcome.monitor is None or ticket_id is None:
        return
    known = _key(uow.session, outcome)
    if plan.verdict == TICKET:
        if known is None:
            known = MonitorKey(rule_id=outcome.rule_id, key=_folded(outcome))
            uow.session.add(known)
        known.ticket_id, known.opened_at = ticket_id, row.received_at
    elif outcome.monitor.is_clear:
        ticket = uow.session.get_one(Ticket, ticket_id)
        if known is not None:
            uow.session.delete(known)
        if ticket.is_open:
            note = f"The monitoring reports that {outcome.monitor.key} is well again."
            set_status(uow, ticket, RESOLVED, actor=Actor(f"Rule “{outcome.name}”"), now=now, resolution=note)
            end_ticket_pages(uow, ticket.id, by=None, rules=load_paging_rules(uow.session, now=now))


def _key(session: Session, outcome: RuleOutcome) -> MonitorKey | None:
    query = select(MonitorKey).where(MonitorKey.rule_id == outcome.rule_id, MonitorKey.key == _folded(outcome))
    return session.scalar(query)


def _folded(outcome: RuleOutcome) -> str:
    """Keys are compared without case; the mail's own spelling stands in the reasons."""
    return outcome.monitor.key.casefold()[:300] if outcome.monitor else ""

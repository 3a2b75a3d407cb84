"""The verdict on a mail: the one decision that says what becomes of it, with the reason the ledger shows."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core import mail_kinds
from portal.core.mail import ParsedMail
from portal.core.mail_kinds import MailKind
from portal.core.mail_rules import Action, RuleOutcome
from portal.core.threading import ThreadDecision

TICKET = "ticket"
REPLY = "reply"
AUTOMATIC = "automatic"
BOUNCE = "bounce"
IGNORED = "ignored"
DUPLICATE = "duplicate"
QUARANTINED = "quarantined"
VERDICTS = (TICKET, REPLY, AUTOMATIC, BOUNCE, IGNORED, DUPLICATE, QUARANTINED)

# A row without a verdict for longer than this is unexplained: intake takes seconds.
UNEXPLAINED_AFTER_MINUTES = 10
MAX_TRIES = 5


@dataclass(frozen=True)
class IntakeFacts:
    """What the database knows. `twin_id` is an earlier ledger row of the same content, `twin_ticket` its ticket.

    `has_id_twin`: an earlier row has the same Message-ID but other content. `is_cut`: only the header was fetched.
    `is_over`: the ticket it answers was closed longer ago than replies may reopen it. `rule` is the rule of the
    administrator that fits, `monitor_ticket` the ticket that is open for what a monitoring system writes about.
    `is_released`: a person let it in. `is_text`: it is imported as plain text, because it cannot be parsed.
    """

    kind: MailKind
    thread: ThreadDecision
    twin_id: int | None = None
    twin_ticket: int | None = None
    has_id_twin: bool = False
    is_cut: bool = False
    is_over: bool = False
    rule: RuleOutcome | None = None
    monitor_ticket: int | None = None
    is_released: bool = False
    is_text: bool = False


@dataclass(frozen=True)
class IntakePlan:
    """What to do. `ticket_id` is the ticket it joins; None with verdict `ticket` means a new one.

    `maybe` is a ticket it may belong to, to be offered on the new one; `follows` the closed one it goes on from.
    `is_automatic` marks what is never answered and never pages. `rule_id` is the rule that decided.
    """

    verdict: str
    reason: str
    ticket_id: int | None = None
    maybe: int | None = None
    follows: int | None = None
    is_automatic: bool = False
    rule_id: int | None = None


def decide_intake(mail: ParsedMail, *, facts: IntakeFacts) -> IntakePlan:
    """The verdict on one mail (product.md 1, decisions.md 6).

    A twin is certain only when the mail says who it is or when it was written: a monitor that sends the same words
    twice without either means two events.
    """
    kind, thread = facts.kind, facts.thread
    if facts.is_text:
        return IntakePlan(TICKET, "imported as plain text by hand; never answered", is_automatic=True)
    if facts.twin_id is not None and (mail.message_id or mail.date):
        return IntakePlan(DUPLICATE, f"the same mail as row {facts.twin_id}", facts.twin_ticket)
    if kind.kind == mail_kinds.OWN:
        return IntakePlan(IGNORED, f"our own mail: {kind.reason}", thread.ticket_id)
    if kind.kind == mail_kinds.BOUNCE:
        return IntakePlan(BOUNCE, kind.reason, thread.ticket_id, is_automatic=True)
    ruled = _by_rule(facts)
    if ruled is not None:
        return ruled
    if mail.sender is None or "@" not in mail.sender.email:
        return IntakePlan(QUARANTINED, "it names no sender address, so nobody could be answered")
    if kind.kind != mail_kinds.PERSON and (thread.ticket_id or not _may_open(facts)):
        return IntakePlan(AUTOMATIC, f"{kind.kind}: {kind.reason}", thread.ticket_id, is_automatic=True)
    return _from_a_sender(facts, is_automatic=kind.kind != mail_kinds.PERSON)


def _by_rule(facts: IntakeFacts) -> IntakePlan | None:
    """What an administrator's rule makes of it. None where none fits, and where one lets it in."""
    rule = facts.rule
    if rule is None or rule.action is Action.TAKE:
        return None
    if rule.action is Action.MONITOR and rule.monitor is not None:
        joined = facts.monitor_ticket
        if joined is None and not rule.monitor.is_clear:
            return IntakePlan(TICKET, f"{rule.reason}; never answered", is_automatic=True, rule_id=rule.rule_id)
        end = "" if joined else "; no ticket was open for it"
        return IntakePlan(AUTOMATIC, rule.reason + end, joined, is_automatic=True, rule_id=rule.rule_id)
    if rule.action is Action.AUTOMATIC:
        return IntakePlan(AUTOMATIC, rule.reason, facts.thread.ticket_id, is_automatic=True, rule_id=rule.rule_id)
    verdict = QUARANTINED if rule.action is Action.QUARANTINE else IGNORED
    return IntakePlan(verdict, rule.reason, rule_id=rule.rule_id)


def _may_open(facts: IntakeFacts) -> bool:
    """Whether a machine's mail that answers nothing becomes a ticket."""
    is_wanted = facts.rule is not None and facts.rule.action is Action.TAKE
    return facts.kind.opens_ticket or facts.is_released or is_wanted


def _from_a_sender(facts: IntakeFacts, *, is_automatic: bool) -> IntakePlan:
    notes = [facts.thread.reason]
    if facts.is_released:
        notes.append("let in by hand")
    if facts.rule is not None:
        notes.append(f"let in by {facts.rule.reason}")
    if facts.has_id_twin:
        notes.append("an earlier mail has the same Message-ID but other content")
    if facts.is_cut:
        notes.append("it is over the size limit: text and attachments are still in the mailbox")
    if is_automatic:
        notes.append(f"automatic, so never answered ({facts.kind.reason})")
    ticket_id = facts.thread.ticket_id
    if ticket_id is not None and facts.is_over:
        notes.append(f"ticket {ticket_id} was closed too long ago to be opened again")
        return IntakePlan(TICKET, "; ".join(notes), follows=ticket_id)
    reason = "; ".join(notes)
    if ticket_id is not None:
        return IntakePlan(REPLY, reason, ticket_id)
    return IntakePlan(TICKET, reason, maybe=facts.thread.maybe, is_automatic=is_automatic)

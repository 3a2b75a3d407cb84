"""The verdict on a mail: the one decision that says what becomes of it, with the reason the ledger shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.core import mail_kinds
from portal.core.mail import ParsedMail
from portal.core.mail_commands import CLOSE, RATE, MailCommand, parse_command
from portal.core.mail_kinds import MailKind
from portal.core.mail_rules import Action, RuleOutcome
from portal.core.mail_voices import REQUESTER, Writer, decide_voice, may_declare
from portal.core.paging import confirms_emergency
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

    `has_id_twin`: an earlier row, of `id_twin_ticket`, has the same Message-ID but other content. `is_cut`: only the
    header was fetched. `writer` is who wrote it, as the ticket that it joins knows them.
    `is_over`: the ticket it answers was closed longer ago than replies may reopen it. `rule` is the rule of the
    administrator that fits, `monitor_ticket` the ticket that is open for what a monitoring system writes about.
    `is_released`: a person let it in. `is_text`: it is imported as plain text, because it cannot be parsed.
    `is_echo`: it holds a mail of ours and nothing else.
    """

    kind: MailKind
    thread: ThreadDecision
    twin_id: int | None = None
    twin_ticket: int | None = None
    has_id_twin: bool = False
    id_twin_ticket: int | None = None
    is_cut: bool = False
    is_over: bool = False
    rule: RuleOutcome | None = None
    monitor_ticket: int | None = None
    is_released: bool = False
    is_text: bool = False
    is_echo: bool = False
    writer: Writer = field(default_factory=Writer)


@dataclass(frozen=True)
class IntakePlan:
    """What to do. `ticket_id` is the ticket it joins; None with verdict `ticket` means a new one.

    `maybe` is a ticket it may belong to, to be offered on the new one; `follows` the closed one it goes on from.
    `is_automatic` marks what is never answered and never pages. `rule_id` is the rule that decided. `voice` says who
    speaks in a reply (`core/mail_voices.py`), `command` what the requester orders with it, `may_declare` whether the
    word URGENT counts. `also` are further tickets that turn out to be of the same thread.
    """

    verdict: str
    reason: str
    ticket_id: int | None = None
    maybe: int | None = None
    follows: int | None = None
    is_automatic: bool = False
    rule_id: int | None = None
    voice: str = REQUESTER
    command: MailCommand | None = None
    may_declare: bool = False
    also: tuple[int, ...] = ()


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
    if facts.writer.is_sent:
        return _sent_by_hand(mail, facts)
    if kind.kind == mail_kinds.OWN:
        return IntakePlan(IGNORED, f"our own mail: {kind.reason}", thread.ticket_id)
    if kind.kind == mail_kinds.BOUNCE:
        return IntakePlan(BOUNCE, kind.reason, thread.ticket_id, is_automatic=True)
    if facts.is_echo:
        return IntakePlan(AUTOMATIC, "our own mail that came back, with no words added", thread.ticket_id)
    ruled = _by_rule(facts)
    if ruled is not None:
        return ruled
    if mail.sender is None or "@" not in mail.sender.email:
        return IntakePlan(QUARANTINED, "it names no sender address, so nobody could be answered")
    if kind.kind != mail_kinds.PERSON and (thread.ticket_id or not _may_open(facts)):
        return IntakePlan(AUTOMATIC, f"{kind.kind}: {kind.reason}", thread.ticket_id, is_automatic=True)
    return _from_a_sender(mail, facts, is_automatic=kind.kind != mail_kinds.PERSON)


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


def _sent_by_hand(mail: ParsedMail, facts: IntakeFacts) -> IntakePlan:
    """A mail from the folder of sent mail: it may answer a ticket, and never opens one, nor is anything sent for it."""
    kind, thread = facts.kind, facts.thread
    if kind.kind == mail_kinds.OWN:
        return IntakePlan(IGNORED, f"our own mail, found among the sent: {kind.reason}", thread.ticket_id)
    if kind.kind not in (mail_kinds.PERSON, mail_kinds.CALENDAR):
        return IntakePlan(IGNORED, f"sent from the mailbox, but not by a person ({kind.reason})")
    if thread.ticket_id is None:
        return IntakePlan(IGNORED, "sent by hand from the mailbox, and it answers no ticket")
    voice = decide_voice(mail, thread=thread, writer=facts.writer)
    reason = f"{thread.reason}; {voice.reason}"
    return IntakePlan(REPLY, reason, thread.ticket_id, voice=voice.kind, also=thread.also)


def _from_a_sender(mail: ParsedMail, facts: IntakeFacts, *, is_automatic: bool) -> IntakePlan:
    notes = _notes(facts)
    if is_automatic:
        notes.append(f"automatic, so never answered ({facts.kind.reason})")
    if facts.thread.ticket_id is not None:
        return _join(mail, facts, facts.thread.ticket_id, notes)
    maybe = facts.thread.maybe or facts.id_twin_ticket
    return IntakePlan(TICKET, "; ".join(notes), maybe=maybe, is_automatic=is_automatic)


def _notes(facts: IntakeFacts) -> list[str]:
    notes = [facts.thread.reason]
    if facts.is_released:
        notes.append("let in by hand")
    if facts.rule is not None:
        notes.append(f"let in by {facts.rule.reason}")
    if facts.has_id_twin:
        notes.append("an earlier mail has the same Message-ID but other content")
    if facts.is_cut:
        notes.append("it is over the size limit or not handed over: text and attachments are still in the mailbox")
    return notes


def _join(mail: ParsedMail, facts: IntakeFacts, ticket_id: int, notes: list[str]) -> IntakePlan:
    voice = decide_voice(mail, thread=facts.thread, writer=facts.writer)
    command = None
    if voice.kind == REQUESTER and facts.writer.is_requester and not facts.writer.distrust:
        command = parse_command(mail.text)
    ends = command is not None and command.kind in (CLOSE, RATE)
    if voice.kind == REQUESTER and facts.is_over and not ends:
        notes.append(f"ticket {ticket_id} was closed too long ago to be opened again")
        return IntakePlan(TICKET, "; ".join(notes), follows=ticket_id)
    notes.extend([voice.reason] if voice.reason else [])
    notes.extend([f"orders: {command.kind}"] if command else [])
    counts = may_declare(facts.thread, facts.writer)
    if voice.kind == REQUESTER and not counts and confirms_emergency(mail.text):
        notes.append("URGENT counts only from the requester and their colleagues")
    return IntakePlan(
        REPLY,
        "; ".join(notes),
        ticket_id,
        voice=voice.kind,
        command=command,
        may_declare=counts,
        also=facts.thread.also,
    )

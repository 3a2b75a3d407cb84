"""Triage of new tickets (work kind `triage`): spelling, category, priority, queue, and the page decision with it.

Reading and thinking happen before the transaction. Taking the ticket, what was found, the page it leads to and the
confirmation are one commit, so two workers cannot both triage it, and a crash leaves it untriaged and unpaged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from portal.core.calendars import is_open
from portal.core.paging import Cause, Verdict, WakeFor
from portal.core.promises import promise_answer
from portal.core.quoting import own_words
from portal.core.rules import Routing, Rule, RuleFacts, apply_rules
from portal.core.spelling import Correction, EnglishCorrector, SpellingCorrector
from portal.core.tickets import DEFAULT_PRIORITY, format_number
from portal.core.triage import Aspect, Classification, TicketClassifier, TicketText, fold_words
from portal.core.wordlists import load_english
from portal.models import (
    AuditEvent,
    Category,
    Database,
    LexiconTerm,
    MailboxRow,
    Message,
    PageDecisionRow,
    Queue,
    Requester,
    Ticket,
    UnitOfWork,
    User,
    is_unavailable,
)
from portal.services.alarms import raise_alarm
from portal.services.context import Context
from portal.services.lexicon import load_classifier
from portal.services.mail_out import add_confirmation
from portal.services.mail_words import language_of
from portal.services.paging import Event, decide_for_ticket
from portal.services.paging_rules import hours_at, load_paging_rules
from portal.services.rules import list_rules
from portal.services.settings import load_settings
from portal.services.team_notices import tell_team
from portal.services.ticket_times import calendar_of_queue, hours_of_queue
from portal.services.tickets import REQUEST, Actor, assign_ticket, sort_ticket

CORRECTED_CHARACTERS = 20_000  # of a body; what comes after is a log or a thread
SORTED_BY_HAND = ("staff", "import")  # whoever entered the ticket chose its priority
ACTOR = Actor("Triage")

log = structlog.get_logger(__name__)

Pause = Callable[[float], None]


@dataclass(frozen=True)
class Desk:
    """What a site sorts with, read once and used until somebody changes something.

    Args:
        queue_of: name of the queue a category goes to, by the category's name; "" for none.
        fallback: the category for what fits no other: the last one without words, "" where there is none.
        category_ids, queue_ids, people: the ids behind names and mail addresses.
        site_words: lower-case words of the shop that are never "corrected".
    """

    classifier: TicketClassifier
    corrector: SpellingCorrector
    rules: tuple[Rule, ...] = ()
    queue_of: Mapping[str, str] = field(default_factory=dict)
    fallback: str = ""
    category_ids: Mapping[str, int] = field(default_factory=dict)
    queue_ids: Mapping[str, int] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)
    site_words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Request:
    """A ticket as triage reads it. `category` and `queue` are what was chosen already, "" for nothing."""

    subject: str
    body: str
    source: str = "mail"
    sender: str = ""
    sender_name: str = ""
    mailbox: str = ""
    category: str = ""
    queue: str = ""
    priority: int = DEFAULT_PRIORITY
    is_emergency: bool = False


@dataclass(frozen=True)
class Finding:
    """What triage found: corrections beside the original, the classification, and where the ticket goes."""

    subject: Correction
    body: Correction
    classification: Classification
    routing: Routing

    def as_json(self) -> dict[str, Any]:
        """What is stored in `Ticket.triage` and shown on its page."""
        found = self.classification
        return {
            "category": found.category,
            "runner_up": found.runner_up,
            "confidence": round(found.confidence, 3),
            "priority": found.priority,
            "reasons": [{**asdict(reason), "text": reason.text} for reason in found.reasons],
            "rules": list(self.routing.reasons),
            "subject_changes": [asdict(change) for change in self.subject.changes],
        }


def count_untriaged(session: Session) -> int:
    """Tickets that wait for triage."""
    return session.scalar(select(func.count()).select_from(Ticket).where(Ticket.triaged_at.is_(None))) or 0


def triage_next(context: Context, *, pause: Pause = time.sleep) -> bool:
    """Triage the most urgent ticket that waits: emergencies, then the newest, imported ones last. False: none waits.

    After an imported ticket it pauses as long as the commit took, which leaves half of the database's time to others.
    """
    now = context.clock.now()
    with context.database.read_session() as session:
        ticket_id = _next_id(session)
        if ticket_id is None:
            return False
        desk = load_desk(context.database, session)
        request = load_request(session, ticket_id)
        calendar_id = calendar_of_queue(session, session.get_one(Ticket, ticket_id).queue_id)
        is_after_hours = not hours_at(session, calendar_id, now=now).is_open
    finding = _examine(ticket_id, request, desk=desk, is_after_hours=is_after_hours)
    began = time.monotonic()

    def sort_and_page(uow: UnitOfWork, ticket: Ticket) -> None:
        _record(uow, ticket, finding, desk=desk, now=now)
        decision = _decide(uow, ticket, finding.routing, now=now)
        if not ticket.is_imported:
            _confirm(context, uow, ticket, is_paged=decision.verdict == Verdict.PAGE)
            _tell_team(context, uow, ticket)

    def page_only(uow: UnitOfWork, ticket: Ticket) -> None:
        _raise_alarm(uow, ticket, "could not be sorted", now=now)
        _decide(uow, ticket, finding.routing, now=now)

    def put_aside(uow: UnitOfWork, ticket: Ticket) -> None:
        _raise_alarm(uow, ticket, "could neither be sorted nor paged", now=now)

    is_imported = _settle(context, ticket_id, (sort_and_page, page_only, put_aside), now=now)
    if is_imported:
        pause(time.monotonic() - began)
    return True


def _settle(
    context: Context, ticket_id: int, steps: Sequence[Callable[[UnitOfWork, Ticket], None]], *, now: datetime
) -> bool:
    """Take the ticket and do the first step that works. One ticket with a bug behind it must not hold up the others.

    Returns whether it is an imported one.
    """
    for step in steps:
        try:
            with context.database.unit_of_work() as uow:
                ticket = _take(uow, ticket_id, now)
                if ticket is not None:
                    step(uow, ticket)
                return ticket is not None and ticket.is_imported
        except Exception as error:  # the next step does less
            if is_unavailable(error):
                raise  # the database's trouble and not the ticket's: it stays as it is
            log.exception("a ticket could not be triaged", ticket=ticket_id)
    return False


def _raise_alarm(uow: UnitOfWork, ticket: Ticket, what: str, *, now: datetime) -> None:
    number = format_number(ticket.id, prefix=load_settings(uow.session).site_prefix)
    raise_alarm(uow, f"triage:{ticket.id}", f"{number} {what} by itself. Look at it now.", now=now)


def _examine(ticket_id: int, request: Request, *, desk: Desk, is_after_hours: bool) -> Finding:
    try:
        return examine(request, desk=desk, is_after_hours=is_after_hours)
    except Exception:  # whatever one text breaks in an engine, its ticket is paged and the next one is taken
        log.exception("a ticket could not be examined; it goes on as it came", ticket=ticket_id)
    reason = "The text could not be examined, so the ticket goes on as it came."
    category = request.category or desk.fallback
    queue = request.queue or desk.queue_of.get(category, "")
    return Finding(
        Correction(request.subject),
        Correction(request.body),
        Classification("", "", 0.0, request.priority),
        Routing(category, request.priority, queue, reasons=(reason,)),
    )


def examine(request: Request, *, desk: Desk, is_after_hours: bool) -> Finding:
    """Spelling, words and rules applied to one request. Pure: also behind the page's "try it out"."""
    site_words = desk.site_words | frozenset(fold_words(request.sender_name))
    subject = desk.corrector.correct(request.subject, site_words=site_words)
    body = desk.corrector.correct(request.body[:CORRECTED_CHARACTERS], site_words=site_words)
    text = TicketText(subject.corrected, own_words(body.corrected, subject=subject.corrected), request.is_emergency)
    found = desk.classifier.classify(text)
    start = Routing(
        category=request.category or found.category or desk.fallback,
        priority=request.priority if request.source in SORTED_BY_HAND else found.priority,
        queue=request.queue,
    )
    facts = RuleFacts(
        subject=text.subject,
        body=text.body,
        sender=request.sender,
        source=request.source,
        mailbox=request.mailbox,
        is_after_hours=is_after_hours,
        is_emergency=request.is_emergency,
    )
    routing = apply_rules(desk.rules, facts, start)
    if not routing.queue:
        routing = replace(routing, queue=desk.queue_of.get(routing.category, ""))
    return Finding(subject, replace(body, original=request.body), found, routing)


def load_request(session: Session, ticket_id: int) -> Request:
    """A ticket with its first message, as triage reads it. One statement."""
    query = (
        select(Ticket, Message.body, Requester.email, Requester.name, MailboxRow.name, Category.name, Queue.name)
        .outerjoin(Message, (Message.ticket_id == Ticket.id) & (Message.kind == REQUEST))
        .outerjoin(Requester, Requester.id == Ticket.requester_id)
        .outerjoin(MailboxRow, MailboxRow.id == Ticket.mailbox_id)
        .outerjoin(Category, Category.id == Ticket.category_id)
        .outerjoin(Queue, Queue.id == Ticket.queue_id)
        .where(Ticket.id == ticket_id)
        .order_by(Message.id)
        .limit(1)
    )
    ticket, body, email, name, mailbox, category, queue = session.execute(query).one()
    return Request(
        subject=ticket.subject,
        body=body or "",
        source=ticket.source,
        sender=email or "",
        sender_name=name or "",
        mailbox=mailbox or "",
        category=category or "",
        queue=queue or "",
        priority=ticket.priority,
        is_emergency=ticket.emergency == "declared",
    )


_desks: WeakKeyDictionary[Database, tuple[int, Desk]] = WeakKeyDictionary()


def load_desk(database: Database, session: Session) -> Desk:
    """The site's words, rules and names, read anew when anything was changed: every change leaves an audit event."""
    version = session.scalar(select(func.max(AuditEvent.id))) or 0
    known = _desks.get(database)
    if known is None or known[0] != version:
        known = _desks[database] = (version, _read_desk(session))
    return known[1]


def _read_desk(session: Session) -> Desk:
    queues = {row.id: row.name for row in session.scalars(select(Queue))}
    categories = session.scalars(select(Category).order_by(Category.position, Category.name)).all()
    users = session.execute(select(User.id, User.email, User.name, User.is_active)).all()
    terms = session.execute(select(LexiconTerm.term, LexiconTerm.aspect, LexiconTerm.target)).all()
    described = {term.target for term in terms if term.aspect == str(Aspect.CATEGORY)}
    names = [*queues.values(), *(row.name for row in categories), *(user.name for user in users)]
    return Desk(
        classifier=load_classifier(session),
        corrector=EnglishCorrector(load_english()),
        rules=tuple(entry.rule for entry in list_rules(session)),
        queue_of={row.name: queues.get(row.queue_id or 0, "") for row in categories},
        fallback=next((row.name for row in reversed(categories) if row.name not in described), ""),
        category_ids={row.name: row.id for row in categories},
        queue_ids={name: id for id, name in queues.items()},
        people={user.email: user.id for user in users if user.is_active},
        site_words=frozenset(fold_words(" ".join([*names, *(term.term for term in terms)]))),
    )


def _next_id(session: Session) -> int | None:
    """Two statements, so that thousands of imported tickets never have to be sorted."""
    waiting = select(Ticket.id).where(Ticket.triaged_at.is_(None)).limit(1)
    is_declared = case((Ticket.emergency == "declared", 0), else_=1)
    live = waiting.where(Ticket.is_imported.is_(False)).order_by(is_declared, Ticket.priority, Ticket.id.desc())
    found = session.scalar(live)
    if found is not None:
        return found
    return session.scalar(waiting.where(Ticket.is_imported).order_by(Ticket.priority, Ticket.id))


def _take(uow: UnitOfWork, ticket_id: int, now: datetime) -> Ticket | None:
    """Compare and set: of two workers with the same ticket, one changes it and the other goes on."""
    taken = update(Ticket).where(Ticket.id == ticket_id, Ticket.triaged_at.is_(None)).values(triaged_at=now)
    is_ours = uow.session.execute(taken).rowcount == 1  # type: ignore[attr-defined]
    return uow.session.get_one(Ticket, ticket_id) if is_ours else None


def _record(uow: UnitOfWork, ticket: Ticket, finding: Finding, *, desk: Desk, now: datetime) -> None:
    """What a person has sorted in the meantime (`version`) stays as it is."""
    routing = finding.routing
    ticket.triage = finding.as_json()
    if ticket.version == 1:
        sort_ticket(
            uow,
            ticket,
            actor=ACTOR,
            now=now,
            priority=routing.priority,
            queue_id=desk.queue_ids.get(routing.queue, ticket.queue_id),
            category_id=desk.category_ids.get(routing.category, ticket.category_id),
        )
    if routing.assignee in desk.people and ticket.assignee_id is None:
        user = uow.session.get(User, desk.people[routing.assignee])
        assign_ticket(uow, ticket, user, actor=ACTOR, now=now)
    if finding.body.changes:
        first = select(Message).where(Message.ticket_id == ticket.id, Message.kind == REQUEST).order_by(Message.id)
        message = uow.session.scalars(first.limit(1)).one()
        message.corrected = finding.body.corrected
        message.corrections = [asdict(change) for change in finding.body.changes]


def _decide(uow: UnitOfWork, ticket: Ticket, routing: Routing, *, now: datetime) -> PageDecisionRow:
    event = Event(Cause.CREATED, rule=routing.page_rule, rule_pages=routing.page)
    return decide_for_ticket(uow, ticket, event, rules=load_paging_rules(uow.session, now=now))


def _tell_team(context: Context, uow: UnitOfWork, ticket: Ticket) -> None:
    first = select(Message).where(Message.ticket_id == ticket.id, Message.kind == REQUEST).order_by(Message.id)
    message = uow.session.scalar(first.limit(1))
    if message is not None and ticket.source != "staff":
        tell_team(context, uow, ticket, message, is_new=True)


def _confirm(context: Context, uow: UnitOfWork, ticket: Ticket, *, is_paged: bool) -> None:
    """And, for a mail that could still turn out to be an emergency, ask (product.md 4)."""
    settings, now = load_settings(uow.session), context.clock.now()
    hours = hours_of_queue(uow.session, ticket.queue_id)
    may_declare = not is_paged and not ticket.emergency and settings.paging_wake_for != WakeFor.EVERYTHING
    language = language_of(uow.session, ticket, settings)
    promise = promise_answer(hours, now=now, is_paged=is_paged, language=language)
    asks_urgency = may_declare and not is_open(hours, now)
    add_confirmation(context, uow, ticket, settings=settings, promise=promise, asks_urgency=asks_urgency)

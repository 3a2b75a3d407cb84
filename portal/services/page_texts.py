"""The texts of a page as rows of the outbox: what it says, the short code of each person, one row for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core import sms_words as words
from portal.core.answers import next_code
from portal.core.sms_words import OpenItem, PageWords
from portal.core.tickets import format_number
from portal.core.work import NOTIFY
from portal.models import Customer, Message, Notification, Page, PageCode, PageTicket, Requester, Ticket, UnitOfWork
from portal.services.paging_rules import PagingRules
from portal.services.recipients import Recipient

HELD = "Watch mode: this text was held back."
PAGE = "page"
INFO = "info"
REPLY = "reply"
_SHORT_SUBJECT = 40
# A page that asks again waits a moment for others that do, so that they can share a text (bursts.py).
_GATHER = timedelta(seconds=2)


@dataclass(frozen=True)
class PageBody:
    """What a page says, whoever gets it. `number` is how answers speak of it ("#1234", "3 late requests")."""

    kind: str
    number: str
    gist: str = ""
    priority: str = ""
    words: PageWords | None = None
    items: tuple[OpenItem, ...] = ()

    def text(self, code: int, *, notice: str) -> str:
        """The text for one person."""
        if self.words is not None:
            return words.page_text(
                PageWords(**{**self.words.__dict__, "code": code, "notice": notice or self.words.notice})
            )
        if self.items:
            return words.digest_text(self.items, code=code, notice=notice)
        return words.test_page_text(self.gist, code)

    def item(self, code: int) -> OpenItem:
        """The page as one line of a list."""
        return OpenItem(code, self.number, self.gist, self.priority)


def load_body(session: Session, page: Page, rules: PagingRules) -> PageBody:
    """Read what the page is about."""
    if page.kind == "digest":
        items = _digest_items(session, page.id, rules)
        count = f"{len(items)} late request{'' if len(items) == 1 else 's'}"
        return PageBody("digest", count, items[0].gist if items else "", items=items)
    if page.ticket_id is None:
        return PageBody(page.kind, "the test", gist=rules.site_name)
    ticket = session.get_one(Ticket, page.ticket_id)
    person = session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    number, priority = format_number(ticket.id, prefix=rules.number_prefix), f"P{ticket.priority}"
    gist = _gist(session, ticket)
    body = PageWords(
        number=number,
        code=0,
        gist=gist,
        priority=priority,
        is_emergency=ticket.emergency == "declared",
        person=(person.name or person.email) if person else "",
        phone=ticket.phone or (person.phone if person else ""),
        customer=_customer(session, ticket),
        holiday=rules.of_queue(ticket.queue_id).hours.holiday,
    )
    return PageBody("ticket", number, gist, priority, words=body)


def _customer(session: Session, ticket: Ticket) -> str:
    found = session.get(Customer, ticket.customer_id) if ticket.customer_id else None
    return found.name if found else ""


def _digest_items(session: Session, page_id: int, rules: PagingRules) -> tuple[OpenItem, ...]:
    query = select(Ticket).join(PageTicket, PageTicket.ticket_id == Ticket.id).where(PageTicket.page_id == page_id)
    tickets = session.scalars(query.order_by(Ticket.priority, Ticket.id))
    return tuple(
        OpenItem(0, format_number(t.id, prefix=rules.number_prefix), t.subject, f"P{t.priority}") for t in tickets
    )


def _gist(session: Session, ticket: Ticket) -> str:
    """The subject, and the first words below it where the subject says little."""
    if len(ticket.subject) >= _SHORT_SUBJECT:
        return ticket.subject
    query = select(Message.body).where(Message.ticket_id == ticket.id).order_by(Message.id).limit(1)
    body = " ".join((session.scalar(query) or "").split())
    if not body or body.casefold().startswith(ticket.subject.casefold()):
        return body or ticket.subject
    return f"{ticket.subject}: {body}" if ticket.subject else body


def code_of(session: Session, user_id: int, page_id: int) -> int:
    """The person's short code for this page, given out on first use."""
    mine = select(PageCode.code).where(PageCode.user_id == user_id, PageCode.page_id == page_id)
    code = session.scalar(mine)
    if code is not None:
        return code
    used = session.scalars(select(PageCode.code).where(PageCode.user_id == user_id, PageCode.is_open))
    code = next_code(used)
    session.add(PageCode(user_id=user_id, page_id=page_id, code=code))
    session.flush()
    return code


def free_codes(session: Session, page_id: int) -> None:
    """The page is closed: its codes may be given to other pages."""
    for row in session.scalars(select(PageCode).where(PageCode.page_id == page_id)):
        row.is_open = False


def write_page_texts(
    uow: UnitOfWork, rules: PagingRules, page: Page, people: Sequence[Recipient], *, notice: str = ""
) -> int:
    """One row for each person who has a number. Returns how many that are; the same step twice adds nothing."""
    body = load_body(uow.session, page, rules)
    reachable = [person for person in people if person.numbers]
    for person in reachable:
        key = f"page:{page.id}:{person.user_id}:{page.step}:{page.round}"
        if _is_written(uow.session, key):
            continue
        _replace_waiting(uow.session, page.id, person.user_id)
        code = code_of(uow.session, person.user_id, page.id)
        text = Text(key, PAGE, person.numbers[0], body.text(code, notice=notice), page.id, page.kind == "test")
        if page.step or page.round:
            text = replace(text, wait=_GATHER)
        add_text(uow, rules, person, text)
    return len(reachable)


def _is_written(session: Session, key: str) -> bool:
    return session.scalar(select(Notification.id).where(Notification.dedupe_key == key)) is not None


def _replace_waiting(session: Session, page_id: int, user_id: int) -> None:
    """While the provider is away, texts of one page must not pile up for a person: the newest says it all."""
    query = select(Notification).where(Notification.page_id == page_id, Notification.user_id == user_id)
    for row in session.scalars(query.where(Notification.kind == PAGE, Notification.state == "pending")):
        row.state, row.due_at, row.last_error = "cancelled", None, "A newer text of this page took its place."


@dataclass(frozen=True)
class Text:
    """A text to one number. `key` is unique: the same key twice is one text (decisions.md 6). `wait` puts it off."""

    key: str
    kind: str
    number: str
    text: str
    page_id: int | None = None
    is_requested: bool = False
    wait: timedelta = timedelta(0)


def add_text(uow: UnitOfWork, rules: PagingRules, person: Recipient, text: Text) -> bool:
    """Write the intent. In watch mode it is written as held back. Returns False when this text exists already."""
    if _is_written(uow.session, text.key):
        return False
    is_held = rules.holds_back(person.role, is_requested=text.is_requested)
    uow.session.add(
        Notification(
            dedupe_key=text.key,
            page_id=text.page_id,
            user_id=person.user_id,
            kind=text.kind,
            number=text.number,
            text=text.text,
            is_requested=text.is_requested,
            created_at=rules.now,
            state="cancelled" if is_held else "pending",
            due_at=None if is_held else rules.now + text.wait,
            last_error=HELD if is_held else "",
        )
    )
    uow.session.flush()
    if not is_held:
        uow.wake(NOTIFY)
    return True


def tell(
    uow: UnitOfWork, rules: PagingRules, people: Iterable[Recipient], *, event: str, page_id: int | None, text: str
) -> None:
    """A short notice to people who were asked before. `event` keeps it to one a person."""
    for person in people:
        if person.numbers:
            key = f"{event}:{person.user_id}"
            add_text(uow, rules, person, Text(key, INFO, person.numbers[0], text, page_id))


def cancel_pending(session: Session, page_id: int, *, reason: str) -> None:
    """Page texts that have not left are not needed any more. One in `sending` may be on its way and stays."""
    query = select(Notification).where(Notification.page_id == page_id, Notification.kind == PAGE)
    for row in session.scalars(query.where(Notification.state == "pending")):
        row.state, row.due_at, row.last_error = "cancelled", None, reason


def asked_people(session: Session, page_id: int) -> list[int]:
    """Everyone whose phone got this page, or may have got it."""
    query = select(Notification.user_id).where(
        Notification.page_id == page_id,
        Notification.kind == PAGE,
        Notification.state.in_(("sending", "accepted", "delivered")),
    )
    return [user_id for user_id in session.scalars(query.distinct().order_by(Notification.user_id)) if user_id]


def mark_answered(session: Session, page_id: int, user_id: int, *, at: datetime) -> None:
    """The person's texts of this page are answered."""
    query = select(Notification).where(Notification.page_id == page_id, Notification.user_id == user_id)
    for row in session.scalars(query.where(Notification.kind == PAGE, Notification.answered_at.is_(None))):
        row.answered_at = at

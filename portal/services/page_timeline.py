"""The way of a ticket's pages, as the ticket page and `portal explain` show it: why, who, when, and what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, union_all
from sqlalchemy.orm import Session

from portal.models import InboundText, Notification, Page, PageDecisionRow, PageTicket, Ticket, User

_CAUSES = {
    "created": "The ticket came in",
    "reopened": "The ticket was reopened",
    "raised": "The ticket was raised to P1",
    "emergency": "An emergency was declared",
    "manual": "Somebody asked to page",
}
_VERDICTS = {"page": "page at once", "digest": "page together with the other late ones", "none": "page nobody"}
_STATES = {
    "pending": "waits to be sent",
    "sending": "is being sent",
    "accepted": "handed to the carrier",
    "delivered": "arrived",
    "undelivered": "did not arrive",
    "failed": "could not be sent",
    "cancelled": "was not sent",
}


@dataclass(frozen=True)
class Decided:
    """One decision with its reasons. `verdict` is page, digest or none."""

    at: datetime
    cause: str
    verdict: str
    words: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One line of a page's way. `tone` is good, bad, wait or plain; `detail` is the text or the reason."""

    at: datetime
    text: str
    detail: str = ""
    tone: str = "plain"


@dataclass(frozen=True)
class PageView:
    """One page. `state` is open, acknowledged, resolved or expired."""

    id: int
    kind: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    holder: str
    acknowledged_at: datetime | None
    entries: tuple[Entry, ...]

    @property
    def is_asking(self) -> bool:
        return self.state in ("open", "expired")


@dataclass(frozen=True)
class Timeline:
    """Everything about paging for one ticket, oldest first."""

    decisions: tuple[Decided, ...] = ()
    pages: tuple[PageView, ...] = ()

    @property
    def is_asking(self) -> bool:
        return any(page.is_asking for page in self.pages)


def load_timeline(session: Session, ticket_id: int) -> Timeline:
    """Four statements, whatever the number of pages."""
    decisions = session.scalars(
        select(PageDecisionRow).where(PageDecisionRow.ticket_id == ticket_id).order_by(PageDecisionRow.id)
    ).all()
    listed = select(PageTicket.page_id).where(PageTicket.ticket_id == ticket_id)
    query = select(Page, User.name).outerjoin(User, User.id == Page.acknowledged_by)
    pages = session.execute(query.where(or_(Page.ticket_id == ticket_id, Page.id.in_(listed))).order_by(Page.id))
    found = {page.id: (page, holder or "") for page, holder in pages}
    entries = _entries(session, list(found))
    views = tuple(_view(page, holder, entries.get(page.id, [])) for page, holder in found.values())
    return Timeline(tuple(map(_decided, decisions)), views)


def _decided(row: PageDecisionRow) -> Decided:
    cause = _CAUSES.get(row.cause.split(":")[0], row.cause)
    return Decided(row.decided_at, cause, row.verdict, _VERDICTS[row.verdict], tuple(map(str, row.reasons)))


def _view(page: Page, holder: str, entries: Sequence[Entry]) -> PageView:
    own = [Entry(page.opened_at, "The page began."), *entries]  # sorted() keeps this order at the same instant
    if page.acknowledged_at:
        own.append(Entry(page.acknowledged_at, f"{holder} took it.", tone="good"))
    if page.closed_at:
        own.append(Entry(page.closed_at, "The page ended."))
    elif page.state == "expired":
        last = max(entry.at for entry in own)
        own.append(Entry(last, "Nobody answered. The alarm was raised.", tone="bad"))
    ordered = tuple(sorted(own, key=lambda entry: entry.at))
    return PageView(page.id, page.kind, page.state, page.opened_at, page.due_at, holder, page.acknowledged_at, ordered)


def _entries(session: Session, page_ids: list[int]) -> dict[int, list[Entry]]:
    """What phones said, then what we sent: at the same instant the answer comes after the words it answers."""
    found: dict[int, list[Entry]] = {page_id: [] for page_id in page_ids}
    if not page_ids:
        return found
    answers = select(InboundText, User.name).join(User, User.id == InboundText.user_id)
    for text, name in session.execute(answers.where(InboundText.page_id.in_(page_ids)).order_by(InboundText.id)):
        at = text.handled_at or text.stored_at
        found[text.page_id or 0].append(Entry(at, f"{name} wrote: {text.text}", text.outcome))
    texts = select(Notification, User.name).outerjoin(User, User.id == Notification.user_id)
    for row, name in session.execute(texts.where(Notification.page_id.in_(page_ids)).order_by(Notification.id)):
        if row.kind != "reply" or row.state in ("undelivered", "failed"):  # the words stand beside the text they answer
            found[row.page_id or 0].append(_sent(row, name or "?"))
    return found


def _sent(row: Notification, name: str) -> Entry:
    tone = {"delivered": "good", "undelivered": "bad", "failed": "bad", "pending": "wait", "sending": "wait"}
    what = {"page": "Text", "reply": "Answer", "info": "Notice"}.get(row.kind, "Text")
    reason = f" ({row.last_error})" if row.last_error and row.state not in ("accepted", "delivered") else ""
    at = row.accepted_at or row.sending_at or row.created_at
    return Entry(at, f"{what} to {name} {_STATES[row.state]}{reason}.", row.text, tone.get(row.state, "plain"))


@dataclass(frozen=True)
class Listed:
    """A ticket of a page."""

    id: int
    subject: str
    priority: int


@dataclass(frozen=True)
class LivePage:
    """A page that has not ended, for the list. `tickets`: one, several in a digest, none in a test."""

    id: int
    kind: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    holder: str
    tickets: tuple[Listed, ...]

    @property
    def is_asking(self) -> bool:
        return self.state in ("open", "expired")


def list_live_pages(session: Session) -> list[LivePage]:
    """Every page that has not ended: unanswered ones first, the worst on top. Two statements."""
    pages = session.execute(
        select(Page, User.name).outerjoin(User, User.id == Page.acknowledged_by).where(Page.state != "resolved")
    ).all()
    tickets = _tickets_of(session, [page for page, _ in pages])
    live = [
        LivePage(page.id, page.kind, page.state, page.opened_at, page.due_at, holder or "", tuple(tickets[page.id]))
        for page, holder in pages
    ]
    return sorted(live, key=lambda page: (not page.is_asking, min([9, *(t.priority for t in page.tickets)]), -page.id))


def _tickets_of(session: Session, pages: Sequence[Page]) -> dict[int, list[Listed]]:
    found: dict[int, list[Listed]] = {page.id: [] for page in pages}
    own = select(Page.id.label("page_id"), Page.ticket_id).where(Page.ticket_id.is_not(None))
    listed = union_all(own, select(PageTicket.page_id, PageTicket.ticket_id)).subquery()
    query = select(listed.c.page_id, Ticket.id, Ticket.subject, Ticket.priority)
    query = query.join(Ticket, Ticket.id == listed.c.ticket_id).where(listed.c.page_id.in_(list(found)))
    for page_id, ticket_id, subject, priority in session.execute(query.order_by(Ticket.priority, Ticket.id)):
        found[page_id].append(Listed(ticket_id, subject, priority))
    return found

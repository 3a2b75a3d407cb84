"""How pages end without an answer from a phone: the ticket is resolved, or its requester writes again.

Apart from `page_changes`, so that the ticket's own use cases can call this without a circle.
"""

from __future__ import annotations

from sqlalchemy import select

from portal.core import sms_words as words
from portal.core.tickets import format_number
from portal.models import Message, Page, PageTicket, Ticket, UnitOfWork, User
from portal.services.page_steps import end_page
from portal.services.page_texts import asked_people, load_body, tell
from portal.services.paging_rules import PagingRules
from portal.services.recipients import load_recipients

ASKING = ("open", "expired")


def stamp(rules: PagingRules) -> int:
    """Tells two events of the same kind on the same page apart."""
    return int(rules.now.timestamp() * 1000)


def end_for_all(
    uow: UnitOfWork, page: Page, *, by: User | None, rules: PagingRules, merged_into: int | None = None
) -> None:
    """The page is over; everybody it asked, and nobody who ended it, is told. A merged ticket is not solved, and the
    one it went into may still ask."""
    was_open = page.state in ASKING
    number = load_body(uow.session, page, rules).number
    end_page(uow, page, rules=rules, reason="The page was closed.")
    if not was_open:
        return
    asked = [person for person in asked_people(uow.session, page.id) if by is None or person != by.id]
    who, event = by.name if by else "", f"closed:{page.id}:{stamp(rules)}"
    text = words.closed_text(who, number)
    if merged_into is not None:
        text = words.merged_text(who, number, format_number(merged_into, prefix=rules.number_prefix))
    tell(uow, rules, load_recipients(uow.session, asked), event=event, page_id=page.id, text=text)


def end_ticket_pages(uow: UnitOfWork, ticket_id: int, *, by: User | None, rules: PagingRules) -> None:
    """The ticket was resolved, closed or merged: its pages end, and digests that listed nothing else still open.

    To be called inside the transaction that resolved it, after its status changed.
    """
    own = select(Page).where(Page.ticket_id == ticket_id, Page.state != "resolved")
    for page in uow.session.scalars(own).all():
        end_for_all(uow, page, by=by, rules=rules, merged_into=uow.session.get_one(Ticket, ticket_id).merged_into_id)
    digests = select(Page).join(PageTicket, PageTicket.page_id == Page.id).where(PageTicket.ticket_id == ticket_id)
    for page in uow.session.scalars(digests.where(Page.state != "resolved")).all():
        open_ones = select(Ticket.id).join(PageTicket, PageTicket.ticket_id == Ticket.id)
        if uow.session.scalar(open_ones.where(PageTicket.page_id == page.id, Ticket.is_open).limit(1)) is None:
            end_for_all(uow, page, by=by, rules=rules)


def tell_owner(uow: UnitOfWork, message: Message, *, rules: PagingRules) -> None:
    """The requester wrote again on a ticket whose page somebody took: its owner gets the words as a text."""
    _tell_owner(uow, message.ticket_id, message.author, message.body, event=f"reply:{message.id}", rules=rules)


def tell_owner_of_emergency(uow: UnitOfWork, ticket_id: int, person: str, *, rules: PagingRules) -> None:
    """The requester declares an emergency where somebody has the page: nobody is rung anew, so its owner must know."""
    _tell_owner(uow, ticket_id, person, "It is an emergency.", event=f"emergency:{ticket_id}", rules=rules)


def _tell_owner(uow: UnitOfWork, ticket_id: int, person: str, said: str, *, event: str, rules: PagingRules) -> None:
    query = select(Page).where(Page.ticket_id == ticket_id, Page.state == "acknowledged")
    page = uow.session.scalar(query)
    if page is None or page.acknowledged_by is None:
        return
    text = words.requester_text(load_body(uow.session, page, rules).number, person, said)
    owner = load_recipients(uow.session, [page.acknowledged_by])
    tell(uow, rules, owner, event=event, page_id=page.id, text=text)

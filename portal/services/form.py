"""A request by the web form becomes a ticket."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.uploads import Upload
from portal.models import Ticket, UnitOfWork
from portal.services.context import Context
from portal.services.form_posts import find_earlier_post, note_post, once_key
from portal.services.tickets import (
    REQUEST,
    Actor,
    NewMessage,
    NewTicket,
    create_ticket,
    find_or_add_requester,
)
from portal.services.uploads import add_uploads

DECLARED, DECLINED = "declared", "declined"


@dataclass(frozen=True)
class FormRequest:
    """What somebody filled in. `body` may be empty.

    Attributes:
        key: the form's hidden key; sent twice with the same content, it makes one ticket.
        sender: the network address, for the throttle.
        emergency: the answer to the question asked after hours: declared, declined, or "" where it was not asked.
        price: what the form said an emergency costs: part of the consent.
    """

    key: str
    sender: str
    name: str
    email: str
    subject: str
    body: str = ""
    phone: str = ""
    department: str = ""
    device: str = ""
    emergency: str = ""
    price: str = ""
    files: tuple[Upload, ...] = ()


def take_request(context: Context, uow: UnitOfWork, sent: FormRequest) -> Ticket:
    """The ticket of a form, the first one where the same form was sent already.

    At most ten statements without files. Raises TooManyPostsError.
    """
    now = context.clock.now()
    key = once_key(sent.key, sent.email, sent.subject, sent.body, files=sent.files)
    earlier = find_earlier_post(uow, key, sender=sent.sender, now=now)
    if earlier is not None:
        return uow.session.get_one(Ticket, earlier)
    requester = find_or_add_requester(
        uow, sent.email, now=now, name=sent.name, phone=sent.phone, department=sent.department
    )
    first = NewMessage(REQUEST, sent.body.strip() or sent.subject, author=f"{sent.name} <{sent.email}>")
    values = {"emergency": sent.emergency, "asset": sent.device.strip()[:100], "phone": sent.phone.strip()[:40]}
    answer = {"emergency": {"answer": sent.emergency, "price": sent.price}} if sent.emergency else {}
    new = NewTicket(sent.subject, first, "form", requester.id, now, values, events=answer)
    ticket, message = create_ticket(uow, new, actor=Actor(sent.name), now=now)
    add_uploads(uow, message, sent.files)
    note_post(uow, ticket, key, sender=sent.sender, now=now)
    return ticket

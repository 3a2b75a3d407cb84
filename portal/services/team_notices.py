"""Mail to the technicians: a new ticket, or a reply. Answering it answers the requester."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.mail_phrases import phrases_of
from portal.core.mail_templates import TEAM_NOTICE
from portal.core.permissions import WORKING
from portal.core.quoting import own_words
from portal.core.settings import SiteSettings
from portal.models import Message, OutgoingMail, Queue, Requester, Ticket, TicketEvent, UnitOfWork, User
from portal.services.breaker import last_resumed, stop_ticket
from portal.services.context import Context
from portal.services.mail_out import Draft, add_mail
from portal.services.settings import load_settings

ASSIGNEE, EVERYONE = "assignee", "everyone"
_LONGEST = 4000
# Whoever has not looked at three does not need a fourth.
_UNSEEN, _IN_A_DAY = 3, 20
# A technician's own robot, which answers notices, goes in circles with a requester's no longer than this.
_BY_MAIL_ONLY, _ACTS = 20, 100
_CIRCLE = f"{_BY_MAIL_ONLY} notices about it were answered by mail only, perhaps by a machine."


def tell_team(context: Context, uow: UnitOfWork, ticket: Ticket, message: Message, *, is_new: bool = False) -> int:
    """Mail the assignee, or as the setting says everybody while there is none. Returns how many were written to."""
    settings = load_settings(uow.session)
    people = _people(uow.session, ticket, settings) if settings.mail_team and not ticket.is_imported else ()
    if not people or _is_enough(context, uow, ticket):
        return 0
    phrases = phrases_of(settings.site_language)
    requester = uow.session.get(Requester, ticket.requester_id) if ticket.requester_id else None
    more = {
        "what": phrases.new_ticket if is_new else phrases.reply,
        "sender": message.author or (requester.email if requester else ""),
        "words": own_words(message.body)[:_LONGEST],
        "priority": f"P{ticket.priority}",
        "queue": uow.session.scalar(select(Queue.name).where(Queue.id == ticket.queue_id)) or "",
    }
    link = f"{context.site_url}/tickets/{ticket.id}" if context.site_url else ""
    asker = requester.email if requester else ""
    told = 0
    for person in people:
        key = f"team:{message.id}:{person.id}"
        draft = Draft(TEAM_NOTICE, key, more, language=settings.site_language, to=person.email, link=link)
        if person.email != asker and add_mail(context, uow, ticket, draft, settings=settings) is not None:
            told += 1
    return told


def _people(session: Session, ticket: Ticket, settings: SiteSettings) -> Sequence[User]:
    query = select(User).where(User.is_active, User.role.in_([str(role) for role in WORKING])).order_by(User.id)
    if ticket.assignee_id is not None:
        return session.scalars(query.where(User.id == ticket.assignee_id)).all()
    return session.scalars(query).all() if settings.mail_team == EVERYONE else ()


def _is_enough(context: Context, uow: UnitOfWork, ticket: Ticket) -> bool:
    """Counted in messages told of, not in mails: a message is one notice, however many people get it."""
    session = uow.session
    told = select(func.count(func.distinct(OutgoingMail.created_at))).where(
        OutgoingMail.ticket_id == ticket.id, OutgoingMail.event == TEAM_NOTICE
    )
    day_ago = context.clock.now() - timedelta(days=1)
    if (session.scalar(told.where(OutgoingMail.created_at > day_ago)) or 0) >= _IN_A_DAY:
        return True
    acted = select(func.max(TicketEvent.at)).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.actor_id.is_not(None)
    )
    since = session.scalar(acted)
    unseen = told.where(OutgoingMail.created_at > since) if since is not None else told
    if (session.scalar(unseen) or 0) >= _UNSEEN:
        return True
    if (session.scalar(told) or 0) < _BY_MAIL_ONLY:
        return False
    since = _last_by_hand(session, ticket)
    by_mail = told.where(OutgoingMail.created_at > since) if since is not None else told
    if (session.scalar(by_mail) or 0) < _BY_MAIL_ONLY:
        return False
    stop_ticket(uow, ticket.id, reason=_CIRCLE, now=context.clock.now())
    return True


def _last_by_hand(session: Session, ticket: Ticket) -> datetime | None:
    """When one of our people last did something on a page: what comes by mail may be a robot's."""
    acts = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.actor_id.is_not(None))
    newest = session.scalars(acts.order_by(TicketEvent.id.desc()).limit(_ACTS))
    times = [one.at for one in newest if not (one.kind == "answered" and one.data.get("by") == "mail")][:1]
    resumed = last_resumed(session, ticket.id)
    return max([*times, *([resumed] if resumed else [])], default=None)

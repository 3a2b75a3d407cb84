"""Hand-off cards: whoever comes on duty is told once what is open, what happened before, and who is next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.hand_off import (
    Arrival,
    Card,
    PageLine,
    TicketLine,
    card_mail,
    card_subject,
    card_text,
    find_arrivals,
    is_late,
    is_news,
    plan_text,
)
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, SourceKind, make_roster
from portal.core.settings import SiteSettings
from portal.core.tickets import format_number
from portal.models import (
    SITE_SCHEDULE,
    HandOff,
    Notification,
    OverrideRow,
    Page,
    Queue,
    ShiftRow,
    Ticket,
    UnitOfWork,
    User,
)
from portal.services.context import Context
from portal.services.page_texts import INFO, PAGE, Text, add_text, load_body
from portal.services.paging_rules import PagingRules, load_paging_rules
from portal.services.recipients import load_recipients
from portal.services.schedules import StoredSchedule, list_schedules, load_schedule
from portal.services.settings import load_settings
from portal.services.staff_mail import StaffMail, add_staff_mail
from portal.services.ticket_times import pages_of_schedule

EVENT = "hand_off"
# Who came on duty longer ago than this got their card, or came before there were any.
_BEHIND, _AHEAD = timedelta(days=35), timedelta(days=400)
_MINUTE = timedelta(minutes=1)
_URGENT = 2
_MOST = 200


@dataclass(frozen=True)
class _Coming:
    """Somebody on duty now, on one schedule, and the card they got, if any."""

    stored: StoredSchedule
    arrival: Arrival
    row_id: int | None


def write_hand_offs(context: Context) -> str:
    """A card for everybody who is on duty now and has none for it, and the texts that waited for the morning. Returns a
    line about it.

    The row of a card and what goes out are one transaction, so it is written once however often this runs.
    """
    now = context.clock.now()
    with context.database.read_session() as session:
        if not _is_due(session, now=now):
            return "Nobody came on duty."
    with context.database.unit_of_work() as uow:
        settings, rules = load_settings(uow.session), load_paging_rules(uow.session, now=now)
        coming = _list_coming(uow.session, now=now)
        new = [one for one in coming if one.row_id is None]
        for one in new:
            _write(context, uow, one, settings=settings, rules=rules)
        uow.session.flush()
        texts = _write_texts(uow, rules, settings)
    return f"{len(new)} cards, {texts} texts."


def _is_due(session: Session, *, now: datetime) -> bool:
    waits = select(HandOff.id).where(HandOff.text_due_at <= now).limit(1)
    return session.scalar(waits) is not None or any(one.row_id is None for one in _list_coming(session, now=now))


def _list_coming(session: Session, *, now: datetime) -> list[_Coming]:
    since = now - _BEHIND
    cards = session.execute(
        select(HandOff.schedule_id, HandOff.user_id, HandOff.at, HandOff.id).where(HandOff.at >= since)
    ).all()
    found = []
    for head in list_schedules(session):
        stored, known = load_schedule(session, head.id), Interval(since, now + _MINUTE)
        for arrival in find_arrivals(make_roster(stored.roster, known), now=now, known=known):
            # A card of this very duty, also if its beginning was moved since.
            own = (card.id for card in cards if (card.schedule_id, card.user_id) == (head.id, arrival.person_id)
                   and arrival.at <= card.at <= now)  # fmt: skip
            row_id = next(own, None)
            if row_id is not None or is_news(arrival, changed_at=head.changed_at):
                found.append(_Coming(stored, arrival, row_id))
    return found


def _write(context: Context, uow: UnitOfWork, one: _Coming, *, settings: SiteSettings, rules: PagingRules) -> None:
    """The row, and the mail. The text has its own time."""
    now, stored = rules.now, one.stored
    arrival, duties = _look_ahead(one, now=now)
    row = HandOff(
        schedule_id=stored.head.id,
        user_id=arrival.person_id,
        at=arrival.at,
        ends_at=arrival.ends_at or now + _AHEAD,
        written_at=now,
    )
    if settings.oncall_hand_off_text:
        zone = stored.roster.zone
        row.text_due_at = plan_text(arrival, now=now, zone=zone, changed_at=stored.head.changed_at)
    uow.session.add(row)
    uow.session.flush()
    user = uow.session.get(User, arrival.person_id)
    if settings.oncall_hand_off_mail and user is not None:
        card = _load_card(uow.session, one.stored, arrival, duties, rules)
        link = f"{context.site_url}/oncall" if context.site_url else ""
        mail = StaffMail(EVENT, f"hand-off:{row.id}", card_subject(card), card_mail(card, link=link))
        add_staff_mail(context, uow, user, mail)


def _write_texts(uow: UnitOfWork, rules: PagingRules, settings: SiteSettings) -> int:
    """Texts whose time has come, to those who are still on duty and were not rung meanwhile."""
    due = uow.session.scalars(select(HandOff).where(HandOff.text_due_at <= rules.now).order_by(HandOff.id)).all()
    here = {one.row_id: one for one in _list_coming(uow.session, now=rules.now)} if due else {}
    count = 0
    for row in due:
        one, due_at, row.text_due_at = here.get(row.id), row.text_due_at or rules.now, None
        is_wanted = settings.oncall_hand_off_text and not is_late(due_at, now=rules.now)
        if one is None or not is_wanted or _was_rung(uow.session, row):
            continue
        arrival, duties = _look_ahead(one, now=rules.now)
        for person in load_recipients(uow.session, [row.user_id]):
            if rules.provider and person.numbers:
                words = card_text(_load_card(uow.session, one.stored, arrival, duties, rules))
                count += add_text(uow, rules, person, Text(f"hand-off:{row.id}", INFO, person.numbers[0], words))
    return count


def _was_rung(session: Session, row: HandOff) -> bool:
    """They know by now that they are on call."""
    since = (Notification.user_id == row.user_id, Notification.created_at >= row.at, Notification.kind == PAGE)
    left = Notification.state.in_(("accepted", "delivered"))
    return session.scalar(select(Notification.id).where(*since, left).limit(1)) is not None


def _look_ahead(one: _Coming, *, now: datetime) -> tuple[Arrival, Sequence[RosterDuty]]:
    """The same arrival with its end and who is next, and the roster it is from."""
    known = Interval(now - _BEHIND, now + _AHEAD)
    duties = make_roster(one.stored.roster, known)
    found = find_arrivals(duties, now=now, known=known)
    return next(other for other in found if other.person_id == one.arrival.person_id), duties


def _load_card(
    session: Session, stored: StoredSchedule, arrival: Arrival, duties: Iterable[RosterDuty], rules: PagingRules
) -> Card:
    names, schedule_id = stored.names, stored.head.id
    span = arrival.last_shift

    def called(people: Iterable[int]) -> tuple[str, ...]:
        return tuple(names[person] for person in people)

    open_now = select(Page).where(Page.state.in_(("open", "acknowledged")))
    before = select(Page).where(Page.opened_at >= span.starts_at, Page.opened_at < span.ends_at) if span else None
    return Card(
        name=names[arrival.person_id],
        arrival=arrival,
        zone=stored.roster.zone,
        schedule=stored.head.name if len(list_schedules(session)) > 1 else "",
        before=called(arrival.before),
        beside=called(arrival.beside),
        after=called(arrival.after),
        notes=_load_notes(session, arrival, duties, now=rules.now),
        pages=tuple(
            _page_line(session, page, rules)
            for page in session.scalars(pages_of_schedule(open_now, schedule_id).order_by(Page.id).limit(_MOST))
        ),
        tickets=_load_tickets(session, stored, rules),
        last_pages=tuple(
            replace(_page_line(session, page, rules), is_open=False)
            for page in session.scalars(pages_of_schedule(before, schedule_id).order_by(Page.id).limit(_MOST))
        )
        if before is not None
        else (),
    )


def _page_line(session: Session, page: Page, rules: PagingRules) -> PageLine:
    body = load_body(session, page, rules)
    holder = session.get(User, page.acknowledged_by) if page.acknowledged_by else None
    return PageLine(body.number, body.gist, body.priority, holder.name if holder else "")


def _load_tickets(session: Session, stored: StoredSchedule, rules: PagingRules) -> tuple[TicketLine, ...]:
    own = func.coalesce(Queue.schedule_id, SITE_SCHEDULE) == stored.head.id
    query = select(Ticket).outerjoin(Queue, Queue.id == Ticket.queue_id).where(own, Ticket.is_open)
    query = query.where(Ticket.priority <= _URGENT, Ticket.merged_into_id.is_(None))
    return tuple(
        TicketLine(
            format_number(ticket.id, prefix=rules.number_prefix),
            ticket.subject,
            f"P{ticket.priority}",
            ticket.status.replace("_", " "),
            stored.names.get(ticket.assignee_id or 0, ""),
        )
        for ticket in session.scalars(query.order_by(Ticket.priority, Ticket.id).limit(_MOST))
    )


def _load_notes(session: Session, arrival: Arrival, duties: Iterable[RosterDuty], *, now: datetime) -> tuple[str, ...]:
    """What somebody wrote beside the shift or the exception that puts them on duty."""
    own = [
        duty.source for duty in duties if duty.person_id == arrival.person_id and duty.starts_at <= now < duty.ends_at
    ]
    shifts = [session.get(ShiftRow, source.id) for source in own if source.kind is SourceKind.SHIFT]
    overrides = [session.get(OverrideRow, source.id) for source in own if source.kind is SourceKind.OVERRIDE]
    notes = [row.note for row in (*shifts, *overrides) if row is not None]
    return tuple(dict.fromkeys(filter(None, notes)))

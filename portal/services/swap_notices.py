"""What is said about a swap: mail at once, a text where texts are possible, and neither once it is needed no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.core.swaps import (
    Terms,
    WallSpan,
    accepted_text,
    ask_text,
    code_of,
    declined_text,
    dropped_text,
    expired_text,
    text_due_at,
)
from portal.models import Notification, OutgoingMail, Swap, UnitOfWork, User
from portal.services.context import Context
from portal.services.page_texts import INFO, Text, add_text
from portal.services.paging_rules import load_paging_rules
from portal.services.recipients import load_recipients
from portal.services.schedules import load_schedule
from portal.services.staff_mail import StaffMail, add_staff_mail

EVENT = "swap"
_NOT_BY_REPLY = "An answer to this mail itself is not read as a yes or a no."
_OVER = "The swap was answered or withdrawn before this left."


@dataclass(frozen=True)
class _Notice:
    """One thing said to one person. `name` keeps it to once a swap."""

    name: str
    to: User
    subject: str
    text: str
    sms: str = ""


def terms_of(swap: Swap) -> Terms:
    """What a row asks for."""
    back = WallSpan(swap.back_starts, swap.back_ends) if swap.back_starts and swap.back_ends else None
    return Terms(swap.from_id, swap.to_id, WallSpan(swap.starts, swap.ends), back)


def tell_asked(context: Context, uow: UnitOfWork, swap: Swap, *, token: str) -> None:
    """To the colleague: who asks, for what, and the three ways to answer."""
    asker, asked, terms, code = *_people(uow, swap), terms_of(swap), code_of(swap.id)
    zone = load_schedule(uow.session, swap.schedule_id).roster.zone.key
    link = f"{context.site_url}/swap/{token}" if context.site_url else ""
    rules = load_paging_rules(uow.session, now=context.clock.now())
    ways = [
        f"Say yes or no here: {link}" if link else "",
        f"Or text YES {code} or NO {code} from your phone." if rules.provider and load_numbers(uow, asked.id) else "",
        f"You can also sign in to {rules.site_name} and open On call, Swaps.",
        _NOT_BY_REPLY,
    ]
    parts = [
        f"Hello {asked.name},",
        f"{asker.name} asks you to take this on-call duty:\n\n  {terms.span} ({zone})",
        f"In return {asker.name} takes this one of yours:\n\n  {terms.back} ({zone})" if terms.back else "",
        f"{asker.name} writes: {swap.note}" if swap.note else "",
        "\n".join(filter(None, ways)),
    ]
    text = "\n\n".join(filter(None, parts)) + "\n"
    subject = f"{asker.name} asks you to take a duty: {terms.span}"
    sms = ask_text(asker.name, terms, code=code, note=swap.note)
    _tell(context, uow, swap, _Notice("ask", asked, subject, text, sms))


def tell_asker(context: Context, uow: UnitOfWork, swap: Swap, *, accept: bool) -> None:
    """To whoever asked: a yes or a no."""
    asker, asked, terms = *_people(uow, swap), terms_of(swap)
    sms = accepted_text(asked.name, terms) if accept else declined_text(asked.name, terms)
    more = "The roster says so already." if accept else "The roster is as it was. You can ask somebody else."
    text = f"Hello {asker.name},\n\n{sms.rstrip('.')}.\n\n{more}\n"
    subject = f"{asked.name} {'takes' if accept else 'cannot take'} your duty: {terms.span}"
    _tell(context, uow, swap, _Notice("answer", asker, subject, text, sms))


def tell_expired(context: Context, uow: UnitOfWork, swap: Swap) -> None:
    """To whoever asked: nobody answered. By text only while some of that duty is to come."""
    asker, asked, terms = *_people(uow, swap), terms_of(swap)
    held = terms.span.held(load_schedule(uow.session, swap.schedule_id).roster.zone)
    sms = expired_text(asked.name, terms)
    text = f"Hello {asker.name},\n\n{sms}.\n\nWhoever stands there is on call, also if that is you.\n"
    subject = f"{asked.name} has not answered, nothing is swapped: {terms.span}"
    is_over = held.ends_at <= context.clock.now()
    notice = _Notice("answer", asker, subject, text, "" if is_over else sms)
    _tell(context, uow, swap, notice, begins_at=held.starts_at)


def tell_dropped(context: Context, uow: UnitOfWork, swap: Swap) -> None:
    """To whoever asked: the roster does not allow it any more."""
    asker, asked, terms = *_people(uow, swap), terms_of(swap)
    sms = dropped_text(asked.name, terms)
    text = f"Hello {asker.name},\n\n{sms}.\n\nPlease look at the roster; you can ask again.\n"
    subject = f"Your request to {asked.name} has ended: {terms.span}"
    _tell(context, uow, swap, _Notice("answer", asker, subject, text, sms))


def tell_withdrawn(context: Context, uow: UnitOfWork, swap: Swap) -> None:
    """To the colleague, unless nothing has left yet: then there is nothing to take back."""
    asker, asked, terms = *_people(uow, swap), terms_of(swap)
    if not stop_asking(uow, swap):
        return
    text = f"Hello {asked.name},\n\n{asker.name} no longer asks you to take {terms.span}. Nothing changes for you.\n"
    subject = f"{asker.name} no longer asks you to take a duty: {terms.span}"
    _tell(context, uow, swap, _Notice("withdrawn", asked, subject, text))


def stop_asking(uow: UnitOfWork, swap: Swap) -> bool:
    """The question need not be asked any more: what has not left stays here. False when nothing of it has left."""
    key, mails, texts = _key(swap, "ask"), select(OutgoingMail), select(Notification)
    rows: list[OutgoingMail | Notification] = [*uow.session.scalars(mails.where(OutgoingMail.dedupe_key == key))]
    rows += uow.session.scalars(texts.where(Notification.dedupe_key == key))
    for row in rows:
        if row.state == "pending":
            row.state, row.due_at, row.last_error = "cancelled", None, _OVER
    return any(row.state != "cancelled" for row in rows)


def load_numbers(uow: UnitOfWork, user_id: int) -> tuple[str, ...]:
    """The numbers of somebody that may be texted."""
    return next((person.numbers for person in load_recipients(uow.session, [user_id])), ())


def _tell(context: Context, uow: UnitOfWork, swap: Swap, notice: _Notice, *, begins_at: datetime | None = None) -> None:
    if not notice.to.is_active:
        return
    key = _key(swap, notice.name)
    add_staff_mail(context, uow, notice.to, StaffMail(EVENT, key, notice.subject, notice.text))
    rules = load_paging_rules(uow.session, now=context.clock.now())
    for person in load_recipients(uow.session, [notice.to.id]):
        if notice.sms and rules.provider and person.numbers:
            due_at = text_due_at(rules.now, zone=rules.zone, begins_at=begins_at or _begins_at(uow, swap))
            wait = due_at - rules.now
            add_text(uow, rules, person, Text(key, INFO, person.numbers[0], notice.sms, wait=wait))


def _begins_at(uow: UnitOfWork, swap: Swap) -> datetime:
    terms, zone = terms_of(swap), load_schedule(uow.session, swap.schedule_id).roster.zone
    return min(span.held(zone).starts_at for span in (terms.span, terms.back) if span)


def _people(uow: UnitOfWork, swap: Swap) -> tuple[User, User]:
    return uow.session.get_one(User, swap.from_id), uow.session.get_one(User, swap.to_id)


def _key(swap: Swap, name: str) -> str:
    return f"swap:{swap.id}:{name}"

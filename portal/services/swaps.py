"""Swaps in the database: asked, answered exactly once by the person asked, withdrawn. A yes writes the overrides."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import make_roster
from portal.core.swaps import (
    SwapState,
    Terms,
    WallSpan,
    check_terms,
    code_of,
    has_begun,
    parse_swap_answer,
    plan_overrides,
    thanks_text,
    which_swap_text,
)
from portal.core.wallclock import wall_of
from portal.models import SITE_SCHEDULE, Swap, UnitOfWork, User
from portal.services.audit import Change, record_change
from portal.services.context import Context
from portal.services.overrides import write_override
from portal.services.schedules import check_person, list_schedules, load_schedule
from portal.services.swap_notices import (
    stop_asking,
    tell_asked,
    tell_asker,
    tell_dropped,
    tell_expired,
    tell_withdrawn,
    terms_of,
)

AHEAD = timedelta(weeks=8)
_BEHIND, _BEYOND = timedelta(days=7), timedelta(days=35)
_LATELY = timedelta(days=30)
_TOKEN_BYTES = 20
_MINUTE = timedelta(minutes=1)
_ENDED = {
    SwapState.ACCEPTED: "This was answered with yes already.",
    SwapState.DECLINED: "This was answered with no already.",
    SwapState.WITHDRAWN: "This was withdrawn meanwhile.",
    SwapState.EXPIRED: "This has begun, so it cannot be swapped any more.",
}


@dataclass(frozen=True)
class SwapView:
    """A request as pages show it. One that nobody answered before it began is expired, whatever the row says."""

    id: int
    schedule_id: int
    terms: Terms
    asker: str
    asked: str
    note: str
    state: SwapState
    asked_at: datetime
    answered_at: datetime | None
    zone_name: str

    @property
    def code(self) -> str:
        """What a text answers with."""
        return code_of(self.id)

    @property
    def ended(self) -> str:
        """Why it can no longer be answered; "" while it can."""
        return _ENDED.get(self.state, "")


@dataclass(frozen=True)
class DutyView:
    """One stretch of duty. Only what is to come and ends within the time looked at can be given away as a whole."""

    schedule_id: int
    schedule: str
    person_id: int
    span: WallSpan
    is_whole: bool


def list_duties(session: Session, *, now: datetime, schedule_id: int, person_id: int | None = None) -> list[DutyView]:
    """The duties that begin in the next eight weeks in one schedule, of one person or of everybody, in order."""
    stored = load_schedule(session, schedule_id)
    zone, found = stored.roster.zone, []
    until = now + AHEAD + _BEYOND  # a duty has the end it has, and not that of what is listed
    for duty in make_roster(stored.roster, Interval(now - _BEHIND, until)):
        if duty.ends_at <= now or duty.starts_at >= now + AHEAD or person_id not in (None, duty.person_id):
            continue
        starts, ends = wall_of(duty.starts_at, zone=zone), wall_of(duty.ends_at, zone=zone)
        starts, ends = _whole_minute(starts + _MINUTE - timedelta(microseconds=1)), _whole_minute(ends)
        if starts < ends:
            is_whole = now < duty.starts_at and duty.ends_at < until
            found.append(DutyView(schedule_id, stored.head.name, duty.person_id, WallSpan(starts, ends), is_whole))
    return found


def list_own_duties(session: Session, person_id: int, *, now: datetime) -> list[DutyView]:
    """Somebody's duties of the next eight weeks in all schedules, in order."""
    schedules = list_schedules(session)
    found = [duty for one in schedules for duty in list_duties(session, now=now, schedule_id=one.id,
                                                               person_id=person_id)]  # fmt: skip
    return sorted(found, key=lambda duty: duty.span.starts)


def list_swaps(session: Session, *, now: datetime, person_id: int | None = None) -> list[SwapView]:
    """Requests that are open, and those that ended in the last month, latest first; only a person's own when named."""
    recent = or_(Swap.state == SwapState.ASKED, Swap.answered_at > now - _LATELY)
    query = select(Swap).where(or_(recent, Swap.asked_at > now - _LATELY)).order_by(Swap.id.desc())
    if person_id is not None:
        query = query.where(or_(Swap.from_id == person_id, Swap.to_id == person_id))
    return [_view(session, row, now) for row in session.scalars(query)]


def find_swap(session: Session, swap_id: int, *, now: datetime) -> SwapView | None:
    """One request, None when there is none."""
    row = session.get(Swap, swap_id)
    return _view(session, row, now) if row else None


def find_by_token(session: Session, token: str, *, now: datetime) -> SwapView | None:
    """The request that a link leads to; None when there is none."""
    row = session.scalar(select(Swap).where(Swap.token_hash == _hash(token)))
    return _view(session, row, now) if row else None


def ask_swap(
    context: Context, uow: UnitOfWork, terms: Terms, *, change: Change, note: str = "", schedule_id: int = SITE_SCHEDULE
) -> int:
    """Ask a colleague, and tell them. Returns the id.

    Raises DomainError when one of the two does not hold that time, or asked the same already.
    """
    session = uow.session
    stored = load_schedule(session, schedule_id)
    for person_id in (terms.from_id, terms.to_id):
        check_person(session, person_id)
    check_terms(stored.roster, terms, now=change.at, names=stored.names)
    if any(terms_of(row) == terms for row in _open_rows(session, Swap.to_id == terms.to_id)):
        raise DomainError(f"{stored.names[terms.to_id]} has been asked for this already.")
    token = base64.b32encode(context.random.token(_TOKEN_BYTES)).decode().lower()
    row = Swap(
        schedule_id=schedule_id,
        from_id=terms.from_id,
        to_id=terms.to_id,
        starts=terms.span.starts,
        ends=terms.span.ends,
        back_starts=terms.back.starts if terms.back else None,
        back_ends=terms.back.ends if terms.back else None,
        note=note,
        token_hash=_hash(token),
        asked_at=change.at,
    )
    session.add(row)
    session.flush()
    row.code = code_of(row.id)
    _record(uow, change, "swap.ask", row)
    tell_asked(context, uow, row, token=token)
    return row.id


def answer_swap(
    context: Context, uow: UnitOfWork, swap_id: int, *, person_id: int, accept: bool, how: str, at: datetime
) -> SwapView:
    """Say yes or no, once. A yes writes the overrides in this transaction; whoever asked is told.

    `how` is link, page or text. Raises DomainError with the reason, and nothing changes: somebody else was asked, it
    has ended, or the roster does not allow it any more.
    """
    session, change = uow.session, Change(person_id, at)
    row = session.get(Swap, swap_id)
    if row is None or row.to_id != person_id:
        raise DomainError("You were not asked for this swap.")
    _refuse_ended(session, row, at)
    terms, stored = terms_of(row), load_schedule(session, row.schedule_id)
    if accept:
        check_person(session, person_id)
        check_terms(stored.roster, terms, now=at, names=stored.names)
    _set_state(uow, row, SwapState.ACCEPTED if accept else SwapState.DECLINED, at=at, how=how)
    if accept:
        note = f"Swap {row.code}: {stored.names[row.from_id]} asked {stored.names[row.to_id]}"[:200]
        for override in plan_overrides(terms):
            write_override(uow, override, change=change, schedule_id=row.schedule_id, note=note, swap_id=row.id)
        session.flush()
        _drop_others(context, uow, row, change)
    stop_asking(uow, row)
    _record(uow, change, "swap.accept" if accept else "swap.decline", row)
    tell_asker(context, uow, row, accept=accept)
    return _view(session, row, at)


def withdraw_swap(context: Context, uow: UnitOfWork, swap_id: int, *, change: Change, may_manage: bool = False) -> None:
    """Ask no longer. Raises DomainError when it has ended, or is neither one's own nor one's to manage."""
    row = uow.session.get(Swap, swap_id)
    if row is None or not (may_manage or row.from_id == change.actor_id):
        raise DomainError("Only who asked can withdraw this.")
    _refuse_ended(uow.session, row, change.at)
    _set_state(uow, row, SwapState.WITHDRAWN, at=change.at, how="page")
    _record(uow, change, "swap.withdraw", row)
    tell_withdrawn(context, uow, row)


def end_swaps(context: Context) -> str:
    """Requests that nobody answered before their time began end, and whoever asked is told once: state, trace and
    what goes out are one transaction. Returns a line about it."""
    now = context.clock.now()
    with context.database.read_session() as session:
        if not _begun(session, now):
            return "No request for a swap has run out."
    with context.database.unit_of_work() as uow:
        rows = _begun(uow.session, now)
        for row in rows:
            _end(uow, row, SwapState.EXPIRED, "swap.expire", Change(None, now))
            tell_expired(context, uow, row)
    return f"{len(rows)} request{'' if len(rows) == 1 else 's'} for a swap ran out."


@dataclass(frozen=True)
class HeardText:
    """What a text meant for swaps. Not `is_done`: it is a page's to answer first, and `reply` goes behind that."""

    reply: str
    is_done: bool = True


def hear_text(context: Context, uow: UnitOfWork, user: User, text: str, *, is_page_first: bool) -> HeardText | None:
    """A text of a member's: `YES S12` always counts; a bare yes or no only with a single open request and while no
    page asks (`is_page_first`). None when it has nothing to do with swaps."""
    said, now = parse_swap_answer(text), context.clock.now()
    if said is None:
        return None
    views = [_view(uow.session, row, now) for row in _open_rows(uow.session, Swap.to_id == user.id)]
    asked = [view for view in views if view.state is SwapState.ASKED]
    if said.swap_id is None and not asked:
        return None
    which = which_swap_text([(one.code, one.asker, one.terms) for one in asked], accept=said.accept)
    if said.swap_id is None and is_page_first:
        return HeardText(which, is_done=False)
    if not said.is_plain or (said.swap_id is None and len(asked) != 1):
        return HeardText(which if asked else "No swap is open for you")
    swap_id = said.swap_id if said.swap_id is not None else asked[0].id
    try:
        view = answer_swap(context, uow, swap_id, person_id=user.id, accept=said.accept, how="text", at=now)
    except DomainError as error:
        return HeardText(f"{code_of(swap_id)}: {error}".rstrip("."))
    return HeardText(thanks_text(view.asker, view.terms, accept=said.accept))


def _open_rows(session: Session, *where: object) -> Sequence[Swap]:
    query = select(Swap).where(Swap.state == SwapState.ASKED, *where)  # type: ignore[arg-type]
    return session.scalars(query.order_by(Swap.id)).all()


def _begun(session: Session, now: datetime) -> list[Swap]:
    return [row for row in _open_rows(session) if _view(session, row, now).state is SwapState.EXPIRED]


def _view(session: Session, row: Swap, now: datetime) -> SwapView:
    stored, terms = load_schedule(session, row.schedule_id), terms_of(row)
    state = SwapState(row.state)
    if state is SwapState.ASKED and has_begun(terms, zone=stored.roster.zone, now=now):
        state = SwapState.EXPIRED
    return SwapView(
        row.id,
        row.schedule_id,
        terms,
        stored.names[row.from_id],
        stored.names[row.to_id],
        row.note,
        state,
        row.asked_at,
        row.answered_at,
        stored.roster.zone.key,
    )


def _refuse_ended(session: Session, row: Swap, at: datetime) -> None:
    view = _view(session, row, at)
    if view.ended:
        raise DomainError(view.ended)


def _set_state(uow: UnitOfWork, row: Swap, state: SwapState, *, at: datetime, how: str) -> None:
    """Compare and set: of two answers that meet, one counts."""
    changed = uow.session.execute(
        update(Swap)
        .where(Swap.id == row.id, Swap.state == SwapState.ASKED)
        .values(state=state, answered_at=at, answered_how=how)
        .returning(Swap.id)
    ).all()
    if not changed:
        uow.session.refresh(row)
        raise DomainError(_ENDED[SwapState(row.state)])


def _drop_others(context: Context, uow: UnitOfWork, taken: Swap, change: Change) -> None:
    """Requests that the roster does not allow any more, because this one was accepted, end with it. Whoever asked
    several for the same hears of the one who takes it."""
    stored = load_schedule(uow.session, taken.schedule_id)
    people = (taken.from_id, taken.to_id)
    same = (Swap.schedule_id == taken.schedule_id, or_(Swap.from_id.in_(people), Swap.to_id.in_(people)))
    for row in _open_rows(uow.session, *same):
        terms = terms_of(row)
        if has_begun(terms, zone=stored.roster.zone, now=change.at):
            continue  # `end_swaps` says so
        try:
            check_terms(stored.roster, terms, now=change.at, names=stored.names)
        except DomainError:
            _end(uow, row, SwapState.WITHDRAWN, "swap.withdraw", change)
            if (row.from_id, terms.span) != (taken.from_id, terms_of(taken).span):
                tell_dropped(context, uow, row)


def _end(uow: UnitOfWork, row: Swap, state: SwapState, action: str, change: Change) -> None:
    _set_state(uow, row, state, at=change.at, how="swap" if state is SwapState.WITHDRAWN else "time")
    stop_asking(uow, row)
    _record(uow, change, action, row)


def _record(uow: UnitOfWork, change: Change, action: str, row: Swap) -> None:
    names, terms = load_schedule(uow.session, row.schedule_id).names, terms_of(row)
    back = {"back": str(terms.back)} if terms.back else {}
    subject = f"{row.code}: {names[row.from_id]} asks {names[row.to_id]}"
    record_change(uow, change, action, subject, schedule_id=row.schedule_id, span=str(terms.span), **back)


def _whole_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _hash(token: str) -> str:
    return hashlib.sha256(token.strip().lower().encode()).hexdigest()

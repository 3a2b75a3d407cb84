"""The hand-off card: who comes on duty, what they take over, and what a mail and a text say of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.core.fairness import Stretch, list_stretches
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty
from portal.core.sms import fit_items, one_line, shorten
from portal.core.wallclock import instant_of, wall_of

# A card is a courtesy: nobody is woken for one, and none comes long after it was of use.
NIGHT = (time(22), time(7))
LATE = timedelta(minutes=60)
# What happened before is told for so long back at most.
_LOOK_BACK = timedelta(days=7)
_NAME, _GIST, _SHOWN = 24, 30, 10


@dataclass(frozen=True)
class Arrival:
    """Somebody is on duty now who was not before `at`.

    Attributes:
        ends_at: when they go off duty again; None for not within sight.
        before: who had it the moment before; where nobody did, who had it last.
        beside: who is on duty with them now.
        after: who is on duty when they go.
        last_shift: the time of `before`, a week at most; None when nobody ever was on call.
    """

    person_id: int
    at: datetime
    ends_at: datetime | None
    before: tuple[int, ...] = ()
    beside: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    last_shift: Interval | None = None

    @property
    def is_return(self) -> bool:
        """Nobody else had it in between: their own next night."""
        return self.before == (self.person_id,)


@dataclass(frozen=True)
class PageLine:
    """A page on the card. `holder` has it, "" for nobody; `is_open` while it asks or is worked on."""

    number: str
    gist: str
    priority: str = ""
    holder: str = ""
    is_open: bool = True


@dataclass(frozen=True)
class TicketLine:
    """An open ticket of high priority on the card. `holder` is "" while it is nobody's."""

    number: str
    gist: str
    priority: str
    status: str
    holder: str = ""


@dataclass(frozen=True)
class Card:
    """What somebody takes over. Names are as shown; times are said on the clock of `zone`.

    Attributes:
        schedule: its name, "" when there is only one.
        pages: open now.
        last_pages: those of the last shift.
    """

    name: str
    arrival: Arrival
    zone: ZoneInfo
    schedule: str = ""
    before: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pages: tuple[PageLine, ...] = ()
    tickets: tuple[TicketLine, ...] = ()
    last_pages: tuple[PageLine, ...] = ()


def find_arrivals(duties: Iterable[RosterDuty], *, now: datetime, known: Interval) -> tuple[Arrival, ...]:
    """Everybody on duty at `now` who came within `known`, the time that `duties` are the roster of, in the order they
    came. Who is on duty at its very beginning is taken to have come before it."""
    stretches = list_stretches(duties)
    here = [one for one in stretches if now in one.span]
    return tuple(_arrival(one, stretches, here, known) for one in here if one.span.starts_at > known.starts_at)


def is_news(arrival: Arrival, *, changed_at: datetime) -> bool:
    """False where the roster was changed more than an hour after this duty began: somebody wrote down what was so
    already, perhaps because the site is being set up, and whoever is on duty knows it."""
    return changed_at <= arrival.at + LATE


def text_due_at(at: datetime, *, zone: ZoneInfo) -> datetime:
    """When the text about a hand-off at `at` may leave: at once by day, else at 07:00."""
    wall = wall_of(at, zone=zone)
    evening, morning = NIGHT
    if morning <= wall.time() < evening:
        return at
    day = wall.date() + timedelta(days=1 if wall.time() >= evening else 0)
    return instant_of(datetime.combine(day, morning), zone=zone)


def plan_text(arrival: Arrival, *, now: datetime, zone: ZoneInfo, changed_at: datetime) -> datetime | None:
    """When to text about somebody found on duty at `now`; None for not at all: it would be late, the duty over, or it
    is their own next night. Who came by a change of the roster (`changed_at`) did not come before it."""
    due_at = text_due_at(max(arrival.at, min(changed_at, now)), zone=zone)
    if arrival.is_return or is_late(due_at, now=now) or (arrival.ends_at and due_at >= arrival.ends_at):
        return None
    return due_at


def is_late(due_at: datetime, *, now: datetime) -> bool:
    """Whether a text that was due then is of no use any more."""
    return now > due_at + LATE


def card_subject(card: Card) -> str:
    """`You are on call until Mon 30 Nov 09:00`, or until further notice."""
    where = f" ({card.schedule})" if card.schedule else ""
    return f"You are on call until {_until(card)}{where}"


def card_mail(card: Card, *, link: str = "") -> str:
    """The whole card, as the plain text of a mail."""
    arrival, zone = card.arrival, card.zone
    nobody = "After you nobody is on call." if arrival.ends_at else ""
    head = [
        f"You are on call from {_say(arrival.at, zone)} until {_until(card)} ({zone.key}).",
        f"Before you: {_names(card.before)}." if card.before and not arrival.is_return else "",
        f"With you: {_names(card.beside)}." if card.beside else "",
        f"After you: {_names(card.after)}." if card.after else nobody,
    ]
    parts = [
        f"Hello {card.name},",
        "\n".join(filter(None, head)),
        "\n".join(f"Note: {note}" for note in card.notes),
        _section(f"Open pages ({len(card.pages)})", [_page_line(page) for page in card.pages], "No page is open."),
        _section(
            f"Open P1 and P2 tickets ({len(card.tickets)})",
            [_ticket_line(one) for one in card.tickets],
            "No P1 or P2 ticket is open.",
        ),
        _last(card),
        link,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def card_text(card: Card) -> str:
    """The card in one or two segments, worst first."""
    head = f"{card_subject(card)}."
    before = [name for name in card.before if name != card.name]
    if before and not card.arrival.is_return:
        head += f" Before you: {shorten(one_line(_names(before)), _NAME)}."
    items = [_short(page.priority, page.number, one_line(page.gist)) for page in card.pages]
    seen = {page.number for page in card.pages}
    items += [_short(one.priority, one.number, one_line(one.gist)) for one in card.tickets if one.number not in seen]
    head = one_line(head)
    if not items:
        return f"{head} Nothing urgent is open"
    pages = f"{len(card.pages)} page{'' if len(card.pages) == 1 else 's'}"
    return fit_items(f"{head} Open: {pages}, {len(card.tickets)} P1/P2: ", items, "", segments=2)


def _arrival(own: Stretch, stretches: Sequence[Stretch], here: Sequence[Stretch], known: Interval) -> Arrival:
    at, ends_at, person = own.span.starts_at, own.span.ends_at, own.person_id
    earlier = [one for one in stretches if one.span.starts_at < at]
    # On duty the moment before, else whoever went last.
    latest = max((min(one.span.ends_at, at) for one in earlier), default=None)
    before = [one for one in earlier if latest is not None and one.span.ends_at >= latest]
    last = Interval(max(min(one.span.starts_at for one in before), at - _LOOK_BACK), at) if before else None
    return Arrival(
        person,
        at,
        ends_at if ends_at < known.ends_at else None,
        tuple(dict.fromkeys(one.person_id for one in before)),
        tuple(one.person_id for one in here if one.person_id != person),
        tuple(dict.fromkeys(one.person_id for one in stretches if ends_at in one.span)),
        last,
    )


def _section(title: str, lines: Sequence[str], nothing: str) -> str:
    if not lines:
        return nothing
    shown = [f"  {line}" for line in lines[:_SHOWN]]
    more = [f"  and {len(lines) - _SHOWN} more"] if lines[_SHOWN:] else []
    return "\n".join([title, *shown, *more])


def _last(card: Card) -> str:
    span = card.arrival.last_shift
    if span is None:
        return ""
    when = f"Since {_say(span.starts_at, card.zone)}"
    taken = sum(bool(page.holder) for page in card.last_pages)
    count = f"{len(card.last_pages)} page{'' if len(card.last_pages) == 1 else 's'}"
    title = f"{when}: {count}, {taken} answered"
    return _section(title, [_page_line(page) for page in card.last_pages], f"{when}: no page.")


def _page_line(page: PageLine) -> str:
    who = f"{page.holder} has it" if page.is_open else f"answered by {page.holder}"
    nobody = "nobody has answered yet" if page.is_open else "nobody answered"
    return f"{_short(page.priority, page.number, page.gist, limit=80)} - {who if page.holder else nobody}"


def _ticket_line(one: TicketLine) -> str:
    return f"{_short(one.priority, one.number, one.gist, limit=80)} - {one.status}, {one.holder or 'nobody’s yet'}"


def _short(priority: str, number: str, gist: str, *, limit: int = _GIST) -> str:
    return " ".join(filter(None, (priority, number, shorten(" ".join(gist.split()), limit))))


def _until(card: Card) -> str:
    return _say(card.arrival.ends_at, card.zone) if card.arrival.ends_at else "further notice"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names)


def _say(at: datetime, zone: ZoneInfo) -> str:
    wall = wall_of(at, zone=zone)
    return f"{wall:%a} {wall.day} {wall:%b} {wall:%H:%M}"

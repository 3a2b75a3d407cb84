"""Swaps: a colleague takes a stretch of somebody's duty, perhaps for one of their own. What is asked, whether it can
be, what an answer by text means, and the words of the texts about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from portal.core.errors import DomainError
from portal.core.intervals import Interval, subtract_intervals
from portal.core.roster import Override, OverrideKind, Schedule, make_roster
from portal.core.shifts import YEARS
from portal.core.sms import fit_gist, fit_items, one_line, shorten
from portal.core.wallclock import instant_of, interval_of, wall_of

NIGHT = (time(22), time(7))
URGENT = timedelta(hours=12)
LONGEST = timedelta(days=92)
_NAME = 24
_QUOTES = " \t\"'“”„‘’«»`*_()[]<>."
_WORD = r"(?P<word>yes|y|no|n)\b"
_CODE = r"s[\s#-]*(?P<code>\d{1,9})\b"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.DOTALL)
    for form in (rf"{_WORD}[\s.,:;!–—-]*{_CODE}(?P<rest>.*)", rf"{_CODE}[\s.,:;!–—-]*{_WORD}(?P<rest>.*)",
                 rf"{_WORD}(?P<rest>.*)")
)  # fmt: skip
_POLITE = re.compile(r"(thanks?|thank you|thx|please|ok(ay)?|sure|of course|no problem|with pleasure|[\W_])*", re.I)


class SwapState(StrEnum):
    """Where a request stands. Only what is ASKED can be answered or withdrawn."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True)
class WallSpan:
    """A stretch of wall-clock time, naive and half-open. Raises DomainError when it has no length."""

    starts: datetime
    ends: datetime

    def __post_init__(self) -> None:
        if self.starts.year not in YEARS or self.ends.year not in YEARS:
            raise DomainError("The year must lie between 2000 and 2199.")
        if self.ends <= self.starts:
            raise DomainError("It ends before it starts. For a night, give the next day as its end.")

    def __str__(self) -> str:
        until = f"{self.ends:%H:%M}" if self.starts.date() == self.ends.date() else _moment(self.ends)
        return f"{_moment(self.starts)} to {until}"

    def held(self, zone: ZoneInfo) -> Interval:
        """The instants."""
        return interval_of(self.starts, self.ends, zone=zone)

    def surely_held(self, zone: ZoneInfo) -> Interval:
        """Without an hour at its border that the clock shows twice: there a hand-over is an overlap of two people, and
        the clock on the wall cannot say which of the two times is meant."""
        return Interval(instant_of(self.starts, zone=zone, last=True), instant_of(self.ends, zone=zone)) or self.held(
            zone
        )


@dataclass(frozen=True)
class Terms:
    """`to_id` takes `span` of `from_id`'s duty; `from_id` takes `back` of the colleague's, if anything."""

    from_id: int
    to_id: int
    span: WallSpan
    back: WallSpan | None = None


@dataclass(frozen=True)
class SwapAnswer:
    """A text that says yes or no. `swap_id` is None when it names no request; not `is_plain`: it says more than that,
    perhaps a condition."""

    accept: bool
    swap_id: int | None = None
    is_plain: bool = True


def check_terms(schedule: Schedule, terms: Terms, *, now: datetime, names: Mapping[int, str]) -> None:
    """Whether the roster allows it now. Raises DomainError with the reason."""
    if terms.from_id == terms.to_id:
        raise DomainError("Choose a colleague: nobody can take a duty from themselves.")
    for span, giver, taker in _directions(terms):
        if span.ends - span.starts > LONGEST:
            raise DomainError("A swap is for three months at most. For longer, change the shifts or rotations.")
        held = span.surely_held(schedule.zone)
        if span.held(schedule.zone).starts_at <= now:
            raise DomainError(f"{span} has begun. Only time that is still to come can be swapped.")
        duties = make_roster(schedule, held)
        own = [Interval(duty.starts_at, duty.ends_at) for duty in duties if duty.person_id == giver]
        if subtract_intervals(held, own):
            raise DomainError(f"{names[giver]} is not on call for all of {span}.")
        if any(duty.person_id == taker for duty in duties):
            raise DomainError(f"{names[taker]} is on call already in {span}.")


def plan_overrides(terms: Terms) -> tuple[Override, ...]:
    """What is written when it is accepted: each stands in for the other. They have no ids yet."""
    return tuple(
        Override(0, OverrideKind.REPLACE, span.starts, span.ends, taker, giver)
        for span, giver, taker in _directions(terms)
    )


def has_begun(terms: Terms, *, zone: ZoneInfo, now: datetime) -> bool:
    """From then on nobody can accept it any more."""
    return any(span.held(zone).starts_at <= now for span, _, _ in _directions(terms))


def text_due_at(now: datetime, *, zone: ZoneInfo, begins_at: datetime) -> datetime:
    """When a text about a swap may leave: nobody is woken for one, unless it begins within twelve hours."""
    wall = wall_of(now, zone=zone)
    starts, ends = NIGHT
    if begins_at - now <= URGENT or ends <= wall.time() < starts:
        return now
    morning = wall.date() + timedelta(days=0 if wall.time() < ends else 1)
    return instant_of(datetime.combine(morning, ends), zone=zone)


def parse_swap_answer(text: str) -> SwapAnswer | None:
    """`YES S12`, `no s 12`, `Y`, in any spacing, case and quotes; None for anything else. Quoted lines do not count."""
    lines = [line for line in unicodedata.normalize("NFKC", text).splitlines() if not line.lstrip().startswith(">")]
    said = "\n".join(lines).strip().strip(_QUOTES)
    match = next(filter(None, (form.match(said) for form in _FORMS)), None)
    if match is None:
        return None
    found = match.groupdict()
    accept = found["word"].casefold().startswith("y")
    # A no with a reason is a no; a yes with a "but" is none.
    is_plain = bool(_POLITE.fullmatch(found["rest"])) or (not accept and bool(found.get("code")))
    return SwapAnswer(accept, int(found["code"]) if found.get("code") else None, is_plain)


def code_of(swap_id: int) -> str:
    """What a text answers with. Never used again, so that a late answer means what it was given to."""
    return f"S{swap_id}"


def ask_text(asker: str, terms: Terms, *, code: str, note: str = "") -> str:
    """To the colleague."""
    back = f" In return: yours of {terms.back}." if terms.back else ""
    head = f"{_who(asker)} asks you to take {terms.span}.{back}"
    return fit_gist(f"{head} ", one_line(note), f"\nReply YES {code} or NO {code}")


def accepted_text(taker: str, terms: Terms) -> str:
    """To the one who asked."""
    back = f" You take {terms.back}" if terms.back else ""
    return f"{_who(taker)} takes your duty {terms.span}.{back}".rstrip(".")


def declined_text(taker: str, terms: Terms) -> str:
    """To the one who asked."""
    return f"{_who(taker)} cannot take your duty {terms.span}. It stays yours"


def expired_text(taker: str, terms: Terms) -> str:
    """To the one who asked: nobody answered before it began."""
    return f"{_who(taker)} has not answered in time, so the roster stays as it is: {terms.span}"


def dropped_text(taker: str, terms: Terms) -> str:
    """To the one who asked: another swap took away what this one was about."""
    return f"Your request to {_who(taker)} for {terms.span} has ended: another swap changed the roster"


def thanks_text(asker: str, terms: Terms, *, accept: bool) -> str:
    """Back to the one who answered."""
    if not accept:
        return f"{_who(asker)} is told that you cannot take {terms.span}"
    back = f". {_who(asker)} takes {terms.back}" if terms.back else ""
    return f"You are on call {terms.span}{back}. {_who(asker)} is told"


def which_swap_text(requests: Sequence[tuple[str, str, Terms]], *, accept: bool) -> str:
    """A yes or no that names no request, or says more than that: (code, who asks, for what) of each that is open."""
    word = "YES" if accept else "NO"
    items = [f"{word} {code} = {_who(asker)}, {terms.span}" for code, asker, terms in requests]
    return fit_items("To answer a swap, reply only: ", items, "", segments=2)


def _directions(terms: Terms) -> list[tuple[WallSpan, int, int]]:
    """(time, who gives it, who takes it)."""
    back = [(terms.back, terms.to_id, terms.from_id)] if terms.back else []
    return [(terms.span, terms.from_id, terms.to_id), *back]


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %H:%M}"


def _who(name: str) -> str:
    return shorten(one_line(name), _NAME)

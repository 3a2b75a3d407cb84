"""Lint of a roster, twelve months ahead: what will go wrong if nobody looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from portal.core.findings import Finding, Kind, LintFacts, PhoneState, Place, Severity, say_day, say_time
from portal.core.intervals import Interval
from portal.core.lint_clashes import find_hidden, find_idle_overrides, find_overlaps
from portal.core.lint_cover import find_clock_changes, find_gaps, find_long
from portal.core.roster import RosterDuty, list_claims, make_roster
from portal.core.rotations import Rotation
from portal.core.wallclock import instant_of, interval_of, wall_of

AHEAD = timedelta(days=365)
_PHONES = {
    PhoneState.NONE: (Severity.BAD, "has no phone number"),
    PhoneState.STOPPED: (Severity.BAD, "has a phone that refuses our texts, since its owner texted STOP"),
    PhoneState.UNPROVEN: (Severity.INFO, "has never answered a page; a test page would show that it reaches them"),
}


def lint_roster(facts: LintFacts, *, now: datetime) -> tuple[Finding, ...]:
    """Everything found in the twelve months from `now`, in order of time."""
    span = Interval(now, now + AHEAD)
    duties = make_roster(facts.schedule, span)
    away = frozenset(one.person_id for one in facts.schedule.absences if one.holds(now))
    claims = list_claims(facts.schedule, span, away)
    found = [
        *find_gaps(facts, duties, span=span),
        *find_clock_changes(facts, duties, span=span),
        *find_long(facts, duties),
        *find_hidden(facts, claims, span=span),
        *find_overlaps(facts, [claim for claim in claims if claim.span.ends_at > now]),
        *find_idle_overrides(facts, span=span, away=away),
        *find_people(facts, duties, now=now, away=away),
        *find_holidays(facts, span=span),
    ]
    return tuple(sorted(found, key=lambda one: (one.span, one.kind, one.text)))


def find_people(
    facts: LintFacts, duties: Sequence[RosterDuty], *, now: datetime, away: frozenset[int]
) -> Iterator[Finding]:
    """Who is on the roster and cannot be woken, who is named there and left, and rotations in which nobody is left."""
    first: dict[int, RosterDuty] = {}
    for duty in duties:
        first.setdefault(duty.person_id, duty)
    for person, duty in first.items():
        yield from _unready(facts, person, duty)
    for person in sorted(set(_named(facts, now)) & away):
        text = f"{facts.name(person)} is disabled and still named in {_where(facts, person, now)}. None of it counts."
        until = Interval(now, now + AHEAD)
        yield Finding(Kind.GONE, Severity.WARN, text, until, Place("person", person), (person,))
    for rotation in _running(facts, now):
        if set(rotation.people) <= away:
            text = f"{facts.rotation(rotation.id)} has nobody left: everybody in it is disabled."
            begins = max(now, instant_of(rotation.begins, zone=facts.zone))
            span = Interval(begins, max(begins, now + AHEAD))
            place = Place("rotation", rotation.id)
            yield Finding(Kind.NOBODY, Severity.WARN, text, span, place, tuple(sorted(set(rotation.people))))


def find_holidays(facts: LintFacts, *, span: Interval) -> Iterator[Finding]:
    """Proposals nobody decided, and a year nobody looked through."""
    first, last = (wall_of(at, zone=facts.zone).date() for at in (span.starts_at, span.ends_at))
    for on, name in facts.proposals:
        if first <= on <= last:
            text = f"{name} on {say_day(on)} is proposed, and nobody has decided whether the shop is closed."
            yield Finding(Kind.HOLIDAY, Severity.WARN, text, _day(facts, on), Place("holidays", on=on))
    year = facts.year_to_review
    if year is not None and not any(on.year == year for on, _ in facts.proposals):
        on = max(first, date(year, 1, 1))
        text = f"Nobody has looked through the holidays of {year} yet."
        yield Finding(Kind.HOLIDAY, Severity.WARN, text, _day(facts, on), Place("holidays", on=on))


def _unready(facts: LintFacts, person: int, duty: RosterDuty) -> Iterator[Finding]:
    worker, place = facts.people.get(person), Place("person", person)
    if worker is None:
        return
    since = f"is on call from {say_time(duty.starts_at, zone=facts.zone)}"
    span = Interval(duty.starts_at, duty.ends_at)
    if not worker.may_be_on_call:
        text = f"{worker.name} {since}, though people of that role are not put on call any more."
        yield Finding(Kind.GONE, Severity.WARN, text, span, place, (person,))
    if worker.phone in _PHONES:
        severity, trouble = _PHONES[worker.phone]
        yield Finding(Kind.PHONE, severity, f"{worker.name} {since} and {trouble}.", span, place, (person,))


def _running(facts: LintFacts, now: datetime) -> list[Rotation]:
    wall = wall_of(now, zone=facts.zone)
    return [one for one in facts.schedule.rotations if one.ends is None or one.ends > wall]


def _places(facts: LintFacts, person: int, now: datetime) -> dict[str, int]:
    """How often somebody is named in what is still to come."""
    wall, schedule = wall_of(now, zone=facts.zone), facts.schedule
    coming = [one for one in schedule.overrides if interval_of(one.starts, one.ends, zone=facts.zone).ends_at > now]
    return {
        "shift": sum(one.person_id == person and one.ends > wall for one in schedule.shifts),
        "rotation": sum(person in one.people for one in _running(facts, now)),
        "exception": sum(person in (one.person_id, one.instead_of) for one in coming),
        "holiday": sum(one.person_id == person and one.on >= wall.date() for one in schedule.holidays),
    }


def _named(facts: LintFacts, now: datetime) -> Iterator[int]:
    for person, worker in facts.people.items():
        if not worker.is_active and any(_places(facts, person, now).values()):
            yield person


def _where(facts: LintFacts, person: int, now: datetime) -> str:
    counts = [(number, word) for word, number in _places(facts, person, now).items() if number]
    words = [f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts]
    return ", ".join(words[:-1]) + (" and " if words[1:] else "") + words[-1]


def _day(facts: LintFacts, on: date) -> Interval:
    begins, ends = (datetime.combine(day, time()) for day in (on, on + timedelta(days=1)))
    return Interval(instant_of(begins, zone=facts.zone), instant_of(ends, zone=facts.zone))

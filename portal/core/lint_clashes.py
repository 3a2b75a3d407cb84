"""Findings about what a roster is made of: shifts, rotations and exceptions that get in each other's way."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from portal.core.findings import Finding, Kind, LintFacts, Place, Severity, say_length, say_span
from portal.core.intervals import Interval, merge_intervals
from portal.core.roster import Claim, Override, Schedule, SourceKind, make_roster
from portal.core.wallclock import interval_of, wall_of

# Two people for so long at a time look like a slip; longer looks like a plan.
SHORT = timedelta(hours=2)
_NEAR = timedelta(days=2)


def find_hidden(facts: LintFacts, claims: Sequence[Claim], *, span: Interval) -> Iterator[Finding]:
    """Shifts and rotations of which a higher level leaves nothing."""
    above = {level: _above(claims, level) for level in {claim.level for claim in claims}}
    seen: dict[object, list[Claim]] = {}
    for claim in claims:
        seen.setdefault(claim.source, []).append(claim)
    for own in seen.values():
        left = [_clip(claim.span, span) for claim in own]
        if all(_is_covered(one, above[claim.level]) for one, claim in zip(left, own, strict=True)):
            yield _hidden(facts, own, Interval(left[0].starts_at, left[-1].ends_at))


def find_overlaps(facts: LintFacts, claims: Sequence[Claim]) -> Iterator[Finding]:
    """Two people on one level for a short time at the edge of their shifts; and one person's shift within another."""
    running: dict[int, list[Claim]] = {}
    for claim in sorted(claims, key=lambda one: one.span):
        others = [one for one in running.get(claim.level, ()) if one.span.ends_at > claim.span.starts_at]
        for other in others:
            yield from _overlap(facts, other, claim)
        running[claim.level] = [*others, claim]


def find_idle_overrides(facts: LintFacts, *, span: Interval, away: frozenset[int]) -> Iterator[Finding]:
    """Exceptions without which the same people would be on call."""
    for override in facts.schedule.overrides:
        held = interval_of(override.starts, override.ends, zone=facts.zone)
        if override.person_id in away or held.ends_at <= span.starts_at or held.starts_at >= span.ends_at:
            continue
        held = _clip(held, span)
        near = _around(facts.schedule, override)
        without = replace(near, overrides=tuple(one for one in near.overrides if one.id != override.id))
        if held and _people(near, held) == _people(without, held):
            text = f"The exception for {facts.name(override.person_id)} {say_span(held, zone=facts.zone)}"
            text += " changes nothing: without it the same people would be on call."
            place = Place("override", override.id)
            yield Finding(Kind.IDLE, Severity.INFO, text, held, place, (override.person_id,))


def _above(claims: Iterable[Claim], level: int) -> tuple[Interval, ...]:
    return merge_intervals(claim.span for claim in claims if claim.level > level)


def _is_covered(span: Interval, merged: Sequence[Interval]) -> bool:
    place = bisect_right(merged, span.starts_at, key=lambda one: one.starts_at)
    return place > 0 and merged[place - 1].ends_at >= span.ends_at


def _clip(one: Interval, span: Interval) -> Interval:
    return Interval(max(one.starts_at, span.starts_at), min(one.ends_at, span.ends_at))


def _hidden(facts: LintFacts, own: Sequence[Claim], span: Interval) -> Finding:
    source = own[0].source
    if source.kind is SourceKind.ROTATION:
        text = f"{facts.rotation(source.id)} never comes into play in the next twelve months"
        place, people = Place("rotation", source.id), tuple(sorted({claim.person_id for claim in own}))
    else:
        text = f"The shift of {facts.name(own[0].person_id)} {say_span(span, zone=facts.zone)} never comes into play"
        place, people = Place("shift", source.id), (own[0].person_id,)
    text += ": a higher level covers all of it."
    return Finding(Kind.HIDDEN, Severity.WARN, text, span, place, people)


def _overlap(facts: LintFacts, first: Claim, second: Claim) -> Iterator[Finding]:
    both = Interval(second.span.starts_at, min(first.span.ends_at, second.span.ends_at))
    is_shift = SourceKind.SHIFT in (first.source.kind, second.source.kind)
    place = Place(second.source.kind, second.source.id)
    if first.person_id == second.person_id:
        if first.source.kind is second.source.kind is SourceKind.SHIFT:
            text = f"{facts.name(first.person_id)} has two shifts {say_span(both, zone=facts.zone)}."
            yield Finding(Kind.OVERLAP, Severity.INFO, text, both, place, (first.person_id,))
        return
    # On the wall clock: in the doubled hour of autumn every hand-off overlaps, and is meant to.
    length = wall_of(both.ends_at, zone=facts.zone) - wall_of(both.starts_at, zone=facts.zone)
    is_edge = first.span.starts_at < second.span.starts_at and first.span.ends_at < second.span.ends_at
    if is_edge and timedelta() < length <= SHORT:
        names = f"{facts.name(first.person_id)} and {facts.name(second.person_id)}"
        text = f"{names} are both on call for {say_length(length)} {say_span(both, zone=facts.zone)}"
        text += ", at the edge of their shifts." if is_shift else ", where two rotations meet."
        yield Finding(Kind.OVERLAP, Severity.INFO, text, both, place, (first.person_id, second.person_id))


def _around(schedule: Schedule, override: Override) -> Schedule:
    """Only what can matter in its time: a year of exceptions is compared one by one."""
    starts, ends = override.starts - _NEAR, override.ends + _NEAR

    def touches(begins: datetime, stops: datetime) -> bool:
        return begins < ends and starts < stops

    return replace(
        schedule,
        shifts=tuple(one for one in schedule.shifts if touches(one.starts, one.ends)),
        overrides=tuple(one for one in schedule.overrides if touches(one.starts, one.ends)),
        holidays=tuple(one for one in schedule.holidays if starts.date() <= one.on <= ends.date()),
    )


def _people(schedule: Schedule, span: Interval) -> dict[int, tuple[Interval, ...]]:
    spans: dict[int, list[Interval]] = {}
    for duty in make_roster(schedule, span):
        spans.setdefault(duty.person_id, []).append(Interval(duty.starts_at, duty.ends_at))
    return {person: merge_intervals(own) for person, own in spans.items()}

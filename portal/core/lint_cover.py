"""Findings about the roster itself: time without anybody, the nights the clock changes, and too long without a rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from portal.core.findings import Finding, Kind, LintFacts, Place, Severity, say_day, say_length, say_span, say_time
from portal.core.intervals import Interval, merge_intervals, subtract_intervals
from portal.core.roster import HolidayPolicy, RosterDuty, coverage_gaps
from portal.core.rotations import list_turns
from portal.core.wallclock import instant_of, wall_of

_DAY = timedelta(days=1)
_SOON, _LATER = timedelta(days=14), timedelta(days=60)


@dataclass(frozen=True)
class ClockChange:
    """The clock of a zone goes from `before` to `after` on the wall, at the instant `at`."""

    at: datetime
    before: datetime
    after: datetime

    @property
    def is_doubled(self) -> bool:
        """Whether a stretch of the wall clock comes twice; else one is left out."""
        return self.after < self.before

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return abs(self.after - self.before)


def list_clock_changes(zone: ZoneInfo, span: Interval) -> tuple[ClockChange, ...]:
    """Every change of a zone's clock within `span`, to the second."""
    days = (span.ends_at - span.starts_at) // _DAY + 1
    looks = [min(span.starts_at + number * _DAY, span.ends_at) for number in range(days + 1)]
    found = []
    for before, after in pairwise(looks):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            found.append(_change_between(before, after, zone))
    return tuple(found)


def find_gaps(facts: LintFacts, duties: Sequence[RosterDuty], *, span: Interval) -> Iterator[Finding]:
    """Closed time without anybody. After the last duty of all it is one finding: the roster ends there. A holiday of
    which it was decided that nobody is on call is no gap: its pages go to the managers."""
    last = max((duty.ends_at for duty in duties), default=span.starts_at)
    gaps = _undecided(facts, coverage_gaps(duties, span=span, hours=facts.hours))
    for gap in gaps:
        if gap.starts_at >= last:
            yield _end(facts, last, span) if duties else _never(facts, span)
            return
        severity = Severity.BAD if gap.starts_at < span.starts_at + _SOON else Severity.WARN
        text = f"Nobody is on call {say_span(gap, zone=facts.zone)}, while the shop is closed."
        yield Finding(Kind.GAP, severity, text, gap, _place(facts, gap.starts_at))


def find_clock_changes(facts: LintFacts, duties: Sequence[RosterDuty], *, span: Interval) -> Iterator[Finding]:
    """Whose night is longer or shorter, and hand-offs within the odd hour."""
    for change in list_clock_changes(facts.zone, span):
        around = Interval(change.at, change.at + max(change.length, timedelta(minutes=1)))
        people = tuple(sorted({duty.person_id for duty in duties if duty.starts_at < change.at < duty.ends_at}))
        if people:
            yield _clock(facts, around, people, _night_text(facts, change, people), Severity.INFO)
        for wall in sorted(set(_odd_hand_offs(facts, change))):
            yield _clock(facts, around, people, _hand_off_text(change, wall), Severity.WARN)


def find_long(facts: LintFacts, duties: Iterable[RosterDuty]) -> Iterator[Finding]:
    """People without 24 hours off for too many days, or without any break for too many hours. Wall-clock lengths: a
    week in which the clock changes is a week."""
    for person, spans in _by_person(duties).items():
        for run in _runs(spans):
            whole = Interval(run[0].starts_at, run[-1].ends_at)
            days = _wall_length(facts, whole)
            if days > timedelta(days=facts.limits.days):
                text = f"{facts.name(person)} is on call {say_span(whole, zone=facts.zone)} without a day off."
                yield _long(facts, person, whole, f"{text} That is {round(days / _DAY)} days.", Severity.WARN)
                continue
            for one in run:
                length = _wall_length(facts, one)
                if length > timedelta(hours=facts.limits.hours):
                    words = f"without a hand-off for {round(length / _DAY)} days"
                    text = f"{facts.name(person)} is on call {say_span(one, zone=facts.zone)}, {words}."
                    yield _long(facts, person, one, text, Severity.INFO)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> ClockChange:
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return ClockChange(after, wall_of(before, zone=zone) + (after - before), wall_of(after, zone=zone))


def _undecided(facts: LintFacts, gaps: Iterable[Interval]) -> list[Interval]:
    quiet = [
        Interval(
            instant_of(datetime.combine(one.on, time()), zone=facts.zone),
            instant_of(datetime.combine(one.on + _DAY, time()), zone=facts.zone),
        )
        for one in facts.schedule.holidays
        if one.policy is HolidayPolicy.NOBODY
    ]
    return [piece for gap in gaps for piece in subtract_intervals(gap, quiet)]


def _end(facts: LintFacts, at: datetime, span: Interval) -> Finding:
    ahead = at - span.starts_at
    severity = Severity.BAD if ahead < _SOON else Severity.WARN if ahead < _LATER else Severity.INFO
    text = f"The roster ends on {say_time(at, zone=facts.zone)}: nobody is on call after that."
    return Finding(Kind.ENDS, severity, text, Interval(at, span.ends_at), _place(facts, at))


def _never(facts: LintFacts, span: Interval) -> Finding:
    text = "Nobody is on call in the next twelve months, and the shop is closed at times."
    return Finding(Kind.ENDS, Severity.BAD, text, span, _place(facts, span.starts_at))


def _night_text(facts: LintFacts, change: ClockChange, people: Sequence[int]) -> str:
    names = " and ".join(facts.name(person) for person in people)
    what = "longer" if change.is_doubled else "shorter"
    goes = f"goes from {change.before:%H:%M} to {change.after:%H:%M}"
    whose = f"the duty of {names} is {say_length(change.length)} {what}"
    return f"On {say_day(change.before.date())} the clock {goes}: {whose}."


def _odd_hand_offs(facts: LintFacts, change: ClockChange) -> Iterator[datetime]:
    """Borders on the wall clock that come twice, or never. A border at the first minute of a missing hour is none: it
    happens when that hour would begin."""
    low, high = sorted((change.before, change.after))
    schedule = facts.schedule
    walls = [wall for shift in schedule.shifts for wall in (shift.starts, shift.ends)]
    walls += [wall for override in schedule.overrides for wall in (override.starts, override.ends)]
    for rotation in schedule.rotations:
        for turn in list_turns(rotation, low - _DAY, high + _DAY):
            walls += [turn.starts, turn.ends]
    for wall in walls:
        if (low <= wall if change.is_doubled else low < wall) and wall < high:
            yield wall


def _hand_off_text(change: ClockChange, wall: datetime) -> str:
    head = f"On {say_day(wall.date())} a shift changes at {wall:%H:%M}"
    if change.is_doubled:
        length = say_length(change.length)
        return f"{head}, which comes twice that night: who leaves and who comes are both on call for {length}."
    return f"{head}, which is left out that night: it changes at {change.after:%H:%M}."


def _by_person(duties: Iterable[RosterDuty]) -> Mapping[int, tuple[Interval, ...]]:
    spans: dict[int, list[Interval]] = {}
    for duty in duties:
        spans.setdefault(duty.person_id, []).append(Interval(duty.starts_at, duty.ends_at))
    return {person: merge_intervals(own) for person, own in sorted(spans.items())}


def _runs(spans: Sequence[Interval]) -> Iterator[list[Interval]]:
    """Duties with less than 24 hours between them."""
    run: list[Interval] = []
    for span in spans:
        if run and span.starts_at - run[-1].ends_at >= _DAY:
            yield run
            run = []
        run.append(span)
    if run:
        yield run


def _wall_length(facts: LintFacts, span: Interval) -> timedelta:
    return wall_of(span.ends_at, zone=facts.zone) - wall_of(span.starts_at, zone=facts.zone)


def _place(facts: LintFacts, at: datetime) -> Place:
    return Place("schedule", on=wall_of(at, zone=facts.zone).date())


def _clock(facts: LintFacts, span: Interval, people: tuple[int, ...], text: str, severity: Severity) -> Finding:
    return Finding(Kind.CLOCK, severity, text, span, _place(facts, span.starts_at), people)


def _long(facts: LintFacts, person: int, span: Interval, text: str, severity: Severity) -> Finding:
    return Finding(Kind.LONG, severity, text, span, _place(facts, span.starts_at), (person,))

"""Who carries how much of the roster: time on call by kind, and pages, per person.

Every minute has one kind. A holiday comes before everything; then the time the shop is open, when no page rings; then
the weekend; then the night; what is left is the rest of the closed time. All lengths are real time, also in the nights
the clock changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, closures_on, open_intervals
from portal.core.intervals import Interval, merge_intervals
from portal.core.roster import RosterDuty
from portal.core.wallclock import instant_of, wall_of

_DAY = timedelta(days=1)
_SATURDAY = 5


class TimeKind(StrEnum):
    """What a minute on call counts as, the first that fits."""

    HOLIDAY = "holiday"
    OPEN = "open"
    WEEKEND = "weekend"
    NIGHT = "night"
    OTHER = "other"


# In the order they are shown.
SHOWN = (TimeKind.NIGHT, TimeKind.WEEKEND, TimeKind.HOLIDAY, TimeKind.OTHER, TimeKind.OPEN)
TITLES: Mapping[TimeKind, str] = {
    TimeKind.NIGHT: "Nights",
    TimeKind.WEEKEND: "Weekends",
    TimeKind.HOLIDAY: "Holidays",
    TimeKind.OTHER: "Other closed hours",
    TimeKind.OPEN: "While open",
}


@dataclass(frozen=True)
class Night:
    """The night of every day, in whole hours of the wall clock: from `starts` to `ends` of the next day, or of the same
    day where `ends` is the larger number."""

    starts: int = 22
    ends: int = 6

    def __str__(self) -> str:
        return f"{self.starts:02}:00 to {self.ends:02}:00"


def define_kinds(night: Night) -> Mapping[TimeKind, str]:
    """What each kind means, in words for the page and the sheet."""
    return {
        TimeKind.HOLIDAY: "The part of a holiday on which the shop is closed. Comes before everything else.",
        TimeKind.OPEN: "While the shop is open: no page rings then. Comes before weekend and night.",
        TimeKind.WEEKEND: "Saturday and Sunday, midnight to midnight. Comes before the night.",
        TimeKind.NIGHT: f"From {night}.",
        TimeKind.OTHER: "The rest of the time in which the shop is closed.",
    }


@dataclass(frozen=True)
class Part:
    """A stretch of time of one kind. `on` is the holiday, the Saturday of the weekend, or the day the night began."""

    span: Interval
    kind: TimeKind
    on: date | None = None


@dataclass(frozen=True)
class Tally:
    """Time by kind, and on how many nights, weekends and holidays it was."""

    lengths: Mapping[TimeKind, timedelta] = field(default_factory=dict)
    counts: Mapping[TimeKind, int] = field(default_factory=dict)

    @property
    def total(self) -> timedelta:
        """All of it."""
        return sum(self.lengths.values(), timedelta())

    def hours(self, kind: TimeKind | str) -> float:
        """Of one kind, in hours."""
        return self.lengths.get(TimeKind(kind), timedelta()) / timedelta(hours=1)

    def count(self, kind: TimeKind | str) -> int:
        """Nights, weekends or holidays."""
        return self.counts.get(TimeKind(kind), 0)


@dataclass(frozen=True)
class Load:
    """One person's share. `rung`: pages that reached their phones; `answered`: pages they took."""

    person_id: int
    tally: Tally
    rung: int = 0
    answered: int = 0


@dataclass(frozen=True)
class Stretch:
    """One person on call without a break."""

    person_id: int
    span: Interval


def split_time(span: Interval, *, hours: BusinessHours, zone: ZoneInfo, night: Night) -> tuple[Part, ...]:
    """All of `span`, in order, cut where the kind changes. `zone` is the schedule's; holidays and open time are on the
    clock of `hours`."""
    kinds: dict[TimeKind, list[tuple[Interval, date | None]]] = {
        TimeKind.HOLIDAY: list(_holidays(hours, span)),
        TimeKind.OPEN: [(one, None) for one in open_intervals(hours, span)],
        TimeKind.WEEKEND: list(_weekends(zone, span)),
        TimeKind.NIGHT: list(_nights(zone, span, night)),
    }
    edges = {span.starts_at, span.ends_at}
    for held in kinds.values():
        edges.update(edge for one, _ in held for edge in (one.starts_at, one.ends_at) if edge in span)
    starts = {kind: [one.starts_at for one, _ in held] for kind, held in kinds.items()}
    parts = []
    for starts_at, ends_at in pairwise(sorted(edges)):
        parts.append(_part(Interval(starts_at, ends_at), kinds, starts))
    return tuple(parts)


def list_stretches(duties: Iterable[RosterDuty]) -> tuple[Stretch, ...]:
    """Every person's time, in order; nobody counts twice for a minute, whatever the reasons."""
    spans: dict[int, list[Interval]] = {}
    for duty in duties:
        spans.setdefault(duty.person_id, []).append(Interval(duty.starts_at, duty.ends_at))
    found = [Stretch(person, span) for person, own in spans.items() for span in merge_intervals(own)]
    return tuple(sorted(found, key=lambda one: (one.span, one.person_id)))


def tally(spans: Iterable[Interval], parts: Sequence[Part]) -> Tally:
    """The time of `spans` (disjoint) by kind. `parts` cover them, as `split_time` made them."""
    lengths: dict[TimeKind, timedelta] = {}
    days: dict[TimeKind, set[date]] = {}
    for span in spans:
        place = max(bisect_right(parts, span.starts_at, key=lambda part: part.span.starts_at) - 1, 0)
        for part in parts[place:]:
            if part.span.starts_at >= span.ends_at:
                break
            length = min(part.span.ends_at, span.ends_at) - max(part.span.starts_at, span.starts_at)
            if length > timedelta():
                lengths[part.kind] = lengths.get(part.kind, timedelta()) + length
                if part.on is not None:
                    days.setdefault(part.kind, set()).add(part.on)
    return Tally(lengths, {kind: len(found) for kind, found in days.items()})


def share_load(
    duties: Iterable[RosterDuty],
    parts: Sequence[Part],
    *,
    rung: Collection[int] = (),
    answered: Collection[int] = (),
) -> tuple[Load, ...]:
    """Everybody who was on call or got a page, the most time first. `rung` and `answered` name a person once a page."""
    spans: dict[int, list[Interval]] = {}
    for one in list_stretches(duties):
        spans.setdefault(one.person_id, []).append(one.span)
    people = {*spans, *rung, *answered}
    loads = [
        Load(person, tally(spans.get(person, ()), parts), _count(rung, person), _count(answered, person))
        for person in people
    ]
    return tuple(sorted(loads, key=lambda load: (-load.tally.total, load.person_id)))


def average_load(loads: Sequence[Load]) -> Tally:
    """The time and counts of everybody by kind, divided by how many they are; counts are rounded down."""
    people = max(len(loads), 1)
    lengths = {
        kind: sum((load.tally.lengths.get(kind, timedelta()) for load in loads), timedelta()) / people
        for kind in TimeKind
    }
    return Tally(lengths, {kind: sum(load.tally.count(kind) for load in loads) // people for kind in TimeKind})


def list_months(span: Interval, *, zone: ZoneInfo) -> tuple[tuple[date, Interval], ...]:
    """The months of a span on the wall clock, cut to it: the first day of each, and its time."""
    day = wall_of(span.starts_at, zone=zone).date().replace(day=1)
    found = []
    while (begins := _midnight(day, zone)) < span.ends_at:
        after = (day + 31 * _DAY).replace(day=1)
        month = Interval(max(begins, span.starts_at), min(_midnight(after, zone), span.ends_at))
        if month:
            found.append((day, month))
        day = after
    return tuple(found)


def clip_spans(spans: Iterable[Interval], within: Interval) -> tuple[Interval, ...]:
    """What of the spans lies within, in their order."""
    clipped = (Interval(max(one.starts_at, within.starts_at), min(one.ends_at, within.ends_at)) for one in spans)
    return tuple(filter(None, clipped))


def _count(people: Collection[int], person: int) -> int:
    return sum(one == person for one in people)


def _part(
    span: Interval,
    kinds: Mapping[TimeKind, Sequence[tuple[Interval, date | None]]],
    starts: Mapping[TimeKind, Sequence[datetime]],
) -> Part:
    for kind, held in kinds.items():
        place = bisect_right(starts[kind], span.starts_at) - 1
        if place >= 0 and span.starts_at in held[place][0]:
            return Part(span, kind, held[place][1])
    return Part(span, TimeKind.OTHER)


def _holidays(hours: BusinessHours, span: Interval) -> Iterator[tuple[Interval, date]]:
    for day in _days(hours.zone, span):
        for closed in merge_intervals(closed for closed, _ in closures_on(hours, day)):
            yield closed, day


def _days(zone: ZoneInfo, span: Interval) -> Iterator[date]:
    day = wall_of(span.starts_at, zone=zone).date() - 2 * _DAY
    last = wall_of(span.ends_at, zone=zone).date()
    while day <= last:
        yield day
        day += _DAY


def _weekends(zone: ZoneInfo, span: Interval) -> Iterator[tuple[Interval, date]]:
    for day in _days(zone, span):
        if day.weekday() == _SATURDAY:
            yield Interval(_midnight(day, zone), _midnight(day + 2 * _DAY, zone)), day


def _nights(zone: ZoneInfo, span: Interval, night: Night) -> Iterator[tuple[Interval, date]]:
    for day in _days(zone, span):
        until = day if night.ends > night.starts else day + _DAY
        begins, stops = (
            instant_of(datetime.combine(on, time(hour)), zone=zone)
            for on, hour in ((day, night.starts), (until, night.ends))
        )
        yield Interval(begins, stops), day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant_of(datetime.combine(day, time()), zone=zone)

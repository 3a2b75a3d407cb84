"""What a change would make of the roster: the time around it, before and after, and where nobody would be left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, open_intervals
from portal.core.intervals import Interval, merge_intervals, subtract_intervals
from portal.core.roster import RosterDuty, Schedule, coverage_gaps, make_roster
from portal.core.wallclock import instant_of


@dataclass(frozen=True)
class Stretch:
    """A time in which nothing changes: who is on call as it stands, and who would be. Ids, in order."""

    held: Interval
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class RosterPreview:
    """`gaps`: time in which the shop is closed and somebody is on call, but nobody would be."""

    stretches: tuple[Stretch, ...]
    gaps: tuple[Interval, ...]

    @property
    def changes_something(self) -> bool:
        """Whether anybody would be on call who is not, or the other way round."""
        return any(one.before != one.after for one in self.stretches)


def whole_days(starts: datetime, ends: datetime, *, zone: ZoneInfo) -> Interval:
    """The days that a stretch of wall-clock time touches, from midnight to midnight."""
    last = (ends - timedelta(microseconds=1)).date() + timedelta(days=1)
    first, after = (instant_of(datetime.combine(day, time()), zone=zone) for day in (starts.date(), last))
    return Interval(first, after)


def preview_roster(before: Schedule, after: Schedule, span: Interval, *, hours: BusinessHours) -> RosterPreview:
    """Both rosters of `span`, cut wherever one of them changes."""
    old, new = make_roster(before, span), make_roster(after, span)
    edges = sorted({at for one in (*old, *new) for at in (one.starts_at, one.ends_at)} | {span.starts_at, span.ends_at})
    pieces = [Stretch(Interval(*pair), _people(old, pair[0]), _people(new, pair[0])) for pair in pairwise(edges)]
    missing = coverage_gaps(new, span=span, hours=hours)
    were = coverage_gaps(old, span=span, hours=hours)
    gaps = [left for gap in missing for left in subtract_intervals(gap, were)]
    return RosterPreview(_joined(pieces), merge_intervals(gaps))


def fingerprint_of(preview: RosterPreview, *, hours: BusinessHours) -> str:
    """Tells whether what stood before a change, and when the shop is open then, is still what somebody was shown."""
    span = Interval(preview.stretches[0].held.starts_at, preview.stretches[-1].held.ends_at)
    stands: list[tuple[Interval, tuple[int, ...]]] = []
    for one in preview.stretches:
        if stands and stands[-1][1] == one.before:
            stands[-1] = (Interval(stands[-1][0].starts_at, one.held.ends_at), one.before)
        else:
            stands.append((one.held, one.before))
    facts = (stands, list(open_intervals(hours, span)))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:20]


def name_people(ids: Iterable[int], names: Mapping[int, str]) -> str:
    """`Bob and Carol`, or `Nobody`."""
    found = [names[one] for one in ids]
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:]))) or "Nobody"


def _people(duties: Iterable[RosterDuty], at: datetime) -> tuple[int, ...]:
    return tuple(sorted({duty.person_id for duty in duties if duty.starts_at <= at < duty.ends_at}))


def _joined(pieces: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """A hand-over from one reason to another is none for the people."""
    kept: list[Stretch] = []
    for piece in pieces:
        if kept and (kept[-1].before, kept[-1].after) == (piece.before, piece.after):
            piece = Stretch(Interval(kept.pop().held.starts_at, piece.held.ends_at), piece.before, piece.after)
        kept.append(piece)
    return tuple(kept)

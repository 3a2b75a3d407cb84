"""From the clock on the wall to an instant, with one rule for the two odd nights of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.core.intervals import Interval


def instant_of(wall: datetime, *, zone: ZoneInfo, last: bool = False) -> datetime:
    """The UTC instant at which a clock on the wall of `zone` shows `wall` (naive).

    In a doubled hour the first occurrence, or the last when asked; in a missing hour the first instant after it
    (product.md 3).
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    return _end_of_missing_hour(second, first, zone=zone)


def interval_of(starts: datetime, ends: datetime, *, zone: ZoneInfo) -> Interval:
    """A stretch of wall-clock time: from the first occurrence of its start to the last of its end.

    So neighbours may overlap in a doubled hour and never leave a gap.
    """
    return Interval(instant_of(starts, zone=zone), instant_of(ends, zone=zone, last=True))


def wall_of(at: datetime, *, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows at `at`, as a naive datetime."""
    return at.astimezone(zone).replace(tzinfo=None)


def _end_of_missing_hour(before: datetime, after: datetime, *, zone: ZoneInfo) -> datetime:
    """The change of offset between two instants. zoneinfo does not tell it, so halve down to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after

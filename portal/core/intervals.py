"""Half-open stretches of time, and the two operations calendars and schedules need on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, order=True)
class Interval:
    """`[starts_at, ends_at)`, both aware and in UTC. Empty when the end is not after the start."""

    starts_at: datetime
    ends_at: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    def __bool__(self) -> bool:
        return self.starts_at < self.ends_at


def merge_intervals(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time, in order, without overlaps, touching pieces joined and empty ones dropped."""
    merged: list[Interval] = []
    for interval in sorted(filter(None, intervals)):
        if merged and interval.starts_at <= merged[-1].ends_at:
            interval = Interval(merged[-1].starts_at, max(merged.pop().ends_at, interval.ends_at))
        merged.append(interval)
    return tuple(merged)


def subtract_intervals(whole: Interval, taken: Iterable[Interval]) -> tuple[Interval, ...]:
    """What is left of `whole`, in order."""
    left = []
    cursor = whole.starts_at
    for interval in merge_intervals(taken):
        left.append(Interval(cursor, min(interval.starts_at, whole.ends_at)))
        cursor = max(cursor, interval.ends_at)
    left.append(Interval(cursor, whole.ends_at))
    return tuple(filter(None, left))

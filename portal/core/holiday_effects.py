"""What deciding about days off would change: when the shop is open, and who is on call then."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from portal.core.calendars import BusinessHours, Holiday, YearlyHoliday, closures_on, compare_hours
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, Schedule, make_roster
from portal.core.wallclock import instant_of

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayChange:
    """What becomes of one day. All times are UTC.

    `closes` and `opens`: the time in which the shop is closed or open after the change and was not before; also past
    the end of the day, where the closed part reaches there. `day`: the day itself, from midnight to midnight.
    """

    on: date
    names: tuple[str, ...]
    day: Interval
    closes: tuple[Interval, ...]
    opens: tuple[Interval, ...]


def plan_days(
    hours: BusinessHours,
    *,
    closed: Iterable[Holiday] = (),
    ignored: Collection[Holiday] = (),
    removed: Collection[Holiday] = (),
) -> BusinessHours:
    """The hours if these days were accepted, ignored or removed. A removed day gives way to the rule of its name."""
    accepted = tuple(closed)
    decided = {(one.on, one.name) for one in (*accepted, *ignored)}
    gone = {(one.on, one.name) for one in removed}
    kept = tuple(one for one in hours.holidays if (one.on, one.name) not in decided | gone)
    yearly = tuple(
        replace(
            one,
            except_on=(one.except_on - {on for on, name in gone if name == one.name})
            | {on for on, name in decided if name == one.name},
        )
        for one in hours.yearly
    )
    return replace(hours, holidays=kept + accepted, yearly=yearly)


def plan_rule(
    hours: BusinessHours, *, before: YearlyHoliday | None = None, after: YearlyHoliday | None = None
) -> BusinessHours:
    """The hours if a rule were added, changed or removed."""
    kept = tuple(one for one in hours.yearly if before is None or (one.name, one.rule) != (before.name, before.rule))
    return replace(hours, yearly=kept + ((after,) if after else ()))


def compare_days(before: BusinessHours, after: BusinessHours, days: Iterable[tuple[date, str]]) -> list[DayChange]:
    """What changes on these days, in order; the names of one date together."""
    names: dict[date, list[str]] = {}
    for on, name in days:
        names.setdefault(on, []).append(name)
    found = []
    for on, together in sorted(names.items()):
        day = _day(before, on)
        parts = [closed for hours in (before, after) for closed, _ in closures_on(hours, on)]
        # A closed part may reach into the next day.
        reach = Interval(day.starts_at, max([day.ends_at, *(part.ends_at for part in parts)]))
        change = compare_hours(before, after, reach)
        found.append(DayChange(on, tuple(together), day, change.closes, change.opens))
    return found


def duties_on(schedule: Schedule, day: Interval) -> tuple[RosterDuty, ...]:
    """Who is on call within a day, cut to it, each person's stretches joined, in order of time."""
    found: list[RosterDuty] = []
    for duty in make_roster(schedule, day):
        last = next((one for one in found if one.person_id == duty.person_id and one.ends_at >= duty.starts_at), None)
        if last is None:
            found.append(duty)
        else:
            found[found.index(last)] = replace(last, ends_at=max(last.ends_at, duty.ends_at))
    return tuple(found)


def _day(hours: BusinessHours, on: date) -> Interval:
    starts, ends = (datetime.combine(day, time()) for day in (on, on + _DAY))
    return Interval(instant_of(starts, zone=hours.zone), instant_of(ends, zone=hours.zone))

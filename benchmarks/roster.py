"""A year of a schedule with 4 layers and 200 overrides: who is on call, and what a look ahead finds.

`python -m benchmarks.roster`. Goals: the roster of a year at most 50 ms, its lint at most 2 s.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, parse_week
from portal.core.findings import LintFacts, Worker
from portal.core.intervals import Interval
from portal.core.roster import Override, OverrideKind, Schedule, make_roster
from portal.core.roster_lint import lint_roster
from portal.core.rotations import Rotation, Unit

PEOPLE = tuple(range(1, 13))
BEGIN = datetime.combine(date(2026, 1, 5), time(9))
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
WORKDAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00")
NIGHTS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "18:00-08:00")


def make_schedule() -> Schedule:
    """Weeks below nights below weekends below a day of each month, and an exception every 43 hours."""
    layers = (
        Rotation(1, PEOPLE[:6], BEGIN, Unit.WEEK),
        Rotation(2, PEOPLE[3:9], BEGIN, Unit.DAY, week=parse_week(NIGHTS), level=1),
        Rotation(3, PEOPLE[6:], BEGIN, Unit.WEEK, week=parse_week({"sat": "00:00-24:00", "sun": "00:00-24:00"}),
                 by_shift=True, level=2),
        Rotation(4, PEOPLE[:2], BEGIN, Unit.MONTH, week=parse_week({"wed": "10:00-12:00"}), level=3),
    )  # fmt: skip
    kinds = tuple(OverrideKind)
    overrides = tuple(
        Override(number + 1, kinds[number % 3], BEGIN + timedelta(hours=43 * number),
                 BEGIN + timedelta(hours=43 * number + 12), PEOPLE[number % 12], PEOPLE[(number + 5) % 12])
        for number in range(200)
    )  # fmt: skip
    return Schedule(ZoneInfo("Europe/Berlin"), rotations=layers, overrides=overrides, members=PEOPLE)


def measure(title: str, work: Callable[[], object], *, goal_ms: float, times: int) -> None:
    """Median and the longest, in milliseconds."""
    took = []
    for _ in range(times):
        began = perf_counter()
        work()
        took.append((perf_counter() - began) * 1000)
    print(
        f"{title:44} p50 {statistics.median(took):7.1f} ms   max {max(took):7.1f} ms   goal {goal_ms:g} ms", flush=True
    )


def main() -> None:
    """Print one line for each."""
    schedule = make_schedule()
    people = {person: Worker(f"Person {person}") for person in PEOPLE}
    facts = LintFacts(schedule, BusinessHours(schedule.zone, parse_week(WORKDAYS)), people)
    year = Interval(NOW, NOW + timedelta(days=365))
    print(f"{len(make_roster(schedule, year))} duties, {len(lint_roster(facts, now=NOW))} findings")
    measure("who is on call for a year", lambda: make_roster(schedule, year), goal_ms=50, times=20)
    measure("lint of twelve months", lambda: lint_roster(facts, now=NOW), goal_ms=2000, times=5)


if __name__ == "__main__":
    main()

"""Shifts: one person, from one time to another on the clock on the wall. `core/roster.py` makes the roster of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from portal.core.errors import DomainError

YEARS = range(2000, 2200)


def check_years(*days: date | None) -> None:
    """Raises DomainError for a year nobody means. Near the first and the last year a computer knows, no zone has its
    clock, and one such row would leave a whole roster without an answer."""
    if any(day is not None and day.year not in YEARS for day in days):
        raise DomainError("The year must lie between 2000 and 2199.")


@dataclass(frozen=True)
class Shift:
    """One person on call. `starts` and `ends` are what the clock on the wall shows: naive, half-open. Of what overlaps
    only the highest `level` counts (core/roster.py).

    Raises DomainError when it has no length, ends before it starts, or lies in a year nobody means.
    """

    id: int
    person_id: int
    starts: datetime
    ends: datetime
    note: str = ""
    level: int = 0

    def __post_init__(self) -> None:
        if self.starts.year not in YEARS or self.ends.year not in YEARS:
            raise DomainError("The year of a shift must lie between 2000 and 2199.")
        if self.ends == self.starts:
            raise DomainError("The shift has no length: it ends at the minute it starts.")
        if self.ends < self.starts:
            raise DomainError("The shift ends before it starts. For a night, give the next day as its end.")

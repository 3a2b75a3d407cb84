"""`portal hours ...`: working time, from the command line. Needs the database, and no running system."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from portal.config import load_config
from portal.core.calendars import (
    BusinessHours,
    add_working_time,
    holiday_at,
    is_open,
    next_closing,
    next_opening,
    subtract_working_time,
    working_minutes_between,
)
from portal.core.errors import DomainError
from portal.core.instants import format_instant, format_local, parse_instant
from portal.models import SITE_CALENDAR
from portal.services.calendars import find_calendar, list_calendars, load_hours
from portal.wiring import build

TIME = """Times are ISO 8601. 2026-11-21T18:00Z and 2026-11-21T18:00+01:00 are that instant; without an offset,
2026-11-21T18:00 is what the clock on the wall shows in the calendar's zone: in a doubled hour its first occurrence, in
a missing hour the first instant after."""
_CALENDAR_HELP = "Name (in any case) or number of the calendar; the site's own when left out."
_LONGEST = 10_000_000  # minutes: nineteen years, more than any calendar is asked to hold


@dataclass(frozen=True)
class Asked:
    """The calendar that was named, and the time on the site's clock."""

    name: str
    hours: BusinessHours
    now: datetime

    def instant(self, text: str, *, last: bool = False) -> datetime:
        """The instant of an option; now when it is left out. `last`: in a doubled hour the second."""
        at = parse_instant(text, zone=self.hours.zone, last=last) if text else self.now
        return at.replace(microsecond=0)

    def told(self, key: str, at: datetime | None) -> dict[str, str | None]:
        """An instant in UTC, and as `KEY_local` on the clock of the calendar."""
        if at is None:
            return {key: None, f"{key}_local": None}
        return {key: format_instant(at), f"{key}_local": format_local(at, zone=self.hours.zone)}

    def words(self, at: datetime) -> str:
        """A time for people."""
        return f"{at.astimezone(self.hours.zone):%a %Y-%m-%d %H:%M %Z}"


@click.group()
def hours() -> None:
    """Business hours: the same answer as the pages, the deadlines and the pager give."""


calendar_option = click.option("--calendar", default="", metavar="C", help=_CALENDAR_HELP)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@hours.command(epilog=TIME)
@calendar_option
@click.option("--from", "from_text", default="", metavar="T", help="From when; now when left out.")
@click.option("--minutes", "amount", required=True, metavar="M", help="Minutes of open time; a negative amount: back.")
@json_option
def add(calendar: str, from_text: str, amount: str, as_json: bool) -> None:
    """Print when so many minutes of open time have passed.

    What ends exactly at closing time is due then. Minutes below 0 are subtracted: the latest time from which so many
    pass until T.
    """
    minutes = _minutes(amount)
    with _asked(calendar) as asked:
        start = asked.instant(from_text)
        move = subtract_working_time if minutes < 0 else add_working_time
        due = move(asked.hours, start, minutes=abs(minutes))
    _answer(
        as_json,
        {**_head(asked), **asked.told("from", start), "minutes": minutes, **asked.told("due", due)},
        asked.words(due),
    )


@hours.command(epilog=TIME)
@calendar_option
@click.option("--from", "from_text", required=True, metavar="T", help="From when.")
@click.option("--to", "to_text", required=True, metavar="T", help="Until when, not included.")
@json_option
def between(calendar: str, from_text: str, to_text: str, as_json: bool) -> None:
    """Print the whole minutes of open time within [from, to).

    In a doubled hour --to without an offset is its last occurrence, so that the whole hour lies between.
    """
    with _asked(calendar) as asked:
        start, end = asked.instant(from_text), asked.instant(to_text, last=True)
        if end < start:
            raise DomainError("--to lies before --from.")
        minutes = working_minutes_between(asked.hours, start, end)
    _answer(
        as_json,
        {**_head(asked), **asked.told("from", start), **asked.told("to", end), "minutes": minutes},
        f"{minutes} minutes",
    )


@hours.command("open", epilog=TIME)
@calendar_option
@click.option("--at", "at_text", default="", metavar="T", help="When; now when left out.")
@json_option
def open_at(calendar: str, at_text: str, as_json: bool) -> None:
    """Print whether the shop is open at one time, and until when.

    With --json: "until" is when it closes (nothing while closed, or when it stays open for a year), "next_opening" the
    first open time from T on (T itself while open), "holiday" the name of the holiday at T.
    """
    with _asked(calendar) as asked:
        at = asked.instant(at_text)
        holiday = holiday_at(asked.hours, at)
        opens, until = next_opening(asked.hours, at), next_closing(asked.hours, at)
        found = is_open(asked.hours, at)
    answer = {**_head(asked), **asked.told("at", at), "open": found, **asked.told("until", until),
              **asked.told("next_opening", opens), "holiday": holiday.name if holiday else None}  # fmt: skip
    _answer(as_json, answer, _open_words(asked, found, until if found else opens, holiday.name if holiday else ""))


def _open_words(asked: Asked, is_open: bool, changes_at: datetime | None, holiday: str) -> str:
    because = f" ({holiday})" if holiday else ""
    if is_open:
        return f"Open{because}, until {asked.words(changes_at)}." if changes_at else f"Open{because}, round the clock."
    if changes_at is None:
        return f"Closed{because}, and does not open within ten years."
    return f"Closed{because}. Opens {asked.words(changes_at)}."


@contextmanager
def _asked(name: str) -> Iterator[Asked]:
    """The calendar with this name or number. Raises DomainError that lists what there is."""
    context = build(load_config())
    with context.database.read_session() as session:
        known = list_calendars(session)
        found = find_calendar(session, name) if name.strip() else SITE_CALENDAR
        if found is None:
            names = ", ".join(one.name for one in known)
            raise DomainError(f"There is no calendar “{name.strip()}”. There are: {names}.")
        title = next(one.name for one in known if one.id == found)
        yield Asked(title, load_hours(session, found), context.clock.now())


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not abs(minutes) <= _LONGEST:
        raise DomainError(f"“{text}” is not an amount of minutes. Give a number like 120, at most {_LONGEST:,}.")
    return int(minutes) if minutes.is_integer() else minutes


def _head(asked: Asked) -> dict[str, str]:
    return {"calendar": asked.name, "zone": asked.hours.zone.key}


def _answer(as_json: bool, answer: dict[str, Any], words: str) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else words)

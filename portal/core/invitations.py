"""The calendar file of an invitation, as far as a reader of the ticket wants to know it (RFC 5545, RFC 5546)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar

_LARGEST = 200_000


@dataclass(frozen=True)
class Invitation:
    """One event. `method` is REQUEST, CANCEL, REPLY ... in capitals, "" where the file names none. A whole day is a
    date; a time without a zone counts as UTC."""

    method: str
    title: str
    starts: datetime | date | None
    ends: datetime | date | None
    where: str
    organizer: str


def read_invitation(data: bytes) -> Invitation | None:
    """The first event of a calendar file; None when there is none to be read. Never raises."""
    try:
        calendar = Calendar.from_ical(data[:_LARGEST])
        event = next(iter(calendar.walk("VEVENT")), None)
        if event is None:
            return None
        return Invitation(
            method=_words(calendar.get("METHOD")).upper()[:20],
            title=_words(event.get("SUMMARY"))[:300],
            starts=_moment(event.get("DTSTART")),
            ends=_moment(event.get("DTEND")),
            where=_words(event.get("LOCATION"))[:300],
            organizer=_words(event.get("ORGANIZER"))[:254].removeprefix("mailto:").removeprefix("MAILTO:"),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        return None  # the package raises what it comes across in a broken file


def _words(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    text = str(value) if value is not None else ""
    return " ".join(text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").split())


def _moment(value: Any) -> datetime | date | None:
    found = getattr(value, "dt", None)
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return found if isinstance(found, date) else None

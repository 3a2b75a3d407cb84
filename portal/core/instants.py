"""Times as people and programs type and read them: ISO 8601, of an instant or of the clock on the wall."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.core.errors import DomainError
from portal.core.shifts import YEARS
from portal.core.wallclock import instant_of

_MIDNIGHT_AFTER = re.compile(r"(?<=[T ])24(?=(?::?00){0,2}(?:[Z+-]|$))", re.IGNORECASE)


def parse_instant(text: str, *, zone: ZoneInfo, last: bool = False) -> datetime:
    """The UTC instant of an ISO 8601 time. With an offset or Z it is that instant; without, what the clock on the wall
    of `zone` shows (core/wallclock.py; `last`: in a doubled hour the second). A date is its midnight, 24:00 the next.

    Raises DomainError with a sentence that shows the form.
    """
    try:
        # RFC 3339 allows small letters, Python only large ones.
        read = datetime.fromisoformat(_MIDNIGHT_AFTER.sub("00", text.strip().upper()))
    except ValueError:
        raise DomainError(f"{text!r} is not a time. Write it like 2026-11-21T18:00 or 2026-11-21T18:00Z.") from None
    if read.year not in YEARS:
        raise DomainError("The year must lie between 2000 and 2199.")
    if _MIDNIGHT_AFTER.search(text):
        read += timedelta(days=1)
    return instant_of(read, zone=zone, last=last) if read.tzinfo is None else read.astimezone(UTC)


def format_instant(at: datetime) -> str:
    """`2026-11-21T18:00:00Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def format_local(at: datetime, *, zone: ZoneInfo) -> str:
    """`2026-11-21T19:00:00+01:00`: what the clock on the wall shows, exact in a doubled hour too."""
    return at.astimezone(zone).isoformat(timespec="seconds")

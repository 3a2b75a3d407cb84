"""The roster as a calendar others subscribe to (RFC 5545). docs/adr/calendar-feeds.md says what each program needs.

Lines are written one by one: the library's components take eight times as long, and a feed is read every hour. Escaping
and folding are the library's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from icalendar import vText
from icalendar.parser import Contentline

from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, SourceKind
from portal.core.wallclock import wall_of

MONTHS_BACK, MONTHS_AHEAD = 3, 14
_STAMP = "%Y%m%dT%H%M%SZ"
# A calendar must hold something (section 3.4), or some programs refuse it.
_SOMETHING = (
    "BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip
_REASONS = {
    SourceKind.SHIFT: "A shift",
    SourceKind.ROTATION: "A turn of a rotation",
    SourceKind.HOLIDAY: "Decided for a holiday",
    SourceKind.OVERRIDE: "An exception",
}


@dataclass(frozen=True)
class FeedDuty:
    """One duty as it is told: whose it is, and where it stands. `version` and `changed_at` are the schedule's."""

    duty: RosterDuty
    person: str
    schedule: str
    zone: ZoneInfo
    version: int
    changed_at: datetime


@dataclass(frozen=True)
class FeedHead:
    """What a feed is called. `origin` is of this installation alone, and ends every UID."""

    title: str
    zone: ZoneInfo
    origin: str


def feed_window(now: datetime) -> Interval:
    """What a feed tells: whole months (UTC), three back and fourteen ahead, so that it stays the same for a month."""
    return Interval(_month(now, -MONTHS_BACK), _month(now, MONTHS_AHEAD + 1))


def make_feed(head: FeedHead, duties: Iterable[FeedDuty], *, window: Interval) -> bytes:
    """The calendar file. The same duties give the same bytes."""
    events = sorted((one.duty.starts_at, one.duty.ends_at, _event(one, head, window)) for one in duties)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Nightdesk//On call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        _text("NAME", head.title),
        _text("X-WR-CALNAME", head.title),
        _text("X-WR-TIMEZONE", head.zone.key),
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(event for _, _, event in events),
        *(() if events else _SOMETHING),
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


def duty_uid(duty: RosterDuty, *, origin: str, window: Interval) -> str:
    """What a calendar program knows a duty by: its source, person and start, so that it stays when others change. One
    that began before the window has no start there."""
    starts = "earlier" if duty.starts_at == window.starts_at else f"{duty.starts_at:{_STAMP}}"
    return f"{duty.source.kind}-{duty.source.id}-{duty.person_id}-{starts}@{origin}"


def feed_tag(parts: Iterable[object]) -> str:
    """A short mark (an ETag) of everything a feed depends on."""
    return hashlib.sha256(repr(tuple(parts)).encode()).hexdigest()[:32]


def _month(now: datetime, months: int) -> datetime:
    number = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1 + months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _event(told: FeedDuty, head: FeedHead, window: Interval) -> str:
    where = f" ({told.schedule})" if told.schedule else ""
    return "\r\n".join(
        (
            "BEGIN:VEVENT",
            _text("UID", duty_uid(told.duty, origin=head.origin, window=window)),
            f"DTSTAMP:{told.changed_at:{_STAMP}}",
            f"LAST-MODIFIED:{told.changed_at:{_STAMP}}",
            f"SEQUENCE:{told.version}",
            f"DTSTART:{told.duty.starts_at:{_STAMP}}",
            f"DTEND:{told.duty.ends_at:{_STAMP}}",
            _text("SUMMARY", f"On call: {told.person}{where}"),
            _text("DESCRIPTION", _words(told)),
            "STATUS:CONFIRMED",
            "TRANSP:TRANSPARENT",
            "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
            "END:VEVENT",
        )
    )


def _text(name: str, value: str) -> str:
    """A line of text, escaped and folded, without what cannot be written (section 3.3.11)."""
    clean = "".join(one for one in value if one.isprintable() or one == "\n")
    escaped: bytes = vText(clean).to_ical()
    folded: bytes = Contentline(f"{name}:{escaped.decode()}").to_ical()  # type: ignore[no-untyped-call]
    return folded.decode()


def _words(told: FeedDuty) -> str:
    starts, ends = (wall_of(at, zone=told.zone) for at in (told.duty.starts_at, told.duty.ends_at))
    span = f"{starts:%a} {starts.day} {starts:%b %Y %H:%M} to {ends:%a} {ends.day} {ends:%b %Y %H:%M}"
    return f"{span}, {told.zone.key}.\n{_REASONS[told.duty.source.kind]}."

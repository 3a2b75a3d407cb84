"""Calendars on the web that propose holidays. What they say is never taken over by itself, and what was accepted
changes only when a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.core.calendars import Holiday, Period
from portal.core.errors import DomainError
from portal.core.holiday_feeds import Difference, Followed, Kind, find_differences
from portal.core.work import CHORES
from portal.models import SITE_CALENDAR, HolidayFeed, HolidayFeedDay, HolidayRow, Job, UnitOfWork
from portal.services.alarms import end_alarm
from portal.services.audit import Change, record_change
from portal.services.holidays import ACCEPTED, IGNORED, MANUAL, PROPOSED, edit_holiday, remove_holiday

JOB = "holiday_feeds"
ASKED = "asked"
LONGEST_URL = 2000
_SCHEMES = ("https", "http", "webcal")


@dataclass(frozen=True)
class FeedEntry:
    """A feed as its page shows it. `days`: how many it said last; `is_busy`: it is asked for and not read yet."""

    id: int
    calendar_id: int
    name: str
    url: str
    is_enabled: bool
    is_busy: bool
    read_at: datetime | None
    due_at: datetime | None
    error: str
    days: int

    @property
    def host(self) -> str:
        """What everybody may see of the address: the rest of it may be a secret."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class FeedDifference:
    """An accepted day of which its feed now says otherwise. `mark`: what a form hands back as seen."""

    difference: Difference
    feed: str

    @property
    def mark(self) -> str:
        """What a form hands back as "this is what I saw"."""
        one = self.difference
        return f"{one.kind}|{one.day.on}|{one.day.name}|{one.on}|{one.name}"


def list_feeds(session: Session, calendar_id: int = SITE_CALENDAR) -> list[FeedEntry]:
    """The feeds of a calendar by name. One statement."""
    days = select(func.count()).select_from(HolidayFeedDay).where(HolidayFeedDay.feed_id == HolidayFeed.id)
    query = select(HolidayFeed, days.scalar_subquery()).where(HolidayFeed.calendar_id == calendar_id)
    return [_entry(row, count) for row, count in session.execute(query.order_by(HolidayFeed.name, HolidayFeed.id))]


def find_feed(session: Session, feed_id: int) -> FeedEntry | None:
    """One feed, None when it is gone."""
    row = session.get(HolidayFeed, feed_id)
    return _entry(row, 0) if row else None


def add_feed(uow: UnitOfWork, name: str, url: str, *, change: Change, calendar_id: int = SITE_CALENDAR) -> int:
    """Read this address from now on. Returns the id. Raises DomainError when it is no address or stands there."""
    name, url = _checked(uow.session, name, url, calendar_id)
    row = HolidayFeed(calendar_id=calendar_id, name=name, url=url, due_at=change.at)
    uow.session.add(row)
    uow.session.flush()
    # The address may hold a secret; the host does not.
    record_change(uow, change, "holiday_feed.add", name, host=urlsplit(url).hostname or "")
    _read_soon(uow, change)
    return row.id


def edit_feed(uow: UnitOfWork, feed_id: int, *, name: str, url: str, is_enabled: bool, change: Change) -> bool:
    """Rename it, give it another address, or switch it off and on. Returns whether anything changed. Raises
    DomainError as `add_feed` does, or when it is gone."""
    row = _existing(uow.session, feed_id)
    name, url = _checked(uow.session, name, url, row.calendar_id, but=feed_id)
    if (row.name, row.url, row.is_enabled) == (name, url, is_enabled):
        return False
    if row.url != url:
        row.etag, row.last_error, row.tries, row.failing_since = "", "", 0, None
        _read_soon(uow, change)
        row.due_at = change.at
    row.name, row.url, row.is_enabled = name, url, is_enabled
    end_alarm(uow, alarm_key(row.id), now=change.at)
    record_change(uow, change, "holiday_feed.edit", name, host=urlsplit(url).hostname or "", enabled=is_enabled)
    return True


def remove_feed(uow: UnitOfWork, feed_id: int, *, change: Change) -> None:
    """Read it no more. Days that were accepted stay, as if added by hand; what it proposed goes. Raises DomainError
    when it is gone."""
    row = _existing(uow.session, feed_id)
    own = select(HolidayRow).where(HolidayRow.source == source_of(feed_id))
    for day in uow.session.scalars(own).all():
        if day.state == PROPOSED:
            uow.session.delete(day)
        else:
            day.source = MANUAL
    end_alarm(uow, alarm_key(feed_id), now=change.at)
    record_change(uow, change, "holiday_feed.remove", row.name)
    uow.session.execute(delete(HolidayFeedDay).where(HolidayFeedDay.feed_id == feed_id))
    uow.session.delete(row)


def ask_read(uow: UnitOfWork, feed_id: int, *, change: Change) -> None:
    """Read it as soon as a worker is free. Raises DomainError when it is gone or switched off."""
    row = _existing(uow.session, feed_id)
    if not row.is_enabled:
        raise DomainError("This calendar is switched off.")
    row.state = ASKED
    _read_soon(uow, change)


def list_differences(session: Session, calendar_id: int = SITE_CALENDAR, *, today: date) -> list[FeedDifference]:
    """Accepted days to come of which their feed now says otherwise, in order. One statement where no day is from a
    feed, else three."""
    of_feed = (HolidayRow.source.like("feed:%"), HolidayRow.state == ACCEPTED, HolidayRow.observed_on >= today)
    rows = session.scalars(select(HolidayRow).where(HolidayRow.calendar_id == calendar_id, *of_feed)).all()
    if not rows:
        return []
    known = {
        (row.observed_on, row.name)
        for row in session.execute(
            select(HolidayRow.observed_on, HolidayRow.name).where(HolidayRow.calendar_id == calendar_id)
        )
    }
    feeds = select(HolidayFeed.id, HolidayFeed.name, HolidayFeedDay.observed_on, HolidayFeedDay.name.label("day"))
    feeds = feeds.join(HolidayFeedDay, HolidayFeedDay.feed_id == HolidayFeed.id)
    said: dict[int, set[tuple[date, str]]] = {}
    names: dict[int, str] = {}
    for one in session.execute(feeds.where(HolidayFeed.calendar_id == calendar_id)):
        said.setdefault(one.id, set()).add((one.observed_on, one.day))
        names[one.id] = one.name
    found = []
    for feed_id, words in said.items():
        own = [Followed(row.id, row.observed_on, row.name) for row in rows if row.source == source_of(feed_id)]
        found += [FeedDifference(one, names[feed_id]) for one in find_differences(own, words, known=known)]
    return sorted(found, key=lambda one: (one.difference.day.on, one.difference.day.name))


def follow_feed(uow: UnitOfWork, holiday_id: int, *, seen: str, today: date, change: Change) -> Difference:
    """Move, rename or remove an accepted day as its feed now says. Raises DomainError when that is not what was `seen`
    any more."""
    row, difference = _difference(uow, holiday_id, seen, today)
    if difference.kind == Kind.DROPPED:
        remove_holiday(uow, holiday_id, change=change)
    else:
        part = Period(row.closes_from, row.closes_until)
        edit_holiday(uow, holiday_id, Holiday(difference.on, difference.name, part), change=change)
    return difference


def keep_day(uow: UnitOfWork, holiday_id: int, *, seen: str, today: date, change: Change) -> Difference:
    """Leave an accepted day as it is; its feed is not asked about it again. Raises as `follow_feed` does."""
    row, difference = _difference(uow, holiday_id, seen, today)
    if difference.kind != Kind.DROPPED:
        uow.session.add(
            HolidayRow(
                calendar_id=row.calendar_id, observed_on=difference.on, name=difference.name, state=IGNORED,
                source=row.source, kind=row.kind, region=row.region,
            )
        )  # fmt: skip
    row.source = MANUAL
    record_change(uow, change, "holiday.keep", f"{row.observed_on.isoformat()} {row.name}")
    return difference


def read_address(text: str) -> str:
    """The address as it is stored: `webcal://` is a calendar program's word for `https://`. Raises DomainError."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        hostname, _ = parts.hostname, parts.port
    except ValueError:
        parts, hostname = urlsplit(""), None
    if parts.scheme.lower() not in _SCHEMES or not hostname or any(c.isspace() for c in url) or len(url) > LONGEST_URL:
        raise DomainError("This is no address of a calendar. It begins with https:// or webcal://.")
    return "https" + url[len("webcal") :] if parts.scheme.lower() == "webcal" else url


def alarm_key(feed_id: int) -> str:
    """The alarm about a feed that cannot be read."""
    return f"holiday_feed:{feed_id}"


def source_of(feed_id: int) -> str:
    """What a day of a feed has as its source."""
    return f"feed:{feed_id}"


def _difference(uow: UnitOfWork, holiday_id: int, seen: str, today: date) -> tuple[HolidayRow, Difference]:
    row = uow.session.get(HolidayRow, holiday_id)
    if row is None:
        raise DomainError("This day is gone: somebody removed it meanwhile.")
    for one in list_differences(uow.session, row.calendar_id, today=today):
        if one.difference.day.id == holiday_id and one.mark == seen:
            return row, one.difference
    raise DomainError("Somebody decided about this day meanwhile, or the calendar says something else now. Look again.")


def _existing(session: Session, feed_id: int) -> HolidayFeed:
    row = session.get(HolidayFeed, feed_id)
    if row is None:
        raise DomainError("This calendar is gone: somebody removed it meanwhile.")
    return row


def _checked(session: Session, name: str, url: str, calendar_id: int, *, but: int = 0) -> tuple[str, str]:
    name, url = " ".join(name.split()), read_address(url)
    if not name or len(name) > 80:
        raise DomainError("Give it a name of at most 80 characters.")
    same = select(HolidayFeed.id).where(
        HolidayFeed.calendar_id == calendar_id, HolidayFeed.url == url, HolidayFeed.id != but
    )
    if session.scalar(same) is not None:
        raise DomainError("This address is read already.")
    return name, url


def _read_soon(uow: UnitOfWork, change: Change) -> None:
    job = uow.session.get(Job, JOB)
    if job is not None:  # before the first start of a worker there is none, and then everything is due
        job.next_at, job.is_asked = change.at, True
    uow.wake(CHORES)


def _entry(row: HolidayFeed, days: int) -> FeedEntry:
    return FeedEntry(
        row.id, row.calendar_id, row.name, row.url, row.is_enabled, row.state == ASKED or row.lease_until is not None,
        row.read_at, row.due_at, row.last_error, days,
    )  # fmt: skip

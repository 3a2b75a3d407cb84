"""Reading iCal files that propose holidays: uploaded ones, and those of feeds, by a worker and in no transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select

from portal.core.errors import DomainError, GatewayError
from portal.core.holiday_feeds import FeedDay, Reading, read_days, window_of
from portal.core.holiday_lists import Proposal
from portal.core.ical_read import read_events
from portal.core.ports import CalendarFetcher
from portal.core.retry import FEED, plan_retry
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR, HolidayFeed, HolidayFeedDay, HolidayRow, UnitOfWork
from portal.models.versions import load_site_state
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.holiday_feeds import ASKED, alarm_key, list_differences, source_of
from portal.services.holidays import PROPOSED, save_proposals

FILE = "file"
MAX_BYTES = 5_000_000
_EVERY = timedelta(days=1)
_ALARM_AFTER = timedelta(days=7)
_LEASE = timedelta(minutes=3)
# When a reading that ended its process is tried again: later than those of all other feeds.
_AFTER_CRASH = timedelta(hours=1)


@dataclass(frozen=True)
class _Claimed:
    id: int
    calendar_id: int
    url: str
    etag: str
    lease_until: datetime


@dataclass(frozen=True)
class _Outcome:
    """What came of a reading; without one the file is as it was, or could not be fetched."""

    reading: Reading | None = None
    error: str = ""
    etag: str = ""
    retry_after: float | None = None


def propose_file(uow: UnitOfWork, data: bytes, *, change: Change, calendar_id: int = SITE_CALENDAR) -> tuple[int, str]:
    """Propose the days of an iCal file from today on. Returns how many are new, and a sentence about what could not be
    read. Raises DomainError when the file holds no days off."""
    zone = load_site_state(uow.session).calendars[calendar_id].zone
    today = wall_of(change.at, zone=zone).date()
    reading = read_days(read_events(data, window=window_of(today), zone=zone), zone=zone)
    if not reading.days:
        raise DomainError(reading.error)
    proposals = _proposals(day for day in reading.days if day.on >= today)
    added = save_proposals(uow, proposals, change=change, calendar_id=calendar_id, source=FILE)
    return len(added), reading.error


def read_feeds(context: Context) -> str:
    """Read every feed that is due, one after the other. Returns a line for the page of the job."""
    if context.calendars is None:
        return "No calendars are fetched here."
    read = failed = 0
    while (claimed := _claim(context)) is not None:
        if _read_one(context, claimed, context.calendars):
            read += 1
        else:
            failed += 1
    return f"{read} calendar{'' if read == 1 else 's'} read, {failed} could not be read."


def _claim(context: Context) -> _Claimed | None:
    """The feed that is due longest, ours for three minutes. Committed when it returns."""
    now, machine = context.clock.now(), context.clock.lease_now()
    free: ColumnElement[bool] = HolidayFeed.lease_until.is_(None)
    if context.clock.may_take_over():
        free = or_(free, HolidayFeed.lease_until <= machine)
    is_due = or_(HolidayFeed.state == ASKED, and_(HolidayFeed.due_at.is_not(None), HolidayFeed.due_at <= now))
    with context.database.unit_of_work() as uow:
        due = select(HolidayFeed).where(HolidayFeed.is_enabled, is_due, free).order_by(HolidayFeed.due_at)
        row = uow.session.scalars(due.limit(1)).first()
        if row is None:
            return None
        row.lease_until, row.state, row.due_at = machine + _LEASE, "", now + _AFTER_CRASH
        return _Claimed(row.id, row.calendar_id, row.url, row.etag, row.lease_until)


def _read_one(context: Context, claimed: _Claimed, fetcher: CalendarFetcher) -> bool:
    """Fetched with no transaction open; what was read is written only if the feed is still what it was."""
    try:
        fetched = fetcher.fetch(claimed.url, etag=claimed.etag)
    except GatewayError as error:
        return _finish(context, claimed, _Outcome(error=str(error), retry_after=error.retry_after))
    if fetched.data is None:
        return _finish(context, claimed, _Outcome(etag=claimed.etag))
    if len(fetched.data) > MAX_BYTES:
        return _finish(context, claimed, _Outcome(error="It is larger than any calendar of holidays."))
    with context.database.read_session() as session:
        calendar = load_site_state(session).calendars.get(claimed.calendar_id)
    if calendar is None:
        return False  # removed meanwhile, and its feeds with it
    zone = calendar.zone
    today = wall_of(context.clock.now(), zone=zone).date()
    reading = read_days(read_events(fetched.data, window=window_of(today), zone=zone), zone=zone)
    # Without its tag the file is fetched again also if it stays the same, so that an error stays one.
    return _finish(context, claimed, _Outcome(reading, reading.error, "" if reading.error else fetched.etag))


def _finish(context: Context, claimed: _Claimed, outcome: _Outcome) -> bool:
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = uow.session.get(HolidayFeed, claimed.id)
        if row is None or row.lease_until != claimed.lease_until or row.url != claimed.url:
            return False  # removed, changed, or taken over by another worker meanwhile
        row.lease_until, row.etag, row.last_error = None, outcome.etag, outcome.error
        if outcome.reading and outcome.reading.days:
            _take(uow, row, outcome.reading, now=now)
        if outcome.error:
            _note_failure(uow, row, outcome, now=now)
        else:
            row.tries, row.failing_since, row.read_at, row.due_at = 0, None, now, now + _EVERY
            end_alarm(uow, alarm_key(row.id), now=now)
    return not outcome.error


def _note_failure(uow: UnitOfWork, row: HolidayFeed, outcome: _Outcome, *, now: datetime) -> None:
    row.tries += 1
    row.failing_since = row.failing_since or now
    row.due_at = plan_retry(FEED, tries=row.tries, now=now, retry_after=outcome.retry_after).due_at
    if now - row.failing_since >= _ALARM_AFTER:
        words = f"The calendar of holidays “{row.name}” could not be read for a week: {row.last_error}"
        raise_alarm(uow, alarm_key(row.id), words, now=now)


def _take(uow: UnitOfWork, feed: HolidayFeed, reading: Reading, *, now: datetime) -> None:
    """Write down what the feed says and propose what is new. Accepted and ignored days stay as they are."""
    zone = load_site_state(uow.session).calendars[feed.calendar_id].zone
    today = wall_of(now, zone=zone).date()
    said = {day.key for day in reading.days}
    stored = uow.session.scalars(select(HolidayFeedDay).where(HolidayFeedDay.feed_id == feed.id)).all()
    for row in stored:
        if reading.is_whole and (row.observed_on, row.name) not in said:
            uow.session.delete(row)
    for on, name in said - {(row.observed_on, row.name) for row in stored}:
        uow.session.add(HolidayFeedDay(feed_id=feed.id, observed_on=on, name=name))
    uow.session.flush()
    own = select(HolidayRow).where(HolidayRow.source == source_of(feed.id), HolidayRow.state == PROPOSED)
    own = own.where(HolidayRow.calendar_id == feed.calendar_id)
    for proposed in uow.session.scalars(own).all() if reading.is_whole else ():
        if (proposed.observed_on, proposed.name) not in said:
            uow.session.delete(proposed)  # nobody decided it yet
    differences = list_differences(uow.session, feed.calendar_id, today=today)
    asked = {(one.difference.on, one.difference.name) for one in differences}
    days = [day for day in reading.days if day.on >= today and day.key not in asked]
    save_proposals(
        uow, _proposals(days), change=Change(None, now), calendar_id=feed.calendar_id, source=source_of(feed.id)
    )


def _proposals(days: Iterable[FeedDay]) -> list[Proposal]:
    return [Proposal(day.on, day.name, day.kind, "", closed=day.closed) for day in days]

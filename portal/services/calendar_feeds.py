"""Secret addresses under which calendar programs read the roster."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ical_feed import FeedDuty, FeedHead, feed_tag, feed_window, make_feed
from portal.core.intervals import Interval
from portal.core.ports import Randomness, SecretBox
from portal.core.roster import make_roster
from portal.models import CalendarFeed, ScheduleRow, UnitOfWork, User
from portal.services.audit import Change, record_change
from portal.services.schedules import StoredSchedule, list_schedules, load_schedule
from portal.services.settings import load_settings

MAX_FEEDS = 20
_READ_EVERY = timedelta(hours=1)
_KEPT = 64
_kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True)
class Feed:
    """A feed that is not revoked. `schedule` is "" for the owner's own duties in all schedules."""

    id: int
    owner_id: int
    owner: str
    schedule: str
    created_at: datetime
    read_at: datetime | None
    sealed: str


@dataclass(frozen=True)
class FeedSource:
    """What a feed is made of. `tag` changes whenever its bytes do, in one database."""

    feed_id: int
    database: str
    read_at: datetime | None
    tag: str
    title: str
    zone: ZoneInfo
    schedules: tuple[StoredSchedule, ...]
    person_id: int | None
    window: Interval
    origin: str


def list_feeds(session: Session, *, owner_id: int | None = None) -> list[Feed]:
    """Those of a person, or everybody's, the newest first. One statement."""
    query = (
        select(CalendarFeed, User.name, ScheduleRow.name.label("schedule"))
        .join(User, User.id == CalendarFeed.owner_id)
        .outerjoin(ScheduleRow, ScheduleRow.id == CalendarFeed.schedule_id)
        .where(CalendarFeed.revoked_at.is_(None))
        .order_by(CalendarFeed.id.desc())
    )
    if owner_id is not None:
        query = query.where(CalendarFeed.owner_id == owner_id)
    return [
        Feed(row.id, row.owner_id, name, schedule or "", row.created_at, row.read_at, row.token_sealed)
        for row, name, schedule in session.execute(query)
    ]


def find_feed(session: Session, feed_id: int) -> Feed | None:
    """One feed, None when it is gone or revoked."""
    return next((one for one in list_feeds(session) if one.id == feed_id), None)


def open_token(feed: Feed, *, box: SecretBox) -> str:
    """The secret part of the address, to copy again; "" when the key is another one than it was sealed with."""
    try:
        return box.open(feed.sealed)
    except DomainError:
        return ""


def add_feed(uow: UnitOfWork, *, schedule_id: int | None, random: Randomness, box: SecretBox, change: Change) -> int:
    """A new address for who asks: of their own duties, or of all in a schedule. Returns its id. Raises DomainError."""
    owner = uow.session.get_one(User, change.actor_id)
    named = "own duties"
    if schedule_id is not None:
        named = load_schedule(uow.session, schedule_id).head.name
    alive = select(func.count()).where(CalendarFeed.owner_id == owner.id, CalendarFeed.revoked_at.is_(None))
    if uow.session.scalar(alive) >= MAX_FEEDS:  # type: ignore[operator]
        raise DomainError(f"You have {MAX_FEEDS} feeds already. Revoke one you do not need.")
    token_hash, sealed = _new_token(random, box)
    row = CalendarFeed(
        owner_id=owner.id, user_id=None if schedule_id is not None else owner.id, schedule_id=schedule_id,
        token_hash=token_hash, token_sealed=sealed, created_at=change.at,
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "feed.add", owner.email, feed=row.id, of=named)
    return row.id


def renew_feed(uow: UnitOfWork, feed_id: int, *, random: Randomness, box: SecretBox, change: Change) -> None:
    """Another address for the same feed; the one it had leads nowhere. Raises DomainError when the feed is gone."""
    row = uow.session.get(CalendarFeed, feed_id)
    if row is None or row.revoked_at is not None:
        raise DomainError("This feed is revoked already. Make a new one.")
    row.token_hash, row.token_sealed = _new_token(random, box)
    row.created_at, row.read_at = change.at, None
    owner = uow.session.get_one(User, row.owner_id)
    record_change(uow, change, "feed.renew", owner.email, feed=row.id)


def revoke_feed(uow: UnitOfWork, feed_id: int, *, change: Change) -> bool:
    """Let the address lead nowhere from now on. False when it did already."""
    row = uow.session.get(CalendarFeed, feed_id)
    if row is None or row.revoked_at is not None:
        return False
    row.revoked_at = change.at
    owner = uow.session.get_one(User, row.owner_id)
    record_change(uow, change, "feed.revoke", owner.email, feed=row.id)
    return True


def open_feed(session: Session, token: str, *, now: datetime, box: SecretBox) -> FeedSource | None:
    """What the address of this token tells now; None for an unknown or revoked one, and when its owner is disabled or
    its schedule gone. Two statements while nothing changes."""
    query = (
        select(CalendarFeed, User.name)
        .join(User, User.id == CalendarFeed.owner_id)
        .where(CalendarFeed.token_hash == _hash(token), CalendarFeed.revoked_at.is_(None), User.is_active)
    )
    found = session.execute(query).first()
    if found is None:
        return None
    row, owner = found
    heads = [one for one in list_schedules(session) if row.schedule_id in (None, one.id)]
    schedules = tuple(load_schedule(session, one.id) for one in heads)
    title = f"On call: {owner}" if row.schedule_id is None else heads[0].name
    zone, window = load_settings(session).zone if row.schedule_id is None else heads[0].zone, feed_window(now)
    origin = f"{base64.b32encode(box.mac('calendar feed', b''))[:12].decode().lower()}.nightdesk"
    parts = [(one.id, one.name, one.zone.key, one.version, one.changed_at) for one in heads]
    tag = feed_tag((1, origin, title, zone.key, row.user_id, window, parts))
    database = session.get_bind().engine.url.render_as_string()
    return FeedSource(row.id, database, row.read_at, tag, title, zone, schedules, row.user_id, window, origin)


def write_feed(source: FeedSource) -> bytes:
    """The calendar file. Kept while nothing changes: a program that asks every second costs us a look-up."""
    place = (source.database, source.tag)
    with _lock:
        if place in _kept:
            _kept.move_to_end(place)
            return _kept[place]
    duties = [told for stored in source.schedules for told in _duties(stored, source)]
    head = FeedHead(source.title, source.zone, source.origin)
    data = make_feed(head, duties, window=source.window)
    with _lock:
        _kept[place] = data
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return data


def is_note_due(source: FeedSource, *, now: datetime) -> bool:
    """Whether it is worth a write that the feed was read: once an hour."""
    return source.read_at is None or now - source.read_at >= _READ_EVERY


def note_reading(uow: UnitOfWork, feed_id: int, *, now: datetime) -> None:
    """Write down that the feed was read."""
    uow.session.execute(update(CalendarFeed).where(CalendarFeed.id == feed_id).values(read_at=now))


def _duties(stored: StoredSchedule, source: FeedSource) -> Sequence[FeedDuty]:
    """The roster, as every other page has it. A schedule is named where a feed holds several."""
    head = stored.head
    name = head.name if len(source.schedules) > 1 else ""
    return [
        FeedDuty(duty, stored.names[duty.person_id], name, head.zone, head.version, head.changed_at)
        for duty in make_roster(stored.roster, source.window)
        if source.person_id in (None, duty.person_id)
    ]


def _new_token(random: Randomness, box: SecretBox) -> tuple[str, str]:
    """160 bits, by which nobody finds a feed they were not given: their hash, and sealed."""
    token = base64.b32encode(random.token(20)).decode().lower()
    return _hash(token), box.seal(token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

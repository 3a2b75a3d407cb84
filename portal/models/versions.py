"""Calendars and schedules carry a version that goes up with every change of anything in them.

So what was worked out of one may be kept by a process for as long as its version holds, and nobody who changes a row
has to remember to say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Text,
    cast,
    event,
    func,
    inspect,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import ORMExecuteState, Session, scoped_session

from portal.core.settings import build_settings
from portal.models.base import Base
from portal.models.calendars import SITE_CALENDAR, BusinessPeriod, Calendar, HolidayRow, HolidayRuleRow, SpecialHoursRow
from portal.models.customers import Customer
from portal.models.people import User
from portal.models.schedules import Absence, HolidayPolicyRow, OverrideRow, RotationRow, ScheduleRow, ShiftRow
from portal.models.site import SettingRow
from portal.models.tickets import Queue

_IN_CALENDARS = (BusinessPeriod, SpecialHoursRow, HolidayRow, HolidayRuleRow)
_IN_SCHEDULES = (ShiftRow, RotationRow, OverrideRow, HolidayPolicyRow)
_WATCHED = (Calendar, ScheduleRow, *_IN_CALENDARS, *_IN_SCHEDULES, Absence, User, SettingRow, Queue, Customer)
_CHANGED, _STATE = "versions_changed", "site_state"
_FIRST = SITE_CALENDAR
Value = TypeVar("Value")


class Versioned(Generic[Value]):
    """Values of versioned rows, one a row, kept by the process while the version in the database stays."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[object, Value]] = {}

    def get(self, session: Session, key: int, version: object, load: Callable[[], Value]) -> Value:
        """The value for this version. A transaction that has changed something loads for itself and keeps nothing:
        it may yet be rolled back, and the same version come again with another content."""
        if session.info.get(_CHANGED):
            return load()
        place = (session.get_bind().engine.url.render_as_string(), key)
        kept = self._kept.get(place)
        if kept is None or kept[0] != version:
            kept = self._kept[place] = (version, load())
        return kept[1]


@dataclass(frozen=True)
class Head:
    """A calendar or schedule without what is in it. `zone` is its own, or the site's."""

    id: int
    name: str
    zone: ZoneInfo
    own_zone: str
    version: int
    changed_at: datetime
    calendar_id: int | None = None
    members: tuple[int, ...] = ()


@dataclass(frozen=True)
class QueueTime:
    """The calendar and the schedule a queue has of its own; None: the site's."""

    calendar_id: int | None
    schedule_id: int | None


@dataclass(frozen=True)
class SiteState:
    """What nearly every question begins with: the stored settings (JSON by key, secrets sealed), every calendar and
    schedule by id (a shop has a handful), and the queues and customers that have their own. `customers`: the id of each
    one's calendar."""

    settings: Mapping[str, str]
    calendars: Mapping[int, Head]
    schedules: Mapping[int, Head]
    queues: Mapping[int, QueueTime]
    customers: Mapping[int, int]


def load_site_state(session: Session) -> SiteState:
    """One statement a transaction: nobody else's change is seen within one, and its own make it ask again."""
    if isinstance(session, scoped_session):
        session = session()
    if session.autoflush:
        session.flush()  # what waits to be written counts, and raises the versions it has to
    kept = session.info.get(_STATE)
    if kept and kept[0] is session.get_transaction():
        known: SiteState = kept[1]
        return known
    rows = session.execute(_STATE_QUERY).all()
    settings = {row.name: row.members for row in rows if row.kind == "setting"}
    site = build_settings({"site.zone": json.loads(settings["site.zone"])} if "site.zone" in settings else {}).zone
    found: dict[str, dict[int, Head]] = {"calendar": {}, "schedule": {}}
    for row in rows:
        if row.kind in found:
            zone, members = ZoneInfo(row.zone) if row.zone else site, tuple(json.loads(row.members))
            head = Head(row.id, row.name, zone, row.zone, row.version, row.changed_at, row.calendar_id, members)
            found[row.kind][row.id] = head
    queues = {row.id: QueueTime(row.calendar_id, row.version or None) for row in rows if row.kind == "queue"}
    customers = {row.id: row.calendar_id for row in rows if row.kind == "customer"}
    state = SiteState(settings, found["calendar"], found["schedule"], queues, customers)
    session.info[_STATE] = (session.get_transaction(), state)
    return state


def _state_query() -> CompoundSelect[Any]:
    nothing, zero = cast(null(), BigInteger), cast(literal(0), BigInteger)
    empty: Any = literal_column("''")
    nobody: Any = literal_column("'[]'")
    return union_all(
        select(
            literal_column("'calendar'").label("kind"), Calendar.id, Calendar.name, Calendar.zone, Calendar.version,
            Calendar.changed_at, nothing.label("calendar_id"), nobody.label("members"),
        ),
        select(
            literal_column("'schedule'"), ScheduleRow.id, ScheduleRow.name, ScheduleRow.zone, ScheduleRow.version,
            ScheduleRow.changed_at, ScheduleRow.calendar_id, cast(ScheduleRow.members, Text),
        ),
        select(
            literal_column("'queue'"), Queue.id, Queue.name, empty, func.coalesce(Queue.schedule_id, 0), zero,
            Queue.calendar_id, nobody,
        ).where(or_(Queue.calendar_id.is_not(None), Queue.schedule_id.is_not(None))),
        select(
            literal_column("'customer'"), Customer.id, empty, empty, zero, zero, Customer.calendar_id, nobody,
        ).where(Customer.calendar_id.is_not(None)),
        select(literal_column("'setting'"), zero, SettingRow.key, empty, zero, zero, nothing, SettingRow.value),
    )  # fmt: skip


_STATE_QUERY = _state_query()


@event.listens_for(Session, "before_flush")
def _raise_versions(session: Session, context: object, instances: object) -> None:
    rows = (row for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, _WATCHED))
    changed = [row for row in rows if _is_changed(session, row)]
    if not changed:
        return
    calendars = {owner for row in changed for owner in _owners(row, Calendar, _IN_CALENDARS, "calendar_id")}
    schedules = {owner for row in changed for owner in _owners(row, ScheduleRow, _IN_SCHEDULES, "schedule_id")}
    if any(_changes_every_roster(session, row) for row in changed):
        schedules = set(session.scalars(select(ScheduleRow.id)))
    _raise(session, Calendar, calendars)
    _raise(session, ScheduleRow, schedules)
    if any(isinstance(row, SettingRow | Queue | Customer) for row in changed):
        session.info.pop(_STATE, None)


@event.listens_for(Session, "do_orm_execute")
def _raise_all_versions(state: ORMExecuteState) -> None:
    """A statement that changes many rows at once: every calendar or schedule may be meant."""
    if not (state.is_update or state.is_delete or state.is_insert) or state.bind_mapper is None:
        return
    changed = state.bind_mapper.class_
    if changed in (Calendar, *_IN_CALENDARS):
        _raise(state.session, Calendar, set(state.session.scalars(select(Calendar.id))))
    if changed in (SettingRow, Queue, Customer):
        state.session.info.pop(_STATE, None)
    if changed in (ScheduleRow, User, Absence, *_IN_SCHEDULES):
        _raise(state.session, ScheduleRow, set(state.session.scalars(select(ScheduleRow.id))))


def _raise(session: Session, model: type[Calendar | ScheduleRow], ids: set[int]) -> None:
    if not ids:
        return
    session.info[_CHANGED] = True
    session.info.pop(_STATE, None)
    table = Base.metadata.tables[model.__tablename__]
    session.connection().execute(update(table).where(table.c.id.in_(ids)).values(version=table.c.version + 1))
    for row in list(session.identity_map.values()):
        if isinstance(row, model) and row.id in ids and row not in session.deleted:
            session.expire(row, ["version"])


def _is_changed(session: Session, row: object) -> bool:
    return row in session.new or row in session.deleted or session.is_modified(row)


def _owners(row: Any, model: type[Any], parts: tuple[type[Any], ...], name: str) -> set[int]:
    """The calendar or schedule a row is or belongs to, and the one it was moved from."""
    if not isinstance(row, (model, *parts)):
        return set()
    # Loaded, where only the rest of the row was: an expired row has an owner too.
    history = inspect(row).attrs["id" if isinstance(row, model) else name].load_history()
    owners = {owner for owner in (*history.added, *history.unchanged, *history.deleted) if owner is not None}
    return owners or {_FIRST}  # a new row that says nothing is the site's


def _changes_every_roster(session: Session, row: object) -> bool:
    """Who can be on call at all, and what they are called."""
    if isinstance(row, Absence) or (isinstance(row, User) and row in session.new):
        return True
    return isinstance(row, User) and any(
        inspect(row).attrs[name].history.has_changes() for name in ("name", "role", "is_active")
    )

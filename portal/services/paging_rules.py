"""What the shop has set about paging, read once a transaction and handed to every step of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.core.calendars import holiday_at, is_open
from portal.core.escalation import EscalationPolicy
from portal.core.paging import HoursFacts, PagePolicy, WakeFor
from portal.core.roster import is_left_to_managers
from portal.models.versions import load_site_state
from portal.services.calendars import load_hours
from portal.services.escalation_steps import load_policy
from portal.services.schedules import load_schedule, on_call_at
from portal.services.settings import load_settings
from portal.services.ticket_times import calendar_of_queue, schedule_of_queue

SANDBOX = "sandbox"
Found = TypeVar("Found")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Cover:
    """What calendar and roster say at one moment.

    Attributes:
        on_call: ids of everyone on call now.
        has_managers: nobody is on call because the shop decided so for this holiday: the managers are asked.
    """

    hours: HoursFacts
    on_call: tuple[int, ...]
    has_managers: bool = False


@dataclass(frozen=True)
class PagingRules:
    """Settings, calendar and roster at one moment.

    Attributes:
        now: product time.
        cover: the site's, or after `of_queue` that of a queue.
        by_queue: of the queues that have hours or a roster of their own.
        fallback: who is asked when nobody is on call; None when nobody was named.
        provider: the SMS provider in force; empty when none is set up.
        is_live: False in watch mode.
    """

    now: datetime
    policy: PagePolicy
    escalation: EscalationPolicy
    cover: Cover
    by_queue: Mapping[int, Cover]
    fallback: int | None
    site_name: str
    number_prefix: str
    zone: ZoneInfo
    provider: str
    is_live: bool

    @property
    def hours(self) -> HoursFacts:
        """The calendar's word for now."""
        return self.cover.hours

    @property
    def on_call(self) -> tuple[int, ...]:
        """Ids of everyone on call now."""
        return self.cover.on_call

    def of_queue(self, queue_id: int | None) -> PagingRules:
        """The same for a ticket of this queue."""
        return replace(self, cover=self.by_queue.get(queue_id or 0, self.cover))

    def holds_back(self, role: str, *, is_requested: bool) -> bool:
        """Watch mode: only the sandbox, the admins' own phones and what was asked for by hand get texts."""
        return not (self.is_live or is_requested or self.provider == SANDBOX or role == "admin")

    def clock_time(self, at: datetime) -> str:
        """A time on the site's wall clock, for texts."""
        return f"{at.astimezone(self.zone):%H:%M}"


def load_paging_rules(session: Session, *, now: datetime) -> PagingRules:
    """Read settings, calendars, rosters and escalation: two statements while no calendar or schedule changes."""
    settings = load_settings(session)
    return PagingRules(
        now=now,
        policy=PagePolicy(WakeFor(settings.paging_wake_for), timedelta(minutes=settings.paging_late_minutes)),
        escalation=load_policy(session),
        cover=_cover(session, None, now=now),
        by_queue={queue_id: _cover(session, queue_id, now=now) for queue_id in load_site_state(session).queues},
        fallback=settings.paging_fallback or None,
        site_name=settings.site_name,
        number_prefix=settings.site_prefix,
        zone=settings.zone,
        provider=settings.sms_provider,
        is_live=settings.site_live,
    )


def _cover(session: Session, queue_id: int | None, *, now: datetime) -> Cover:
    nobody: tuple[tuple[int, ...], bool] = ((), False)
    on_call, has_managers = _unless_broken(lambda: _roster(session, queue_id, now), nobody)
    return Cover(hours_at(session, calendar_of_queue(session, queue_id), now=now), on_call, has_managers)


def hours_at(session: Session, calendar_id: int, *, now: datetime) -> HoursFacts:
    """What a calendar says of `now`. One that is broken says that the shop is closed."""
    return _unless_broken(lambda: _hours(session, calendar_id, now), HoursFacts(is_open=False))


def _hours(session: Session, calendar_id: int, now: datetime) -> HoursFacts:
    hours = load_hours(session, calendar_id)
    holiday = holiday_at(hours, now)
    return HoursFacts(is_open(hours, now), holiday.name if holiday else "")


def _roster(session: Session, queue_id: int | None, now: datetime) -> tuple[tuple[int, ...], bool]:
    schedule_id = schedule_of_queue(session, queue_id)
    on_call = tuple(duty.person_id for duty in on_call_at(session, now, schedule_id=schedule_id))
    return on_call, not on_call and is_left_to_managers(load_schedule(session, schedule_id).roster, now)


def _unless_broken(load: Callable[[], Found], otherwise: Found) -> Found:
    """A calendar or roster with a bug behind it must not silence the pager: the shop counts as closed, and nobody is on
    call, which rings the fallback person and raises the alarm."""
    try:
        return load()
    except SQLAlchemyError:
        raise  # the database's trouble: the ticket waits, and is paged when it is back
    except Exception:
        log.exception("hours or roster could not be worked out; paging goes on without them")
        return otherwise


def provider_of(session: Session) -> str:
    """The SMS provider in force; empty when none is set up."""
    return load_settings(session).sms_provider

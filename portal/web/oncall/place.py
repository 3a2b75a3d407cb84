"""Where on the on-call pages somebody is: which schedule, which day, week or month. Links come back there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import abort, g, request

from portal.core.calendars import BusinessHours
from portal.core.errors import DomainError
from portal.core.shifts import YEARS
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR, SITE_SCHEDULE
from portal.services.calendars import load_hours
from portal.services.schedules import StoredSchedule, load_schedule
from portal.web.formats import format_time, time_tag
from portal.web.roster_frame import roster_frame
from portal.web.state import now

WEEK_VIEW, MONTH_VIEW = "week", "month"


@dataclass(frozen=True)
class Place:
    """A schedule, and the day its calendar is opened at."""

    stored: StoredSchedule
    view: str
    on: date

    @property
    def schedule_id(self) -> int:
        return self.stored.head.id

    @property
    def args(self) -> dict[str, Any]:
        """What a link carries to come back here."""
        return {"view": self.view, "on": self.on.isoformat(), **self.schedule_args}

    @property
    def schedule_args(self) -> dict[str, Any]:
        """The schedule alone; nothing for the site's own."""
        return {} if self.schedule_id == SITE_SCHEDULE else {"schedule": self.schedule_id}

    @property
    def wall(self) -> datetime:
        """The minute that the schedule's clock shows."""
        return wall_of(now(), zone=self.stored.roster.zone).replace(second=0, microsecond=0)

    @property
    def hours(self) -> BusinessHours:
        """When the shop is open for this schedule."""
        return load_hours(g.read, self.stored.head.calendar_id or SITE_CALENDAR)

    def time(self, at: datetime) -> str:
        """A time on the schedule's clock."""
        zone = self.stored.roster.zone
        return time_tag(at, format_time(at, zone, now()), zone)


def here() -> Place:
    """What the address asks for: a day that makes no sense is today, a schedule that is gone is not found."""
    stored = load_or_404(request.args.get("schedule", SITE_SCHEDULE, type=int))
    view = MONTH_VIEW if request.args.get("view") == MONTH_VIEW else WEEK_VIEW
    today = wall_of(now(), zone=stored.roster.zone).date()
    try:
        on = date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        on = today
    return Place(stored, view, on if on.year in YEARS else today)


def load_or_404(schedule_id: int) -> StoredSchedule:
    """A schedule by the id in an address."""
    try:
        return load_schedule(g.read, schedule_id)
    except DomainError:
        abort(404)


def frame(place: Place, current: str) -> dict[str, Any]:
    """What every page of the area shows around itself: its sections, and the schedules to choose from."""
    endpoint = "oncall.show" if current == "calendar" else f"oncall.{current}"
    return {"place": place, **roster_frame(place.stored, endpoint)}

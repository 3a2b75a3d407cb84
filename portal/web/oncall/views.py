"""The pages of the roster: the calendar, who is on call when, and one's own shifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import current_app, g, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.calendars import holiday_at, is_open
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, coverage_gaps, make_roster
from portal.core.roster_changes import next_change
from portal.core.shifts import YEARS
from portal.core.wallclock import instant_of, wall_of
from portal.models.versions import Head
from portal.services.schedules import list_members, list_schedules, load_roster, load_schedule, on_call_at
from portal.services.shifts import last_shift_change
from portal.web.auth import may, requires
from portal.web.htmx import render_partial
from portal.web.oncall import bp
from portal.web.oncall.calendar import (
    Roster,
    draw_week,
    hidden_shifts,
    name_gap,
    neighbours_of,
    people_of,
    span_of,
    weeks_of,
)
from portal.web.oncall.place import MONTH_VIEW, WEEK_VIEW, Place, frame, here
from portal.web.state import now

AHEAD = timedelta(weeks=4)
MINE_AHEAD = timedelta(weeks=26)
WEEK = timedelta(days=7)
Answer = Response | str | tuple[str, int]
_DONE = {
    "shift.add": "The shift is added.",
    "shift.edit": "The shift is changed.",
    "shift.remove": "The shift is removed.",
}


@dataclass(frozen=True)
class OwnDuty:
    """A time in which the reader is on call."""

    schedule: Head
    duty: RosterDuty
    why: str
    place: Place

    @property
    def on(self) -> str:
        """The day it begins on the schedule's clock."""
        return wall_of(self.duty.starts_at, zone=self.place.stored.roster.zone).date().isoformat()

    @property
    def is_now(self) -> bool:
        return self.duty.starts_at <= now()


@bp.get("")
@requires("schedule.view")
def show() -> str:
    """The roster by week or month."""
    place = here()
    return render_partial("oncall/show.html", "oncall/_calendar.html", **calendar_of(place), **frame(place, "calendar"))


@bp.get("/who")
@requires("schedule.view")
def who() -> str:
    """Who is on call at a time, why, until when, and who is next."""
    place = here()
    at = _asked(place)
    duties = on_call_at(g.read, at, schedule_id=place.schedule_id)
    roster, ahead = place.stored.roster, Interval(at - WEEK, at + AHEAD)
    changes_at = next_change(make_roster(roster, ahead), at)
    later = on_call_at(g.read, changes_at, schedule_id=place.schedule_id) if changes_at else ()
    holiday = holiday_at(place.hours, at)
    values = {
        "at": at,
        "wall": wall_of(at, zone=roster.zone),
        "duties": duties,
        "changes_at": changes_at if changes_at and changes_at < ahead.ends_at else None,
        "later": later,
        "names": place.stored.names,
        "reasons": place.stored.reasons,
        "is_open": is_open(place.hours, at),
        "holiday": holiday.name if holiday else "",
    }
    return render_template("oncall/who.html", **values, **frame(place, "who"))


@bp.get("/mine")
@requires("schedule.view")
def mine() -> str:
    """When the reader is on call, on any schedule."""
    place, until = here(), now() + MINE_AHEAD
    # Further than is shown: a duty has the end it has, and not that of what was looked at.
    asked, found = Interval(now() - AHEAD, until + AHEAD), []
    for head in list_schedules(g.read):
        stored = load_schedule(g.read, head.id)
        own = [duty for duty in make_roster(stored.roster, asked) if _is_mine(duty) and duty.starts_at < until]
        where = Place(stored, WEEK_VIEW, place.on)
        found += [OwnDuty(head, duty, stored.reasons.get(duty.source, ""), where) for duty in own]
    found.sort(key=lambda one: one.duty.starts_at)
    return render_template("oncall/mine.html", mine=found, **frame(place, "mine"))


def calendar_of(place: Place, undo: int = 0) -> dict[str, Any]:
    """Everything the calendar shows around a day. `undo` is the change that a button offers to undo."""
    at, hours, roster, everyone = now(), place.hours, place.stored.roster, list_members(g.read)
    mondays = weeks_of(place.on, place.view)
    span, ahead = span_of(mondays, zone=roster.zone), Interval(at, at + AHEAD)
    asked = Interval(span.starts_at - AHEAD, span.ends_at + AHEAD)
    duties = load_roster(g.read, asked, schedule_id=place.schedule_id)
    duties_ahead = duties if asked.starts_at <= at and ahead.ends_at <= asked.ends_at else make_roster(roster, ahead)
    on_call = on_call_at(g.read, at, schedule_id=place.schedule_id)
    members = people_of(everyone, (*duties, *on_call), place.stored.names)
    still_to_come = Interval(max(span.starts_at, at), span.ends_at)
    gaps = coverage_gaps(duties, span=still_to_come, hours=hours)
    drawn = Roster(duties, roster.zone, members, hours, gaps, at, place.stored.reasons, asked)
    gaps_ahead = coverage_gaps(duties_ahead, span=ahead, hours=hours)
    before, after = neighbours_of(place.on, place.view)
    return {
        "view": place.view,
        "on": place.on,
        "before": before,
        "after": after,
        "weeks": [draw_week(drawn, monday, everyone=place.view != MONTH_VIEW) for monday in mondays],
        "hidden": hidden_shifts(roster.shifts, drawn, mondays),
        "names": place.stored.names,
        "members": {member.id: member for member in members},
        "duties": on_call,
        "reasons": place.stored.reasons,
        "is_open": is_open(hours, at),
        "gaps_ahead": [name_gap(gap, zone=roster.zone, today=place.wall.date()) for gap in gaps_ahead],
        "may_edit": may("schedule.edit"),
        "kind_urls": _kind_urls(place) if may("schedule.edit") else {},
        **_undo(undo or request.args.get("undo", 0, type=int)),
    }


def _kind_urls(place: Place) -> dict[str, str]:
    """Where that is changed which puts people on call, by its kind; shifts have each a form of their own."""
    found = {"rotation": "oncall.rotations", "override": "overrides.index", "holiday": "holiday_duty.index"}
    there = {kind: name for kind, name in found.items() if name in current_app.view_functions}
    return {kind: url_for(name, **place.schedule_args) for kind, name in there.items()}


def _undo(event_id: int) -> dict[str, Any]:
    """What the reader changed last, if that is what the address names: then it can be undone."""
    event = last_shift_change(g.read, current_user.id) if event_id else None
    if event is None or event.id != event_id:
        return {"undo_id": 0, "done": ""}
    return {"undo_id": event.id, "done": _DONE[event.action]}


def _asked(place: Place) -> datetime:
    """The time asked for, on the schedule's clock; now where it makes no sense."""
    day, clock = request.args.get("day", ""), request.args.get("time", "")
    try:
        wall = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock or "00:00"))
    except ValueError:
        return now()
    is_meant = wall.year in YEARS and wall.tzinfo is None
    return instant_of(wall, zone=place.stored.roster.zone) if is_meant else now()


def _is_mine(duty: RosterDuty) -> bool:
    return bool(duty.person_id == current_user.id and duty.ends_at > now())

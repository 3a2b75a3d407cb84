"""The page of a calendar: its week, what is special, who goes by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import abort, g, request, url_for
from werkzeug.wrappers import Response

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS, BusinessHours, Week, compare_hours, format_week
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR
from portal.models.versions import Head
from portal.services.calendar_edit import load_users
from portal.services.calendars import list_calendars, load_hours, save_week
from portal.services.categories import list_queues
from portal.services.special_hours import list_special_hours
from portal.web.auth import may, requires
from portal.web.hours import bp
from portal.web.hours.forms import HoursForm
from portal.web.hours.tryout import fresh_try
from portal.web.hours.words import PREVIEW_DAYS, list_days, tell_spans, tell_special, tell_state, tell_time
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.state import change, now, write

PAGE = ("hours/show.html", "hours/_hours.html")


@bp.get("", defaults={"calendar_id": SITE_CALENDAR})
@bp.get("/<int:calendar_id>")
@requires("schedule.view")
def show(calendar_id: int) -> str:
    """The hours as they are, and whether the shop is open now."""
    form = HoursForm()
    form.fill(find_head_hours(calendar_id)[1].week)
    return render_partial(*PAGE, **page_values(calendar_id, form))


@bp.post("", defaults={"calendar_id": SITE_CALENDAR})
@bp.post("/<int:calendar_id>")
@requires("calendar.edit")
def edit(calendar_id: int) -> Response | str | tuple[str, int]:
    """Change the hours, which then hold from now on; or only show what would change."""
    before = find_head_hours(calendar_id)[1]
    form = HoursForm()
    week = form.read_week()
    if week is None:
        return refused(*PAGE, **page_values(calendar_id, form))
    if "preview" in request.form:
        preview = _preview(before, replace(before, week=week))
        return render_partial(*PAGE, **page_values(calendar_id, form), preview=preview)
    try:
        with write() as uow:
            save_week(uow, week, change=change(), calendar_id=calendar_id, seen=form.week_seen)
    except DomainError as error:
        form.form_errors.append(str(error))
        stored = find_head_hours(calendar_id)[1].week
        form.look_at(stored)
        return refused(*PAGE, **page_values(calendar_id, form), stored=week_in_words(stored))
    if wants_partial():
        form.fill(week)
        return render_partial(*PAGE, **page_values(calendar_id, form), saved=True)
    return saved(url_for("hours.show", calendar_id=calendar_id), "The hours are saved and hold from now on.")


def find_head_hours(calendar_id: int) -> tuple[Head, BusinessHours]:
    """A calendar and its hours; 404 when it is gone."""
    head = next((one for one in list_calendars(g.read) if one.id == calendar_id), None) or abort(404)
    return head, load_hours(g.read, calendar_id)


def week_in_words(week: Week) -> list[tuple[str, str]]:
    """Each weekday with its periods."""
    said = format_week(week)
    return [(name, ", ".join(said.get(key, ())) or "closed") for key, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True)]


def page_values(calendar_id: int, form: HoursForm) -> dict[str, Any]:
    """Everything the page shows. Four statements while nothing in the calendar changes."""
    head, hours = find_head_hours(calendar_id)
    at, wall = now(), wall_of(now(), zone=hours.zone)
    users = load_users(g.read, calendar_id)
    taken = {queue_id for queue_id, _ in users.queues}
    return {
        "form": form,
        "days": [form[key] for key in WEEKDAYS],
        "head": head,
        "is_site": head.id == SITE_CALENDAR,
        "calendars": list_calendars(g.read),
        "state": tell_state(hours, at, now=at),
        "coming": list_days(hours, now=at),
        "special": [
            (entry, tell_special(entry.hours, today=wall.date()))
            for entry in list_special_hours(g.read, calendar_id, since=wall)
        ],
        "users": users,
        "other_queues": [queue for queue in list_queues(g.read) if queue.id not in taken],
        "may_edit": may("calendar.edit"),
        "zone_name": hours.zone.key,
        "clock_there": tell_time(at, hours.zone, at),
        "try_form": fresh_try(wall),
    }


def _preview(before: BusinessHours, after: BusinessHours) -> dict[str, list[str]]:
    at = now()
    found = compare_hours(before, after, Interval(at, at + timedelta(days=PREVIEW_DAYS)))
    spans = {"opens": found.opens, "closes": found.closes}
    return {name: tell_spans(pieces, before.zone, now=at) for name, pieces in spans.items()}

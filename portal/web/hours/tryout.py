"""The box to try a calendar: is it open then, and when have so many minutes passed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, g, request
from markupsafe import Markup

from portal.core.calendars import BusinessHours, add_working_time, subtract_working_time
from portal.core.errors import DomainError
from portal.core.shifts import YEARS
from portal.core.wallclock import instant_of
from portal.services.calendars import list_calendars, load_hours
from portal.web.auth import requires
from portal.web.hours import bp
from portal.web.hours.forms import TryForm
from portal.web.hours.words import State, tell_exactly, tell_state
from portal.web.htmx import refused, render_partial
from portal.web.state import now

PAGE = ("hours/try.html", "hours/_try.html")
_USUAL_MINUTES = 240


@bp.get("/<int:calendar_id>/try")
@requires("schedule.view")
def try_hours(calendar_id: int) -> str | tuple[str, int]:
    """Answer one question about a calendar."""
    head = next((one for one in list_calendars(g.read) if one.id == calendar_id), None) or abort(404)
    hours = load_hours(g.read, calendar_id)
    form = TryForm(request.args)
    values: dict[str, Any] = {"try_form": form, "head": head, "zone_name": hours.zone.key}
    if not form.validate():
        return refused(*PAGE, **values)
    wall = datetime.combine(form.on.data, form.at.data)
    if wall.year not in YEARS:
        form.on.errors = ["The year must lie between 2000 and 2199."]
        return refused(*PAGE, **values)
    try:
        answer = _answer(hours, instant_of(wall, zone=hours.zone), form.minutes.data)
    except DomainError as error:
        form.minutes.errors = [str(error)]
        return refused(*PAGE, **values)
    return render_partial(*PAGE, **values, answer=answer)


def fresh_try(wall: datetime) -> TryForm:
    """The form as it stands on the page: from the present minute of the calendar's clock."""
    form = TryForm(formdata=None)
    form.on.data, form.at.data, form.minutes.data = (
        wall.date(),
        wall.time().replace(second=0, microsecond=0),
        _USUAL_MINUTES,
    )
    return form


def _answer(hours: BusinessHours, at: datetime, minutes: int) -> dict[str, Markup | State]:
    move = subtract_working_time if minutes < 0 else add_working_time
    due = move(hours, at, minutes=abs(minutes))
    return {
        "at": tell_exactly(at, hours.zone, now()),
        "state": tell_state(hours, at, now=now()),
        "due": tell_exactly(due, hours.zone, now()),
    }

"""The page of the business hours."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from werkzeug.wrappers import Response

from portal.core.calendars import WEEKDAYS, holiday_at, is_open, next_opening
from portal.services.calendars import load_hours, save_week
from portal.web.auth import may, requires
from portal.web.hours import bp
from portal.web.hours.forms import HoursForm
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.state import change, now, write

PAGE = ("hours/show.html", "hours/_hours.html")


@bp.get("")
@requires("schedule.view")
def show() -> str:
    """The hours as they are, and whether the shop is open now."""
    form = HoursForm()
    form.fill(load_hours(g.read).week)
    return render_partial(*PAGE, **_values(form))


@bp.post("")
@requires("calendar.edit")
def edit() -> Response | str | tuple[str, int]:
    """Change the hours. They hold from now on."""
    form = HoursForm()
    week = form.read_week()
    if week is None:
        return refused(*PAGE, **_values(form))
    with write() as uow:
        save_week(uow, week, change=change())
    if wants_partial():
        form.fill(week)
        return render_partial(*PAGE, **_values(form), saved=True)
    return saved(url_for("hours.show"), "The hours are saved and hold from now on.")


def _values(form: HoursForm) -> dict[str, Any]:
    hours, at = load_hours(g.read), now()
    holiday = holiday_at(hours, at)
    return {
        "form": form,
        "days": [form[key] for key in WEEKDAYS],
        "is_open": is_open(hours, at),
        "opens_at": next_opening(hours, at),
        "holiday": holiday.name if holiday else "",
        "may_edit": may("calendar.edit"),
        "zone_name": hours.zone.key,
    }

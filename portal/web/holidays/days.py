"""One day: what is said of it, adding, changing and removing."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, g, request
from werkzeug.wrappers import Response

from portal.core.calendars import Holiday
from portal.core.errors import DomainError
from portal.services.holiday_effects import Effects
from portal.services.holiday_rules import list_rules
from portal.services.holidays import (
    ACCEPTED,
    YEARS,
    HolidayEntry,
    add_holiday,
    edit_holiday,
    find_holiday,
    list_holidays,
    remove_holiday,
)
from portal.web.auth import may, requires
from portal.web.holidays import bp
from portal.web.holidays.calendar import mark_days
from portal.web.holidays.forms import HolidayForm, write_part
from portal.web.holidays.page import answer_changed
from portal.web.holidays.place import Place, find_place
from portal.web.holidays.previews import preview_days
from portal.web.htmx import refused, render_partial
from portal.web.state import change, write

ON = ("holidays/on.html", "holidays/_on.html")
DAY = ("holidays/day.html", "holidays/_day.html")
REMOVE = ("holidays/remove.html", "holidays/_remove.html")
Answer = Response | str | tuple[str, int]


@bp.get("/on/<on>")
@requires("schedule.view")
def look(on: str) -> str:
    """Everything that is said of one day."""
    place, day = find_place(), _date(on)
    entries = [one for one in list_holidays(g.read, year=day.year, calendar_id=place.calendar_id) if one.on == day]
    rules = list_rules(g.read, place.calendar_id, today=place.today)
    marks = [mark for mark in mark_days(day.year, entries, rules) if mark.on == day]
    return render_partial(*ON, place=place, on=day, marks=marks, may_edit=may("calendar.edit"))


@bp.route("/new", methods=["GET", "POST"])
@requires("calendar.edit")
def add() -> Answer:
    """Close the shop on a day."""
    place = find_place()
    form = HolidayForm(data={"on": _asked_date()})
    values = _form_values(place, form, "Add a day", place.url("add"))
    if request.method == "GET":
        return render_partial(*DAY, **values)
    if not form.validate():
        return refused(*DAY, **values)
    if "preview" in request.form:
        return render_partial(*DAY, **values, effects=preview_days(place, [form.day]))
    day = form.day
    try:
        with write() as uow:
            add_holiday(uow, day.on, day.name, closed=day.closed, calendar_id=place.calendar_id, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*DAY, **values)
    return answer_changed(_around(place, day.on), f"{day.name} is added.")


@bp.route("/<int:holiday_id>/edit", methods=["GET", "POST"])
@requires("calendar.edit")
def edit(holiday_id: int) -> Answer:
    """Move or rename a day, or change the part that is closed."""
    entry = find_holiday(g.read, holiday_id) or abort(404)
    place = find_place(calendar_id=entry.calendar_id)
    form = HolidayForm(
        data={"on": entry.on, "name": entry.name, "closed": write_part(entry.closed), "seen": entry.mark}
    )
    values = _form_values(place, form, "Edit the day", place.url("edit", holiday_id=holiday_id))
    values["remove_url"] = place.url("remove", holiday_id=holiday_id)
    if request.method == "GET":
        return render_partial(*DAY, **values)
    if not form.validate():
        return refused(*DAY, **values)
    if "preview" in request.form:
        return render_partial(*DAY, **values, effects=_preview_edit(place, entry, form.day))
    try:
        with write() as uow:
            edit_holiday(uow, holiday_id, form.day, seen=form.seen.data or "", change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*DAY, **values)
    return answer_changed(_around(place, form.day.on), f"{form.day.name} is changed.")


@bp.route("/<int:holiday_id>/remove", methods=["GET", "POST"])
@requires("calendar.edit")
def remove(holiday_id: int) -> Answer:
    """Show what it changes and ask, then open the shop on that day again."""
    entry = find_holiday(g.read, holiday_id) or abort(404)
    place = find_place(calendar_id=entry.calendar_id)
    values: dict[str, Any] = {
        "place": place,
        "entry": entry,
        "effects": preview_days(place, removed=[_day(entry)]) if entry.state == ACCEPTED else Effects(),
    }
    if request.method == "GET":
        return render_partial(*REMOVE, **values)
    try:
        with write() as uow:
            remove_holiday(uow, holiday_id, seen=request.form.get("seen", ""), change=change())
    except DomainError as error:
        return refused(*REMOVE, **values, wrong=str(error))
    return answer_changed(_around(place, entry.on), f"{entry.name} is removed.")


def _preview_edit(place: Place, entry: HolidayEntry, day: Holiday) -> Effects:
    """A day that is not accepted closes nothing, whatever it is changed to."""
    if entry.state != ACCEPTED:
        return Effects()
    return preview_days(place, [day], removed=[_day(entry)])


def _day(entry: HolidayEntry) -> Holiday:
    return Holiday(entry.on, entry.name, entry.closed)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    return day if day.year in YEARS else abort(404)


def _asked_date() -> date | None:
    try:
        return date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return None


def _around(place: Place, on: date) -> Place:
    """The year and month that show the day."""
    return Place(place.head, place.others, on.year, on.month if place.month else None, place.today)


def _form_values(place: Place, form: HolidayForm, title: str, url: str) -> dict[str, Any]:
    return {"place": place, "form": form, "title": title, "url": url}

"""Calendars: a new one, its name and zone, the end of one, and the queues that go by it."""

from __future__ import annotations

from typing import Any

from flask import abort, g, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR
from portal.models.versions import Head
from portal.services.calendar_edit import (
    CalendarUsers,
    add_calendar,
    choose_queue_calendar,
    edit_calendar,
    load_users,
    remove_calendar,
)
from portal.services.calendars import list_calendars
from portal.web.auth import requires
from portal.web.hours import bp
from portal.web.hours.forms import CalendarForm
from portal.web.htmx import refused, render_partial, saved
from portal.web.state import change, site, write

CALENDAR = ("hours/calendar.html", "hours/_calendar.html")
Answer = Response | str | tuple[str, int]


@bp.route("/new", methods=["GET", "POST"])
@requires("calendar.edit")
def add() -> Answer:
    """A calendar beside the site's own."""
    form = _form()
    values = _values(form, "Add a calendar", url_for("hours.add"), url_for("hours.show"), is_new=True)
    if request.method == "GET":
        return render_partial(*CALENDAR, **values)
    if form.validate():
        try:
            with write() as uow:
                added = add_calendar(
                    uow, form.name.data, zone=form.zone.data or "", copy_of=form.copy_of.data or None, change=change()
                )
        except DomainError as error:
            form.form_errors.append(str(error))
        else:
            return saved(url_for("hours.show", calendar_id=added), "The calendar is added. Set its week here.")
    return refused(*CALENDAR, **values)


@bp.route("/<int:calendar_id>/name", methods=["GET", "POST"])
@requires("calendar.edit")
def rename(calendar_id: int) -> Answer:
    """Its name and its zone."""
    head, form = _find(calendar_id), _form()
    here = url_for("hours.show", calendar_id=calendar_id)
    url = url_for("hours.rename", calendar_id=calendar_id)
    values = _values(form, f"Name and zone of {head.name}", url, here, has_zone=calendar_id != SITE_CALENDAR)
    if request.method == "GET":
        form.fill(head)
        return render_partial(*CALENDAR, **values)
    if form.name.validate(form):
        zone = form.zone.data or ""
        try:
            with write() as uow:
                edit_calendar(uow, calendar_id, name=form.name.data, zone=zone, change=change(), seen=form.seen)
        except DomainError as error:
            form.form_errors.append(str(error))
        else:
            return saved(here, f"{' '.join(form.name.data.split())} is saved.")
    return refused(*CALENDAR, **values)


@bp.route("/<int:calendar_id>/remove", methods=["GET", "POST"])
@requires("calendar.edit")
def remove(calendar_id: int) -> Response | str:
    """Ask, naming who goes by it, then remove."""
    head = _find(calendar_id)
    if request.method == "GET":
        return render_partial(
            "confirm.html",
            "_confirm.html",
            title=f"Remove {head.name}?",
            text=_fall_back(load_users(g.read, calendar_id)),
            url=url_for("hours.remove", calendar_id=calendar_id),
            yes="Remove the calendar",
            cancel_url=url_for("hours.show", calendar_id=calendar_id),
        )
    try:
        with write() as uow:
            users = remove_calendar(uow, calendar_id, change=change())
    except DomainError as error:
        return saved(url_for("hours.show"), str(error), "bad")
    moved = f" {_list(users)} now by the site’s hours." if users.names else ""
    return saved(url_for("hours.show"), f"{head.name} is removed.{moved}")


@bp.post("/<int:calendar_id>/queues")
@requires("calendar.edit")
def choose(calendar_id: int) -> Response:
    """Let a queue go by this calendar; on the page of the site's own, by that."""
    queue_id = request.form.get("queue_id", type=int) or abort(400)
    back = url_for("hours.show", calendar_id=request.form.get("back", calendar_id, type=int))
    try:
        with write() as uow:
            choose_queue_calendar(uow, queue_id, calendar_id, change=change())
    except DomainError as error:
        return saved(back, str(error), "bad")
    return saved(back, "The queue goes by these hours from now on.")


def _find(calendar_id: int) -> Head:
    return next((one for one in list_calendars(g.read) if one.id == calendar_id), None) or abort(404)


def _form() -> CalendarForm:
    form = CalendarForm()
    form.offer(list_calendars(g.read), site_zone=site().site_zone)
    return form


def _values(form: CalendarForm, title: str, url: str, cancel_url: str, **shown: bool) -> dict[str, Any]:
    return {"form": form, "title": title, "url": url, "cancel_url": cancel_url, "has_zone": True, **shown}


def _fall_back(users: CalendarUsers) -> str:
    gone = "Its week, special hours and holidays go with it."
    if not users.names:
        return f"{gone} Nothing goes by it."
    otherwise = "the site’s hours" if not users.customers else "the hours of the queue or the site"
    return f"{gone} {_list(users)} then by {otherwise}."


def _list(users: CalendarUsers) -> str:
    *rest, last = users.names
    words = f"{', '.join(rest)} and {last}" if rest else last
    return f"{words[0].upper()}{words[1:]} {'go' if rest else 'goes'}"

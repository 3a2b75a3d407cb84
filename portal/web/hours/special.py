"""Closures and extra openings: add, change, remove. Every change answers with the calendar it changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.wallclock import wall_of
from portal.models import UnitOfWork
from portal.services.special_hours import (
    SpecialEntry,
    add_special_hours,
    edit_special_hours,
    find_special_hours,
    remove_special_hours,
)
from portal.web.auth import requires
from portal.web.hours import bp
from portal.web.hours.forms import HoursForm, SpecialForm, read_seen, write_seen
from portal.web.hours.views import find_head_hours, page_values
from portal.web.hours.words import tell_special
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial
from portal.web.state import change, now, write

SPECIAL = ("hours/special.html", "hours/_special.html")
Answer = Response | str | tuple[str, int]


@bp.route("/<int:calendar_id>/special/new", methods=["GET", "POST"])
@requires("calendar.edit")
def add_special(calendar_id: int) -> Answer:
    """Close or open the shop for a stretch of time."""
    form, zone = SpecialForm(), find_head_hours(calendar_id)[1].zone
    url = url_for("hours.add_special", calendar_id=calendar_id)
    values = _values(form, "Add special hours", url, calendar_id)
    if request.method == "GET":
        tomorrow = datetime.combine(wall_of(now(), zone=zone).date() + timedelta(days=1), time())
        form.suggest(tomorrow.replace(hour=12), tomorrow.replace(hour=18))
        return render_partial(*SPECIAL, **values)
    special = form.read_special()
    if special and _write(form, lambda uow: add_special_hours(uow, special, change=change(), calendar_id=calendar_id)):
        return _changed(calendar_id, "The special hours are added.")
    return refused(*SPECIAL, **values)


@bp.route("/special/<int:special_id>", methods=["GET", "POST"])
@requires("calendar.edit")
def edit_special(special_id: int) -> Answer:
    """Change them. Of what has begun, only the rest changes."""
    entry, form = _find(special_id), SpecialForm()
    url = url_for("hours.edit_special", special_id=special_id)
    values = _values(form, "Edit the special hours", url, entry.calendar_id)
    values["remove_url"] = url_for("hours.remove_special", special_id=special_id)
    if request.method == "GET":
        form.fill(entry.hours)
        return render_partial(*SPECIAL, **values)
    special, seen = form.read_special(), form.special_seen
    if special and _write(form, lambda uow: edit_special_hours(uow, special_id, special, change=change(), seen=seen)):
        return _changed(entry.calendar_id, "The special hours are changed.")
    return refused(*SPECIAL, **values)


@bp.route("/special/<int:special_id>/remove", methods=["GET", "POST"])
@requires("calendar.edit")
def remove_special(special_id: int) -> Answer:
    """Ask, then take them out; of what has begun, the rest."""
    entry = _find(special_id)
    hours = find_head_hours(entry.calendar_id)[1]
    wall = wall_of(now(), zone=hours.zone)
    if request.method == "GET":
        return render_partial(
            "hours/remove_special.html",
            "hours/_remove_special.html",
            special=entry.hours,
            seen=write_seen(entry.hours),
            when=tell_special(entry.hours, today=wall.date()),
            has_begun=entry.hours.starts < wall,
            url=url_for("hours.remove_special", special_id=special_id),
            cancel_url=url_for("hours.show", calendar_id=entry.calendar_id),
        )
    try:
        with write() as uow:
            remove_special_hours(uow, special_id, change=change(), seen=read_seen(request.form.get("seen", "")))
    except DomainError as error:
        return saved(url_for("hours.show", calendar_id=entry.calendar_id), str(error), "bad")
    return _changed(entry.calendar_id, "The special hours are removed.")


def _find(special_id: int) -> SpecialEntry:
    return find_special_hours(g.read, special_id) or abort(404)


def _values(form: SpecialForm, title: str, url: str, calendar_id: int) -> dict[str, Any]:
    head, hours = find_head_hours(calendar_id)
    cancel_url = url_for("hours.show", calendar_id=calendar_id)
    return {
        "form": form, "title": title, "url": url, "cancel_url": cancel_url, "head": head, "zone_name": hours.zone.key,
    }  # fmt: skip


def _write(form: SpecialForm, act: Callable[[UnitOfWork], object]) -> bool:
    """Do it, or put the reason it was refused at the form."""
    try:
        with write() as uow:
            act(uow)
    except DomainError as error:
        form.form_errors.append(str(error))
        return False
    return True


def _changed(calendar_id: int, message: str) -> Response:
    """The calendar as it is now: swapped in for htmx, a redirect for everybody else."""
    if wants_partial():
        form = HoursForm(formdata=None)
        form.fill(find_head_hours(calendar_id)[1].week)
        return dialog_done(render_template("hours/_hours.html", **page_values(calendar_id, form)), "#hours")
    return saved(url_for("hours.show", calendar_id=calendar_id), message)

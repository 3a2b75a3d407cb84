"""Shifts: added, moved, changed, removed, the last of it undone. Every change answers with the calendar it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.models import UnitOfWork
from portal.services.schedules import list_members, load_schedule
from portal.services.shifts import (
    StoredShift,
    edit_shift,
    find_shift,
    last_shift_change,
    remove_shift,
    repeat_shift,
    undo_shift_change,
)
from portal.web.auth import requires
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial
from portal.web.oncall import bp
from portal.web.oncall.calendar import weeks_of
from portal.web.oncall.forms import ShiftForm
from portal.web.oncall.place import Place, frame, here, load_or_404
from portal.web.oncall.views import calendar_of
from portal.web.roster_frame import member_label
from portal.web.state import change, write

DAY = timedelta(days=1)
SHIFT = ("oncall/shift.html", "oncall/_shift.html")
MOVES = {"-7": "a week earlier", "-1": "a day earlier", "1": "a day later", "7": "a week later"}
_MEANWHILE = (
    "Somebody changed this schedule while the form was open. Look at the calendar; to save all the same, save again."
)
Answer = Response | str | tuple[str, int]


@bp.route("/shifts/new", methods=["GET", "POST"])
@requires("schedule.edit")
def add() -> Answer:
    """Put somebody on call, for one time or week by week."""
    place, form = here(), _form()
    values = _form_values(form, "Add a shift", place, url_for("oncall.add", **place.args))
    if request.method == "GET":
        _suggest(form, place)
        form.seen.data = _seen(place)
        return render_partial(*SHIFT, **values)
    shift = form.read_shift()
    if shift and _is_told(form, place):
        return refused(*SHIFT, **values)
    if shift and _is_to_come(form, shift, place):
        begun = replace(shift, starts=max(shift.starts, place.wall))
        weeks, schedule_id = form.weeks.data or 0, place.schedule_id

        def act(uow: UnitOfWork) -> None:
            repeat_shift(uow, begun, weeks=weeks, schedule_id=schedule_id, change=change())

        event_id = _write(form, act)
        if event_id:
            return _changed(place, begun.starts.date(), event_id)
    return refused(*SHIFT, **values)


@bp.route("/shifts/<int:shift_id>/edit", methods=["GET", "POST"])
@requires("schedule.edit")
def edit(shift_id: int) -> Answer:
    """Change a shift."""
    stored, place = _find(shift_id)
    form = _form()
    values = _form_values(form, "Edit the shift", place, url_for("oncall.edit", shift_id=shift_id, **place.args))
    values["remove_url"] = url_for("oncall.remove", shift_id=shift_id, **place.args)
    values |= {"move_url": url_for("oncall.move", shift_id=shift_id, **place.args), "moves": MOVES}
    if request.method == "GET":
        form.fill(stored)
        return render_partial(*SHIFT, **values)
    shift = form.read_shift(shift_id, level=stored.shift.level)
    if shift:
        event_id = _write(form, lambda uow: edit_shift(uow, StoredShift(shift, form.version_seen), change=change()))
        if event_id:
            return _changed(place, shift.starts.date(), event_id)
    return refused(*SHIFT, **values)


@bp.post("/shifts/<int:shift_id>/move")
@requires("schedule.edit")
def move(shift_id: int) -> Answer:
    """Move a whole shift by days."""
    stored, place = _find(shift_id)
    days = request.form.get("days", "")
    if days not in MOVES:
        abort(400)
    by, version = timedelta(days=int(days)), request.form.get("version", 0, type=int)
    moved = replace(stored.shift, starts=stored.shift.starts + by, ends=stored.shift.ends + by)
    with write() as uow:
        edit_shift(uow, StoredShift(moved, version), change=change())
        event_id = _last(uow)
    return _changed(place, moved.starts.date(), event_id)


@bp.route("/shifts/<int:shift_id>/remove", methods=["GET", "POST"])
@requires("schedule.edit")
def remove(shift_id: int) -> Answer:
    """Ask, then take a shift out."""
    stored, place = _find(shift_id)
    if request.method == "GET":
        return render_partial(
            "oncall/remove.html",
            "oncall/_remove.html",
            shift=stored.shift,
            version=stored.version,
            has_begun=stored.shift.starts < place.wall,
            person=place.stored.names.get(stored.shift.person_id, ""),
            url=url_for("oncall.remove", shift_id=shift_id, **place.args),
            cancel_url=url_for("oncall.show", **place.args),
        )
    with write() as uow:
        remove_shift(uow, shift_id, change=change(), version=request.form.get("version", type=int))
        event_id = _last(uow)
    return _changed(place, stored.shift.starts.date(), event_id)


@bp.post("/shifts/undo")
@requires("schedule.edit")
def undo() -> Answer:
    """Undo one's own last change."""
    place, event_id = here(), request.form.get("change", 0, type=int)
    with write() as uow:
        undo_shift_change(uow, event_id, change=change())
    if wants_partial():
        fresh = _reloaded(place)
        return render_template("oncall/_calendar.html", undone=True, **calendar_of(fresh), **frame(fresh, "calendar"))
    return saved(url_for("oncall.show", **place.args), "That is undone.")


def _find(shift_id: int) -> tuple[StoredShift, Place]:
    """A shift, and the place of the schedule it is in, whatever the address says."""
    stored = find_shift(g.read, shift_id) or abort(404)
    place = here()
    return stored, replace(place, stored=load_or_404(stored.schedule_id))


def _form() -> ShiftForm:
    """The form with everybody who can be on call; a disabled person stays to be seen, and is refused when saved."""
    form = ShiftForm()
    form.person_id.choices = [(member.id, member_label(member)) for member in list_members(g.read)]
    return form


def _form_values(form: ShiftForm, title: str, place: Place, url: str) -> dict[str, Any]:
    return {
        "form": form,
        "title": title,
        "url": url,
        "cancel_url": url_for("oncall.show", **place.args),
        "zone_name": place.stored.roster.zone.key,
    }


def _seen(place: Place) -> str:
    """What the schedule was when the form was opened."""
    return f"{place.schedule_id}.{place.stored.head.version}"


def _is_told(form: ShiftForm, place: Place) -> bool:
    """Of two people who plan the same weeks the later is told once what happened."""
    seen, form.seen.data = form.seen.data, _seen(place)
    if seen in ("", None, form.seen.data):
        return False
    form.form_errors.append(_MEANWHILE)
    return True


def _is_to_come(form: ShiftForm, shift: Shift, place: Place) -> bool:
    if shift.ends > place.wall:
        return True
    form.ends_on.errors = ["This time is over. Who was on call then stays as it was."]
    return False


def _suggest(form: ShiftForm, place: Place) -> None:
    """A gap that was pointed at, or the night after closing time of the day."""
    try:
        starts = datetime.fromisoformat(request.args.get("starts", ""))
        ends = datetime.fromisoformat(request.args.get("ends", ""))
    except ValueError:
        starts, ends = _night_of(place)
    form.suggest(starts, ends)


def _night_of(place: Place) -> tuple[datetime, datetime]:
    """From closing time to the opening of the next day; 18:00 to 08:00 where the shop is closed."""
    week, midnight = place.hours.week, datetime.combine(place.on, time())
    next_day = week.days[(place.on.weekday() + 1) % 7]
    closes = max((period.end for period in week.days[place.on.weekday()]), default=18 * 60)
    opens = min((period.start for period in next_day), default=8 * 60)
    starts, ends = midnight + timedelta(minutes=closes), midnight + DAY + timedelta(minutes=opens)
    return (starts, ends) if starts < ends else (starts, starts + timedelta(hours=12))


def _write(form: ShiftForm, act: Callable[[UnitOfWork], object]) -> int:
    """Do it and return the id of the change; 0, with the reason at the form, when it is refused."""
    try:
        with write() as uow:
            act(uow)
            return _last(uow)
    except DomainError as error:
        form.form_errors.append(str(error))
        return 0


def _last(uow: UnitOfWork) -> int:
    uow.session.flush()
    event = last_shift_change(uow.session, current_user.id)
    return event.id if event else 0


def _reloaded(place: Place) -> Place:
    return replace(place, stored=load_schedule(g.read, place.schedule_id))


def _changed(place: Place, day: date, event_id: int) -> Response:
    """The calendar as it is now with a button that undoes: swapped in for htmx, a redirect for everybody else."""
    if wants_partial():
        is_shown = request.args.get("on") and day in _shown_days(place)
        fresh = _reloaded(place if is_shown else replace(place, on=day))
        values = calendar_of(fresh, undo=event_id)
        return dialog_done(
            render_template("oncall/_calendar.html", **values, **frame(fresh, "calendar")), "#oncall-calendar"
        )
    return saved(url_for("oncall.show", **place.args | {"on": day.isoformat(), "undo": event_id}))


def _shown_days(place: Place) -> set[date]:
    return {monday + timedelta(days=number) for monday in weeks_of(place.on, place.view) for number in range(7)}

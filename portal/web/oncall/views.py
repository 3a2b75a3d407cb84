"""The pages of the roster. Every change answers with the calendar it changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.calendars import is_open
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import coverage_gaps, make_roster
from portal.core.shifts import YEARS
from portal.core.wallclock import wall_of
from portal.models import UnitOfWork
from portal.services.calendars import load_hours
from portal.services.schedules import Member, list_members, load_schedule, on_call_at
from portal.services.shifts import StoredShift, add_shift, edit_shift, find_shift, remove_shift
from portal.web.auth import may, requires
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial
from portal.web.oncall import bp
from portal.web.oncall.calendar import Roster, draw_week, name_gap, neighbours_of, span_of, weeks_of
from portal.web.oncall.forms import ShiftForm
from portal.web.state import change, now, site, write

AHEAD = timedelta(weeks=4)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
WEEK_VIEW, MONTH_VIEW = "week", "month"
SHIFT = ("oncall/shift.html", "oncall/_shift.html")
Answer = Response | str | tuple[str, int]


@bp.get("")
@requires("schedule.view")
def show() -> str:
    """The roster by week or month."""
    return render_partial("oncall/show.html", "oncall/_calendar.html", **_calendar(_day()))


@bp.route("/shifts/new", methods=["GET", "POST"])
@requires("schedule.edit")
def add() -> Answer:
    """Put somebody on call."""
    form = _form()
    values = _form_values(form, "Add a shift", "oncall.add")
    if request.method == "GET":
        _suggest(form)
        return render_partial(*SHIFT, **values)
    shift = form.read_shift()
    if shift and _write(form, lambda uow: add_shift(uow, shift, change=change())):
        return _changed(shift.starts.date(), "The shift is added.")
    return refused(*SHIFT, **values)


@bp.route("/shifts/<int:shift_id>/edit", methods=["GET", "POST"])
@requires("schedule.edit")
def edit(shift_id: int) -> Answer:
    """Change a shift."""
    stored = find_shift(g.read, shift_id) or abort(404)
    form = _form()
    values = _form_values(form, "Edit the shift", "oncall.edit", shift_id=shift_id)
    values["remove_url"] = url_for("oncall.remove", shift_id=shift_id, **_place())
    if request.method == "GET":
        form.fill(stored)
        return render_partial(*SHIFT, **values)
    shift = form.read_shift(shift_id)
    if shift and _write(form, lambda uow: edit_shift(uow, StoredShift(shift, form.version_seen), change=change())):
        return _changed(shift.starts.date(), "The shift is changed.")
    return refused(*SHIFT, **values)


@bp.route("/shifts/<int:shift_id>/remove", methods=["GET", "POST"])
@requires("schedule.edit")
def remove(shift_id: int) -> Answer:
    """Ask, then take a shift out."""
    stored = find_shift(g.read, shift_id) or abort(404)
    if request.method == "GET":
        names = {member.id: member.name for member in list_members(g.read)}
        return render_partial(
            "oncall/remove.html",
            "oncall/_remove.html",
            shift=stored.shift,
            person=names.get(stored.shift.person_id, ""),
            url=url_for("oncall.remove", shift_id=shift_id, **_place()),
            cancel_url=url_for("oncall.show", **_place()),
        )
    with write() as uow:
        remove_shift(uow, shift_id, change=change())
    return _changed(stored.shift.starts.date(), "The shift is removed.")


def _day() -> date:
    """The day the calendar is opened at: asked for, or today."""
    try:
        day = date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return _today()
    return day if day.year in YEARS else _today()


def _today() -> date:
    return wall_of(now(), zone=site().zone).date()


def _view() -> str:
    return MONTH_VIEW if request.args.get("view") == MONTH_VIEW else WEEK_VIEW


def _place() -> dict[str, Any]:
    """Where in the calendar we are, for links that come back here."""
    return {"view": _view(), "on": _day().isoformat()}


def _calendar(on: date) -> dict[str, Any]:
    """Everything the calendar shows around a day. Five statements."""
    view, at = _view(), now()
    hours, stored = load_hours(g.read), load_schedule(g.read)
    schedule = stored.roster
    members = list_members(g.read)
    mondays = weeks_of(on, view)
    span, ahead = span_of(mondays, zone=schedule.zone), Interval(at, at + AHEAD)
    duties = make_roster(schedule, Interval(span.starts_at - WEEK, span.ends_at + WEEK))
    still_to_come = Interval(max(span.starts_at, at), span.ends_at)
    gaps = coverage_gaps(duties, span=still_to_come, hours=hours)
    roster = Roster(duties, schedule.zone, members, hours, gaps, at, stored.reasons)
    gaps_ahead = coverage_gaps(make_roster(schedule, ahead), span=ahead, hours=hours)
    before, after = neighbours_of(on, view)
    return {
        "view": view,
        "on": on,
        "before": before,
        "after": after,
        "weeks": [draw_week(roster, monday, everyone=view == WEEK_VIEW) for monday in mondays],
        "members": {member.id: member for member in members},
        "duties": on_call_at(g.read, at),
        "reasons": stored.reasons,
        "is_open": is_open(hours, at),
        "gaps_ahead": [name_gap(gap, zone=schedule.zone) for gap in gaps_ahead],
        "may_edit": may("schedule.edit"),
        "zone_name": schedule.zone.key,
    }


def _form() -> ShiftForm:
    """The form with everybody who can be on call; a disabled person stays to be seen, and is refused when saved."""
    form = ShiftForm()
    form.person_id.choices = [(member.id, _label(member)) for member in list_members(g.read)]
    return form


def _label(member: Member) -> str:
    if not member.is_active:
        return f"{member.name} (disabled)"
    return member.name if member.has_phone else f"{member.name} (no phone yet)"


def _form_values(form: ShiftForm, title: str, endpoint: str, **keys: Any) -> dict[str, Any]:
    return {
        "form": form,
        "title": title,
        "url": url_for(endpoint, **keys, **_place()),
        "cancel_url": url_for("oncall.show", **_place()),
        "zone_name": site().zone.key,
    }


def _suggest(form: ShiftForm) -> None:
    """A gap that was pointed at, or the night after closing time of the day."""
    try:
        starts = datetime.fromisoformat(request.args.get("starts", ""))
        ends = datetime.fromisoformat(request.args.get("ends", ""))
    except ValueError:
        starts, ends = _night_of(_day())
    form.suggest(starts, ends)


def _night_of(day: date) -> tuple[datetime, datetime]:
    """From closing time to the opening of the next day; 18:00 to 08:00 where the shop is closed."""
    week, midnight = load_hours(g.read).week, datetime.combine(day, time())
    next_day = week.days[(day.weekday() + 1) % 7]
    closes = max((period.end for period in week.days[day.weekday()]), default=18 * 60)
    opens = min((period.start for period in next_day), default=8 * 60)
    starts, ends = midnight + timedelta(minutes=closes), midnight + DAY + timedelta(minutes=opens)
    return (starts, ends) if starts < ends else (starts, starts + timedelta(hours=12))


def _write(form: ShiftForm, act: Callable[[UnitOfWork], object]) -> bool:
    """Do it, or put the reason it was refused at the form."""
    try:
        with write() as uow:
            act(uow)
    except DomainError as error:
        form.form_errors.append(str(error))
        return False
    return True


def _changed(day: date, message: str) -> Response:
    """The calendar as it is now: swapped in for htmx, a redirect for everybody else."""
    if wants_partial():
        shown = _day() if request.args.get("on") and day in _shown_days() else day
        return dialog_done(render_template("oncall/_calendar.html", **_calendar(shown)), "#oncall-calendar")
    return saved(url_for("oncall.show", view=_view(), on=day.isoformat()), message)


def _shown_days() -> set[date]:
    return {monday + timedelta(days=number) for monday in weeks_of(_day(), _view()) for number in range(7)}

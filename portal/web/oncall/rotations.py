"""Rotations: listed, and changed only after the roster that would follow was looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS, format_week
from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, SourceKind, coverage_gaps, make_roster
from portal.core.rotations import Rotation, Unit, next_hand_off
from portal.services.rotations import (
    PreviewOutdatedError,
    RotationDraft,
    RotationPlan,
    RotationSeries,
    add_rotation,
    edit_rotation,
    end_rotation,
    find_rotation,
    list_rotations,
    plan_end,
    plan_rotation,
    remove_rotation,
)
from portal.services.schedules import list_members
from portal.web.auth import may, requires
from portal.web.htmx import saved
from portal.web.oncall import bp
from portal.web.oncall.calendar import Roster, WeekView, draw_week, monday_of, people_of
from portal.web.oncall.place import Place, frame, here, load_or_404
from portal.web.oncall.rotation_forms import ROWS, EndForm, RotationForm
from portal.web.roster_frame import member_label
from portal.web.state import change, now, write

PREVIEW_WEEKS = 8
MONDAY_MORNING = time(9)
Answer = Response | str | tuple[str, int]


@dataclass(frozen=True)
class RotationView:
    """A rotation in words."""

    series: RotationSeries
    people: tuple[str, ...]
    turn: str
    times: tuple[str, ...]
    has_begun: bool
    is_over: bool
    now: tuple[RosterDuty, ...]
    next_at: datetime | None
    next_person: str


@bp.get("/rotations")
@requires("schedule.view")
def rotations() -> str:
    """Every rotation of a schedule, with whose turn it is."""
    place = here()
    views = [_view(series, place) for series in list_rotations(g.read, place.schedule_id)]
    return render_template(
        "oncall/rotations.html",
        running=[view for view in views if not view.is_over],
        over=[view for view in views if view.is_over],
        may_edit=may("schedule.edit"),
        **frame(place, "rotations"),
    )


@bp.route("/rotations/new", methods=["GET", "POST"])
@requires("schedule.edit")
def add_turns() -> Answer:
    """A new rotation."""
    place, form = here(), RotationForm()
    if request.method == "GET":
        monday = monday_of(place.wall.date()) + timedelta(weeks=1)
        form.starts_on.data, form.starts_at.data = monday, MONDAY_MORNING
    return _step(form, place, None)


@bp.route("/rotations/<int:series_id>/edit", methods=["GET", "POST"])
@requires("schedule.edit")
def edit_turns(series_id: int) -> Answer:
    """Change a rotation from its next hand-off on, or at once."""
    series, place = _find(series_id)
    form = RotationForm()
    if request.method == "GET":
        form.fill(series.name, _next(series.latest, place))
    return _step(form, place, series)


@bp.route("/rotations/<int:series_id>/end", methods=["GET", "POST"])
@requires("schedule.edit")
def end_turns(series_id: int) -> Answer:
    """End a rotation, after a look at what follows."""
    series, place = _find(series_id)
    form, plan = EndForm(), None
    if request.method == "GET":
        starts, _ = next_hand_off(series.latest, place.wall)
        form.ends_on.data, form.ends_at.data = starts.date(), starts.time()
        return _end_page(form, place, series, None)
    ends = form.read_ends()
    if ends:
        try:
            plan = plan_end(g.read, series_id, ends, at=now())
            if request.form.get("step") == "save":
                with write() as uow:
                    end_rotation(uow, series_id, ends, seen=form.seen.data or "", change=change())
                return saved(url_for("oncall.rotations", **place.schedule_args), "The rotation ends then.")
        except DomainError as error:
            form.form_errors.append(str(error))
    form.seen.data = plan.seen if plan else ""
    return _end_page(form, place, series, plan), 422 if form.errors else 200


@bp.route("/rotations/<int:series_id>/remove", methods=["GET", "POST"])
@requires("schedule.edit")
def remove_turns(series_id: int) -> Answer:
    """Ask, then take out a rotation that has not begun."""
    series, place = _find(series_id)
    back = url_for("oncall.rotations", **place.schedule_args)
    if request.method == "GET":
        return render_template(
            "confirm.html",
            title=f"Remove {series.name}?",
            text="It has not begun, so nobody was on call by it yet.",
            url=url_for("oncall.remove_turns", series_id=series_id),
            yes="Remove",
            cancel_url=back,
        )
    with write() as uow:
        remove_rotation(uow, series_id, change=change())
    return saved(back, "The rotation is removed.")


def _find(series_id: int) -> tuple[RotationSeries, Place]:
    series = find_rotation(g.read, series_id) or abort(404)
    return series, replace(here(), stored=load_or_404(series.schedule_id))


def _next(rotation: Rotation, place: Place) -> Rotation:
    """The rotation as it goes on at its next hand-off: whoever is next comes first."""
    starts, people = next_hand_off(rotation, max(place.wall, rotation.begins))
    ends = rotation.ends if rotation.ends and rotation.ends > starts else None
    return replace(rotation, starts=starts, people=people, since=None, ends=ends)


def _step(form: RotationForm, place: Place, series: RotationSeries | None) -> Answer:
    """Show the form, the form with one more person, with the preview, or save what was previewed."""
    members = [(member.id, member_label(member)) for member in list_members(g.read)]
    step = request.form.get("step", "preview") if request.method == "POST" else ""
    more = step == "more" or not step
    form.offer(members, rows=len(form.people_in_order) + ROWS if more else 0)
    if more:
        return _form_page(form, place, series, None)
    plan, is_saved = _plan(form, place, series, save=step == "save")
    if is_saved:
        return saved(url_for("oncall.rotations", **place.schedule_args), "The rotation is saved.")
    form.seen.data = plan.seen if plan else ""
    return _form_page(form, place, series, plan), 422 if form.errors else 200


def _plan(
    form: RotationForm, place: Place, series: RotationSeries | None, *, save: bool
) -> tuple[RotationPlan | None, bool]:
    """The preview, and whether it is saved. The reasons against it stand at the form."""
    draft, series_id = form.read_draft(place.hours.week), series.id if series else None
    if draft is None:
        return None, False
    try:
        if save:
            _save(form, place, series_id, draft)
            return None, True
    except PreviewOutdatedError as error:
        form.form_errors.append(str(error))
    except DomainError as error:
        form.form_errors.append(str(error))
        return None, False
    try:
        return plan_rotation(g.read, place.schedule_id, draft, at=now(), series_id=series_id), False
    except DomainError as error:
        form.form_errors.append(str(error))
        return None, False


def _save(form: RotationForm, place: Place, series_id: int | None, draft: RotationDraft) -> None:
    seen = form.seen.data or ""
    with write() as uow:
        if series_id is None:
            add_rotation(uow, place.schedule_id, draft, seen=seen, change=change())
        else:
            edit_rotation(uow, series_id, draft, seen=seen, change=change())


def _form_page(form: RotationForm, place: Place, series: RotationSeries | None, plan: RotationPlan | None) -> str:
    if series:
        url = url_for("oncall.edit_turns", series_id=series.id)
    else:
        url = url_for("oncall.add_turns", **place.schedule_args)
    title = f"Change {series.name}" if series else "Add a rotation"
    values = {"form": form, "title": title, "url": url, "series": series}
    return render_template("oncall/rotation.html", **values, **_preview(place, plan), **frame(place, "rotations"))


def _end_page(form: EndForm, place: Place, series: RotationSeries, plan: RotationPlan | None) -> str:
    url = url_for("oncall.end_turns", series_id=series.id)
    values = {"form": form, "title": f"End {series.name}", "url": url, "series": series}
    return render_template("oncall/rotation_end.html", **values, **_preview(place, plan), **frame(place, "rotations"))


def _preview(place: Place, plan: RotationPlan | None) -> dict[str, Any]:
    """The eight weeks that would follow, drawn as the calendar draws them."""
    if plan is None:
        return {"plan": None}
    place = replace(place, stored=load_or_404(place.schedule_id))
    zone, names = place.stored.roster.zone, place.stored.names
    members = people_of(list_members(g.read), (*plan.before, *plan.after), names)
    hours = place.hours
    gaps = coverage_gaps(plan.after, span=plan.span, hours=hours)
    drawn = Roster(plan.after, zone, members, hours, gaps, now(), place.stored.reasons, plan.span, plan.changes)
    monday = monday_of(place.wall.date())
    weeks: list[WeekView] = [
        draw_week(drawn, monday + timedelta(weeks=number), everyone=False) for number in range(PREVIEW_WEEKS)
    ]
    return {"plan": plan, "weeks": weeks, "names": names, "gap_count": len(gaps), "may_edit": False}


def _view(series: RotationSeries, place: Place) -> RotationView:
    rotation, names, at = series.latest, place.stored.names, now()
    ids = {row.id for row in series.rows}
    duties = make_roster(place.stored.roster, Interval(at, at + timedelta(seconds=1)))
    held = tuple(one for one in duties if one.source.kind is SourceKind.ROTATION and one.source.id in ids)
    next_at, people = next_hand_off(rotation, max(place.wall, rotation.begins))
    goes_on = rotation.ends is None or next_at < rotation.ends
    return RotationView(
        series, tuple(names.get(one, "?") for one in rotation.people), describe_turn(rotation),
        _times(rotation), series.has_begun(place.wall), series.is_over(place.wall), held,
        next_at if goes_on else None, names.get(people[0], "?"),
    )  # fmt: skip


def describe_turn(rotation: Rotation) -> str:
    """How long a turn lasts and when it is handed off, in words."""
    if rotation.by_shift:
        return "each shift another person" if rotation.every == 1 else f"every {rotation.every} shifts another person"
    unit = rotation.unit.value
    length = f"every {unit}" if rotation.every == 1 else f"every {rotation.every} {unit}s"
    clock = f"{rotation.starts:%H:%M}"
    when = {
        Unit.HOUR: f"counted from {clock}",
        Unit.DAY: f"at {clock}",
        Unit.WEEK: f"on {WEEKDAY_NAMES[rotation.starts.weekday()]} at {clock}",
        Unit.MONTH: f"on day {rotation.starts.day} at {clock}",
    }[rotation.unit]
    return f"{length} {when}"


def _times(rotation: Rotation) -> tuple[str, ...]:
    if rotation.week is None:
        return ()
    names = dict(zip(WEEKDAYS, WEEKDAY_NAMES, strict=True))
    return tuple(f"{names[key][:3]} {', '.join(periods)}" for key, periods in format_week(rotation.week).items())

"""Exceptions: the list, a new one with the roster it would make, and taking one back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectChoice

from portal.core.errors import DomainError
from portal.core.roster import Override, OverrideKind
from portal.core.roster_preview import name_people
from portal.core.wallclock import wall_of
from portal.models import UnitOfWork
from portal.services.overrides import (
    OverridePreview,
    RosterMovedError,
    add_override,
    find_override,
    last_change,
    list_overrides,
    preview_override,
    preview_removal,
    remove_override,
    undo_change,
)
from portal.services.schedules import StoredSchedule, list_members, load_schedule
from portal.web.auth import may, requires
from portal.web.htmx import refused, render_partial, saved
from portal.web.overrides import bp
from portal.web.overrides.forms import OverrideForm
from portal.web.roster_frame import asked_schedule, asked_wall, member_label, roster_frame, schedule_args
from portal.web.state import change, now, write

EDIT = ("overrides/edit.html", "overrides/_edit.html")
REMOVE = ("overrides/remove.html", "overrides/_remove.html")
MOST_ROWS = 60
Answer = Response | str | tuple[str, int]


@bp.get("")
@requires("schedule.view")
def index() -> str:
    """What is to come, what has been, and the last change to undo."""
    stored = asked_schedule()
    coming, over = list_overrides(g.read, now=now(), schedule_id=stored.head.id)
    return render_template(
        "overrides/index.html",
        coming=coming,
        over=over,
        last=last_change(g.read, now=now(), schedule_id=stored.head.id),
        may_edit=may("schedule.edit"),
        **roster_frame(stored, "overrides.index"),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("schedule.edit")
def add() -> Answer:
    """One more: first the roster it would make, then, unchanged, saved."""
    stored = asked_schedule()
    form = _form(stored)
    if request.method == "GET":
        _suggest(form, stored)
        return render_partial(*EDIT, **_edit_values(form, stored))
    override = form.read_override()
    if override is None:
        return refused(*EDIT, **_edit_values(form, stored))
    if request.form.get("do") == "save" and _save(form, override, stored.head.id):
        return saved(_index_url(stored), "The exception is saved, and the roster says so.")
    is_refused = bool(form.form_errors)
    shown = _preview(form, override, load_schedule(g.read, stored.head.id))
    values = _edit_values(form, stored, shown)
    return refused(*EDIT, **values) if is_refused or shown is None else render_partial(*EDIT, **values)


@bp.route("/<int:override_id>/remove", methods=["GET", "POST"])
@requires("schedule.edit")
def remove(override_id: int) -> Answer:
    """Show what the roster would be without it, then take it back."""
    stored = find_override(g.read, override_id) or abort(404)
    schedule = load_schedule(g.read, stored.schedule_id)
    refusal = ""
    if request.method == "POST":
        seen = request.form.get("seen", "")
        try:
            with write() as uow:
                remove_override(uow, override_id, seen=seen, change=change())
        except RosterMovedError as error:
            refusal = str(error)
        else:
            return saved(_index_url(schedule), "The exception is taken back.")
    shown = preview_removal(g.read, override_id, now=now())
    values = _shown_values(shown, schedule, one=stored, refusal=refusal, cancel_url=_index_url(schedule))
    return refused(*REMOVE, **values) if refusal else render_partial(*REMOVE, **values)


@bp.post("/undo")
@requires("schedule.edit")
def undo() -> Response:
    """Undo the last change that the list showed."""
    stored = asked_schedule()
    event_id = request.form.get("event", 0, type=int)
    return _done(stored, lambda uow: undo_change(uow, event_id, change=change(), schedule_id=stored.head.id))


def _done(stored: StoredSchedule, act: Callable[[UnitOfWork], object]) -> Response:
    try:
        with write() as uow:
            act(uow)
    except DomainError as error:
        return saved(_index_url(stored), str(error), "warn")
    return saved(_index_url(stored), "Undone. The roster is as it was before.")


def _save(form: OverrideForm, override: Override, schedule_id: int) -> bool:
    """Do it, or put the reason it was refused at the form."""
    note, seen = (form.note.data or "").strip(), form.seen.data or ""
    try:
        with write() as uow:
            add_override(uow, override, seen=seen, change=change(), note=note, schedule_id=schedule_id)
    except DomainError as error:
        form.form_errors.append(str(error))
        return False
    return True


def _preview(form: OverrideForm, override: Override, stored: StoredSchedule) -> dict[str, Any] | None:
    """What the roster would be; None, with the reason at the form, when it cannot be."""
    try:
        shown = preview_override(g.read, override, now=now(), schedule_id=stored.head.id)
    except DomainError as error:
        if str(error) not in form.form_errors:
            form.form_errors.append(str(error))
        return None
    form.show(shown)
    return _shown_values(shown, stored)


def _form(stored: StoredSchedule) -> OverrideForm:
    form = OverrideForm()
    people = [SelectChoice(member.id, member_label(member)) for member in list_members(g.read)]
    form.person_id.choices = people
    form.instead_of.choices = [SelectChoice(0, "Everybody on call then"), *people]
    return form


def _suggest(form: OverrideForm, stored: StoredSchedule) -> None:
    """A time that was pointed at, or the coming night."""
    wall = wall_of(now(), zone=stored.roster.zone)
    starts = asked_wall("starts") or datetime.combine(wall.date(), time(18))
    ends = asked_wall("ends") or datetime.combine(starts.date() + timedelta(days=1), time(8))
    form.suggest(starts, ends)
    if request.args.get("kind") in tuple(OverrideKind):
        form.kind.data = request.args["kind"]
    form.person_id.data = request.args.get("person", form.person_id.data, type=int)
    form.instead_of.data = request.args.get("instead_of", 0, type=int)


def _edit_values(form: OverrideForm, stored: StoredSchedule, shown: dict[str, Any] | None = None) -> dict[str, Any]:
    own = schedule_args(stored.head.id)
    return {
        "form": form,
        "url": url_for("overrides.add", **own),
        "cancel_url": _index_url(stored),
        "schedule_name": stored.head.name,
        "zone_name": stored.roster.zone.key,
        "shown": None,
        **(shown or {}),
    }


def _shown_values(shown: OverridePreview, stored: StoredSchedule, **more: Any) -> dict[str, Any]:
    """The preview in names and wall-clock time."""
    zone = stored.roster.zone
    rows = [
        {
            "starts": wall_of(one.held.starts_at, zone=zone),
            "ends": wall_of(one.held.ends_at, zone=zone),
            "before": name_people(one.before, stored.names),
            "after": name_people(one.after, stored.names),
            "is_changed": one.before != one.after,
            "is_gap": any(
                gap.starts_at < one.held.ends_at and one.held.starts_at < gap.ends_at for gap in shown.roster.gaps
            ),
        }
        for one in shown.roster.stretches
    ]
    gaps = [(wall_of(gap.starts_at, zone=zone), wall_of(gap.ends_at, zone=zone)) for gap in shown.roster.gaps]
    return {
        "shown": shown,
        "rows": rows[:MOST_ROWS],
        "more_rows": max(0, len(rows) - MOST_ROWS),
        "gaps": gaps,
        "zone_name": zone.key,
        **more,
    }


def _index_url(stored: StoredSchedule) -> str:
    return url_for("overrides.index", **schedule_args(stored.head.id))

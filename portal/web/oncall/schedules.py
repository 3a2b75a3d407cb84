"""Schedules themselves: listed, added, changed, removed."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.errors import DomainError
from portal.models import SITE_SCHEDULE, Queue
from portal.models.versions import load_site_state
from portal.services.schedule_edit import (
    ScheduleDraft,
    add_schedule,
    edit_schedule,
    queues_of_schedule,
    read_draft,
    remove_schedule,
)
from portal.services.schedules import list_members, list_schedules
from portal.web.auth import may, requires
from portal.web.htmx import saved
from portal.web.oncall import bp
from portal.web.oncall.place import frame, here, load_or_404
from portal.web.roster_frame import member_label
from portal.web.state import change, write

Answer = Response | str | tuple[str, int]


class CheckListField(SelectMultipleField):  # type: ignore[misc]
    """Several of a few: check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ScheduleForm(FlaskForm):  # type: ignore[misc]
    """`seen` is the fingerprint of what the form was filled from: of two people who edit one, the later is told."""

    name = StringField("Name", validators=[InputRequired("Give the schedule a name."), Length(max=80)])
    zone = StringField("Time zone", validators=[Length(max=64)])
    calendar_id = SelectField("The shop is open by", coerce=int, default=0)
    members = CheckListField("Everyone is", coerce=int)
    queues = CheckListField("Rings for", coerce=int)
    seen = HiddenField()

    def offer(self) -> None:
        """Fill the menus."""
        calendars = sorted(load_site_state(g.read).calendars.values(), key=lambda one: one.id)
        self.calendar_id.choices = [(0, "the site's business hours"), *((one.id, one.name) for one in calendars[1:])]
        self.members.choices = [(member.id, member_label(member)) for member in list_members(g.read)]
        queues = g.read.execute(select(Queue.id, Queue.name).order_by(Queue.position, Queue.name)).all()
        self.queues.choices = [(row.id, row.name) for row in queues]

    def fill(self, draft: ScheduleDraft) -> None:
        """Show a schedule as it is."""
        self.name.data, self.zone.data, self.calendar_id.data = draft.name, draft.zone, draft.calendar_id or 0
        self.members.data, self.queues.data = list(draft.members), list(draft.queue_ids)
        self.seen.data = draft.fingerprint

    def read_draft(self) -> ScheduleDraft | None:
        """The schedule as typed; None, with the reasons at the form."""
        if not self.validate():
            return None
        return ScheduleDraft(
            " ".join((self.name.data or "").split()),
            (self.zone.data or "").strip(),
            self.calendar_id.data or None,
            tuple(self.members.data or ()),
            tuple(sorted(self.queues.data or ())),
        )


class RemoveForm(FlaskForm):  # type: ignore[misc]
    despite = BooleanField("Remove it all the same; these queues ring the site's own schedule from now on")


@bp.get("/schedules")
@requires("schedule.view")
def schedules() -> str:
    """Every schedule, and which queues ring it."""
    place = here()
    calendars = load_site_state(g.read).calendars
    rows = [
        (one, calendars.get(one.calendar_id or 0), queues_of_schedule(g.read, one.id)) for one in list_schedules(g.read)
    ]
    return render_template(
        "oncall/schedules.html",
        rows=rows,
        names=place.stored.names,
        site_schedule=SITE_SCHEDULE,
        may_edit=may("schedule.edit"),
        **frame(place, "schedules"),
    )


@bp.route("/schedules/new", methods=["GET", "POST"])
@requires("schedule.edit")
def add_one() -> Answer:
    """Add a schedule."""
    form = ScheduleForm()
    form.offer()
    draft = form.read_draft() if request.method == "POST" else None
    if draft:
        try:
            with write() as uow:
                schedule_id = add_schedule(uow, draft, change=change())
            return saved(url_for("oncall.show", schedule=schedule_id), "The schedule is added. Now put people on it.")
        except DomainError as error:
            form.form_errors.append(str(error))
    return _page(form, "Add a schedule", url_for("oncall.add_one"))


@bp.route("/schedules/<int:schedule_id>/edit", methods=["GET", "POST"])
@requires("schedule.edit")
def edit_one(schedule_id: int) -> Answer:
    """Change a schedule."""
    load_or_404(schedule_id)
    form = ScheduleForm()
    form.offer()
    draft = None
    if request.method == "GET":
        form.fill(read_draft(g.read, schedule_id))
    else:
        draft = form.read_draft()
    if draft:
        try:
            with write() as uow:
                edit_schedule(uow, schedule_id, draft, seen=form.seen.data or "", change=change())
            return saved(url_for("oncall.schedules"), "The schedule is changed.")
        except DomainError as error:
            form.form_errors.append(str(error))
    return _page(form, "Edit the schedule", url_for("oncall.edit_one", schedule_id=schedule_id), schedule_id)


@bp.route("/schedules/<int:schedule_id>/remove", methods=["GET", "POST"])
@requires("schedule.edit")
def remove_one(schedule_id: int) -> Answer:
    """Ask, then remove a schedule with everything in it."""
    head, form = load_or_404(schedule_id).head, RemoveForm()
    if request.method == "POST":
        try:
            with write() as uow:
                remove_schedule(uow, schedule_id, change=change(), despite_queues=bool(form.despite.data))
            return saved(url_for("oncall.schedules"), "The schedule is removed.")
        except DomainError as error:
            form.form_errors.append(str(error))
    values: dict[str, Any] = {
        "form": form,
        "head": head,
        "queues": queues_of_schedule(g.read, schedule_id),
        "url": url_for("oncall.remove_one", schedule_id=schedule_id),
    }
    return render_template("oncall/schedule_remove.html", **values), 422 if form.form_errors else 200


def _page(form: ScheduleForm, title: str, url: str, schedule_id: int = 0) -> tuple[str, int]:
    values = {"form": form, "title": title, "url": url, "schedule_id": schedule_id, "site_schedule": SITE_SCHEDULE}
    return render_template("oncall/schedule.html", **values), 422 if form.errors else 200

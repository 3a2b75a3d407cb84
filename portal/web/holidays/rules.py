"""Days off of every year."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, g, request
from werkzeug.wrappers import Response

from portal.core.calendars import Holiday
from portal.core.errors import DomainError
from portal.services.holiday_rules import (
    RuleEntry,
    add_rule,
    edit_rule,
    except_date,
    find_rule,
    list_rules,
    remove_rule,
)
from portal.web.auth import may, requires
from portal.web.holidays import bp
from portal.web.holidays.forms import RuleForm, write_part
from portal.web.holidays.page import answer_changed
from portal.web.holidays.place import Place, find_place
from portal.web.holidays.previews import preview_exception, preview_rule
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial
from portal.web.state import change, write

INDEX = ("holidays/rules.html", "holidays/_rules.html")
RULE = ("holidays/rule.html", "holidays/_rule.html")
REMOVE = ("holidays/rule_remove.html", "holidays/_rule_remove.html")
EXCEPT = ("holidays/except.html", "holidays/_except.html")
Answer = Response | str | tuple[str, int]


@bp.get("/every-year")
@requires("schedule.view")
def rules() -> str:
    """The rules of the calendar, each with its next dates."""
    return render_partial(*INDEX, **_index_values(find_place()))


@bp.route("/every-year/new", methods=["GET", "POST"])
@requires("calendar.edit")
def new_rule() -> Answer:
    """Close the shop on a day of every year."""
    place = find_place()
    form = RuleForm(data={"first_year": place.today.year})
    return _handle(place, form, {"title": "Add a day of every year", "url": place.url("new_rule")}, None)


@bp.route("/every-year/<int:rule_id>", methods=["GET", "POST"])
@requires("calendar.edit")
def rule(rule_id: int) -> Answer:
    """Change a rule from its next date on."""
    place, entry = _find(rule_id)
    yearly = entry.yearly
    form = RuleForm(
        data={
            "name": yearly.name, "day": entry.words, "closed": write_part(yearly.closed), "seen": entry.mark,
            "first_year": yearly.rule.first_year, "last_year": yearly.rule.last_year,
        }
    )  # fmt: skip
    values: dict[str, Any] = {
        "title": "Edit the day of every year",
        "url": place.url("rule", rule_id=rule_id),
        "remove_url": place.url("drop_rule", rule_id=rule_id),
    }
    return _handle(place, form, values, entry)


@bp.route("/every-year/<int:rule_id>/remove", methods=["GET", "POST"])
@requires("calendar.edit")
def drop_rule(rule_id: int) -> Answer:
    """Show what it changes and ask, then close no day by this rule any more."""
    place, entry = _find(rule_id)
    values: dict[str, Any] = {"place": place, "entry": entry, "effects": preview_rule(place, before=entry.yearly)}
    if request.method == "GET":
        return render_partial(*REMOVE, **values)
    seen = request.form.get("seen", "")
    try:
        with write() as uow:
            remove_rule(uow, rule_id, seen=seen, today=place.today, change=change())
    except DomainError as error:
        return refused(*REMOVE, **values, wrong=str(error))
    return _changed(place, f"{entry.yearly.name} closes no day from now on.")


@bp.route("/every-year/<int:rule_id>/except/<on>", methods=["GET", "POST"])
@requires("calendar.edit")
def except_rule(rule_id: int, on: str) -> Answer:
    """Show what it changes and ask, then work on one date of a rule."""
    place, entry = _find(rule_id)
    try:
        day = date.fromisoformat(on)
    except ValueError:
        abort(404)
    holiday = Holiday(day, entry.yearly.name, entry.yearly.closed)
    values: dict[str, Any] = {"place": place, "entry": entry, "on": day, "effects": preview_exception(place, holiday)}
    if request.method == "GET":
        return render_partial(*EXCEPT, **values)
    try:
        with write() as uow:
            except_date(uow, rule_id, day, change=change())
    except DomainError as error:
        return refused(*EXCEPT, **values, wrong=str(error))
    return answer_changed(place, f"{entry.yearly.name} is ignored in {day.year}.")


def _handle(place: Place, form: RuleForm, values: dict[str, Any], entry: RuleEntry | None) -> Answer:
    values = {**values, "place": place, "form": form}
    if request.method == "GET":
        return render_partial(*RULE, **values)
    if not form.validate():
        return refused(*RULE, **values)
    try:
        yearly = form.read_rule()
        if "preview" in request.form:
            effects = preview_rule(place, before=entry.yearly if entry else None, after=yearly)
            return render_partial(*RULE, **values, effects=effects)
        with write() as uow:
            if entry is None:
                add_rule(uow, yearly, calendar_id=place.calendar_id, change=change())
            else:
                edit_rule(uow, entry.id, yearly, seen=form.seen.data or "", today=place.today, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*RULE, **values)
    return _changed(place, f"{yearly.name} is {'changed' if entry else 'added'}.")


def _find(rule_id: int) -> tuple[Place, RuleEntry]:
    place = find_place()
    entry = find_rule(g.read, rule_id, today=place.today) or abort(404)
    return find_place(calendar_id=entry.calendar_id), entry


def _index_values(place: Place) -> dict[str, Any]:
    return {
        "place": place,
        "rules": list_rules(g.read, place.calendar_id, today=place.today),
        "may_edit": may("calendar.edit"),
    }


def _changed(place: Place, message: str) -> Response:
    if wants_partial():
        return dialog_done(render_partial(*INDEX, **_index_values(place), done=message), "#holiday-rules")
    return saved(place.url("rules"), message)

"""The pages of the holidays. Every change answers with the year it changed."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.calendars import Holiday, year_to_review
from portal.core.errors import DomainError
from portal.core.holiday_lists import propose_holidays
from portal.core.wallclock import wall_of
from portal.services.calendars import load_week
from portal.services.holidays import (
    ACCEPTED,
    IGNORED,
    PROPOSED,
    YEARS,
    add_holiday,
    decide_holidays,
    edit_holiday,
    find_holiday,
    list_holidays,
    list_reviewed_years,
    remove_holiday,
    save_proposals,
)
from portal.web.auth import may, requires
from portal.web.holidays import bp
from portal.web.holidays.calendar import draw_year
from portal.web.holidays.forms import HolidayForm, ImportForm
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial
from portal.web.state import change, now, site, write

DAY = ("holidays/day.html", "holidays/_day.html")
IMPORT = ("holidays/import.html", "holidays/_import.html")
Answer = Response | str | tuple[str, int]


@bp.get("")
@requires("schedule.view")
def show() -> str:
    """A year at a glance, what is proposed, and every closed day."""
    return render_partial("holidays/show.html", "holidays/_year.html", **_year(_shown_year()))


@bp.route("/new", methods=["GET", "POST"])
@requires("calendar.edit")
def add() -> Answer:
    """Close the shop on a day."""
    form = HolidayForm()
    values = _form_values(form, "Add a day", url_for("holidays.add", year=_shown_year()))
    if request.method == "GET":
        return render_partial(*DAY, **values)
    if not form.validate():
        return refused(*DAY, **values)
    try:
        with write() as uow:
            add_holiday(uow, form.on.data, form.name.data, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*DAY, **values)
    return _changed(form.on.data.year, f"{form.name.data} is added.")


@bp.route("/<int:holiday_id>/edit", methods=["GET", "POST"])
@requires("calendar.edit")
def edit(holiday_id: int) -> Answer:
    """Move or rename a day."""
    entry = find_holiday(g.read, holiday_id) or abort(404)
    form = HolidayForm(data={"on": entry.on, "name": entry.name})
    year = _shown_year()
    values = _form_values(form, "Edit the day", url_for("holidays.edit", holiday_id=holiday_id, year=year))
    values["remove_url"] = url_for("holidays.remove", holiday_id=holiday_id, year=year)
    if request.method == "GET":
        return render_partial(*DAY, **values)
    if not form.validate():
        return refused(*DAY, **values)
    try:
        with write() as uow:
            edit_holiday(uow, holiday_id, Holiday(form.on.data, form.name.data, entry.closed), change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*DAY, **values)
    return _changed(form.on.data.year, f"{form.name.data} is changed.")


@bp.route("/<int:holiday_id>/remove", methods=["GET", "POST"])
@requires("calendar.edit")
def remove(holiday_id: int) -> Answer:
    """Ask, then open the shop on that day again."""
    entry = find_holiday(g.read, holiday_id) or abort(404)
    if request.method == "GET":
        year = _shown_year()
        return render_partial(
            "holidays/remove.html",
            "holidays/_remove.html",
            entry=entry,
            url=url_for("holidays.remove", holiday_id=holiday_id, year=year),
            cancel_url=url_for("holidays.show", year=year),
        )
    with write() as uow:
        remove_holiday(uow, holiday_id, change=change())
    return _changed(entry.on.year, f"{entry.name} is removed.")


@bp.route("/import", methods=["GET", "POST"])
@requires("calendar.edit")
def import_list() -> Answer:
    """Propose the days of a country and region. A GET with a country offers its regions."""
    form = ImportForm(request.form if request.method == "POST" else request.args)
    form.offer_choices()
    if form.year.data is None:
        form.year.data = _shown_year()
    year = _shown_year()
    values: dict[str, Any] = {
        "form": form,
        "url": url_for("holidays.import_list", year=year),
        "cancel_url": url_for("holidays.show", year=year),
    }
    if request.method == "GET":
        return render_partial(*IMPORT, **values)
    if not form.validate():
        return refused(*IMPORT, **values)
    try:
        added = _import(form)
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*IMPORT, **values)
    if not added:
        form.form_errors.append("The list has no days for this year that are not in the calendar already.")
        return refused(*IMPORT, **values)
    return _changed(form.year.data, f"{added} days are proposed. Accept the ones you keep.")


@bp.post("/decide")
@requires("calendar.edit")
def decide() -> Answer:
    """Accept or ignore proposals: one by its own button, or all that are ticked."""
    one = request.form.get("accept") or request.form.get("ignore")
    texts = [one] if one else request.form.getlist("ids")
    accept = "accept" in request.form if one else request.form.get("decision") == "accept"
    ids = [int(text) for text in texts if text.isdecimal() and len(text) < 16]
    with write() as uow:
        seen = {day.id: day.mark for day in (find_holiday(uow.session, one) for one in ids) if day}
        changed = len(decide_holidays(uow, seen, accept=accept, change=change()).done)
    year = _shown_year()
    if wants_partial():
        return render_template("holidays/_year.html", **_year(year))
    days = "1 day is" if changed == 1 else f"{changed} days are"
    return saved(url_for("holidays.show", year=year), f"{days} {'accepted' if accept else 'ignored'}.")


def _import(form: ImportForm) -> int:
    days = propose_holidays(form.country.data, years=[form.year.data], region=form.region.data or "")
    with write() as uow:
        return len(save_proposals(uow, days, change=change()))


def _today() -> date:
    return wall_of(now(), zone=site().zone).date()


def _shown_year() -> int:
    year = request.args.get("year", type=int)
    return year if year is not None and year in YEARS else _today().year


def _year(year: int) -> dict[str, Any]:
    """Everything the year shows. Three statements."""
    entries, week, today = list_holidays(g.read, year=year), load_week(g.read), _today()
    by_state = {state: [entry for entry in entries if entry.state == state] for state in (PROPOSED, ACCEPTED, IGNORED)}
    return {
        "year": year,
        "months": draw_year(year, entries, week=week, today=today),
        **by_state,
        "review_year": year_to_review(today, list_reviewed_years(g.read)),
        "may_edit": may("calendar.edit"),
    }


def _form_values(form: HolidayForm, title: str, url: str) -> dict[str, Any]:
    return {"form": form, "title": title, "url": url, "cancel_url": url_for("holidays.show", year=_shown_year())}


def _changed(year: int, message: str) -> Response:
    """The year as it is now: swapped in for htmx, a redirect for everybody else."""
    if wants_partial():
        return dialog_done(render_template("holidays/_year.html", **_year(year)), "#holidays-year")
    return saved(url_for("holidays.show", year=year), message)

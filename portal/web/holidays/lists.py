"""Days to choose from: the lists of countries and regions, and iCal files."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.holiday_lists import propose_holidays
from portal.services.holiday_feed_reading import MAX_BYTES, propose_file
from portal.services.holidays import save_proposals
from portal.web.auth import requires
from portal.web.holidays import bp
from portal.web.holidays.forms import FileForm, ImportForm
from portal.web.holidays.page import answer_changed, count_days
from portal.web.holidays.place import Place, find_place
from portal.web.htmx import refused, render_partial
from portal.web.state import change, write

IMPORT = ("holidays/import.html", "holidays/_import.html")
FILE = ("holidays/file.html", "holidays/_file.html")
Answer = Response | str | tuple[str, int]


@bp.route("/import", methods=["GET", "POST"])
@requires("calendar.edit")
def import_list() -> Answer:
    """Propose the days of a country and region. A GET with a country offers its regions."""
    place = find_place()
    form = ImportForm(request.form if request.method == "POST" else request.args)
    form.offer_choices()
    if form.year.data is None:
        form.year.data = place.year
    values: dict[str, Any] = {"form": form, "place": place}
    if request.method == "GET":
        return render_partial(*IMPORT, **values)
    if not form.validate():
        return refused(*IMPORT, **values)
    try:
        added = _import(place, form)
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*IMPORT, **values)
    if not added:
        form.form_errors.append("The list has no days for this year that are not in the calendar already.")
        return refused(*IMPORT, **values)
    shown = Place(place.head, place.others, form.year.data, None, place.today)
    return answer_changed(shown, f"{count_days(added)} proposed. Accept the ones you keep.")


@bp.route("/file", methods=["GET", "POST"])
@requires("calendar.edit")
def read_file() -> Answer:
    """Propose the days of an iCal file from somebody's own disk."""
    place, form = find_place(), FileForm()
    values: dict[str, Any] = {"form": form, "place": place}
    if request.method == "GET":
        return render_partial(*FILE, **values)
    data = _sent(form)
    if not form.validate() or not data or len(data) > MAX_BYTES:
        words = "The file is larger than 5 MB." if len(data) > MAX_BYTES else "Choose a calendar file."
        form.file.errors = [words]
        return refused(*FILE, **values)
    try:
        with write() as uow:
            added, fault = propose_file(uow, data, calendar_id=place.calendar_id, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*FILE, **values)
    if not added:
        form.form_errors.append(fault or "The file has no days from today on that are not in the calendar already.")
        return refused(*FILE, **values)
    return answer_changed(place, f"{count_days(added)} proposed. Accept the ones you keep. {fault}".strip())


def _sent(form: FileForm) -> bytes:
    """The file, or one byte more than it may have. Nothing where a text stands in its place."""
    if not isinstance(form.file.data, FileStorage):
        return b""
    with closing(form.file.data) as file:
        return bytes(file.read(MAX_BYTES + 1))


def _import(place: Place, form: ImportForm) -> int:
    days = propose_holidays(form.country.data, years=[form.year.data], region=form.region.data or "")
    with write() as uow:
        return len(save_proposals(uow, days, calendar_id=place.calendar_id, change=change()))

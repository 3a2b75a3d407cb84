"""The year or month that every change answers with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import flash, g, render_template, request
from werkzeug.wrappers import Response

from portal.core.calendars import year_to_review
from portal.services.calendars import load_hours
from portal.services.holiday_feeds import list_differences
from portal.services.holiday_rules import list_rules
from portal.services.holidays import (
    ACCEPTED,
    IGNORED,
    PROPOSED,
    HolidayEntry,
    list_holidays,
    list_reviewed_years,
    say_state,
)
from portal.web.auth import may
from portal.web.holidays.calendar import RULE, draw_month, draw_year, mark_days
from portal.web.holidays.place import Place
from portal.web.htmx import dialog_done, saved, wants_partial

PUBLIC, ALL = "public", "all"
MISSED = "Somebody decided otherwise meanwhile, and that stays:"


def page_values(place: Place) -> dict[str, Any]:
    """Everything the page shows. Five statements."""
    calendar_id, week = place.calendar_id, load_hours(g.read, place.calendar_id).week
    entries = list_holidays(g.read, year=place.year, calendar_id=calendar_id)
    rules = list_rules(g.read, calendar_id, today=place.today)
    marks = mark_days(place.year, entries, rules)
    if place.month:
        months = [draw_month(date(place.year, place.month, 1), marks, week=week, today=place.today)]
        marks = [mark for mark in marks if mark.on.month == place.month]
    else:
        months = draw_year(place.year, marks, week=week, today=place.today)
    return {
        "place": place,
        "months": months,
        "proposed": [mark.entry for mark in marks if mark.state == PROPOSED],
        "closed": [mark for mark in marks if mark.state in (ACCEPTED, RULE)],
        "ignored": [mark.entry for mark in marks if mark.state == IGNORED],
        "differences": list_differences(g.read, calendar_id, today=place.today),
        "review_year": year_to_review(place.today, list_reviewed_years(g.read, calendar_id)),
        "choose": request.args.get("choose", PUBLIC),
        "may_edit": may("calendar.edit"),
    }


def answer_changed(place: Place, message: str, *, missed: Sequence[HolidayEntry] = ()) -> Response:
    """The page as it is now: swapped in for htmx, a redirect for everybody else. `missed`: days that somebody else
    decided otherwise meanwhile."""
    told = [say_state(entry) for entry in missed]
    if wants_partial():
        values = page_values(place)
        return dialog_done(
            render_template("holidays/_year.html", **values, done=message, missed=told), "#holidays-year"
        )
    if told:
        flash(f"{MISSED} {'; '.join(told)}.", "warn")
    return saved(place.url("show"), message)


def count_days(number: int) -> str:
    """`1 day is`, `3 days are`."""
    return "1 day is" if number == 1 else f"{number} days are"

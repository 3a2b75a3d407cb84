"""The holiday page itself: the year and the month, and decisions about the days that are proposed."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request
from werkzeug.wrappers import Response

from portal.core.calendars import Holiday, Period
from portal.core.errors import DomainError
from portal.services.holidays import HolidayEntry, decide_holidays, find_holiday
from portal.web.auth import requires
from portal.web.holidays import bp
from portal.web.holidays.forms import read_part
from portal.web.holidays.page import answer_changed, count_days, page_values
from portal.web.holidays.place import find_place
from portal.web.holidays.previews import preview_days
from portal.web.htmx import refused, render_partial
from portal.web.state import change, write

HALF = "12:00-24:00"
EFFECTS = ("holidays/effects.html", "holidays/_effects.html")


@dataclass(frozen=True)
class Choice:
    """What was chosen: marks by id, and what is to be done with the days. `closed` None: as they are proposed."""

    seen: dict[int, str]
    decision: str
    closed: Period | None

    @property
    def is_accepted(self) -> bool:
        return self.decision != "ignore"


@bp.get("")
@requires("schedule.view")
def show() -> str:
    """A year or a month at a glance, what is proposed, and every closed day."""
    return render_partial("holidays/show.html", "holidays/_year.html", **page_values(find_place()))


@bp.post("/decide")
@requires("calendar.edit")
def decide() -> Response | tuple[str, int]:
    """Accept, accept in part or ignore: one day by its own button, or all that are ticked."""
    place = find_place()
    try:
        choice = _choice()
    except DomainError as error:
        return refused("holidays/show.html", "holidays/_year.html", **page_values(place), wrong=str(error))
    with write() as uow:
        decided = decide_holidays(uow, choice.seen, accept=choice.is_accepted, closed=choice.closed, change=change())
    words = "accepted" if choice.is_accepted else "ignored"
    message = f"{count_days(len(decided.done))} {words}." if decided.done or not decided.missed else ""
    return answer_changed(place, message, missed=decided.missed)


@bp.post("/effects")
@requires("calendar.edit")
def effects() -> str | tuple[str, int]:
    """What accepting the chosen days would change. Changes nothing."""
    place = find_place()
    try:
        choice = _choice()
    except DomainError as error:
        return refused("holidays/show.html", "holidays/_year.html", **page_values(place), wrong=str(error))
    days = [day for day in (find_holiday(g.read, one) for one in choice.seen) if day]
    return render_partial(
        *EFFECTS,
        place=place,
        days=days,
        effects=preview_days(place, [_planned(day, choice.closed) for day in days]),
        half=request.form.get("half", ""),
        is_half=choice.closed is not None,
    )


def _planned(day: HolidayEntry, closed: Period | None) -> Holiday:
    return Holiday(day.on, day.name, closed or day.closed)


def _choice() -> Choice:
    """Raises DomainError when the closed part makes no sense."""
    for decision in ("accept", "ignore"):
        if one := request.form.get(decision):
            part = request.form.get("closed")
            return Choice(_marks([one]), decision, read_part(part) if part is not None else None)
    decision = request.form.get("decision", "ignore")
    closed = read_part(request.form.get("half")) if decision == "half" else None
    return Choice(_marks(request.form.getlist("ids")), decision, closed)


def _marks(texts: list[str]) -> dict[int, str]:
    """`12-a1b2c3`: the id of a day and what was seen of it."""
    pairs = (text.partition("-") for text in texts)
    return {int(number): mark for number, _, mark in pairs if number.isdecimal() and len(number) < 16}

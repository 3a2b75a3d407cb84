"""One page: every holiday to come, who is on call on it, and what the roster of that day is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import g, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.roster import HolidayPolicy, RosterDuty
from portal.core.wallclock import wall_of
from portal.services.holiday_policies import (
    Choice,
    HolidayDay,
    fingerprint_of_days,
    list_holiday_days,
    save_choices,
)
from portal.services.schedules import StoredSchedule, list_members, load_schedule
from portal.web.auth import may, requires
from portal.web.holiday_duty import bp
from portal.web.htmx import refused, render_partial, saved
from portal.web.roster_frame import asked_schedule, member_label, roster_frame, schedule_args
from portal.web.state import change, now, write

PAGE = ("holiday_duty/index.html", "holiday_duty/_days.html")
_PLAIN = {
    "normal": Choice(),
    "everyone": Choice(HolidayPolicy.EVERYONE),
    "nobody": Choice(HolidayPolicy.NOBODY),
}
_WORDS = [("normal", "As usual"), ("everyone", "Everyone"), ("nobody", "Nobody; managers ring")]
_PERSON = "person:"
Answer = Response | str | tuple[str, int]


@bp.get("")
@requires("schedule.view")
def index() -> str:
    """The holidays of the coming fourteen months."""
    return render_partial(*PAGE, **_page(asked_schedule()))


@bp.post("")
@requires("schedule.edit")
def decide() -> Answer:
    """Show what was chosen, for one day or like one day for all; or save it."""
    stored = asked_schedule()
    choices, seen = _chosen(stored), request.form.get("seen", "")
    like = _read_date(request.form.get("like", ""))
    if like in choices:
        choices = dict.fromkeys(choices, choices[like])
    if request.form.get("do") != "save":
        return render_partial(*PAGE, **_page(stored, choices=choices, seen=seen))
    try:
        with write() as uow:
            changed = save_choices(uow, choices, seen=seen, now=now(), change=change(), schedule_id=stored.head.id)
    except DomainError as error:
        return refused(*PAGE, **_page(load_schedule(g.read, stored.head.id), choices=choices, refusal=str(error)))
    words = "1 day is" if changed == 1 else f"{changed} days are"
    message = f"{words} decided, and the roster says so." if changed else "Nothing was changed."
    return saved(url_for("holiday_duty.index", **schedule_args(stored.head.id)), message)


def _chosen(stored: StoredSchedule) -> dict[date, Choice]:
    """What each day's list was set to; what makes no sense is left out."""
    found = {}
    for key, value in request.form.items():
        on, choice = _read_date(key.removeprefix("day-")), _read_choice(value)
        is_known = choice is not None and choice.person_id in (None, *stored.names)
        if key.startswith("day-") and on is not None and choice is not None and is_known:
            found[on] = choice
    return found


def _read_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_choice(text: str) -> Choice | None:
    number = text.removeprefix(_PERSON)
    if text.startswith(_PERSON) and number.isdecimal() and len(number) < 16:
        return Choice(HolidayPolicy.PERSON, int(number))
    return _PLAIN.get(text)


def _page(
    stored: StoredSchedule, *, choices: Mapping[date, Choice] | None = None, seen: str = "", refusal: str = ""
) -> dict[str, Any]:
    """`seen` is kept while somebody tries things out, so that what others save meanwhile is noticed."""
    schedule_id = stored.head.id
    days = list_holiday_days(g.read, now=now(), schedule_id=schedule_id, choices=choices)
    return {
        "days": [_row(day, stored) for day in days],
        "choices": [*_WORDS, *_people(stored, days)],
        "seen": seen or fingerprint_of_days(g.read, schedule_id=schedule_id),
        "is_tried": choices is not None,
        "refusal": refusal,
        "may_edit": may("schedule.edit"),
        "url": url_for("holiday_duty.index", **schedule_args(schedule_id)),
        **roster_frame(stored, "holiday_duty.index"),
    }


def _people(stored: StoredSchedule, days: list[HolidayDay]) -> list[tuple[str, str]]:
    """Everybody who can be chosen, and whoever was and cannot any more: they stay to be seen."""
    members = {one.id: member_label(one) for one in list_members(g.read) if one.is_active}
    chosen = {day.choice.person_id for day in days if day.choice.person_id is not None}
    gone = {one: f"{stored.names[one]} (cannot be on call)" for one in sorted(chosen - set(members))}
    return [(f"{_PERSON}{one}", f"Only {label}") for one, label in {**members, **gone}.items()]


def _row(day: HolidayDay, stored: StoredSchedule) -> dict[str, Any]:
    policy, person = day.choice.policy, day.choice.person_id
    return {
        "day": day,
        "value": f"{_PERSON}{person}" if policy is HolidayPolicy.PERSON else str(policy),
        "duties": [(stored.names[duty.person_id], _hours(duty, stored)) for duty in day.duties],
    }


def _hours(duty: RosterDuty, stored: StoredSchedule) -> str:
    """`00:00–08:00`; nothing for the whole date."""
    starts, ends = (wall_of(at, zone=stored.roster.zone) for at in (duty.starts_at, duty.ends_at))
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else "24:00"
    text = f"{starts:%H:%M}–{until}"
    return "" if text == "00:00–24:00" else text

"""The check of a roster, its panel on the calendar, everybody's share, and the sheet for pay."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.fairness import SHOWN, TITLES, define_kinds
from portal.core.findings import Severity
from portal.services.fairness import (
    Days,
    build_pay_sheet,
    check_days,
    load_fairness,
    note_pay_sheet,
    today_of,
)
from portal.services.roster_lint import load_check
from portal.services.schedules import StoredSchedule
from portal.web.auth import may, requires
from portal.web.roster_frame import asked_schedule, roster_frame, schedule_args
from portal.web.roster_report import bp
from portal.web.roster_report.bars import draw_rows, say_hours
from portal.web.roster_report.places import link_to
from portal.web.state import change, now, write

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("")
@requires("schedule.view")
def show() -> str:
    """What the next twelve months lack."""
    stored = asked_schedule()
    check = load_check(g.read, stored.head.id, now=now())
    counts = dict.fromkeys(Severity, 0)
    for group in check.groups:
        for one in (*group.shown, *group.more):
            counts[one.severity] += 1
    links = {place: link_to(place, stored.head) for place in {one.place for group in check.groups
                                                              for one in (*group.shown, *group.more)}}  # fmt: skip
    values = {"check": check, "counts": counts, "links": links, "pages": _pages(stored, "roster_report.show")}
    return render_template("roster_report/check.html", **values, **_frame(stored))


@bp.get("/panel")
@requires("schedule.view")
def panel() -> str:
    """The worst of it, for the calendar page, which asks for it when it is shown."""
    stored = asked_schedule()
    check = load_check(g.read, stored.head.id, now=now())
    groups = [group for group in check.groups if group.severity is not Severity.INFO]
    return render_template("roster_report/_panel.html", check=check, groups=groups, own=schedule_args(stored.head.id))


@bp.get("/fairness")
@requires("schedule.view")
def fairness() -> str | tuple[str, int]:
    """Everybody's share of nights, weekends and holidays, and their pages."""
    stored = asked_schedule()
    days, wrong = _asked_days(stored)
    found = load_fairness(g.read, stored.head.id, days)
    asked = {"first": days.first.isoformat(), "last": days.last.isoformat(), **schedule_args(stored.head.id)}
    values = {
        "found": found,
        "rows": draw_rows(found),
        "average": [say_hours(found.average.hours(kind)) for kind in SHOWN],
        "average_total": say_hours(found.average.total.total_seconds() / 3600),
        "titles": [(str(kind), TITLES[kind]) for kind in SHOWN],
        "definitions": [(TITLES[kind], define_kinds(found.night)[kind]) for kind in SHOWN],
        "wrong": wrong,
        "pay_url": url_for("roster_report.pay", **asked) if may("schedule.pay") else "",
        "pages": _pages(stored, "roster_report.fairness"),
    }
    page = render_template("roster_report/fairness.html", **values, **_frame(stored))
    return (page, 422) if wrong else page


@bp.post("/pay.xlsx")
@requires("schedule.pay")
def pay() -> Response:
    """Hours by kind, person and month as a spreadsheet. A POST: it leaves a trace of who took them."""
    stored = asked_schedule()
    days, wrong = _asked_days(stored)
    if wrong:
        raise DomainError(wrong)
    name, data = build_pay_sheet(g.read, stored.head.id, days, now=now())
    with write() as uow:
        note_pay_sheet(uow, stored.head.id, days, change=change())
    response = Response(data, mimetype=_XLSX)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _asked_days(stored: StoredSchedule) -> tuple[Days, str]:
    """The days of the address, or the usual ones and what was wrong with those."""
    today = today_of(g.read, stored.head.id, now=now())
    try:
        return check_days(_date("first"), _date("last"), today=today), ""
    except DomainError as error:
        return check_days(None, None, today=today), str(error)


def _date(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DomainError("Write a day like 2026-12-31.") from None


def _pages(stored: StoredSchedule, current: str) -> list[tuple[str, str, bool]]:
    own = schedule_args(stored.head.id)
    pages = (("roster_report.show", "Check"), ("roster_report.fairness", "Fairness and pay"))
    return [(text, url_for(endpoint, **own), endpoint == current) for endpoint, text in pages]


def _frame(stored: StoredSchedule) -> dict[str, Any]:
    return {**roster_frame(stored, "roster_report.show"), "own": schedule_args(stored.head.id)}

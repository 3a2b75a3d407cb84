"""From what was found to the page where something can be done about it."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

from portal.core.findings import Place
from portal.models import SITE_CALENDAR
from portal.models.versions import Head
from portal.web.auth import may_visit
from portal.web.roster_frame import schedule_args


def link_to(place: Place, head: Head) -> tuple[str, str] | None:
    """Words and address; None where the reader may not go, or the page is not there."""
    words, endpoint, values = _target(place, head)
    if endpoint not in current_app.view_functions or not may_visit(endpoint):
        return None
    return words, url_for(endpoint, **values)


def _target(place: Place, head: Head) -> tuple[str, str, dict[str, Any]]:
    own = schedule_args(head.id)
    match place.area:
        case "shift":
            return "Open the shift", "oncall.edit", {"shift_id": place.id, **own}
        case "rotation":
            return "Open the rotations", "oncall.rotations", own
        case "override":
            return "Open the exceptions", "overrides.index", own
        case "person":
            return "Open the person", "people.edit", {"user_id": place.id}
        case "holidays":
            return "Open the holidays", "holidays.show", _holidays(place, head)
    on = {"on": place.on.isoformat()} if place.on else {}
    return "Open the week", "oncall.show", {**on, **own}


def _holidays(place: Place, head: Head) -> dict[str, Any]:
    calendar = {"calendar": head.calendar_id} if head.calendar_id not in (None, SITE_CALENDAR) else {}
    return {**({"year": place.on.year} if place.on else {}), **calendar}

"""What the pages of the on-call area have around them: its sections, and the schedules to choose from.

Several folders make up the area and do not know each other; who is not installed is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, current_app, g, request, url_for

from portal.core.errors import DomainError
from portal.models import SITE_SCHEDULE
from portal.services.schedules import Member, StoredSchedule, list_schedules, load_schedule
from portal.web.auth import may_visit

_SECTIONS = (
    ("oncall.show", "Calendar"),
    ("oncall.who", "Who when"),
    ("oncall.mine", "My shifts"),
    ("oncall.rotations", "Rotations"),
    ("overrides.index", "Exceptions"),
    ("holiday_duty.index", "Holidays"),
    ("swaps.index", "Swaps"),
    ("roster_report.show", "Check"),
    ("feeds.index", "Feeds"),
    ("oncall.schedules", "Schedules"),
)
# These show all schedules at once.
_OF_ALL = ("oncall.mine", "swaps.index", "feeds.index", "oncall.schedules")


def asked_schedule() -> StoredSchedule:
    """The schedule that the address asks for (`?schedule=`), the site's own unless it does; 404 when it is gone."""
    try:
        return load_schedule(g.read, request.args.get("schedule", SITE_SCHEDULE, type=int))
    except DomainError:
        abort(404)


def schedule_args(schedule_id: int) -> dict[str, Any]:
    """What a link carries to stay in a schedule; nothing for the site's own."""
    return {} if schedule_id == SITE_SCHEDULE else {"schedule": schedule_id}


def roster_frame(stored: StoredSchedule, endpoint: str) -> dict[str, Any]:
    """For `oncall/_frame.html`: `endpoint` is the section's first page."""
    own = schedule_args(stored.head.id)
    there = [(name, text) for name, text in _SECTIONS if name in current_app.view_functions and may_visit(name)]
    heads = list_schedules(g.read)
    choices = [
        (one.name, url_for(endpoint, schedule=one.id), one.id == stored.head.id)
        for one in heads
        if endpoint not in _OF_ALL
    ]
    return {
        "sections": [(text, url_for(name, **own), name == endpoint) for name, text in there],
        "schedules": choices if len(choices) > 1 else [],
        "schedule_name": stored.head.name,
        "zone_name": stored.roster.zone.key,
        "here": own,
    }


def member_label(member: Member) -> str:
    """A member in a list to choose from."""
    if not member.is_active:
        return f"{member.name} (disabled)"
    return member.name if member.has_phone else f"{member.name} (no phone yet)"


def asked_wall(name: str) -> datetime | None:
    """A moment of wall-clock time in the address; None when there is none that makes sense."""
    try:
        return datetime.fromisoformat(request.args.get(name, "")).replace(tzinfo=None)
    except ValueError:
        return None

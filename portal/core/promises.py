"""When somebody will look at a request, as one sentence for the requester."""

from __future__ import annotations

from datetime import datetime

from portal.core.calendars import BusinessHours, next_opening

URGENT = "If it is an emergency, reply with the one word URGENT."


def promise_answer(hours: BusinessHours, *, now: datetime, is_paged: bool, may_confirm: bool = False) -> str:
    """Open or paged: soon; closed: the next opening. "" where the hours name none.

    `may_confirm`: a reply with the word URGENT would page (core/paging.py), so the requester is told.
    """
    if is_paged:
        return "The person on call has been told and will look at it."
    opens_at = next_opening(hours, now)
    if opens_at == now:
        return "We are open and will look at it soon."
    opening = format_opening(hours, now=now)
    promise = f"We are closed now and will look at it {opening}." if opening else ""
    return " ".join(filter(None, (promise, URGENT if may_confirm else "")))


def format_opening(hours: BusinessHours, *, now: datetime) -> str:
    """`today from 08:00`, `tomorrow from ...`, `on Monday, 23 November from ...`: the next opening on the site's clock.

    "" where the hours name none.
    """
    opens_at = next_opening(hours, now)
    if opens_at is None:
        return ""
    local, today = opens_at.astimezone(hours.zone), now.astimezone(hours.zone).date()
    days = (local.date() - today).days
    day = {0: "today", 1: "tomorrow"}.get(days, f"on {local:%A}, {local.day} {local:%B}")
    return f"{day} from {local:%H:%M}"

"""When somebody will look at a request, as one sentence for the requester."""

from __future__ import annotations

from datetime import datetime

from portal.core.calendars import BusinessHours, next_opening
from portal.core.mail_phrases import phrases_of


def promise_answer(hours: BusinessHours, *, now: datetime, is_paged: bool, language: str = "en") -> str:
    """Open or paged: soon; closed: the next opening. "" where the hours name none."""
    phrases = phrases_of(language)
    if is_paged:
        return phrases.told
    if next_opening(hours, now) == now:
        return phrases.open_now
    opening = format_opening(hours, now=now, language=language)
    return phrases.closed.format(opening) if opening else ""


def format_opening(hours: BusinessHours, *, now: datetime, language: str = "en") -> str:
    """`today from 08:00`, `tomorrow from ...`, `on Monday, 23 November from ...`: the next opening on the site's clock.

    "" where the hours name none.
    """
    opens_at = next_opening(hours, now)
    if opens_at is None:
        return ""
    phrases, local = phrases_of(language), opens_at.astimezone(hours.zone)
    days = (local.date() - now.astimezone(hours.zone).date()).days
    day = {0: phrases.today, 1: phrases.tomorrow}.get(days) or phrases.format_day(local.date())
    return phrases.from_time.format(day, f"{local:%H:%M}")

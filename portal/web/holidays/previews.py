"""What a decision would change, for the page that asks before it is taken."""

from __future__ import annotations

from collections.abc import Sequence

from flask import g

from portal.core.calendars import Holiday, YearlyHoliday
from portal.core.holiday_effects import plan_days, plan_rule
from portal.core.holiday_rules import next_dates
from portal.services.calendars import load_hours
from portal.services.holiday_effects import Effects, load_effects
from portal.web.holidays.place import Place
from portal.web.state import now

_SHOWN_DATES = 3


def preview_days(place: Place, closed: Sequence[Holiday] = (), *, removed: Sequence[Holiday] = ()) -> Effects:
    """What closing days would change; `removed`: those that are moved, changed or removed."""
    after = plan_days(load_hours(g.read, place.calendar_id), closed=closed, removed=removed)
    days = {(one.on, one.name) for one in (*closed, *removed)}
    return load_effects(g.read, after, days, now=now(), calendar_id=place.calendar_id)


def preview_exception(place: Place, day: Holiday) -> Effects:
    """What it would change if a rule said nothing of one date."""
    after = plan_days(load_hours(g.read, place.calendar_id), ignored=(day,))
    return load_effects(g.read, after, [(day.on, day.name)], now=now(), calendar_id=place.calendar_id)


def preview_rule(place: Place, *, before: YearlyHoliday | None = None, after: YearlyHoliday | None = None) -> Effects:
    """What a rule would change on its next dates, and on those of the rule it takes the place of."""
    planned = plan_rule(load_hours(g.read, place.calendar_id), before=before, after=after)
    days = {
        (on, one.name)
        for one in (before, after)
        if one is not None
        for on in next_dates(one.rule, place.today, count=_SHOWN_DATES)
    }
    return load_effects(g.read, planned, days, now=now(), calendar_id=place.calendar_id)

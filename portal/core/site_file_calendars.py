"""Calendars in the settings file: which keys say when the shop is open."""

from __future__ import annotations

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS
from portal.core.site_file_nodes import Key, Kind

HOURS_KEYS = tuple(
    Key(key, Kind.TEXTS, f"Periods of {name}.") for key, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True)
)
SPECIAL_KEYS = (
    Key("kind", Kind.TEXT, "`closed`, or `open`: an extra opening, also on a holiday.", default="closed"),
    Key("from", Kind.MOMENT, "Like `2026-12-31 14:00`, on the calendar's clock.", is_required=True),
    Key("to", Kind.MOMENT, "Like `2026-12-31 24:00`.", is_required=True),
    Key("name", Kind.TEXT, "Why.", default=""),
)
CALENDAR_KEYS = (
    Key("name", Kind.TEXT, "Finds the calendar again.", is_required=True),
    Key("site", Kind.FLAG, "`true`: the site's own, which is always there, whatever it is called.", default=False),
    Key("zone", Kind.TEXT, 'The clock on its wall; `""`: the site\'s.', noun="zone"),
    Key("hours", Kind.MAP, "Its business hours, as in the section `hours`.", keys=HOURS_KEYS),
    Key("special_hours", Kind.MAPS, "Its closures and extra openings.", keys=SPECIAL_KEYS),
)

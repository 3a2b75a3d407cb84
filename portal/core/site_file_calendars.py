"""Calendars in the settings file: which keys say when the shop is open."""

from __future__ import annotations

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS
from portal.core.site_file_nodes import Key, Kind

_CLOSED = Key(
    "closed", Kind.TEXT, "Which part of the day is closed; half a day is `13:00-24:00`.", default="00:00-24:00"
)
HOURS_KEYS = tuple(
    Key(key, Kind.TEXTS, f"Periods of {name}.") for key, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True)
)
SPECIAL_KEYS = (
    Key("kind", Kind.TEXT, "`closed`, or `open`: an extra opening, also on a holiday.", default="closed"),
    Key("from", Kind.MOMENT, "Like `2026-12-31 14:00`, on the calendar's clock.", is_required=True),
    Key("to", Kind.MOMENT, "Like `2026-12-31 24:00`.", is_required=True),
    Key("name", Kind.TEXT, "Why.", default=""),
)
HOLIDAY_KEYS = (
    Key("date", Kind.DATE, "Like `2026-12-25`.", is_required=True),
    Key("name", Kind.TEXT, "What the day is called.", is_required=True),
    Key("state", Kind.TEXT, "`accepted`, or `ignored`: a working day here.", default="accepted"),
    _CLOSED,
)
HOLIDAY_RULE_KEYS = (
    Key("name", Kind.TEXT, "What the day is called.", is_required=True),
    Key("rule", Kind.TEXT, "When, such as `12-24`, `4th thu nov` or `easter +1`.", is_required=True),
    Key("first_year", Kind.NUMBER, "From which year on; left out, always."),
    Key("last_year", Kind.NUMBER, "Until which year; left out, for ever."),
    _CLOSED,
)
CALENDAR_KEYS = (
    Key("name", Kind.TEXT, "Finds the calendar again.", is_required=True),
    Key("site", Kind.FLAG, "`true`: the site's own, which is always there, whatever it is called.", default=False),
    Key("zone", Kind.TEXT, 'The clock on its wall; `""`: the site\'s.', noun="zone"),
    Key("hours", Kind.MAP, "Its business hours, as in the section `hours`.", keys=HOURS_KEYS),
    Key("special_hours", Kind.MAPS, "Its closures and extra openings.", keys=SPECIAL_KEYS),
    Key("holidays", Kind.MAPS, "Its days off.", keys=HOLIDAY_KEYS),
    Key("holiday_rules", Kind.MAPS, "Its days off of every year.", keys=HOLIDAY_RULE_KEYS),
)

"""Schedules in the settings file: which keys say who is on call."""

from __future__ import annotations

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS
from portal.core.roster import HolidayPolicy, OverrideKind
from portal.core.rotations import Unit
from portal.core.site_file_nodes import Key, Kind


def _one_of(words: type[Unit | OverrideKind | HolidayPolicy]) -> str:
    return "One of: " + ", ".join(f"`{word}`" for word in words) + "."


_LEVEL = Key("level", Kind.NUMBER, "Where several overlap, only the highest level counts.", default=0)
SHIFT_KEYS = (
    Key("person", Kind.TEXT, "Mail address.", is_required=True),
    Key("starts", Kind.MOMENT, "Like `2026-11-21 17:00`.", is_required=True),
    Key("ends", Kind.MOMENT, "Like `2026-11-22 08:00`.", is_required=True),
    _LEVEL,
    Key("note", Kind.TEXT, "Shown in the calendar.", default=""),
)
_WEEK = tuple(Key(key, Kind.TEXTS, f"Periods of {name}.") for key, name in zip(WEEKDAYS, WEEKDAY_NAMES, strict=True))
_ROTATION = (
    Key("name", Kind.TEXT, "Finds the rotation again when it changes.", default=""),
    Key("people", Kind.TEXTS, "Mail addresses in the order of their turns.", is_required=True),
    Key("starts", Kind.MOMENT, "The first hand-off; every later one has its time of day.", is_required=True),
    Key("since", Kind.MOMENT, "Nothing before counts; for a change to come. Left out, from the first hand-off."),
    Key("unit", Kind.TEXT, f"What a turn is measured in. {_one_of(Unit)}", default="week"),
    Key("every", Kind.NUMBER, "A turn lasts so many units; with `by_shift`, so many shifts.", default=1),
    Key("ends", Kind.MOMENT, "When it stops; left out, never."),
    Key("week", Kind.MAP, "When, within a turn, its person is on call; left out, always.", keys=_WEEK),
    Key("by_shift", Kind.FLAG, "`true`: each period of `week` is a shift, turns count them.", default=False),
    _LEVEL,
)
_OVERRIDE = (
    Key("kind", Kind.TEXT, _one_of(OverrideKind), is_required=True),
    Key("person", Kind.TEXT, "Mail address of who is on call too, is not, or stands in.", is_required=True),
    Key("instead_of", Kind.TEXT, "For `replace`: for whom; left out, for everybody.", default=""),
    Key("starts", Kind.MOMENT, "Like `2026-11-21 17:00`.", is_required=True),
    Key("ends", Kind.MOMENT, "Like `2026-11-22 08:00`.", is_required=True),
    Key("note", Kind.TEXT, "Shown in the calendar.", default=""),
)
_HOLIDAY = (
    Key("date", Kind.DATE, "Like `2026-12-25`: from midnight to midnight.", is_required=True),
    Key("policy", Kind.TEXT, _one_of(HolidayPolicy), is_required=True),
    Key("person", Kind.TEXT, "For `person`: mail address.", default=""),
)
SCHEDULE_KEYS = (
    Key("name", Kind.TEXT, "Finds the schedule again.", is_required=True),
    Key("site", Kind.FLAG, "`true`: the site's own, which is always there, whatever it is called.", default=False),
    Key("zone", Kind.TEXT, 'The clock on its wall; `""`: the site\'s.', noun="zone"),
    Key("calendar", Kind.TEXT, 'Business hours in which nobody needs to be on call; `""`: the site\'s.'),
    Key("members", Kind.TEXTS, "Mail addresses of who is “everyone”; an empty list: all who can be on call."),
    Key(
        "shifts",
        Kind.MAPS,
        "People on call from one time to another. Those of the site's own may stand in the section `shifts` instead.",
        keys=SHIFT_KEYS,
    ),
    Key("rotations", Kind.MAPS, "People who take turns.", keys=_ROTATION),
    Key("overrides", Kind.MAPS, "Exceptions. Where they overlap, the later one in the list counts.", keys=_OVERRIDE),
    Key("holidays", Kind.MAPS, "Who is on call on a holiday instead.", keys=_HOLIDAY),
)

"""One event of a calendar file. How whole files are read stands in test_ical_read.py."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.ical_events import BrokenEventError, EventReader
from portal.core.ical_lines import Line, read_calendars
from portal.core.ical_zones import DescribedZone, NamedZone
from tests.calendar_files import calendar_file

BERLIN = NamedZone(ZoneInfo("Europe/Berlin"))
READER = EventReader(BERLIN, {"Half": DescribedZone(timedelta(minutes=30), ()), "Broken": None})


def plan(*lines):
    return READER.plan(read_calendars(calendar_file("\n".join(lines)))[0][0].children[0])


def test_a_time_is_on_the_clock_of_its_zone():
    line = Line("20261121T100000,20261121T100000Z,20261121", {"TZID": "/Half"})
    times = READER.times(line)
    assert [(one.at, one.is_day) for one in times] == [
        (datetime(2026, 11, 21, 9, 30, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 10, tzinfo=UTC), False),
        (datetime(2026, 11, 20, 23, tzinfo=UTC), True),
    ]
    with pytest.raises(BrokenEventError, match="is in a zone that is not known: Broken"):
        READER.times(Line("20261121T100000", {"TZID": "Broken"}))


@pytest.mark.parametrize(
    ("end", "first", "night"),
    [
        ("DTEND;TZID=Europe/Berlin:20261024T060000", 8, 9),  # on the wall: longer when an hour comes twice
        ("DURATION:PT8H", 8, 8),
        ("DURATION:P1D", 24, 25),
        ("DTEND:20261024T040000Z", 8, 8),
    ],
)
def test_an_occurrence_lasts_as_long_as_its_event_on_the_wall_or_exactly(end, first, night):
    event = plan("UID:1", "DTSTART;TZID=Europe/Berlin:20261023T220000", end)
    for day, hours in ((23, first), (24, night)):
        (starts,) = READER.times(Line(f"202610{day}T220000"))
        assert event.ends_at(starts) - starts.at == timedelta(hours=hours)


def test_a_period_ends_at_a_time_or_after_a_length():
    (first, hours), (second, days) = READER.periods(Line("20261024T220000/20261025T060000,20261026T220000/p1d"))
    assert (first.wall.day, hours) == (24, timedelta(hours=9))  # an hour comes twice
    assert (second.wall.day, days) == (26, timedelta(days=1))
    with pytest.raises(BrokenEventError, match="a period that ends before it starts"):
        READER.periods(Line("20261024T220000/-PT1H"))


def test_an_event_knows_which_occurrence_it_changes():
    assert plan("UID:1", "DTSTART:20261023T220000").original is None
    changed = plan("UID:1", "DTSTART:20261023T220000", "RECURRENCE-ID:20261022T220000Z")
    assert changed.original.at == datetime(2026, 10, 22, 22, tzinfo=UTC)

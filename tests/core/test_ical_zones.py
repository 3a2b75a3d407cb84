"""The zones of calendar files."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.ical_lines import read_calendars
from portal.core.ical_zones import DescribedZone, NamedZone, describe_zone, find_zone
from portal.core.intervals import Interval
from tests.calendar_files import GOOGLE, OUTLOOK

WINDOW = Interval(datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
BERLIN = ZoneInfo("Europe/Berlin")


def described(data, number=0):
    zones = [one for one in read_calendars(data)[0][0].children if one.name == "VTIMEZONE"]
    return describe_zone(zones[number], window=WINDOW, spend=lambda days: None)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/example.org/20070129_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_found_by_the_names_programs_give_it(name, key):
    assert find_zone(name) == ZoneInfo(key)


@pytest.mark.parametrize(
    "name", ["", "Customized Time Zone", "America", "../../etc/passwd", "x" * 9000, "a\0b", "(UTC+01:00) Rome"]
)
def test_what_is_no_zone_is_not_found(name):
    assert find_zone(name) is None


@pytest.mark.parametrize("data", [GOOGLE, OUTLOOK], ids=["google", "outlook"])
def test_a_described_zone_is_right_at_every_quarter_of_both_odd_nights(data):
    zone, named = described(data), NamedZone(BERLIN)
    for day in (datetime(2026, 3, 28), datetime(2026, 10, 24)):
        for quarter in range(3 * 96):
            wall = day + timedelta(minutes=15 * quarter)
            assert zone.instant_of(wall) == named.instant_of(wall), wall
            at = wall.replace(tzinfo=UTC)
            assert zone.wall_of(at) == named.wall_of(at), at


def test_two_files_may_mean_different_zones_by_one_name():
    assert described(OUTLOOK, 1).instant_of(datetime(2026, 12, 1, 12)) == datetime(2026, 12, 1, 11, 30, tzinfo=UTC)
    other = OUTLOOK.replace(b"+0030", b"+0400").replace(b"+0130", b"+0500")
    assert described(other, 1).instant_of(datetime(2026, 12, 1, 12)) == datetime(2026, 12, 1, 8, tzinfo=UTC)


def zone_of(*parts):
    lines = "\n".join(f"BEGIN:STANDARD\n{part}\nEND:STANDARD" for part in parts)
    return f"BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\n{lines}\nEND:VTIMEZONE\nEND:VCALENDAR".encode()


def test_a_zone_that_stopped_changing_its_clock_keeps_its_last_offset():
    zone = described(zone_of(
        "DTSTART:19900325T020000\nTZOFFSETFROM:+0300\nTZOFFSETTO:+0400\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20100327T230000Z",
        "DTSTART:20111030T020000\nTZOFFSETFROM:+0400\nTZOFFSETTO:+033015\nRDATE:20261101T000000",
    ))  # fmt: skip
    assert zone.instant_of(datetime(2026, 1, 1)) == datetime(2025, 12, 31, 20, 29, 45, tzinfo=UTC)
    assert zone.instant_of(datetime(2011, 1, 1)) == datetime(2010, 12, 31, 20, tzinfo=UTC)
    assert zone.wall_of(datetime(1980, 1, 1, tzinfo=UTC)) == datetime(1980, 1, 1, 3)
    assert zone.changes[-3][0].year == 2010 or zone.changes[-3][0].year == 2009


@pytest.mark.parametrize(
    "part",
    ["", "DTSTART:x\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100", "DTSTART:19700101T000000\nTZOFFSETFROM:1\nTZOFFSETTO:+0100",
     "DTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nRRULE:FREQ=SECONDLY",
     "DTSTART:00010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100"],
)  # fmt: skip
def test_nothing_is_made_of_a_broken_description(part):
    assert described(zone_of(part)) is None
    assert described(zone_of()) is None


def test_a_fixed_offset_never_changes():
    zone = DescribedZone(timedelta(hours=-3), ())
    assert zone.instant_of(datetime(2026, 1, 1)) == datetime(2026, 1, 1, 3, tzinfo=UTC)

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.wallclock import instant_of, interval_of, wall_of

ZONES = [
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "wall", "first", "last"),
    [
        ("Europe/Berlin", datetime(2026, 7, 1, 12), utc(2026, 7, 1, 10), utc(2026, 7, 1, 10)),
        # The doubled hour: 02:30 comes twice.
        ("Europe/Berlin", datetime(2026, 10, 25, 2, 30), utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)),
        ("America/New_York", datetime(2026, 11, 1, 1, 0), utc(2026, 11, 1, 5), utc(2026, 11, 1, 6)),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45), utc(2026, 4, 4, 14, 45), utc(2026, 4, 4, 15, 15)),
        # The missing hour: the first instant after it.
        ("Europe/Berlin", datetime(2026, 3, 29, 2, 30), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1)),
        ("Europe/Berlin", datetime(2026, 3, 29, 2, 0), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1)),
        ("Europe/Berlin", datetime(2026, 3, 29, 3, 0), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1)),
        ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 10), utc(2026, 10, 3, 15, 30), utc(2026, 10, 3, 15, 30)),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", datetime(2011, 12, 30, 12), utc(2011, 12, 30, 10), utc(2011, 12, 30, 10)),
    ],
)
def test_a_wall_clock_time_becomes_its_first_or_last_instant(zone, wall, first, last):
    assert instant_of(wall, zone=ZoneInfo(zone)) == first
    assert instant_of(wall, zone=ZoneInfo(zone), last=True) == last


def test_neighbours_overlap_in_the_doubled_hour_and_leave_no_gap():
    zone = ZoneInfo("Europe/London")
    change = datetime(2026, 10, 25, 1, 30)
    before = interval_of(datetime(2026, 10, 24, 18), change, zone=zone)
    after = interval_of(change, datetime(2026, 10, 25, 8), zone=zone)
    assert before.ends_at - after.starts_at == timedelta(hours=1)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from(ZONES), st.booleans())
def test_an_instant_shows_the_wall_clock_it_came_from_or_the_first_after_a_missing_hour(wall, name, last):
    zone = ZoneInfo(name)
    wall = wall.replace(microsecond=0)
    shown = wall_of(instant_of(wall, zone=zone, last=last), zone=zone)
    assert shown >= wall
    if shown > wall:
        just_before = instant_of(wall, zone=zone) - timedelta(seconds=1)
        assert wall_of(just_before, zone=zone) < wall

"""Times as people and programs type and read them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.core.errors import DomainError
from portal.core.instants import format_instant, format_local, parse_instant

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "last", "instant"),
    [
        ("2026-11-21T18:00Z", False, "2026-11-21T18:00:00Z"),
        ("2026-11-21t18:00z", False, "2026-11-21T18:00:00Z"),  # RFC 3339 allows small letters
        ("2026-11-21t24:00z", False, "2026-11-22T00:00:00Z"),
        ("2026-11-21T18:00:30+05:30", False, "2026-11-21T12:30:30Z"),
        ("2026-11-21T18:00", False, "2026-11-21T17:00:00Z"),
        ("20261121T1800", False, "2026-11-21T17:00:00Z"),
        (" 2026-11-21 18:00 ", False, "2026-11-21T17:00:00Z"),
        ("2026-11-21", False, "2026-11-20T23:00:00Z"),
        ("2026-11-21T24:00", False, "2026-11-21T23:00:00Z"),
        ("2026-11-21T24:00:00Z", False, "2026-11-22T00:00:00Z"),
        ("2026-10-25T02:30", False, "2026-10-25T00:30:00Z"),  # shown twice
        ("2026-10-25T02:30", True, "2026-10-25T01:30:00Z"),
        ("2026-10-25T02:30+01:00", False, "2026-10-25T01:30:00Z"),
        ("2026-03-29T02:30", False, "2026-03-29T01:00:00Z"),  # never shown
    ],
)
def test_a_time_is_an_instant_or_what_the_clock_on_the_wall_shows(text, last, instant):
    assert format_instant(parse_instant(text, zone=BERLIN, last=last)) == instant


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-11-21T24:30", "2026-11-21T25:00", "24", "T24:00"])
def test_what_is_no_time_is_said_with_an_example(text):
    with pytest.raises(DomainError, match=r"is not a time\. Write it like 2026-11-21T18:00"):
        parse_instant(text, zone=BERLIN)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+05:00", "9999-12-31T24:00", "1999-12-31"])
def test_a_year_nobody_means_is_refused(text):
    with pytest.raises(DomainError, match="between 2000 and 2199"):
        parse_instant(text, zone=BERLIN)


def test_a_local_time_tells_both_runs_of_a_doubled_hour_apart():
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert format_local(first, zone=BERLIN) == "2026-10-25T02:30:00+02:00"
    assert format_local(second, zone=BERLIN) == "2026-10-25T02:30:00+01:00"

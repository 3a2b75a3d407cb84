from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.invitations import Invitation, read_invitation

ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Office\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\n"
    "TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def calendar(*lines: str, method: str = "METHOD:REQUEST", before: str = "") -> bytes:
    event = "\r\n".join(["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"])
    return f"BEGIN:VCALENDAR\r\n{method}\r\n{before}{event}\r\nEND:VCALENDAR\r\n".encode()


def test_an_invitation_says_what_when_where_and_by_whom():
    lines = ("SUMMARY:Budget\\, part 2", "LOCATION:Room 1", "ORGANIZER;CN=Dana:mailto:dana@customer.example")
    times = ("DTSTART;TZID=Office:20251121T100000", "DTEND;TZID=Office:20251121T110000")
    assert read_invitation(calendar(*lines, *times, before=ZONE)) == Invitation(
        "REQUEST",
        "Budget, part 2",
        datetime(2025, 11, 21, 9, tzinfo=UTC),
        datetime(2025, 11, 21, 10, tzinfo=UTC),
        "Room 1",
        "dana@customer.example",
    )


def test_a_whole_day_is_a_date_and_a_time_without_zone_is_utc():
    whole = read_invitation(calendar("DTSTART;VALUE=DATE:20251121", method="METHOD:cancel"))
    assert (whole.starts, whole.ends, whole.method, whole.title) == (date(2025, 11, 21), None, "CANCEL", "")
    assert read_invitation(calendar("DTSTART:20251121T100000")).starts == datetime(2025, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "data", [b"", b"words", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", calendar("DTSTART:99999999")[:60]]
)
def test_what_holds_no_event_is_none(data):
    assert read_invitation(data) is None


def test_a_broken_time_leaves_the_rest():
    found = read_invitation(calendar("SUMMARY:x", "SUMMARY:y", "DTSTART:nonsense"))
    assert found is None or (found.title, found.starts) == ("x", None)


@given(st.binary(max_size=80))
def test_no_bytes_make_it_raise(data):
    for raw in (data, calendar().replace(b"UID:1", data), calendar("DTSTART:" + data.hex())):
        read_invitation(raw)

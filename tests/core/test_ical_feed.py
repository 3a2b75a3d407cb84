"""The roster as a calendar others subscribe to, read back by a reader that knows nothing of how it was written."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from icalendar import Calendar

from portal.core.ical_feed import FeedDuty, FeedHead, duty_uid, feed_tag, feed_window, make_feed
from portal.core.ical_lines import read_calendars
from portal.core.ical_read import read_events
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, Source, SourceKind, make_roster
from tests.core.test_roster import schedules

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
WINDOW = feed_window(NOW)
HEAD = FeedHead("On call: Bob", BERLIN, "abc.nightdesk")
BOB = 2
DUTY = RosterDuty(
    BOB, datetime(2026, 11, 24, 17, tzinfo=UTC), datetime(2026, 11, 25, 7, tzinfo=UTC), Source(SourceKind.ROTATION, 5)
)
TOLD = FeedDuty(DUTY, "Bob", "", BERLIN, 7, NOW)


def simply_read(data: bytes):
    """Events as dictionaries, with no library: lines unfolded, cut at the first colon."""
    text = re.sub("\r\n ", "", data.decode())
    assert text.endswith("END:VCALENDAR\r\n") and "\n" not in text.replace("\r\n", "")
    events = []
    for line in text.split("\r\n"):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and value and name != "END":
            events[-1][name] = value
    return events


def instant(text):
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def test_a_duty_is_an_event_that_every_program_understands():
    (event,) = simply_read(make_feed(HEAD, [TOLD], window=WINDOW))
    assert event == {
        "UID": "rotation-5-2-20261124T170000Z@abc.nightdesk", "SEQUENCE": "7",
        "DTSTAMP": "20261121T021000Z", "LAST-MODIFIED": "20261121T021000Z",
        "DTSTART": "20261124T170000Z", "DTEND": "20261125T070000Z", "SUMMARY": "On call: Bob",
        "DESCRIPTION": "Tue 24 Nov 2026 18:00 to Wed 25 Nov 2026 08:00\\, Europe/Berlin.\\nA turn of a rotation.",
        "STATUS": "CONFIRMED", "TRANSP": "TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS": "FREE",
    }  # fmt: skip


def test_the_calendar_says_its_name_its_zone_and_how_often_to_look():
    lines = make_feed(HEAD, [], window=WINDOW).decode().split("\r\n")
    wanted = {
        "VERSION:2.0", "METHOD:PUBLISH", "NAME:On call: Bob", "X-WR-CALNAME:On call: Bob",
        "X-WR-TIMEZONE:Europe/Berlin", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
    }  # fmt: skip
    assert wanted <= set(lines)
    assert "BEGIN:VTIMEZONE" in lines  # never empty: some programs refuse that


HARD = 'Bob; O\'Neil, \\ "x"\r\nBEGIN:VEVENT\x00\x07 ' + "Grün 😀 " * 30


def test_text_is_safe_folded_and_comes_back_whole():
    data = make_feed(replace(HEAD, title=HARD), [replace(TOLD, person=HARD, schedule="Paris")], window=WINDOW)
    assert max(len(line) for line in data.split(b"\r\n")) <= 75
    calendar = Calendar.from_ical(data)
    (event,) = calendar.events
    wanted = HARD.replace("\r", "").replace("\x00\x07", "")
    assert event["SUMMARY"] == f"On call: {wanted} (Paris)"
    assert read_calendars(data)[0][0].text("X-WR-CALNAME") == wanted.strip()
    assert calendar.errors == event.errors == []


def test_the_same_roster_gives_the_same_bytes_in_whatever_order():
    other = replace(TOLD, duty=replace(DUTY, person_id=3))
    assert make_feed(HEAD, [TOLD, other], window=WINDOW) == make_feed(HEAD, [other, TOLD], window=WINDOW)


def test_a_duty_keeps_its_uid_whatever_happens_to_others():
    uids = {
        duty_uid(one, origin="x", window=WINDOW)
        for one in (DUTY, replace(DUTY, ends_at=DUTY.ends_at + timedelta(hours=1)))
    }
    assert uids == {"rotation-5-2-20261124T170000Z@x"}
    sources = Source(SourceKind.SHIFT, 5), Source(SourceKind.ROTATION, 6)
    changed = [
        replace(DUTY, person_id=3),
        replace(DUTY, starts_at=NOW),
        *(replace(DUTY, source=one) for one in sources),
    ]
    assert len({duty_uid(one, origin="x", window=WINDOW) for one in changed} | uids) == 5
    cut = replace(DUTY, starts_at=WINDOW.starts_at)
    assert duty_uid(cut, origin="x", window=WINDOW) == "rotation-5-2-earlier@x"


def test_a_feed_tells_whole_months():
    assert Interval(datetime(2026, 8, 1, tzinfo=UTC), datetime(2028, 2, 1, tzinfo=UTC)) == WINDOW
    assert feed_window(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == WINDOW
    assert feed_window(datetime(2027, 1, 1, tzinfo=UTC)).starts_at == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_tag_is_short_and_of_everything():
    assert feed_tag(("a", 1)) == feed_tag(("a", 1)) != feed_tag(("a", 2))
    assert len(feed_tag(())) == 32


def minutes_of(stretches):
    """{person: minutes since 1970} of (person, starts, ends)."""
    found = {}
    for person, starts, ends in stretches:
        minutes = range(int(starts.timestamp()) // 60, int(ends.timestamp()) // 60)
        found.setdefault(person, set()).update(minutes)
    return found


def assert_same_answer(schedule, first):
    """Engine, feed read simply, and feed read by our own reader, at every minute of two weeks."""
    starts = datetime.combine(first, datetime.min.time(), tzinfo=UTC)
    window = Interval(starts, starts + timedelta(days=14))
    duties = make_roster(schedule, window)
    told = [FeedDuty(one, str(one.person_id), "", schedule.zone, 1, NOW) for one in duties]
    data = make_feed(HEAD, told, window=window)
    engine = minutes_of((str(one.person_id), one.starts_at, one.ends_at) for one in duties)
    simple = [
        (event["SUMMARY"].removeprefix("On call: "), instant(event["DTSTART"]), instant(event["DTEND"]))
        for event in simply_read(data)
    ]
    assert minutes_of(simple) == engine
    result = read_events(data, window=window, zone=BERLIN)
    assert result.faults == ()
    assert (
        minutes_of((one.summary.removeprefix("On call: "), one.starts_at, one.ends_at) for one in result.events)
        == engine
    )
    assert len({event["UID"] for event in simply_read(data)}) == len(duties)


@settings(max_examples=10)
@given(schedules())
def test_the_feed_gives_the_answer_of_the_engine_at_every_minute(made):
    assert_same_answer(*made)


@pytest.mark.more
@settings(max_examples=int(os.environ.get("NIGHTDESK_TEST_EXAMPLES", "400")))
@given(schedules())
def test_the_feed_gives_the_answer_of_the_engine_for_many_rosters(made):
    assert_same_answer(*made)

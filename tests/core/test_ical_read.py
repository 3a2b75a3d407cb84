"""Calendar files as others write them, read into events."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.ical_read import read_events
from portal.core.intervals import Interval
from tests.calendar_files import APPLE, GOOGLE, OUTLOOK, calendar_file

BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))
DAY = "DTSTART:20261101T100000Z\nDTEND:20261101T110000Z"


def read(data, **keywords):
    return read_events(data, **{"window": WINDOW, "zone": BERLIN, **keywords})


def spans(result):
    """(title, start, end) in UTC, short."""
    return [(one.summary, f"{one.starts_at:%m-%d %H:%M}", f"{one.ends_at:%m-%d %H:%M}") for one in result.events]


def read_one(*lines, **keywords):
    result = read(calendar_file("\n".join(("UID:1", "SUMMARY:X", *lines))), **keywords)
    assert result.faults == ()
    return result.events


def test_google_series_keeps_its_wall_clock_and_its_exceptions():
    result = read(GOOGLE)
    assert result.faults == () and result.notes == ()
    title = "Night, on call"
    assert spans(result) == [
        (title, "10-19 20:00", "10-20 04:00"),
        (title, "10-20 20:00", "10-21 04:00"),
        (title, "10-26 21:00", "10-27 05:00"),
        (title, "11-02 19:00", "11-03 05:00"),  # moved by itself
        (title, "11-03 21:00", "11-04 05:00"),
        (title, "11-09 21:00", "11-10 05:00"),
        (title, "11-10 21:00", "11-11 05:00"),
        (title, "11-16 21:00", "11-17 05:00"),
        (title, "11-17 21:00", "11-18 05:00"),
    ]
    moved = result.events[3]
    assert (moved.occurrence, moved.people, moved.organizer) == ("20261102", ("carol@a.example",), "")
    assert (result.events[0].people, result.events[0].organizer) == (
        ("bob@a.example", "alice@a.example"),
        "alice@a.example",
    )
    assert len({(one.uid, one.occurrence) for one in result.events}) == 9


def test_outlook_zones_whole_days_told_by_times_and_lone_exceptions():
    result = read(OUTLOOK)
    assert result.faults == ()
    assert spans(result) == [
        ("Bob", "10-24 16:00", "10-25 07:00"),
        ("Carol", "10-27 17:30", "10-28 07:30"),
        ("Bob", "10-30 18:00", "10-30 19:30"),
        ("Closed", "12-24 23:00", "12-26 23:00"),
    ]
    bob, _, lone, closed = result.events
    assert (bob.organizer, bob.first_on) == ("Reed, Alice", None)
    assert lone.occurrence == "20261030"
    assert (closed.first_on, closed.until_on) == (date(2026, 12, 25), date(2026, 12, 27))


def test_apple_durations_whole_days_and_what_repeats_without_end():
    result = read(APPLE)
    assert result.faults == ()
    assert spans(result) == [
        ("Carol – Wochenende", "10-23 18:00", "10-24 20:00"),
        ("Weihnachten", "12-24 23:00", "12-25 23:00"),
        ("Weihnachten", "12-24 23:00", "12-25 23:00"),  # 2028: that of 2027 is cancelled
    ]
    assert [one.starts_at.year for one in result.events] == [2026, 2026, 2028]
    assert result.events[1].categories == ("Feiertag", "Bund, Land")
    assert result.notes == ("Event “Weihnachten” repeats without end. It was read until 1 January 2029.",)
    shorter = read(APPLE, endless_until=datetime(2027, 6, 1, tzinfo=UTC))
    assert [one.starts_at.year for one in shorter.events] == [2026, 2026]


@pytest.mark.parametrize(
    ("lines", "starts", "ends"),
    [
        ("DTSTART:20261101T100000\nDTEND:20261101T110000", "11-01 09:00", "11-01 10:00"),
        ("DTSTART:20261101T100000Z\nDURATION:PT15M", "11-01 10:00", "11-01 10:15"),
        ("DTSTART@20261024T200000\nDURATION:P1D", "10-24 18:00", "10-25 19:00"),
        ("DTSTART@20261024T200000\nDURATION:PT24H", "10-24 18:00", "10-25 18:00"),
        ("DTSTART;TZID=America/New_York:20261101T080000\nDTEND@20261101T200000", "11-01 13:00", "11-01 19:00"),
        ("DTSTART:20261101T100000Z", "11-01 10:00", "11-01 10:00"),
        ("DTSTART;VALUE=DATE:20261101", "10-31 23:00", "11-01 23:00"),
        ("DTSTART;VALUE=DATE:20261101\nDTEND;VALUE=DATE:20261101", "10-31 23:00", "11-01 23:00"),
        ("DTSTART;VALUE=DATE:20261024\nDURATION:P2D", "10-23 22:00", "10-25 23:00"),
        ("DTSTART@20261025T023000\nDTEND@20261025T030000", "10-25 00:30", "10-25 02:00"),
        ("DTSTART@20260329T023000\nDTEND@20260329T040000", "03-29 01:00", "03-29 02:00"),
        ("DTSTART@20260329T021500\nDTEND@20260329T024500", "03-29 01:00", "03-29 01:00"),
    ],
)  # fmt: skip
def test_times_are_read_as_they_are_meant(lines, starts, ends):
    lines = lines.replace("@", ";TZID=Europe/Berlin:")
    assert spans(read(calendar_file(f"UID:1\nSUMMARY:X\n{lines}"))) == [("X", starts, ends)]


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (["RDATE:20261103T090000Z,20261105T090000Z"], "20261101 20261103 20261105"),
        (["RDATE;VALUE=DATE:20261103"], "20261101 20261103"),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261102"], "20261101 20261103"),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261102T100000Z", "EXDATE:20261103T100000Z"], "20261101"),
        (["RRULE:FREQ=DAILY;UNTIL=20261102"], "20261101 20261102"),
        (["RRULE:FREQ=DAILY;UNTIL=20261102T095959Z"], "20261101"),
        (["RRULE:FREQ=DAILY;UNTIL=20261102T100000"], "20261101 20261102"),
        (["RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2"], "20261101 20261103 20261110"),  # the first day counts, said or not
        (["RDATE:20261101T200000Z"], "20261101 20261101T2000"),  # two on one day are two
        (["RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2"], "20261102 20261104"),
        (["RRULE:FREQ=DAILY;BYHOUR=10;BYMINUTE=0;BYSECOND=0;COUNT=2"], "20261101 20261102"),
        (["RRULE:FREQ=DAILY;BYHOUR=10,22;COUNT=3"], "20261101 20261101T2200 20261102"),
        (["RRULE:FREQ=DAILY;BYHOUR=4,10;UNTIL=20261102T040000Z"], "20261101 20261102"),
    ],
)
def test_what_repeats_is_told_apart_by_its_day(lines, days):
    assert [one.occurrence for one in read_one(DAY, *lines)] == days.split()


def test_whole_days_repeat_until_an_instant():
    events = read_one("DTSTART;VALUE=DATE:20261101", "RRULE:FREQ=DAILY;UNTIL=20261103T000000Z")
    assert [one.first_on.day for one in events] == [1, 2, 3]


def test_what_is_changed_from_a_day_on_is_changed_for_all_that_follow():
    data = calendar_file(
        f"UID:1\nSUMMARY:Bob\n{DAY}\nRRULE:FREQ=DAILY;COUNT=6\nEXDATE:20261105T100000Z",
        "UID:1\nSUMMARY:Carol\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261103T100000Z\n"
        "DTSTART:20261103T120000Z\nDTEND:20261103T150000Z",
        "UID:1\nSUMMARY:Alice\nRECURRENCE-ID:20261104T100000Z\nDTSTART:20261104T100000Z\nDURATION:PT1H",
    )
    result = read(data)
    assert result.faults == () and spans(result) == [
        ("Bob", "11-01 10:00", "11-01 11:00"),
        ("Bob", "11-02 10:00", "11-02 11:00"),
        ("Carol", "11-03 12:00", "11-03 15:00"),
        ("Alice", "11-04 10:00", "11-04 11:00"),
        ("Carol", "11-06 12:00", "11-06 15:00"),
    ]
    ended = "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261102\nSTATUS:CANCELLED\nDTSTART:20261102T100000Z"
    assert len(read(calendar_file(f"UID:1\n{DAY}\nRRULE:FREQ=DAILY;COUNT=6", ended)).events) == 1


def test_an_added_period_has_its_own_length():
    events = read_one(DAY, "RDATE;VALUE=PERIOD:20261103T090000Z/20261103T120000Z,20261104T090000Z/PT30M")
    assert [(one.ends_at - one.starts_at).total_seconds() / 60 for one in events] == [60, 180, 30]


@pytest.mark.parametrize(
    "second",
    [
        "SEQUENCE:2\nLAST-MODIFIED:20260101T000000Z",
        "SEQUENCE:1\nLAST-MODIFIED:20260301T000000Z",
        "SEQUENCE:1\nDTSTAMP:20260301T000000Z",
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_of_one_event_told_twice_the_newer_counts(second, is_turned):
    events = [
        f"UID:1\nSUMMARY:Old\nSEQUENCE:1\nLAST-MODIFIED:20260201T000000Z\n{DAY}",
        f"UID:1\nSUMMARY:New\n{second}\n{DAY}",
    ]
    result = read(calendar_file(*(reversed(events) if is_turned else events)))
    assert [one.summary for one in result.events] == ["New"]


def test_cancelled_events_and_cancelled_calendars_are_left_out():
    master = f"UID:1\n{DAY}\nRRULE:FREQ=DAILY;COUNT=2"
    one_day = "UID:1\nRECURRENCE-ID:20261102T100000Z\nDTSTART:20261102T120000Z\nDTEND:20261102T130000Z"
    assert len(read(calendar_file(master, one_day)).events) == 2
    assert len(read(calendar_file(master, f"{one_day}\nSTATUS:CANCELLED")).events) == 1
    assert read(calendar_file(f"{master}\nSTATUS:CANCELLED", one_day)).events == ()
    assert read(calendar_file(master, head="METHOD:CANCEL")).events == ()


def test_what_does_not_take_place_is_named():
    master = f"UID:1\n{DAY}\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20261101T100000Z"
    day = "UID:1\nRECURRENCE-ID:2026110{0}T100000Z\nDTSTART:2026110{0}T120000Z\nDURATION:PT1H\nSTATUS:{1}"
    mixed = read(calendar_file(master, day.format(2, "CANCELLED"), day.format(3, "CONFIRMED"))).cancelled
    assert mixed == {("1", "20261101"), ("1", "20261102")}
    assert read(calendar_file(f"{master}\nSTATUS:CANCELLED")).cancelled == {("1", "")}
    assert read(calendar_file(f"UID:2\n{DAY}", head="METHOD:CANCEL")).cancelled == {("2", "")}
    assert read(calendar_file(f"UID:2\n{DAY}")).cancelled == set()


def test_a_changed_day_may_come_from_outside_the_window_and_keeps_its_name():
    master = f"UID:1\n{DAY}\nRRULE:FREQ=DAILY;COUNT=2"
    moved = "UID:1\nRECURRENCE-ID;VALUE=DATE:20261102\nDTSTART:20281102T120000Z\nDTEND:20281102T130000Z"
    window = Interval(datetime(2028, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))
    assert [one.occurrence for one in read(calendar_file(master, moved), window=window).events] == ["20261102"]
    assert [one.occurrence for one in read(calendar_file(master, moved)).events] == ["20261101", "20261102"]


def test_what_touches_the_window_is_read_whole():
    nights = calendar_file("UID:1\nDTSTART:20260101T200000Z\nDTEND:20260102T060000Z\nRRULE:FREQ=DAILY")
    window = Interval(datetime(2026, 11, 2, 5, 59, tzinfo=UTC), datetime(2026, 11, 3, 20, 1, tzinfo=UTC))
    assert [one.occurrence for one in read(nights, window=window).events] == ["20261101", "20261102", "20261103"]
    window = Interval(datetime(2026, 11, 2, 6, tzinfo=UTC), datetime(2026, 11, 3, 20, tzinfo=UTC))
    assert [one.occurrence for one in read(nights, window=window).events] == ["20261102"]


def test_an_event_without_a_uid_gets_the_same_one_each_time():
    data = calendar_file(f"SUMMARY:X\n{DAY}", f"SUMMARY:Y\n{DAY}")
    uids = [one.uid for one in read(data).events]
    assert uids == [one.uid for one in read(data).events] and len(set(uids)) == 2


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("SUMMARY:X", "“X” has no start"),
        ("UID:u1", "“u1” has no start"),
        ("X:1", "“without a name” has no start"),
        ("DTSTART:tomorrow", "has a time that is not understood: TOMORROW"),
        ("DTSTART:20261301", "has a time that is not understood: 20261301"),
        ("DTSTART:20261101T250000", "has a time that is not understood"),
        ("DTSTART;TZID=Mars/Base:20261101T100000", "is in a zone that is not known: Mars/Base"),
        ("DTSTART:20261101T100000Z\nDTEND:20261101T090000Z", "ends before it starts"),
        ("DTSTART:20261101T100000Z\nDURATION:-PT1H", "ends before it starts"),
        ("DTSTART:20261101T100000Z\nDURATION:1 hour", "has a length that is not understood"),
        ("DTSTART:20261101T100000Z\nDURATION:P99999999999D", "has a length that is not understood"),
        ("DTSTART:02261101T100000Z", "has a year nobody means"),
        ("DTSTART:20261101T100000Z\nDTEND:99991101T100000Z", "has a year nobody means"),
        ("DTSTART:20261101T100000Z\nDTEND:20961101T100000Z", "lasts longer than anybody means"),
        ("DTSTART:20261101T100000Z\nDURATION:P9999999D", "lasts longer than anybody means"),
        ("DTSTART:20261101T100000Z\nRDATE:x", "has a time that is not understood"),
        ("DTSTART:20261101T100000Z\nRRULE:FREQ=DAILY\nEXDATE:00010101T000000Z", "has a year nobody means"),
        ("DTSTART:20261101T100000Z\nRRULE:FREQ=MINUTELY", "repeats more often than daily"),
        ("DTSTART:20261101T100000Z\nRRULE:FREQ=DAILY;UNTIL=x", "has a time that is not understood: X"),
        ("DTSTART:20261101T100000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261101T100000Z", "changes all that follow"),
        ("DTSTART:20261101T100000Z\nRDATE;VALUE=PERIOD:20261102T100000Z/20261101T100000Z", "has a period that ends"),
        ("DTSTART:20261101T100000Z\nRDATE:20261101T110000Z\nEXRULE:FREQ=HOURLY", "repeats more often than daily"),
    ],
)
def test_a_broken_event_is_a_sentence_and_the_others_are_read(lines, words):
    result = read(calendar_file(lines, f"UID:2\nSUMMARY:Good\n{DAY}"))
    assert words in result.faults[0] and len(result.faults) == 1
    assert "Good" in [one.summary for one in result.events]


def test_a_utc_time_needs_no_zone_and_an_unknown_zone_with_z_is_utc():
    assert [one.starts_at.hour for one in read_one("DTSTART;TZID=Mars/Base:20261101T100000Z", "DURATION:PT1H")] == [10]


def test_the_year_9999_means_never():
    data = calendar_file(f"UID:1\nSUMMARY:X\n{DAY}\nRRULE:FREQ=YEARLY;UNTIL=99991231T235959Z")
    assert [one.occurrence[:4] for one in read(data).events] == ["2026", "2027", "2028"]
    assert "repeats without end" in read(data).notes[0]


def test_the_budget_stops_what_would_never_end(monkeypatch):
    monkeypatch.setattr("portal.core.ical_read.MAX_DAYS", 20_000)
    many = calendar_file(*(f"UID:{n}\n{DAY}\nRRULE:FREQ=DAILY" for n in range(8)))
    result = read(many)
    assert len(result.events) == 5000
    assert result.faults == ("These are more than 5,000 events. The rest was not read.",)
    for name in ("EXDATE", "RDATE"):
        dates = ",".join(["20261102T100000Z"] * 1_001)
        listed = read(calendar_file(f"UID:1\n{DAY}\nRRULE:FREQ=DAILY;COUNT=2\n{name}:{dates}"))
        assert listed.faults == ("The events of this file repeat too often. The rest was not read.",)
    never = calendar_file(
        *(f"UID:{n}\nDTSTART:19010101T000000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=9" for n in range(2))
    )
    assert read(never).faults == ("The events of this file repeat too often. The rest was not read.",)


@settings(max_examples=20)
@given(st.data())
def test_no_damage_to_a_file_raises(data):
    source = bytearray(data.draw(st.sampled_from([GOOGLE, OUTLOOK, APPLE])))
    for place in data.draw(st.lists(st.integers(0, len(source) - 1), max_size=12)):
        source[place] = data.draw(st.sampled_from(b'0123456789:;=",TZ-\n\xff'))
    cut = data.draw(st.integers(0, len(source)))
    for one in (*read(bytes(source)).faults, *read(bytes(source[:cut])).faults):
        assert one.endswith(".")


@pytest.mark.more
@settings(max_examples=3000)
@given(st.data())
def test_no_damage_to_a_file_raises_however_often_it_is_tried(data):
    test_no_damage_to_a_file_raises.hypothesis.inner_test(data)

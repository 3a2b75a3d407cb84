"""The lines and components of a calendar file."""

import time

import pytest

from portal.core.ical_lines import MAX_BYTES, Component, Line, read_calendars, unescape_text


def wrapped(text):
    return f"BEGIN:VCALENDAR\n{text}\nEND:VCALENDAR\n".encode()


def only(data):
    calendars, faults = read_calendars(data)
    assert faults == ()
    return calendars[0]


def test_a_line_has_parameters_and_a_value_with_colons_and_quotes():
    data = wrapped('attendee ;CN="Reed; Dana: boss";role=REQ:mailto:dana@a.example')
    assert only(data).lines == {"ATTENDEE": [Line("mailto:dana@a.example", {"CN": "Reed; Dana: boss", "ROLE": "REQ"})]}


@pytest.mark.parametrize("fold", ["\r\n ", "\n\t", "\n "])
def test_folded_lines_are_one_also_within_a_letter_of_several_bytes(fold):
    data = wrapped(f"SUMMARY:Bob{fold} and{fold}  Carol")
    assert only(data).text("SUMMARY") == "Bob and  Carol"
    split = wrapped("SUMMARY:Gr\u00fcn").replace(b"\xc3\xbc", b"\xc3\r\n \xbc")
    assert only(split).text("SUMMARY") == "Gr\u00fcn"


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\\, b\\; c\\\\ d\\ne\\Nf", "a, b; c\\ d\ne\nf"), ("\\x", "\\x"), ("\\\\n", "\\n"), ("", "")],
)
def test_text_loses_its_escapes(value, text):
    assert unescape_text(value) == text


def test_components_nest():
    data = wrapped("BEGIN:VEVENT\nUID:1\nBEGIN:VALARM\nUID:2\nEND:VALARM\nEND:VEVENT")
    event = only(data).children[0]
    assert (event.name, event.text("UID"), event.children[0].text("UID")) == ("VEVENT", "1", "2")
    assert event.first("SUMMARY") is None and event.text("SUMMARY") == ""
    assert Component("X").lines == {}


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffBEGIN:VCALENDAR\nX:Gr\u00fcn\nEND:VCALENDAR".encode(),
        "BEGIN:VCALENDAR\nX:Gr\u00fcn\nEND:VCALENDAR".encode("cp1252"),
        "BEGIN:VCALENDAR\nX:Gr\u00fcn\nEND:VCALENDAR".encode("utf-16"),
    ],
)
def test_files_in_other_alphabets_are_read(data):
    assert only(data).text("X") == "Gr\u00fcn"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "This is not a calendar file: BEGIN:VCALENDAR is missing."),
        (b"<html>Sign in</html>", "This is not a calendar file: BEGIN:VCALENDAR is missing."),
        (bytes(100), "This is not a calendar file: BEGIN:VCALENDAR is missing."),
        (b"x" * (MAX_BYTES + 1), "The file is larger than 5 MB, which no calendar needs."),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1", "The file stops in the middle: its end is missing."),
        (wrapped("nonsense"), "Line 2 is not understood."),
        (wrapped("BEGIN:VEVENT\nBEGIN:VALARM\nEND:VEVENT"), "Line 4: the end of another part is missing before it."),
        (wrapped("BEGIN:X\n" * 9), "Line 9: too deep. The rest was not read."),
        (wrapped("a\n" * 9), "6 more lines are not understood."),
    ],
)
def test_what_is_broken_is_a_sentence(data, fault):
    assert fault in read_calendars(data)[1]


def test_more_events_than_anybody_has_are_refused():
    _, faults = read_calendars(wrapped("BEGIN:VEVENT\nEND:VEVENT\n" * 20_001))
    assert faults == ("The file holds more than 20,000 events. The rest was not read.",)


@pytest.mark.parametrize(
    "data",
    [b"A:" + b" " * MAX_BYTES, b'A;B="' * 600_000, b"A;" + b"x=y;" * 600_000, b"A;x" + b" " * 3_000_000,
     b"\n " * 2_000_000, b"A;" + b'"' * 3_000_000, b"\\" * 4_000_000, b"A-" * 2_000_000],
    ids=range(8),
)  # fmt: skip
def test_no_file_keeps_us_busy(data):
    began = time.process_time()
    read_calendars(data[:MAX_BYTES])
    assert time.process_time() - began < 10

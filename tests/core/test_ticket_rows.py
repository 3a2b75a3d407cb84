import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.core.ticket_rows import RefusedRow, TicketRow, parse_ticket_rows

BERLIN = ZoneInfo("Europe/Berlin")


def read_csv(text: str) -> list[TicketRow | RefusedRow]:
    return list(parse_ticket_rows(text.splitlines(keepends=True), is_json=False, zone=BERLIN))


def read_json(*objects: object) -> list[TicketRow | RefusedRow]:
    lines = [one if isinstance(one, str) else json.dumps(one) for one in objects]
    return list(parse_ticket_rows(lines, is_json=True, zone=BERLIN))


def test_a_csv_file_is_read_row_by_row():
    (row,) = read_csv(
        "title,body,created,status,priority,requester,reply\n"
        'VPN down,"It says\nerror 5",2025-11-21 10:00,closed,P1,Dana Reyes <dana@customer.example>,Restarted it.\n'
    )
    assert row == TicketRow(
        line=2,
        title="VPN down",
        body="It says\nerror 5",
        created_at=datetime(2025, 11, 21, 9, tzinfo=UTC),
        status="closed",
        priority=1,
        requester="dana@customer.example",
        requester_name="Dana Reyes",
        reply="Restarted it.",
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_and_a_byte_order_mark_are_recognised(delimiter):
    text = "\ufeffTitle,Status\nVPN,Open\n".replace(",", delimiter)
    assert [(row.title, row.status) for row in read_csv(text)] == [("VPN", "open")]


def test_line_numbers_are_those_of_the_file():
    rows = read_csv('title,body\n"a","x\ny"\n\nb,z\n"c",\n')
    assert [(row.line, row.title) for row in rows] == [(2, "a"), (5, "b"), (6, "c")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",,", ""),
        (", ,x", "neither a title nor a body"),
        ("a,b,dancing", "unknown status 'dancing'"),
        ("a,b,new,soon", "unknown priority 'soon'"),
        ("a,b,new,P1,when it broke", "unreadable time 'when it broke'"),
        ("a,b,new,P1,,too,many,columns", "8 columns, but the header names 6"),
        ("a," + "x" * 200_001, "field larger than field limit"),
    ],
)
def test_each_row_that_cannot_be_taken_is_named_and_the_next_is_taken(line, reason):
    rows = read_csv(f"title,body,status,priority,created,requester\n{line}\nnext,,,,,\n")
    assert rows[-1].title == "next"
    refused = [row for row in rows if isinstance(row, RefusedRow)]
    assert [row.line for row in refused] == ([2] if reason else [])
    assert all(reason in row.reason for row in refused)


def test_a_quote_that_is_never_closed_is_named_at_its_first_line():
    rows = read_csv('title,body\na,b\n"c,d\ne,f\n')
    assert rows[0].title == "a" and rows[1] == RefusedRow(3, "not CSV: unexpected end of data")


def test_json_lines_take_nested_people_and_name_their_errors():
    rows = read_json(
        {"summary": "VPN down", "description": None, "requester": {"name": "Dana", "email": "dana@customer.example"}},
        "",
        "{broken",
        "[1]",
        {"title": 5, "reply": ["first", "second"], "requester": "Dana", "priority": "High", "status": "Solved"},
        {"title": "long", "body": "x" * 200_001},
    )
    assert [row.line for row in rows] == [1, 3, 4, 5, 6]
    assert rows[0].requester == "dana@customer.example" and rows[0].body == "VPN down" and rows[0].status == "new"
    assert rows[1].reason.startswith("not JSON") and rows[2].reason == "not a JSON object"
    assert (rows[3].title, rows[3].reply, rows[3].requester_name, rows[3].priority) == (
        "5",
        "first\n\nsecond",
        "Dana",
        2,
    )
    assert rows[3].status == "resolved" and rows[3].requester == ""
    assert rows[4].reason == "a text longer than 200,000 characters"


def test_what_no_database_takes_is_replaced():
    (row,) = read_json({"title": "a\ud800b\x00c"})
    assert row.title == "a?bc"


def test_json_nested_without_end_is_one_refused_row():
    rows = read_json("[" * 100_000, {"title": "next"})
    assert isinstance(rows[0], RefusedRow) and rows[1].title == "next"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-21T10:00:00Z", datetime(2025, 11, 21, 10, tzinfo=UTC)),
        ("2025-11-21T10:00:00+01:00", datetime(2025, 11, 21, 9, tzinfo=UTC)),
        ("2025-11-21", datetime(2025, 11, 20, 23, tzinfo=UTC)),
        ("21.11.2025 10:00", datetime(2025, 11, 21, 9, tzinfo=UTC)),
        ("11/21/2025 10:00:05", datetime(2025, 11, 21, 9, 0, 5, tzinfo=UTC)),
        ("1763719200", datetime(2025, 11, 21, 10, tzinfo=UTC)),
        ("", None),
    ],
)
def test_times_are_read_in_the_sites_zone(text, expected):
    (row,) = read_json({"title": "x", "created": text})
    assert row.created_at == expected


@pytest.mark.parametrize("text", ["0001-01-01", "inf", "99999999999999999999", "9999-12-31T23:59:59-23:00"])
def test_impossible_times_refuse_the_row_and_nothing_more(text):
    (row,) = read_json({"title": "x", "created": text})
    assert isinstance(row, RefusedRow) or row.created_at

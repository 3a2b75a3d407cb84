from datetime import UTC, datetime

import pytest

from portal.core.mail_headers import (
    MAX_ADDRESSES,
    Address,
    clean_header,
    decode_words,
    parse_addresses,
    parse_date,
    parse_ids,
    parse_message_id,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Printer", "Printer"),
        ("=?utf-8?q?Dr=C3=BCcker_kaputt?=", "Drücker kaputt"),
        ("=?UTF-8?B?RHLDvA==?= =?utf-8?Q?cker?= now", "Drücker now"),
        ("=?utf-8?B?RHLD?= =?utf-8?B?vGNrZXI=?=", "Drücker"),
        ("=?iso-8859-1?Q?a?= =?utf-8?Q?b?=", "ab"),
        ("a =?iso-8859-1?Q?b?= c =?utf-8?Q?d?=", "a b c d"),
        ("=?utf-8*en?Q?hi?=", "hi"),
        ("=?utf-8?Q?is it [#12]??=", "is it [#12]?"),
        ("=?utf-8?B?YWJjZA?=", "abcd"),
        ("=?utf-8?B?YWJjZGE?= ok", "abcda ok"),
        ("=?utf-8?X?nope?=", "=?utf-8?X?nope?="),
        ("=? broken ?=", "=? broken ?="),
        ("50 % ?= 3", "50 % ?= 3"),
        ("=?utf-8?B?SsO?= =?utf-8?B?2cmc=?=", "Jörg"),
        ("=?utf-8?B?SsO2cmc=", "Jörg"),
        ("=?utf-8?Q?J=C3=B6rg?", "Jörg"),
        ("=? utf-8 ?Q?J=C3=B6rg?=", "Jörg"),
        ("=?utf-8?B?SsO?= =?utf-8?Q?x?=", "J\xc3x"),
    ],
)
def test_encoded_words_become_text(raw, text):
    assert decode_words(raw) == text


def test_clean_header_cannot_smuggle_a_second_line():
    assert clean_header("=?utf-8?Q?one=0D=0ABcc:_x?=") == "one  Bcc: x"
    assert clean_header("a\x00b\tc") == "a b\tc"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("dana@customer.example", [("dana@customer.example", "")]),
        ("Dana <dana@customer.example>", [("dana@customer.example", "Dana")]),
        (
            '"Reyes, Dana" <dana@customer.example>, b@c.example',
            [("dana@customer.example", "Reyes, Dana"), ("b@c.example", "")],
        ),
        ("Reyes, Dana <dana@customer.example>", [("dana@customer.example", "Reyes, Dana")]),
        ("=?utf-8?q?Reyes=2C_D=C3=A4na?= <d@c.example>", [("d@c.example", "Reyes, Däna")]),
        ("dana@customer.example (Dana Reyes)", [("dana@customer.example", "Dana Reyes")]),
        ("Dana (dana@customer.example)", [("dana@customer.example", "Dana")]),
        ("<dana@customer.example> (Dana, the first)", [("dana@customer.example", "Dana, the first")]),
        ("'Dana' <dana@customer.example>", [("dana@customer.example", "Dana")]),
        ('"Dana \\"D\\" Reyes" <d@c.example>', [("d@c.example", "Dana D Reyes")]),
        ("Dana dana@customer.example", [("dana@customer.example", "Dana")]),
        ("Team: a@b.example, c@d.example;", [("a@b.example", ""), ("c@d.example", "")]),
        ("Dana <mailto:dana@customer.example>", [("dana@customer.example", "Dana")]),
        ("<@relay.example:dana@customer.example>", [("dana@customer.example", "")]),
        ("dana@customer.example <dana@customer.example>", [("dana@customer.example", "dana@customer.example")]),
        ("dana@customer.example <>", [("dana@customer.example", "")]),
        ("<dana@customer.example> Dana", [("dana@customer.example", "Dana")]),
        ("<<dana@customer.example>>", [("dana@customer.example", "")]),
        ("<Dana> dana@customer.example", [("dana@customer.example", "Dana")]),
        ("Dana [mailto:dana@customer.example]", [("dana@customer.example", "Dana")]),
        ("Dana <<dana@customer.example>>", [("dana@customer.example", "Dana")]),
        ("dana@customer.example>", [("dana@customer.example", "")]),
        ("<dana@customer.example> <dana@customer.example>", [("dana@customer.example", "dana@customer.example")]),
        ("=?utf-8?B?RGFuYSA8ZEBjLmV4YW1wbGU+?=", [("d@c.example", "Dana")]),
        ("=?utf-8?q?Dana_<d@c.example>?=", [("d@c.example", "Dana")]),
        ('"dana reyes"@customer.example', [('"dana reyes"@customer.example', "")]),
        ("IT: Help Desk <desk@c.example>", [("desk@c.example", "IT: Help Desk")]),
        ("Desk: desk@c.example", [("desk@c.example", "Desk")]),
        ("mailto:dana@customer.example", [("dana@customer.example", "")]),
        ("Dana;<dana@customer.example>", [("dana@customer.example", "Dana")]),
        ("dana@[192.0.2.1]", [("dana@[192.0.2.1]", "")]),
        ("Dana <dana@customer.example", [("dana@customer.example", "Dana")]),
        ("Dana Reyes", [("", "Dana Reyes")]),
        ("root <root>", [("root", "root")]),
        ("undisclosed-recipients:;", []),
        (", ;,", []),
        ("", []),
        ("<>", []),
        (')(<<"', [("", ")(")]),
    ],
)
def test_addresses_are_found_in_what_people_really_send(raw, expected):
    assert [(one.email, one.name) for one in parse_addresses(raw)] == expected


def test_ten_thousand_recipients_are_cut_at_a_limit():
    assert len(parse_addresses("a@b.example," * 10_000)) == MAX_ADDRESSES
    assert len(parse_addresses("nobody," * 10_000)) <= MAX_ADDRESSES


def test_addresses_compare_without_case():
    assert Address("Dana@Customer.Example").key == "dana@customer.example"
    assert Address("Dana@Customer.Example").domain == "customer.example"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Fri, 21 Nov 2025 10:00:00 +0100", datetime(2025, 11, 21, 9, tzinfo=UTC)),
        ("21 Nov 2025 10:00:00 -0000", datetime(2025, 11, 21, 10, tzinfo=UTC)),
        ("Fri, 21 Nov 2025 10:00:00 GMT (a comment)", datetime(2025, 11, 21, 10, tzinfo=UTC)),
        ("2025-11-21 10:00:00+01:00", datetime(2025, 11, 21, 9, tzinfo=UTC)),
        ("2025-11-21T10:00:00Z", datetime(2025, 11, 21, 10, tzinfo=UTC)),
        ("2025-99-21", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Fri, 99 Nov 99999 10:00:00 +0100", None),
        ("Fri, 21 Nov 2025 10:00:00 +9999999", None),
    ],
)
def test_dates_are_utc_or_none(raw, expected):
    assert parse_date(raw) == expected


def test_message_ids_keep_their_brackets():
    assert parse_ids("<a@b> text <c@d>, <a@b>") == ("<a@b>", "<c@d>")
    assert parse_message_id(" <a@b> (comment)") == "<a@b>"
    assert parse_message_id("2020.05D7@x.example") == "<2020.05D7@x.example>"
    assert parse_message_id("") == ""

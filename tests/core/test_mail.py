import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.mail import MailLimits, parse_mail, received_at
from tests.mails import DELIVERY_REPORT, mail_bytes, multipart, part

CORPUS = Path(os.environ.get("NIGHTDESK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")) / "mail"
PNG = b"iVBORw0KGgo="

# Where ours is better than the parser the corpus was made with, and why.
DECISIONS = {
    ("mail018", "subject"): "UTF-7 in an encoded word is decoded",
    ("mail087", "sender"): "'Test test@example.com' is an address with a name",
    ("mail087", "attachments"): "a part without a type is text (RFC 2045 section 5.2) and shown, not a file",
}


def test_a_plain_mail_says_everything_it_holds():
    mail = parse_mail(mail_bytes(extra={"Cc": "Carol <carol@shop.example>", "Reply-To": "desk@customer.example"}))
    assert mail.from_email == "dana@customer.example" and mail.sender and mail.sender.name == "Dana Reyes"
    assert [one.email for one in (*mail.to, *mail.cc, *mail.reply_to)] == [
        "help@shop.example", "carol@shop.example", "desk@customer.example",
    ]  # fmt: skip
    assert mail.subject == "Printer on fire" and mail.message_id == "<one@customer.example>"
    assert mail.date == datetime(2025, 11, 21, 9, tzinfo=UTC)
    assert mail.text == "The printer on floor 2 is on fire." and mail.html == "" and mail.defects == ()


def test_of_alternatives_the_text_is_worked_with_and_the_html_shown():
    raw = multipart([part("text/plain", b"plain"), part("text/html", b"<p>rich</p>")], kind="alternative")
    assert (parse_mail(raw).text, parse_mail(raw).html) == ("plain", "<p>rich</p>")


def test_html_alone_is_reduced_to_text():
    assert parse_mail(mail_bytes("<p>rich<br>mail", extra={"Content-Type": "text/html"})).text == "rich\nmail"


def test_an_empty_text_alternative_does_not_hide_the_html():
    raw = multipart([part("text/plain", b" \r\n"), part("text/html", b"<p>rich</p>")], kind="alternative")
    assert parse_mail(raw).text == "rich"


def test_text_before_and_after_a_picture_is_kept_in_order():
    raw = multipart(
        [
            part("text/plain", b"before"),
            part("image/png", PNG, Content_Disposition='inline; filename="a.png"', Content_Transfer_Encoding="base64"),
            part("text/html", b"<p>after</p>"),
        ]
    )
    mail = parse_mail(raw)
    assert mail.text == "before\n\nafter" and mail.html == "<pre>before</pre>\n<p>after</p>"
    assert [(one.filename, one.is_inline) for one in mail.attachments] == [("a.png", True)]


def test_two_texts_in_one_alternative_are_both_kept():
    raw = multipart([part("text/plain", b"one"), part("text/plain", b"two")], kind="alternative")
    assert parse_mail(raw).text == "one\n\ntwo"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content_Disposition": 'attachment; filename="log.txt"'}, "log.txt"),
        ({"Content_Disposition": "attachment; filename*=utf-8''Erkl%C3%A4rung.txt"}, "Erklärung.txt"),
        ({"Content_Disposition": 'attachment; filename="=?utf-8?q?Dr=C3=BCcker.txt?="'}, "Drücker.txt"),
        ({"Content_Disposition": 'attachment; filename="../../etc/passwd"'}, "passwd"),
        ({"Content_Disposition": 'attachment; filename="C:\\\\x\\\\a.txt"'}, "a.txt"),
        ({"Content_Disposition": f'attachment; filename="{"n" * 300}.txt"'}, "n" * 146 + ".txt"),
        ({"Content_Disposition": f'attachment; filename="{"n" * 300}"'}, "n" * 150),
        ({"Content_Disposition": 'attachment; filename="..."'}, "file.txt"),
        ({"Content_Disposition": "attachment"}, "file.txt"),
    ],
)
def test_file_names_are_decoded_and_made_safe(headers, expected):
    mail = parse_mail(multipart([part("text/plain", b"x", **headers)]))
    assert [one.filename for one in mail.attachments] == [expected] and mail.text == ""


def test_an_attached_message_is_one_file_named_after_its_subject():
    mail = parse_mail(
        multipart([part("text/plain", b"see below"), part("message/rfc822", mail_bytes(subject="Old/one"))])
    )
    assert [one.filename for one in mail.attachments] == ["Old-one.eml"] and mail.text == "see below"
    assert parse_mail(multipart([part("message/rfc822", b"")])).attachments[0].filename == "message.eml"


def test_an_inline_picture_keeps_its_content_id():
    raw = multipart([part("image/png", PNG, Content_Id="<pic@x>", Content_Transfer_Encoding="base64")], kind="related")
    (picture,) = parse_mail(raw).attachments
    assert (picture.content_id, picture.is_inline, picture.filename) == ("pic@x", True, "file.png")
    assert picture.sha256 == hashlib.sha256(picture.data).hexdigest()


def test_a_uuencoded_file_in_the_text_becomes_an_attachment():
    mail = parse_mail(mail_bytes("see this\nbegin 644 a.log\n%:&5L;&\\\n`\nend\nbye\n"))
    assert mail.text == "see this\n\nbye" or mail.text.split() == ["see", "this", "bye"]
    assert [(one.filename, one.data) for one in mail.attachments] == [("a.log", b"hello")]


def test_the_word_begin_in_a_text_is_no_file():
    assert parse_mail(mail_bytes("begin 644 things\nlower case words go on\nend of it\n")).attachments == ()


def test_flowed_text_is_joined_and_picture_marks_are_left_out():
    text = "one \ntwo\n> quoted \n> on\n-- \nDana [cid:image001.png@01]\n"
    assert parse_mail(mail_bytes(text, extra={"Content-Type": "text/plain; format=flowed"})).text == (
        "one two\n> quoted on\n-- \nDana"
    )
    delsp = parse_mail(mail_bytes("a \nb\n", extra={"Content-Type": "text/plain; format=flowed; delsp=yes"}))
    assert delsp.text == "ab"


@pytest.mark.parametrize(
    ("extra", "sender", "email", "name"),
    [
        ({}, "", "", ""),
        ({"Reply-To": "dana@customer.example"}, "", "dana@customer.example", ""),
        ({"Sender": "list@x.example", "Reply-To": "dana@customer.example"}, "", "dana@customer.example", ""),
        ({"Sender": "dana@customer.example"}, "Dana", "dana@customer.example", "Dana"),
        ({"Return-Path": "<dana@customer.example>"}, "Dana <broken>", "dana@customer.example", "Dana"),
        ({}, "Dana Reyes", "", "Dana Reyes"),
    ],
)
def test_a_mail_without_a_from_is_given_the_next_best_sender(extra, sender, email, name):
    mail = parse_mail(mail_bytes(sender=sender, extra=extra))
    assert mail.from_email == email and (mail.sender.name if mail.sender else "") == name
    assert ("no sender address" in mail.defects) is (email == "")


def test_a_body_over_the_limit_is_cut_for_the_page_and_kept_as_a_file():
    limits = MailLimits(text=100, html=200)
    long_text = parse_mail(mail_bytes("word " * 100), limits=limits)
    assert len(long_text.text) <= 100 and [one.filename for one in long_text.attachments] == ["message.txt"]
    long_html = parse_mail(mail_bytes("<p>ab</p>" * 100, extra={"Content-Type": "text/html"}), limits=limits)
    assert len(long_html.html) <= 200 and long_html.attachments[0].filename == "message.html"
    assert "body longer than is shown; all of it is attached" in long_html.defects


def test_a_mail_of_fifty_megabytes_is_read_within_seconds():
    line = b"QUJD" * 19 + b"\r\n"
    data = line * (50_000_000 // len(line))
    raw = multipart([part("text/plain", b"hi"), part("application/pdf", data, Content_Transfer_Encoding="base64")])
    mail = parse_mail(raw)
    assert mail.text == "hi" and len(mail.attachments[0].data) > 30_000_000


def test_ten_thousand_parts_give_a_defect_and_no_exception():
    mail = parse_mail(multipart([part("text/plain", b"x")] * 10_000))
    assert mail.defects == ("more than 500 parts; the rest is in the original only",)


def test_a_delivery_report_gives_its_report_and_what_it_returns():
    mail = parse_mail(DELIVERY_REPORT)
    assert "Action: failed" in mail.report and mail.returned_ids == ("<nd.7@shop.example>",)
    assert mail.content_params["report-type"] == "delivery-status"


@pytest.mark.parametrize(
    ("kind", "body", "method"),
    [
        ("text/calendar; method=reply", b"", "REPLY"),
        ("text/calendar", b"BEGIN:VCALENDAR\nMETHOD:REQUEST\n", "REQUEST"),
        ("text/calendar", b"BEGIN:VCALENDAR\n", ""),
    ],
)
def test_a_calendar_part_names_its_method(kind, body, method):
    mail = parse_mail(multipart([part("text/plain", b"x"), part(kind, body)], kind="alternative"))
    assert mail.calendar_method == method and mail.attachments[0].filename == "invitation.ics"


def test_the_top_most_readable_received_header_gives_the_time():
    raw = (
        b"Received: from a\r\nReceived: by b; Fri, 21 Nov 2025 01:10:00 +0000\r\nReceived: by c; Thu, 20 Nov 2025\r\n"
        + mail_bytes()
    )
    mail = parse_mail(raw)
    now = datetime(2025, 11, 22, tzinfo=UTC)
    assert received_at(mail, now=now) == datetime(2025, 11, 21, 1, 10, tzinfo=UTC)
    assert received_at(parse_mail(mail_bytes()), now=now) == datetime(2025, 11, 21, 9, tzinfo=UTC)
    assert received_at(parse_mail(mail_bytes(date="")), now=now) == now


@pytest.mark.parametrize("date", ["Fri, 21 Nov 2099 10:00:00 +0100", "not a date"])
def test_a_date_in_the_future_counts_as_now(date):
    now = datetime(2025, 11, 22, tzinfo=UTC)
    assert received_at(parse_mail(mail_bytes(date=date)), now=now) == now


def test_the_hash_ignores_the_way_a_mail_came_and_sees_its_content():
    plain = parse_mail(mail_bytes())
    assert parse_mail(b"Received: by x; whenever\r\n" + mail_bytes()).content_hash == plain.content_hash
    assert parse_mail(mail_bytes(to="other@shop.example")).content_hash == plain.content_hash
    others = [mail_bytes("else"), mail_bytes(subject="else"), mail_bytes(message_id="<else@x>"), mail_bytes(date="")]
    others += [mail_bytes(sender="bob@shop.example"), multipart([part("text/plain", b"x")])]
    assert len({parse_mail(raw).content_hash for raw in others} | {plain.content_hash}) == 7


def test_raw_bytes_in_a_header_are_read_in_the_charset_of_the_mail():
    head = "Subject: 绩效\r\nFrom: 绩 <a@b.example>\r\n".encode("gbk")
    raw = head + multipart([part("text/plain; charset=gb2312", "绩".encode("gbk"))], subject="", sender="")
    mail = parse_mail(raw)
    assert mail.subject == "绩效" and mail.sender and mail.sender.name == "绩" and mail.text == "绩"


def test_more_recipients_than_are_read_are_a_defect():
    mail = parse_mail(mail_bytes(to=", ".join(f"p{number}@customer.example" for number in range(10_000))))
    assert len(mail.to) >= 2000 and mail.defects == ("more recipients than are read; the rest is in the original only",)


def test_a_mail_that_is_one_named_text_is_text():
    named = {"Content-Type": 'text/plain; name="body.txt"'}
    assert parse_mail(mail_bytes("hi", extra=named)).text == "hi"
    mail = parse_mail(mail_bytes("hi", extra={**named, "Content-Disposition": "attachment"}))
    assert mail.text == "" and [one.filename for one in mail.attachments] == ["body.txt"]


SHAPES = [
    b"<", b"> ", b"=", b"=?utf-8?q?", b"begin 644 x\n", b"--x\n", b"a b: c\n", b"a: b\n", b"&#", b"\xc3", b"\x1b$B",
    b"a@b,", b'"', b"(", b",", b"<div class=", b"<blockquote>", b"\r", b"\x00", b"=ybegin name=x\n",
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("shape", SHAPES)
def test_much_of_anything_anywhere_costs_linear_time(shape):
    data = (shape * (300_000 // len(shape) + 1))[:300_000]
    folded = data.replace(b"\r", b"").replace(b"\n", b"\n ")
    headers = b"".join(
        name + b": " + folded[:100_000] + b"\n" for name in (b"From", b"To", b"Subject", b"Content-Type")
    )
    for raw in (data, headers + b"\n" + data, mail_bytes(data), mail_bytes(data, extra={"Content-Type": "text/html"})):
        assert parse_mail(raw).content_hash
    assert parse_mail(mail_bytes(data, extra={"Content-Type": "multipart/mixed; boundary=x"})).content_hash


@given(st.binary(max_size=600))
def test_no_bytes_make_it_raise(data):
    for raw in (data, mail_bytes(data), multipart([data, part("text/html", data), part("message/rfc822", data)])):
        mail = parse_mail(raw)
        assert len(mail.content_hash) == 64


def texts(value) -> Iterator[str]:
    """Every text anywhere in a parsed mail."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        yield from (text for field in fields(value) for text in texts(getattr(value, field.name)))
    elif isinstance(value, Mapping):
        yield from (text for one in value.items() for text in texts(one))
    elif isinstance(value, tuple):
        yield from (text for one in value for text in texts(one))


@given(st.binary(max_size=60))
def test_no_text_holds_what_a_database_refuses(data):
    bad = data.replace(b"\n", b"").replace(b"\r", b"") + b"\x00+2AA-"
    names = ("From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "List-Id", "Date")
    head = b"".join(name.encode() + b": " + bad + b" <a" + bad + b"@b.example>\r\n" for name in names)
    file = b"Content-Type: image/" + bad + b'; name="' + bad + b'"\r\nContent-Id: <' + bad + b">\r\n\r\n" + bad
    report = part("message/delivery-status", b"Action: " + bad)
    body = [part("text/plain; charset=utf-7", bad), part("text/html", b"<p>&#0;&#xD800;" + bad), file, report]
    mail = parse_mail(head + multipart(body, sender="", to="", subject="", message_id="", date="").lstrip())
    assert mail.attachments and mail.html and mail.report
    for text in texts(mail):
        assert "\x00" not in text
        text.encode("utf-8")


def corpus() -> list[Path]:
    return sorted(CORPUS.glob("*.eml"))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@pytest.mark.skipif(not corpus(), reason="the corpus of wild mails is not here")
@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.stem)
def test_mails_from_the_wild_are_read_like_a_trusted_parser_does(path):
    expected = json.loads(path.with_name(path.stem + ".expected.json").read_text())
    mail = parse_mail(path.read_bytes())
    sender = (mail.sender.email, mail.sender.name) if mail.sender else ("", "")
    files = [one for one in expected["attachments"] if one["filename"] != "message.html"]
    found = {
        "subject": mail.subject == expected["subject"].strip(),
        "sender": sender == (expected["from_email"].strip(), expected["from_display_name"].strip()),
        "attachments": len(mail.attachments) == len(files),
    }
    decided = {part for stem, part in DECISIONS if stem == path.stem}
    assert {part for part, is_right in found.items() if not is_right} == decided


@pytest.mark.skipif(not corpus(), reason="the corpus of wild mails is not here")
def test_the_words_of_mails_from_the_wild_are_found():
    right = 0
    for path in corpus():
        wanted = words(json.loads(path.with_name(path.stem + ".expected.json").read_text())["body_text"])
        found = words(parse_mail(path.read_bytes()).text)
        right += wanted == words("no visible content") or len(set(wanted) & set(found)) >= 0.85 * len(set(wanted))
    assert right >= len(corpus()) - 2

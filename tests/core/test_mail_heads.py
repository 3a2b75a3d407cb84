import pytest

from portal.core.mail_heads import MAX_HEAD, MAX_PLAIN, cut_head, parse_head, plain_mail, read_headers
from tests.mails import mail_bytes


@pytest.mark.parametrize(
    ("raw", "head"),
    [
        (b"A: b\r\n\r\nbody\n\nmore", b"A: b\r\n\r\n"),
        (b"A: b\n\nbody\r\n\r\nmore", b"A: b\n\n"),
        (b"A: b", b"A: b"),
        (b"", b""),
    ],
)
def test_the_head_ends_with_the_first_empty_line(raw, head):
    assert cut_head(raw) == head


def test_a_head_without_end_is_cut():
    assert len(cut_head(b"x" * 1_000_000)) == MAX_HEAD


def test_every_header_is_read_with_all_its_values():
    raw = mail_bytes("X-Body: no", extra={"X-Tag": "one\r\n two", "x-tag": "=?utf-8?q?gr=C3=BCn?="})
    headers = read_headers(raw)
    assert headers["x-tag"] == ("one two", "grün") and "x-body" not in headers
    assert read_headers(b"") == {} and read_headers(bytes(range(256)) * 10) is not None


def test_a_parsed_head_names_people_and_has_no_body():
    mail = parse_head(mail_bytes("The body"))
    assert (mail.from_email, mail.subject, mail.text) == ("dana@customer.example", "Printer on fire", "")


def test_a_mail_as_plain_text_keeps_every_byte():
    raw = b"From: Dana <dana@customer.example>\r\nSUBJECT: Help \xff\r\n\r\nthe \x00 body"
    mail = plain_mail(raw)
    assert (mail.from_email, mail.subject) == ("dana@customer.example", "Help \ufffd")
    assert mail.text.endswith("the  body") and mail.text.startswith("From: Dana")
    assert [(one.filename, one.data) for one in mail.attachments] == [("original.eml", raw)]
    assert (mail.message_id, mail.html) == ("", "")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("dana@c.example", "dana@c.example"),
        ('"D, @ Ana" <dana@c.example>', "dana@c.example"),
        ("Dana", ""),
        ("@ nobody@", ""),
        ("x" * 300 + "@c.example", ""),
    ],
)
def test_the_sender_of_a_plain_mail_is_the_first_word_like_an_address(value, address):
    assert plain_mail(f"From: {value}\n\n".encode()).from_email == address


def test_a_plain_mail_without_anything_has_a_subject_and_an_end():
    assert plain_mail(b"").subject == "Mail imported as plain text"
    assert len(plain_mail(b"y" * 1_000_000).text) == MAX_PLAIN

import base64

import pytest

from portal.core.mail import parse_mail
from portal.core.mail_body import Body, Piece, collect_parts, unflow
from portal.core.mime import MimeLimits, parse_mime
from tests.core.test_smime import DATA, SIGNED, VERSION, der
from tests.mails import mail_bytes, multipart, part
from tests.tnef import BODY, FILE_DATA, FILE_TITLE, NEW_FILE, tnef


def winmail(data: bytes, **headers: str) -> bytes:
    encoded = base64.encodebytes(data)
    return part("application/ms-tnef; name=winmail.dat", encoded, Content_Transfer_Encoding="base64", **headers)


def test_parts_add_up_to_a_body():
    raw = multipart([part("text/plain", b"plain"), part("image/png", b"x")])
    root, _ = parse_mime(raw, limits=MimeLimits())
    body = Body(raw, "")
    collect_parts(root, body)
    assert body.pieces == [Piece("plain")] and body.finish(most_text=100, most_html=100) == ("plain", "")
    assert [one.filename for one in body.attachments] == ["file.png"]


def test_the_html_is_taken_where_the_plain_text_says_less():
    html = b"<p>The printer on floor two is on fire and nobody answers the phone</p><blockquote>old</blockquote>"
    short = [part("text/plain", b"Please use a mail program that shows HTML."), part("text/html", html)]
    mail = parse_mail(multipart(short, kind="alternative"))
    assert mail.text.startswith("The printer on floor two") and mail.text.endswith("> old") and mail.is_from_html
    same = [part("text/plain", b"The printer on floor two is on fire, nobody answers the phone\n> old\n")]
    mail = parse_mail(multipart([*same, part("text/html", html)], kind="alternative"))
    assert "on fire, nobody" in mail.text and not mail.is_from_html


def test_winmail_dat_gives_way_to_what_is_in_it():
    files = ((NEW_FILE, b""), (FILE_TITLE, b"plan.pdf\0"), (FILE_DATA, b"%PDF"))
    mail = parse_mail(multipart([part("text/plain", b"see file"), winmail(tnef((BODY, b"other\0"), *files))]))
    assert mail.text == "see file"
    assert [(one.filename, one.content_type, one.data) for one in mail.attachments] == [
        ("plan.pdf", "application/pdf", b"%PDF")
    ]
    assert parse_mail(multipart([part("text/plain", b" "), winmail(tnef((BODY, b"words\0")))])).text == "words"


def test_a_broken_winmail_dat_stays_a_file():
    mail = parse_mail(multipart([part("text/plain", b"hi"), winmail(b"garbage")]))
    assert [one.filename for one in mail.attachments] == ["winmail.dat"]


def test_a_mail_within_an_opaque_signature_is_shown():
    inner = multipart([part("text/plain", b"signed words"), part("application/pdf; name=a.pdf", b"x")])
    content = der(0x30, DATA + der(0xA0, der(0x04, inner)))
    signed = der(0x30, SIGNED + der(0xA0, der(0x30, VERSION + der(0x31, b"") + content)))
    kind = {"Content-Type": "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"}
    raw = mail_bytes(base64.encodebytes(signed), extra={**kind, "Content-Transfer-Encoding": "base64"})
    mail = parse_mail(raw)
    assert mail.text == "signed words" and [one.filename for one in mail.attachments] == ["a.pdf", "smime.p7m"]


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/enriched", "<bold>On</bold> fire\nnow\n\n<param>x</param>3 << 4", "On fire now\n\n3 < 4"),
        ("", "<!DOCTYPE html><p>rich</p>", "rich"),
        ("html", "<b>rich</b>", "rich"),
    ],
)
def test_other_ways_to_write_text_are_text(kind, body, text):
    assert parse_mail(mail_bytes(body, extra={"Content-Type": kind} if kind else {})).text == text


def test_flowed_text_keeps_signature_and_depth():
    assert unflow("one \ntwo\n>> a \n>> b\n> c") == "one two\n>> a b\n> c"
    assert unflow("a \n-- \nDana") == "a \n-- \nDana"
    assert unflow("a \nb", delsp=True) == "ab"


def test_signed_mails_within_signed_mails_end_somewhere():
    raw = part("text/plain", b"hello")
    for _ in range(300):
        content = der(0x30, DATA + der(0xA0, der(0x04, raw)))
        raw = part(
            "application/pkcs7-mime", der(0x30, SIGNED + der(0xA0, der(0x30, VERSION + der(0x31, b"") + content)))
        )
    assert len(parse_mail(mail_bytes("").rstrip() + b"\r\n" + raw).attachments) == 4


def test_of_a_thousand_files_five_hundred_are_kept_and_the_rest_is_named():
    text = part("text/plain", b"begin 644 x\nend\n" * 100 + b"words\n")
    mail = parse_mail(multipart([text] * 10))
    assert len(mail.attachments) == 500 and mail.text.count("words") == 10
    assert mail.defects == ("more than 500 files; the rest is in the original only",)

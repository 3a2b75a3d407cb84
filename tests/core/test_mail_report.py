import json

from portal.core.mail import parse_mail
from portal.core.mail_kinds import decide_kind
from portal.core.mail_report import describe_failure, describe_mail
from tests.mails import mail_bytes, multipart, part


def describe(raw: bytes):
    mail = parse_mail(raw)
    return describe_mail(mail, kind=decide_kind(mail, own_addresses=(), is_own_id=lambda one: False))


def test_a_mail_is_described_for_json():
    pdf = part("application/pdf", b"x", Content_Disposition='attachment; filename="a.pdf"')
    found = describe(multipart([part("text/plain", "Größe\n-- \nDana".encode()), pdf]))
    assert json.loads(json.dumps(found)) == found
    assert found["from_email"] == "dana@customer.example" and found["from_display_name"] == "Dana Reyes"
    assert found["to"] == ["help@shop.example"] and found["cc"] == [] and found["reply_to"] == []
    assert found["date"] == "2025-11-21T09:00:00+00:00" and found["message_id"] == "<one@customer.example>"
    assert found["body_parts"] == [{"kind": "text", "text": "Größe"}, {"kind": "signature", "text": "-- \nDana"}]
    (file,) = found["attachments"]
    assert (file["filename"], file["content_type"], file["size"], file["inline"]) == (
        "a.pdf",
        "application/pdf",
        1,
        False,
    )
    assert len(file["sha256"]) == 64 and found["kind"] == "person" and found["kind_reason"] and found["defects"] == []


def test_the_text_of_html_is_without_our_marks_and_its_parts_have_them():
    html = "<p>new</p><blockquote>old<blockquote>older</blockquote></blockquote>"
    found = describe(mail_bytes(html, subject="Re: Printer", extra={"Content-Type": "text/html"}))
    assert found["body_text"].split() == ["new", "old", "older"]
    assert [one["kind"] for one in found["body_parts"]] == ["text", "quote"]
    assert describe(mail_bytes("> old\n"))["body_text"] == "> old"


def test_a_failure_has_the_shape_of_a_mail():
    failed = describe_failure("no such file")
    assert failed.keys() == describe(mail_bytes()).keys() and failed["defects"] == ["error: no such file"]
    assert describe(b"")["date"] is None and describe(b"")["from_email"] == ""

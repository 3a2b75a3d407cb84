"""What Graph knows of a mail without an original, and when that is the whole of it."""

import base64
from email import message_from_bytes

import pytest

from portal.integrations.graph.rebuild import header_lines, rebuild_mail

CONTENT = base64.b64encode(b"\x30\x80 sealed").decode()


def file(name="smime.p7m", kind="application/pkcs7-mime", content=CONTENT):
    return {"name": name, "contentType": kind, "contentBytes": content}


def test_one_envelope_is_the_whole_mail_also_without_a_header():
    mail = message_from_bytes(rebuild_mail({"internetMessageId": "<1@a.example>"}, [file(kind="multipart/signed")]))
    assert mail["Message-ID"] == "<1@a.example>" and mail.get_content_type() == "application/pkcs7-mime"
    assert mail.get_payload(decode=True) == b"\x30\x80 sealed"


@pytest.mark.parametrize(
    "files", [[], [file(), file()], [file("plan.pdf", "application/pdf")], [file(content=None)], [{"name": "an item"}]]
)
def test_anything_else_is_not_made_up(files):
    assert rebuild_mail({"internetMessageId": "<1@a.example>"}, files) is None


def test_no_header_line_brings_another():
    entry = {"internetMessageHeaders": [{"name": "Subject", "value": "Hello\r\nBcc: all@a.example"}]}
    assert header_lines(entry) == ["Subject: Hello Bcc: all@a.example"]

import pytest

from portal.core.bounces import DeliveryReport, parse_report
from portal.core.mail import parse_mail
from portal.core.mail_kinds import MailKind, decide_kind
from tests.mails import DELIVERY_REPORT, mail_bytes, multipart, part

OWN = {"help@shop.example"}


def kind(raw: bytes) -> MailKind:
    return decide_kind(parse_mail(raw), own_addresses=OWN, is_own_id=lambda one: one.startswith("<nd."))


def test_dana_is_a_person_and_may_be_answered():
    assert kind(mail_bytes()).kind == "person" and kind(mail_bytes()).may_be_answered


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Auto-Submitted": "auto-replied"}, "automatic"),
        ({"Auto-Submitted": "auto-generated; owner=x"}, "automatic"),
        ({"Auto-Submitted": "no"}, "person"),
        ({"Auto-Submitted": "No (a person)"}, "person"),
        ({"Precedence": "bulk"}, "automatic"),
        ({"Precedence": "auto_reply"}, "automatic"),
        ({"Precedence": "list"}, "list"),
        ({"Precedence": "first-class"}, "person"),
        ({"List-Id": "<news.customer.example>"}, "list"),
        ({"List-Post": "<mailto:x>"}, "list"),
        ({"List-Unsubscribe": "<mailto:x>"}, "automatic"),
        ({"Feedback-ID": "x"}, "automatic"),
        ({"X-Auto-Response-Suppress": "OOF, DR"}, "automatic"),
        ({"X-Auto-Response-Suppress": "All"}, "automatic"),
        ({"X-Auto-Response-Suppress": "DR, RN"}, "person"),
        ({"X-Autoreply": "yes"}, "automatic"),
        ({"X-Autorespond": "no"}, "person"),
        ({"X-Loop": "help@other.example"}, "automatic"),
        ({"Return-Path": "<>"}, "automatic"),
        ({"Return-Path": "<dana@customer.example>"}, "person"),
        ({"X-Failed-Recipients": "dana@customer.example"}, "bounce"),
    ],
)
def test_headers_tell_machines_from_people(headers, expected):
    assert kind(mail_bytes(extra=headers)).kind == expected


@pytest.mark.parametrize(
    ("sender", "headers", "expected"),
    [
        ("no-reply@customer.example", {}, "automatic"),
        ("noreply+x1@customer.example", {}, "automatic"),
        ("Do_Not_Reply@customer.example", {}, "automatic"),
        ("noreen@customer.example", {}, "person"),
        ("bouncer@customer.example", {}, "person"),
        ("bounces-123@customer.example", {}, "automatic"),
        ("MAILER-DAEMON@customer.example", {}, "bounce"),
        ("postmaster@customer.example", {"Return-Path": "<>"}, "bounce"),
        ("postmaster@customer.example", {"Return-Path": "<postmaster@customer.example>"}, "automatic"),
        ("Help Desk <HELP@shop.example>", {}, "own"),
        ("", {}, "person"),
    ],
)
def test_senders_tell_machines_from_people(sender, headers, expected):
    assert kind(mail_bytes(sender=sender, extra=headers)).kind == expected


def test_our_own_mail_is_known_by_its_id():
    found = kind(mail_bytes(message_id="<nd.1.2.x@y>", extra={"Auto-Submitted": "auto-generated"}))
    assert found == MailKind("own", "its Message-ID is one of ours") and not found.may_be_answered


def test_a_delivery_report_is_a_bounce_even_from_ourselves():
    assert kind(DELIVERY_REPORT).kind == "bounce"
    inside = multipart([part("message/delivery-status", b"Action: delayed\r\n")], sender="help@shop.example")
    assert kind(inside).reason == "holds a delivery report"


def test_a_read_receipt_is_automatic():
    raw = multipart([part("text/plain", b"read")], kind="report; report-type=disposition-notification")
    assert kind(raw).kind == "automatic"
    assert kind(multipart([part("text/plain", b"read")], kind="report; report-type=other")).kind == "person"


@pytest.mark.parametrize(
    ("method", "expected"), [("REPLY", "calendar"), ("REQUEST", "calendar"), ("PUBLISH", "person")]
)
def test_calendar_mail_is_known(method, expected):
    assert kind(multipart([part(f"text/calendar; method={method}", b"")])).kind == expected


def test_every_kind_but_a_person_has_a_reason_a_person_can_read():
    assert kind(mail_bytes(extra={"Precedence": "bulk"})).reason == "header Precedence: bulk"


def test_a_report_names_each_recipient():
    report = (
        "Reporting-MTA: dns; mx\n\n"
        "Original-Recipient: rfc822;old@c.example\nFinal-Recipient: rfc822; <dana@c.example>\nAction: Failed (x)\n"
        "Status: 5.1.1 (no)\nDiagnostic-Code: smtp; 550 no\n\n"
        "Final-Recipient: bob@c.example\nAction: delayed\nStatus: 4.0.0\n\nAction: failed\n"
    )
    assert parse_report(report) == (
        DeliveryReport("dana@c.example", "failed", "5.1.1", "smtp; 550 no"),
        DeliveryReport("bob@c.example", "delayed", "4.0.0", ""),
        DeliveryReport("", "failed", "", ""),
    )
    assert [one.is_permanent for one in parse_report(report)] == [True, False, False]
    assert parse_report("") == ()

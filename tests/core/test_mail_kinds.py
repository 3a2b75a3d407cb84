import pytest

from portal.core.mail import parse_mail
from portal.core.mail_kinds import MailKind, decide_kind, has_machine_subject, real_sender
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
    assert (
        kind(inside.replace(b"help@shop.example", b"dana@customer.example", 1)).kind == "person"
    )  # asks what it means


def test_a_read_receipt_is_automatic():
    raw = multipart([part("text/plain", b"read")], kind="report; report-type=disposition-notification")
    assert kind(raw).kind == "automatic"
    assert kind(multipart([part("text/plain", b"read")], kind="report; report-type=other")).kind == "person"


@pytest.mark.parametrize(
    ("method", "expected", "opens"),
    [
        ("REPLY", "calendar", False),
        ("COUNTER", "calendar", False),
        ("CANCEL", "calendar", False),
        ("REQUEST", "calendar", True),
        ("PUBLISH", "person", True),
    ],
)
def test_calendar_mail_is_known_and_an_invitation_is_a_request(method, expected, opens):
    found = kind(multipart([part(f"text/calendar; method={method}", b"")]))
    assert (found.kind, found.opens_ticket) == (expected, opens)


def test_a_changed_invitation_is_no_new_request():
    raw = multipart([part("text/calendar; method=REQUEST", b"")])
    assert not kind(b"References: <a@x>\r\n" + raw).opens_ticket


def test_every_kind_but_a_person_has_a_reason_a_person_can_read():
    assert kind(mail_bytes(extra={"Precedence": "bulk"})).reason == "header Precedence: bulk"


OUT_OF_OFFICE = {
    "Exchange": ("Automatic reply: x", {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}),
    "Exchange in German": ("Automatische Antwort: x", {"X-Auto-Response-Suppress": "All", "In-Reply-To": "<a@x>"}),
    "Gmail": ("Out of office Re: x", {"Auto-Submitted": "auto-replied", "Precedence": "bulk", "X-Autoreply": "yes"}),
    "Postfix and vacation": ("Re: x", {"Auto-Submitted": "auto-replied (vacation)", "Precedence": "junk"}),
    "Exim": ("Re: x", {"Auto-Submitted": "auto-replied", "References": "<a@x>"}),
    "Domino": ("AUTO: Dana is out of the office", {"Auto-Submitted": "auto-generated", "In-Reply-To": "<a@x>"}),
    "qmail": ("Re: x", {"X-Autoreply": "Yes", "Return-Path": "<>"}),
    "Zimbra": ("Re: x", {"Auto-Submitted": "auto-replied (zimbra; vacation)", "Precedence": "bulk"}),
    "cPanel": ("x", {"X-Autorespond": "x", "Precedence": "bulk"}),
    "an old one with nothing but its subject": ("Abwesenheitsnotiz: x", {"In-Reply-To": "<a@x>"}),
    "one in French": ("Réponse automatique : x", {"References": "<a@x>"}),
    "one in Spanish": ("Respuesta automática: x", {"References": "<a@x>"}),
    "one in Dutch": ("Automatisch antwoord: x", {"References": "<a@x>"}),
    "one with an empty sender": ("I am away", {"Return-Path": "<>"}),
    "comment first": ("x", {"Auto-Submitted": "(robot) auto-replied; x=y"}),
    "challenge and response": ("Please confirm your mail", {"X-Challenge": "yes"}),
    "BoxTrapper": ("Your email requires verification", {"X-Boxtrapper": "abc"}),
    "TMDA": ("Please confirm", {"X-TMDA-Fingerprint": "abc"}),
}


@pytest.mark.parametrize("name", list(OUT_OF_OFFICE))
def test_an_automatic_answer_is_known_and_opens_nothing(name):
    subject, headers = OUT_OF_OFFICE[name]
    found = kind(mail_bytes(subject=subject, extra=headers))
    assert (found.kind, found.may_be_answered) == ("automatic", False) and found.reason
    assert not found.opens_ticket


@pytest.mark.parametrize(
    ("subject", "headers"),
    [
        ("Automatic reply: does not work any more", {}),  # a subject alone is no proof
        ("Re: Automatic reply", {"In-Reply-To": "<a@x>"}),
        ("Printer", {"X-MS-Exchange-Inbox-Rules-Loop": "dana@customer.example"}),  # passed on by a rule of hers
        ("Printer", {"X-Auto-Response-Suppress": "DR, RN, NRN"}),
        ("Printer", {"Auto-Submitted": "no"}),
        ("Printer", {"X-Mailer": "Microsoft Outlook 16.0", "Thread-Index": "AQHb"}),
        ("Printer", {"List-Id": "Support <support.shop.example>", "Precedence": "list"}),  # our own group address
        ("Printer", {"List-Post": "<mailto:support@shop.example>", "List-Unsubscribe": "<mailto:x>", "List-Id": "x"}),
        ("Undeliverable: what is this?", {}),
    ],
)
def test_people_are_not_taken_for_machines(subject, headers):
    found = kind(mail_bytes(subject=subject, extra=headers))
    assert found.kind == "person" and found.opens_ticket


@pytest.mark.parametrize(
    ("sender", "subject", "headers"),
    [
        (
            "Mail Delivery System <MAILER-DAEMON@mx.example>",
            "Undelivered Mail Returned to Sender",
            {"Return-Path": "<>"},
        ),
        ("Mail Delivery System <Mailer-Daemon@mx.example>", "Mail delivery failed", {"X-Failed-Recipients": "dana@c"}),
        ("MAILER-DAEMON@mx.example", "failure notice", {}),
        ("Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Delay)", {}),
        ("postmaster@customer.example", "Undeliverable: [#7] Printer", {"Return-Path": "<>"}),
        ("MicrosoftExchange329e71ec@a.example", "Unzustellbar: x", {"Return-Path": "<>"}),
        ("Notes@customer.example", "DELIVERY FAILURE: User dana not listed", {"Return-Path": "<>"}),
        ("system@customer.example", "Onbestelbaar: x", {"Return-Path": "<>"}),
        ("system@customer.example", "Non remis : x", {"Return-Path": "<>"}),
    ],
)
def test_bounces_without_a_report_are_known(sender, subject, headers):
    assert kind(mail_bytes(sender=sender, subject=subject, extra=headers)).kind == "bounce"


@pytest.mark.parametrize(
    ("headers", "opens"),
    [
        ({"Auto-Submitted": "auto-generated"}, True),
        ({"Auto-Submitted": "auto-notified; owner-email=x"}, True),
        ({"X-Cron-Env": "<SHELL=/bin/sh>"}, True),
        ({"X-Auto-Response-Suppress": "All"}, True),
        ({"X-Auto-Response-Suppress": "All", "In-Reply-To": "<a@x>"}, False),
        ({"Precedence": "bulk"}, False),
    ],
)
def test_a_machine_that_reports_opens_a_ticket_and_one_that_answers_does_not(headers, opens):
    found = kind(mail_bytes(subject="disk full", extra=headers))
    assert (found.kind, found.opens_ticket) == ("automatic", opens)


def test_weak_subjects_are_known_in_many_languages():
    assert has_machine_subject("Out of the office: Dana") and has_machine_subject("afwezigheidsbericht")
    assert not has_machine_subject("My out of office does not work")


@pytest.mark.parametrize(
    ("sender", "reply_to", "expected"),
    [
        ("Website <help@shop.example>", "Dana <dana@customer.example>", "dana@customer.example"),
        ("Website <help@shop.example>", "help@shop.example", "help@shop.example"),
        ("help@shop.example", "", "help@shop.example"),
        ("dana@customer.example", "eve@customer.example", "dana@customer.example"),
    ],
)
def test_a_web_form_that_writes_in_our_name_says_who_wrote(sender, reply_to, expected):
    mail = parse_mail(mail_bytes(sender=sender, extra={"Reply-To": reply_to}))
    assert real_sender(mail, own_addresses=OWN).email == expected


def test_a_mail_without_a_sender_has_no_other():
    assert real_sender(parse_mail(b"Subject: x\r\n\r\nx"), own_addresses=OWN) is None


@pytest.mark.parametrize("name", ["Feedback-ID", "List-Unsubscribe"])
def test_bulk_mail_names_the_header_that_gave_it_away(name):
    assert kind(mail_bytes(extra={name: "x"})).reason == f"bulk mail (header {name})"


def test_a_sender_that_takes_no_replies_may_open_a_ticket():
    assert kind(mail_bytes(sender="no-reply@customer.example")).opens_ticket


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("Automatic reply: [#12] Printer", "automatic"),  # a robot that drops References but not our subject
        ("Abwesenheitsnotiz: [#12] Drucker", "automatic"),
        ("Automatic reply: Printer", "person"),  # who forwards or types it
        ("Re: [#12] Automatic reply does not work", "person"),
        ("[#12] Out of office does not work", "person"),
    ],
)
def test_a_robots_subject_before_ours_is_an_answer_also_without_references(subject, found):
    assert kind(mail_bytes(subject=subject)).kind == found


@pytest.mark.parametrize(
    ("report_type", "machine_part", "expected"),
    [("delivery-status", False, "bounce"), ("other", True, "bounce"), ("other", False, "person")],
)
def test_a_report_is_a_bounce_by_its_name_or_by_its_machine_part(report_type, machine_part, expected):
    parts = [part("text/plain", b"no luck")]
    if machine_part:
        parts.append(part("message/delivery-status", b"Final-Recipient: rfc822; dana@customer.example\r\n"))
    assert kind(multipart(parts, kind=f"report; report-type={report_type}")).kind == expected


def test_a_web_form_that_names_us_first_in_its_reply_to_still_says_who_wrote():
    mail = parse_mail(
        mail_bytes(sender="help@shop.example", extra={"Reply-To": "help@shop.example, Dana <dana@customer.example>"})
    )
    assert real_sender(mail, own_addresses=OWN).email == "dana@customer.example"

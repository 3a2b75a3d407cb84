import pytest

from portal.core.bounces import DeliveryReport, parse_report, read_bounce
from portal.core.mail import parse_mail
from tests.mails import DELIVERY_REPORT, mail_bytes

DANA = "dana@customer.example"
QMAIL = """Hi. This is the qmail-send program at mx.shop.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<dana@customer.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <help@shop.example>
Message-ID: <nd.7@shop.example>
To: dana@customer.example, eve@customer.example
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  dana@customer.example
    host mx.customer.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<dana@customer.example>:
    550 5.1.1 User unknown
"""
EXIM_DELAY = """This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.shop.example.

The address to which the message has not yet been delivered is:

  dana@customer.example
    Delay reason: connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
"""
DOMINO = """Your message

  Subject: [#7] Printer

was not delivered to:

  dana@customer.example

because:

  User dana (dana@customer.example) not listed in Domino Directory
"""


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


def bounce(text, *, recipients=(DANA,), subject="failure notice", **extra):
    mail = parse_mail(mail_bytes(text, sender="MAILER-DAEMON@mx.example", subject=subject, extra=extra))
    return read_bounce(mail, recipients=recipients)


def test_a_report_is_told_of_the_addresses_we_wrote_to_and_of_no_others():
    (found,) = read_bounce(parse_mail(DELIVERY_REPORT), recipients=[DANA, "eve@customer.example"])
    assert (found.recipient, found.action, found.status) == (DANA, "failed", "5.1.1") and found.is_permanent
    assert found.words == "failed 5.1.1 smtp; 550 no such user"
    assert read_bounce(parse_mail(DELIVERY_REPORT), recipients=["eve@c", "bob@c"]) == ()


def test_a_report_about_an_alias_says_nothing_final_of_the_address_we_wrote_to():
    (found,) = read_bounce(parse_mail(DELIVERY_REPORT), recipients=["info@customer.example"])
    assert (found.recipient, found.action, found.status) == ("info@customer.example", "failed", "4.1.1")
    assert not found.is_permanent and DANA in found.diagnostic
    delayed = DELIVERY_REPORT.replace(b"Action: failed", b"Action: delayed").replace(b"5.1.1", b"4.4.1")
    assert read_bounce(parse_mail(delayed), recipients=["info@customer.example"])[0].status == "4.4.1"


@pytest.mark.parametrize(
    ("text", "action", "status"),
    [
        (QMAIL, "failed", "5.1.1"),
        (EXIM, "failed", "5.1.1"),
        (EXIM.replace("550 5.1.1 User", "550 User"), "failed", "5.0.0"),
        (EXIM_DELAY, "delayed", ""),
        (DOMINO, "failed", ""),
        (
            "Warning: message still undelivered\n<dana@customer.example>: 4.4.1 timed out, will retry",
            "delayed",
            "4.4.1",
        ),
    ],
)
def test_the_words_of_servers_without_a_report_are_read(text, action, status):
    (found,) = bounce(text, recipients=[DANA, "nobody@customer.example"])
    assert (found.recipient, found.action, found.status) == (DANA, action, status)


def test_an_address_that_stands_only_in_the_returned_mail_did_not_fail():
    assert [one.recipient for one in bounce(QMAIL, recipients=[DANA, "eve@customer.example"])] == [DANA]


def test_the_header_of_exim_and_gmail_names_who_failed():
    found = bounce("It did not work: 550 no", recipients=[DANA, "eve@c"], **{"X-Failed-Recipients": f"x@y, {DANA}"})
    assert [(one.recipient, one.status) for one in found] == [(DANA, "5.0.0")]


def test_words_that_name_nobody_are_told_of_the_only_receiver_and_kill_no_address():
    (found,) = bounce("554 5.7.1 Message rejected")
    assert (found.recipient, found.action, found.is_permanent) == (DANA, "failed", False)
    assert bounce("rejected", recipients=[DANA, "eve@c"]) == () and bounce("rejected", recipients=[]) == ()
    (late,) = bounce("Your mail is delayed", subject="Delivery delayed")
    assert late.action == "delayed"

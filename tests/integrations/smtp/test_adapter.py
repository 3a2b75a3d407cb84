"""The adapter against a real SMTP server."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.core.errors import GatewayError
from portal.core.mail import parse_mail
from portal.core.mail_kinds import decide_kind
from portal.core.ports import OutgoingAttachment, OutgoingMessage
from portal.integrations.smtp.adapter import SmtpSender, SmtpSettings, build_message
from tests.smtp_sink import SmtpSink, running_smtp_sink

MESSAGE = OutgoingMessage(
    message_id="<nd.7.12.aebagbaf.abcdefghijklmnop@helpdesk.department.shop.example>",
    sender="help@shop.example",
    sender_name="Help Desk, Shop",
    to=("dana@customer.example",),
    subject="[#7] Drücker on fire",
    text="We look at it.\n.\nRef: nd.7.12.aebagbaf.abcdefghijklmnop\n",
    date=datetime(2025, 12, 25, 2, 11, tzinfo=UTC),
)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running_smtp_sink() as server:
        yield server


def sender(port: int, **changes) -> SmtpSender:
    return SmtpSender(
        SmtpSettings(**{"host": "127.0.0.1", "port": port, "security": "plain", "timeout": 5.0, **changes})
    )


def test_a_mail_arrives_as_it_was_written(sink):
    sender(sink.port).send(MESSAGE)
    (mail,) = sink.mails
    assert mail.sender == "help@shop.example" and mail.recipients == ["dana@customer.example"]
    assert mail.message["Message-ID"] == MESSAGE.message_id and mail.message["Subject"] == MESSAGE.subject
    assert str(mail.message["From"]) == '"Help Desk, Shop" <help@shop.example>'
    assert mail.message["Date"] == "Thu, 25 Dec 2025 02:11:00 +0000" and mail.text.splitlines()[1] == "."


def test_a_port_without_the_chosen_encryption_is_named_as_such(sink):
    with pytest.raises(GatewayError, match="this port does not speak the encryption that was chosen"):
        sender(sink.port, security="tls").send(MESSAGE)


def test_automatic_mail_says_so_and_our_own_parser_knows_it(sink):
    sender(sink.port).send(MESSAGE)
    headers = sink.mails[0].message
    assert headers["Auto-Submitted"] == "auto-generated" and headers["X-Auto-Response-Suppress"] == "All"
    kind = decide_kind(parse_mail(sink.mails[0].data), own_addresses=(), is_own_id=lambda one: False)
    assert kind.kind == "automatic"


def test_an_answer_to_a_mail_is_auto_replied_and_threads(sink):
    parents = tuple(f"<{n}{'x' * 90}@customer.example>" for n in range(3))
    sender(sink.port).send(replace(MESSAGE, in_reply_to=parents[-1], references=parents))
    mail = parse_mail(sink.mails[0].data)
    assert mail.headers["auto-submitted"] == "auto-replied"
    assert mail.in_reply_to == parents[-1:] and mail.references == parents and mail.message_id == MESSAGE.message_id


def test_a_technicians_reply_is_no_automatic_mail(sink):
    sender(sink.port).send(replace(MESSAGE, is_automatic=False))
    kind = decide_kind(parse_mail(sink.mails[0].data), own_addresses=(), is_own_id=lambda one: False)
    assert "Auto-Submitted" not in sink.mails[0].message and "Precedence" not in sink.mails[0].message
    assert kind.kind == "person"


def test_html_and_attachments_travel_along(sink):
    files = (
        OutgoingAttachment("Plan ü.pdf", "application/pdf", b"%PDF\x00\xff"),
        OutgoingAttachment("old.eml", "message/rfc822", b"Subject: x\n\ny"),
        OutgoingAttachment("odd", "odd", b"z"),
    )
    sender(sink.port).send(
        replace(MESSAGE, html="<p>We look at it.</p>", attachments=files, cc=("carol@shop.example",))
    )
    mail = parse_mail(sink.mails[0].data)
    assert mail.html.strip() == "<p>We look at it.</p>" and [one.email for one in mail.cc] == ["carol@shop.example"]
    assert [(one.filename, one.data) for one in mail.attachments] == [(one.filename, one.data) for one in files]
    assert sink.mails[0].recipients == ["dana@customer.example", "carol@shop.example"]


def test_a_header_cannot_be_smuggled_in_by_subject_or_name():
    raw = build_message(replace(MESSAGE, subject="x\r\nBcc: eve@evil.example", sender_name="a\r\nBcc: b")).as_bytes()
    assert b"\nBcc:" not in raw


def test_a_domain_with_other_letters_is_written_as_servers_know_it(sink):
    sender(sink.port).send(replace(MESSAGE, to=("dana@kühl.example",)))
    assert sink.mails[0].recipients == ["dana@xn--khl-hoa.example"]
    assert sink.mails[0].message["To"] == "dana@xn--khl-hoa.example"


@pytest.mark.parametrize("broken", [{"text": "half a pair: \ud800"}, {"in_reply_to": "<a\nb@c.example>"}])
def test_a_mail_that_cannot_be_written_is_refused_for_good(broken):
    with pytest.raises(GatewayError, match="cannot be written") as caught:
        sender(1).send(replace(MESSAGE, **broken))
    assert caught.value.permanent


@pytest.mark.parametrize("address", ["no address", "two@at@signs", "line\n@break.example", "dänä@c.example", ""])
def test_an_address_that_is_none_is_a_permanent_error(address):
    with pytest.raises(GatewayError, match="is no mail address") as caught:
        build_message(replace(MESSAGE, to=(address,)))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("command", "answer", "permanent", "code"),
    [
        ("RCPT", "550 no such user", True, "550"),
        ("RCPT", "451 greylisted", False, "451"),
        ("MAIL", "550 not allowed", True, "sender"),
        ("DATA", "554 looks like spam", True, "554"),
        ("DATA", "452 disk full", False, "452"),
    ],
)
def test_refusals_are_permanent_or_transient_as_the_server_says(sink, command, answer, permanent, code):
    sink.answer_next(command, answer)
    with pytest.raises(GatewayError, match=answer) as caught:
        sender(sink.port).send(MESSAGE)
    assert caught.value.permanent is permanent and caught.value.code == code and not caught.value.maybe_done
    assert sink.mails == []


def test_a_dead_copy_does_not_hold_up_the_mail(sink):
    message = replace(MESSAGE, cc=("gone@shop.example",))
    connection = sender(sink.port)
    sink.answer_next("RCPT", "250 OK")
    sink.answer_next("RCPT", "550 gone")
    connection.send(message)
    assert len(sink.mails) == 1


def test_an_answer_lost_after_the_mail_was_taken_may_be_done(sink):
    sink.drop_next("after")
    with pytest.raises(GatewayError, match="did not confirm") as caught:
        sender(sink.port).send(MESSAGE)
    assert caught.value.maybe_done and not caught.value.permanent and len(sink.mails) == 1


def test_the_account_can_be_checked(sink):
    assert sender(sink.port).check() == "Connected to 127.0.0.1."
    assert sender(sink.port, user="help", password="secret").check() == "Logged in at 127.0.0.1."


def test_a_wrong_password_is_the_accounts_trouble(sink):
    with pytest.raises(GatewayError, match="refused the login") as caught:
        sender(sink.port, user="help", password="hunter2").send(MESSAGE)
    assert caught.value.permanent and caught.value.code == "login" and "hunter2" not in str(caught.value)


def test_a_server_without_starttls_is_refused(sink):
    with pytest.raises(GatewayError, match="cannot do this") as caught:
        sender(sink.port, security="starttls").check()
    assert caught.value.permanent


def test_tls_to_a_plain_port_is_an_error_and_no_hang(sink):
    with pytest.raises(GatewayError, match="cannot be reached"):
        sender(sink.port, security="tls").check()


def test_a_silent_server_ends_in_a_time_out():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(GatewayError, match="cannot be reached") as caught:
            sender(silent.getsockname()[1], timeout=0.2).send(MESSAGE)
        assert not caught.value.permanent and not caught.value.maybe_done


def test_nobody_listening_is_transient():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(GatewayError, match="cannot be reached") as caught:
        sender(port).send(MESSAGE)
    assert not caught.value.permanent


def test_a_token_signs_in_instead_of_a_password(sink):
    sink.token = "fresh"
    signed_in = sender(sink.port, user="help", access_token=lambda: "fresh")
    assert signed_in.check() == "Logged in at 127.0.0.1."
    signed_in.send(MESSAGE)
    assert len(sink.mails) == 1


def test_a_refused_token_is_permanent_and_never_in_the_message(sink):
    sink.token = "other"
    with pytest.raises(GatewayError, match="refused the login") as caught:
        sender(sink.port, user="help", access_token=lambda: "hunter2").check()
    assert caught.value.permanent and caught.value.code == "login" and "hunter2" not in str(caught.value)


def test_a_password_with_other_letters_goes_as_utf_8(sink):
    assert "Logged in" in sender(sink.port, user="help", password="geheimnis-ü").check()
    with pytest.raises(GatewayError, match="refused the login") as caught:
        sender(sink.port, user="help", password="falsch-ü").check()
    assert caught.value.permanent


def test_a_user_that_no_server_can_take_is_an_error_and_no_crash(sink):
    with pytest.raises(GatewayError):
        sender(sink.port, user="hülp", access_token=lambda: "fresh").check()

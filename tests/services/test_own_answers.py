import pytest

from portal.core.mail import parse_mail
from portal.models import Attachment, Message, OutgoingMail, Ticket, TicketEvent, User
from portal.services.own_answers import files_to_send, take_own_words
from portal.services.tickets import Actor, NewMessage
from tests.mails import multipart, part
from tests.services.mail_desk import BOB, DANA, NOW, OURS, MailDesk

FIRST = "<first@customer.example>"
WORDS = (
    "Please restart it.\n\nKind regards,\nBob Builder\n+49 30 1234\n\n"
    "On Fri, Help wrote:\n> https://inside.a.example/tickets/1\n"
)


@pytest.fixture
def desk(tmp_path):
    desk = MailDesk(tmp_path)
    desk.ticket_id = desk.take(message_id=FIRST).ticket_id
    return desk


def said(desk):
    message = desk.last(Message)
    return message.kind, message.is_public, message.author, message.body


def outgoing(desk):
    return desk.every(OutgoingMail, event="answer")


def test_a_technicians_own_words_go_out_and_nothing_else(desk):
    row = desk.take(WORDS, sender=BOB, answers=FIRST)
    assert (row.verdict, row.ticket_id) == ("reply", desk.ticket_id) and "Bob answered by mail" in row.reason
    assert said(desk) == ("answer", True, "Bob", "Please restart it.")
    (mail,) = outgoing(desk)
    assert mail.to == ["dana@customer.example"] and "Please restart it." in mail.text
    assert not any(word in mail.text for word in ("1234", "inside.a.example", "bob@a.example"))
    ticket = desk.ticket(desk.ticket_id)
    assert (ticket.status, ticket.first_response_at) == ("open", NOW)
    assert desk.every(TicketEvent, kind="answered")[0].actor_id == 2
    assert desk.last(Message).ledger_id == row.id and desk.last(Message).author_id == 2


def test_the_signed_token_ties_an_answer_too(desk):
    token = desk.answer(desk.ticket_id).message_id[1:].split("@")[0]
    desk.take(f"Try this.\n\n> Ref: {token}", sender=BOB)
    assert said(desk) == ("answer", True, "Bob", "Try this.") and len(outgoing(desk)) == 2


@pytest.mark.parametrize(
    ("headers", "subject", "text", "why"),
    [
        ({}, "[#{}] x", "Please restart it.", "anybody can write"),
        ({"In-Reply-To": FIRST, "Authentication-Results": "mx; dmarc=fail"}, "Re: x", "Send money.", "forged"),
        ({"In-Reply-To": FIRST, "Received-SPF": "fail (x)"}, "Re: x", "Send money.", "forged"),
        ({"In-Reply-To": FIRST}, "Re: x", "NOTE they are on holiday", "NOTE"),
        ({"In-Reply-To": FIRST}, "Fwd: x", "for the file", "passes on"),
        ({"In-Reply-To": FIRST}, "Re: x", "> nothing but a quote", "no words"),
    ],
)
def test_what_may_not_be_an_answer_is_kept_for_the_team(desk, headers, subject, text, why):
    row = desk.take(text, sender=BOB, subject=subject.format(desk.ticket_id), headers=headers)
    assert row.verdict == "reply" and why in row.reason
    assert said(desk) == ("note", False, "Bob", text) and outgoing(desk) == []
    ticket = desk.ticket(desk.ticket_id)
    assert (ticket.status, ticket.first_response_at) == ("new", None)


@pytest.mark.parametrize(
    ("changes", "kind"), [({"is_active": False}, "reply"), ({"role": "viewer"}, "reply"), ({"role": "admin"}, "answer")]
)
def test_only_enabled_people_who_may_work_on_tickets_answer(desk, changes, kind):
    desk.change(User, 2, **changes)
    desk.take("x y", sender=BOB, answers=FIRST)
    assert said(desk)[0] == kind and len(outgoing(desk)) == (kind == "answer")


def test_a_member_who_asked_for_help_is_a_requester(desk):
    own = desk.take(sender=BOB, message_id="<bob@a>")
    desk.take("still broken", sender=BOB, answers="<bob@a>")
    assert said(desk)[0] == "reply" and own.verdict == "ticket" and outgoing(desk) == []


def test_out_of_office_of_a_technician_never_reaches_the_requester(desk):
    desk.take("I am away", sender=BOB, answers=FIRST, headers={"Auto-Submitted": "auto-replied"})
    desk.take("Ich bin weg", sender=BOB, answers=FIRST, subject="Abwesenheitsnotiz: Printer")
    assert {one.kind for one in desk.every(Message)} == {"request", "automatic"} and outgoing(desk) == []


def test_an_answer_that_went_to_the_requester_directly_counts_and_is_not_sent_twice(desk):
    desk.take("Restart it.", sender=BOB, to=f"{DANA}, help@shop.example", answers=FIRST)
    assert said(desk) == ("answer", True, "Bob", "Restart it.") and outgoing(desk) == []
    assert desk.ticket(desk.ticket_id).first_response_at == NOW


def test_an_answer_to_what_has_ended_goes_out_and_opens_nothing(desk):
    desk.move(desk.ticket_id, "resolved", "closed")
    desk.take("By the way.", sender=BOB, answers=FIRST)
    assert desk.ticket(desk.ticket_id).status == "closed" and len(outgoing(desk)) == 1


def test_an_imported_answer_is_kept_and_not_sent(desk):
    desk.take("Restart it.", sender=BOB, answers=FIRST, is_quiet=True)
    assert said(desk)[0] == "answer" and outgoing(desk) == []


def rich(shot=b"cid:shot@x"):
    html = b'<p>See <img src="' + shot + b'"></p><blockquote><img src="cid:logo@x"></blockquote>'
    coded = {"Content_Transfer_Encoding": "base64"}
    return multipart(
        [
            part("text/plain", b"See the picture."),
            part("text/html", html),
            part("image/png", b"aGk=", Content_Id="<shot@x>", **coded),
            part("image/png", b"aGk=", Content_Id="<logo@x>", **coded),
            part("application/pdf", b"aGk=", Content_Disposition="attachment; filename=how.pdf", **coded),
            part("application/pkcs7-signature", b"aGk=", Content_Disposition="attachment; filename=smime.p7s", **coded),
        ],
        sender=BOB, message_id="<rich@a>",
    )  # fmt: skip


def test_files_and_pictures_of_the_own_words_go_with_an_answer(desk):
    names = [one.filename for one in files_to_send(parse_mail(rich()))]
    assert len(names) == 2 and "how.pdf" in names
    desk.take(raw=b"In-Reply-To: " + FIRST.encode() + b"\r\n" + rich())
    assert [one.filename for one in desk.every(Attachment)] == names
    assert len(outgoing(desk)[0].attachment_ids) == 2


def test_an_answer_by_hand_from_the_mailbox_joins_and_stops_the_clock(desk):
    row = desk.sent("Please restart it.", answers=FIRST)
    assert (row.verdict, row.ticket_id) == ("reply", desk.ticket_id)
    assert said(desk) == ("answer", True, "Shop Help Desk", "Please restart it.")
    ticket = desk.ticket(desk.ticket_id)
    assert (ticket.status, ticket.first_response_at) == ("open", NOW) and desk.every(OutgoingMail) == []
    assert desk.take("It works", answers=row.message_id).ticket_id == desk.ticket_id


def test_what_was_sent_by_hand_to_somebody_else_is_a_note(desk):
    desk.sent("Can you look at this?", to="vendor@vendor.example", answers=FIRST)
    assert said(desk)[:2] == ("note", False) and desk.ticket(desk.ticket_id).first_response_at is None


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "answers no ticket"),
        ({"answers": FIRST, "headers": {"Auto-Submitted": "auto-replied"}}, "not by a person"),
        ({"subject": "Printer on fire"}, "answers no ticket"),
    ],
)
def test_other_mail_among_the_sent_is_ignored_with_its_reason(desk, options, why):
    row = desk.sent("Hello", **options)
    assert row.verdict == "ignored" and why in row.reason and len(desk.every(Message)) == 1


def test_what_was_sent_by_hand_joins_by_number_and_conversation_of_its_receiver(desk):
    assert desk.sent("x", subject=f"[#{desk.ticket_id}] Printer").ticket_id == desk.ticket_id
    desk.take("again", conversation_id="AAQ1", answers=FIRST)
    assert desk.sent("y", conversation_id="AAQ1", subject="Re: Printer").ticket_id == desk.ticket_id
    assert desk.sent("z", subject=f"[#{desk.ticket_id}] x", to="eve@other.example").verdict == "ignored"


def test_a_copy_in_the_inbox_does_not_hide_the_answer_among_the_sent(desk):
    same = {"message_id": "<hand@shop.example>", "answers": FIRST, "sender": OURS, "to": DANA}
    assert desk.take("Restart it.", **same).verdict == "ignored"
    assert desk.take("Restart it.", is_sent=True, **same).verdict == "reply"
    assert desk.take("Restart it.", is_sent=True, **same).verdict == "duplicate"


def test_our_own_mail_among_the_sent_only_confirms(desk):
    mail = desk.answer(desk.ticket_id)
    row = desk.sent("We are on it.", message_id=mail.message_id)
    assert row.verdict == "ignored" and "our own mail" in row.reason
    assert len(desk.every(Message, kind="answer")) == 1


@pytest.mark.parametrize(("voice", "kind", "body"), [("answer", "answer", "Try."), ("note", "note", "Try.\n-- \nBob")])
def test_own_words_are_added_in_the_voice_they_were_given(desk, voice, kind, body):
    with desk.database.unit_of_work() as uow:
        new = NewMessage("reply", "Try.\n-- \nBob", author=BOB)
        by, ticket = Actor("Bob", 2), uow.session.get_one(Ticket, desk.ticket_id)
        take_own_words(desk.world, uow, ticket, new, voice=voice, by=by)
    assert said(desk) == (kind, kind == "answer", "Bob", body)


def test_a_signature_that_begins_with_the_name_stays_inside(desk):
    desk.take(
        "Please restart it.\n\nBest,\nBob\nMobile 0170 1234567\nbob.private@mail.example", sender=BOB, answers=FIRST
    )
    (mail,) = outgoing(desk)
    assert "Please restart it." in mail.text and not any(one in mail.text for one in ("0170", "private", "Best"))

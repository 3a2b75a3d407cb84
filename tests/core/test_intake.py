import pytest

from portal.core.intake import VERDICTS, IntakeFacts, decide_intake
from portal.core.mail import parse_mail
from portal.core.mail_commands import MailCommand
from portal.core.mail_kinds import MailKind
from portal.core.mail_voices import Writer
from portal.core.threading import ThreadDecision
from tests.mails import mail_bytes

PERSON = MailKind("person", "no sign of a machine", opens_ticket=True)
OOF = MailKind("automatic", "header Auto-Submitted: auto-replied")
MONITOR = MailKind("automatic", "header Auto-Submitted: auto-generated", opens_ticket=True)
NEW = ThreadDecision(None, "new ticket: points at nothing we know")
JOINS = ThreadDecision(7, "answers <a@x>")


def decide(raw: bytes | None = None, **facts):
    return decide_intake(parse_mail(raw or mail_bytes()), facts=IntakeFacts(**{"kind": PERSON, "thread": NEW, **facts}))


@pytest.mark.parametrize(
    ("kind", "thread", "verdict", "ticket_id", "is_automatic"),
    [
        (PERSON, NEW, "ticket", None, False),
        (PERSON, JOINS, "reply", 7, False),
        (OOF, NEW, "automatic", None, True),
        (OOF, JOINS, "automatic", 7, True),
        (MONITOR, NEW, "ticket", None, True),
        (MONITOR, JOINS, "automatic", 7, True),
        (MailKind("list", "header List-Id"), NEW, "automatic", None, True),
        (MailKind("calendar", "an answer"), JOINS, "automatic", 7, True),
        (MailKind("bounce", "a delivery report"), NEW, "bounce", None, True),
        (MailKind("bounce", "a delivery report"), JOINS, "bounce", 7, True),
        (MailKind("own", "its Message-ID is one of ours"), JOINS, "ignored", 7, False),
    ],
)
def test_kind_and_thread_decide_the_verdict(kind, thread, verdict, ticket_id, is_automatic):
    plan = decide(kind=kind, thread=thread)
    assert (plan.verdict, plan.ticket_id, plan.is_automatic) == (verdict, ticket_id, is_automatic)
    assert plan.verdict in VERDICTS and plan.reason


def test_the_same_mail_again_is_a_duplicate_of_the_first():
    plan = decide(twin_id=3, twin_ticket=7)
    assert (plan.verdict, plan.ticket_id, plan.reason) == ("duplicate", 7, "the same mail as row 3")


def test_a_mail_without_id_and_date_is_never_called_a_duplicate():
    assert decide(mail_bytes(message_id="", date=""), twin_id=3).verdict == "ticket"
    assert decide(mail_bytes(message_id=""), twin_id=3).verdict == "duplicate"


def test_the_same_id_with_other_content_is_taken_in_and_flagged():
    plan = decide(has_id_twin=True)
    assert plan.verdict == "ticket" and "same Message-ID but other content" in plan.reason


def test_a_mail_without_a_sender_is_quarantined_with_the_reason():
    plan = decide(mail_bytes(sender=""))
    assert plan.verdict == "quarantined" and "no sender" in plan.reason


def test_a_mail_that_was_too_large_to_fetch_says_so():
    assert "over the size limit" in decide(is_cut=True).reason


def test_weak_evidence_is_offered_and_not_followed():
    plan = decide(thread=ThreadDecision(None, "new ticket: names #9", maybe=9))
    assert (plan.verdict, plan.ticket_id, plan.maybe) == ("ticket", None, 9)


def test_a_reply_long_after_closing_opens_a_ticket_that_follows():
    plan = decide(thread=JOINS, is_over=True)
    assert (plan.verdict, plan.ticket_id, plan.follows) == ("ticket", None, 7)
    assert decide(thread=JOINS, kind=OOF, is_over=True).verdict == "automatic"


DANA, BOB = Writer(is_requester=True), Writer(staff_id=2, staff_name="Bob")


def test_a_mail_with_the_id_of_another_may_belong_to_its_ticket():
    plan = decide(has_id_twin=True, id_twin_ticket=4)
    assert (plan.verdict, plan.ticket_id, plan.maybe) == ("ticket", None, 4)
    assert decide(has_id_twin=True, id_twin_ticket=4, thread=ThreadDecision(None, "x", maybe=9)).maybe == 9


@pytest.mark.parametrize(
    ("text", "writer", "command"),
    [
        ("CLOSE", DANA, MailCommand("close")),
        ("RATE 4\nfine", DANA, MailCommand("rate", 4, "fine")),
        ("It burns", DANA, None),
        ("CLOSE", Writer(), None),  # somebody who was copied
        ("CLOSE", Writer(is_requester=True, distrust="dmarc=fail"), None),
        ("CLOSE", BOB, None),
    ],
)
def test_only_the_requester_gives_orders(text, writer, command):
    joins = ThreadDecision(7, "answers <a@x>", strength="id")
    assert decide(mail_bytes(text), thread=joins, writer=writer).command == command


def test_a_machine_gives_no_orders():
    plan = decide(mail_bytes("CLOSE"), thread=JOINS, kind=OOF, writer=DANA)
    assert (plan.verdict, plan.command) == ("automatic", None)


@pytest.mark.parametrize(
    ("text", "verdict", "follows"),
    [("CLOSE", "reply", None), ("RATE 2", "reply", None), ("REOPEN", "ticket", 7), ("again", "ticket", 7)],
)
def test_closing_and_rating_long_after_open_nothing(text, verdict, follows):
    plan = decide(mail_bytes(text), thread=JOINS, is_over=True, writer=DANA)
    assert (plan.verdict, plan.follows) == (verdict, follows)


def test_one_of_us_answers_however_long_ago_it_was_closed():
    thread = ThreadDecision(7, "answers <a@x>", strength="id", also=(8,))
    plan = decide(thread=thread, is_over=True, writer=BOB)
    assert (plan.verdict, plan.voice, plan.also) == ("reply", "answer", (8,)) and "Bob answered" in plan.reason


SENT = Writer(is_sent=True, reaches_requester=True)


@pytest.mark.parametrize(
    ("kind", "thread", "verdict", "ticket_id"),
    [
        (PERSON, JOINS, "reply", 7),
        (MailKind("calendar", "an invitation", opens_ticket=True), JOINS, "reply", 7),
        (PERSON, NEW, "ignored", None),
        (PERSON, ThreadDecision(None, "weak", maybe=9), "ignored", None),
        (OOF, JOINS, "ignored", None),
        (MONITOR, NEW, "ignored", None),
        (MailKind("bounce", "x"), JOINS, "ignored", None),
        (MailKind("own", "its Message-ID is one of ours"), JOINS, "ignored", 7),
    ],
)
def test_mail_from_the_folder_of_sent_mail_answers_or_is_ignored_and_opens_nothing(kind, thread, verdict, ticket_id):
    plan = decide(kind=kind, thread=thread, writer=SENT)
    assert (plan.verdict, plan.ticket_id, plan.maybe) == (verdict, ticket_id, None) and plan.reason
    assert plan.voice == ("answered" if verdict == "reply" else "requester")
    assert decide(b"Subject: x\r\n\r\nx", kind=kind, thread=thread, writer=SENT).verdict == verdict
    assert decide(kind=kind, thread=thread, writer=SENT, twin_id=3).verdict == "duplicate"

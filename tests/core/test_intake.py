import pytest

from portal.core.intake import VERDICTS, IntakeFacts, decide_intake
from portal.core.mail import parse_mail
from portal.core.mail_kinds import MailKind
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

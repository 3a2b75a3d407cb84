"""What rules, and people who let a mail in, make of its verdict."""

import pytest

from portal.core.intake import IntakeFacts, decide_intake
from portal.core.mail import parse_mail
from portal.core.mail_kinds import MailKind
from portal.core.mail_rules import Action, MonitorWord, RuleOutcome
from portal.core.threading import ThreadDecision
from tests.mails import mail_bytes

PERSON = MailKind("person", "no sign of a machine", opens_ticket=True)
LIST = MailKind("list", "header List-Id")
NEW = ThreadDecision(None, "new ticket: points at nothing we know")
JOINS = ThreadDecision(7, "answers <a@x>")


def outcome(action, word=None):
    return RuleOutcome(3, "Ads", action, "the subject has “offer”", word)


def decide(raw=b"", **facts):
    return decide_intake(parse_mail(raw or mail_bytes()), facts=IntakeFacts(**{"kind": PERSON, "thread": NEW, **facts}))


@pytest.mark.parametrize(
    ("action", "kind", "thread", "verdict", "ticket_id"),
    [
        (Action.IGNORE, PERSON, NEW, "ignored", None),
        (Action.IGNORE, PERSON, JOINS, "ignored", None),
        (Action.QUARANTINE, LIST, NEW, "quarantined", None),
        (Action.AUTOMATIC, PERSON, NEW, "automatic", None),
        (Action.AUTOMATIC, PERSON, JOINS, "automatic", 7),
    ],
)
def test_a_rule_decides_before_kind_and_thread(action, kind, thread, verdict, ticket_id):
    plan = decide(kind=kind, thread=thread, rule=outcome(action))
    assert (plan.verdict, plan.ticket_id, plan.rule_id) == (verdict, ticket_id, 3)
    assert plan.is_automatic == (action is Action.AUTOMATIC)
    assert plan.reason == "rule “Ads”, because the subject has “offer”"


def test_a_rule_decides_on_a_mail_without_sender_too():
    assert decide(mail_bytes(sender=""), rule=outcome(Action.IGNORE)).verdict == "ignored"


@pytest.mark.parametrize(("kind", "verdict"), [("bounce", "bounce"), ("own", "ignored")])
def test_bounces_and_our_own_mail_come_before_rules(kind, verdict):
    plan = decide(kind=MailKind(kind, "x"), rule=outcome(Action.QUARANTINE))
    assert (plan.verdict, plan.rule_id) == (verdict, None)


def test_a_twin_comes_before_rules():
    assert decide(twin_id=2, rule=outcome(Action.QUARANTINE)).verdict == "duplicate"


@pytest.mark.parametrize("let_in", [{"rule": outcome(Action.TAKE)}, {"is_released": True}])
def test_what_is_let_in_becomes_a_ticket_and_a_machine_is_still_not_answered(let_in):
    by_list, by_person = decide(kind=LIST, **let_in), decide(**let_in)
    assert (by_list.verdict, by_list.is_automatic) == ("ticket", True)
    assert (by_person.verdict, by_person.is_automatic) == ("ticket", False)
    assert "let in by" in by_person.reason
    assert decide(kind=LIST, thread=JOINS, **let_in).verdict == "automatic"


@pytest.mark.parametrize(
    ("word", "monitor_ticket", "verdict", "ticket_id"),
    [
        (MonitorWord("srv1"), None, "ticket", None),
        (MonitorWord("srv1"), 9, "automatic", 9),
        (MonitorWord("srv1", is_clear=True), 9, "automatic", 9),
        (MonitorWord("srv1", is_clear=True), None, "automatic", None),
    ],
)
def test_a_monitor_s_mail_opens_joins_or_clears_by_its_key(word, monitor_ticket, verdict, ticket_id):
    plan = decide(thread=JOINS, rule=outcome(Action.MONITOR, word), monitor_ticket=monitor_ticket)
    assert (plan.verdict, plan.ticket_id, plan.is_automatic, plan.rule_id) == (verdict, ticket_id, True, 3)


def test_plain_text_is_a_ticket_whatever_else_it_is():
    plan = decide(mail_bytes(sender=""), is_text=True, twin_id=1, kind=MailKind("bounce", "x"))
    assert (plan.verdict, plan.is_automatic) == ("ticket", True)

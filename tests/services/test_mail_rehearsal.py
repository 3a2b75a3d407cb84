import pytest

from portal.core.mail_rules import Action, Condition, ConditionKind, MailRule
from portal.services.mail_quarantine import Decision, decide_mails, mark_of
from portal.services.mail_rehearsal import rehearse_rules, with_rule
from portal.services.mail_rules import list_mail_rules
from tests.services.mail_world import FORM, add_mailbox, make_mail_world
from tests.services.rules_world import add_rule, post, take_all
from tests.services.runtime_world import by_alice, read
from tests.services.ticket_world import counted_statements

K = ConditionKind


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    return world


def rule(*conditions, action=Action.IGNORE, **changes):
    return MailRule("New", action, tuple(Condition(*one) for one in conditions), **changes)


def rehearse(world, new, **keywords):
    return read(world, lambda s: rehearse_rules(s, with_rule(list_mail_rules(s), new), **keywords))


def test_only_mails_that_would_be_decided_otherwise_are_told(world):
    fire, _ = post(world), post(world, subject="Toner low")
    found = rehearse(world, rule((K.SUBJECT_HAS, "fire")))
    assert found.looked_at == 2
    (one,) = found.differences
    assert (one.ledger_id, one.subject, one.before, one.after) == (
        fire.id,
        "Printer on fire",
        "taken in as usual",
        "ignored",
    )
    assert read(world, list_mail_rules) == []


def test_a_changed_rule_is_compared_with_itself_as_it_was(world):
    rule_id = add_rule(world, (K.SUBJECT_HAS, "fire"))
    post(world)
    found = rehearse(world, rule((K.SUBJECT_HAS, "fire"), action=Action.QUARANTINE, id=rule_id))
    assert [(one.before, one.after) for one in found.differences] == [("ignored", "put into quarantine")]
    assert rehearse(world, rule((K.SUBJECT_HAS, "fire"), id=rule_id)).differences == ()


def test_an_earlier_rule_still_decides_first(world):
    add_rule(world, (K.SUBJECT_HAS, "fire"), action=Action.TAKE)
    post(world)
    assert rehearse(world, rule((K.SUBJECT_HAS, "printer"))).differences == ()


def test_headers_copies_answers_and_machines_are_seen_as_at_intake(world):
    first = post(world, extra={"X-Spam-Flag": "YES"})
    post(world, to="bob@b.example", extra={"Cc": FORM.address})
    post(world, extra={"In-Reply-To": first.message_id})
    post(world, extra={"List-Id": "<news.c.example>"})
    for condition, number in (
        ((K.HEADER_IS, "X-Spam-Flag: yes"), 1),
        ((K.ONLY_CC, ""), 1),
        ((K.STARTS_NEW, ""), 3),
        ((K.FROM_MACHINE, ""), 1),
    ):
        assert len(rehearse(world, rule(condition)).differences) == number
    taken = rehearse(world, rule((K.SUBJECT_HAS, "fire"), action=Action.TAKE))
    assert [one.after for one in taken.differences] == ["let in"]


def test_a_monitor_s_words_are_told_by_key(world):
    post(world, subject="DOWN srv1")
    post(world, subject="UP srv1")
    found = rehearse(world, rule(action=Action.MONITOR, opens=("DOWN {key}",), closes=("UP {key}",)))
    assert [one.after for one in found.differences] == ["resolves “srv1”", "opens or joins “srv1”"]
    assert rehearse(world, rule((K.SUBJECT_HAS, "srv1"), action=Action.AUTOMATIC)).differences[0].after == (
        "kept as a note"
    )


def test_what_is_no_matter_of_rules_is_left_out(world):
    add_rule(world, (K.SUBJECT_HAS, "fire"))
    let_in = post(world)
    with world.database.unit_of_work() as uow:
        decide_mails(uow, [mark_of(let_in)], Decision.RELEASE, change=by_alice(world))
    take_all(world)
    post(world, sender=FORM.address)
    assert rehearse(world, rule((K.SUBJECT_HAS, "x"))).looked_at == 0


def test_the_last_mails_are_looked_at_in_few_statements(world):
    for _ in range(5):
        post(world)
    with world.database.read_session() as session, counted_statements(session) as seen:
        found = rehearse_rules(session, [rule((K.SUBJECT_HAS, "fire"))], most=3)
    assert found.looked_at == len(found.differences) == 3 and len(seen) <= 5

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.mail import parse_mail
from portal.core.mail_kinds import MailKind
from portal.core.mail_rules import Action, ConditionKind, MailRule
from portal.models import AuditEvent, MailLedger, MonitorKey, User
from portal.services.mail_rules import (
    decide_for_mail,
    find_mail_rule,
    list_mail_rules,
    load_head,
    move_mail_rule,
    order_mail_rules,
    remove_mail_rule,
    rule_mail,
    save_mail_rule,
    switch_mail_rule,
)
from tests.mails import mail_bytes
from tests.services.mail_world import FORM, add_mailbox, make_mail_world
from tests.services.rules_world import add_rule, post, ticket
from tests.services.runtime_world import by_alice, read
from tests.services.ticket_world import counted_statements

K = ConditionKind
PERSON = MailKind("person", "no sign of a machine", opens_ticket=True)


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    return world


def change(world, do, *arguments, **keywords):
    with world.database.unit_of_work() as uow:
        return do(uow, *arguments, **keywords, change=by_alice(world))


def names(world):
    return [rule.name for rule in read(world, list_mail_rules)]


def test_rules_are_kept_in_their_order_and_can_be_moved(world):
    first, second = add_rule(world, (K.SUBJECT_HAS, "a"), name="A"), add_rule(world, (K.SUBJECT_HAS, "b"), name="B")
    change(world, move_mail_rule, second, up=True)
    assert names(world) == ["B", "A"]
    change(world, move_mail_rule, second, up=True)
    change(world, move_mail_rule, second, up=False)
    assert names(world) == ["A", "B"] and read(world, find_mail_rule, first).name == "A"


def test_an_order_can_be_given_as_a_whole(world):
    for name in "ABC":
        add_rule(world, (K.SUBJECT_HAS, name), name=name)
    with world.database.unit_of_work() as uow:
        assert order_mail_rules(uow, ["C", "A"])
    assert names(world) == ["C", "A", "B"]
    with world.database.unit_of_work() as uow:
        assert not order_mail_rules(uow, ["C", "A", "B"])


def test_a_rule_is_changed_and_switched_with_a_trace(world):
    rule_id = add_rule(world, (K.SUBJECT_HAS, "offer"))
    rule = read(world, find_mail_rule, rule_id)
    change(world, save_mail_rule, replace(rule, action=Action.QUARANTINE, mailbox_id=1))
    change(world, switch_mail_rule, rule_id, on=False)
    change(world, switch_mail_rule, rule_id, on=False)
    stored = read(world, find_mail_rule, rule_id)
    assert (stored.action, stored.mailbox_id, stored.is_enabled) == (Action.QUARANTINE, 1, False)
    with world.database.read_session() as session:
        done = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("mail_rule.%"))).all()
    assert done == ["mail_rule.save", "mail_rule.save", "mail_rule.off"]


def test_a_wrong_rule_is_refused(world):
    with pytest.raises(DomainError, match="at least one condition"):
        change(world, save_mail_rule, MailRule("Everything", Action.IGNORE))


def test_a_name_is_given_once(world):
    rule_id = add_rule(world, (K.SUBJECT_HAS, "a"), name="A")
    with pytest.raises(DomainError, match="There is a rule “A” already"):
        add_rule(world, (K.SUBJECT_HAS, "b"), name="A ")
    change(world, remove_mail_rule, rule_id)
    add_rule(world, (K.SUBJECT_HAS, "b"), name="A")


def test_what_a_rule_decided_survives_its_removal(world):
    rule_id = add_rule(world, (K.SUBJECT_HAS, "fire"))
    row = post(world)
    change(world, remove_mail_rule, rule_id)
    assert (row.verdict, row.rule_id) == ("ignored", rule_id)
    assert names(world) == [] and read(world, find_mail_rule, rule_id) is None
    assert post(world).verdict == "ticket"
    with pytest.raises(DomainError, match="This rule is gone"):
        change(world, remove_mail_rule, rule_id)
    with pytest.raises(DomainError, match="This rule is gone"):
        change(world, switch_mail_rule, 99, on=True)


def test_a_removed_monitor_forgets_what_was_open(world):
    rule_id = add_rule(world, action=Action.MONITOR, opens=("DOWN {key}",))
    post(world, subject="DOWN srv1")
    change(world, remove_mail_rule, rule_id)
    with world.database.read_session() as session:
        assert session.scalars(select(MonitorKey)).all() == []


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        (Action.IGNORE, "ignored"),
        (Action.QUARANTINE, "quarantined"),
        (Action.AUTOMATIC, "automatic"),
        (Action.TAKE, "ticket"),
    ],
)
def test_a_rule_gives_the_verdict_and_is_named(world, action, verdict):
    add_rule(world, (K.SENDER_IS, "@customer.example"), action=action, name="Their mail")
    row = post(world)
    assert row.verdict == verdict
    assert "rule “Their mail”, because the sender is dana@customer.example" in row.reason
    assert (row.ticket_id is not None) == (verdict == "ticket") and row.kind == "person"


def test_a_rule_of_one_mailbox_leaves_the_others_alone(world):
    second = add_mailbox(world, name="Office", address="office@shop.example")
    add_rule(world, (K.SUBJECT_HAS, "fire"), mailbox_id=second)
    assert post(world).verdict == "ticket"
    assert post(world, mailbox_id=second).verdict == "ignored"


def test_what_one_mailbox_ignores_still_comes_in_by_another(world):
    second = add_mailbox(world, name="Office", address="office@shop.example")
    add_rule(world, (K.SUBJECT_HAS, "fire"), mailbox_id=second)
    raw = mail_bytes()
    assert [post(world, raw, mailbox_id=id).verdict for id in (second, 1)] == ["ignored", "ticket"]


def test_a_header_of_the_original_is_looked_at(world):
    add_rule(world, (K.HEADER_IS, "X-Spam-Flag: YES"), action=Action.QUARANTINE)
    row = post(world, extra={"X-Spam-Flag": "yes"})
    assert row.verdict == "quarantined" and "its header X-Spam-Flag is YES" in row.reason
    assert post(world).verdict == "ticket"


def test_mail_that_only_copies_us_is_known_by_our_addresses(world):
    add_rule(world, (K.ONLY_CC, ""))
    assert post(world, to="bob@b.example", extra={"Cc": FORM.address}).verdict == "ignored"
    assert post(world, to=FORM.address, extra={"Cc": "bob@b.example"}).verdict == "ticket"
    assert post(world, to="list@b.example").verdict == "ticket"


def test_answers_to_tickets_can_be_spared(world):
    add_rule(world, (K.SENDER_NOT, "@customer.example"), (K.STARTS_NEW, ""), action=Action.QUARANTINE)
    first = post(world)
    answer = post(world, sender="erin@other.example", extra={"In-Reply-To": first.message_id})
    assert (answer.verdict, answer.ticket_id) == ("reply", first.ticket_id)
    assert post(world, sender="erin@other.example").verdict == "quarantined"


def test_our_own_people_pass_every_allow_list(world):
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(User).where(User.name == "Bob")).one().email = "bob@staff.example"
    add_rule(world, (K.SENDER_NOT, "@customer.example"))
    assert post(world, sender="Bob@staff.example").verdict != "ignored"
    assert post(world, sender="mallory@x.example").verdict == "ignored"


def test_a_sender_that_failed_its_server_s_check_is_not_believed(world):
    add_rule(world, (K.SENDER_NOT, "@customer.example"), action=Action.QUARANTINE)
    forged = {"Authentication-Results": "mx.shop.example; dmarc=fail header.from=customer.example"}
    assert post(world).verdict == "ticket"
    assert post(world, extra=forged).reason.endswith("failed the check of a mail server")


def test_bounces_and_our_own_mail_are_no_matter_of_rules(world):
    add_rule(world, (K.SUBJECT_HAS, "returned, mail"))
    assert post(world, sender=FORM.address).reason.startswith("our own mail")


def test_a_rule_can_let_in_what_a_list_sends_and_it_is_never_answered(world):
    add_rule(world, (K.FROM_MACHINE, ""), action=Action.TAKE, name="Lists")
    row = post(world, extra={"List-Id": "<news.customer.example>"})
    assert row.verdict == "ticket" and ticket(world, row.ticket_id).is_automatic


def test_without_rules_a_mail_costs_one_statement(world):
    row = post(world)
    mail = parse_mail(mail_bytes())
    with world.database.read_session() as session, counted_statements(session) as seen:
        assert decide_for_mail(session, session.get_one(MailLedger, row.id), mail, kind=None, is_reply=False) is None
    assert len(seen) <= 2  # the row itself, and the rules


@pytest.mark.parametrize("mark", ["is_sent", "is_released"])
def test_what_we_sent_and_what_a_person_let_in_is_no_matter_of_rules(world, mark):
    add_rule(world, (K.SUBJECT_HAS, "fire"))
    row = post(world)
    with world.database.unit_of_work() as uow:
        stored = uow.session.get_one(MailLedger, row.id)
        mail = parse_mail(mail_bytes())
        assert decide_for_mail(uow.session, stored, mail, kind=PERSON, is_reply=False).action is Action.IGNORE
        setattr(stored, mark, True)
        assert decide_for_mail(uow.session, stored, mail, kind=PERSON, is_reply=False) is None


def test_a_mail_is_seen_with_its_size_and_its_head(world):
    row = post(world)
    with world.database.read_session() as session:
        assert load_head(session, row.sha256).startswith(b"From: Dana") and load_head(session, None) == b""
    facts = rule_mail(parse_mail(mail_bytes()), row, own={FORM.address.lower()}, headers={}, is_staff=False)
    assert (facts.size, facts.mailbox_id, facts.is_only_cc) == (row.size, 1, False)

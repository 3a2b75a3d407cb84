import pytest
from sqlalchemy import select

from portal.core.mail_rules import Action, ConditionKind
from portal.models import Attachment, AuditEvent, MailLedger, Message, OutgoingMail
from portal.services.audit import Change
from portal.services.mail_quarantine import Decision, decide_mails, mark_of, offered_decisions
from tests.mails import DELIVERY_REPORT, mail_bytes
from tests.services.mail_world import FORM, add_mailbox, make_mail_world
from tests.services.rules_world import add_rule, post, row_of, take_all, ticket
from tests.services.ticket_world import ALICE, BOB


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    return world


def decide(world, decision, *rows, who=ALICE):
    world.clock.move(1)
    with world.database.unit_of_work() as uow:
        change = Change(who, world.clock.now())
        return decide_mails(uow, [mark_of(row) for row in rows], decision, change=change)


def now(world, row):
    return row_of(world, row.provider_id)


def test_what_is_in_quarantine_can_be_tried_again_read_as_text_or_set_aside(world):
    row = post(world, sender="")
    assert row.verdict == "quarantined"
    assert offered_decisions(row) == (Decision.RETRY, Decision.TEXT, Decision.IGNORE)


def test_trying_again_gives_a_verdict_anew(world):
    row = post(world, sender="")
    assert decide(world, Decision.RETRY, row).done == 1
    waiting = now(world, row)
    assert (waiting.state, waiting.verdict, waiting.tries, waiting.last_error) == ("stored", "", 0, "")
    assert "mail_intake" in world.woken
    take_all(world)
    assert now(world, row).verdict == "quarantined" and now(world, row).verdict_at > row.verdict_at


def test_as_plain_text_it_becomes_a_ticket_with_its_original(world):
    raw = mail_bytes("Words \xff", sender="")
    row = post(world, raw)
    decide(world, Decision.TEXT, row)
    take_all(world)
    done = now(world, row)
    assert done.verdict == "ticket" and "imported as plain text by hand" in done.reason and done.is_released
    with world.database.read_session() as session:
        message = session.scalars(select(Message).where(Message.ticket_id == done.ticket_id)).one()
        assert "Subject: Printer on fire" in message.body and message.html == ""
        file = session.scalars(select(Attachment).where(Attachment.message_id == message.id)).one()
        assert (file.filename, file.sha256) == ("original.eml", row.sha256)
        assert session.scalars(select(OutgoingMail)).all() == []
    assert ticket(world, done.ticket_id).is_automatic and ticket(world, done.ticket_id).subject == "Printer on fire"


def test_a_mail_that_breaks_the_parser_comes_in_as_text_without_it(world, monkeypatch):
    import portal.services.mail_intake as intake

    row = post(world, sender="")
    decide(world, Decision.TEXT, row)
    for name in ("parse_mail", "read_mail", "decide_kind"):
        if hasattr(intake, name):
            monkeypatch.setattr(intake, name, lambda *_, **__: pytest.fail("it was parsed again"))
    take_all(world)
    assert now(world, row).verdict == "ticket"


def test_setting_aside_keeps_the_reason_and_names_who_did(world):
    row = post(world, sender="")
    decide(world, Decision.IGNORE, row, who=BOB)
    done = now(world, row)
    assert done.verdict == "ignored"
    assert done.reason.startswith("set aside by Bob; before: it names no sender address")
    assert offered_decisions(done) == (Decision.RELEASE,)


def test_releasing_what_a_rule_kept_out_makes_a_ticket_and_no_rule_looks_again(world):
    add_rule(world, (ConditionKind.SUBJECT_HAS, "fire"))
    row = post(world)
    decide(world, Decision.RELEASE, row)
    take_all(world)
    done = now(world, row)
    assert (done.verdict, done.rule_id, done.is_released) == ("ticket", None, True)
    assert "let in by hand" in done.reason


def test_releasing_what_a_rule_put_into_quarantine(world):
    add_rule(world, (ConditionKind.SUBJECT_HAS, "fire"), action=Action.QUARANTINE)
    row = post(world)
    assert offered_decisions(row)[0] is Decision.RELEASE
    decide(world, Decision.RELEASE, row)
    take_all(world)
    assert now(world, row).verdict == "ticket"


def test_a_mailing_list_s_mail_can_be_released_and_is_never_answered(world):
    row = post(world, extra={"List-Id": "<news.customer.example>"})
    assert row.verdict == "automatic"
    decide(world, Decision.RELEASE, row)
    take_all(world)
    assert now(world, row).verdict == "ticket" and ticket(world, now(world, row).ticket_id).is_automatic


def test_what_became_something_and_our_own_mail_cannot_be_decided(world):
    ticket = post(world)
    note = post(world, extra={"In-Reply-To": ticket.message_id, "Auto-Submitted": "auto-replied"})
    bounce = post(world, DELIVERY_REPORT)
    assert [note.verdict, bounce.verdict] == ["automatic", "bounce"]
    for row in (ticket, note, bounce, post(world, sender=FORM.address)):
        assert offered_decisions(row) == ()
        assert decide(world, Decision.RELEASE, row).unfit == 1
        assert now(world, row).verdict_at == row.verdict_at


def test_two_people_do_not_do_it_twice_and_the_second_hears_who_was_faster(world):
    row = post(world, sender="")
    assert decide(world, Decision.IGNORE, row, who=BOB).done == 1
    late = decide(world, Decision.RETRY, row)
    assert (late.done, late.late, late.faster) == (0, 1, ("Bob",))
    assert now(world, row).verdict == "ignored"


def test_what_was_shown_before_it_was_tried_again_is_not_decided(world):
    shown = post(world, sender="")
    world.clock.move(5)
    decide(world, Decision.RETRY, shown, who=BOB)
    take_all(world)
    assert now(world, shown).verdict == "quarantined"
    assert decide(world, Decision.IGNORE, shown).late == 1 and now(world, shown).verdict == "quarantined"


def test_many_at_once_each_once_with_a_trace(world):
    rows = [post(world, sender="") for _ in range(3)]
    done = decide(world, Decision.IGNORE, *rows, rows[0])
    assert (done.done, done.late) == (3, 0)
    with world.database.read_session() as session:
        found = session.scalars(select(AuditEvent.subject).where(AuditEvent.action == "mail.ignore")).all()
        assert sorted(found) == [f"mail {row.id}" for row in rows]
        assert session.scalars(select(MailLedger.verdict)).all() == ["ignored"] * 3


@pytest.mark.parametrize("mark", ["99.0", "x", "", "1", "²"])
def test_a_mark_that_names_nothing_does_nothing(world, mark):
    post(world, sender="")
    with world.database.unit_of_work() as uow:
        assert decide_mails(uow, [mark], Decision.RETRY, change=Change(None, world.clock.now())).done == 0

"""A storm of pages for one person: the first at once, the rest together, nothing lost."""

import pytest

from portal.core.paging import BurstPolicy
from portal.core.ports import SentSms
from portal.models import Notification, Page, User
from portal.services import bursts, notifications
from portal.services.escalation import step_next
from portal.services.notifications import record_receipt, send_next
from portal.services.page_changes import take_page
from portal.services.page_steps import is_step_lost
from tests.services.paging_world import BOB, CAROL, NOW, NUMBERS, RULES, add_ticket, decide, later, rows


@pytest.fixture(autouse=True)
def _two_are_free(monkeypatch):
    monkeypatch.setattr(bursts, "POLICY", BurstPolicy(free=2))


def drain(world):
    while send_next(world.context):
        pass


def storm(world, count, **changes):
    for _ in range(count):
        decide(world.database, add_ticket(world.database, **changes), on_call=(BOB,))
        drain(world)


def test_the_first_pages_go_at_once_and_the_rest_wait_a_minute(world):
    storm(world, 5)
    assert len(world.sms.sent) == 2
    waiting = [row.due_at for row in rows(world.database, Notification) if row.state == "pending"]
    assert waiting == [later(seconds=60)] * 3


def test_what_waited_leaves_as_one_text_with_a_code_for_each_page(world):
    storm(world, 5)
    world.times.pass_by(seconds=60)
    drain(world)
    assert len(world.sms.sent) == 3
    assert world.sms.sent[2].text.splitlines() == [
        "3 pages: 3 = P3 #3 Server down: Nobody can work.; 4 = P3 #4 Server down: Nobody can work.; "
        "5 = P3 #5 Server down: Nobody can work.",
        "Reply 3A to take 3, HELP for all",
    ]
    assert {row.state for row in rows(world.database, Notification)} <= {"accepted", "delivered"}


def test_a_p1_in_the_middle_of_a_storm_rings_at_once(world):
    storm(world, 4)
    storm(world, 1, priority=1)
    assert world.sms.texts()[2].startswith("P1 #5")


def test_a_bundle_that_cannot_be_sent_gives_its_pages_back(world):
    storm(world, 4)
    world.times.pass_by(seconds=60)
    world.sms.fail_next(permanent=True, code="21614")
    send_next(world.context)
    states = [row.state for row in rows(world.database, Notification) if row.user_id == BOB]
    assert states[2:] == ["failed", "pending"]


def test_a_p1_that_waits_in_the_outbox_is_not_put_off_with_the_others(world):
    storm(world, 2)
    decide(world.database, add_ticket(world.database), on_call=(BOB,))
    decide(world.database, add_ticket(world.database, priority=1), on_call=(BOB,))
    drain(world)
    assert world.sms.texts()[2].startswith("P1 #4")


def test_a_bundle_that_must_wait_loses_none_of_its_pages(world):
    storm(world, 4)
    world.times.pass_by(seconds=60)
    world.sms.fail_next()
    send_next(world.context)
    storm(world, 1)
    world.times.pass_by(seconds=60)
    drain(world)
    assert "3 = P3 #3" in world.sms.texts()[2] and "4 = P3 #4" in world.sms.texts()[2]
    assert "5 = P3 #5" in world.sms.texts()[2] and len(world.sms.sent) == 3


def test_a_page_that_travels_within_another_text_keeps_its_step(world):
    storm(world, 4)
    world.times.pass_by(seconds=60)
    notifications._claim(world.context)
    with world.database.read_session() as session:
        assert not is_step_lost(session, session.get_one(Page, 4))


@pytest.mark.parametrize("moment", ["refused", "lost"])
def test_a_bundle_whose_own_page_was_answered_gives_the_others_back(world, moment):
    storm(world, 4)
    world.times.pass_by(seconds=60)
    if moment == "refused":
        world.sms.fail_next()
        send_next(world.context)
    else:
        notifications._claim(world.context)
    with world.database.unit_of_work() as uow:
        page, carol = uow.session.get_one(Page, 3), uow.session.get_one(User, CAROL)
        take_page(uow, page, carol, rules=RULES)
    world.times.pass_by(seconds=61)
    drain(world)
    assert [text.split(" ")[1] for text in world.sms.texts(NUMBERS[BOB])[2:] if "Carol" not in text] == ["#4"]


def test_the_pages_of_a_bundle_share_what_the_carrier_says_of_it(world):
    storm(world, 4)
    world.times.pass_by(seconds=60)
    drain(world)
    receipt = SentSms("F3", "delivered", "", "", NOW)
    assert record_receipt(world.context, provider="twilio", sent=receipt)
    assert {row.state for row in rows(world.database, Notification)[2:]} == {"delivered"}


def test_a_bundle_the_carrier_gave_up_gives_back_the_pages_that_still_ask(world):
    storm(world, 5)
    world.times.pass_by(seconds=60)
    drain(world)
    with world.database.unit_of_work() as uow:
        take_page(uow, uow.session.get_one(Page, 5), uow.session.get_one(User, CAROL), rules=RULES)
    record_receipt(world.context, provider="twilio", sent=SentSms("F3", "undelivered", "", "", NOW, "30003"))
    with world.database.unit_of_work() as uow:
        states = {row.page_id: row.state for row in uow.session.query(Notification) if row.dedupe_key.endswith(":0:0")}
        assert [states[number] for number in (3, 4, 5)] == ["undelivered", "pending", "cancelled"]
        bursts.release(uow, uow.session.get_one(Notification, 3), at=NOW)  # nothing is left to give back


def test_pages_that_ask_again_together_share_one_text_but_p1_rings_by_itself(world, monkeypatch):
    monkeypatch.setattr(bursts, "POLICY", BurstPolicy(free=99))
    storm(world, 3)
    storm(world, 1, priority=1)
    world.put_on_call(BOB)
    world.times.pass_by(minutes=60)
    while step_next(world.context):
        pass
    world.times.pass_by(seconds=2)
    drain(world)
    again = world.sms.texts(NUMBERS[BOB])[4:]
    assert [text.split(":")[0] for text in again] == ["3 pages", "Again"]
    assert again[1].startswith("Again: P1 #4")


def test_each_piece_is_a_plain_question(world):
    storm(world, 1)
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(Notification, 1)
        waiting = Notification(dedupe_key="page:1:2:0:1", kind="page", number=row.number, user_id=BOB, text="x")
        waiting.page_id, waiting.created_at, waiting.state = 1, NOW, "pending"
        uow.session.add(waiting)
        uow.session.flush()
        assert bursts.burst_due_at(uow.session, row, now=NOW) == NOW
        assert (bursts.is_repeat(row), bursts.is_repeat(waiting)) == (False, True)
        assert bursts.companions(uow.session, row, now=NOW) == []
        bursts.put_off(uow, row, until=later(minutes=1))
        assert (row.due_at, waiting.due_at) == (later(minutes=1), later(minutes=1))
        bursts.bundle(uow, row, [waiting], rules=RULES)
        assert row.text.startswith("2 pages: ")
        uow.session.flush()
        assert bursts.bundled_rows(uow.session, row) == [waiting]

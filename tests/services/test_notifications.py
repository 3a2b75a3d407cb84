"""The outbox of texts: sent once, looked up before twice, and never silently lost."""

import threading

import pytest

from portal.core.ports import SentSms
from portal.models import Alarm, Notification, Page, Phone
from portal.services import notifications
from portal.services.notifications import count_due_notifications, record_receipt, send_next
from tests.services.paging_world import BOB, CAROL, NOW, NUMBERS, add_people, add_ticket, decide, later, rows, texts


@pytest.fixture
def shop(database):
    add_people(database)
    return database


def page(world, **changes):
    decide(world.database, add_ticket(world.database), **changes)


def states(world):
    return [(row.user_id, row.state) for row in rows(world.database, Notification)]


def drain(world, limit=20):
    """Everything due, as a worker does it."""
    for _ in range(limit):
        if not send_next(world.context):
            return
    raise AssertionError("the outbox never ends")


def test_each_person_gets_one_text(world):
    page(world)
    drain(world)
    assert [text.to for text in world.sms.sent] == [NUMBERS[BOB], NUMBERS[CAROL]]
    assert states(world) == [(BOB, "accepted"), (CAROL, "accepted")]
    row = rows(world.database, Notification)[0]
    assert (row.provider, row.provider_id, row.accepted_at, row.tries) == ("twilio", "F1", NOW, 1)


def test_a_row_is_sending_on_disk_before_the_provider_is_called(world):
    page(world, on_call=(BOB,))
    seen = []

    def send(ref, to, text):
        seen.append(states(world))
        raise KeyboardInterrupt

    world.sms.send = send
    with pytest.raises(KeyboardInterrupt):
        send_next(world.context)
    assert seen == [[(BOB, "sending")]]
    assert states(world) == [(BOB, "sending")]


def test_nothing_is_due_while_a_lease_runs(world):
    page(world, on_call=(BOB,))
    notifications._claim(world.context)
    assert not send_next(world.context)
    with world.database.read_session() as session:
        assert count_due_notifications(session, now=later(seconds=59), lease_now=later(seconds=59)) == 0
        assert count_due_notifications(session, now=later(seconds=60), lease_now=later(seconds=60)) == 1


def test_killed_after_the_provider_took_it_the_text_is_found_and_not_sent_again(world):
    page(world, on_call=(BOB,))
    claimed = notifications._claim(world.context)
    world.sms.send(claimed.key, claimed.number, claimed.text)
    world.times.pass_by(seconds=61)
    drain(world)
    assert len(world.sms.sent) == 1
    assert states(world) == [(BOB, "accepted")]


def test_killed_before_the_provider_was_called_the_text_is_sent_once(world):
    page(world, on_call=(BOB,))
    notifications._claim(world.context)
    world.times.pass_by(seconds=61)
    drain(world)
    assert world.sms.calls[:2] == ["find", "send"]
    assert len(world.sms.sent) == 1


def test_after_a_clock_jump_no_lease_is_taken_over(world):
    page(world, on_call=(BOB,))
    notifications._claim(world.context)
    world.times.pass_by(seconds=61)
    world.times.is_settled = False
    assert not send_next(world.context)
    assert world.sms.calls == []


def test_after_a_clock_jump_what_waits_is_not_held_back_by_what_is_somebodys(world):
    page(world, on_call=(BOB, CAROL))
    notifications._claim(world.context)
    world.times.pass_by(seconds=61)
    world.times.is_settled = False
    assert send_next(world.context)
    assert [sent.to for sent in world.sms.sent] == [NUMBERS[CAROL]]


def test_a_worker_that_lost_its_lease_changes_nothing(world):
    page(world, on_call=(BOB,))
    slow = notifications._claim(world.context)
    world.times.pass_by(seconds=61)
    drain(world)
    before = rows(world.database, Notification)[0]
    notifications._record_sent(world.context, slow, SentSms("LATE", "accepted", "", "", NOW), "twilio")
    after = rows(world.database, Notification)[0]
    assert (after.provider_id, after.accepted_at) == (before.provider_id, before.accepted_at)


def test_a_timeout_after_accepting_is_looked_up_before_any_retry(world):
    page(world, on_call=(BOB,))
    world.sms.fail_next(maybe_done=True, accepts=True)
    drain(world)
    assert states(world) == [(BOB, "sending")]
    world.times.pass_by(seconds=6)
    drain(world)
    assert world.sms.calls[:2] == ["send", "find"]
    assert len(world.sms.sent) == 1
    assert states(world) == [(BOB, "accepted")]


def test_when_the_provider_cannot_be_asked_the_second_text_says_it_may_be_a_repeat(world):
    page(world, on_call=(BOB,))
    world.sms.fail_next(maybe_done=True, accepts=True)
    world.sms.fail_lookups(9)
    drain(world)
    for _ in range(6):
        world.times.pass_by(seconds=11)
        drain(world)
    first, second = world.sms.texts()
    assert second == f"Maybe a repeat: {first}"


def test_a_lost_text_of_an_answered_page_is_not_sent_after_all(world):
    page(world, on_call=(BOB,))
    notifications._claim(world.context)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Page, 1).state = "acknowledged"
    world.times.pass_by(seconds=61)
    drain(world)
    assert world.sms.sent == []
    assert states(world) == [(BOB, "cancelled")]


def test_a_passing_trouble_is_tried_again_and_waits_as_asked(world):
    page(world, on_call=(BOB,))
    world.sms.fail_next(code="20429", retry_after=7)
    drain(world)
    row = rows(world.database, Notification)[0]
    assert (row.state, row.due_at, row.error_code) == ("pending", later(seconds=7), "20429")
    world.times.pass_by(seconds=7)
    drain(world)
    assert (states(world), len(world.sms.sent)) == ([(BOB, "accepted")], 1)


def test_a_page_is_never_given_up_while_it_asks(world):
    page(world, on_call=(BOB,))
    world.sms.fail_next(40)
    for _ in range(30):
        drain(world)
        world.times.pass_by(minutes=1)
    assert states(world)[0] == (BOB, "pending")


def test_a_wrong_number_moves_to_the_persons_next_number_at_once(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=BOB, number="+15550199", position=1))
    page(world, on_call=(BOB,))
    world.sms.fail_next(permanent=True, code="21211")
    drain(world)
    assert [(row.number, row.state) for row in rows(world.database, Notification)] == [
        (NUMBERS[BOB], "failed"),
        ("+15550199", "accepted"),
    ]
    assert world.sms.sent[0].text == rows(world.database, Notification)[0].text


def test_when_no_number_of_the_step_works_the_next_step_follows_at_once(world):
    page(world)
    world.sms.fail_next(2, permanent=True, code="21614")
    drain(world)
    world.times.pass_by(seconds=2)
    drain(world)
    assert [(user, state) for user, state, _ in texts(world.database)] == [
        (BOB, "failed"),
        (CAROL, "failed"),
        (1, "accepted"),
    ]
    assert rows(world.database, Page)[0].step == 1


def test_one_phone_that_works_keeps_the_step(world):
    page(world)
    world.sms.fail_next(permanent=True, code="21614")
    drain(world)
    assert rows(world.database, Page)[0].step == 0
    assert len(world.sms.sent) == 1


def test_a_carrier_that_gives_up_later_counts_like_a_wrong_number(world):
    page(world, on_call=(BOB,))
    world.sms.states["F1"] = ("undelivered", "30003")
    drain(world)
    world.times.pass_by(seconds=11)
    drain(world)
    world.times.pass_by(seconds=2)
    drain(world)
    row = rows(world.database, Notification)[0]
    assert (row.state, row.error_code, row.last_error) == ("undelivered", "30003", "error 30003")
    assert [user for user, state, _ in texts(world.database) if state == "accepted"] == [1]


def test_stop_at_the_carrier_marks_the_phone(world):
    page(world)
    world.sms.fail_next(permanent=True, code="21610")
    drain(world)
    assert [phone.user_id for phone in rows(world.database, Phone) if phone.is_stopped] == [BOB]


def test_a_delivery_receipt_is_fetched_and_then_no_more(world):
    page(world, on_call=(BOB,))
    drain(world)
    world.times.pass_by(seconds=11)
    drain(world)
    row = rows(world.database, Notification)[0]
    assert (row.state, row.delivered_at, row.due_at) == ("delivered", later(seconds=11), None)


def test_a_text_without_a_receipt_is_asked_about_less_and_less_and_not_for_ever(world):
    page(world, on_call=(BOB,))
    world.sms.states["F1"] = ("accepted", "")
    drain(world)
    asked = []
    for second in range(0, 4000, 5):
        world.times.product = world.times.machine = later(seconds=second)
        before = world.sms.calls.count("status")
        drain(world)
        if world.sms.calls.count("status") > before:
            asked.append(second)
    assert asked[:6] == [10, 20, 30, 40, 50, 60]
    assert 20 < len(asked) < 40
    assert rows(world.database, Notification)[0].due_at is None


def test_a_provider_that_refuses_to_tell_a_state_changes_nothing(world):
    page(world, on_call=(BOB,))
    drain(world)

    def refuse(provider_id):
        raise notifications.GatewayError("gone", permanent=True, code="20404")

    world.sms.fetch_status = refuse
    world.times.pass_by(seconds=11)
    drain(world)
    assert states(world) == [(BOB, "accepted")]


def test_trouble_with_the_account_keeps_the_texts_and_raises_one_alarm(world):
    page(world)
    world.sms.fail_next(2, permanent=True, code="20003")
    drain(world)
    assert states(world) == [(BOB, "pending"), (CAROL, "pending")]
    assert [alarm.key for alarm in rows(world.database, Alarm)] == ["sms-account"]
    world.times.pass_by(minutes=1)
    drain(world)
    assert len(world.sms.sent) == 2
    assert [alarm.ended_at for alarm in rows(world.database, Alarm)] == [later(minutes=1)]


def test_a_posted_receipt_is_taken_once_and_only_for_our_texts(world):
    page(world, on_call=(BOB,))
    drain(world)
    delivered = SentSms("F1", "delivered", "", "", NOW)
    assert record_receipt(world.context, provider="twilio", sent=delivered)
    assert record_receipt(world.context, provider="twilio", sent=SentSms("F1", "undelivered", "", "", NOW))
    assert states(world) == [(BOB, "delivered")]
    assert not record_receipt(world.context, provider="sandbox", sent=delivered)


def test_pages_leave_before_notices(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(
            Notification(
                dedupe_key="x", kind="info", number="+15550109", text="x", created_at=NOW, state="pending", due_at=NOW
            )
        )
    page(world, on_call=(BOB,))
    drain(world)
    assert [text.to for text in world.sms.sent] == [NUMBERS[BOB], "+15550109"]
    assert rows(world.database, Notification)[0].due_at is None


def test_two_workers_never_send_the_same_text(world):
    for _ in range(10):
        page(world)
    threads = [threading.Thread(target=drain, args=(world, 60)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.sms.sent) == len(set(world.sms.refs)) == 20


def test_without_a_provider_the_texts_wait_and_an_alarm_says_so(world):
    page(world, on_call=(BOB,))

    def missing():
        raise notifications.GatewayError("No SMS provider is set up.")

    real, world.gateway = world.gateway, missing
    drain(world)
    assert states(world) == [(BOB, "pending")]
    assert [alarm.text for alarm in rows(world.database, Alarm)] == ["No text can be sent: No SMS provider is set up."]
    world.gateway = real
    world.times.pass_by(seconds=2)
    drain(world)
    assert states(world) == [(BOB, "accepted")]
    world.gateway = missing
    world.times.pass_by(seconds=11)
    drain(world)
    assert states(world) == [(BOB, "accepted")]


def test_a_text_sent_again_after_a_look_up_can_fail_for_good(world):
    page(world, on_call=(BOB,))
    notifications._claim(world.context)
    world.times.pass_by(seconds=61)
    world.sms.fail_next(permanent=True, code="21614")
    drain(world)
    assert states(world)[0] == (BOB, "failed")

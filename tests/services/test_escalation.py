"""Silence: repeat, next step, alarm; one step a look, however late it is."""

from datetime import timedelta

from portal.models import Alarm, Notification, Page, User
from portal.services.escalation import count_due_pages, step_next
from portal.services.paging import page_test
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, RULES, add_ticket, decide, later, rows, texts


def walk(world, minutes):
    """Let time pass minute by minute, as the ticker does."""
    for _ in range(minutes):
        world.times.pass_by(minutes=1)
        while step_next(world.context):
            pass


def heads(world):
    return [(user, text.split(":")[0]) for user, _, text in texts(world.database)]


def mark_sent(world):
    with world.database.unit_of_work() as uow:
        for row in uow.session.query(Notification).filter_by(state="pending"):
            row.state = "delivered"


def test_silence_repeats_then_asks_the_next_and_then_raises_the_alarm(world):
    decide(world.database, add_ticket(world.database))
    mark_sent(world)
    walk(world, 4)
    assert len(texts(world.database)) == 2
    walk(world, 1)
    assert heads(world)[2:] == [(BOB, "Again"), (CAROL, "Again")]
    mark_sent(world)
    walk(world, 5)
    assert heads(world)[4:] == [(ALICE, "No answer from Bob and Carol")]
    mark_sent(world)
    walk(world, 5)
    page = rows(world.database, Page)[0]
    assert (page.state, page.due_at) == ("expired", None)
    assert [alarm.text for alarm in rows(world.database, Alarm)] == ["#1: Nobody answered the page."]
    assert heads(world)[5:] == [(ALICE, "ALARM #1")]
    assert texts(world.database)[5][2].startswith("ALARM #1: Nobody answered the page. Server down")
    walk(world, 60)
    assert len(texts(world.database)) == 6


def test_a_long_outage_makes_one_step_and_a_full_wait(world):
    decide(world.database, add_ticket(world.database))
    mark_sent(world)
    world.times.pass_by(minutes=600)
    while step_next(world.context):
        pass
    page = rows(world.database, Page)[0]
    assert (page.step, page.round, page.due_at) == (0, 1, later(minutes=605))
    assert len(texts(world.database)) == 4


def test_a_page_whose_due_time_lies_absurdly_far_ahead_is_pulled_in(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Page, 1).due_at = NOW + timedelta(days=3)
    assert step_next(world.context)
    assert rows(world.database, Page)[0].due_at == later(minutes=5)
    assert not step_next(world.context)


def test_an_older_text_that_never_left_is_replaced_by_the_newer_one(world):
    decide(world.database, add_ticket(world.database), on_call=(BOB,))
    walk(world, 5)
    assert [state for _, state, _ in texts(world.database, BOB)] == ["cancelled", "pending"]


def test_taken_pages_are_left_alone(world):
    decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Page, 1).state = "acknowledged"
    walk(world, 30)
    assert len(texts(world.database)) == 2


def test_the_roster_of_the_moment_is_asked_at_each_step(world):
    decide(world.database, add_ticket(world.database), on_call=(BOB,))
    mark_sent(world)
    world.put_on_call(CAROL)
    walk(world, 5)
    assert heads(world)[1:] == [(CAROL, "Again")]


def test_the_digest_opens_when_it_is_due(world):
    decide(world.database, add_ticket(world.database, received_at=later(minutes=-180)))
    with world.database.read_session() as session:
        assert count_due_pages(session, now=NOW) == 0
        assert count_due_pages(session, now=later(seconds=5)) == 1
    assert not step_next(world.context)
    world.times.pass_by(seconds=5)
    assert step_next(world.context)
    assert not step_next(world.context)
    assert rows(world.database, Page)[0].kind == "digest"


def test_a_silent_test_page_ends_without_an_alarm(world):
    with world.database.unit_of_work() as uow:
        page_test(uow, uow.session.get_one(User, BOB), rules=RULES)
    mark_sent(world)
    walk(world, 11)
    assert rows(world.database, Page)[0].state == "expired"
    assert rows(world.database, Alarm) == []


def test_a_page_that_breaks_does_not_hold_up_the_next(world):
    for _ in range(2):
        decide(world.database, add_ticket(world.database))
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Page, 1).policy = {}
    world.times.pass_by(minutes=5)
    while step_next(world.context):
        pass
    first, second = rows(world.database, Page)
    assert (first.round, first.due_at) == (0, later(minutes=6))
    assert second.round == 1
    assert [alarm.key for alarm in rows(world.database, Alarm)] == ["page-step:1"]

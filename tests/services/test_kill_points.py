"""Stopped at any statement and started again: one ticket, one page, one text for each person."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from portal.models import InboundText, Notification, Page, PageDecisionRow
from portal.services.answers import handle_next
from portal.services.escalation import step_next
from portal.services.notifications import send_next
from tests.services.paging_world import BOB, CAROL, NUMBERS, add_ticket, decide, rows


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing after it runs, what was not committed is gone."""


@contextmanager
def killed_at(world, number):
    """Raise at the `number`th statement or call of the provider; yields how many there were."""
    seen = []

    def point(*args, **kwargs):
        seen.append(args)
        if len(seen) == number:
            raise Killed

    def around(call):
        def inner(*args):
            point()
            answer = call(*args)
            point()
            return answer

        return inner

    event.listen(world.database.writer, "before_cursor_execute", point)
    send, find = world.sms.send, world.sms.find_sent
    world.sms.send, world.sms.find_sent = around(send), around(find)
    try:
        yield seen
    except Killed:
        pass
    finally:
        event.remove(world.database.writer, "before_cursor_execute", point)
        world.sms.send, world.sms.find_sent = send, find


def sampled(count):
    """Every point, of which `make test` takes each seventh."""
    more = pytest.mark.more
    return [pytest.param(number, marks=() if number % 7 == 1 else more) for number in range(1, count + 1)]


def night(world, ticket_id):
    """What the workers do between the ticket and the phones, on and on."""
    decide(world.database, ticket_id)
    while send_next(world.context) or step_next(world.context):
        pass


def count_points(world):
    with killed_at(world, 0) as seen:
        night(world, add_ticket(world.database))
    return len(seen)


def test_the_night_has_enough_points_to_be_worth_killing(world):
    assert count_points(world) > 20


@pytest.mark.parametrize("number", sampled(60))
def test_killed_anywhere_each_phone_still_gets_exactly_one_text(world, number):
    ticket_id = add_ticket(world.database)
    with killed_at(world, number):
        night(world, ticket_id)
    world.times.pass_by(seconds=61)
    night(world, ticket_id)
    assert sorted(text.to for text in world.sms.sent) == [NUMBERS[BOB], NUMBERS[CAROL]]
    assert len(rows(world.database, PageDecisionRow)) == len(rows(world.database, Page)) == 1
    assert {row.state for row in rows(world.database, Notification)} <= {"accepted", "delivered"}


@pytest.mark.parametrize("number", sampled(39))
def test_killed_twice_in_a_row_changes_nothing_either(world, number):
    ticket_id = add_ticket(world.database)
    for again in (number, number + 1):
        with killed_at(world, again):
            night(world, ticket_id)
        world.times.pass_by(seconds=61)
    night(world, ticket_id)
    assert len(world.sms.sent) == 2


def hear(world):
    """What the workers do with a phone's answer."""
    while handle_next(world.context) or send_next(world.context):
        pass


@pytest.mark.parametrize("number", sampled(70))
def test_killed_while_a_phone_answers_the_answer_counts_once(world, number):
    night(world, add_ticket(world.database))
    world.times.pass_by(seconds=20)
    world.sms.reply(NUMBERS[BOB], "a")
    with killed_at(world, number):
        hear(world)
    for _ in range(2):
        world.times.pass_by(seconds=61)
        hear(world)
    page = rows(world.database, Page)[0]
    assert (page.state, page.acknowledged_by) == ("acknowledged", BOB)
    assert len(world.sms.texts(NUMBERS[BOB])) == len(world.sms.texts(NUMBERS[CAROL])) == 2
    assert len(rows(world.database, InboundText)) == 1

"""What the circuit breaker remembers, what stops it, and what never does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.models import Alarm, AutomaticMail, BreakerTrip, Message, OutgoingMail, Requester, Ticket, TicketEvent
from portal.services.breaker import (
    HELD_BACK,
    count_trips,
    last_resumed,
    load_breaker,
    pass_breaker,
    prune_automatic,
    resume_trip,
    scope_name,
    stop_ticket,
)
from tests.services.mail_world import make_mail_world
from tests.services.runtime_world import write
from tests.services.ticket_world import BOB

AWAY = "I am away and will answer you when I am back in the office, as soon as I can, thank you for waiting."


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def ask(world, address="robot@c.example", body=AWAY, *, minutes=1, subject="Away", count=True):
    """A request after some minutes, and whether its confirmation may go: "" or why not."""
    world.clock.move(minutes * 60)
    now = world.clock.now()
    with world.database.unit_of_work() as uow:
        who = uow.session.scalar(select(Requester).where(Requester.email == address))
        if who is None:
            who = Requester(email=address, created_at=now)
            uow.session.add(who)
            uow.session.flush()
        ticket = Ticket(
            subject=subject, status="new", is_open=True, priority=3, requester_id=who.id, source="mail",
            received_at=now, created_at=now, changed_at=now,
        )  # fmt: skip
        uow.session.add(ticket)
        uow.session.flush()
        uow.session.add(
            Message(ticket_id=ticket.id, kind="request", is_public=True, body=body, subject=subject, at=now)
        )
        uow.session.flush()
        return pass_breaker(uow, ticket, address, now=now) if count else ticket.id


def touch(world):
    """Bob does something on the newest ticket."""
    with world.database.unit_of_work() as uow:
        ticket_id = uow.session.scalar(select(Ticket.id).order_by(Ticket.id.desc()).limit(1))
        uow.session.add(TicketEvent(ticket_id=ticket_id, at=world.clock.now(), actor_id=BOB, kind="answered", data={}))


def rows(world, model):
    with world.database.read_session() as session:
        return session.scalars(select(model).order_by(model.id)).all()


def test_a_machine_that_answers_at_once_gets_three_and_then_the_breaker_speaks(world):
    answers = [ask(world) for _ in range(5)]
    assert answers[:3] == ["", "", ""] and all(one.startswith(HELD_BACK) for one in answers[3:])
    assert [(row.sign, row.depth) for row in rows(world, AutomaticMail)] == [("", 0), ("quick", 1), ("quick", 2)]
    (trip,) = rows(world, BreakerTrip)
    assert (trip.scope, trip.value, trip.held_back) == ("address", "robot@c.example", 2)
    (alarm,) = rows(world, Alarm)
    assert "Automatic mail to robot@c.example is stopped." in alarm.text and alarm.ended_at is None


def test_a_slow_machine_is_stopped_too(world):
    answers = [ask(world, minutes=24 * 60) for _ in range(8)]
    assert answers.index(next(one for one in answers if one)) == 6


def test_a_machine_that_says_something_else_each_time_is_stopped_at_eighteen(world):
    words = iter(range(1000))
    answers = [
        ask(world, body=" ".join("abcdefghij"[int(d)] * 3 for d in f"{next(words) * 7919:09d}")) for _ in range(20)
    ]
    assert sum(not one for one in answers) == 18


def test_others_still_get_theirs(world):
    for _ in range(5):
        ask(world)
    assert ask(world, "dana@c.example", "The printer is jammed") == ""


def test_a_person_whom_somebody_here_answers_is_never_stopped(world):
    for _ in range(30):
        assert ask(world) == ""
        touch(world)


def test_a_morning_with_two_thousand_requests_stops_nobody(world):
    """Forty people of one company, half of whom send the same again within the hour."""
    topics = ["printer", "mail", "monitor", "laptop", "phone", "vpn", "account", "scanner", "badge", "beamer"]
    for number in range(60):
        person, topic = number % 40, topics[number % 10]
        body = f"My {topic} in room {'abcdefgh'[number % 8] * 2} makes trouble, {topics[(number * 7 + 3) % 10]} is fine"
        assert ask(world, f"p{person}@c.example", body, minutes=0.5) == ""
    assert count(world) == 0


def count(world):
    with world.database.read_session() as session:
        return count_trips(session)


def test_an_outage_about_which_a_whole_company_writes_the_same_stops_nobody(world):
    for number in range(25):
        assert ask(world, f"p{number}@c.example", "The internet is down", minutes=0.1) == ""


def test_a_machine_with_another_address_each_time_stops_its_company(world):
    answers = [ask(world, f"bounce-{number}@robot.example") for number in range(9)]
    assert sum(not one for one in answers) == 7
    assert rows(world, BreakerTrip)[0].scope == "domain"
    assert ask(world, "dana@c.example") == ""


def test_the_same_words_from_two_people_at_a_public_provider_say_nothing(world):
    for number in range(12):
        assert ask(world, f"p{number}@gmail.com") == ""


def test_one_ticket_gets_three_at_most_whoever_it_goes_to(world):
    ticket_id = ask(world, count=False)
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        answers = [pass_breaker(uow, ticket, "robot@c.example", now=world.clock.now()) for _ in range(4)]
    assert answers[:3] == ["", "", ""] and rows(world, BreakerTrip)[0].scope == "thread" and answers[3]


def test_many_loops_at_once_stop_everything(world):
    sent = 0
    for _ in range(4):
        for number in range(7):
            sent += not ask(world, f"robot@r{number}.example", f"{AWAY} {'abcdefg'[number] * 4}", minutes=0.1)
    assert sent <= 20 and any(trip.scope == "total" for trip in rows(world, BreakerTrip))
    assert ask(world, "dana@c.example", "The printer is jammed").startswith(HELD_BACK)


def test_resuming_counts_anew_and_ends_the_alarm(world):
    for _ in range(4):
        ask(world)
    (trip,) = rows(world, BreakerTrip)
    assert write(world, resume_trip, trip.id) == "robot@c.example"
    assert rows(world, Alarm)[0].ended_at == world.clock.now() and count(world) == 0
    assert [bool(ask(world)) for _ in range(3)] == [False, False, True]
    with pytest.raises(DomainError, match="goes out there already"):
        write(world, resume_trip, trip.id)
    with pytest.raises(DomainError):
        write(world, resume_trip, 999)


def test_the_panel_shows_trips_counts_and_what_was_held_back(world):
    for _ in range(4):
        ask(world)
    with world.database.unit_of_work() as uow:
        for key, state, error in (
            ("a", "cancelled", f"{HELD_BACK}x"),
            ("b", "cancelled", "Watch mode"),
            ("c", "sent", ""),
        ):
            uow.session.add(
                OutgoingMail(
                    event="confirmation", dedupe_key=key, to=["robot@c.example"], subject="s", text="t",
                    message_id=f"<{key}@x>", created_at=world.clock.now(), state=state, last_error=error,
                )
            )  # fmt: skip
    world.clock.move(58 * 60)
    with world.database.read_session() as session:
        view = load_breaker(session, now=world.clock.now())
    assert [trip.value for trip in view.trips] == ["robot@c.example"]
    assert [mail.dedupe_key for mail in view.held_back] == ["a"]
    assert (view.in_an_hour, view.in_a_day) == (1, 3)


def test_what_does_not_count_any_more_is_forgotten(world):
    ask(world)
    world.clock.move(timedelta(days=31).total_seconds())
    ask(world)
    with world.database.unit_of_work() as uow:
        assert prune_automatic(uow, now=world.clock.now()) == 1
    assert len(rows(world, AutomaticMail)) == 1


def test_a_scope_has_a_name_for_people():
    assert [scope_name(*one) for one in (("thread", "7"), ("address", "a@b"), ("domain", "b"), ("total", ""))] == [
        "ticket #7", "a@b", "everybody at b", "everybody",
    ]  # fmt: skip


def test_a_ticket_can_be_stopped_for_another_reason_and_says_so_once(world):
    ticket_id = ask(world, count=False)
    for _ in range(2):
        with world.database.unit_of_work() as uow:
            stop_ticket(uow, ticket_id, reason="Two machines.", now=world.clock.now())
    (trip,) = rows(world, BreakerTrip)
    assert (trip.scope, trip.value, trip.reason, trip.held_back) == ("thread", str(ticket_id), "Two machines.", 2)
    assert len(rows(world, Alarm)) == 1
    with world.database.read_session() as session:
        assert last_resumed(session, ticket_id) is None


def test_the_same_words_at_another_provider_each_time_are_stopped_and_other_words_are_not(world):
    sent = [ask(world, f"r@r{number}.example", minutes=300) == "" for number in range(20)]
    assert sent == [True] * 12 + [False] * 8 and [trip.scope for trip in rows(world, BreakerTrip)] == ["words"]
    assert ask(world, "dana@other.example", "The printer on the second floor is jammed.") == ""
    assert "same words" in scope_name("words", rows(world, BreakerTrip)[0].value)


def test_the_same_words_of_many_that_somebody_here_deals_with_stop_nobody(world):
    """Customers pass on the same phishing mail, and Bob looks at them now and then."""
    for number in range(40):
        assert ask(world, f"r@r{number}.example", minutes=30) == ""
        if number % 10 == 9:
            touch(world)


def test_a_slow_machine_with_another_address_of_its_company_each_time_is_stopped(world):
    """Four texts of few words, in turn."""
    texts = (
        "Thank you, we value your mail a lot.",
        "Our opening hours are nine to five.",
        "Nobody reads this address.",
    )
    sent = [ask(world, f"r{number}@c.example", texts[number % 3], minutes=300) == "" for number in range(30)]
    assert 10 <= sum(sent) <= 20 and not any(sent[20:])


def test_a_tag_in_the_address_is_no_other_address(world):
    assert [ask(world, f"robot+{number}@gmail.com") == "" for number in range(5)] == [True] * 3 + [False] * 2


def test_a_customers_script_gets_a_ticket_for_each_mail_and_one_alarm(world):
    """Forty in five minutes, each about another machine: eighteen are confirmed, then somebody is told."""
    names = ["".join("abcdefghij"[int(digit)] for digit in str(number * 7919)) for number in range(40)]
    held = [ask(world, "script@c.example", f"Disk of {one} is full", minutes=0.1) for one in names]
    assert sum(not one for one in held) == 18 and len(rows(world, Ticket)) == 40
    (trip,) = rows(world, BreakerTrip)
    assert (trip.scope, trip.held_back) == ("address", 22) and len(rows(world, Alarm)) == 1

"""The team is told by mail when the shop wants it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from portal.models import Alarm, BreakerTrip, Message, OutgoingMail, Requester, SettingRow, Ticket, TicketEvent, User
from portal.services.audit import Change
from portal.services.breaker import last_resumed, resume_trip, stop_ticket
from portal.services.team_notices import tell_team
from tests.services.mail_world import add_mailbox, make_mail_world
from tests.services.paging_world import add_ticket
from tests.services.ticket_world import ALICE, BOB


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    set_up(world, site__live=True)
    return world


def set_up(world, **settings):
    with world.database.unit_of_work() as uow:
        for key, value in settings.items():
            uow.session.merge(SettingRow(key=key.replace("__", "."), value=json.dumps(value)))


def reply(world, ticket_id, *, is_new=False, body="Still broken.\n\nOn Monday Bob wrote:\n> Done", minutes=1):
    world.clock.move(60 * minutes)
    with world.database.unit_of_work() as uow:
        message = Message(
            ticket_id=ticket_id, kind="reply", is_public=True, author="Dana <dana@customer.example>", body=body,
            at=world.clock.now(),
        )  # fmt: skip
        uow.session.add(message)
        uow.session.flush()
        return tell_team(world, uow, uow.session.get_one(Ticket, ticket_id), message, is_new=is_new)


def mails(world):
    with world.database.read_session() as session:
        return session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)).all()


@pytest.mark.parametrize(
    ("setting", "assignee", "told"),
    [
        ("", BOB, []),
        ("assignee", BOB, ["bob@a.example"]),
        ("assignee", None, []),
        ("everyone", BOB, ["bob@a.example"]),
        ("everyone", None, ["alice@a.example", "bob@a.example"]),
    ],
)
def test_the_setting_says_who_is_told(world, setting, assignee, told):
    set_up(world, mail__team=setting)
    assert reply(world, add_ticket(world.database, assignee_id=assignee)) == len(told)
    assert [mail.to for mail in mails(world)] == [[one] for one in told]


def test_a_notice_says_who_wrote_what_and_where_an_answer_goes(world):
    set_up(world, mail__team="assignee", site__language="de")
    world.site_url = "https://help.shop.example"
    ticket_id = add_ticket(world.database, "VPN", assignee_id=BOB, priority=2, queue_id=1)
    reply(world, ticket_id, is_new=True)
    (mail,) = mails(world)
    assert mail.subject == f"[#{ticket_id}] Neues Ticket: VPN" and mail.is_automatic and mail.state == "pending"
    assert "Dana <dana@customer.example>" in mail.text and "P2" in mail.text and "Queue: Desktop" in mail.text
    assert "Still broken." in mail.text and "Done" not in mail.text
    assert "geht an Dana Reed" in mail.text and f"https://help.shop.example/tickets/{ticket_id}" in mail.text


def test_after_three_that_nobody_acted_on_there_is_silence_until_somebody_does(world):
    set_up(world, mail__team="assignee")
    ticket_id = add_ticket(world.database, assignee_id=BOB)
    assert [reply(world, ticket_id) for _ in range(5)] == [1, 1, 1, 0, 0]
    with world.database.unit_of_work() as uow:
        uow.session.add(TicketEvent(ticket_id=ticket_id, at=world.clock.now(), actor_id=BOB, kind="answered", data={}))
    assert reply(world, ticket_id) == 1


def test_two_robots_with_us_between_them_end_after_twenty_a_day(world):
    set_up(world, mail__team="assignee")
    ticket_id = add_ticket(world.database, assignee_id=BOB)
    told = 0
    for _ in range(30):
        told += reply(world, ticket_id)
        with world.database.unit_of_work() as uow:  # Bob's out-of-office robot answers the notice
            uow.session.add(
                TicketEvent(ticket_id=ticket_id, at=world.clock.now(), actor_id=BOB, kind="answered", data={})
            )
    assert told == 20


def test_what_is_only_ever_answered_by_mail_is_stopped_after_twenty_and_somebody_is_told(world):
    """Two machines that answer slowly, with us between them: the day's limit never sees them."""
    set_up(world, mail__team="assignee")
    ticket_id = add_ticket(world.database, assignee_id=BOB)

    def round_trip(**data):
        told = reply(world, ticket_id, minutes=300)
        with world.database.unit_of_work() as uow:
            event = TicketEvent(ticket_id=ticket_id, at=world.clock.now(), actor_id=BOB, kind="answered", data=data)
            uow.session.add(event)
        return told

    assert [round_trip(by="mail") for _ in range(22)] == [1] * 20 + [0, 0]
    with world.database.read_session() as session:
        (trip,) = session.scalars(select(BreakerTrip))
        assert (trip.scope, trip.value, trip.held_back) == ("thread", str(ticket_id), 2)
        assert len(session.scalars(select(Alarm)).all()) == 1
    round_trip()  # Bob answers on the page
    assert [round_trip(by="mail") for _ in range(3)] == [1, 1, 1]


def test_a_stop_that_somebody_resumes_counts_anew(world):
    set_up(world, mail__team="assignee")
    ticket_id = add_ticket(world.database, assignee_id=BOB)
    with world.database.unit_of_work() as uow:
        stop_ticket(uow, ticket_id, reason="A circle.", now=world.clock.now())
        stop_ticket(uow, ticket_id, reason="A circle.", now=world.clock.now())
    with world.database.read_session() as session:
        (trip,) = session.scalars(select(BreakerTrip))
        assert last_resumed(session, ticket_id) is None and trip.held_back == 2
    world.clock.move(60)
    with world.database.unit_of_work() as uow:
        resume_trip(uow, trip.id, change=Change(ALICE, world.clock.now()))
    with world.database.read_session() as session:
        assert last_resumed(session, ticket_id) == world.clock.now()


def test_nobody_is_told_of_their_own_words_of_imports_or_after_they_left(world):
    set_up(world, mail__team="everyone")
    with world.database.unit_of_work() as uow:
        uow.session.add(Requester(id=9, email="bob@a.example", created_at=world.clock.now()))
        uow.session.get_one(User, ALICE).is_active = False
    assert reply(world, add_ticket(world.database, requester_id=9)) == 0
    assert reply(world, add_ticket(world.database, is_imported=True)) == 0
    assert reply(world, add_ticket(world.database, assignee_id=ALICE)) == 0


def test_in_watch_mode_none_leaves(world):
    set_up(world, mail__team="assignee", site__live=False)
    reply(world, add_ticket(world.database, assignee_id=BOB))
    assert [(mail.state, mail.last_error[:10]) for mail in mails(world)] == [("cancelled", "Watch mode")]

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.core.mail_commands import CLOSE, RATE, REOPEN, MailCommand
from portal.core.paging import PagePolicy, WakeFor
from portal.models import Notification, Page, PageDecisionRow, Ticket, TicketEvent, User
from portal.services.page_changes import take_page
from portal.services.paging import live_page
from portal.services.replies import SOLVED, rate_ticket, take_reply
from portal.services.tickets import REPLY, Actor, NewMessage, set_status
from tests.services.paging_world import BOB, RULES, add_people, add_ticket, decide
from tests.services.ticket_world import make_database

DANA = NewMessage(REPLY, "It burns again.", author="Dana Reyes <dana@customer.example>")


@pytest.fixture
def database(tmp_path):
    database = make_database(tmp_path)
    with database.unit_of_work() as uow:
        uow.session.connection().exec_driver_sql('DELETE FROM "user"')
    add_people(database)
    yield database
    database.dispose()


def reply(database, ticket_id, **options):
    with database.unit_of_work() as uow:
        message = take_reply(uow, uow.session.get_one(Ticket, ticket_id), DANA, rules=RULES, **options)
        return message.id


def move(database, ticket_id, *statuses):
    with database.unit_of_work() as uow:
        for status in statuses:
            ticket = uow.session.get_one(Ticket, ticket_id)
            set_status(uow, ticket, status, actor=Actor("Bob"), now=RULES.now, resolution="done")


def every(database, model):
    with database.read_session() as session:
        return list(session.scalars(select(model).order_by(model.id)))


@pytest.mark.parametrize(
    ("statuses", "after", "causes"),
    [
        ((), "new", []),
        (("in progress",), "in progress", []),
        (("on hold",), "on hold", []),
        (("waiting for requester",), "open", []),
        (("resolved",), "open", ["reopened"]),
        (("resolved", "closed"), "open", ["reopened"]),
    ],
)
def test_what_a_reply_does_depends_on_where_the_ticket_stands(database, statuses, after, causes):
    ticket_id = add_ticket(database)
    move(database, ticket_id, *statuses)
    reply(database, ticket_id)
    (ticket,) = every(database, Ticket)
    assert ticket.status == after
    assert [row.cause.split(":")[0] for row in every(database, PageDecisionRow)] == causes


def test_each_reopening_asks_anew_whether_to_page(database):
    ticket_id = add_ticket(database)
    for _ in range(2):
        move(database, ticket_id, "resolved")
        reply(database, ticket_id)
    assert [row.verdict for row in every(database, PageDecisionRow)] == ["page", "none"]


def test_a_quiet_reply_reopens_without_paging(database):
    ticket_id = add_ticket(database)
    move(database, ticket_id, "resolved")
    reply(database, ticket_id, is_quiet=True)
    assert [row.verdict for row in every(database, PageDecisionRow)] == ["none"]


def test_the_owner_of_an_acknowledged_page_gets_the_words(database):
    ticket_id = add_ticket(database)
    decide(database, ticket_id)
    with database.unit_of_work() as uow:
        page = live_page(uow.session, ticket_id)
        take_page(uow, uow.session.get_one(Page, page.id), uow.session.get_one(User, BOB), rules=RULES)
    before = len(every(database, Notification))
    reply(database, ticket_id)
    assert "It burns again." in every(database, Notification)[-1].text
    reply(database, ticket_id, is_quiet=True)
    assert len(every(database, Notification)) == before + 1


def test_the_word_urgent_declares_an_emergency_once_and_pages(database):
    policy = PagePolicy(wake_for=WakeFor.EMERGENCIES)
    ticket_id = add_ticket(database)
    decide(database, ticket_id, policy=policy)
    assert every(database, Page) == []
    urgent = replace(DANA, body="URGENT\n> We are closed now")
    for _ in range(2):
        with database.unit_of_work() as uow:
            ticket = uow.session.get_one(Ticket, ticket_id)
            take_reply(uow, ticket, urgent, rules=replace(RULES, policy=policy))
    assert every(database, Ticket)[0].emergency == "declared"
    assert [(row.cause, row.verdict) for row in every(database, PageDecisionRow)] == [
        ("created", "none"),
        ("emergency", "page"),
    ]


def test_the_word_urgent_of_somebody_else_declares_nothing(database):
    ticket_id = add_ticket(database)
    with database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        take_reply(uow, ticket, replace(DANA, body="URGENT"), rules=RULES, may_declare=False)
    assert every(database, Ticket)[0].emergency != "declared"


@pytest.mark.parametrize("statuses", [(), ("in progress",), ("waiting for requester",)])
def test_the_order_to_close_resolves_in_the_requesters_name_and_ends_the_page(database, statuses):
    ticket_id = add_ticket(database)
    decide(database, ticket_id)
    move(database, ticket_id, *statuses)
    reply(database, ticket_id, command=MailCommand(CLOSE))
    (ticket,) = every(database, Ticket)
    assert (ticket.status, ticket.resolution) == ("resolved", SOLVED)
    assert {page.state for page in every(database, Page)} == {"resolved"}
    assert [one.actor for one in every(database, TicketEvent) if one.kind == "status"][-1] == DANA.author


def test_closing_and_rating_what_has_ended_opens_nothing(database):
    ticket_id = add_ticket(database)
    move(database, ticket_id, "resolved", "closed")
    reply(database, ticket_id, command=MailCommand(CLOSE))
    reply(database, ticket_id, command=MailCommand(RATE, 4, "quick"))
    (ticket,) = every(database, Ticket)
    assert (ticket.status, ticket.rating, ticket.rating_text, ticket.rated_at) == ("closed", 4, "quick", RULES.now)
    assert len(every(database, PageDecisionRow)) == 0


def test_the_order_to_reopen_is_a_reply(database):
    ticket_id = add_ticket(database)
    move(database, ticket_id, "resolved")
    reply(database, ticket_id, command=MailCommand(REOPEN))
    assert every(database, Ticket)[0].status == "open"


def test_a_later_rating_takes_the_place_of_the_first_and_both_stand_in_the_history(database):
    ticket_id = add_ticket(database)
    for rating in (1, 5):
        with database.unit_of_work() as uow:
            ticket = uow.session.get_one(Ticket, ticket_id)
            rate_ticket(uow, ticket, rating, text=" ok ", actor=Actor("Dana"), now=RULES.now)
    assert every(database, Ticket)[0].rating == 5
    events = [(one.data["rating"], one.data["note"]) for one in every(database, TicketEvent) if one.kind == "rated"]
    assert events == [(1, "ok"), (5, "ok")]

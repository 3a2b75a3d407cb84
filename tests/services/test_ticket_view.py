"""What the ticket page shows of a ticket."""

import pytest

from portal.models import Attachment, OutgoingMail, SessionBlobStore, Ticket
from portal.services import tickets
from portal.services.ticket_view import (
    find_attachment,
    load_conversation,
    load_history,
    load_ticket_view,
    read_attachment,
)
from portal.services.tickets import Actor, NewMessage, NewTicket
from tests.services.ticket_world import BOB, NOW, counted_statements, make_database

ACTOR = Actor("Bob", BOB)


@pytest.fixture
def database(tmp_path):
    database = make_database(tmp_path)
    yield database
    database.dispose()


def open_ticket(database):
    first = NewMessage("request", "My printer is on fire.\n\n-- \nDana", author="Dana Diaz")
    values = {"queue_id": 1, "category_id": 1, "assignee_id": BOB}
    with database.unit_of_work() as uow:
        new = NewTicket("Printer", first, "mail", 1, NOW, values)
        ticket, message = tickets.create_ticket(uow, new, actor=Actor("Dana Diaz"), now=NOW)
        return ticket.id, message.id


def say(database, ticket_id, body, kind="answer"):
    with database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        return tickets.add_message(uow, ticket, NewMessage(kind, body, author="Bob"), now=NOW).id


def attach(database, message_id, filename, *, data=b"abc", is_inline=False):
    with database.unit_of_work() as uow:
        sha256 = SessionBlobStore(uow.session).put(data)
        values = {"content_type": "text/html", "size": len(data), "sha256": sha256, "is_inline": is_inline}
        attachment = Attachment(message_id=message_id, filename=filename, **values)
        uow.session.add(attachment)
        uow.session.flush()
        return attachment.id


def test_a_ticket_comes_with_the_names_around_it(database):
    ticket_id, _ = open_ticket(database)
    with database.read_session() as session, counted_statements(session) as seen:
        view = load_ticket_view(session, ticket_id)
        assert (view.row.subject, view.requester.name) == ("Printer", "Dana Diaz")
        assert (view.queue, view.category, view.assignee) == ("Desktop", "Printer", "Bob")
        assert load_ticket_view(session, 99) is None
    assert len(seen) == 2


def test_the_conversation_shows_words_files_and_how_the_mail_fares(database):
    ticket_id, first = open_ticket(database)
    attach(database, first, "fire.jpg")
    attach(database, first, "log.txt", data=b"abcd")
    attach(database, first, "scan.pdf", is_inline=True)
    answer = say(database, ticket_id, "Use the other one.")
    with database.unit_of_work() as uow:
        mail = {"subject": "s", "text": "t", "message_id": "<m>", "created_at": NOW, "state": "failed"}
        uow.session.add(
            OutgoingMail(
                ticket_id=ticket_id, message_row_id=answer, event="answer", dedupe_key="a", last_error="refused", **mail
            )
        )
    with database.read_session() as session, counted_statements(session) as seen:
        conversation = load_conversation(session, ticket_id)
    request, reply = conversation.messages
    assert [part.kind for part in request.parts] == ["text", "signature"]
    assert [(file.filename, file.size) for file in request.files] == [
        ("fire.jpg", 3),
        ("log.txt", 4),
        ("scan.pdf", 3),
    ]
    assert (request.mail, reply.mail, reply.mail_error) == ("", "failed", "refused")
    assert conversation.earlier is None
    assert len(seen) == 1


def test_a_long_conversation_shows_its_end_and_offers_the_rest(database):
    ticket_id, first = open_ticket(database)
    for number in range(60):
        say(database, ticket_id, f"Number {number}")
    with database.read_session() as session:
        end = load_conversation(session, ticket_id)
        start = load_conversation(session, ticket_id, before=end.earlier)
    assert (len(end.messages), end.messages[-1].parts[0].text) == (50, "Number 59")
    assert (len(start.messages), start.messages[0].id, start.earlier) == (11, first, None)


def test_the_history_is_newest_first(database):
    ticket_id, _ = open_ticket(database)
    with database.unit_of_work() as uow:
        tickets.sort_ticket(uow, uow.session.get_one(Ticket, ticket_id), actor=ACTOR, now=NOW, priority=1)
    with database.read_session() as session:
        history = load_history(session, ticket_id)
    assert [(event.kind, event.actor) for event in history] == [("sorted", "Bob"), ("created", "Dana Diaz")]
    assert history[0].data == {"priority": [3, 1]}


def test_an_attachment_is_found_on_its_own_ticket_only(database):
    ticket_id, first = open_ticket(database)
    other, _ = open_ticket(database)
    attachment_id = attach(database, first, "fire.jpg", data=b"smoke")
    with database.read_session() as session:
        found = find_attachment(session, ticket_id, attachment_id)
        assert b"".join(read_attachment(session, found)) == b"smoke"
        assert find_attachment(session, other, attachment_id) is None

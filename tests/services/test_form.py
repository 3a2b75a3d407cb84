"""A form that was sent becomes one ticket."""

import pytest
from sqlalchemy import func, select

from portal.core.uploads import Upload
from portal.models import Attachment, FormPost, Message, Requester, Ticket, TicketEvent
from portal.services.form import take_request
from portal.services.form_posts import MOST, TooManyPostsError
from tests.services.form_world import SENT, load, send
from tests.services.paging_world import rows
from tests.services.ticket_world import counted_statements


def test_a_form_makes_a_ticket_that_waits_for_triage(world):
    ticket = load(world, send(world, device="PC-117", phone="+49 30 1", department="Sales"))
    assert (ticket.source, ticket.subject, ticket.status) == ("form", "Nobody can print", "new")
    assert (ticket.asset, ticket.emergency, ticket.triaged_at) == ("PC-117", "", None)
    assert ticket.received_at == world.times.now()
    (message,) = rows(world.database, Message, ticket_id=ticket.id)
    assert (message.kind, message.body, message.author) == ("request", "Help", "Dana Reed <dana@customer.example>")
    (dana,) = rows(world.database, Requester, id=ticket.requester_id)
    assert (dana.name, dana.phone, dana.department) == ("Dana Reed", "+49 30 1", "Sales")


def test_the_number_of_a_request_is_its_own_and_leaves_the_known_one_alone(world):
    send(world, phone="+49 30 1", department="Sales")
    ticket = load(world, send(world, key="k2", phone=" +49 30 666 ", department="Attack"))
    assert ticket.phone == "+49 30 666"
    (dana,) = rows(world.database, Requester, id=ticket.requester_id)
    assert (dana.phone, dana.department) == ("+49 30 1", "Sales")


def test_the_subject_stands_for_an_empty_description(world):
    ticket_id = send(world, body=" ")
    assert rows(world.database, Message, ticket_id=ticket_id)[0].body == "Nobody can print"


def test_the_same_form_sent_twice_makes_one_ticket(world):
    assert send(world) == send(world)
    with world.database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1


@pytest.mark.parametrize(
    "changes", [{"key": "k2"}, {"body": "And the scanner"}, {"files": (Upload("a.png", "image/png", b"x"),)}]
)
def test_a_form_with_something_else_in_it_makes_another(world, changes):
    assert send(world) != send(world, **changes)


def test_files_hang_on_the_request(world):
    ticket_id = send(world, files=(Upload("IMG_0042.HEIC", "image/heic", b"photo"),))
    (message,) = rows(world.database, Message, ticket_id=ticket_id)
    (file,) = rows(world.database, Attachment, message_id=message.id)
    assert (file.filename, file.size) == ("IMG_0042.HEIC", 5)


def test_the_answer_to_the_emergency_question_is_recorded_with_the_price(world):
    ticket_id = send(world, emergency="declared", price="120 per hour")
    assert load(world, ticket_id).emergency == "declared"
    (event,) = rows(world.database, TicketEvent, ticket_id=ticket_id, kind="emergency")
    assert event.data == {"answer": "declared", "price": "120 per hour"}
    assert (event.actor, event.at) == ("Dana Reed", world.times.now())


def test_a_question_that_was_not_asked_leaves_no_trace(world):
    assert rows(world.database, TicketEvent, ticket_id=send(world), kind="emergency") == []


def test_too_many_forms_from_one_address_must_wait(world):
    for n in range(MOST):
        send(world, key=str(n))
    with pytest.raises(TooManyPostsError):
        send(world, key="more")
    assert send(world, key="0") == send(world, key="0"), "what was sent already is still shown"
    assert send(world, key="more", sender="192.0.2.8")
    world.times.pass_by(minutes=11)
    assert send(world, key="later")


@pytest.mark.parametrize("changes", [{}, {"emergency": "declared", "price": "120"}, {"phone": "+49 30 99"}])
def test_a_known_requester_costs_at_most_ten_statements(world, changes):
    send(world)
    with world.database.unit_of_work() as uow, counted_statements(uow.session) as seen:
        changed = {**vars(SENT), "key": "k2", **changes}
        take_request(world.context, uow, type(SENT)(**changed))
        uow.session.flush()
    assert len(seen) <= 9, seen  # and one to read the settings: the form's view


def test_a_post_is_noted_with_its_sender(world):
    ticket_id = send(world)
    with world.database.read_session() as session:
        post = session.scalars(select(FormPost)).one()
    assert (post.ticket_id, post.sender, post.at) == (ticket_id, "192.0.2.7", world.times.now())

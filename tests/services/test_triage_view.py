"""The ticket page shows what triage found, from what was stored."""

import pytest

from portal.core.worddiff import Segment
from portal.models import Ticket
from portal.services.triage_view import load_triage_view, view_triage
from tests.services.triage_world import ask, load, step, triage_world


@pytest.fixture
def world(tmp_path):
    with triage_world(tmp_path) as made:
        yield made


def shown(world, ticket_id: int):
    with world.database.read_session() as session:
        return load_triage_view(session, session.get_one(Ticket, ticket_id))


def test_a_ticket_that_waits_shows_nothing(world) -> None:
    assert shown(world, ask(world)) is None


def test_signs_and_corrections_are_shown(world) -> None:
    ticket_id = ask(world, "Pasword expired", "Hello,\nmy pasword is gone, urgent\nthanks")
    step(world)
    view = shown(world, ticket_id)
    assert (view.category, view.priority) == ("Accounts and access", 3)
    assert 50 < view.confidence < 100
    assert view.category_signs[0] == "“password” in the subject: Accounts and access (+6)"
    assert view.priority_signs == ("“urgent” in the body: time presses (+1)",)
    assert [[part.text for part in line if part.kind != "equal"] for line in view.diff] == [
        ["Pasword", "Password"],
        ["pasword", "password"],
    ]


def test_a_subject_that_was_edited_since_shows_no_false_diff(world) -> None:
    ticket_id = ask(world, "Pasword expired", "hello")
    step(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Ticket, ticket_id).subject = "New subject"
    assert shown(world, ticket_id).diff == ()


def test_a_ticket_without_a_first_message_is_shown(world) -> None:
    ticket_id = ask(world)
    step(world)
    ticket = load(world, Ticket)[0]
    with world.database.read_session() as session:
        ticket.id = 999
        assert load_triage_view(session, ticket).category == "Printing and scanning"
    assert ticket_id != 999


def test_stored_values_of_an_older_version_are_read() -> None:
    view = view_triage({}, subject="a", body="b", corrections=[])
    assert (view.category, view.confidence, view.priority, view.rules, view.diff) == ("", 0, 3, (), ())


def test_segments_are_those_of_the_word_diff() -> None:
    change = {"start": 0, "end": 3, "wrong": "teh", "right": "the", "reason": "listed"}
    view = view_triage({}, subject="", body="teh end", corrections=[change])
    assert view.diff == ((Segment("removed", "teh"), Segment("added", "the"), Segment("equal", " end")),)

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.models import Alarm, Notification, Page, Ticket
from portal.services.audits import audit_pages
from tests.services.runtime_world import NOW, make_world
from tests.services.ticket_world import BOB, ticket_values

LATE, FRESH = NOW - timedelta(minutes=3), NOW - timedelta(minutes=1)


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    yield world
    world.database.dispose()


def add(world, *rows):
    with world.database.unit_of_work() as uow:
        for row in rows:
            uow.session.add(row)
            uow.session.flush()


def banners(world):
    with world.database.read_session() as session:
        return [alarm.text for alarm in session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)))]


def text(**changes):
    values = {"dedupe_key": "k", "page_id": 1, "user_id": BOB, "kind": "page", "number": "+15550101", "text": "x"}
    values.update(state="pending", due_at=LATE, created_at=LATE)
    return Notification(**{**values, **changes})


def page(**changes):
    return Page(**{"id": 1, "kind": "ticket", "state": "open", "opened_at": LATE, **changes})


def test_a_quiet_night_raises_nothing(world):
    assert audit_pages(world) == "0 late tickets, 0 late texts."
    assert banners(world) == []


@pytest.mark.parametrize(
    ("changes", "is_late"),
    [
        ({"created_at": LATE}, True),
        ({"created_at": FRESH}, False),
        ({"created_at": LATE, "triaged_at": NOW}, False),
        ({"created_at": LATE, "is_imported": True}, False),
    ],
)
def test_a_new_ticket_nobody_looked_at_for_two_minutes_raises_the_banner(world, changes, is_late):
    add(world, Ticket(**ticket_values(1, **changes)))
    audit_pages(world)
    assert banners(world) == (["1 new ticket waits. The jobs page and the log say more."] if is_late else [])


@pytest.mark.parametrize(
    ("changes", "state", "is_late"),
    [
        ({}, "open", True),
        ({"state": "sending"}, "open", True),
        ({"due_at": FRESH}, "open", False),
        ({"state": "accepted"}, "open", False),
        ({}, "acknowledged", False),
    ],
)
def test_a_text_of_an_open_page_that_did_not_leave_raises_the_banner(world, changes, state, is_late):
    add(world, page(state=state), text(**changes))
    audit_pages(world)
    assert ("1 text waits to be sent. The jobs page and the log say more." in banners(world)) == is_late


def test_a_page_no_phone_got_is_named_and_its_people_are_told(world):
    add(world, page(), text())
    audit_pages(world)
    assert "the test: No phone has got this page for two minutes." in banners(world)


def test_the_banner_is_raised_once_and_ends_by_itself(world):
    add(world, Ticket(**ticket_values(1, created_at=LATE)), Ticket(**ticket_values(2, created_at=LATE)))
    audit_pages(world)
    audit_pages(world)
    assert len(banners(world)) == 1
    with world.database.unit_of_work() as uow:
        for ticket in uow.session.scalars(select(Ticket)):
            ticket.triaged_at = NOW
    audit_pages(world)
    assert banners(world) == []


def test_what_a_clock_that_ran_ahead_put_off_is_due_again_when_the_clock_is_right(world):
    year, minutes = timedelta(days=366), timedelta(minutes=5)
    add(
        world,
        page(opened_at=NOW + year, due_at=NOW + year + minutes),
        text(dedupe_key="new", created_at=NOW + year, due_at=NOW + year),
        text(dedupe_key="again", created_at=LATE, sending_at=NOW + year, due_at=NOW + year + minutes),
        text(dedupe_key="sound", created_at=LATE, sending_at=LATE, due_at=NOW + minutes),
    )
    audit_pages(world)
    with world.database.read_session() as session:
        due = {row.dedupe_key: row.due_at for row in session.scalars(select(Notification))}
        assert due == {"new": NOW, "again": NOW + minutes, "sound": NOW + minutes}
        kept = session.get_one(Page, 1)
        assert (kept.opened_at, kept.due_at) == (NOW, NOW + minutes)

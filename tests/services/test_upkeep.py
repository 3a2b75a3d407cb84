from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.models import FormPost, OneTimeLink, SettingRow, SignInAttempt, Ticket, TicketCount, TicketEvent
from portal.services.upkeep import check_counters, close_resolved, tidy
from tests.services.runtime_world import NOW, make_world
from tests.services.ticket_world import ALICE, ticket_values


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    with world.database.unit_of_work() as uow:
        uow.session.add(Ticket(**ticket_values(1)))
        uow.session.flush()
        for days in (0, 1, 3, 8, 40):
            at = NOW - timedelta(days=days)
            link = {"user_id": ALICE, "purpose": "invite", "token_hash": f"h{days}"}
            uow.session.add(SignInAttempt(subject="mallory", at=at))
            uow.session.add(FormPost(key=f"k{days}", ticket_id=1, at=at))
            uow.session.add(OneTimeLink(**link, expires_at=at))
    yield world
    world.database.dispose()


def left(world):
    with world.database.read_session() as session:
        return [
            session.scalar(select(func.count()).select_from(model)) for model in (SignInAttempt, FormPost, OneTimeLink)
        ]


def test_what_is_old_goes_and_the_rest_stays(world):
    assert tidy(world) == "6 old rows removed."
    assert left(world) == [2, 3, 4]
    assert tidy(world) == "0 old rows removed."


def add_tickets(world, *tickets):
    with world.database.unit_of_work() as uow:
        for number, changes in enumerate(tickets, start=2):
            uow.session.add(Ticket(**ticket_values(number, **changes)))
        uow.session.flush()


def resolved(days, **changes):
    return {"status": "resolved", "is_open": False, "resolved_at": NOW - timedelta(days=days), **changes}


def statuses(world):
    with world.database.read_session() as session:
        return dict(session.execute(select(Ticket.id, Ticket.status).where(Ticket.id > 1)).all())


def test_tickets_resolved_for_a_week_are_closed_with_a_line_of_history(world):
    add_tickets(world, resolved(8), resolved(7), resolved(6), {"status": "open"})
    assert close_resolved(world) == "2 tickets closed."
    assert statuses(world) == {2: "closed", 3: "closed", 4: "resolved", 5: "open"}
    with world.database.read_session() as session:
        assert [(e.ticket_id, e.kind, e.actor) for e in session.scalars(select(TicketEvent))] == [
            (2, "status", "Nightdesk"),
            (3, "status", "Nightdesk"),
        ]
    assert close_resolved(world) == "0 tickets closed."


@pytest.mark.parametrize(("days", "line"), [("0", "0 tickets closed."), ("2", "1 ticket closed.")])
def test_the_setting_says_after_how_many_days(world, days, line):
    with world.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="tickets.close_days", value=days))
    add_tickets(world, resolved(3))
    assert close_resolved(world) == line


def test_right_counters_are_left_alone_and_wrong_ones_mended(world):
    check_counters(world)
    assert check_counters(world) == "All counters are right."
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(TicketCount)).first().n = 77
        uow.session.add(TicketCount(queue_id=2, status="open", priority=1, n=1))
    assert check_counters(world) == "2 counters mended."
    assert check_counters(world) == "All counters are right."

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.intake import TICKET, IntakePlan
from portal.core.mail_rules import Action, ConditionKind, MonitorWord, RuleOutcome
from portal.models import MailLedger, MonitorKey, OutgoingMail, Ticket, TicketEvent
from portal.services.mail_monitors import find_monitor_ticket, follow_monitor
from portal.services.tickets import Actor, set_status
from tests.services.mail_world import add_mailbox, make_mail_world
from tests.services.rules_world import add_rule, post, ticket


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    add_rule(
        world,
        (ConditionKind.SENDER_IS, "nagios@shop.example"),
        action=Action.MONITOR,
        name="Nagios",
        opens=("PROBLEM: {key} is {*}",),
        closes=("RECOVERY: {key}",),
    )
    return world


def says(world, subject, **words):
    world.clock.move(60)
    return post(world, subject=subject, sender="nagios@shop.example", **words)


def keys(world):
    with world.database.read_session() as session:
        return {one.key: one.ticket_id for one in session.scalars(select(MonitorKey))}


def test_the_next_mail_about_the_same_joins_and_the_all_clear_resolves(world):
    first = says(world, "PROBLEM: srv1 is DOWN")
    again = says(world, "PROBLEM: SRV1 is still DOWN")
    assert first.verdict == "ticket" and ticket(world, first.ticket_id).is_automatic
    assert (again.verdict, again.ticket_id) == ("automatic", first.ticket_id)
    clear = says(world, "RECOVERY: srv1")
    done = ticket(world, first.ticket_id)
    assert (clear.verdict, clear.ticket_id) == ("automatic", first.ticket_id)
    assert (done.status, done.resolution) == ("resolved", "The monitoring reports that srv1 is well again.")
    assert keys(world) == {}


def test_nothing_is_sent_and_the_history_names_the_rule(world):
    says(world, "PROBLEM: srv1 is DOWN")
    says(world, "RECOVERY: srv1")
    with world.database.read_session() as session:
        assert session.scalars(select(OutgoingMail)).all() == []
        assert "Rule “Nagios”" in session.scalars(select(TicketEvent.actor)).all()


def test_another_thing_has_another_ticket_and_a_new_problem_opens_anew(world):
    first, other = says(world, "PROBLEM: srv1 is DOWN"), says(world, "PROBLEM: srv2 is DOWN")
    says(world, "RECOVERY: srv1")
    again = says(world, "PROBLEM: srv1 is DOWN")
    assert len({first.ticket_id, other.ticket_id, again.ticket_id}) == 3
    assert keys(world) == {"srv1": again.ticket_id, "srv2": other.ticket_id}


def test_a_ticket_that_a_person_resolved_is_not_joined(world):
    first = says(world, "PROBLEM: srv1 is DOWN")
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(Ticket, first.ticket_id)
        set_status(uow, row, "resolved", actor=Actor("Bob"), now=world.clock.now(), resolution="rebooted")
    late_clear = says(world, "RECOVERY: srv1")
    assert late_clear.ticket_id is None and "no ticket was open" in late_clear.reason
    assert says(world, "PROBLEM: srv1 is DOWN").ticket_id != first.ticket_id


def test_an_all_clear_without_a_problem_opens_nothing(world):
    row = says(world, "RECOVERY: srv9")
    assert (row.verdict, row.ticket_id) == ("automatic", None)


def test_an_all_clear_that_came_late_does_not_end_a_newer_problem(world):
    first = says(world, "PROBLEM: srv1 is DOWN")
    outcome = RuleOutcome(1, "Nagios", Action.MONITOR, "", MonitorWord("srv1", is_clear=True))
    with world.database.read_session() as session:
        before, after = first.received_at - timedelta(hours=1), first.received_at
        assert find_monitor_ticket(session, outcome, received_at=before) is None
        assert find_monitor_ticket(session, outcome, received_at=after) == first.ticket_id
        assert find_monitor_ticket(session, None, received_at=after) is None


def test_a_merged_ticket_forwards(world):
    first = says(world, "PROBLEM: srv1 is DOWN")
    target = post(world, subject="Server room on fire")
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(Ticket, first.ticket_id)
        set_status(uow, row, "resolved", actor=Actor("Bob"), now=world.clock.now(), resolution="merged")
        row.merged_into_id = target.ticket_id
    assert says(world, "PROBLEM: srv1 is DOWN").ticket_id == target.ticket_id
    says(world, "RECOVERY: srv1")
    assert ticket(world, target.ticket_id).status == "resolved"


def test_a_monitor_joins_by_key_whatever_thread_its_mail_points_at(world):
    first = says(world, "PROBLEM: srv1 is DOWN")
    other = says(world, "PROBLEM: srv2 is DOWN", extra={"In-Reply-To": first.message_id})
    assert other.verdict == "ticket" and other.ticket_id != first.ticket_id


def test_a_plan_without_a_monitor_is_left_alone(world):
    row = says(world, "PROBLEM: srv1 is DOWN")
    with world.database.unit_of_work() as uow:
        stored = uow.session.get_one(MailLedger, row.id)
        follow_monitor(uow, stored, IntakePlan(TICKET, ""), None, ticket_id=row.ticket_id, now=world.clock.now())
    assert keys(world) == {"srv1": row.ticket_id}

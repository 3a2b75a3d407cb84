"""What the shop has set about paging, as one value."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from portal.core.paging import Cause, HoursFacts, WakeFor
from portal.models import BusinessPeriod, Calendar, Customer, HolidayPolicyRow, Queue, ScheduleRow, ShiftRow, Ticket
from portal.services.paging import Event, decide_for_ticket
from portal.services.paging_rules import hours_at, load_paging_rules, provider_of
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, RULES, later
from tests.services.ticket_world import counted_statements


def load(world, now=NOW):
    with world.database.read_session() as session:
        return load_paging_rules(session, now=now)


def test_settings_calendar_roster_and_steps_are_read_together(world):
    assert load(world) == RULES


def test_an_ordinary_night_has_no_holiday_and_the_day_after_the_roster_is_empty(world):
    rules = load(world, later(minutes=60 * 24 * 100))
    assert (rules.hours.holiday, rules.hours.is_open, rules.on_call) == ("", False, ())


def test_each_setting_counts(world):
    world.set(paging__wake_for="urgent", paging__late_minutes=15, paging__fallback=0, site__prefix="IT-")
    world.set(site__live=False, sms__provider="")
    world.put_on_call(CAROL)
    rules = load(world)
    assert (rules.policy.wake_for, rules.policy.late_after) == (WakeFor.URGENT, timedelta(minutes=15))
    assert (rules.fallback, rules.number_prefix, rules.is_live, rules.provider) == (None, "IT-", False, "")
    assert rules.on_call == (CAROL,)
    with world.database.read_session() as session:
        assert provider_of(session) == ""


def test_it_costs_two_statements_while_no_calendar_changes(world):
    load(world)
    with world.database.read_session() as session, counted_statements(session) as seen:
        load_paging_rules(session, now=NOW)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("changes", "role", "requested", "held"),
    [
        ({}, "technician", False, False),
        ({"is_live": False}, "technician", False, True),
        ({"is_live": False}, "manager", False, True),
        ({"is_live": False}, "admin", False, False),
        ({"is_live": False}, "technician", True, False),
        ({"is_live": False, "provider": "sandbox"}, "technician", False, False),
    ],
)
def test_watch_mode_holds_back_real_texts_to_all_but_admins(changes, role, requested, held):
    assert replace(RULES, **changes).holds_back(role, is_requested=requested) is held


def test_times_in_texts_are_on_the_sites_clock():
    assert RULES.clock_time(NOW) == "03:10"


def test_a_queue_with_hours_and_a_roster_of_its_own_has_its_own_cover(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(Calendar(id=2, name="Network", zone="America/New_York", changed_at=NOW))
        uow.session.add(ScheduleRow(id=2, name="Network", zone="America/New_York", changed_at=NOW))
        uow.session.flush()
        uow.session.add(BusinessPeriod(calendar_id=2, weekday=3, opens=0, closes=1440))  # Thursday 21:10 in New York
        starts, ends = datetime(2026, 12, 24, 21), datetime(2026, 12, 24, 22)
        uow.session.add(ShiftRow(schedule_id=2, user_id=ALICE, starts=starts, ends=ends))
        uow.session.add(Queue(id=7, name="Wires", calendar_id=2, schedule_id=2))
        uow.session.add(Queue(id=8, name="Printing"))
    rules = load(world)
    assert (rules.of_queue(7).on_call, rules.of_queue(7).hours) == ((ALICE,), HoursFacts(is_open=True))
    assert rules.of_queue(8) == rules.of_queue(None) == rules


def test_a_customer_that_is_served_round_the_clock_puts_nobody_at_a_desk_at_night(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(Calendar(id=2, name="Round the clock", changed_at=NOW))
        uow.session.flush()
        uow.session.add_all(BusinessPeriod(calendar_id=2, weekday=day, opens=0, closes=1440) for day in range(7))
        uow.session.add(Customer(id=5, name="Acme", calendar_id=2))
        ticket = Ticket(
            subject="Down", status="new", is_open=True, priority=1, source="mail", customer_id=5, received_at=NOW,
            created_at=NOW, changed_at=NOW,
        )  # fmt: skip
        uow.session.add(ticket)
        uow.session.flush()
        rules = load_paging_rules(uow.session, now=NOW)
        assert decide_for_ticket(uow, ticket, Event(Cause.CREATED), rules=rules).verdict == "page"


@pytest.mark.parametrize(("policy", "expected"), [("nobody", ((), True)), ("normal", ((BOB, CAROL), False))])
def test_a_holiday_on_which_nobody_is_on_call_is_the_managers(world, policy, expected):
    with world.database.unit_of_work() as uow:
        uow.session.add(HolidayPolicyRow(observed_on=date(2026, 12, 25), policy=policy))
    rules = load(world)
    assert (rules.on_call, rules.cover.has_managers) == expected


def test_a_roster_that_cannot_be_worked_out_rings_the_fallback_person(world, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("portal.services.schedules.make_roster", broken)
    monkeypatch.setattr("portal.services.paging_rules.is_open", broken)
    rules = load(world, later(minutes=60 * 24 * 200))
    assert (rules.on_call, rules.cover.has_managers, rules.hours) == ((), False, HoursFacts(is_open=False))
    assert rules.fallback == ALICE
    with world.database.read_session() as session:
        assert not hours_at(session, 1, now=NOW).is_open


def test_a_database_in_trouble_is_not_taken_for_an_empty_roster(world, monkeypatch):
    def broken(*_, **__):
        raise OperationalError("SELECT", {}, Exception("disk"))

    monkeypatch.setattr("portal.services.paging_rules.on_call_at", broken)
    with pytest.raises(OperationalError):
        load(world)

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.core.calendars import WEEKDAYS, Holiday, parse_week
from portal.core.holiday_effects import plan_days
from portal.models import Customer, SettingRow, Ticket
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import load_hours, save_week
from portal.services.deadlines import load_moved_deadlines, load_targets, response_deadline
from tests.services.ticket_world import add_tickets, counted_statements, ticket_values

FRIDAY = datetime(2026, 11, 20, 17, tzinfo=UTC)
CHANGE = Change(None, FRIDAY)
MONDAY_OFF = [Holiday(date(2026, 11, 23), "Day off")]


def due(day, hour):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def shop(database):
    """Open Monday to Friday from 8 to 18; a customer that is served every day from 9 to 21."""
    with database.unit_of_work() as uow:
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")), change=CHANGE)
        own = add_calendar(uow, "Every day", change=CHANGE)
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS, "9-21")), calendar_id=own, change=CHANGE)
        uow.session.add(Customer(id=5, name="Acme", calendar_id=own))
    return database


def given(shop, *rows):
    at = {"received_at": FRIDAY, "priority": 2}
    add_tickets(shop, *(ticket_values(id, **{**at, **changes}) for id, changes in enumerate(rows, 1)))


def deadline(shop, id):
    with shop.read_session() as session:
        found = response_deadline(session, session.get_one(Ticket, id))
        return found and found.due_at


def moved(shop, closed=MONDAY_OFF, *, calendar_id=1, now=FRIDAY):
    with shop.read_session() as session:
        after = plan_days(load_hours(session, calendar_id), closed=closed)
        return load_moved_deadlines(session, after, calendar_id=calendar_id, now=now)


def test_the_hours_of_the_customer_come_before_those_of_the_site(shop):
    given(shop, {}, {"customer_id": 5}, {"priority": 1}, {"is_imported": True})
    assert [deadline(shop, id) for id in (1, 2, 3, 4)] == [due(23, 11), due(20, 21), due(20, 18), None]


def test_it_costs_no_statement_while_the_hours_stay(shop):
    given(shop, {})
    with shop.read_session() as session:
        ticket = session.get_one(Ticket, 1)
        response_deadline(session, ticket)
        with counted_statements(session) as seen:
            response_deadline(session, ticket)
    assert seen == []


def test_the_targets_are_settings_and_0_is_none(shop):
    with shop.unit_of_work() as uow:
        uow.session.add_all([SettingRow(key="sla.answer_p2", value="0"), SettingRow(key="sla.answer_p1", value="90")])
    given(shop, {}, {"priority": 1})
    with shop.read_session() as session:
        assert load_targets(session) == {1: 90, 2: 0, 3: 480, 4: 1440}
    assert [deadline(shop, 1), deadline(shop, 2)] == [None, due(23, 8) + timedelta(minutes=30)]


def test_a_broken_calendar_leaves_the_ticket_readable(shop, monkeypatch, caplog):
    given(shop, {})

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("portal.services.deadlines.plan_response", broken)
    assert deadline(shop, 1) is None


def test_closing_a_day_moves_what_is_still_to_come_of_those_who_go_by_the_calendar(shop):
    given(
        shop,
        {},
        {"customer_id": 5},
        {"priority": 1},  # due on Friday
        {"first_response_at": FRIDAY},
        {"status": "closed"},
        {"is_imported": True},
        {"received_at": due(19, 9)},  # overdue already
        {"priority": 3},
    )
    found = moved(shop)
    assert [(one.ticket_id, one.before, one.after) for one in found.tickets] == [
        (1, due(23, 11), due(24, 11)), (8, due(23, 15), due(24, 15)),
    ]  # fmt: skip
    assert moved(shop, now=due(23, 12)).tickets[0].ticket_id == 1  # it would be due again
    assert moved(shop, now=due(24, 16)).tickets == ()
    assert moved(shop, calendar_id=2).tickets == ()
    sunday = [Holiday(date(2026, 11, 20), "Friday off"), *MONDAY_OFF]
    assert [one.ticket_id for one in moved(shop, sunday, calendar_id=2).tickets] == [2]


def test_only_the_newest_are_looked_at_and_it_says_so(shop, monkeypatch):
    monkeypatch.setattr("portal.services.deadlines.MOST", 2)
    given(shop, {}, {}, {})
    found = moved(shop)
    assert ([one.ticket_id for one in found.tickets], found.is_cut) == ([2, 3], True)

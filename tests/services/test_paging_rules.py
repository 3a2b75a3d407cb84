"""What the shop has set about paging, as one value."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.core.paging import WakeFor
from portal.services.paging_rules import load_paging_rules, provider_of
from tests.services.paging_world import CAROL, NOW, RULES, later
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


def test_it_costs_five_statements(world):
    with world.database.read_session() as session, counted_statements(session) as seen:
        load_paging_rules(session, now=NOW)
    assert len(seen) == 5


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

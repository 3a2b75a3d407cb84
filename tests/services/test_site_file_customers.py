"""Customers in the settings file."""

from datetime import datetime

import pytest

from portal.core.site_file import SiteFile, SiteFileError
from portal.services.audit import Change
from portal.services.customers import list_customers
from portal.services.site_file_customers import apply_customers, collect_customers
from portal.services.site_file_import import Run
from tests.services.site_file_world import NOW, SiteFileWorld

FILE = """
calendars: [{name: Round the clock, hours: {mon: 0-24}}]
customers:
  - {name: Acme, addresses: [ACME.example, jane@gmail.com], calendar: round the clock}
  - {name: Bolt}
"""
WALL = datetime(2026, 11, 21)


@pytest.fixture
def shop(database):
    return SiteFileWorld(database)


def profiles(shop):
    with shop.database.read_session() as session:
        return [(one.profile.name, one.profile.addresses, one.profile.calendar_id) for one in list_customers(session)]


def test_a_file_makes_customers_and_taken_twice_changes_nothing(shop):
    assert "customers: Acme added" in shop.take(FILE)
    assert profiles(shop) == [("Acme", ("acme.example", "jane@gmail.com"), 2), ("Bolt", (), None)]
    assert not [line for line in shop.take(FILE) if line.startswith("customers")]


def test_what_an_entry_leaves_out_stays_and_other_customers_too(shop):
    shop.take(FILE)
    assert shop.take("customers: [{name: ACME}]") == ["customers: ACME changed"]
    assert shop.take('customers: [{name: ACME, calendar: "", addresses: []}]') == ["customers: ACME changed"]
    assert profiles(shop) == [("ACME", (), None), ("Bolt", (), None)]
    assert shop.take("customers: [{name: ACME, calendar: Business hours}]") == []


def test_faults_are_named_with_their_lines(shop):
    text = """
customers:
  - {name: Acme, addresses: [acme.example]}
  - {name: acme}
  - {name: Bolt, addresses: [acme.example]}
  - {name: Cord, addresses: [gmail.com]}
  - {name: Dent, calendar: Mars}
"""
    with pytest.raises(SiteFileError) as refused:
        shop.take(text)
    assert str(refused.value).splitlines() == [
        "Line 4: The customer “acme” stands here twice.",
        "Line 5: acme.example belongs to Acme already.",
        "Line 6: gmail.com is used by people of many companies. Write whole addresses instead.",
        "Line 7: There is no calendar “Mars”.",
    ]
    assert profiles(shop) == []


def test_the_section_is_applied_and_collected_by_itself(shop):
    with shop.database.unit_of_work() as uow:
        run = Run(uow, SiteFile({}), Change(None, NOW), context=None, environ={})
        apply_customers(run, [{"name": "Acme", "addresses": ["acme.example"]}])
    with shop.database.read_session() as session:
        assert collect_customers(session, WALL) == [{"name": "Acme", "addresses": ["acme.example"]}]

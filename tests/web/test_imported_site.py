"""Every page on a site that was made by a settings file: what the file writes, the pages must be able to read."""

import yaml

from portal.core.permissions import ACTIONS
from portal.core.site_file import read_site_file
from portal.services.audit import Change
from portal.services.site_file_import import Run, apply_sections
from tests.web.conftest import NOW
from tests.web.test_auth import access_of, rules_of

FILE = """
settings: {site.zone: Europe/Berlin, oncall.long_days: 10}
people: [{mail: erin@acme.example, name: Erin, phones: ["+4915112345679"]}]
hours: {mon: [8-12, 13-17], fri: 22-02}
special_hours: [{from: 2026-12-31 14:00, to: 2026-12-31 24:00, name: New Year's Eve}]
calendars: [{name: New York, zone: America/New_York, hours: {mon: 9-18}}]
queues: [{name: Phones, calendar: New York, schedule: Network}, Desktop]
customers: [{name: Acme, addresses: [acme.example], calendar: New York}]
holidays: [{date: 2026-12-25, name: Christmas}, {date: 2026-12-24, name: Eve, closed: 13-24, calendar: New York}]
holiday_rules: [{name: Harvest, day: 4th thu nov}]
holiday_feeds: [{name: Town, url: "https://town.example/days.ics"}]
escalation: [{ask: on_call}, {ask: erin@acme.example}]
shifts: [{person: erin@acme.example, starts: 2026-11-21 01:00, ends: 2026-11-21 09:00}]
schedules:
  - name: On call
    rotations: [{name: Weeks, people: [erin@acme.example], starts: 2026-11-16 08:00}]
    overrides:
      - {kind: add, person: erin@acme.example, starts: 2026-11-21 02:00, ends: 2026-11-22 08:00}
      - {kind: remove, person: erin@acme.example, starts: 2026-11-23 02:00, ends: 2026-11-24 08:00}
    holidays: [{date: 2026-12-25, policy: everyone}]
  - {name: Network, zone: America/New_York, members: [erin@acme.example]}
"""
# The same without half of it: what is removed leaves traces that pages read, too.
LESS = {
    "shifts": [], "holiday_rules": [], "holiday_feeds": [], "special_hours": [], "holidays": [],
    "schedules": [{"name": "On call", "rotations": [], "overrides": [], "holidays": []}],
}  # fmt: skip


def take(web, text: str) -> None:
    with web.database.unit_of_work() as uow:
        run = Run(uow, read_site_file(text), Change(None, NOW), web.context, environ={})
        apply_sections(run)
        assert not run.faults, run.faults


def opened(web) -> int:
    alice, count = web.as_("alice"), 0
    for rule, method in rules_of(web.app):
        if method == "GET" and not rule.arguments and access_of(web.app, rule.endpoint) in ACTIONS:
            status = alice.client.get(rule.rule).status_code
            assert status < 500, f"{rule.rule}: {status}"
            count += 1
    return count


def test_every_page_opens_after_a_file_was_taken_in_and_after_half_of_it_is_gone(web):
    take(web, FILE)
    assert opened(web) > 40
    take(web, yaml.dump(LESS))
    opened(web)

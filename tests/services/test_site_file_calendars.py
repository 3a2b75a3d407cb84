"""Calendars in the settings file."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import add_working_time, format_week, is_open
from portal.core.site_file import SiteFile, SiteFileError
from portal.models import AuditEvent, Queue, SpecialHoursRow
from portal.services.audit import Change
from portal.services.calendars import find_calendar, list_calendars, load_hours
from portal.services.site_file_calendars import (
    SITE_SECTIONS,
    apply_calendars,
    apply_site_calendar,
    collect_calendars,
    collect_site_calendar,
)
from portal.services.site_file_import import Run
from tests.services.site_file_world import NOW, SiteFileWorld

FILE = """
hours: {mon: ["08:00-12:00", "13:00-17:00"], fri: 22:00-02:00}
special_hours:
  - {from: 2026-12-31 14:00, to: 2026-12-31 24:00, name: New Year's Eve}
  - {kind: open, from: 2026-12-25 10:00, to: 2026-12-25 12:00}
calendars:
  - name: New York
    zone: America/New_York
    hours: {mon: 9-18, tue: 9-18}
    special_hours:
      - {kind: open, from: 2026-12-06 09:00, to: 2026-12-06 12:00, name: Fair}
  - {name: Never}
queues:
  - {name: Phones, calendar: New York}
  - Desktop
"""


@pytest.fixture
def shop(database):
    return SiteFileWorld(database)


def hours(shop, name):
    with shop.database.read_session() as session:
        return load_hours(session, find_calendar(session, name))


def faults(shop, text):
    with pytest.raises(SiteFileError) as refused:
        shop.take(text)
    return str(refused.value).splitlines()


def test_a_file_makes_the_sites_hours_and_other_calendars(shop):
    shop.take(FILE)
    site, york, never = hours(shop, "Business hours"), hours(shop, "new york"), hours(shop, "Never")
    assert format_week(site.week) == {"mon": ["08:00-12:00", "13:00-17:00"], "fri": ["22:00-02:00"]}
    eve, feast = site.special
    assert (eve.ends, eve.is_open, eve.name) == (datetime(2027, 1, 1), False, "New Year's Eve")
    assert feast.is_open and york.zone.key == "America/New_York"
    assert is_open(york, datetime(2026, 12, 6, 15, tzinfo=UTC)) and never.week.is_closed
    (phones,) = shop.rows(select(Queue.calendar_id).where(Queue.name == "Phones"))
    with shop.database.read_session() as session:
        assert phones == find_calendar(session, "New York")


def test_the_golden_number_of_new_york_by_a_file(shop):
    week = ", ".join(f"{day}: 9-18" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    shop.take(f"calendars: [{{name: NY, zone: America/New_York, hours: {{{week}}}}}]")
    due = add_working_time(hours(shop, "NY"), datetime(2007, 1, 1, 22, tzinfo=UTC), minutes=120)
    assert due == datetime(2007, 1, 2, 15, tzinfo=UTC)


def test_the_same_file_again_changes_nothing_and_what_is_exported_neither(shop):
    shop.take(FILE)
    before = shop.rows(select(AuditEvent.id))
    assert shop.take(FILE) == []
    exported = shop.export()
    assert exported["special_hours"] == [
        {"kind": "open", "from": "2026-12-25 10:00", "to": "2026-12-25 12:00"},
        {"kind": "closed", "from": "2026-12-31 14:00", "to": "2027-01-01 00:00", "name": "New Year's Eve"},
    ]
    assert exported["calendars"] == [
        {"name": "Never", "zone": "", "hours": {}, "special_hours": []},
        {
            "name": "New York", "zone": "America/New_York", "hours": {"mon": ["09:00-18:00"], "tue": ["09:00-18:00"]},
            "special_hours": [{"kind": "open", "from": "2026-12-06 09:00", "to": "2026-12-06 12:00", "name": "Fair"}],
        },
    ]  # fmt: skip
    assert shop.take({name: exported[name] for name in ("hours", "special_hours", "calendars", "queues")}) == []
    assert shop.rows(select(AuditEvent.id)) == before


def test_a_list_is_the_whole_truth_and_what_is_left_out_stays(shop):
    shop.take(FILE)
    changes = shop.take(
        "special_hours: []\ncalendars: [{name: new york, hours: {sun: 9-10}, special_hours: []}, {name: Never}]"
    )
    assert changes == [
        "special_hours: closed 2026-12-31 14:00 to 2027-01-01 00:00 New Year's Eve removed",
        "special_hours: open 2026-12-25 10:00 to 2026-12-25 12:00 removed",
        "calendars: New York has another name or zone",
        "calendars: new york: hours: changed",
        "calendars: new york: special_hours: open 2026-12-06 09:00 to 2026-12-06 12:00 Fair removed",
    ]
    assert hours(shop, "New York").zone.key == "America/New_York"
    with shop.database.read_session() as session:
        assert [head.name for head in list_calendars(session)] == ["Business hours", "Never", "new york"]
    assert shop.take("calendars: []") == []


def test_what_has_been_stays(shop):
    over = "{from: 2026-11-01 08:00, to: 2026-11-01 09:00}"
    running = "{from: 2026-11-21 08:00, to: 2026-11-21 20:00}"
    shop.take(f"special_hours: [{over}, {running}]")
    assert len(shop.take("special_hours: []")) == 1
    assert shop.take("special_hours: []") == []
    assert shop.rows(select(SpecialHoursRow.ends).order_by(SpecialHoursRow.id)) == [
        datetime(2026, 11, 1, 9),
        datetime(2026, 11, 21, 13),
    ]
    assert shop.export()["special_hours"] == []


def test_another_name_is_no_other_closure(shop):
    entry = "{from: 2026-11-21 08:00, to: 2026-11-21 20:00, name: %s}"
    shop.take(f"special_hours: [{entry % 'Move'}]")
    assert shop.take(f"special_hours: [{entry % 'Moving'}]") == [
        "special_hours: closed 2026-11-21 08:00 to 2026-11-21 20:00 Moving was called Move"
    ]
    assert len(shop.rows(select(SpecialHoursRow))) == 1


def test_the_sites_own_calendar_may_have_another_name(shop):
    assert shop.take("calendars: [{name: Office, site: true, hours: {mon: 8-12}}]")
    assert format_week(hours(shop, "Office").week) == {"mon": ["08:00-12:00"]}
    assert shop.export()["calendars"] == [{"name": "Office", "site": True}]
    assert shop.take("calendars: [{name: Office, site: true}]") == []


def test_a_number_is_a_name_like_any_other(shop):
    assert shop.take('calendars: [{name: "1", hours: {mon: 8-12}}]')[0] == "calendars: 1 added"
    assert hours(shop, "Business hours").week.is_closed


def test_faults_are_named_with_their_lines_and_nothing_is_changed(shop):
    text = """
hours: {mon: 8-12, tue: "9-17, 16-18"}
special_hours:
  - {from: 2026-12-31 14:00, to: 2026-12-31 14:00}
  - {kind: shut, from: 2026-12-31 14:00, to: 2026-12-31 15:00}
  - {from: 2026-12-30 14:00, to: 2026-12-30 15:00}
  - {from: 2026-12-30 14:00, to: 2026-12-30 15:00}
calendars:
  - {name: Moon, zone: Moon/Crater}
  - name: Tokyo
    hours:
      mon: nine
    special_hours:
      - {from: 2026-12-31 14:00, to: 3026-12-31 15:00}
  - {name: tokyo}
  - {name: Office, site: true, hours: {}}
queues: [{name: Phones, calendar: Mars}]
"""
    assert faults(shop, text) == [
        "Line 2: Tuesday 09:00-17:00 and Tuesday 16:00-18:00 overlap.",
        "Line 4: It ends before it starts. For a night, give the next day as its end.",
        "Line 5: “shut” is neither closed nor open.",
        "Line 7: This very entry stands here twice.",
        "Line 9: “Moon/Crater” is not a time zone. Use a name like Europe/Berlin.",
        "Line 11: Monday: “nine” is not a period. Write it like 08:00-12:00.",
        "Line 14: The year must lie between 2000 and 2199.",
        "Line 15: The calendar “tokyo” stands here twice.",
        "Line 16: The site's own calendar has its section “hours” already.",
        "Line 17: There is no calendar “Mars”.",
    ]
    with shop.database.read_session() as session:
        assert [head.name for head in list_calendars(session)] == ["Business hours"]


def test_each_section_is_applied_and_collected_by_itself(shop):
    with shop.database.unit_of_work() as uow:
        run = Run(uow, SiteFile({}), Change(None, NOW), context=None, environ={})
        apply_site_calendar(run, {"mon": ["8-12"]}, name="hours")
        apply_calendars(run, [{"name": "Nights", "site": False}])
    assert run.changes == ["hours: changed", "calendars: Nights added"] and not run.faults
    with shop.database.read_session() as session:
        collected = {name: collect_site_calendar(session, datetime(2026, 11, 21), name=name) for name in SITE_SECTIONS}
        assert collected == {"hours": {"mon": ["08:00-12:00"]}, "special_hours": []}
        assert [entry["name"] for entry in collect_calendars(session, now=NOW)] == ["Nights"]

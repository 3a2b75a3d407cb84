from datetime import date, timedelta

import pytest

from portal.core.calendars import holidays_in
from portal.core.site_file import SiteFileError
from portal.services.calendars import find_calendar, load_hours
from portal.services.site_file_holidays import (
    apply_feeds,
    apply_holidays,
    apply_rules,
    collect_feeds,
    collect_holidays,
    collect_rules,
)
from tests.services.site_file_world import SiteFileWorld

assert [apply_feeds, apply_holidays, apply_rules, collect_feeds, collect_holidays, collect_rules]  # reached by section
WHOLE = """
calendars: [{name: Warehouse}]
holidays:
  - {date: 2026-12-24, name: Inventory, closed: 13:00-24:00}
  - {date: 2026-12-26, name: Boxing Day, state: ignored}
  - {date: 2026-12-25, name: Christmas Day, calendar: Warehouse}
holiday_rules:
  - {name: Christmas Eve, day: 12-24, closed: 14:00-24:00, first_year: 2026}
  - {name: Thanksgiving, day: 4th Thursday of November, last_year: 2030}
  - {name: Easter Monday, day: easter +1, calendar: Warehouse}
holiday_feeds:
  - {name: Company, url: "webcal://days.example/x.ics"}
  - {name: State, url: "https://days.example/state.ics", calendar: Warehouse, enabled: false}
"""


@pytest.fixture
def world(database):
    return SiteFileWorld(database)


def days(world, year, calendar="Business hours"):
    with world.database.read_session() as session:
        hours = load_hours(session, find_calendar(session, calendar))
    return [f"{one.on:%m-%d} {one.name} {one.closed}" for one in holidays_in(hours, year)]


def faults(world, text) -> str:
    with pytest.raises(SiteFileError) as refused:
        world.take(text)
    return str(refused.value)


def test_holidays_rules_and_feeds_come_as_the_file_says_and_go_back_into_it(world):
    assert len(world.take(WHOLE)) == 9
    assert days(world, 2026) == [
        "11-26 Thanksgiving 00:00-24:00", "12-24 Inventory 13:00-24:00", "12-24 Christmas Eve 14:00-24:00",
    ]  # fmt: skip
    assert days(world, 2027, "Warehouse") == ["03-29 Easter Monday 00:00-24:00"]
    assert world.take(WHOLE) == []
    exported = world.export()
    assert exported["holidays"][0] == {"date": date(2026, 12, 24), "name": "Inventory", "closed": "13:00-24:00"}
    assert [entry["name"] for entry in exported["holiday_rules"]] == ["Christmas Eve", "Thanksgiving", "Easter Monday"]
    assert exported["holiday_rules"][1] == {"name": "Thanksgiving", "day": "4th thu nov", "last_year": 2030}
    assert exported["holiday_feeds"] == [
        {"name": "Company", "url": "https://days.example/x.ics"},
        {"name": "State", "url": "https://days.example/state.ics", "calendar": "Warehouse", "enabled": False},
    ]
    assert world.take(exported) == []


def test_what_the_file_changes_is_changed_and_what_it_leaves_out_goes(world):
    world.take(WHOLE)
    assert world.take(
        """
        holidays:
          - {date: 2026-12-24, name: Inventory}
          - {date: 2026-12-26, name: Boxing Day}
        holiday_rules: [{name: Christmas Eve, day: 12-23}]
        holiday_feeds: [{name: Our days, url: "https://days.example/x.ics", enabled: false}]
        """
    ) == [
        "holidays: 2026-12-24 Inventory accepted",
        "holidays: 2026-12-26 Boxing Day accepted",
        "holidays: 2026-12-25 Christmas Day removed",
        "holiday_rules: Christmas Eve changed",
        "holiday_rules: Thanksgiving removed",
        "holiday_rules: Easter Monday removed",
        "holiday_feeds: Our days changed",
        "holiday_feeds: State removed",
    ]
    assert days(world, 2027) == ["12-23 Christmas Eve 00:00-24:00"]


def test_rules_that_have_been_keep_what_they_closed(world):
    rules = "holiday_rules: [{name: Founding, day: 03-03}]"
    assert world.take(rules) == ["holiday_rules: Founding added"] and world.take(rules) == []
    assert world.take("holiday_rules: [{name: Founding, day: 03-05}]") == ["holiday_rules: Founding changed"]
    assert world.take("holiday_rules: [{name: Founding, day: 03-05}]") == []
    assert (days(world, 2026), days(world, 2027)) == (["03-03 Founding 00:00-24:00"], ["03-05 Founding 00:00-24:00"])
    assert world.take(world.export()) == []
    world.now += timedelta(days=400)
    assert world.take("holiday_rules: []") == ["holiday_rules: Founding removed"]
    assert world.take("holiday_rules: []") == []
    assert (days(world, 2026), days(world, 2028)) == (["03-03 Founding 00:00-24:00"], [])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("holidays: [{date: 2026-12-25, name: x, state: maybe}]", "Line 1: “maybe” is neither accepted nor ignored."),
        ("holidays:\n  - {date: 2026-12-25, name: x, closed: noon}", "Line 2: “noon” is not a period."),
        ("holidays: [{date: 2026-12-25, name: x, calendar: Moon}]", "There is no calendar “Moon”."),
        (
            "holidays: [{date: 2026-12-25, name: x}, {date: 2026-12-25, name: ' x', state: ignored}]",
            "x stands here twice.",
        ),
        ("holiday_rules: [{name: x, day: someday}]", "“someday” is not a day of the year."),
        ("holiday_rules: [{name: x, day: 12-24, first_year: 2027, last_year: 2026}]", "last year lies before"),
        ("holiday_rules: [{name: x, day: 12-24}, {name: x, day: 12-24}]", "stands in the calendar already"),
        ("holiday_feeds: [{name: x, url: nowhere}]", "no address of a calendar"),
        ("holiday_feeds: [{name: x, url: 'https://a.example'}, {name: y, url: 'webcal://a.example'}]", "twice"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(world, text, sentence):
    assert sentence in faults(world, text)

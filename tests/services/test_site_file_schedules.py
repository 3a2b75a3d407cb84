"""Schedules in the settings file."""

from datetime import datetime

import pytest
from sqlalchemy import select

from portal.core.site_file import SiteFile, SiteFileError
from portal.models import AuditEvent, HolidayPolicyRow, OverrideRow, Queue, ScheduleRow, ShiftRow
from portal.services.audit import Change
from portal.services.site_file_import import Run
from portal.services.site_file_schedules import apply_schedules, apply_shifts, set_queue_times
from tests.services.site_file_world import SiteFileWorld

WHOLE = """
schedules:
  - name: Emergencies
    site: true
    members: [bob@a.example, carol@a.example]
    rotations:
      - name: Weeks
        people: [alice@a.example, bob@a.example]
        starts: 2026-03-02 08:00
      - name: Nights
        people: [carol@a.example, dave@a.example]
        starts: 2026-11-01 18:00
        unit: day
        every: 2
        ends: 2026-12-31 08:00
        week: {mon: ["18:00-08:00"], sun: ["18:00-08:00"]}
        by_shift: true
        level: 1
    overrides:
      - {kind: replace, person: dave@a.example, instead_of: alice@a.example,
         starts: 2026-11-25 08:00, ends: 2026-11-26 08:00, note: dentist}
      - {kind: remove, person: dave@a.example, starts: 2026-11-25 12:00, ends: 2026-11-25 13:00}
    holidays:
      - {date: 2026-12-24, policy: nobody}
      - {date: 2026-12-25, policy: person, person: carol@a.example}
  - name: Sydney
    zone: Australia/Sydney
    shifts:
      - {person: bob@a.example, starts: 2026-04-04 20:00, ends: 2026-04-05 08:00, level: 2, note: night}
      - {person: carol@a.example, starts: 2026-12-01 20:00, ends: 2026-12-02 08:00}
queues:
  - {name: Servers, schedule: Sydney}
  - Phones
"""
SHIFT = {"person": "bob@a.example", "starts": "2026-11-21 08:00", "ends": "2026-11-22 08:00"}
DAY = {"person": "bob@a.example", "starts": "2026-12-01 08:00", "ends": "2026-12-02 08:00"}


@pytest.fixture
def site(database):
    return SiteFileWorld(database)


def test_a_file_makes_schedules_that_answer_also_for_the_past(site):
    done = site.take(WHOLE)
    assert [line.partition(": ")[2] for line in done] == [
        "On call is called Emergencies",
        "Emergencies has other members",
        "Emergencies: rotations: Weeks added",
        "Emergencies: rotations: Nights added",
        "Emergencies: overrides: replace dave@a.example 2026-11-25 08:00 to 2026-11-26 08:00 added",
        "Emergencies: overrides: remove dave@a.example 2026-11-25 12:00 to 2026-11-25 13:00 added",
        "Emergencies: holidays: 2026-12-24 nobody",
        "Emergencies: holidays: 2026-12-25 person",
        "Sydney added",
        "Sydney is on the clock of Australia/Sydney",
        "Sydney: shifts: bob@a.example 2026-04-04 20:00 to 2026-04-05 08:00 added",
        "Sydney: shifts: carol@a.example 2026-12-01 20:00 to 2026-12-02 08:00 added",
        "Servers has the schedule Sydney",
        "Phones added",
    ]
    asked = ["2026-03-01 12:00", "2026-03-02 08:00", "2026-03-29 02:30", "2026-11-25 09:00", "2026-11-25 12:30"]
    assert [site.who(wall, "Emergencies") for wall in asked] == ["", "Alice", "Bob", "Dave", ""]
    assert [site.who(f"2026-12-{day} 12:00", "Emergencies") for day in (24, 25)] == ["", "Carol"]
    assert [site.who(wall, "Sydney") for wall in ("2026-04-05 02:30", "2026-04-05 08:00")] == ["Bob", ""]
    (servers,) = site.rows(select(Queue).where(Queue.name == "Servers"))
    assert servers.schedule_id == 2
    assert len(site.rows(select(AuditEvent).where(AuditEvent.action == "rotation.add"))) == 2


def test_the_same_file_again_changes_nothing_and_so_does_what_was_exported(site):
    site.take(WHOLE)
    assert site.take(WHOLE) == [] == site.notes
    exported = site.export()
    assert site.take({key: exported[key] for key in ("schedules", "queues", "shifts")}) == []


def test_what_is_missing_is_ended_and_what_has_been_stays(site):
    site.take_schedule(
        shifts=[SHIFT, DAY], overrides=[{"kind": "add", **SHIFT, "person": "carol@a.example"}],
        holidays=[{"date": f"2026-11-{day}", "policy": "nobody"} for day in (20, 22)],
    )  # fmt: skip
    before = site.who("2026-11-21 12:00")
    done = site.take_schedule(shifts=[], overrides=[], holidays=[])
    assert [line.rpartition(" ")[2] for line in done] == ["removed"] * 4
    assert site.who("2026-11-21 12:00") == before == "Bob Carol" and site.who("2026-11-21 13:00") == ""
    assert [row.ends for row in site.rows(select(ShiftRow))] == [datetime(2026, 11, 21, 13)]
    assert [row.observed_on.day for row in site.rows(select(HolidayPolicyRow))] == [20]


def test_what_an_entry_leaves_out_stays(site):
    site.take(WHOLE)
    assert site.take({"schedules": [{"name": "emergencies ", "site": True}]}) == [
        "schedules: Emergencies is called emergencies"
    ]
    assert site.take("schedules: []\nqueues: [{name: Servers}]") == []
    assert site.take("queues: [{name: Servers, schedule: '', calendar: Business hours}]") == [
        "queues: Servers has the calendar Business hours",
        "queues: Servers has the schedule of the site",
    ]
    assert site.take("queues: [{name: Servers, calendar: ' business  HOURS'}]") == []


def test_shifts_of_one_schedule_are_not_those_of_another(site):
    site.take(WHOLE)
    site.take({"shifts": [DAY]})
    assert sorted(row.schedule_id for row in site.rows(select(ShiftRow))) == [1, 2, 2]
    assert site.take({"shifts": [{**DAY, "note": "day", "level": 0}]}) == [
        "shifts: bob@a.example 2026-12-01 08:00 to 2026-12-02 08:00 has another note"
    ]


def test_the_later_override_of_the_file_counts_wherever_it_was_added(site):
    first = {"kind": "add", **DAY}
    second = {"kind": "replace", **DAY, "person": "carol@a.example"}
    site.take_schedule(overrides=[first])
    site.take_schedule(overrides=[first, second])
    assert site.who("2026-12-01 12:00") == "Carol"
    assert site.take_schedule(overrides=[second, first])[-1].endswith("counts later")
    assert site.who("2026-12-01 12:00") == "Bob Carol"
    assert site.take_schedule(overrides=[second, first]) == []
    assert len(site.rows(select(OverrideRow))) == 2


def test_the_policy_of_a_day_that_is_over_stays(site):
    site.take_schedule(holidays=[{"date": "2026-11-20", "policy": "nobody"}])
    assert site.take_schedule(holidays=[{"date": "2026-11-20", "policy": "everyone"}]) == []
    assert site.notes == ["schedules: On call: holidays: 2026-11-20 is over and stays as it was."]
    site.take_schedule(holidays=[{"date": "2026-12-20", "policy": "nobody"}])
    assert site.take_schedule(holidays=[{"date": "2026-12-20", "policy": "everyone"}]) != []
    assert site.who("2026-12-20 12:00") == "Alice Bob Carol Dave"


def test_the_turns_of_a_disabled_person_fall_to_the_next_also_where_they_came_disabled(site):
    turns = {"people": ["erin@a.example", "bob@a.example"], "starts": "2026-03-02 08:00", "unit": "day"}
    erin = {"mail": "erin@a.example", "name": "Erin", "active": False}
    site.take({"people": [erin], "schedules": [{"name": "On call", "rotations": [turns]}]})
    assert {site.who(f"2026-03-{day:02} 12:00") for day in range(2, 12)} == {"Bob"}


def test_who_only_looks_on_by_now_stays_in_the_file_that_was_exported(site):
    site.take(WHOLE)
    exported = site.export()["schedules"]
    carol = {"mail": "carol@a.example", "name": "Carol", "role": "viewer"}
    site.take({"people": [carol]})
    assert site.take({"schedules": exported}) == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("schedules:\n- name: On call\n  zone: Mars/Base", 2, "Mars/Base is not a zone"),
        ("schedules:\n- name: ''", 2, "between 1 and 80"),
        ("schedules:\n- name: On call\n- {name: ON CALL}", 3, "stands here twice"),
        ("schedules:\n- name: Nights\n- {name: Nights, site: true}", 3, "Another schedule is called “Nights”"),
        ("schedules:\n- name: On call\n  calendar: Moon", 2, "There is no calendar “Moon”"),
        ("schedules:\n- name: On call\n  members:\n  - x@a.example", 2, "Nobody here has the address"),
        ("shifts: []\nschedules:\n- name: On call\n  shifts: []", 3, "in the section “shifts” already"),
        ("queues:\n- {name: Servers, schedule: Moon}", 2, "There is no schedule “Moon”"),
        ("queues:\n- {schedule: Moon}", 2, "“name” is missing"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said_with_its_line(site, text, line, words):
    with pytest.raises(SiteFileError, match=words) as refused:
        site.take(text)
    assert f"Line {line}: " in str(refused.value)
    assert [row.name for row in site.rows(select(ScheduleRow))] == ["On call"]


@pytest.mark.parametrize(
    ("part", "entry", "words"),
    [
        ("shifts", {**DAY, "person": "x@a.example"}, "Nobody here has the address"),
        ("shifts", {**DAY, "person": "vera@a.example"}, "only looks on"),
        ("shifts", {**DAY, "ends": "2026-12-01 07:00"}, "ends before it starts"),
        ("rotations", {"people": [], "starts": "2026-12-01 08:00"}, "Nobody takes turns"),
        ("rotations", {"people": ["x@a.example"], "starts": "2026-12-01 08:00"}, "Nobody here has the address"),
        ("rotations", {"people": ["bob@a.example"], "starts": "2026-12-01 08:00", "unit": "eon"}, "is not a unit"),
        ("rotations", {"people": ["bob@a.example"], "starts": "2026-12-01 08:00", "every": 0}, "between 1 and 366"),
        (
            "rotations",
            {"people": ["bob@a.example"], "starts": "2026-12-01 08:00", "ends": "2026-12-01 08:00"},
            "before",
        ),
        ("rotations", {"people": ["bob@a.example"], "starts": "2026-12-01 08:00", "week": {"mon": "8-8"}}, "no length"),
        ("rotations", {"people": ["bob@a.example"], "starts": "2026-12-01 08:00", "name": "x" * 81}, "80 characters"),
        ("overrides", {"kind": "shout", **DAY}, "is not a kind of override"),
        ("overrides", {"kind": "add", **DAY, "ends": "2026-12-01 08:00"}, "ends before it starts"),
        ("overrides", {"kind": "add", **DAY, "instead_of": "alice@a.example"}, "Only “replace”"),
        ("overrides", {"kind": "replace", **DAY, "instead_of": "x@a.example"}, "Nobody here has the address"),
        ("holidays", {"date": "2026-12-24", "policy": "sleep"}, "is not a policy"),
        ("holidays", {"date": "2026-12-24", "policy": "person"}, "A person stands with"),
        ("holidays", {"date": "2026-12-24", "policy": "nobody", "person": "bob@a.example"}, "and only there"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_its_own_line(site, part, entry, words):
    site.take({"people": [{"mail": "vera@a.example", "name": "Vera", "role": "viewer"}]})
    with pytest.raises(SiteFileError, match=words) as refused:
        site.take(f"schedules:\n- name: On call\n  {part}:\n  - {entry!r}".replace("'", '"'))
    assert "Line 4: " in str(refused.value)


@pytest.mark.parametrize(
    ("part", "entry"),
    [
        ("shifts", DAY),
        ("rotations", {"people": ["bob@a.example"], "starts": "2026-12-01 08:00"}),
        ("overrides", {"kind": "add", **DAY}),
        ("holidays", {"date": "2026-12-24", "policy": "nobody"}),
    ],
)
def test_what_stands_twice_in_a_list_is_refused(site, part, entry):
    with pytest.raises(SiteFileError, match="stands here twice"):
        site.take_schedule(**{part: [entry, entry]})


def test_the_services_of_the_sections_are_those_of_the_import(site):
    site.take({"queues": ["Servers"]})
    with site.database.unit_of_work() as uow:
        run = Run(uow, SiteFile({}), Change(None, site.now), context=site.shop, environ={})
        apply_shifts(run, [])
        apply_schedules(run, [{"name": "Nights", "site": False}])
        set_queue_times(run, {"name": "Servers", "schedule": "Nights"})
    assert run.changes == ["schedules: Nights added", "queues: Servers has the schedule Nights"]

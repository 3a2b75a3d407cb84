"""Rotations in the settings file that change while they run."""

from datetime import datetime

import pytest
from sqlalchemy import select

from portal.models import RotationRow, ScheduleRow
from portal.services.audit import Change
from portal.services.site_file_import import Run
from portal.services.site_file_plan import make_plan
from portal.services.site_file_rotations import apply_rotations
from tests.services.site_file_world import SiteFileWorld

ALICE, BOB, CAROL = (f"{name}@a.example" for name in ("alice", "bob", "carol"))
DAYS = {"name": "Days", "people": [ALICE, BOB], "starts": "2026-11-16 08:00", "unit": "day"}
NOON = datetime(2026, 11, 21, 13)  # in Berlin; a Saturday of Bob's


@pytest.fixture
def site(database):
    site = SiteFileWorld(database)
    site.take_schedule(rotations=[DAYS])
    return site


def facts(site):
    rows = site.rows(select(RotationRow).order_by(RotationRow.id))
    return [(row.series_id, len(row.people), row.since, row.ends) for row in rows]


def test_a_change_counts_from_now_on_and_is_no_change_the_second_time(site):
    changed = {**DAYS, "people": [ALICE, BOB, CAROL]}
    assert site.take_schedule(rotations=[changed]) == ["schedules: On call: rotations: Days changed"]
    assert facts(site) == [(None, 2, None, NOON), (1, 3, NOON, None)]
    assert site.changes_of_hands("2026-11-20 08:00", "2026-11-24 08:00") == [
        "11-20 08:00 Alice",
        "11-21 08:00 Bob",
        "11-21 13:00 Carol",
        "11-22 08:00 Alice",
        "11-23 08:00 Bob",
    ]
    assert site.take_schedule(rotations=[changed]) == []
    site.at("2026-12-24 12:00")
    assert site.take_schedule(rotations=[changed]) == []
    assert site.take_schedule(rotations=site.export()["schedules"][0]["rotations"]) == []


def test_what_has_not_begun_is_changed_where_it_stands(site):
    site.take_schedule(rotations=[{**DAYS, "people": [BOB]}])
    site.take_schedule(rotations=[{**DAYS, "people": [CAROL]}])
    assert facts(site) == [(None, 2, None, NOON), (1, 1, NOON, None)]
    later = {"name": "Later", "people": [BOB], "starts": "2026-12-01 08:00"}
    site.take_schedule(rotations=[later])
    site.take_schedule(rotations=[{**later, "starts": "2026-12-02 08:00", "every": 2}])
    assert [row.starts.day for row in site.rows(select(RotationRow).order_by(RotationRow.id))] == [16, 2]
    assert site.take_schedule(rotations=[]) == ["schedules: On call: rotations: Later removed"]
    assert facts(site) == [(None, 2, None, NOON)]


def test_a_rotation_that_is_missing_ends_now_and_what_has_been_stays(site):
    assert site.take_schedule(rotations=[]) == ["schedules: On call: rotations: Days removed"]
    assert (site.who("2026-11-21 12:59"), site.who("2026-11-21 13:00")) == ("Bob", "")
    assert site.take_schedule(rotations=[]) == []


def test_an_end_in_the_past_ends_it_now_and_never_rewrites(site):
    over = {**DAYS, "ends": "2026-11-19 08:00"}
    assert site.take_schedule(rotations=[over]) == ["schedules: On call: rotations: Days removed"]
    assert (site.who("2026-11-21 12:59"), site.who("2026-11-21 13:00")) == ("Bob", "")
    assert site.take_schedule(rotations=[over]) == []


def test_another_name_is_no_other_rotation(site):
    assert site.take_schedule(rotations=[{**DAYS, "name": "All days"}]) == [
        "schedules: On call: rotations: Days is called All days"
    ]
    assert site.take_schedule(rotations=[{key: DAYS[key] for key in ("people", "starts", "unit")}]) == [
        "schedules: On call: rotations: All days is called nothing"
    ]
    assert facts(site) == [(None, 2, None, None)]


def test_a_change_to_come_is_said_with_since_and_exported_with_it(site):
    until = {**DAYS, "ends": "2026-12-01 08:00"}
    after = {**DAYS, "name": "New days", "people": [CAROL], "since": "2026-12-01 08:00"}
    site.take_schedule(rotations=[until, after])
    assert (site.who("2026-12-01 07:59"), site.who("2026-12-01 08:00")) == ("Alice", "Carol")
    exported = site.export()["schedules"][0]["rotations"]
    assert exported == [until, after]
    assert site.take_schedule(rotations=exported) == []


def test_rotations_without_a_name_are_known_by_what_they_say(site):
    plain = {"people": [BOB], "starts": "2026-12-01 08:00"}
    with site.database.unit_of_work() as uow:
        run = Run(uow, None, Change(None, site.now), context=site.shop, environ={})
        plan = make_plan(run, uow.session.get_one(ScheduleRow, 1), "schedules: On call: rotations")
        apply_rotations(plan, [], lambda number: run.at("schedules"))
    assert run.changes == ["schedules: On call: rotations: Days removed"]
    assert site.take_schedule(rotations=[plain]) == ["schedules: On call: rotations: a rotation added"]
    assert site.take_schedule(rotations=[plain]) == []
    assert "name" not in site.export()["schedules"][0]["rotations"][0]

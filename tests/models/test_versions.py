from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, select, update

from portal.models import (
    Absence,
    BusinessPeriod,
    Calendar,
    HolidayRow,
    OverrideRow,
    ScheduleRow,
    ShiftRow,
    SpecialHoursRow,
    User,
)
from portal.models.versions import Versioned

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPAN = {"starts": datetime(2026, 11, 20), "ends": datetime(2026, 11, 21)}


@pytest.fixture
def shop(database):
    with database.unit_of_work() as uow:
        uow.session.add(Calendar(name="Other", changed_at=NOW))
        uow.session.add(ScheduleRow(name="Other", changed_at=NOW))
    return database


def versions(database) -> list[int]:
    """Of the site's calendar, the other, the site's schedule, the other."""
    with database.read_session() as session:
        return [
            *session.scalars(select(Calendar.version).order_by(Calendar.id)),
            *session.scalars(select(ScheduleRow.version).order_by(ScheduleRow.id)),
        ]


CALENDAR, OTHER_CALENDAR, SCHEDULE, OTHER_SCHEDULE = range(4)


@pytest.mark.parametrize(
    ("row", "raised"),
    [
        (lambda: BusinessPeriod(weekday=0, opens=0, closes=60), {CALENDAR}),
        (lambda: BusinessPeriod(calendar_id=2, weekday=0, opens=0, closes=60), {OTHER_CALENDAR}),
        (lambda: SpecialHoursRow(calendar_id=2, is_open=True, **SPAN), {OTHER_CALENDAR}),
        (lambda: HolidayRow(observed_on=date(2026, 12, 25), name="Christmas", state="accepted"), {CALENDAR}),
        (lambda: ShiftRow(user_id=1, **SPAN), {SCHEDULE}),
        (lambda: OverrideRow(schedule_id=2, kind="add", user_id=1, created_at=NOW, **SPAN), {OTHER_SCHEDULE}),
        (lambda: Absence(user_id=1, starts_at=NOW), {SCHEDULE, OTHER_SCHEDULE}),
        (
            lambda: User(email="x@a.example", name="X", role="technician", created_at=NOW),
            {SCHEDULE, OTHER_SCHEDULE},
        ),
    ],
)
def test_a_new_row_raises_the_version_of_what_it_belongs_to_and_no_other(shop, row, raised):
    before = versions(shop)
    with shop.unit_of_work() as uow:
        uow.session.add(row())
    assert {number for number, version in enumerate(versions(shop)) if version > before[number]} == raised


@pytest.mark.parametrize(
    ("act", "raised"),
    [
        (lambda session: setattr(session.get(ShiftRow, 1), "ends", datetime(2026, 11, 22)), {SCHEDULE}),
        (lambda session: setattr(session.get(ShiftRow, 1), "schedule_id", 2), {SCHEDULE, OTHER_SCHEDULE}),
        (lambda session: session.delete(session.get(ShiftRow, 1)), {SCHEDULE}),
        (lambda session: session.execute(delete(ShiftRow)), {SCHEDULE, OTHER_SCHEDULE}),
        (lambda session: session.execute(update(HolidayRow).values(name="x")), {CALENDAR, OTHER_CALENDAR}),
        (lambda session: setattr(session.get(ScheduleRow, 2), "members", [1]), {OTHER_SCHEDULE}),
        (lambda session: setattr(session.get(Calendar, 1), "zone", "Europe/Berlin"), {CALENDAR}),
        (lambda session: setattr(session.get(User, 1), "is_active", False), {SCHEDULE, OTHER_SCHEDULE}),
        (lambda session: setattr(session.get(User, 1), "name", "Alicia"), {SCHEDULE, OTHER_SCHEDULE}),
        (lambda session: setattr(session.get(ShiftRow, 1), "ends", SPAN["ends"]), set()),
    ],
)
def test_every_kind_of_change_raises_the_version(shop, act, raised):
    with shop.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=1, **SPAN))
    before = versions(shop)
    with shop.unit_of_work() as uow:
        act(uow.session)
    assert {number for number, version in enumerate(versions(shop)) if version > before[number]} == raised


def test_a_value_is_kept_for_its_version_and_never_by_a_transaction_that_changed_something(shop):
    kept, loads = Versioned(), []

    def get(session, version):
        return kept.get(session, 1, version, lambda: loads.append(version) or len(loads))

    with shop.read_session() as session:
        assert [get(session, 1), get(session, 1), get(session, 2)] == [1, 1, 2]
    with shop.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=1, **SPAN))
        uow.session.flush()
        assert [get(uow.session, 2), get(uow.session, 2)] == [3, 4]
    with shop.read_session() as session:
        assert get(session, 2) == 2


@pytest.mark.parametrize(
    "change", [lambda uow, row: uow.session.delete(row), lambda uow, row: setattr(row, "level", 1)]
)
def test_an_expired_row_raises_the_version_of_its_own_schedule(shop, change):
    with shop.unit_of_work() as uow:
        row = ShiftRow(schedule_id=2, user_id=1, **SPAN)
        uow.session.add(row)
    before = versions(shop)
    with shop.unit_of_work() as uow:
        row = uow.session.get_one(ShiftRow, row.id)
        uow.session.expire(row)
        change(uow, row)
    raised = {place for place, (old, new) in enumerate(zip(before, versions(shop), strict=True)) if old != new}
    assert raised == {OTHER_SCHEDULE}


def test_people_changed_by_one_statement_raise_every_schedule(shop):
    before = versions(shop)
    with shop.unit_of_work() as uow:
        uow.session.execute(update(User).values(name="Everybody"))
    assert versions(shop)[SCHEDULE:] != before[SCHEDULE:]


@pytest.mark.parametrize("model", [Calendar, ScheduleRow])
def test_what_was_removed_is_never_taken_for_what_came_after_it(shop, model):
    with shop.unit_of_work() as uow:
        gone = model(name="Gone", changed_at=NOW)
        uow.session.add(gone)
    with shop.unit_of_work() as uow:
        uow.session.delete(uow.session.get_one(model, gone.id))
    with shop.unit_of_work() as uow:
        new = model(name="New", changed_at=NOW)
        uow.session.add(new)
    assert new.id > gone.id

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.rotations import Rotation, Unit
from portal.models import AuditEvent, RotationRow, User
from portal.services.audit import Change
from portal.services.rotations import (
    PreviewOutdatedError,
    RotationDraft,
    add_rotation,
    edit_rotation,
    end_rotation,
    find_rotation,
    list_rotations,
    plan_end,
    plan_rotation,
    remove_rotation,
)
from portal.services.schedules import on_call_at
from tests.services.ticket_world import ALICE, BOB

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
LATER = datetime(2026, 12, 9, 12, tzinfo=UTC)  # a Wednesday, three weeks on
CAROL, MALLORY = 3, 4
MONDAY = datetime(2026, 11, 23, 9)
WEEKLY = RotationDraft("Nights", Rotation(0, (ALICE, BOB, CAROL), MONDAY))


@pytest.fixture
def shop(database):
    with database.unit_of_work() as uow:
        for user_id, name, role in ((CAROL, "Carol", "technician"), (MALLORY, "Mallory", "viewer")):
            email = f"{name.lower()}@a.example"
            uow.session.add(User(id=user_id, email=email, name=name, role=role, created_at=NOW))
    return database


def plan(database, draft=WEEKLY, *, at=NOW, series_id=None):
    with database.read_session() as session:
        return plan_rotation(session, 1, draft, at=at, series_id=series_id)


def add(database, draft=WEEKLY, *, at=NOW) -> int:
    seen = plan(database, draft, at=at).seen
    with database.unit_of_work() as uow:
        return add_rotation(uow, 1, draft, seen=seen, change=Change(None, at))


def edit(database, series_id, draft, *, at=LATER) -> None:
    seen = plan(database, draft, at=at, series_id=series_id).seen
    with database.unit_of_work() as uow:
        edit_rotation(uow, series_id, draft, seen=seen, change=Change(None, at))


def end(database, series_id, ends, *, at=LATER) -> None:
    with database.read_session() as session:
        seen = plan_end(session, series_id, ends, at=at).seen
    with database.unit_of_work() as uow:
        end_rotation(uow, series_id, ends, seen=seen, change=Change(None, at))


def persons(database, *days: tuple[int, int]) -> list[list[int]]:
    with database.read_session() as session:
        found = [on_call_at(session, datetime(2026, *day, 12, tzinfo=UTC)) for day in days]
    return [[duty.person_id for duty in duties] for duties in found]


def test_the_preview_is_the_roster_that_rings_after_saving(shop):
    before = plan(shop)
    assert before.before == ()
    assert [(one.person_id, one.is_on) for one in before.changes][:3] == [(ALICE, True), (BOB, True), (CAROL, True)]
    series_id = add(shop)
    assert persons(shop, (11, 22), (11, 24), (12, 1), (12, 8)) == [[], [ALICE], [BOB], [CAROL]]
    assert [one.person_id for one in plan(shop, series_id=series_id).before] == [one.person_id for one in before.after]


def test_a_rotation_that_began_on_a_day_that_has_been_counts_from_now_on(shop):
    add(shop, replace(WEEKLY, rotation=replace(WEEKLY.rotation, starts=datetime(2026, 11, 9, 9))))
    assert persons(shop, (11, 17), (11, 18), (11, 24)) == [[], [BOB], [CAROL]]


def test_a_change_at_the_next_hand_off_leaves_all_before_it(shop):
    series_id = add(shop)
    # Carol has the week from 7 December; from the 14th it is Bob, then Alice.
    changed = RotationDraft("Nights", Rotation(0, (BOB, ALICE), datetime(2026, 12, 14, 9)))
    edit(shop, series_id, changed)
    assert persons(shop, (11, 24), (12, 8), (12, 13), (12, 15), (12, 22)) == [[ALICE], [CAROL], [CAROL], [BOB], [ALICE]]
    with shop.read_session() as session:
        (series,) = list_rotations(session, 1)
        assert (series.id, len(series.rows), series.latest.people) == (series_id, 2, (BOB, ALICE))
        assert session.scalars(select(RotationRow.series_id).order_by(RotationRow.id)).all() == [None, series_id]


def test_a_change_at_once_keeps_the_weekday_of_the_hand_offs(shop):
    series_id = add(shop)
    edit(shop, series_id, RotationDraft("Nights", Rotation(0, (BOB, ALICE), datetime(2026, 12, 14, 9)), is_now=True))
    # At 12:00 on the 9th Alice, the last in the order, comes in for Carol; Bob follows on Monday.
    assert persons(shop, (12, 8), (12, 10), (12, 15)) == [[CAROL], [ALICE], [BOB]]


def test_a_second_change_before_the_first_counts_takes_its_place(shop):
    series_id = add(shop)
    for people in ((BOB, ALICE), (ALICE, BOB)):
        edit(shop, series_id, RotationDraft("Nights", Rotation(0, people, datetime(2026, 12, 14, 9))))
    assert persons(shop, (12, 13), (12, 15)) == [[CAROL], [ALICE]]
    with shop.read_session() as session:
        assert len(find_rotation(session, series_id).rows) == 2


def test_two_turns_in_a_row_are_told_before_they_are_saved(shop):
    series_id = add(shop)
    twice = RotationDraft("Nights", Rotation(0, (CAROL, ALICE), datetime(2026, 12, 14, 9)))
    assert plan(shop, twice, at=LATER, series_id=series_id).warnings == (
        "Bob takes no turns here any more.",
        "Carol would be on call for more than one turn in a row.",
    )


def test_a_disabled_person_is_told_and_may_stay_but_not_come_in(shop):
    series_id = add(shop)
    with shop.unit_of_work() as uow:
        uow.session.get(User, BOB).is_active = False
    assert plan(shop, at=NOW, series_id=series_id).warnings == (
        "Bob is disabled: these turns fall to the next in order.",
    )
    with pytest.raises(DomainError, match="cannot be on call"):
        plan(shop)


def test_only_what_was_previewed_is_saved(shop):
    seen = plan(shop).seen
    other = replace(WEEKLY, rotation=replace(WEEKLY.rotation, unit=Unit.DAY))
    with pytest.raises(PreviewOutdatedError), shop.unit_of_work() as uow:
        add_rotation(uow, 1, other, seen=seen, change=Change(None, NOW))
    add(shop, replace(WEEKLY, name="Other"))
    with pytest.raises(PreviewOutdatedError, match="somebody else changed"), shop.unit_of_work() as uow:
        add_rotation(uow, 1, WEEKLY, seen=seen, change=Change(None, NOW))


def test_a_rotation_ends_as_previewed_and_its_past_stays(shop):
    series_id = add(shop)
    end(shop, series_id, datetime(2026, 12, 10))
    assert persons(shop, (11, 24), (12, 9), (12, 10)) == [[ALICE], [CAROL], []]
    with shop.read_session() as session:
        series = find_rotation(session, series_id)
        assert series.is_over(datetime(2026, 12, 10))
        assert not series.is_over(datetime(2026, 12, 9))
        with pytest.raises(DomainError, match="ends before that already"):
            plan_end(session, series_id, datetime(2026, 12, 11), at=LATER)
        with pytest.raises(DomainError, match="This time has been"):
            plan_end(session, series_id, datetime(2026, 12, 1), at=LATER)


def test_only_a_rotation_that_has_not_begun_is_removed(shop):
    series_id = add(shop)
    with pytest.raises(DomainError, match="has begun"), shop.unit_of_work() as uow:
        remove_rotation(uow, series_id, change=Change(None, LATER))
    with shop.unit_of_work() as uow:
        remove_rotation(uow, series_id, change=Change(None, NOW))
    with shop.read_session() as session:
        assert find_rotation(session, series_id) is None
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
        assert actions == ["rotation.add", "rotation.remove"]
    with pytest.raises(DomainError, match="This rotation is gone"), shop.unit_of_work() as uow:
        remove_rotation(uow, series_id, change=Change(None, NOW))


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (replace(WEEKLY, name=" "), "Give the rotation a name"),
        (replace(WEEKLY, rotation=replace(WEEKLY.rotation, people=(MALLORY,))), "cannot be on call"),
        (replace(WEEKLY, rotation=replace(WEEKLY.rotation, level=101)), "A level"),
        (
            replace(
                WEEKLY,
                rotation=replace(WEEKLY.rotation, starts=datetime(2026, 1, 5), ends=datetime(2026, 11, 1)),
            ),
            "ends before anybody has a turn",
        ),
    ],
)
def test_a_rotation_that_makes_no_sense_is_refused(shop, draft, sentence):
    with pytest.raises(DomainError, match=sentence):
        plan(shop, draft)

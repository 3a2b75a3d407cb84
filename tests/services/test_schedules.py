from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete

from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.shifts import Shift
from portal.models import (
    Absence,
    HolidayPolicyRow,
    OverrideRow,
    RotationRow,
    ScheduleRow,
    ShiftRow,
)
from portal.models.versions import load_site_state
from portal.services.schedules import (
    Member,
    check_person,
    find_schedule,
    list_members,
    list_schedules,
    load_head,
    load_roster,
    load_schedule,
    on_call_at,
    people_on_call_at,
    read_override,
    read_rotation,
    read_shift,
)
from portal.services.shifts import add_shift
from tests.services.roster_world import CAROL, CHANGE, MALLORY, NOW, add_shop, disable, night, persons, read, write
from tests.services.ticket_world import ALICE, BOB, counted_statements


@pytest.fixture
def shop(database):
    return add_shop(database)


def test_who_is_on_call_follows_the_wall_clock_of_the_site(shop):
    write(shop, add_shift, night(BOB, 23))
    assert persons(shop, 2026, 11, 23, 16, 59) == []
    assert persons(shop, 2026, 11, 23, 17) == [BOB]
    assert persons(shop, 2026, 11, 24, 6, 59) == [BOB]
    assert persons(shop, 2026, 11, 24, 7) == []


def test_the_same_answer_comes_with_names(shop):
    write(shop, add_shift, night(BOB, 23))
    ((duty, name),) = read(shop, people_on_call_at, datetime(2026, 11, 23, 22, tzinfo=UTC))
    assert (duty.person_id, name) == (BOB, "Bob")


def test_a_shift_of_many_weeks_counts_in_its_middle(shop):
    write(shop, add_shift, Shift(0, BOB, datetime(2026, 1, 1), datetime(2026, 12, 31)))
    assert persons(shop, 2026, 7, 1) == [BOB]


def test_a_disabled_person_is_not_on_call(shop):
    write(shop, add_shift, night(BOB, 23))
    write(shop, add_shift, night(CAROL, 23))
    disable(shop, BOB)
    assert persons(shop, 2026, 11, 23, 22) == [CAROL]


def test_members_are_those_who_can_be_on_call_with_the_state_of_their_phone(shop):
    assert read(shop, list_members) == [
        Member(ALICE, "Alice", is_active=True, has_phone=False),
        Member(BOB, "Bob", is_active=True, has_phone=True),
        Member(CAROL, "Carol", is_active=True, has_phone=False),
    ]


@pytest.mark.parametrize("kind", ["shift", "turn", "override"])
def test_a_disabled_person_is_listed_only_while_something_stands_in_their_name(shop, kind):
    times = {"starts": datetime(2026, 11, 2), "ends": datetime(2026, 11, 3)}
    row = {
        "shift": ShiftRow(user_id=BOB, **times),
        "turn": RotationRow(people=[ALICE, BOB], unit="week", **times),
        "override": OverrideRow(user_id=BOB, kind="add", created_at=NOW, **times),
    }[kind]
    with shop.unit_of_work() as uow:
        uow.session.add(row)
    for user_id in (BOB, CAROL):
        disable(shop, user_id)
    assert [(member.name, member.is_active) for member in read(shop, list_members)] == [("Alice", True), ("Bob", False)]


def test_rotations_overrides_holidays_and_absences_all_count(shop):
    with shop.unit_of_work() as uow:
        uow.session.add_all(
            [
                RotationRow(people=[ALICE, BOB], starts=datetime(2026, 11, 2), unit="day"),
                OverrideRow(
                    kind="replace", user_id=CAROL, instead_of_id=BOB, created_at=NOW,
                    starts=datetime(2026, 11, 3, 12), ends=datetime(2026, 11, 4),
                ),
                HolidayPolicyRow(observed_on=date(2026, 11, 5), policy="everyone"),
                Absence(user_id=ALICE, starts_at=datetime(2026, 11, 6, 12, tzinfo=UTC)),
            ]
        )  # fmt: skip
    assert persons(shop, 2026, 11, 2, 12) == [ALICE]
    assert [persons(shop, 2026, 11, 3, hour) for hour in (10, 11)] == [[BOB], [CAROL]]
    assert sorted(persons(shop, 2026, 11, 5, 12)) == [ALICE, BOB, CAROL]
    assert [persons(shop, 2026, 11, 6, hour) for hour in (11, 12)] == [[ALICE], [BOB]]


def test_a_change_is_seen_at_once_and_what_was_rolled_back_never(shop):
    write(shop, add_shift, night(BOB, 23))
    assert persons(shop, 2026, 11, 23, 22) == [BOB]
    with suppress(ZeroDivisionError), shop.unit_of_work() as uow:
        add_shift(uow, night(CAROL, 23), change=CHANGE)
        assert len(on_call_at(uow.session, datetime(2026, 11, 23, 22, tzinfo=UTC))) == 2
        raise ZeroDivisionError
    assert persons(shop, 2026, 11, 23, 22) == [BOB]
    write(shop, add_shift, night(ALICE, 23))
    assert persons(shop, 2026, 11, 23, 22) == [BOB, ALICE]
    with shop.unit_of_work() as uow:
        uow.session.execute(delete(ShiftRow))
    assert persons(shop, 2026, 11, 23, 22) == []


def test_what_is_not_written_yet_counts_in_its_transaction_and_is_kept_by_nobody(shop):
    with suppress(ZeroDivisionError), shop.unit_of_work() as uow:
        load_site_state(uow.session)
        shift = night(CAROL, 23)
        uow.session.add(ShiftRow(user_id=CAROL, starts=shift.starts, ends=shift.ends))
        assert len(on_call_at(uow.session, datetime(2026, 11, 23, 22, tzinfo=UTC))) == 1
        raise ZeroDivisionError
    assert persons(shop, 2026, 11, 23, 22) == []


def test_asking_again_takes_one_statement_until_something_changes(shop):
    write(shop, add_shift, night(BOB, 23))
    persons(shop, 2026, 11, 23, 22)
    with shop.read_session() as session, counted_statements(session) as seen:
        assert on_call_at(session, datetime(2026, 11, 23, 22, tzinfo=UTC))
    assert len(seen) == 1


def test_a_roster_asked_for_again_is_the_one_that_stands_now(shop):
    span = Interval(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    write(shop, add_shift, night(BOB, 23))
    first = read(shop, load_roster, span)
    assert [duty.person_id for duty in first] == [BOB]
    assert read(shop, load_roster, span) is first
    assert read(shop, load_roster, Interval(span.starts_at, first[0].starts_at)) == ()
    write(shop, add_shift, night(CAROL, 24))
    assert [duty.person_id for duty in read(shop, load_roster, span)] == [BOB, CAROL]


def test_several_schedules_answer_each_for_itself_in_their_own_zone(shop):
    with shop.unit_of_work() as uow:
        uow.session.add(ScheduleRow(name="Network", zone="America/New_York", changed_at=NOW))
        uow.session.flush()
        network = find_schedule(uow.session, " NETWORK ")
        add_shift(uow, night(BOB, 23), change=CHANGE, schedule_id=network)
    assert persons(shop, 2026, 11, 23, 23) == []
    (duty,) = read(shop, on_call_at, datetime(2026, 11, 23, 23, tzinfo=UTC), schedule_id=network)
    assert (duty.person_id, duty.starts_at.hour) == (BOB, 23)
    assert [(one.id, one.name) for one in read(shop, list_schedules)] == [(1, "On call"), (network, "Network")]
    assert read(shop, find_schedule, "nothing") is None


def test_a_schedule_that_is_gone_says_so(shop):
    with pytest.raises(DomainError, match="is gone"):
        read(shop, load_head, 9)
    with pytest.raises(DomainError, match="This schedule is gone"):
        read(shop, load_schedule, 99)


def test_rows_become_core_values():
    times = {"starts": datetime(2026, 11, 2), "ends": datetime(2026, 11, 3)}
    assert read_shift(ShiftRow(id=1, user_id=BOB, note="", level=2, **times)).level == 2
    week = {"mon": ["18:00-08:00"]}
    rotation = RotationRow(id=1, people=[BOB], unit="week", every=2, week=week, by_shift=True, level=0, **times)
    assert read_rotation(rotation).week.days[0][0].end == 1440 + 480
    assert read_override(OverrideRow(id=1, kind="add", user_id=BOB, **times)).kind == "add"


def test_only_people_who_can_be_woken_are_put_on_call(shop):
    assert read(shop, check_person, BOB) == "Bob"
    with pytest.raises(DomainError, match="cannot be on call"):
        read(shop, check_person, MALLORY)

"""Exceptions from the roster: seen before they are saved, taken back without touching what has been."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.core.calendars import parse_week
from portal.core.errors import DomainError
from portal.core.roster import Override, OverrideKind
from portal.core.shifts import Shift
from portal.models import AuditEvent, OverrideRow, SettingRow, User
from portal.services.audit import Change, record_change
from portal.services.calendars import save_week
from portal.services.overrides import (
    RosterMovedError,
    add_override,
    find_override,
    last_change,
    list_overrides,
    preview_override,
    preview_removal,
    remove_override,
    undo_change,
    write_override,
)
from portal.services.schedules import on_call_at
from portal.services.shifts import add_shift
from tests.services.ticket_world import ALICE, BOB

NOW = datetime(2026, 11, 20, 11, 0, 40, tzinfo=UTC)  # Friday 12:00 on the wall
CAROL, MALLORY = 3, 4


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute)


@pytest.fixture
def shop(database):
    """Bob has every night of November from the 20th on, 18:00 to 08:00 in Berlin, and the shop is always closed."""
    with database.unit_of_work() as uow:
        for user_id, name, role in ((CAROL, "Carol", "technician"), (MALLORY, "Mallory", "viewer")):
            email = f"{name.lower()}@a.example"
            uow.session.add(User(id=user_id, email=email, name=name, role=role, created_at=NOW))
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
        uow.session.flush()
        for day in (20, 21, 22):
            add_shift(uow, Shift(0, BOB, wall(day, 18), wall(day + 1, 8)), change=Change(None, NOW))
    return database


STANDS_IN = Override(0, OverrideKind.REPLACE, wall(21, 18), wall(22, 8), CAROL, BOB)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


def add(database, override, *, now=NOW, seen=None, note="", by=ALICE):
    seen = seen if seen is not None else read(database, preview_override, override, now=now).seen
    with database.unit_of_work() as uow:
        return add_override(uow, override, seen=seen, change=Change(by, now), note=note)


def remove(database, override_id, *, now=NOW, seen=None):
    seen = seen if seen is not None else read(database, preview_removal, override_id, now=now).seen
    with database.unit_of_work() as uow:
        remove_override(uow, override_id, seen=seen, change=Change(ALICE, now))


def undo(database, event_id, *, now=NOW):
    with database.unit_of_work() as uow:
        undo_change(uow, event_id, change=Change(ALICE, now))


def on_call(database, day, hour):
    return [duty.person_id for duty in read(database, on_call_at, datetime(2026, 11, day, hour - 1, tzinfo=UTC))]


def stored(database):
    with database.read_session() as session:
        rows = session.scalars(select(OverrideRow).order_by(OverrideRow.id))
        return [(row.id, row.user_id, f"{row.starts:%d %H:%M}", f"{row.ends:%d %H:%M}") for row in rows]


# Adding


@pytest.mark.parametrize(
    ("override", "people"),
    [
        (STANDS_IN, [CAROL]),
        (replace(STANDS_IN, instead_of=None), [CAROL]),
        (replace(STANDS_IN, instead_of=ALICE), [BOB]),
        (replace(STANDS_IN, kind=OverrideKind.ADD, instead_of=None), [BOB, CAROL]),
        (replace(STANDS_IN, kind=OverrideKind.REMOVE, person_id=BOB, instead_of=None), []),
    ],
)
def test_what_the_preview_shows_is_what_is_on_call_after_saving(shop, override, people):
    shown = read(shop, preview_override, override, now=NOW).roster
    night = next(one for one in shown.stretches if one.held.starts_at == datetime(2026, 11, 21, 17, tzinfo=UTC))
    assert (night.before, night.after) == ((BOB,), tuple(people))
    assert bool(shown.gaps) == (not people)
    assert on_call(shop, 21, 22) == [BOB]
    add(shop, override, note="Concert")
    assert sorted(on_call(shop, 21, 22)) == people
    (coming,), over = read(shop, list_overrides, now=NOW)
    assert (coming.override.kind, coming.note, coming.made_by, over) == (override.kind, "Concert", "Alice", [])


def test_a_gap_counts_only_while_the_shop_is_closed(shop):
    takes_out = Override(0, OverrideKind.REMOVE, wall(20, 12), wall(21, 12), BOB)
    with shop.unit_of_work() as uow:
        save_week(uow, parse_week({"fri": "08:00-20:00"}), change=Change(None, NOW))
    (gap,) = read(shop, preview_override, takes_out, now=NOW).roster.gaps
    assert (gap.starts_at.hour, gap.ends_at.hour) == (19, 7)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"person_id": MALLORY}, "cannot be on call"),
        ({"person_id": 99}, "cannot be on call"),
        ({"instead_of": 99}, "person to be replaced is not known"),
        ({"instead_of": CAROL}, "two different people"),
        ({"starts": wall(19, 18), "ends": wall(20, 12)}, "This time is over"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(shop, changes, reason):
    override = replace(STANDS_IN, **changes)
    for act in (lambda: read(shop, preview_override, override, now=NOW), lambda: add(shop, override, seen="")):
        with pytest.raises(DomainError, match=reason):
            act()
    assert stored(shop) == []


def test_one_that_begins_in_the_past_begins_now(shop):
    override = Override(0, OverrideKind.ADD, wall(20, 9), wall(20, 14), CAROL)
    shown = read(shop, preview_override, override, now=NOW)
    assert (shown.begins_now, shown.override.starts) == (True, wall(20, 12))
    add(shop, shown.override, seen=shown.seen, now=NOW + timedelta(minutes=3))  # it was read for three minutes
    assert stored(shop) == [(1, CAROL, "20 12:03", "20 14:00")]


def test_the_later_of_two_people_is_told_and_sees_the_new_roster(shop):
    seen = read(shop, preview_override, STANDS_IN, now=NOW).seen
    add(shop, replace(STANDS_IN, person_id=ALICE))
    with pytest.raises(RosterMovedError, match="roster has changed since you looked"):
        add(shop, STANDS_IN, seen=seen)
    assert [row[1] for row in stored(shop)] == [ALICE]


def test_a_change_elsewhere_is_no_reason_to_ask_again(shop):
    seen = read(shop, preview_override, STANDS_IN, now=NOW).seen
    add(shop, replace(STANDS_IN, starts=wall(27, 18), ends=wall(28, 8)))
    add(shop, STANDS_IN, seen=seen)
    assert len(stored(shop)) == 2


@pytest.mark.parametrize("seen", ["", "made.up"])
def test_nothing_is_saved_that_was_not_shown(shop, seen):
    with pytest.raises(RosterMovedError, match="what the roster would be"):
        add(shop, STANDS_IN, seen=seen)
    other = read(shop, preview_override, replace(STANDS_IN, person_id=ALICE), now=NOW).seen
    with pytest.raises(RosterMovedError, match="what the roster would be"):
        add(shop, STANDS_IN, seen=other)


def test_of_overrides_that_overlap_the_later_made_wins_and_the_preview_names_the_others(shop):
    first = add(shop, STANDS_IN)
    everybody = Override(0, OverrideKind.REPLACE, wall(21, 20), wall(21, 23), ALICE)
    shown = read(shop, preview_override, everybody, now=NOW)
    assert [one.override.id for one in shown.overlapping] == [first]
    add(shop, everybody)
    assert (on_call(shop, 21, 19), on_call(shop, 21, 22), on_call(shop, 21, 23)) == ([CAROL], [ALICE], [CAROL])


def test_the_very_same_override_is_not_added_twice(shop):
    add(shop, STANDS_IN)
    with pytest.raises(DomainError, match="stands already"):
        add(shop, STANDS_IN)


# Taking back


def test_one_that_is_to_come_is_taken_back_whole(shop):
    override_id = add(shop, STANDS_IN)
    shown = read(shop, preview_removal, override_id, now=NOW)
    assert [one.after for one in shown.roster.stretches if one.before == (CAROL,)] == [(BOB,)]
    remove(shop, override_id)
    assert stored(shop) == []
    assert read(shop, find_override, override_id) is None


def test_one_that_has_begun_is_cut_now_and_what_has_been_stays(shop):
    override_id = add(shop, STANDS_IN)
    middle = datetime(2026, 11, 21, 20, 30, 30, tzinfo=UTC)
    seen = read(shop, preview_removal, override_id, now=middle - timedelta(minutes=5)).seen
    remove(shop, override_id, now=middle, seen=seen)
    assert stored(shop) == [(override_id, CAROL, "21 18:00", "21 21:30")]
    assert (on_call(shop, 21, 20), on_call(shop, 21, 22)) == ([CAROL], [BOB])
    later = middle + timedelta(hours=1)
    with pytest.raises(DomainError, match="This time is over"):
        read(shop, preview_removal, override_id, now=later)
    coming, (over,) = read(shop, list_overrides, now=later)
    assert (coming, over.override.id) == ([], override_id)


def test_of_one_that_was_made_without_an_end_in_sight_a_year_is_shown(shop):
    with shop.unit_of_work() as uow:
        long = replace(STANDS_IN, ends=datetime(2199, 1, 1))
        override_id = write_override(uow, long, change=Change(ALICE, NOW), schedule_id=1)
    shown = read(shop, preview_removal, override_id, now=NOW).roster
    assert shown.stretches[-1].held.ends_at == datetime(2027, 11, 22, 23, tzinfo=UTC)
    remove(shop, override_id)
    assert stored(shop) == []


def test_taking_back_is_refused_when_it_is_gone_or_the_roster_is_another(shop):
    with pytest.raises(DomainError, match="This exception is gone"):
        remove(shop, 99, seen="")
    override_id = add(shop, STANDS_IN)
    seen = read(shop, preview_removal, override_id, now=NOW).seen
    add(shop, replace(STANDS_IN, person_id=ALICE, instead_of=None))
    with pytest.raises(RosterMovedError, match="has changed since you looked"):
        remove(shop, override_id, seen=seen)


# Undo


def test_the_last_change_can_be_undone_and_done_again(shop):
    override_id = add(shop, STANDS_IN, note="Concert")
    for expected in ([], [override_id], [], [override_id]):
        last = read(shop, last_change, now=NOW)
        assert (last.is_added, last.what, last.who) == (not expected, "Carol", "Alice")
        undo(shop, last.event_id)
        assert [row[0] for row in stored(shop)] == expected
    assert read(shop, find_override, override_id).note == "Concert"


def test_what_is_put_back_wins_over_no_more_than_before(shop):
    first = add(shop, STANDS_IN)
    add(shop, replace(STANDS_IN, person_id=ALICE, instead_of=None))
    remove(shop, first)
    undo(shop, read(shop, last_change, now=NOW).event_id)
    assert on_call(shop, 21, 22) == [ALICE]


def test_of_one_that_was_cut_the_rest_comes_back(shop):
    override_id = add(shop, STANDS_IN)
    middle = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
    remove(shop, override_id, now=middle)
    later = middle + timedelta(minutes=5)
    undo(shop, read(shop, last_change, now=later).event_id, now=later)
    assert [row[2:] for row in stored(shop)] == [("21 18:00", "21 21:30"), ("21 21:35", "22 08:00")]


def test_what_was_cut_comes_back_as_it_was_or_not_at_all(shop):
    first = add(shop, STANDS_IN)
    add(shop, replace(STANDS_IN, starts=wall(22, 2), ends=wall(22, 4), person_id=ALICE, instead_of=CAROL))
    middle = datetime(2026, 11, 21, 20, 30, 10, tzinfo=UTC)
    at_once, later = middle + timedelta(seconds=40), middle + timedelta(minutes=5)
    remove(shop, first, now=middle)
    undo(shop, read(shop, last_change, now=at_once).event_id, now=at_once)
    assert [on_call(shop, 22, hour) for hour in (1, 3, 5)] == [[CAROL], [ALICE], [CAROL]]
    remove(shop, first, now=middle)
    with pytest.raises(DomainError, match="it would win over them now"):
        undo(shop, read(shop, last_change, now=later).event_id, now=later)
    assert [on_call(shop, 22, hour) for hour in (1, 3, 5)] == [[BOB], [BOB], [BOB]]


def test_only_the_very_last_change_can_be_undone_for_an_hour_and_while_some_is_to_come(shop):
    assert read(shop, last_change, now=NOW) is None
    add(shop, STANDS_IN)
    first = read(shop, last_change, now=NOW)
    add(shop, replace(STANDS_IN, starts=wall(27, 18), ends=wall(28, 8)))
    with pytest.raises(DomainError, match="cannot be undone any more"):
        undo(shop, first.event_id)
    assert read(shop, last_change, now=NOW + timedelta(minutes=61)) is None
    soon = replace(STANDS_IN, starts=wall(20, 12), ends=wall(20, 12, 30))
    add(shop, soon)
    assert read(shop, last_change, now=NOW + timedelta(minutes=30)) is None


def test_what_the_settings_file_added_is_not_offered_to_be_undone(shop):
    add(shop, STANDS_IN)
    with shop.unit_of_work() as uow:
        change = Change(None, NOW)
        record_change(uow, change, "override.add", "On call", schedule_id=1, what="add alice@a.example")
    assert read(shop, last_change, now=NOW) is None


def test_half_of_a_swap_cannot_be_undone_and_every_change_leaves_a_trace(shop):
    add(shop, STANDS_IN)
    with shop.unit_of_work() as uow:
        other = replace(STANDS_IN, starts=wall(28, 18), ends=wall(29, 8))
        assert write_override(uow, other, change=Change(CAROL, NOW), schedule_id=1, override_id=1) == 2
        uow.session.query(AuditEvent).order_by(AuditEvent.id.desc()).first().data = {
            "schedule_id": 1, "override": {"swap_id": 1}
        }  # fmt: skip
    assert read(shop, last_change, now=NOW) is None
    with shop.read_session() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "override.add")).first()
        assert (event.actor_id, event.subject, event.data) == (ALICE, "Carol", {
            "schedule_id": 1,
            "override": {
                "id": 1, "kind": "replace", "person_id": CAROL, "instead_of": BOB, "starts": "2026-11-21 18:00",
                "ends": "2026-11-22 08:00", "note": "", "swap_id": None,
            },
        })  # fmt: skip

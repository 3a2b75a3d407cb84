from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.models import Queue, ShiftRow
from portal.services.audit import Change
from portal.services.schedule_edit import (
    ScheduleDraft,
    add_schedule,
    edit_schedule,
    queues_of_schedule,
    read_draft,
    remove_schedule,
)
from portal.services.schedules import load_schedule
from portal.services.shifts import add_shift
from tests.services.ticket_world import ALICE, BOB

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
NETWORK = ScheduleDraft("Network", "America/New_York", 1, (BOB,), (2,))


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments):
    with database.read_session() as session:
        return load(session, *arguments)


def test_a_schedule_is_added_with_its_zone_its_everyone_and_its_queues(database):
    network = write(database, add_schedule, NETWORK)
    assert read(database, read_draft, network) == NETWORK
    assert read(database, queues_of_schedule, network) == ["Servers"]
    assert read(database, load_schedule, network).roster.members == (BOB,)


def test_a_schedule_is_changed_and_the_later_of_two_is_told(database):
    network = write(database, add_schedule, NETWORK)
    seen = NETWORK.fingerprint
    changed = ScheduleDraft("Net", "", None, (), (1,))
    write(database, edit_schedule, network, changed, seen=seen)
    assert read(database, read_draft, network) == changed
    with pytest.raises(DomainError, match="Somebody else changed this schedule"):
        write(database, edit_schedule, network, NETWORK, seen=seen)


def test_the_zone_stays_once_somebody_has_been_on_call(database):
    network = write(database, add_schedule, NETWORK)
    shift = Shift(0, BOB, datetime(2026, 11, 19, 8), datetime(2026, 11, 19, 18))
    write(database, add_shift, shift, schedule_id=network)
    with pytest.raises(DomainError, match="on the clock of America/New_York"):
        write(database, edit_schedule, network, replace(NETWORK, zone=""), seen=NETWORK.fingerprint)
    write(database, edit_schedule, network, replace(NETWORK, name="Net"), seen=NETWORK.fingerprint)


def test_a_schedule_that_queues_ring_is_removed_only_when_told_so(database):
    network = write(database, add_schedule, NETWORK)
    write(database, add_shift, Shift(0, BOB, datetime(2026, 12, 1), datetime(2026, 12, 2)), schedule_id=network)
    with pytest.raises(DomainError, match="Servers would ring the site's own"):
        write(database, remove_schedule, network)
    write(database, remove_schedule, network, despite_queues=True)
    with database.read_session() as session:
        assert session.scalars(select(Queue.schedule_id)).all() == [None, None]
        assert session.scalars(select(ShiftRow)).all() == []
    with pytest.raises(DomainError, match="This schedule is gone"):
        write(database, remove_schedule, network)


def test_the_site_always_has_its_own_schedule_and_all_other_queues_ring_it(database):
    with pytest.raises(DomainError, match="It stays"):
        write(database, remove_schedule, 1)
    write(database, add_schedule, NETWORK)
    own = read(database, read_draft, 1)
    write(database, edit_schedule, 1, replace(own, queue_ids=(2,)), seen=own.fingerprint)
    assert read(database, read_draft, 1).queue_ids == ()


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (ScheduleDraft(" "), "Give the schedule a name"),
        (ScheduleDraft("on CALL"), "a schedule of this name"),
        (ScheduleDraft("Net", "Europe/Atlantis"), "is no time zone"),
        (ScheduleDraft("Net", calendar_id=99), "This calendar is gone"),
        (ScheduleDraft("Net", members=(ALICE, 99)), "cannot be on call"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(database, draft, sentence):
    with pytest.raises(DomainError, match=sentence):
        write(database, add_schedule, draft)

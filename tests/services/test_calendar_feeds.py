"""Secret addresses under which calendar programs read the roster."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.core.errors import DomainError
from portal.core.intervals import Interval
from portal.core.roster import make_roster
from portal.models import AuditEvent, CalendarFeed, OverrideRow, RotationRow, ScheduleRow, SettingRow, ShiftRow, User
from portal.services.audit import Change
from portal.services.calendar_feeds import (
    add_feed,
    find_feed,
    is_note_due,
    list_feeds,
    note_reading,
    open_feed,
    open_token,
    renew_feed,
    revoke_feed,
    write_feed,
)
from portal.services.schedules import load_schedule, on_call_at
from portal.services.shifts import remove_shift
from tests.core.test_ical_feed import instant, simply_read
from tests.services.mail_world import PlainBox
from tests.services.paging_world import rows
from tests.services.ticket_world import ALICE, BOB, counted_statements
from tests.web.conftest import CountingRandom

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
CHANGE = Change(BOB, NOW)
BOX = PlainBox()


@pytest.fixture
def shop(database):
    """Turns of half a day around the end of summer time in Berlin, a shift of Alice's on top; Bob's shift in Paris."""
    with database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
        uow.session.add(RotationRow(people=[ALICE, BOB], starts=datetime(2026, 10, 1, 2, 30), unit="hour", every=12))
        uow.session.add(
            ShiftRow(id=4, user_id=ALICE, starts=datetime(2026, 10, 25, 1), ends=datetime(2026, 10, 25, 2, 30), level=1)
        )
        uow.session.add(
            OverrideRow(kind="add", user_id=BOB, starts=datetime(2026, 10, 25, 2), ends=datetime(2026, 10, 25, 5),
                        created_at=NOW)
        )  # fmt: skip
        uow.session.add(ScheduleRow(id=7, name="Paris", zone="Europe/Paris", members=[], changed_at=NOW))
        uow.session.flush()
        uow.session.add(ShiftRow(schedule_id=7, user_id=BOB, starts=datetime(2026, 1, 1), ends=datetime(2026, 12, 1)))
    return database


def make(database, schedule_id=None, change=CHANGE):
    """The id and the token of a new feed."""
    random = CountingRandom()
    random.count = len(rows(database, CalendarFeed)) + 7
    with database.unit_of_work() as uow:
        feed_id = add_feed(uow, schedule_id=schedule_id, random=random, box=BOX, change=change)
    with database.read_session() as session:
        return feed_id, open_token(find_feed(session, feed_id), box=BOX)


def read(database, token, now=NOW):
    with database.read_session() as session:
        source = open_feed(session, token, now=now, box=BOX)
        return source and (source, simply_read(write_feed(source)))


def uids(events):
    return {event["UID"] for event in events}


def test_page_feed_and_engine_give_the_same_answer_around_the_end_of_summer_time(shop):
    _, token = make(shop, schedule_id=1)
    _, events = read(shop, token)
    first = datetime(2026, 10, 24, 18, tzinfo=UTC)
    with shop.read_session() as session:
        stored = load_schedule(session)
        duties = make_roster(stored.roster, Interval(first, first + timedelta(hours=14)))
        borders = sorted({edge for duty in duties for edge in (duty.starts_at, duty.ends_at)})
        for at in (border + timedelta(minutes=minutes) for border in borders for minutes in (-1, 0)):
            engine = sorted(f"On call: {stored.names[one.person_id]}" for one in on_call_at(session, at))
            feed = sorted(
                event["SUMMARY"] for event in events if instant(event["DTSTART"]) <= at < instant(event["DTEND"])
            )
            assert feed == engine, at
    assert len(borders) >= 6


def test_own_duties_of_all_schedules_are_told_with_their_schedule(shop):
    _, token = make(shop)
    source, events = read(shop, token)
    assert source.title == "On call: Bob"
    assert {event["SUMMARY"] for event in events} == {"On call: Bob (On call)", "On call: Bob (Paris)"}
    assert len({event["UID"].partition("@")[2] for event in events}) == 1
    paris = next(event for event in events if "Paris" in event["SUMMARY"])
    assert paris["UID"].startswith("shift-") and "-earlier@" in paris["UID"]  # began before the feed does


def test_a_change_keeps_every_other_uid_and_raises_the_sequence(shop):
    _, token = make(shop, schedule_id=1)
    before, events = read(shop, token)
    with shop.unit_of_work() as uow:
        remove_shift(uow, 4, change=CHANGE)
    after, later = read(shop, token)
    gone = uids(events) - uids(later)
    assert [uid.partition("-2026")[0] for uid in gone if "shift" in uid] == ["shift-4-1"]
    assert len(gone) == 3 and len(events) > 900  # and those two that it had cut are whole again
    assert min(int(one["SEQUENCE"]) for one in later) > max(int(one["SEQUENCE"]) for one in events)
    assert before.tag != after.tag
    assert later[0]["LAST-MODIFIED"] == "20261020T120000Z"


def test_the_same_roster_gives_the_same_tag_for_a_month(shop):
    _, token = make(shop)
    tags = [read(shop, token, now)[0].tag for now in (NOW, NOW + timedelta(days=11), NOW + timedelta(days=13))]
    assert tags[0] == tags[1] != tags[2]


def test_only_a_living_token_of_a_living_owner_opens(shop):
    feed_id, token = make(shop)
    assert read(shop, token.upper()) is None and read(shop, "") is None and read(shop, f"{token} ") is None
    with shop.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = False
    assert read(shop, token) is None
    with shop.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = True
    assert read(shop, token)
    with shop.unit_of_work() as uow:
        assert revoke_feed(uow, feed_id, change=CHANGE)
        assert not revoke_feed(uow, feed_id, change=CHANGE)
        assert not revoke_feed(uow, 99, change=CHANGE)
        with pytest.raises(DomainError, match="revoked already"):
            renew_feed(uow, feed_id, random=CountingRandom(), box=BOX, change=CHANGE)
    assert read(shop, token) is None
    assert [event.action for event in rows(shop, AuditEvent)] == ["feed.add", "feed.revoke"]


def test_a_new_address_ends_the_old_one(shop):
    feed_id, token = make(shop)
    with shop.unit_of_work() as uow:
        renew_feed(uow, feed_id, random=CountingRandom(), box=BOX, change=CHANGE)
    with shop.read_session() as session:
        fresh = open_token(find_feed(session, feed_id), box=BOX)
    assert fresh != token and len(fresh) == 32
    assert read(shop, token) is None and read(shop, fresh)


def test_a_schedule_that_is_gone_has_no_feed(shop):
    with pytest.raises(DomainError, match="This schedule is gone"):
        make(shop, schedule_id=99)
    _, token = make(shop, schedule_id=7)
    with shop.unit_of_work() as uow:
        uow.session.delete(uow.session.get_one(ScheduleRow, 7))
    assert read(shop, token) is None


def test_feeds_are_listed_newest_first_and_nobody_has_too_many(shop):
    made = [make(shop)[0] for _ in range(20)]
    with pytest.raises(DomainError, match="You have 20 feeds already"):
        make(shop)
    other, _ = make(shop, 7, Change(ALICE, NOW))
    with shop.read_session() as session:
        assert [one.id for one in list_feeds(session, owner_id=BOB)] == made[::-1]
        assert (list_feeds(session)[0].id, list_feeds(session)[0].schedule) == (other, "Paris")


def test_reading_is_noted_once_an_hour(shop):
    feed_id, token = make(shop)
    source, _ = read(shop, token)
    assert is_note_due(source, now=NOW)
    with shop.unit_of_work() as uow:
        note_reading(uow, feed_id, now=NOW)
    source, _ = read(shop, token)
    assert not is_note_due(source, now=NOW + timedelta(minutes=59))
    assert is_note_due(source, now=NOW + timedelta(hours=1))


def test_looking_whether_something_changed_takes_a_statement_or_two(shop):
    _, token = make(shop)
    read(shop, token)
    with shop.read_session() as session, counted_statements(session) as statements:
        open_feed(session, token, now=NOW, box=BOX)
    assert len(statements) <= 2


def test_a_feed_is_worked_out_once_and_few_are_kept(shop, monkeypatch):
    monkeypatch.setattr("portal.services.calendar_feeds._KEPT", 1)
    made = []
    real = make_roster
    monkeypatch.setattr("portal.services.calendar_feeds.make_roster", lambda *asked: made.append(1) or real(*asked))
    (_, first), (_, second) = make(shop, 1), make(shop, 7)
    for token in (first, first, second, second, first):
        read(shop, token)
    assert len(made) == 3

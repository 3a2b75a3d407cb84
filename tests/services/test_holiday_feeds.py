from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.holiday_feeds import Kind
from portal.models import Alarm, AuditEvent, Job
from portal.services.alarms import raise_alarm
from portal.services.holiday_feeds import (
    JOB,
    add_feed,
    alarm_key,
    ask_read,
    edit_feed,
    find_feed,
    follow_feed,
    keep_day,
    list_differences,
    list_feeds,
    read_address,
    remove_feed,
    source_of,
)
from portal.services.holidays import find_holiday, list_holidays
from portal.services.jobs import sync_jobs
from tests.services.test_holiday_feed_reading import CHRISTMAS, FOUNDING, URL, ics, world

assert world  # the fixture
TODAY = date(2026, 11, 21)


def differences(world, today=TODAY):
    with world.database.read_session() as session:
        return list_differences(session, today=today)


def given_accepted(world, *now: tuple[str, str]):
    """Christmas and Founding Day were accepted; then the feed says something else."""
    world.act(add_feed, "Company", URL)
    world.read(ics(CHRISTMAS, FOUNDING))
    world.decide("Christmas Day")
    world.decide("Founding Day")
    world.read(ics(*now), later=timedelta(days=1))
    return differences(world)


@pytest.mark.parametrize(
    ("said", "kind", "words", "followed", "kept"),
    [
        (("20270305", "Founding Day"), Kind.MOVED, "2027-03-05 Founding Day", "2027-03-05 Founding Day", "ignored"),
        (("20270303", "Jubilee"), Kind.RENAMED, "2027-03-03 Jubilee", "2027-03-03 Jubilee", "ignored"),
        (("20270901", "Other"), Kind.DROPPED, "2027-03-03 Founding Day", None, "proposed"),
    ],
)
def test_an_accepted_day_changes_only_when_a_person_says_so(world, said, kind, words, followed, kept):
    (one,) = given_accepted(world, CHRISTMAS, said)
    assert (one.difference.kind, f"{one.difference.on} {one.difference.name}", one.feed) == (kind, words, "Company")
    assert world.days()["Founding Day"] == "accepted"
    holiday_id = one.difference.day.id
    with pytest.raises(DomainError, match="Look again"):
        world.act(follow_feed, holiday_id, seen="something else", today=TODAY)
    world.act(follow_feed, holiday_id, seen=one.mark, today=TODAY)
    with world.database.read_session() as session:
        day = find_holiday(session, holiday_id)
        assert (f"{day.on} {day.name}" if day else None) == followed
    assert differences(world) == []
    with pytest.raises(DomainError, match=r"Look again|is gone"):
        world.act(follow_feed, holiday_id, seen=one.mark, today=TODAY)


@pytest.mark.parametrize("said", [("20270305", "Founding Day"), ("20270303", "Jubilee"), ("20270901", "Other")])
def test_a_day_that_is_kept_is_not_asked_about_again(world, said):
    (one,) = given_accepted(world, CHRISTMAS, said)
    world.act(keep_day, one.difference.day.id, seen=one.mark, today=TODAY)
    world.read(later=timedelta(days=1))
    assert differences(world) == []
    with world.database.read_session() as session:
        days = [(day.on, day.name) for day in list_holidays(session, year=2027) if day.state == "accepted"]
        proposed = [day.name for day in list_holidays(session, year=2027) if day.state == "proposed"]
    assert days == [(date(2027, 3, 3), "Founding Day")]
    assert proposed == (["Other"] if said[1] == "Other" else [])


def test_days_of_the_past_and_feeds_that_say_nothing_are_no_question(world):
    assert [one.difference.day.name for one in given_accepted(world, ("20270901", "Other"))] == [
        "Christmas Day", "Founding Day",
    ]  # fmt: skip
    assert [one.difference.day.name for one in differences(world, date(2027, 1, 1))] == ["Founding Day"]
    world.read(ics(), later=timedelta(days=1))
    assert len(differences(world)) == 2


def test_a_feed_is_added_renamed_switched_off_and_removed(world):
    sync_jobs(world.context)
    feed_id = world.act(add_feed, " Company  days ", "webcal://days.example/secret-token.ics")
    assert (world.feed().name, world.feed().url) == ("Company days", "https://days.example/secret-token.ics")
    with world.database.read_session() as session:
        job = session.get_one(Job, JOB)
        assert job.is_asked and job.next_at == world.clock.now()
        assert find_feed(session, feed_id).name == "Company days" and find_feed(session, 99) is None
        assert "secret" not in str([event.data for event in session.scalars(select(AuditEvent))])
    assert world.act(edit_feed, feed_id, name="Company", url=world.feed().url, is_enabled=False)
    assert not world.act(edit_feed, feed_id, name="Company", url=world.feed().url, is_enabled=False)
    assert world.read(ics(CHRISTMAS)) == "0 calendars read, 0 could not be read."
    with pytest.raises(DomainError, match="switched off"):
        world.act(ask_read, feed_id)
    world.act(edit_feed, feed_id, name="Company", url=URL, is_enabled=True)
    world.read(ics(CHRISTMAS, FOUNDING))
    world.decide("Christmas Day")
    world.act(remove_feed, feed_id)
    assert world.days() == {"Christmas Day": "accepted"} and differences(world) == []
    with world.database.read_session() as session:
        assert list_feeds(session) == []
    for act, keywords in (
        (remove_feed, {}),
        (ask_read, {}),
        (edit_feed, {"name": "x", "url": URL, "is_enabled": True}),
    ):
        with pytest.raises(DomainError, match="is gone"):
            world.act(act, feed_id, **keywords)


def test_a_feed_is_read_when_somebody_asks(world):
    feed_id = world.act(add_feed, "Company", URL)
    world.read(ics(CHRISTMAS))
    world.act(ask_read, feed_id)
    assert world.feed().is_busy
    assert world.read() == "1 calendar read, 0 could not be read."
    assert not world.feed().is_busy


def test_the_alarm_about_a_feed_ends_with_it(world):
    feed_id = world.act(add_feed, "Company", URL)
    with world.database.unit_of_work() as uow:
        raise_alarm(uow, alarm_key(feed_id), "It could not be read.", now=world.clock.now())
    world.act(remove_feed, feed_id)
    with world.database.read_session() as session:
        assert session.scalars(select(Alarm.ended_at)).one() is not None


@pytest.mark.parametrize(
    ("name", "url", "sentence"),
    [
        (" ", URL, "Give it a name"),
        ("x" * 81, URL, "at most 80"),
        ("Company", "ftp://days.example/x.ics", "no address of a calendar"),
        ("Company", "days.example/x.ics", "no address of a calendar"),
        ("Company", "https:///x.ics", "no address of a calendar"),
        ("Company", "https://[x/y", "no address of a calendar"),
        ("Company", "https://days.example/a b", "no address of a calendar"),
        ("Company", "webcal://days.example/holidays.ics", "is read already"),
    ],
)
def test_what_is_no_address_of_a_calendar_is_refused(world, name, url, sentence):
    world.act(add_feed, "First", URL)
    with pytest.raises(DomainError, match=sentence):
        world.act(add_feed, name, url)
    assert source_of(7) == "feed:7"


def test_an_address_is_stored_as_browsers_write_it():
    assert read_address(" webcal://days.example/x.ics ") == "https://days.example/x.ics"
    assert read_address("http://days.example/x.ics") == "http://days.example/x.ics"

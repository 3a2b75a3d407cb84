from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal.core.calendars import Period
from portal.core.errors import DomainError, GatewayError
from portal.core.ports import FetchedCalendar
from portal.models import Alarm, HolidayFeed, HolidayFeedDay
from portal.services.alarms import open_alarms, raise_alarm
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar, remove_calendar
from portal.services.holiday_feed_reading import MAX_BYTES, propose_file, read_feeds
from portal.services.holiday_feeds import add_feed, alarm_key, edit_feed, list_feeds, remove_feed
from portal.services.holidays import decide_holidays, find_holiday, list_holidays
from tests.web.conftest import StillClock

URL = "https://days.example/holidays.ics"


def ics(*days: tuple[str, str]) -> bytes:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART;VALUE=DATE:{on}\r\nSUMMARY:{name}\r\nEND:VEVENT\r\n"
        for number, (on, name) in enumerate(days)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n".encode()


CHRISTMAS, FOUNDING = ("20261225", "Christmas Day"), ("20270303", "Founding Day")


@dataclass
class FakeFetcher:
    """Answers with what is scripted, and notes what was asked; the database must be free to write meanwhile."""

    database: object
    answer: object = b""
    asked: list = field(default_factory=list)
    meanwhile: object = None

    def fetch(self, url, *, etag=""):
        self.asked.append((url, etag))
        with self.database.unit_of_work():
            pass
        if self.meanwhile:
            self.meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        return FetchedCalendar(self.answer, "tag" if self.answer else etag)


@pytest.fixture
def world(database):
    clock, fetcher = StillClock(), FakeFetcher(database)
    context = SimpleNamespace(database=database, clock=clock, calendars=fetcher)

    def act(function, *arguments, **keywords):
        with database.unit_of_work() as uow:
            return function(uow, *arguments, **keywords, change=Change(None, clock.now()))

    def read(answer=None, *, later=timedelta()):
        fetcher.answer = fetcher.answer if answer is None else answer
        clock.at += later
        return read_feeds(context)

    def days():
        with database.read_session() as session:
            found = [day for year in (2026, 2027) for day in list_holidays(session, year=year)]
        return {day.name: day.state for day in found}

    def decide(name, *, accept=True):
        with database.read_session() as session:
            (day,) = [one for year in (2026, 2027) for one in list_holidays(session, year=year) if one.name == name]
        return act(decide_holidays, {day.id: day.mark}, accept=accept)

    def feed():
        with database.read_session() as session:
            return list_feeds(session)[0]

    return SimpleNamespace(
        database=database, context=context, clock=clock, fetcher=fetcher, act=act, read=read, days=days,
        decide=decide, feed=feed,
    )  # fmt: skip


def test_a_feed_proposes_its_days_and_is_read_again_a_day_later(world):
    feed_id = world.act(add_feed, "Company", URL)
    assert world.read(ics(CHRISTMAS, FOUNDING, ("20260101", "New Year"))) == "1 calendar read, 0 could not be read."
    assert world.days() == {"Christmas Day": "proposed", "Founding Day": "proposed"}
    assert (world.feed().days, world.feed().is_busy, world.feed().error) == (3, False, "")
    assert world.read() == "0 calendars read, 0 could not be read."
    world.read(later=timedelta(days=1))
    assert world.fetcher.asked == [(URL, ""), (URL, "tag")]
    with world.database.read_session() as session:
        (day, *_) = list_holidays(session, year=2026)
        assert find_holiday(session, day.id).source == f"feed:{feed_id}"


def test_an_unchanged_feed_is_not_sent_again(world):
    world.act(add_feed, "Company", URL)
    world.read(ics(CHRISTMAS))
    world.fetcher.answer = None
    world.clock.pass_by(days=1)
    assert read_feeds(world.context) == "1 calendar read, 0 could not be read."
    assert world.days() == {"Christmas Day": "proposed"} and world.feed().days == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (GatewayError("There is no such address."), "There is no such address."),
        (b"<!doctype html><title>Log in</title>", "This is not a calendar file"),
        (ics(), "It holds no days off."),
        (
            ics(*((f"2027{1 + n // 28:02}{1 + n % 28:02}", f"Day {n} {m}") for n in range(300) for m in (1, 2))),
            "600 days",
        ),
        (b"x" * (MAX_BYTES + 1), "larger than any calendar"),
    ],
)
def test_a_feed_that_vanishes_or_lies_leaves_everything_as_it_is(world, answer, error):
    world.act(add_feed, "Company", URL)
    world.read(ics(CHRISTMAS, FOUNDING))
    world.decide("Christmas Day")
    before = world.days()
    assert world.read(answer, later=timedelta(days=1)) == "0 calendars read, 1 could not be read."
    assert world.days() == before == {"Christmas Day": "accepted", "Founding Day": "proposed"}
    assert error in world.feed().error and world.feed().days == 2
    assert world.feed().due_at == world.clock.now() + timedelta(minutes=5)


def test_failures_are_tried_again_later_and_later_and_told_after_a_week(world):
    world.act(add_feed, "Company", URL)
    world.fetcher.answer = GatewayError("It does not answer.")
    waits = []
    while world.clock.now() < datetime(2026, 12, 1, tzinfo=UTC):
        read_feeds(world.context)
        waits.append(world.feed().due_at - world.clock.now())
        world.clock.at += waits[-1]
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1)]
    assert waits[-1] == timedelta(days=1)
    with world.database.read_session() as session:
        (alarm,) = session.scalars(select(Alarm))
        assert alarm.text == "The calendar of holidays “Company” could not be read for a week: It does not answer."
    assert world.read(ics(CHRISTMAS)) == "1 calendar read, 0 could not be read."
    with world.database.read_session() as session:
        assert session.scalars(select(Alarm.ended_at)).one() is not None


def test_what_a_feed_takes_back_goes_only_while_nobody_decided_it(world):
    world.act(add_feed, "Company", URL)
    world.read(ics(CHRISTMAS, FOUNDING, ("20270401", "Joke Day"), ("20270501", "May Day")))
    world.decide("Christmas Day")
    world.decide("Joke Day", accept=False)
    world.read(ics(("20270501", "May Day")), later=timedelta(days=1))
    assert world.days() == {"Christmas Day": "accepted", "Joke Day": "ignored", "May Day": "proposed"}


def test_a_feed_read_in_part_proposes_what_is_new_and_takes_nothing_back(world):
    world.act(add_feed, "Company", URL)
    world.read(ics(CHRISTMAS))
    broken = ics(FOUNDING, ("never", "No day"))
    world.read(broken, later=timedelta(days=1))
    assert world.days() == {"Christmas Day": "proposed", "Founding Day": "proposed"}
    assert "A part of it could not be read" in world.feed().error and world.feed().days == 2


def test_a_part_of_a_day_is_proposed_as_such(world):
    half = ics().replace(b"END:VCAL", b"BEGIN:VEVENT\r\nUID:x\r\nDTSTART:20261224T130000Z\r\nDTEND:20261225T000000Z\r\n"
                         b"SUMMARY:Eve\r\nEND:VEVENT\r\nEND:VCAL")  # fmt: skip
    assert world.act(propose_file, half) == (1, "")
    with world.database.read_session() as session:
        (day,) = list_holidays(session, year=2026)
        assert (day.closed, day.source) == (Period(780, 1440), "file")


def test_a_file_proposes_its_days_to_come_once(world):
    assert world.act(propose_file, ics(CHRISTMAS, ("20260101", "New Year"))) == (1, "")
    assert world.act(propose_file, ics(CHRISTMAS)) == (0, "")
    with pytest.raises(DomainError, match="This is not a calendar file"):
        world.act(propose_file, b"%PDF-1.7")


@pytest.mark.parametrize("act", ["remove", "other address", "taken over"])
def test_a_feed_that_changed_while_it_was_fetched_keeps_nothing_of_the_old(world, act):
    feed_id = world.act(add_feed, "Company", URL)

    def meanwhile():
        world.fetcher.meanwhile = None
        if act == "remove":
            world.act(remove_feed, feed_id)
        elif act == "other address":
            world.act(edit_feed, feed_id, name="Company", url=URL + "?new", is_enabled=False)
        else:
            with world.database.unit_of_work() as uow:
                uow.session.get_one(HolidayFeed, feed_id).lease_until = datetime(2030, 1, 1, tzinfo=UTC)

    world.fetcher.meanwhile = meanwhile
    world.read(ics(CHRISTMAS))
    assert world.days() == {}
    with world.database.read_session() as session:
        assert session.scalars(select(HolidayFeedDay)).all() == []


def test_a_reading_that_ends_its_process_does_not_hold_up_the_other_feeds(world):
    def meanwhile():
        if world.fetcher.asked[-1][0] == URL:
            raise KeyError("a bug")

    world.fetcher.meanwhile = meanwhile
    world.act(add_feed, "Broken", URL)
    with pytest.raises(KeyError):
        world.read(ics(CHRISTMAS))
    world.clock.pass_by(minutes=4)  # its lease is over
    world.act(add_feed, "Company", URL + "?2")
    assert world.read() == "1 calendar read, 0 could not be read."
    world.fetcher.meanwhile = None
    assert world.read(later=timedelta(hours=1)) == "1 calendar read, 0 could not be read."
    assert [url for url, _ in world.fetcher.asked] == [URL, URL + "?2", URL]


def test_without_a_fetcher_nothing_is_read(world):
    world.context.calendars = None
    assert read_feeds(world.context) == "No calendars are fetched here."


def test_days_before_today_are_not_proposed(world):
    world.act(add_feed, "Company", URL)
    world.read(ics(("20261120", "Yesterday"), CHRISTMAS))
    assert date(2026, 11, 21) == world.clock.now().date() and world.days() == {"Christmas Day": "proposed"}


def test_a_calendar_that_is_removed_while_its_feed_is_read_takes_everything_with_it(world):
    calendar_id = world.act(add_calendar, "Nights")
    feed_id = world.act(add_feed, "Company", URL, calendar_id=calendar_id)
    with world.fetcher.database.unit_of_work() as uow:
        raise_alarm(uow, alarm_key(feed_id), "It could not be read.", now=world.clock.now())
    world.fetcher.meanwhile = lambda: world.act(remove_calendar, calendar_id)
    assert world.read(ics(CHRISTMAS)) == "0 calendars read, 1 could not be read."
    with world.fetcher.database.read_session() as session:
        assert open_alarms(session) == []

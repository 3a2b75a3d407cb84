"""Months, half-days, days of every year, files and calendars on the web."""

from datetime import UTC, date, datetime
from io import BytesIO

import pytest

from portal.core.calendars import WEEKDAYS, Holiday, Period, YearlyHoliday, parse_week
from portal.core.holiday_rules import HolidayRule, OnDate
from portal.core.ports import FetchedCalendar
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import save_week
from portal.services.holiday_feed_reading import read_feeds
from portal.services.holiday_feeds import add_feed
from portal.services.holiday_rules import add_rule, find_rule
from portal.services.holidays import add_holiday, edit_holiday, find_holiday, list_holidays
from portal.web.holidays import lists
from tests.services.test_holiday_feed_reading import ics
from tests.services.ticket_world import add_tickets, ticket_values
from tests.web.conftest import NOW
from tests.web.test_holidays import CHANGE, CHRISTMAS, given_day, given_proposals, key_of, stored
from tests.web.test_tickets import statements


def write(web, act, *arguments, **keywords):
    with web.database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def given_rule(web, **keywords) -> int:
    return write(web, add_rule, YearlyHoliday("Christmas Eve", HolidayRule(OnDate(12, 24)), Period(780, 1440)))


def closed_part(web, name: str) -> str:
    with web.database.read_session() as session:
        return next(str(day.closed) for day in list_holidays(session, year=2026) if day.name == name)


# The month, and other calendars


def test_the_month_shows_its_days_and_leads_to_its_neighbours(web):
    given_day(web)
    given_rule(web)
    page = web.as_("alice").get("/holidays?year=2026&month=12")
    assert page.one(".cal-nav h2").text == "December 2026"
    assert [chip.text for chip in page.soup.select(".month .chip")] == ["Christmas Eve 13:00-24:00", "Christmas Day"]
    assert len(page.soup.select(".month td:not(.is-other) a.month-day")) == 31
    assert page.one("a[rel=next]")["href"] == "/holidays?year=2027&month=1"
    assert "Thu 24 Dec" in page.one("#accepted").text
    assert web.as_("alice").get("/holidays?year=2026&month=13").one(".cal-nav h2").text == "2026"


def test_a_leap_year_has_a_day_more(web):
    page = web.as_("alice").get("/holidays?year=2028")
    assert len(page.soup.select(".mini td:not(.is-other) a")) == 366
    assert web.as_("alice").get("/holidays/on/2028-02-29").status == 200


def test_each_calendar_has_its_own_days(web):
    other = write(web, add_calendar, "Warehouse")
    write(web, add_holiday, CHRISTMAS, "Christmas Day", calendar_id=other)
    alice = web.as_("alice")
    assert not alice.get("/holidays").soup.select("td.is-holiday")
    page = alice.get(f"/holidays?calendar={other}")
    assert page.one("td.is-holiday a")["href"] == f"/holidays/on/2026-12-25?calendar={other}&year=2026"
    alice.post(f"/holidays/new?calendar={other}", {"on": "2026-12-24", "name": "Eve"}, status=303)
    assert stored(web) == {}
    assert "Warehouse" in alice.get("/holidays?calendar=99").text


# One day


def test_a_day_says_everything_about_itself(web):
    given_rule(web)
    given_proposals(web)
    page = web.as_("alice").get("/holidays/on/2026-12-24")
    assert page.one("h1").text == "Thursday, 24 December 2026"
    assert [badge.text for badge in page.soup.select("#holiday-on .badge")] == ["proposed", "closed, every year"]
    assert "Nothing is said" in web.as_("alice").get("/holidays/on/2026-06-01").text
    assert not web.as_("vera").get("/holidays/on/2026-12-24").soup.select("#main form")


@pytest.mark.parametrize("on", ["soon", "2026-02-30", "1999-01-01"])
def test_a_date_nobody_means_is_not_found(web, on):
    web.as_("alice").get(f"/holidays/on/{on}", status=404)


def test_a_half_day_is_added_shown_and_made_whole_again(web):
    alice = web.as_("alice")
    data = {"on": "2026-12-24", "name": "Eve", "closed": "13:00-24:00"}
    alice.post("/holidays/new", data, status=303)
    page = alice.get("/holidays")
    assert page.one("td.is-half a")["aria-label"] == "24 December: Eve, closed 13:00-24:00"
    (day,) = [int(link["href"].split("/")[2]) for link in page.soup.select("#accepted a[href*='/edit']")]
    assert alice.get(f"/holidays/{day}/edit").one("#closed")["value"] == "13:00-24:00"
    alice.post(f"/holidays/{day}/edit", {**data, "closed": ""}, status=303)
    assert closed_part(web, "Eve") == "00:00-24:00"
    page = alice.post(f"/holidays/{day}/edit", {**data, "closed": "noon"}, status=422)
    assert "“noon” is not a period" in page.one("#closed-error").text


def test_a_proposal_is_accepted_as_a_half_day_by_itself_and_with_others(web):
    first, second, third = given_proposals(web)
    alice = web.as_("alice")
    alice.post("/holidays/decide", {"accept": key_of(web, third), "closed": "14:00-24:00"}, status=303)
    both = {"ids": [key_of(web, first), key_of(web, second)], "decision": "half"}
    page = alice.post("/holidays/decide", {**both, "half": "noon"}, status=422)
    assert "“noon” is not a period" in page.text
    alice.post("/holidays/decide", {**both, "half": "12:00-24:00"}, status=303)
    assert set(stored(web).values()) == {"accepted"}
    parts = [closed_part(web, name) for name in ("Christmas Eve", "Christmas Day", "Boxing Day")]
    assert parts == ["14:00-24:00", "12:00-24:00", "12:00-24:00"]


def test_public_all_or_none_of_the_proposals_are_ticked(web):
    given_proposals(web)
    alice = web.as_("alice")
    for choose, ticked in (("public", 2), ("all", 3), ("none", 0)):
        page = alice.get(f"/holidays?choose={choose}")
        assert len(page.soup.select("input[name=ids][checked]")) == ticked


# Two people


def test_of_two_who_decide_the_same_day_the_later_is_told(web):
    first, second, _ = given_proposals(web)
    seen = {"ids": [key_of(web, first), key_of(web, second)], "decision": "ignore"}
    web.as_("carol").post("/holidays/decide", {"accept": key_of(web, first)}, status=303)
    alice = web.as_("alice")
    page = alice.follow(alice.post("/holidays/decide", seen, status=303))
    assert "1 day is ignored." in page.text
    assert "Somebody decided otherwise meanwhile, and that stays: Christmas Day on 2026-12-25, accepted." in page.text
    page = alice.post("/holidays/decide", seen, htmx=True, status=200)
    assert "Christmas Day on 2026-12-25, accepted" in page.soup.select_one(".notice-warn[role=alert]").text
    assert stored(web)["Christmas Day"] == "accepted"


def test_of_two_who_edit_or_remove_the_same_day_the_later_is_told(web):
    day_id = given_day(web)
    alice = web.as_("alice")
    seen = alice.get(f"/holidays/{day_id}/edit").one("[name=seen]")["value"]
    write(web, edit_holiday, day_id, Holiday(CHRISTMAS, "Christmas"))
    data = {"on": "2026-12-25", "name": "Xmas", "seen": seen}
    for path in ("edit", "remove"):
        page = alice.post(f"/holidays/{day_id}/{path}", data, status=422)
        assert "Somebody changed this day meanwhile: it is Christmas on 2026-12-25, accepted." in page.text
    assert stored(web) == {"Christmas": "accepted"}


# What would change


def test_what_would_change_is_shown_before_anything_is_accepted_or_removed(web):
    write(web, save_week, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")))
    first, *_ = given_proposals(web)
    alice = web.as_("alice")
    page = alice.post("/holidays/effects", {"ids": [key_of(web, first)]}, status=200)
    assert "Closed then, and open now: 08:00–18:00" in page.one(".effects").text
    assert "due at another time" not in page.text
    assert "Nobody is on call 00:00–24:00, while the shop is closed." in page.one(".effects").text
    assert stored(web)["Christmas Day"] == "proposed"
    assert page.one("[name=ids]")["value"] == key_of(web, first)
    half = {"ids": [key_of(web, first)], "decision": "half", "half": "14:00-24:00"}
    assert "open now: 14:00–18:00" in alice.post("/holidays/effects", half, htmx=True, status=200).text
    assert "at least one day" in alice.post("/holidays/effects", {}, status=200).text
    alice.post("/holidays/effects", {**half, "half": "noon"}, status=422)
    new = {"on": "2026-12-28", "name": "Bridge", "preview": "1"}
    assert "open now: 08:00–18:00" in alice.post("/holidays/new", new, status=200).text
    alice.post("/holidays/decide", {"accept": key_of(web, first)}, status=303)
    assert "Open then, and closed now: 08:00–18:00" in alice.get(f"/holidays/{first}/remove").text
    moved = {"on": "2026-12-28", "name": "Christmas Day", "preview": "1"}
    text = alice.post(f"/holidays/{first}/edit", moved, status=200).one(".effects").text
    assert "Open then, and closed now" in text and "Closed then, and open now" in text
    assert stored(web)["Christmas Day"] == "accepted"


def test_the_deadlines_that_would_move_are_shown_with_their_tickets(web):
    write(web, save_week, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")))
    friday = datetime(2026, 11, 20, 17, tzinfo=UTC)
    waiting = [ticket_values(id, priority=2, received_at=friday, subject="<b>Help</b>") for id in range(1, 9)]
    add_tickets(web.database, *waiting, ticket_values(9, priority=2, status="closed"))
    page = web.as_("alice").post("/holidays/new", {"on": "2026-11-23", "name": "Bridge", "preview": "1"}, status=200)
    assert page.one("#deadlines summary").text == "8 first answers would be due at another time"
    line = page.soup.select("#deadlines li")[0]
    assert "#1 <b>Help</b>" in " ".join(line.text.split())
    assert [one["datetime"] for one in line.select("time")] == ["2026-11-23T11:00:00Z", "2026-11-24T11:00:00Z"]


def test_editing_a_day_that_is_not_accepted_changes_no_hours(web):
    first, *_ = given_proposals(web)
    data = {"on": "2026-12-28", "name": "x", "preview": "1"}
    assert "the day is not accepted" in web.as_("alice").post(f"/holidays/{first}/edit", data, status=200).text


# Every year


def test_a_day_of_every_year_is_added_changed_and_removed(web):
    alice = web.as_("alice")
    assert "No days of every year yet" in alice.get("/holidays/every-year").text
    data = {"name": "Thanksgiving", "day": "4th Thursday of November", "closed": "", "first_year": "2026"}
    page = alice.post("/holidays/every-year/new", {**data, "preview": "1"}, status=200)
    assert [strong.text for strong in page.soup.select(".effects strong")] == [
        "Thu 26 Nov Thanksgiving", "25 Nov 2027 Thanksgiving", "23 Nov 2028 Thanksgiving",
    ]  # fmt: skip
    page = alice.follow(alice.post("/holidays/every-year/new", data, status=303))
    assert "the fourth Thursday of November from 2026" in " ".join(page.one("#every-year").text.split())
    page = alice.get("/holidays/every-year/1")
    assert page.one("#day")["value"] == "the fourth Thursday of November"
    seen = page.one("[name=seen]")["value"]
    page = alice.post("/holidays/every-year/1", {**data, "closed": "12-24", "seen": seen}, htmx=True, status=200)
    assert page.response.headers["HX-Retarget"] == "#holiday-rules"
    assert "12:00-24:00" in page.one("#every-year").text
    page = alice.post("/holidays/every-year/1", {**data, "seen": seen}, status=422)
    assert "Somebody changed this rule meanwhile" in page.text
    assert "closes no day from now on" in alice.get("/holidays/every-year/1/remove").text
    assert "changed this rule meanwhile" in alice.post("/holidays/every-year/1/remove", {"seen": seen}, status=422).text
    alice.post("/holidays/every-year/1/remove", status=303)
    assert "No days of every year yet" in alice.get("/holidays/every-year").text
    alice.get("/holidays/every-year/1", status=404)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": "x", "day": "someday"}, "“someday” is not a day of the year."),
        ({"name": "x", "day": ""}, "Say which day."),
        ({"name": "x", "day": "12-24", "first_year": "2027", "last_year": "2026"}, "last year lies before the first"),
        ({"name": "x", "day": "12-24", "first_year": "99"}, "between 2000 and 2199"),
        ({"name": "x", "day": "12-24", "closed": "9"}, "is not a period"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_what_was_typed_stays(web, data, sentence):
    page = web.as_("alice").post("/holidays/every-year/new", data, status=422)
    assert sentence in page.text and page.one("#day")["value"] == data["day"]


def test_one_year_of_a_rule_is_ignored_and_taken_back(web):
    rule_id = given_rule(web)
    alice = web.as_("alice")
    page = alice.get("/holidays")
    assert page.one("td.is-half a").text == "24" and "every year" in page.one("#accepted").text
    url = f"/holidays/every-year/{rule_id}/except/2026-12-24"
    assert "Ignore Christmas Eve in 2026?" in alice.get(url).text
    page = alice.follow(alice.post(url, status=303))
    assert not page.soup.select("td.is-half") and "Accept after all" in page.text
    assert "is ignored already" in alice.post(url, status=422).text
    alice.get(f"/holidays/every-year/{rule_id}/except/never", status=404)
    with web.database.read_session() as session:
        assert find_rule(session, rule_id, today=NOW.date()).next_on[0].year == 2027
        (day,) = list_holidays(session, year=2026)
    alice.post(f"/holidays/{day.id}/remove", status=303)
    assert alice.get("/holidays").one("td.is-half a").text == "24"


# Files and calendars on the web


def test_a_calendar_file_proposes_its_days(web):
    alice = web.as_("alice")
    data = ics(("20261225", "Christmas Day"), ("20261226", "Boxing Day"))
    assert alice.get("/holidays/file").one("#file-form")["enctype"] == "multipart/form-data"
    page = alice.follow(alice.post("/holidays/file", {"file": (BytesIO(data), "days.ics")}, status=303))
    assert "2 days are proposed." in page.text and "a file" in page.one("#proposed").text
    page = alice.post("/holidays/file", {"file": (BytesIO(data), "days.ics")}, htmx=True, status=422)
    assert "no days from today on that are not in the calendar already" in page.text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Choose a calendar file."),
        (b"<html>", "This is not a calendar file"),
        (b"x" * 201, "larger than 5 MB"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused(web, data, sentence, monkeypatch):
    monkeypatch.setattr(lists, "MAX_BYTES", 200)
    page = web.as_("alice").post("/holidays/file", {"file": (BytesIO(data), "days.ics")}, status=422)
    assert sentence in page.text
    assert stored(web) == {}


def test_the_address_of_a_calendar_on_the_web_is_for_those_who_may_change_it(web):
    write(web, add_feed, "Company", "https://days.example/holidays.ics?key=secret")
    assert "key=secret" in web.as_("carol").get("/holidays/feeds").text
    page = web.as_("vera").get("/holidays/feeds").text
    assert "days.example" in page and "secret" not in page


def test_a_calendar_on_the_web_is_added_read_switched_off_and_removed(web):
    alice = web.as_("alice")
    assert "No calendar on the web yet" in alice.get("/holidays/feeds").text
    assert "no address of a calendar" in alice.post("/holidays/feeds/new", {"name": "x", "url": "x"}, status=422).text
    data = {"name": "Company", "url": "https://days.example/x.ics"}
    page = alice.follow(alice.post("/holidays/feeds/new", data, status=303))
    assert page.one("#feed-1 .badge").text == "read" and "Not read yet." in page.one("#feed-1").text
    page = alice.post("/holidays/feeds/1/read", htmx=True, status=200)
    assert page.one("#holiday-feeds")["hx-trigger"] == "every 2s" and "being read" in page.one("#feed-1 .badge").text
    alice.post("/holidays/feeds/1", {**data, "name": "Our days"}, status=303)
    alice.post("/holidays/feeds/1", {**data, "url": "nowhere"}, status=422)
    alice.post("/holidays/feeds/1/switch", {"on": "0"}, status=303)
    assert "switched off" in alice.get("/holidays/feeds").one("#feed-1 .badge").text
    assert "is switched off" in alice.post("/holidays/feeds/1/read", status=422).text
    assert "Remove Our days?" in alice.get("/holidays/feeds/1/remove").text
    alice.post("/holidays/feeds/1/remove", status=303)
    alice.get("/holidays/feeds/1", status=404)


def test_a_day_of_which_its_calendar_says_otherwise_is_moved_or_kept_by_one_click(web):
    class Fetcher:
        def fetch(self, url, *, etag=""):
            return FetchedCalendar(self.answer, "")

    fetcher = Fetcher()
    context = type(web.context)(**{**web.context.__dict__, "calendars": fetcher})
    alice = web.as_("alice")
    alice.post("/holidays/feeds/new", {"name": "Company", "url": "https://days.example/x.ics"}, status=303)
    fetcher.answer = ics(("20261211", "Founding Day"), ("20261225", "Christmas Day"))
    read_feeds(context)
    for day_id in (1, 2):
        alice.post("/holidays/decide", {"accept": key_of(web, day_id)}, status=303)
    web.clock.pass_by(days=1)
    fetcher.answer = ics(("20261214", "Founding Day"))
    read_feeds(context)
    page = web.as_("alice").get("/holidays")
    assert "Company: it is on Mon 14 Dec." in page.one("#differences").text
    assert "Company: there is no such day any more." in page.one("#differences").text
    seen = [field["value"] for field in page.soup.select("#differences [name=seen]")]
    page = alice.post("/holidays/1/follow", {"seen": seen[0], "answer": "follow"}, htmx=True, status=200)
    assert "Founding Day is now as the calendar says." in page.text
    page = alice.follow(alice.post("/holidays/2/follow", {"seen": seen[-1], "answer": "keep"}, status=303))
    assert "Christmas Day stays as it is." in page.text and not page.soup.select("#differences")
    page = alice.follow(alice.post("/holidays/2/follow", {"seen": seen[-1], "answer": "keep"}, status=303))
    assert "Look again." in page.text
    with web.database.read_session() as session:
        assert find_holiday(session, 1).on == date(2026, 12, 14) and find_holiday(session, 2).source == "manual"


@pytest.mark.parametrize("path", ["/holidays?year=2026&month=12", "/holidays/every-year", "/holidays/feeds"])
def test_the_pages_ask_the_database_little(web, path):
    given_rule(web)
    given_proposals(web)
    alice = web.as_("alice")
    alice.get(path)
    assert statements(web, alice, path) <= 8


@pytest.mark.parametrize("path", ["every-year/1", "every-year/1/remove", "every-year/1/except/2026-12-24", "feeds/1"])
def test_only_those_who_lead_change_rules_and_calendars(web, path):
    given_rule(web)
    for name in ("bob", "vera"):
        web.as_(name).get(f"/holidays/{path}", status=403)
        web.as_(name).post(f"/holidays/{path}", status=403)

"""Calendar feeds and the import of calendar files, as a browser and a calendar program ask."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from portal.core.instants import parse_instant
from portal.models import CalendarFeed, RotationRow, ScheduleRow, SettingRow, ShiftRow, User
from tests.calendar_files import GOOGLE, calendar_file
from tests.core.test_ical_feed import instant, simply_read
from tests.services.paging_world import rows
from tests.services.ticket_world import ALICE, BOB
from tests.web.conftest import NOW


@pytest.fixture
def shop(web):
    """Alice and Bob take turns of a day in Berlin; Alice also has a week in Paris."""
    with web.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
        uow.session.add(RotationRow(people=[ALICE, BOB], starts=datetime(2026, 11, 1, 8), unit="day"))
        uow.session.add(ScheduleRow(id=7, name="Paris", zone="Europe/Paris", members=[], changed_at=NOW))
        uow.session.flush()
        shift = ShiftRow(schedule_id=7, user_id=ALICE, starts=datetime(2026, 12, 1), ends=datetime(2026, 12, 8))
        uow.session.add(shift)
    return web


def make(shop, who="bob", of="own"):
    """A new feed of somebody's; the path of its address."""
    browser = shop.as_(who)
    page = browser.follow(browser.post("/feeds", {"of": of}))
    return page.soup.select(".token")[0].text.removeprefix("https://help.acme.example")


def read(shop, path, status=200, **headers):
    response = shop.anonymous().client.get(path, headers=headers)
    assert response.status_code == status
    return response


def titles(response):
    return {line for line in response.text.splitlines() if line.startswith("SUMMARY")}


def test_somebody_makes_a_feed_of_their_own_duties_and_a_program_reads_it_without_a_cookie(shop):
    path = make(shop)
    response = read(shop, path)
    assert response.mimetype == "text/calendar"
    assert response.headers["Cache-Control"] == "private, max-age=300"
    assert "Set-Cookie" not in response.headers
    assert titles(response) == {"SUMMARY:On call: Bob (On call)"}
    assert "X-WR-CALNAME:On call: Bob" in response.text
    assert len(path) == len("/feeds/.ics") + 32


def test_a_feed_of_a_schedule_shows_everybody_in_it(shop):
    assert titles(read(shop, make(shop, "vera", "1"))) == {"SUMMARY:On call: Alice", "SUMMARY:On call: Bob"}
    assert titles(read(shop, make(shop, "vera", "7"))) == {"SUMMARY:On call: Alice"}
    both = titles(read(shop, make(shop, "alice")))
    assert both == {"SUMMARY:On call: Alice (On call)", "SUMMARY:On call: Alice (Paris)"}


def test_the_page_and_the_feed_say_the_same_to_the_minute(shop):
    shop.clock.at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    with shop.database.unit_of_work() as uow:
        uow.session.get_one(RotationRow, 1).starts = datetime(2026, 10, 20, 2, 30)
    events = simply_read(read(shop, make(shop, "vera", "1")).data)
    vera = shop.as_("vera")
    for wall in ("24T02:29", "24T02:30", "25T01:59", "25T02:29", "25T02:30", "25T03:30", "26T02:29", "26T02:30"):
        at = parse_instant(f"2026-10-{wall}", zone=ZoneInfo("Europe/Berlin"))
        told = [one["SUMMARY"][9:] for one in events if instant(one["DTSTART"]) <= at < instant(one["DTEND"])]
        page = vera.get(f"/oncall/who?day=2026-10-{wall[:2]}&time={wall[3:]}")
        assert sorted(one.text for one in page.soup.select("#who-then strong")) == sorted(told) != [], wall


def test_nothing_is_sent_twice_until_something_changes(shop):
    path = make(shop)
    tag = read(shop, path).headers["ETag"]
    again = read(shop, path, 304, **{"If-None-Match": tag})
    assert again.data == b"" and again.headers["ETag"] == tag
    with shop.database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).name = "Robert"
    changed = read(shop, path, **{"If-None-Match": tag})
    assert changed.headers["ETag"] != tag
    assert "On call: Robert" in changed.text


@pytest.mark.parametrize("act", ["revoke", "renew", "disable owner", "remove schedule"])
def test_an_address_that_ended_leads_nowhere(shop, act):
    path = make(shop, of="7")
    read(shop, path)
    if act in ("revoke", "renew"):
        shop.as_("bob").post(f"/feeds/1/{act}")
    else:
        with shop.database.unit_of_work() as uow:
            if act == "disable owner":
                uow.session.get_one(User, BOB).is_active = False
            else:
                uow.session.delete(uow.session.get_one(ScheduleRow, 7))
    read(shop, path, 404)
    if act == "renew":
        assert shop.as_("bob").get("/feeds").one(".token").text.endswith(".ics")


def test_an_unknown_address_leads_nowhere(shop):
    make(shop)
    for token in ("x", "a" * 32, "a" * 3000, "", "%00", "a/b"):
        assert shop.anonymous().client.get(f"/feeds/{token}.ics").status_code in (400, 404)


def test_reading_is_written_down_once_an_hour(shop):
    path = make(shop)
    assert "Not read yet." in shop.as_("bob").get("/feeds").text
    written = []
    event.listen(shop.database.writer, "commit", lambda connection: written.append(connection))
    for minutes, count in ((0, 1), (59, 1), (1, 2)):
        shop.clock.pass_by(minutes=minutes)
        read(shop, path)
        assert len(written) == count
    assert "Last read" in shop.as_("bob").get("/feeds").text


def test_a_feed_read_again_is_a_few_statements_and_no_work(shop, monkeypatch):
    path = make(shop)
    tag = read(shop, path).headers["ETag"]
    monkeypatch.setattr("portal.services.calendar_feeds.make_roster", None)
    read(shop, path)
    seen = []
    event.listen(shop.database.reader, "before_cursor_execute", lambda *rest: seen.append(rest[2]))
    read(shop, path, 304, **{"If-None-Match": tag})
    assert len(seen) <= 4


def test_feeds_are_ones_own_and_an_administrator_sees_and_revokes_all(shop):
    path = make(shop)
    shop.as_("carol").get("/feeds/1/revoke", status=404)
    shop.as_("carol").post("/feeds/1/renew", status=404)
    assert "the old address leads nowhere then" in shop.as_("bob").get("/feeds/1/renew", htmx=True).text
    assert "Feeds of others" not in shop.as_("carol").get("/feeds").text
    alice = shop.as_("alice")
    page = alice.get("/feeds")
    assert "Bob" in page.one("#others").text and path not in page.text
    alice.post("/feeds/1/renew", status=404)  # it would show the secret
    assert "Revoke this feed?" in alice.get("/feeds/1/revoke").text
    done = alice.follow(alice.post("/feeds/1/revoke"))
    assert "Its address leads nowhere any more." in done.text
    alice.get("/feeds/1/revoke", status=404)


def test_the_address_opens_in_the_calendar_of_the_device(shop):
    path = make(shop)
    links = [link["href"] for link in shop.as_("bob").get("/feeds").soup.select("a[href^=webcal]")]
    assert links == [f"webcal://help.acme.example{path}"]


def test_the_secret_is_in_no_row_but_sealed(shop):
    token = make(shop).removeprefix("/feeds/").removesuffix(".ics")
    row = rows(shop.database, CalendarFeed)[0]
    assert token not in (row.token_hash, row.token_sealed)
    assert token not in repr(rows(shop.database, CalendarFeed)[0].__dict__)


def test_an_address_sealed_with_another_key_says_so(shop):
    make(shop)
    with shop.database.unit_of_work() as uow:
        uow.session.get_one(CalendarFeed, 1).token_sealed = "x"
    assert "sealed with another key file" in shop.as_("bob").get("/feeds").text


def test_a_choice_that_was_not_offered_is_refused(shop):
    for who, of in (("bob", ""), ("bob", "99"), ("bob", "x"), ("vera", "own")):
        assert "Choose whose duties" in shop.as_(who).post("/feeds", {"of": of}, status=422).text


def test_nobody_collects_feeds(shop):
    browser = shop.as_("bob")
    for _ in range(20):
        browser.post("/feeds", {"of": "own"})
    assert "You have 20 feeds already." in browser.post("/feeds", {"of": "own"}, status=422).text


def test_strangers_see_no_feed_page(shop):
    shop.anonymous().get("/feeds", status=303)
    shop.as_("vera").get("/feeds/import", status=403)


def upload(data, name="nights.ics"):
    return {"file": (io.BytesIO(data), name)}


def fields(page, selector):
    return {one["name"]: one["value"] for one in page.soup.select(f"{selector} input[type=hidden]")}


def test_a_file_is_previewed_and_then_imported(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).email = "bob@a.example"
    carol = shop.as_("carol")
    page = carol.post("/feeds/import", upload(GOOGLE), status=200)
    assert "Shifts: 9 added." in page.text
    assert "Mon 19 Oct 2026, 22:00 to Tue 20 Oct 2026, 06:00" in page.text
    assert len(rows(shop.database, ShiftRow)) == 1
    done = carol.follow(carol.post("/feeds/import", fields(page, "#preview")))
    assert "Shifts: 9 added." in done.text
    assert len(rows(shop.database, ShiftRow)) == 10
    assert "There is nothing to import." in carol.post("/feeds/import", upload(GOOGLE), status=200).text


def test_of_two_who_import_the_later_is_told(shop):
    carol = shop.as_("carol")
    night = calendar_file("UID:1\nSUMMARY:Bob\nDTSTART:20261202T200000Z\nDTEND:20261203T060000Z")
    page = carol.post("/feeds/import?schedule=7", upload(night), status=200)
    other = calendar_file("UID:2\nSUMMARY:Alice\nDTSTART:20261202T200000Z\nDTEND:20261203T060000Z")
    first = carol.post("/feeds/import?schedule=7", upload(other), status=200)
    carol.post("/feeds/import?schedule=7", fields(first, "#preview"))
    told = carol.post("/feeds/import?schedule=7", fields(page, "#preview"), status=422)
    assert "Somebody changed this schedule meanwhile." in told.text and "Shifts: 1 added." in told.text
    carol.post("/feeds/import?schedule=7", fields(told, "#preview"))
    assert sorted(row.uid for row in rows(shop.database, ShiftRow)) == ["", "1", "2"]


def test_a_file_that_cannot_be_used_is_a_sentence(shop):
    carol = shop.as_("carol")
    for data, words in (
        ({}, "Choose a calendar file (.ics)."),
        (upload(b"hello"), "This is not a calendar file"),
        ({"packed": "%%%", "do": "import"}, "The file was lost on the way."),
        ({"packed": "aGVsbG8=", "do": "import"}, "The file was lost on the way."),
    ):
        assert words in carol.post("/feeds/import", data, status=422).text

"""Who is on call on holidays, decided for many at once, with the roster of each day."""

from datetime import date, datetime

import pytest

from portal.core.roster import HolidayPolicy
from portal.core.shifts import Shift
from portal.models import HolidayPolicyRow, HolidayRow, User
from portal.services.audit import Change
from portal.services.shifts import add_shift
from tests.services.ticket_world import ALICE, BOB
from tests.web.conftest import NOW

PAGE = "/oncall/holidays"
CHRISTMAS, BOXING = "2026-12-25", "2026-12-26"


@pytest.fixture
def year(web):
    """Bob has the night of Christmas Eve; today, Christmas and Boxing Day are holidays."""
    change = Change(ALICE, NOW)
    with web.database.unit_of_work() as uow:
        add_shift(uow, Shift(0, BOB, datetime(2026, 12, 24, 18), datetime(2026, 12, 25, 8)), change=change)
        for on, name in (("2026-11-21", "Today"), (CHRISTMAS, "Christmas"), (BOXING, "Boxing Day")):
            uow.session.add(HolidayRow(observed_on=date.fromisoformat(on), name=name, state="accepted"))
    return web


def rows(page):
    return [[" ".join(cell.get_text(" ").split()) for cell in row.select("td")] for row in page.soup.select("tbody tr")]


def chosen(page):
    return {one["name"]: one.select_one("option[selected]")["value"] for one in page.soup.select("tbody select")}


def stored(web):
    with web.database.read_session() as session:
        found = session.query(HolidayPolicyRow).order_by(HolidayPolicyRow.observed_on)
        return [(row.observed_on.isoformat(), row.policy, row.user_id) for row in found]


def post(browser, do="save", status=303, seen=None, **days):
    page = browser.get(PAGE)
    form = {"seen": seen or page.one("[name=seen]")["value"], **chosen(page), "do": do}
    return browser.post(PAGE, {**form, **{f"day-{on}": value for on, value in days.items()}}, status=status)


def test_the_holidays_to_come_are_listed_with_the_roster_of_each_day(year):
    page = year.as_("vera").get(PAGE)
    assert [row[:2] + row[3:] for row in rows(page)] == [
        ["Sat 21 Nov", "Today", "Nobody"],
        ["Fri 25 Dec", "Christmas", "Bob 00:00–08:00"],
        ["Sat 26 Dec", "Boxing Day", "Nobody"],
    ]
    assert rows(page)[0][2] == "As usual Has begun"
    assert not page.soup.select("main select, main button")


def test_a_choice_is_shown_as_a_roster_before_it_is_saved(year):
    alice = year.as_("alice")
    shown = post(alice, "show", 200, **{CHRISTMAS: f"person:{ALICE}", BOXING: "nobody"})
    assert [row[3] for row in rows(shown)] == ["Nobody", "Alice", "Nobody; the managers ring"]
    assert "Nothing is saved yet." in shown.text and stored(year) == []
    assert chosen(shown) == {f"day-{CHRISTMAS}": f"person:{ALICE}", f"day-{BOXING}": "nobody"}


def test_all_like_this_fills_every_day_and_save_keeps_them(year):
    alice = year.as_("alice")
    like = alice.get(PAGE).soup.select_one("tbody button[name=like]")["value"]
    form = {"seen": alice.get(PAGE).one("[name=seen]")["value"], f"day-{CHRISTMAS}": "everyone", "like": like,
            f"day-{BOXING}": "normal"}  # fmt: skip
    shown = alice.post(PAGE, form, htmx=True, status=200)
    assert set(chosen(shown).values()) == {"everyone"} and not shown.soup.select("html")
    listed = alice.follow(post(alice, **dict.fromkeys((CHRISTMAS, BOXING), "everyone")))
    assert "2 days are decided" in listed.text
    assert stored(year) == [(CHRISTMAS, "everyone", None), (BOXING, "everyone", None)]
    assert "Nothing was changed." in alice.follow(post(alice)).text


def test_the_later_of_two_people_is_told_and_keeps_the_choice_on_the_page(year):
    alice = year.as_("alice")
    seen = alice.get(PAGE).one("[name=seen]")["value"]
    post(year.as_("carol"), **{CHRISTMAS: "everyone"})
    page = post(alice, status=422, seen=seen, **{BOXING: "nobody"})
    assert "Somebody else decided holidays meanwhile." in page.one(".notice-bad").text
    assert chosen(page)[f"day-{BOXING}"] == "nobody"
    assert stored(year) == [(CHRISTMAS, "everyone", None)]


def test_what_cannot_be_is_refused(year):
    for day, value, words in (
        ("2026-11-21", "nobody", "Sat 21 Nov 2026 has begun"),
        ("2026-12-01", "nobody", "is no holiday any more"),
        (CHRISTMAS, "person:4", "cannot be on call"),
    ):
        page = post(year.as_("alice"), status=422, **{day: value})
        assert words in page.one(".notice-bad").text
    assert stored(year) == []


def test_what_makes_no_sense_is_left_out(year):
    post(year.as_("alice"), **{CHRISTMAS: "perhaps", "soon": "nobody", BOXING: "person:99"})
    assert stored(year) == []


def test_whoever_was_chosen_and_left_stays_to_be_seen(year):
    with year.database.unit_of_work() as uow:
        policy = HolidayPolicyRow(observed_on=date(2026, 12, 25), policy=str(HolidayPolicy.PERSON), user_id=BOB)
        uow.session.add(policy)
        uow.session.get(User, BOB).is_active = False
    page = year.as_("alice").get(PAGE)
    assert chosen(page)[f"day-{CHRISTMAS}"] == f"person:{BOB}"
    assert "Only Bob (cannot be on call)" in page.text


def test_without_holidays_it_says_where_they_come_from_and_who_may_decide(web):
    assert "No holidays to come" in web.as_("vera").get(PAGE).text
    web.as_("bob").post(PAGE, {"do": "save"}, status=403)
    web.anonymous().get(PAGE, status=303)
    web.as_("vera").get(f"{PAGE}?schedule=9", status=404)

from datetime import date, timedelta

import pytest

from portal.core.holiday_lists import Proposal
from portal.services.audit import Change
from portal.services.holidays import add_holiday, find_holiday, list_holidays, save_proposals
from tests.web.conftest import NOW

CHANGE = Change(None, NOW)
CHRISTMAS = date(2026, 12, 25)


def key_of(web, holiday_id: int) -> str:
    """What the buttons of a day hand back: its id and what was seen of it."""
    with web.database.read_session() as session:
        return f"{holiday_id}-{find_holiday(session, holiday_id).mark}"


def stored(web, year=2026) -> dict[str, str]:
    with web.database.read_session() as session:
        return {entry.name: entry.state for entry in list_holidays(session, year=year)}


def given_day(web, on=CHRISTMAS, name="Christmas Day") -> int:
    with web.database.unit_of_work() as uow:
        return add_holiday(uow, on, name, change=CHANGE)


def given_proposals(web) -> list[int]:
    days = [
        Proposal(CHRISTMAS, "Christmas Day", "public", "DE"),
        Proposal(CHRISTMAS + timedelta(days=1), "Boxing Day", "public", "DE"),
        Proposal(CHRISTMAS - timedelta(days=1), "Christmas Eve", "half_day", "DE"),
    ]
    with web.database.unit_of_work() as uow:
        return save_proposals(uow, days, change=CHANGE)


# The year


def test_the_year_shows_its_closed_days_in_the_calendar_and_as_a_list(web):
    day_id = given_day(web)
    page = web.as_("alice").get("/holidays")
    cell = page.one("td.is-holiday a")
    assert (cell.text, cell["title"]) == ("25", "Christmas Day")
    assert cell["href"] == "/holidays/on/2026-12-25?year=2026"
    assert cell["aria-label"] == "25 December: Christmas Day"
    assert page.soup.select("#accepted td .cluster a")[0]["href"] == f"/holidays/{day_id}/edit?year=2026"
    assert len(page.soup.select(".year-month")) == 12
    assert len(page.soup.select(".mini td:not(.is-other) a")) == 365
    assert "Fri 25 Dec" in page.one("#accepted").text
    assert page.one("td.is-today").text.strip() == "21"


def test_another_year_is_a_link_away(web):
    page = web.as_("alice").get("/holidays?year=2027")
    assert page.one(".cal-nav h2").text == "2027"
    assert page.one("a[rel=next]")["href"] == "/holidays?year=2028"
    assert page.one("a[rel=prev]")["href"] == "/holidays?year=2026"


@pytest.mark.parametrize("year", ["0", "99999", "soon", ""])
def test_a_year_nobody_means_shows_this_one(web, year):
    assert web.as_("alice").get(f"/holidays?year={year}").one("title").text.startswith("Holidays 2026")


def test_htmx_gets_the_year_alone(web):
    page = web.as_("alice").get("/holidays", htmx=True)
    assert page.soup.find("html") is None
    assert page.one("#holidays-year")


def test_in_autumn_the_next_year_wants_to_be_reviewed(web):
    given_day(web)
    page = web.as_("alice").get("/holidays")
    assert "The holidays of 2027 are not reviewed yet." in page.text
    assert page.one(".notice a")["href"] == "/holidays/import?year=2027"
    given_day(web, date(2027, 12, 25))
    assert "not reviewed" not in web.as_("alice").get("/holidays").text


def test_a_year_with_days_to_decide_says_where(web):
    given_proposals(web)
    assert web.as_("alice").get("/holidays").one(".notice a")["href"] == "#proposed"


# By hand


def test_a_day_is_added_without_javascript(web):
    alice = web.as_("alice")
    assert alice.get("/holidays/new").one("#holiday-form")["method"] == "post"
    answer = alice.post("/holidays/new", {"on": "2026-12-25", "name": "Christmas Day"}, status=303)
    page = alice.follow(answer)
    assert "Christmas Day is added." in page.text
    assert stored(web) == {"Christmas Day": "accepted"}


def test_a_day_is_added_from_the_dialog(web):
    alice = web.as_("alice")
    form = alice.get("/holidays/new", htmx=True)
    assert form.soup.find("html") is None
    assert form.one("form")["hx-target"] == "#dialog-body"
    page = alice.post("/holidays/new", {"on": "2027-12-25", "name": "Christmas Day"}, htmx=True, status=200)
    assert page.response.headers["HX-Retarget"] == "#holidays-year"
    assert page.response.headers["HX-Trigger"] == "dialog-close"
    assert page.one("#holidays-year .cal-nav h2").text == "2027"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"on": "", "name": "Christmas Day"}, "Give the day."),
        ({"on": "25.12.2026", "name": "Christmas Day"}, "Not a valid date value."),
        ({"on": "2026-12-25", "name": ""}, "Give the day a name."),
        ({"on": "2026-12-25", "name": " "}, "The day needs a name"),
        ({"on": "1926-12-25", "name": "Christmas Day"}, "between 2000 and 2199"),
        ({"on": "2026-12-25", "name": "x" * 201}, "At most 200 characters."),
    ],
)
def test_a_day_that_makes_no_sense_is_refused_and_what_was_typed_stays(web, data, sentence):
    page = web.as_("alice").post("/holidays/new", data, status=422)
    assert sentence in page.text
    assert page.one("#name")["value"] == data["name"]
    assert stored(web) == {}


def test_the_same_day_twice_is_refused_in_the_form(web):
    given_day(web)
    page = web.as_("alice").post("/holidays/new", {"on": "2026-12-25", "name": "Christmas Day"}, htmx=True, status=422)
    assert "stands in the calendar already" in page.text


def test_a_day_is_moved_and_renamed(web):
    day_id = given_day(web)
    alice = web.as_("alice")
    assert alice.get(f"/holidays/{day_id}/edit").one("#on")["value"] == "2026-12-25"
    alice.post(f"/holidays/{day_id}/edit", {"on": "2026-12-24", "name": "Christmas Eve"}, status=303)
    assert stored(web) == {"Christmas Eve": "accepted"}
    alice.post(f"/holidays/{day_id}/edit", {"on": "", "name": "Christmas Eve"}, status=422)
    given_day(web)
    page = alice.post(f"/holidays/{day_id}/edit", {"on": "2026-12-25", "name": "Christmas Day"}, status=422)
    assert "stands in the calendar already" in page.text


def test_a_day_is_removed_after_a_question(web):
    day_id = given_day(web)
    alice = web.as_("alice")
    page = alice.get(f"/holidays/{day_id}/remove?year=2026")
    assert "Remove Christmas Day?" in page.text
    assert page.one("#holiday-remove form")["action"] == f"/holidays/{day_id}/remove?year=2026"
    assert stored(web) == {"Christmas Day": "accepted"}
    alice.post(f"/holidays/{day_id}/remove", status=303)
    assert stored(web) == {}


def test_a_day_is_removed_from_the_dialog(web):
    day_id = given_day(web)
    page = web.as_("alice").post(f"/holidays/{day_id}/remove", htmx=True, status=200)
    assert page.response.headers["HX-Retarget"] == "#holidays-year"
    assert stored(web) == {}


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_a_day_that_does_not_exist_is_not_found(web, verb):
    web.as_("alice").get(f"/holidays/99/{verb}", status=404)
    web.as_("alice").post(f"/holidays/99/{verb}", {"on": "2026-12-25", "name": "x"}, status=404)


# Lists


def test_a_list_is_imported_as_proposals(web):
    alice = web.as_("alice")
    data = {"country": "DE", "region": "BY", "year": "2026"}
    page = alice.follow(alice.post("/holidays/import", data, status=303))
    assert "days are proposed" in page.text
    assert stored(web)["Epiphany"] == "proposed"
    assert "Epiphany" in page.one("#proposed").text
    assert "DE-BY" in page.one("#proposed").text


def test_importing_the_same_list_again_proposes_nothing_new(web):
    alice = web.as_("alice")
    data = {"country": "DE", "region": "", "year": "2026"}
    alice.post("/holidays/import", data, htmx=True, status=200)
    page = alice.post("/holidays/import", data, htmx=True, status=422)
    assert "no days for this year that are not in the calendar already" in page.text


def test_the_regions_follow_the_country_with_and_without_javascript(web):
    for htmx in (False, True):
        page = web.as_("alice").get("/holidays/import?country=DE&year=2027", htmx=htmx)
        assert "Bayern" in page.one("#import-region").text
        assert page.one("#year")["value"] == "2027"
    assert "one list for all regions" in web.as_("alice").get("/holidays/import?country=VA").one("#import-region").text
    assert web.as_("alice").get("/holidays/import").one("#import-region").text.strip() == ""


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"country": "XX", "year": "2026"}, "There is no holiday list for the country “XX”. Add its days by hand"),
        ({"country": "", "year": "2026"}, "Choose a country."),
        ({"country": "DE", "region": "ZZ", "year": "2026"}, "knows no region “ZZ”"),
        ({"country": "DE", "year": "20026"}, "between 2000 and 2199"),
        ({"country": "DE", "year": "soon"}, "Not a valid integer"),
    ],
)
def test_a_list_that_does_not_exist_is_refused(web, data, sentence):
    page = web.as_("alice").post("/holidays/import", data, status=422)
    assert sentence in page.text
    assert stored(web) == {}


def test_proposals_are_decided_one_by_one(web):
    first, second, _ = given_proposals(web)
    alice = web.as_("alice")
    page = alice.follow(alice.post("/holidays/decide?year=2026", {"accept": key_of(web, first)}, status=303))
    assert "1 day is accepted." in page.text
    page = alice.post("/holidays/decide?year=2026", {"ignore": key_of(web, second)}, htmx=True, status=200)
    assert page.one("#holidays-year")
    assert stored(web) == {"Christmas Day": "accepted", "Boxing Day": "ignored", "Christmas Eve": "proposed"}


def test_many_proposals_are_decided_at_once(web):
    ids = given_proposals(web)
    alice = web.as_("alice")
    data = {"ids": [key_of(web, ids[0]), key_of(web, ids[1]), "99-x", "soon", "9" * 40], "decision": "accept"}
    page = alice.follow(alice.post("/holidays/decide", data, status=303))
    assert "2 days are accepted." in page.text
    alice.post("/holidays/decide", {"ids": [key_of(web, ids[2])], "decision": "ignore"}, status=303)
    assert stored(web) == {"Christmas Day": "accepted", "Boxing Day": "accepted", "Christmas Eve": "ignored"}


def test_public_days_are_ticked_and_others_left_to_think_about(web):
    given_proposals(web)
    page = web.as_("alice").get("/holidays")
    ticked = {box["aria-label"] for box in page.soup.select("input[name=ids][checked]")}
    assert ticked == {"Choose Christmas Day", "Choose Boxing Day"}
    assert "half day" in page.one("#proposed").text


def test_an_ignored_day_can_be_accepted_after_all(web):
    first, *_ = given_proposals(web)
    alice = web.as_("alice")
    alice.post("/holidays/decide", {"ignore": key_of(web, first)}, status=303)
    page = alice.get("/holidays")
    assert "Accept after all" in page.one("details.disclosure form").text
    page = alice.post("/holidays/decide", {"accept": key_of(web, first)}, htmx=True, status=200)
    assert "Christmas Day" in page.one("#accepted").text


# Who may


def test_who_may_not_change_the_calendar_reads_it(web):
    given_day(web)
    given_proposals(web)
    page = web.as_("vera").get("/holidays")
    assert "Christmas Day" in page.one("#accepted").text
    assert "Boxing Day" in page.one("#proposed").text
    assert not page.soup.select("#main form")
    assert not page.soup.select("#main a.button-primary")


@pytest.mark.parametrize(
    "path",
    [
        "/holidays/new",
        "/holidays/import",
        "/holidays/file",
        "/holidays/every-year/new",
        "/holidays/feeds/new",
        "/holidays/1/edit",
        "/holidays/1/remove",
    ],
)
def test_only_those_who_lead_change_the_calendar(web, path):
    given_day(web)
    for name in ("bob", "vera"):
        web.as_(name).get(path, status=403)
        web.as_(name).post(path, {"on": "2026-12-25", "name": "x"}, status=403)
    web.as_("carol").get(path)
    web.anonymous().get(path, status=303)


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("button", ["preview", "save"])
def test_a_year_nobody_means_is_refused_before_anything_is_worked_out(web, on, button):
    page = web.as_("alice").post("/holidays/new", {"on": on, "name": "Away", button: "1"}, status=422)
    assert "The year must lie between 2000 and 2199." in page.text


@pytest.mark.parametrize("file", ["", "BEGIN:VCALENDAR"])
def test_a_text_in_place_of_a_file_is_no_file(web, file):
    assert "Choose a calendar file." in web.as_("alice").post("/holidays/file", {"file": file}, status=422).text


def test_deciding_is_for_those_who_lead(web):
    given_proposals(web)
    web.as_("bob").post("/holidays/decide", {"accept": "1"}, status=403)
    web.anonymous().post("/holidays/decide", {"accept": "1"}, status=303)
    assert set(stored(web).values()) == {"proposed"}

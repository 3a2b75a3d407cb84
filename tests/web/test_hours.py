from sqlalchemy import select

from portal.core.calendars import format_week, parse_week
from portal.models import AuditEvent
from portal.services.audit import Change
from portal.services.calendars import load_week, save_week
from tests.web.conftest import NOW

OFFICE = {"mon": "08:00-12:00, 13:00-18:00", "fri": "22:00-02:00"}


def stored(web) -> dict[str, list[str]]:
    with web.database.read_session() as session:
        return format_week(load_week(session))


def given(web, week) -> None:
    with web.database.unit_of_work() as uow:
        save_week(uow, parse_week(week), change=Change(None, NOW))


def test_the_hours_stand_in_the_form_as_they_are(web):
    given(web, {"mon": "8-12, 13-18"})
    page = web.as_("alice").get("/hours")
    assert page.one("h1").text == "Business hours"
    assert page.one("#mon")["value"] == "08:00-12:00, 13:00-18:00"
    assert page.one("#tue")["value"] == ""
    assert "The shop is closed now. It opens Mon 23 Nov, 08:00" in page.text


def test_hours_are_saved_with_several_periods_and_past_midnight(web):
    alice = web.as_("alice")
    page = alice.follow(alice.post("/hours", OFFICE, status=303))
    assert "The hours are saved and hold from now on." in page.text
    assert stored(web) == {"mon": ["08:00-12:00", "13:00-18:00"], "fri": ["22:00-02:00"]}
    with web.database.read_session() as session:
        assert session.scalars(select(AuditEvent.action)).all() == ["hours.edit"]


def test_htmx_gets_the_saved_form_in_place(web):
    page = web.as_("alice").post("/hours", {"mon": "8-17"}, htmx=True, status=200)
    assert page.soup.find("html") is None
    assert page.one("#hours #mon")["value"] == "08:00-17:00"
    assert "The hours are saved" in page.text


def test_hours_that_make_no_sense_are_refused_and_what_was_typed_stays(web):
    page = web.as_("alice").post("/hours", {"mon": "8-12, nine to five", "tue": "9-17", "wed": "25-26"}, status=422)
    assert page.one("#mon")["value"] == "8-12, nine to five"
    assert page.one("#tue")["value"] == "9-17"
    assert "“nine to five” is not a period" in page.one("#mon-error").text
    assert "a time that no clock shows" in page.one("#wed-error").text
    assert stored(web) == {}


def test_periods_that_overlap_over_midnight_are_refused_naming_both(web):
    page = web.as_("alice").post("/hours", {"fri": "22-02", "sat": "01-05"}, htmx=True, status=422)
    assert "Friday 22:00-02:00 and Saturday 01:00-05:00 overlap." in page.text
    assert page.one("#fri")["value"] == "22-02"


def test_a_line_without_end_is_refused(web):
    page = web.as_("alice").post("/hours", {"mon": "8-9," * 60}, status=422)
    assert "At most 200 characters." in page.one("#mon-error").text


def test_who_may_not_change_the_hours_reads_them(web):
    given(web, {"mon": "8-12"})
    vera = web.as_("vera")
    page = vera.get("/hours")
    assert not page.soup.select("#hours-form")
    assert "Monday 08:00-12:00" in page.text
    assert "Tuesday closed" in page.text
    vera.post("/hours", OFFICE, status=403)
    web.as_("bob").post("/hours", OFFICE, status=403)
    web.as_("carol").post("/hours", OFFICE, status=303)


def test_strangers_are_asked_to_sign_in(web):
    web.anonymous().get("/hours", status=303)
    web.anonymous().post("/hours", OFFICE, status=303)
    assert stored(web) == {}


def test_a_shop_that_is_open_says_so_and_one_that_never_opens_too(web):
    assert "The shop never opens." in web.as_("alice").get("/hours").text
    given(web, {"sat": "0-24"})
    assert "The shop is open now." in web.as_("alice").get("/hours").text

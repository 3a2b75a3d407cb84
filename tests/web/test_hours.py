import json
from datetime import date, datetime

import pytest
from sqlalchemy import select

from portal.core.calendars import SpecialHours, format_week, parse_week
from portal.models import SITE_CALENDAR, AuditEvent, Queue, ScheduleRow
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar, choose_queue_calendar, edit_calendar
from portal.services.calendars import list_calendars, load_week, save_week
from portal.services.holidays import add_holiday
from portal.services.special_hours import add_special_hours, list_special_hours
from tests.web.conftest import NOW
from tests.web.test_tickets import statements

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
    assert "The shop is open now, until Sun 22 Nov, 00:00" in web.as_("alice").get("/hours").text


# The week: two people, and what would change


def test_of_two_who_edit_a_week_the_later_is_told_and_shown_what_it_is_now(web):
    given(web, {"mon": "8-12"})
    seen = web.as_("carol").get("/hours").one("#hours-form [name=seen]")["value"]
    web.as_("alice").post("/hours", {"mon": "9-12", "seen": seen}, status=303)
    page = web.as_("carol").post("/hours", {"mon": "8-13", "seen": seen}, status=422)
    assert "Somebody else changed these hours meanwhile. Please look at them again." in page.text
    assert "Now the hours are: Monday 09:00-12:00 Tuesday closed" in page.text
    assert page.one("#mon")["value"] == "8-13"
    again = page.one("#hours-form [name=seen]")["value"]
    web.as_("carol").post("/hours", {"mon": "8-13", "seen": again}, status=303)
    assert stored(web) == {"mon": ["08:00-13:00"]}


def test_a_mark_that_nobody_can_read_stops_nobody(web):
    alice = web.as_("alice")
    for hour, seen in enumerate(("", "what", "[]", "7", '{"mon": [7]}', '{"monday": ["8-9"]}')):
        alice.post("/hours", {"mon": f"{hour}-12", "seen": seen}, status=303)
        assert stored(web) == {"mon": [f"{hour:02}:00-12:00"]}


def test_what_would_change_is_shown_before_it_is_saved(web):
    given(web, {"mon": "8-12", "tue": "22-02"})
    page = web.as_("alice").post("/hours", {"mon": "8-13", "preview": "yes"}, status=200)
    shown = " ".join(page.one("#preview").get_text(" ").split())
    assert shown == (
        "In the next 14 days this changes: The shop opens Mon 23 Nov, 12:00-13:00 Mon 30 Nov, 12:00-13:00 "
        "The shop closes Tue 24 Nov, 22:00 to Wed 25 Nov, 02:00 Tue 1 Dec, 22:00 to Wed 2 Dec, 02:00"
    )
    assert page.one("#mon")["value"] == "8-13"
    assert stored(web) == {"mon": ["08:00-12:00"], "tue": ["22:00-02:00"]}
    same = web.as_("alice").post("/hours", {"mon": "8-12", "tue": "22-2", "preview": "yes"}, htmx=True)
    assert "In the next 14 days nothing changes." in same.text


def test_the_next_days_show_what_really_holds(web):
    given(web, dict.fromkeys(("mon", "tue", "wed"), "8-12, 13-24"))
    with web.database.unit_of_work() as uow:
        add_holiday(uow, date(2026, 11, 24), "Founders’ day", change=Change(None, NOW))
        opening = SpecialHours(datetime(2026, 11, 22, 9), datetime(2026, 11, 22, 12), True)
        add_special_hours(uow, opening, change=Change(None, NOW))
    page = web.as_("vera").get("/hours")
    days = [" ".join(day.get_text(" ").split()) for day in page.soup.select("#coming dt, #coming dd")]
    assert days[:8] == [
        "Sat 21 Nov (today)", "closed", "Sun 22 Nov", "09:00-12:00 extra opening",
        "Mon 23 Nov", "08:00-12:00, 13:00-24:00", "Tue 24 Nov", "closed Founders’ day",
    ]  # fmt: skip


# Several calendars


@pytest.fixture
def york(web) -> int:
    with web.database.unit_of_work() as uow:
        added = add_calendar(uow, "New York", zone="America/New_York", change=Change(None, NOW))
        save_week(uow, parse_week({"fri": "9-18"}), calendar_id=added, change=Change(None, NOW))
        queue = Queue(name="Contoso")
        uow.session.add_all((queue, ScheduleRow(name="Nights", calendar_id=added, changed_at=NOW)))
        uow.session.flush()
        choose_queue_calendar(uow, queue.id, added, change=Change(None, NOW))
    return added


def names(web) -> list[tuple[str, str]]:
    with web.database.read_session() as session:
        return [(one.name, one.own_zone) for one in list_calendars(session)]


def queue_calendar(web) -> int | None:
    with web.database.read_session() as session:
        return session.scalar(select(Queue.calendar_id).where(Queue.name == "Contoso"))


def test_another_calendar_is_on_its_own_clock(web, york):
    page = web.as_("alice").get(f"/hours/{york}")
    assert [tab.text for tab in page.soup.select(".tabs a")] == ["Business hours", "New York"]
    assert page.one("#fri")["value"] == "09:00-18:00"
    assert "America/New_York, where it is 21:10 now" in page.text
    assert "The shop is closed now. It opens Fri 27 Nov, 09:00" in page.text
    assert "Queue Contoso" in page.one("#users").text and "Schedule Nights" in page.one("#users").text
    web.as_("alice").post(f"/hours/{york}", {"fri": "9-22"}, status=303)
    assert "The shop is open now, until 22:00" in web.as_("vera").get(f"/hours/{york}").text
    assert stored(web) == {}


def test_a_calendar_is_added_as_a_copy_renamed_and_removed(web):
    given(web, {"mon": "8-12"})
    alice = web.as_("alice")
    assert "A copy of Business hours" in alice.get("/hours/new", htmx=True).text
    answer = alice.post("/hours/new", {"name": "Contoso", "zone": "Asia/Tokyo", "copy_of": SITE_CALENDAR}, status=303)
    page = alice.follow(answer)
    assert "The calendar is added. Set its week here." in page.text and page.one("#mon")["value"] == "08:00-12:00"
    path = answer.response.headers["Location"]
    form = alice.get(f"{path}/name")
    assert form.one("#name")["value"] == "Contoso"
    assert form.one("#zone option[selected]")["value"] == "Asia/Tokyo"
    page = alice.follow(alice.post(f"{path}/name", {"name": " Contoso  Ltd", "zone": ""}, status=303))
    assert "Contoso Ltd is saved." in page.text and names(web)[1:] == [("Contoso Ltd", "")]
    assert "Nothing goes by it." in alice.get(f"{path}/remove").text
    assert "Contoso Ltd is removed." in alice.follow(alice.post(f"{path}/remove", status=303)).text
    alice.get(path, status=404)


def test_a_calendar_that_cannot_be_is_refused_and_what_was_typed_stays(web, york):
    alice = web.as_("alice")
    for fields, sentence in (
        ({"name": ""}, "Give the calendar a name."),
        ({"name": "new york"}, "There is a calendar called new york already."),
        ({"name": "Moon", "zone": "Moon/Crater"}, "“Moon/Crater” is not a time zone."),
        ({"name": "Moon", "copy_of": "99"}, "Not a valid choice."),
    ):
        page = alice.post("/hours/new", {"zone": "", "copy_of": "0", **fields}, status=422)
        assert sentence in page.text and page.one("#name")["value"] == fields["name"]
    assert len(names(web)) == 2


def test_the_sites_own_calendar_has_another_name_but_no_other_zone(web):
    alice = web.as_("alice")
    page = alice.get("/hours/1/name")
    assert not page.soup.select("#zone") and "the site’s clock: UTC" in page.text
    alice.post("/hours/1/name", {"name": "Office"}, status=303)
    assert names(web) == [("Office", "")]
    page = alice.follow(alice.post("/hours/1/remove", status=303))
    assert "The site’s own hours cannot be removed." in page.text


def test_of_two_who_rename_a_calendar_the_later_is_told(web, york):
    carol = web.as_("carol")
    page = carol.get(f"/hours/{york}/name")
    seen = {name: page.one(f"[name={name}]")["value"] for name in ("seen_name", "seen_zone")}
    with web.database.unit_of_work() as uow:
        edit_calendar(uow, york, name="NY", zone="America/New_York", change=Change(None, NOW))
    page = carol.post(f"/hours/{york}/name", {"name": "Big Apple", "zone": "", **seen}, status=422)
    assert "Somebody else changed this calendar meanwhile." in page.text


def test_a_zone_that_the_menu_does_not_offer_stays(web):
    with web.database.unit_of_work() as uow:
        added = add_calendar(uow, "Ship", zone="Etc/GMT+5", change=Change(None, NOW))
    page = web.as_("alice").get(f"/hours/{added}/name")
    assert page.one("#zone option[selected]")["value"] == "Etc/GMT+5"


def test_removing_a_calendar_names_who_falls_back(web, york):
    alice = web.as_("alice")
    page = alice.get(f"/hours/{york}/remove")
    assert "The queue Contoso and the schedule Nights go then by the site’s hours." in page.text
    page = alice.follow(alice.post(f"/hours/{york}/remove", status=303))
    assert "New York is removed. The queue Contoso and the schedule Nights go now by the site’s hours." in page.text
    assert queue_calendar(web) is None


def test_a_queue_is_sent_to_the_sites_hours_and_back(web, york):
    alice = web.as_("alice")
    page = alice.get(f"/hours/{york}")
    form = page.one("#users form.inline-form")
    fields = {field["name"]: field["value"] for field in form.select("[name]") if field["name"] != "csrf_token"}
    page = alice.follow(alice.post(form["action"], fields, status=303))
    assert "The queue goes by these hours from now on." in page.text and queue_calendar(web) is None
    choices = {option.text: option["value"] for option in page.soup.select("#queue_id option")}
    alice.post(f"/hours/{york}/queues", {"queue_id": choices["Contoso"]}, status=303)
    assert queue_calendar(web) == york
    page = alice.follow(alice.post("/hours/99/queues", {"queue_id": choices["Contoso"], "back": york}, status=303))
    assert "This calendar is gone" in page.text
    alice.post(f"/hours/{york}/queues", {}, status=400)


# Special hours

PARTY = {
    "kind": "closed", "starts_on": "2026-12-18", "starts_at": "14:00", "ends_on": "2026-12-19", "ends_at": "00:00",
    "name": "Party",
}  # fmt: skip


def special(web, calendar_id=SITE_CALENDAR):
    with web.database.read_session() as session:
        return list_special_hours(session, calendar_id, since=datetime(2000, 1, 1))


def test_special_hours_are_added_changed_and_removed_without_javascript(web):
    alice = web.as_("alice")
    assert alice.get("/hours/1/special/new").one("#starts_on")["value"] == "2026-11-22"
    page = alice.follow(alice.post("/hours/1/special/new", PARTY, status=303))
    assert "The special hours are added." in page.text
    assert "Fri 18 Dec, 14:00-24:00" in page.one("#special").text
    (entry,) = special(web)
    form = alice.get(f"/hours/special/{entry.id}")
    assert form.one("#name")["value"] == "Party" and form.one("[name=kind][checked]")["value"] == "closed"
    changed = {**PARTY, "kind": "open", "seen": form.one("[name=seen]")["value"]}
    alice.post(f"/hours/special/{entry.id}", changed, status=303)
    assert special(web)[0].hours.is_open
    assert "Without them the week and the holidays hold." in alice.get(f"/hours/special/{entry.id}/remove").text
    seen = alice.get(f"/hours/special/{entry.id}/remove").one("#special-remove [name=seen]")["value"]
    alice.post(f"/hours/special/{entry.id}/remove", {"seen": seen}, status=303)
    assert special(web) == []
    alice.get(f"/hours/special/{entry.id}", status=404)


def test_htmx_closes_the_dialog_and_shows_the_calendar_they_belong_to(web, york):
    page = web.as_("alice").post(f"/hours/{york}/special/new", PARTY, htmx=True, status=200)
    assert page.response.headers["HX-Retarget"] == "#hours"
    assert page.response.headers["HX-Trigger"] == "dialog-close"
    assert "Party" in page.one("#hours #special").text and page.one("#fri")["value"] == "09:00-18:00"
    assert special(web) == [] and len(special(web, york)) == 1


def test_special_hours_that_make_no_sense_are_refused(web):
    alice = web.as_("alice")
    for fields, place, sentence in (
        ({"ends_on": "2026-12-18"}, "#ends_on-error", "It ends before it starts. For a night, give the next day"),
        ({"starts_on": ""}, "#starts_on-error", "Give the day it starts."),
        ({"kind": "shut"}, "#kind-error", "Not a valid choice."),
        ({"ends_on": "2300-01-01"}, ".notice-bad", "The year must lie between 2000 and 2199."),
    ):
        page = alice.post("/hours/1/special/new", {**PARTY, **fields}, status=422)
        assert sentence in page.one(place).text and page.one("#name")["value"] == "Party"
    assert special(web) == []


def test_of_two_who_edit_special_hours_the_later_is_told(web):
    alice, carol = web.as_("alice"), web.as_("carol")
    alice.post("/hours/1/special/new", PARTY)
    path = f"/hours/special/{special(web)[0].id}"
    seen = carol.get(path).one("[name=seen]")["value"]
    assert json.loads(seen)["name"] == "Party"
    alice.post(path, {**PARTY, "name": "Feast"}, status=303)
    page = carol.post(path, {**PARTY, "name": "Ball", "seen": seen}, status=422)
    assert "Somebody else changed this meanwhile." in page.text
    page = carol.follow(carol.post(f"{path}/remove", {"seen": seen}, status=303))
    assert "Somebody else changed this meanwhile." in page.text
    carol.post(path, {**PARTY, "name": "Ball", "seen": "{}"}, status=303)
    assert special(web)[0].hours.name == "Ball"


def test_special_hours_that_have_begun_end_now(web):
    alice = web.as_("alice")
    alice.post("/hours/1/special/new", {**PARTY, "starts_on": "2026-11-20"})
    (entry,) = special(web)
    assert "They have begun: they end now" in alice.get(f"/hours/special/{entry.id}/remove").text
    alice.post(f"/hours/special/{entry.id}/remove", status=303)
    assert special(web)[0].hours.ends == datetime(2026, 11, 21, 2, 10)
    page = alice.follow(alice.post(f"/hours/special/{entry.id}/remove", status=303))
    assert "This is over. What was open or closed then stays as it was." in page.text


# Try it


def ask(web, *, status=200, htmx=False, **fields):
    query = {"on": "2026-11-23", "at": "11:00", "minutes": "120", **fields}
    return web.as_("vera").get("/hours/1/try", query_string=query, status=status, htmx=htmx)


def test_the_box_answers_when_so_much_open_time_has_passed(web):
    given(web, {"mon": "8-12, 13-18"})
    page = ask(web)
    assert "Mon 23 Nov, 11:00 : The shop is open, until Mon 23 Nov, 12:00" in page.text
    assert "After 120 minutes of open time it is Mon 23 Nov, 14:00" in page.text
    assert "240 minutes of open time before it is Mon 16 Nov, 17:00" in ask(web, minutes="-240").text
    assert "The shop is closed. It opens Mon 23 Nov, 13:00" in ask(web, at="12:00").text
    assert ask(web, htmx=True).soup.find("html") is None


def test_a_question_that_makes_no_sense_is_refused(web):
    given(web, {"mon": "8-12"})
    for fields, sentence in (
        ({"minutes": "many"}, "Not a valid integer value."),
        ({"minutes": "1000001"}, "At most a million minutes."),
        ({"minutes": "999999"}, "These business hours are open too rarely"),
        ({"on": "2300-01-01"}, "The year must lie between 2000 and 2199."),
        ({"at": ""}, "Give a time."),
    ):
        assert sentence in ask(web, **fields, status=422).text


# Who may


def test_only_who_may_edit_calendars_changes_them(web, york):
    with web.database.unit_of_work() as uow:
        hours = SpecialHours(datetime(2026, 12, 18, 14), datetime(2026, 12, 18, 18))
        special_id = add_special_hours(uow, hours, change=Change(None, NOW))
    paths = ("/hours/new", f"/hours/{york}/name", f"/hours/{york}/remove", "/hours/1/special/new",
             f"/hours/special/{special_id}", f"/hours/special/{special_id}/remove")  # fmt: skip
    for name, status in (("bob", 403), ("vera", 403), ("carol", 200)):
        for path in paths:
            web.as_(name).get(path, status=status)
    web.as_("bob").post(f"/hours/{york}/queues", {"queue_id": 1}, status=403)
    page = web.as_("vera").get(f"/hours/{york}")
    assert not page.soup.select("form[method=post]:not(.menu-sheet form)") and "Queue Contoso" in page.text
    web.anonymous().get(f"/hours/{york}/try", status=303)
    for path in ("/hours/99", "/hours/99/name", "/hours/99/remove", "/hours/99/try", "/hours/99/special/new"):
        web.as_("alice").get(path, status=404)
    web.as_("alice").post("/hours/99", {"mon": "8-12"}, status=404)


def test_a_calendar_costs_at_most_eight_statements(web, york):
    web.as_("alice").get(f"/hours/{york}")
    assert statements(web, web.as_("alice"), f"/hours/{york}") <= 8

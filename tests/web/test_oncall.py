from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from portal.core.calendars import WEEKDAYS, parse_week
from portal.core.shifts import Shift
from portal.models import HolidayPolicyRow, OverrideRow, Phone, RotationRow, ShiftRow, User
from portal.services.audit import Change
from portal.services.calendars import save_week
from portal.services.holidays import add_holiday
from portal.services.schedule_edit import ScheduleDraft, add_schedule
from portal.services.shifts import add_shift
from tests.services.ticket_world import BOB
from tests.web.conftest import NOW

CHANGE = Change(None, NOW)
# NOW is Saturday 21 November 2026, 02:10 UTC; the site's zone is UTC.
NIGHT = {
    "person_id": str(BOB),
    "starts_on": "2026-11-21",
    "starts_at": "18:00",
    "ends_on": "2026-11-22",
    "ends_at": "08:00",
    "note": "Key is in the safe",
}


def given_shift(web, *, person_id=BOB, day=20, hours=14, note="") -> int:
    starts = datetime(2026, 11, day, 18)
    with web.database.unit_of_work() as uow:
        return add_shift(uow, Shift(0, person_id, starts, starts + timedelta(hours=hours), note), change=CHANGE)


def given_hours(web) -> None:
    with web.database.unit_of_work() as uow:
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS, "08:00-18:00")), change=CHANGE)


def shifts(web) -> list[tuple]:
    with web.database.read_session() as session:
        rows = session.query(ShiftRow).order_by(ShiftRow.id)
        return [(row.user_id, f"{row.starts:%d %H:%M}", f"{row.ends:%d %H:%M}", row.note) for row in rows]


# The calendar


def test_the_page_says_who_is_on_call_now_and_until_when(web):
    given_shift(web, note="Key is in the safe")
    page = web.as_("vera").get("/oncall")
    assert page.one("title").text.startswith("On call")
    now = page.one("#on-call-now")
    assert "Bob" in now.text
    assert "until 08:00 · Key is in the safe" in " ".join(now.text.split())
    assert "No phone" in now.text


def test_a_person_with_a_phone_carries_no_warning(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=BOB, number="+4915111111111"))
    given_shift(web)
    assert "No phone" not in web.as_("vera").get("/oncall").one("#on-call-now").text


def test_nobody_on_call_while_the_shop_is_closed_is_loud(web):
    page = web.as_("vera").get("/oncall")
    assert page.one("#on-call-now [role=alert]").text.startswith("Nobody is on call.")


def test_nobody_on_call_while_the_shop_is_open_is_fine(web):
    given_hours(web)
    web.clock.pass_by(hours=8)
    page = web.as_("vera").get("/oncall")
    assert not page.soup.select("#on-call-now [role=alert]")
    assert "nobody needs to be" in page.text


def test_each_person_has_a_lane_and_a_night_is_one_bar(web):
    shift_id = given_shift(web)
    page = web.as_("alice").get("/oncall")
    names = [" ".join(name.text.split()) for name in page.soup.select("[role=rowheader]")]
    assert [name.split()[0] for name in names] == ["Alice", "Bob", "Carol", "Nobody"]
    bar = page.one("a.shift")
    assert {"from-114", "to-128", "is-now"} <= set(bar["class"])
    assert bar["title"] == "Fri 20 Nov, 18:00 to Sat 21 Nov, 08:00"
    assert bar["href"] == f"/oncall/shifts/{shift_id}/edit?view=week&on=2026-11-21"
    assert page.one(".lane-day.is-today").text.strip() == "Sat 21 Nov"


def test_where_shifts_of_one_person_overlap_one_counts_at_a_time(web):
    given_shift(web, note="long")
    given_shift(web, hours=16, note="longer")
    bars = web.as_("alice").get("/oncall").soup.select("a.shift")
    assert [bar["title"] for bar in bars] == ["Fri 20 Nov, 18:00 to Sat 21 Nov, 10:00: longer"]


def test_a_shift_that_does_not_count_is_found_below_the_calendar(web):
    hidden = given_shift(web, note="short")
    given_shift(web, hours=16, note="long")
    link = web.as_("alice").get("/oncall").one("#hidden-shifts a")
    assert link.text == "Bob, Fri 20 Nov, 18:00 to Sat 21 Nov, 08:00: short"
    assert link["href"].startswith(f"/oncall/shifts/{hidden}/edit")
    assert not web.as_("vera").get("/oncall").soup.select("#hidden-shifts a")
    assert not web.as_("alice").get("/oncall?on=2026-12-01").soup.select("#hidden-shifts")


def test_a_bar_says_why_the_person_is_on_call(web):
    with web.database.unit_of_work() as uow:
        night = {"starts": datetime(2026, 11, 21, 18), "ends": datetime(2026, 11, 22)}
        people = {"name": "Nights", "people": [BOB], "starts": datetime(2026, 11, 16), "unit": "week"}
        uow.session.add(RotationRow(**people))
        uow.session.add(OverrideRow(kind="replace", user_id=3, instead_of_id=BOB, created_at=NOW, **night))
        uow.session.add(HolidayPolicyRow(observed_on=datetime(2026, 11, 18).date(), policy="everyone"))
    titles = [bar["title"] for bar in web.as_("vera").get("/oncall").soup.select("span.shift")]
    assert "Sat 21 Nov, 18:00 to Sun 22 Nov, 00:00: instead of Bob" in titles
    assert "Wed 18 Nov, 00:00 to Thu 19 Nov, 00:00: holiday 18 November" in titles
    assert any(title.endswith(": rotation Nights") for title in titles)


def test_a_bar_leads_to_where_it_is_changed(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(RotationRow(name="Nights", people=[BOB], starts=datetime(2026, 11, 16), unit="week"))
    assert web.as_("alice").get("/oncall").one("a.shift")["href"] == "/oncall/rotations"


def test_a_duty_that_goes_on_for_long_is_not_said_to_end_where_the_look_ends(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(RotationRow(name="Bob", people=[BOB], starts=datetime(2026, 1, 1), unit="week"))
    assert web.as_("vera").get("/oncall").one("span.shift")["title"] == "all the time: rotation Bob"


def test_a_week_that_only_holds_the_end_of_a_shift_shows_that_end(web):
    given_shift(web, day=22)
    bar = web.as_("alice").get("/oncall?on=2026-11-25").one("a.shift")
    assert {"from-0", "to-8"} <= set(bar["class"])


def test_the_time_nobody_covers_is_a_lane_of_its_own_from_now_on(web):
    given_hours(web)
    given_shift(web)
    page = web.as_("alice").get("/oncall")
    gaps = [gap["title"] for gap in page.soup.select(".gap")]
    assert gaps == ["Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00", "Sun 22 Nov, 18:00 to Mon 23 Nov, 00:00"]
    assert "Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00" in page.one("#gaps-ahead").text


def test_a_gap_offers_a_shift_that_fills_it(web):
    given_hours(web)
    alice = web.as_("alice")
    link = alice.get("/oncall").soup.select_one("#gaps-ahead a[href*=starts]")
    form = alice.get(link["href"])
    assert (form.one("#starts_on")["value"], form.one("#starts_at")["value"]) == ("2026-11-21", "02:10")
    assert (form.one("#ends_on")["value"], form.one("#ends_at")["value"]) == ("2026-11-21", "08:00")


def test_when_every_closed_hour_is_covered_the_page_says_so(web):
    given_shift(web, day=1, hours=24 * 60)
    page = web.as_("alice").get("/oncall")
    assert "Somebody is on call whenever the shop is closed." in page.text
    assert not page.soup.select(".gap")


def test_the_month_is_a_strip_for_each_of_its_weeks(web):
    given_shift(web)
    page = web.as_("alice").get("/oncall?view=month")
    assert page.one(".cal-nav h2").text == "November 2026"
    assert len(page.soup.select(".lanes")) == 6
    assert len(page.soup.select("a.shift")) == 1
    assert page.one("a[rel=next]")["href"] == "/oncall?view=month&on=2026-12-01"
    assert page.one("a[rel=prev]")["href"] == "/oncall?view=month&on=2026-10-01"


def test_weeks_lead_to_the_ones_before_and_after(web):
    page = web.as_("alice").get("/oncall?on=2026-12-30")
    assert page.one(".cal-nav h2").text == "28 December–3 January 2027"
    assert page.one("a[rel=next]")["href"] == "/oncall?view=week&on=2027-01-06"
    assert page.one("a[rel=prev]")["href"] == "/oncall?view=week&on=2026-12-23"


@pytest.mark.parametrize("query", ["on=soon", "on=0001-01-01", "on=9999-12-31", "on=", "view=year"])
def test_a_place_that_does_not_exist_shows_this_week(web, query):
    assert web.as_("alice").get(f"/oncall?{query}").one(".cal-nav h2").text == "16–22 November 2026"


def test_holidays_and_closed_days_are_marked_in_the_head(web):
    given_hours(web)
    with web.database.unit_of_work() as uow:
        add_holiday(uow, datetime(2026, 11, 18).date(), "Day of Prayer", change=CHANGE)
    head = web.as_("alice").get("/oncall").one(".lane-day.is-holiday")
    assert "Wed 18 Nov" in head.text
    assert "Day of Prayer" in head.text


def test_a_disabled_person_is_on_no_roster_and_wakes_for_nothing(web):
    given_shift(web)
    with web.database.unit_of_work() as uow:
        uow.session.get(User, BOB).is_active = False
    page = web.as_("alice").get("/oncall")
    assert not page.soup.select(".shift")
    assert "Nobody is on call." in page.one("#on-call-now").text
    assert len(page.soup.select(".gap")) == 1


def test_htmx_gets_the_calendar_alone(web):
    page = web.as_("alice").get("/oncall?view=month", htmx=True)
    assert page.soup.find("html") is None
    assert page.one("#oncall-calendar")


def test_the_month_costs_at_most_eight_statements_however_many_shifts(web):
    for day in range(1, 29):
        given_shift(web, day=day)
    alice = web.as_("alice")
    alice.get("/oncall")
    statements = []
    event.listen(web.database.reader, "before_cursor_execute", lambda *call: statements.append(call[2]))
    alice.get("/oncall?view=month")
    assert len([text for text in statements if text.lstrip().upper().startswith("SELECT")]) <= 8, statements


# Changes


def test_a_shift_is_added_without_javascript(web):
    alice = web.as_("alice")
    form = alice.get("/oncall/shifts/new")
    assert (form.one("#starts_on")["value"], form.one("#starts_at")["value"]) == ("2026-11-21", "18:00")
    assert (form.one("#ends_on")["value"], form.one("#ends_at")["value"]) == ("2026-11-22", "08:00")
    page = alice.follow(alice.post("/oncall/shifts/new", NIGHT, status=303))
    assert "The shift is added." in page.text
    assert page.one("a.shift")["title"] == "Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00: Key is in the safe"
    assert shifts(web) == [(BOB, "21 18:00", "22 08:00", "Key is in the safe")]


def test_the_night_suggested_reaches_from_closing_to_opening(web):
    with web.database.unit_of_work() as uow:
        save_week(uow, parse_week({"sat": "9-13", "sun": "22-24"}), change=CHANGE)
    form = web.as_("alice").get("/oncall/shifts/new")
    assert (form.one("#starts_at")["value"], form.one("#ends_at")["value"]) == ("13:00", "22:00")


def test_the_night_suggested_after_a_bar_that_closes_late_has_a_length(web):
    with web.database.unit_of_work() as uow:
        save_week(uow, parse_week({"sat": "20-06", "sun": "06-08"}), change=CHANGE)
    form = web.as_("alice").get("/oncall/shifts/new")
    assert (form.one("#starts_on")["value"], form.one("#starts_at")["value"]) == ("2026-11-22", "06:00")
    assert (form.one("#ends_on")["value"], form.one("#ends_at")["value"]) == ("2026-11-22", "18:00")


def test_a_shift_is_added_from_the_dialog_and_the_calendar_follows(web):
    alice = web.as_("alice")
    form = alice.get("/oncall/shifts/new?view=month&on=2026-11-21", htmx=True)
    assert form.soup.find("html") is None
    page = alice.post(form.one("form")["hx-post"], NIGHT, htmx=True, status=200)
    assert page.response.headers["HX-Retarget"] == "#oncall-calendar"
    assert page.response.headers["HX-Trigger"] == "dialog-close"
    assert len(page.soup.select("a.shift")) == 1
    assert len(page.soup.select(".lanes")) == 6


def test_a_shift_elsewhere_takes_the_calendar_there(web):
    later = NIGHT | {"starts_on": "2027-03-01", "ends_on": "2027-03-02"}
    page = web.as_("alice").post("/oncall/shifts/new?view=week&on=2026-11-21", later, htmx=True, status=200)
    assert page.one(".cal-nav h2").text == "1–7 March 2027"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ends_on": "2026-11-21"}, "The shift ends before it starts. For a night, give the next day"),
        ({"ends_on": "2026-11-21", "ends_at": "18:00"}, "The shift has no length"),
        ({"ends_on": "9999-11-21"}, "year of a shift"),
        ({"starts_on": ""}, "Give the day it starts."),
        ({"starts_at": "25:00"}, "Not a valid time value."),
        ({"person_id": "99"}, "Not a valid choice"),
        ({"person_id": ""}, "Choose who is on call."),
        ({"note": "x" * 201}, "at most 200 characters"),
    ],
)
def test_a_shift_that_makes_no_sense_is_refused_and_what_was_typed_stays(web, change, sentence):
    typed = NIGHT | change
    page = web.as_("alice").post("/oncall/shifts/new", typed, status=422)
    assert sentence in page.text
    assert page.one("#note")["value"] == typed["note"]
    assert page.one("#ends_at")["value"] == typed["ends_at"]
    assert shifts(web) == []


def test_the_very_same_shift_twice_is_refused_in_the_form(web):
    alice = web.as_("alice")
    alice.post("/oncall/shifts/new", NIGHT, status=303)
    page = alice.post("/oncall/shifts/new", NIGHT, htmx=True, status=422)
    assert "Bob has this very shift already." in page.text
    assert len(shifts(web)) == 1


def test_a_shift_is_edited(web):
    shift_id = given_shift(web, day=23, note="first")
    alice = web.as_("alice")
    form = alice.get(f"/oncall/shifts/{shift_id}/edit")
    assert form.one("#note")["value"] == "first"
    assert form.one("#shift-form [name=version]")["value"] == "1"
    page = alice.follow(alice.post(f"/oncall/shifts/{shift_id}/edit", NIGHT | {"version": "1"}, status=303))
    assert "The shift is changed." in page.text
    assert shifts(web) == [(BOB, "21 18:00", "22 08:00", "Key is in the safe")]
    alice.post(f"/oncall/shifts/{shift_id}/edit", NIGHT | {"ends_on": "", "version": "2"}, status=422)


@pytest.mark.parametrize("version", ["1", "", "one"])
def test_of_two_people_who_edit_one_shift_the_later_is_told(web, version):
    shift_id = given_shift(web)
    web.as_("carol").post(f"/oncall/shifts/{shift_id}/edit", NIGHT | {"version": "1"}, status=303)
    later = NIGHT | {"version": version, "note": "later"}
    page = web.as_("alice").post(f"/oncall/shifts/{shift_id}/edit", later, htmx=True, status=422)
    assert "Somebody else changed this shift meanwhile." in page.text
    assert page.one("#note")["value"] == "later"


def test_a_shift_is_removed_after_a_question(web):
    shift_id = given_shift(web, day=23)
    alice = web.as_("alice")
    page = alice.get(f"/oncall/shifts/{shift_id}/remove")
    assert "Bob is then no longer on call from Mon 23 Nov, 18:00" in page.text
    assert shifts(web) != []
    page = alice.follow(alice.post(f"/oncall/shifts/{shift_id}/remove", status=303))
    assert "The shift is removed." in page.text
    assert shifts(web) == []


def test_a_shift_is_removed_from_the_dialog_and_what_has_been_stays(web):
    shift_id = given_shift(web)
    alice = web.as_("alice")
    question = alice.get(f"/oncall/shifts/{shift_id}/remove?view=week&on=2026-11-21", htmx=True)
    page = alice.post(question.one("form")["hx-post"], htmx=True, status=200)
    assert page.response.headers["HX-Retarget"] == "#oncall-calendar"
    assert page.one("a.shift")["title"] == "Fri 20 Nov, 18:00 to Sat 21 Nov, 02:10"


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_a_shift_that_does_not_exist_is_not_found(web, verb):
    web.as_("alice").get(f"/oncall/shifts/99/{verb}", status=404)
    web.as_("alice").post(f"/oncall/shifts/99/{verb}", NIGHT, status=404)


# Who may


def test_who_may_not_change_the_roster_reads_it(web):
    given_shift(web)
    for name in ("bob", "vera"):
        page = web.as_(name).get("/oncall")
        assert page.one("span.shift")
        assert not page.soup.select("#main a[href*=shifts]")


@pytest.mark.parametrize("path", ["/oncall/shifts/new", "/oncall/shifts/1/edit", "/oncall/shifts/1/remove"])
def test_only_those_who_lead_change_the_roster(web, path):
    given_shift(web)
    for name in ("bob", "vera"):
        web.as_(name).get(path, status=403)
        web.as_(name).post(path, NIGHT, status=403)
    web.as_("carol").get(path)
    web.anonymous().get(path, status=303)
    web.anonymous().get("/oncall", status=303)
    assert len(shifts(web)) == 1


# Moving, repeating, undoing


def change_of(page) -> dict[str, str]:
    return {"change": page.one("form[action*='/shifts/undo'] [name=change]")["value"]}


def test_every_change_offers_its_undo_without_javascript(web):
    alice = web.as_("alice")
    page = alice.follow(alice.post("/oncall/shifts/new", NIGHT, status=303))
    assert shifts(web) != []
    action = page.one("form[action*='/shifts/undo']")["action"]
    page = alice.follow(alice.post(action, change_of(page), status=303))
    assert "That is undone." in page.text
    assert shifts(web) == []


def test_a_change_is_undone_where_it_stands(web):
    shift_id = given_shift(web, day=23)
    before, alice = shifts(web), web.as_("alice")
    page = alice.post(f"/oncall/shifts/{shift_id}/edit?on=2026-11-23", NIGHT | {"version": "1"}, htmx=True)
    page = alice.post(page.one("form[action*='/shifts/undo']")["hx-post"], change_of(page), htmx=True)
    assert page.one("#oncall-calendar")
    assert "That is undone." in page.text
    assert shifts(web) == before


def test_only_the_last_change_of_this_person_is_undone(web):
    alice = web.as_("alice")
    page = alice.follow(alice.post("/oncall/shifts/new", NIGHT, status=303))
    later = NIGHT | {"starts_on": "2026-11-23", "ends_on": "2026-11-24"}
    alice.post("/oncall/shifts/new", later, status=303)
    assert "only your last change" in alice.post("/oncall/shifts/undo", change_of(page), status=422).text
    assert "only your last change" in web.as_("carol").post("/oncall/shifts/undo", change_of(page), status=422).text
    assert len(shifts(web)) == 2


@pytest.mark.parametrize(("days", "moved"), [("-1", "22 18:00"), ("7", "30 18:00")])
def test_a_shift_is_moved_by_days_with_a_button(web, days, moved):
    shift_id = given_shift(web, day=23)
    alice = web.as_("alice")
    form = alice.get(f"/oncall/shifts/{shift_id}/edit").one("form.move-shift")
    page = alice.follow(alice.post(form["action"], {"days": days, "version": "1"}, status=303))
    assert "The shift is changed." in page.text
    assert shifts(web)[0][1] == moved
    assert "Somebody else changed" in alice.post(form["action"], {"days": days, "version": "1"}, status=422).text
    alice.post(form["action"], {"days": "400", "version": "2"}, status=400)


def test_a_shift_is_repeated_for_weeks(web):
    alice = web.as_("alice")
    alice.post("/oncall/shifts/new", NIGHT | {"weeks": "2"}, status=303)
    assert [row[1] for row in shifts(web)] == ["21 18:00", "28 18:00", "05 18:00"]
    page = alice.post("/oncall/shifts/new", NIGHT | {"weeks": "99"}, status=422)
    assert "Between 0 and 52 weeks." in page.text


def test_of_two_people_who_plan_the_same_week_the_later_is_told_once(web):
    alice = web.as_("alice")
    seen = alice.get("/oncall/shifts/new").one("[name=seen]")["value"]
    web.as_("carol").post("/oncall/shifts/new", NIGHT, status=303)
    own = NIGHT | {"person_id": "1", "seen": seen}
    page = alice.post("/oncall/shifts/new", own, status=422)
    assert "Somebody changed this schedule while the form was open." in page.text
    alice.post("/oncall/shifts/new", own | {"seen": page.one("[name=seen]")["value"]}, status=303)
    assert len(shifts(web)) == 2


def test_a_shift_added_today_begins_now_and_one_that_is_over_is_refused(web):
    alice = web.as_("alice")
    begun = NIGHT | {"starts_on": "2026-11-20", "ends_on": "2026-11-21", "ends_at": "08:00"}
    alice.post("/oncall/shifts/new", begun, status=303)
    assert shifts(web)[0][1:3] == ("21 02:10", "21 08:00")
    over = NIGHT | {"starts_on": "2026-11-19", "ends_on": "2026-11-20"}
    assert "This time is over." in alice.post("/oncall/shifts/new", over, status=422).text


# Who when, my shifts, several schedules


@pytest.mark.parametrize(
    ("query", "now", "later"),
    [
        ("", "Bob from Fri 20 Nov, 18:00 until 08:00 · Key", "Nobody."),
        ("?day=2026-11-20&time=17:59", "Nobody is on call.", "Bob from"),
        ("?day=2026-11-21&time=08:00", "Nobody is on call.", "Nothing changes"),
        ("?day=soon&time=now", "Bob from", "Nobody."),
    ],
)
def test_who_is_on_call_at_a_time_why_until_when_and_who_is_next(web, query, now, later):
    given_shift(web, note="Key")
    page = web.as_("vera").get(f"/oncall/who{query}")
    assert now in " ".join(page.one("#who-then").text.split())
    assert later in " ".join(page.one("#who-next").text.split())


def given_network(web) -> int:
    with web.database.unit_of_work() as uow:
        schedule_id = add_schedule(uow, ScheduleDraft("Network", "Asia/Tokyo"), change=CHANGE)
        shift = Shift(0, BOB, datetime(2026, 11, 21, 18), datetime(2026, 11, 22, 8))
        add_shift(uow, shift, change=CHANGE, schedule_id=schedule_id)
    return schedule_id


def test_my_shifts_are_those_of_every_schedule(web):
    given_network(web)
    given_shift(web, note="Key")
    page = web.as_("bob").get("/oncall/mine")
    rows = [" ".join(row.get_text(" ").split()) for row in page.soup.select("#my-shifts tbody tr")]
    assert rows == [
        "Fri 20 Nov, 18:00 Now 08:00 Key On call",
        "18:00 Sun 22 Nov, 08:00 shift Network",
    ]
    assert "You are not on call" in web.as_("vera").get("/oncall/mine").text


def test_the_last_of_my_shifts_has_its_own_end_and_not_that_of_the_list(web):
    begins = NOW.replace(tzinfo=None, minute=0) + timedelta(weeks=26) - timedelta(days=1)
    with web.database.unit_of_work() as uow:
        for start in (begins, begins + timedelta(days=9)):
            uow.session.add(ShiftRow(user_id=BOB, starts=start, ends=start + timedelta(days=7)))
    rows = web.as_("bob").get("/oncall/mine").soup.select("#my-shifts tbody tr")
    assert " ".join(rows[-1].get_text(" ").split()).startswith("21 May 2027, 02:00 28 May 2027, 02:00")


def test_each_schedule_has_its_own_calendar_in_its_own_zone(web):
    network = given_network(web)
    alice = web.as_("alice")
    page = alice.get(f"/oncall?schedule={network}")
    assert "All times are in Asia/Tokyo." in page.text
    bar = page.one("a.shift")
    assert bar["title"] == "Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00"
    assert bar["href"].endswith(f"&schedule={network}")
    assert [choice.text for choice in page.soup.select(".schedule-choice a")] == ["On call", "Network"]
    assert not alice.get("/oncall").soup.select("a.shift")
    alice.post(f"/oncall/shifts/new?schedule={network}", NIGHT | {"person_id": "1"}, status=303)
    assert len(alice.get(f"/oncall?schedule={network}").soup.select("a.shift")) == 2
    alice.get("/oncall?schedule=99", status=404)


def test_somebody_who_cannot_be_on_call_any_more_still_stands_where_they_were(web):
    with web.database.unit_of_work() as uow:
        uow.session.add(HolidayPolicyRow(observed_on=datetime(2026, 11, 21).date(), policy="person", user_id=BOB))
        uow.session.get(User, BOB).role = "viewer"
    page = web.as_("vera").get("/oncall")
    assert "Bob" in page.one("#on-call-now").text
    assert page.one("span.shift")["title"].endswith("holiday 21 November")
